"""A logging.LogRecord as the payload of a log record (docs/format.md, last chapter).

Everything that runs code of the application, such as `__str__` of what is logged, runs
here, before anything is claimed in the ring.
"""

from __future__ import annotations

import datetime
import logging
import numbers
import struct
import sys
import time
from collections.abc import Iterable, Mapping
from operator import itemgetter
from struct import Struct
from typing import Any, Callable, NamedTuple, Optional

from ._layout import (
    KIND_LOG,
    LOW32,
    MAX_DEPTH,
    MAX_LEVEL,
    MAX_NAME,
    MAX_PYTHON_LEVEL,
    MIN_LEVEL,
    MIN_PYTHON_LEVEL,
    SCALE_PYTHON,
    STORED_WARNING,
    TAG_BOOL,
    TAG_BYTES,
    TAG_DURATION,
    TAG_ERROR,
    TAG_FLOAT,
    TAG_GROUP,
    TAG_INT,
    TAG_LEVEL,
    TAG_PROCESS,
    TAG_SOURCE,
    TAG_STACK,
    TAG_STRING,
    TAG_THREAD,
    TAG_TIME,
    TAG_TRACEBACK,
    TAG_UINT,
)

# The attribute by which a record says into which ring it has been put.
MARK = "_ringlog"

_sample = logging.LogRecord("", 0, "", 0, "", (), None).__dict__
_FIELDS = len(_sample)
_LAST = list(_sample)[-1]
_STANDARD = frozenset(_sample) | {"message", "asctime", MARK}
_MISSING: dict[str, Any] = {**dict.fromkeys(_sample), "name": ""}
_STANDARD_LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}

# From offset 12 of a record on: losses; length; level, kind and flags; time; then the
# beginning of the payload.
_HEAD = Struct("<4sIIqHHI").pack
_FIELD = Struct("<BBHI").pack
_LEVEL = Struct("<Bi").pack
_SOURCE = Struct("<IH").pack
_INT, _UINT, _FLOAT = Struct("<q").pack, Struct("<Q").pack, Struct("<d").pack
_TIME = Struct("<qIi").pack

_formatter = logging.Formatter()
_Record = logging.LogRecord


class _Origin(NamedTuple):
    """What many records have in common: where they come from."""

    logger: bytes
    fields: bytes  # level, source, process and thread
    before: bytes  # the part of them that stands before a traceback
    after: bytes  # … and the part behind it
    size: int  # of the payload, without message and attributes
    level: int  # level, kind and flags as they are in the record
    urgent: bool


# By what makes an _Origin, so that a record of a known place costs one look. Emptied when
# it is full: names of loggers and threads can be made up without end.
_origins: dict[tuple[Any, ...], _Origin] = {}
_MOST_ORIGINS = 4096

# By key: its bytes, and with them the heads of its fields if they are an int or a float.
_keys: dict[str, tuple[bytes, ...]] = {}
_MOST_KEYS = 4096
_place = itemgetter(
    "name",
    "levelno",
    "levelname",
    "pathname",
    "lineno",
    "funcName",
    "processName",
    "threadName",
)


def encode(record: logging.LogRecord, lost: bytes, attrs: bytes) -> tuple[bytes, bool]:
    """The arguments of Lane.append for a record; attrs go before its extras.

    Raises whatever the message's parts raise when they are formatted, and ValueError for a
    name over 65535 bytes. Whatever else is wrong with a record does not cost it.
    """
    values = record.__dict__
    count = len(values)
    message, args = values["msg"], values["args"]
    if type(message) is not str or type(record) is not _Record:
        message = record.getMessage()
    elif args:  # as getMessage does it, without the call
        message = message % args
    try:
        message_bytes = message.encode()
    except (UnicodeEncodeError, AttributeError):
        message_bytes = text(str(message))
    try:
        place = _place(values)
        traced = values["exc_info"] or values["exc_text"] or values["stack_info"]
    except KeyError:  # somebody has removed one
        values, count = {**_MISSING, **values}, 0
        place = _place(values)
        traced = values["exc_info"] or values["exc_text"] or values["stack_info"]
    try:
        logger, fields, before, after, size, level, urgent = _origins[place]
    except (KeyError, TypeError):  # a new place, or one that cannot be a key
        logger, fields, before, after, size, level, urgent = _origin(place)
    if traced:
        trace = _trace(values)
        fields = before + trace + after
        size += len(trace)
    if count != _FIELDS or type(record) is not _Record:
        attrs += encode_fields(_behind(values) if type(record) is _Record else extras(values))
    if attrs:
        fields += attrs
        size += len(attrs)
    length = len(message_bytes)
    size += length
    try:  # the time is what asctime shows
        head = _HEAD(lost, size, level, int(values["created"] * 1e9), len(logger), 0, length)
    except (KeyError, TypeError, ValueError, OverflowError, struct.error):  # somebody has set it
        head = _HEAD(lost, size, level, time.time_ns(), len(logger), 0, length)
    return b"".join((head, logger, message_bytes, fields)), urgent


def extras(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """What the application has added to a record's own attributes, in order."""
    return [item for item in values.items() if item[0] not in _STANDARD]


def _behind(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """The extras of a LogRecord, which begins with its own attributes, if none are missing."""
    added, behind = [], 0
    for name in reversed(values):
        if name == _LAST:
            break
        behind += 1
        if name not in _STANDARD:
            added.append((name, values[name]))
    if len(values) - behind != _FIELDS:
        return extras(values)
    added.reverse()
    return added


def text(s: str) -> bytes:
    """s as UTF-8. Surrogates, which UTF-8 cannot say, become escapes such as \\udc80."""
    try:
        return str.encode(s)
    except UnicodeEncodeError:
        return str.encode(s, "utf-8", "backslashreplace")


def shown(value: Any) -> str:
    """str(value), or the reason why there is none, in the way of slog."""
    try:
        return str(value)
    except Exception as error:
        return failed(error)


def failed(error: BaseException) -> str:
    """What stands in the place of a value that raises."""
    name = type(error).__name__
    try:
        message = str(error)
    except Exception:
        message = ""
    return f"!ERROR: {name}: {message}" if message else f"!ERROR: {name}"


def traceback_of(info: Any) -> str:
    """The traceback of a record's exc_info, which may be all that logging's calls take."""
    try:
        if isinstance(info, BaseException):
            info = type(info), info, info.__traceback__
        elif not isinstance(info, tuple):
            info = sys.exc_info()
        return _formatter.formatException(info)
    except Exception as error:
        return failed(error)


# The record's own fields


def _origin(place: tuple[Any, ...]) -> _Origin:
    name, levelno, levelname, pathname, lineno, function, process, thread = place
    logger = _name(name, "logger's name")
    number = _number(levelno, levelname)
    stored, before = encode_level(number, shown(levelname or logging.getLevelName(number)))
    if pathname:
        line = lineno if isinstance(lineno, int) else 0
        before += encode_source(pathname, line, shown(function or ""))
    after = b""
    if process is not None:
        after += own_field(TAG_PROCESS, text(shown(process)))
    if thread is not None:
        after += own_field(TAG_THREAD, text(shown(thread)))
    fields = before + after
    origin = _Origin(
        logger,
        fields,
        before,
        after,
        8 + len(logger) + len(fields),
        stored & 0xFFFF | KIND_LOG << 16,
        stored >= STORED_WARNING,
    )
    if len(_origins) >= _MOST_ORIGINS:
        _origins.clear()
    try:
        _origins[place] = origin
    except TypeError:  # a name that is a list, perhaps
        pass
    return origin


def _number(level: Any, name: Any) -> int:
    """A level's number; where there is none, what its name says, or that of INFO."""
    try:
        return int(level)
    except (TypeError, ValueError, OverflowError):
        number = logging.getLevelName(name) if isinstance(name, str) else None
        return number if isinstance(number, int) else logging.INFO


def encode_level(number: int, name: str) -> tuple[int, bytes]:
    """A level on the stored scale, and the level field if it needs one."""
    stored = max(MIN_LEVEL, min(2 * (number - 20), MAX_LEVEL))
    if _STANDARD_LEVELS.get(number) == name:
        return stored, b""
    own = "" if name == f"Level {number}" else name
    # A number that both slog and Python have would be shown in slog's way.
    if not own and MIN_PYTHON_LEVEL <= number <= MAX_PYTHON_LEVEL and stored % 5:
        return stored, b""
    number = max(-(1 << 31), min(number, (1 << 31) - 1))
    return stored, own_field(TAG_LEVEL, _LEVEL(SCALE_PYTHON, number) + text(own))


def encode_source(path: str, line: int, function: str) -> bytes:
    file = _name(path, "file's name")
    return own_field(TAG_SOURCE, _SOURCE(line & LOW32, len(file)) + file + text(function))


def own_field(tag: int, value: bytes) -> bytes:
    """A field that says something of the record itself: it has no key."""
    return _FIELD(tag, 0, 0, len(value)) + value


def _trace(values: dict[str, Any]) -> bytes:
    """The fields of traceback and stack, whole and apart from the message."""
    fields = b""
    trace, stack = values["exc_text"], values["stack_info"]
    if not trace and values["exc_info"]:
        trace = traceback_of(values["exc_info"])
    if trace:
        fields += own_field(TAG_TRACEBACK, text(shown(trace)))
    if stack:
        fields += own_field(TAG_STACK, text(shown(stack)))
    return fields


def _name(name: Any, what: str) -> bytes:
    s = shown(name)
    b = text(s)
    if len(b) > MAX_NAME:
        raise ValueError(f"{what} of {len(b)} bytes, {MAX_NAME} at most: {s[:60]!r}…")
    return b


# Attributes


def encode_fields(pairs: Iterable[tuple[Any, Any]], parents: tuple[int, ...] = ()) -> bytes:
    """Attributes with their types, by the rules for writers.

    Numbers, text, bytes, times and durations keep their types, mappings become groups,
    exceptions errors; what is none of these, None and integers beyond 64 bits among
    it, is written as str() says it, and what raises as what it raised. parents are the
    groups around these.
    """
    fields = []
    for key, value in pairs:
        kind = type(value)
        try:
            name, head_of_int, head_of_float = _keys[key]
            if kind is int:
                fields.append(head_of_int + _INT(value))
                continue
            if kind is float:
                fields.append(head_of_float + _FLOAT(value))
                continue
            if kind is str:
                b = value.encode()
                fields.append(_FIELD(TAG_STRING, 0, len(name), len(b)) + name + b)
                continue
        except Exception:
            # A new key, or none that can be one, an integer beyond 63 bits, or surrogates.
            name = _key(key)
        encoder: Optional[_Encoder] = None
        try:
            encoder = _encoders.get(kind) or _encoder_of(value)
            made = encoder(value)
        except Exception as error:
            made = TAG_STRING, text(failed(error) if encoder is _string else shown(value))
        if type(made) is list:
            fields.append(_group(name, made, (*parents, id(value))))
        else:
            tag, b = made
            fields.append(_FIELD(tag, 0, len(name), len(b)) + name + b)
    return b"".join(fields)


def _key(key: Any) -> bytes:
    """A key's bytes, kept with the heads of the fields that are most often under it."""
    name = _name(key, "key")
    if type(key) is str:
        if len(_keys) >= _MOST_KEYS:
            _keys.clear()
        _keys[key] = tuple(
            b + name
            for b in (b"", _FIELD(TAG_INT, 0, len(name), 8), _FIELD(TAG_FLOAT, 0, len(name), 8))
        )
    return name


def _group(name: bytes, members: list[tuple[Any, Any]], groups: tuple[int, ...]) -> bytes:
    """A group's field. groups are those around it, and itself."""
    if len(groups) > MAX_DEPTH or groups[-1] in groups[:-1]:  # it may hold itself
        b = b"!TOO DEEP"
        return _FIELD(TAG_STRING, 0, len(name), len(b)) + name + b
    b = encode_fields(members, groups)
    if not name:  # its attributes stand in its place
        return b
    return _FIELD(TAG_GROUP, 0, len(name), len(b)) + name + b if b else b""


def _members(value: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    members = list(value.items())  # another thread may change it while they are encoded
    return members if type(value) is dict else [(key, member) for key, member in members]


def _bool(value: bool) -> tuple[int, bytes]:
    return TAG_BOOL, b"\x01" if value else b"\0"


def _int(value: Any) -> tuple[int, bytes]:
    n = int(value)
    if -(1 << 63) <= n < 1 << 63:
        return TAG_INT, _INT(n)
    if 0 < n < 1 << 64:
        return TAG_UINT, _UINT(n)
    return TAG_STRING, hex(n).encode()  # str() refuses very large ones, and takes its time


def _float(value: Any) -> tuple[int, bytes]:
    return TAG_FLOAT, _FLOAT(float(value))


def _string(value: Any) -> tuple[int, bytes]:
    return TAG_STRING, text(str(value))


def _bytes(value: Any) -> tuple[int, bytes]:
    return TAG_BYTES, bytes(value)


def _time(value: datetime.datetime) -> tuple[int, bytes]:
    # What raises in here, such as years too near to 1 and 9999, is shown as text.
    if value.utcoffset() is None:
        if type(value) is not datetime.datetime:  # pandas' own do not know the local zone
            value = datetime.datetime.combine(value.date(), value.time())
        value = value.astimezone()
    zone = value.utcoffset() or datetime.timedelta()
    since = value - _EPOCH
    seconds = since.days * 86400 + since.seconds
    return TAG_TIME, _TIME(seconds, since.microseconds * 1000, zone.days * 86400 + zone.seconds)


def _duration(value: datetime.timedelta) -> tuple[int, bytes]:
    n = ((value.days * 86400 + value.seconds) * 10**6 + value.microseconds) * 1000
    return (TAG_DURATION, _INT(n)) if -(1 << 63) <= n < 1 << 63 else _string(value)


def _error(value: BaseException) -> tuple[int, bytes]:
    message = str(value)
    name = type(value).__name__
    return TAG_ERROR, text(f"{name}: {message}" if message else name)


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

_Encoder = Callable[..., Any]
_encoders: dict[type, _Encoder] = {
    str: _string,
    int: _int,
    float: _float,
    bool: _bool,
    bytes: _bytes,
    datetime.datetime: _time,
    datetime.timedelta: _duration,
    dict: _members,
    type(None): _string,
    list: _string,
    tuple: _string,
}
_MOST_TYPES = 1000

# By their names, of types of numpy that are not what they say: a bool is no number to it,
# and a span of time, whose unit would get lost, is an integer.
_NUMPY: dict[str, _Encoder] = {"bool": _bool, "bool_": _bool, "timedelta64": _string}


def _encoder_of(value: Any) -> _Encoder:
    """How to encode a value of a type that was not met before."""
    own = type(value)
    encoder: _Encoder = _string
    lasting = value.__class__ is own  # else it says that it is another, like a proxy
    kinds: tuple[tuple[Any, _Encoder], ...] = (
        (str, _string),
        ((bytes, bytearray), _bytes),
        (datetime.datetime, _time),
        (datetime.timedelta, _duration),
        (Mapping, _members),
        (BaseException, _error),
        (numbers.Integral, _int),  # numpy's integers, too
        (numbers.Rational, _string),
        (numbers.Real, _float),
    )
    if own.__module__ == "numpy" and own.__name__ in _NUMPY:
        kinds = ((object, _NUMPY[own.__name__]),)
    for kind, candidate in kinds:
        if isinstance(value, kind):
            encoder, lasting = candidate, issubclass(own, kind)
            break
    if lasting and len(_encoders) < _MOST_TYPES:
        _encoders[own] = encoder
    return encoder
