"""A record as a line where no drain writes it, with the attributes as the drain shows them.

They are encoded as for a ring, and read from that: so it is one rule that says of what type a
value is, and a trial's tag needs no second form.
"""

from __future__ import annotations

import base64
import datetime
import json
import logging
import time
import unicodedata
from struct import Struct
from typing import Any, Iterator, Optional

from ._encode import encode_fields, extras, text, traceback_of
from ._layout import (
    TAG_BOOL,
    TAG_BYTES,
    TAG_DURATION,
    TAG_FLOAT,
    TAG_GROUP,
    TAG_INT,
    TAG_TIME,
    TAG_UINT,
)
from ._trial import current

LAYOUT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
_OWN_LOGGER = "ringlog"  # in the lines that the drain itself writes
_MAX_GROUP = 128  # bytes of a group's name before each of its keys

_FIELD = Struct("<BBHI")
_NUMBERS = {tag: Struct(f"<{form}") for tag, form in (
    (TAG_BOOL, "?"), (TAG_INT, "q"), (TAG_UINT, "Q"), (TAG_FLOAT, "d"), (TAG_DURATION, "q"),
    (TAG_TIME, "qIi"),
)}  # fmt: skip


class TextLines(logging.Formatter):
    """Lines of the standard library's, with attributes behind the message: ` key=value`."""

    def __init__(self) -> None:
        super().__init__(LAYOUT)

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = LAYOUT % {**record.__dict__, "name": _logger(str(record.name))}
        attrs = _attributes(record)
        return line.rstrip("\n") + _words(attrs, "") if attrs else line

    def formatTime(self, record: logging.LogRecord, datefmt: Optional[str] = None) -> str:
        try:
            return super().formatTime(record, datefmt)
        except (TypeError, ValueError, OverflowError, OSError):  # somebody has set it
            return time.strftime("%Y-%m-%d %H:%M:%S,000")

    def formatException(self, ei: Any) -> str:
        return traceback_of(ei)


class JSONLines(logging.Formatter):
    """One object a line, with the members that the drain's lines begin with."""

    def format(self, record: logging.LogRecord) -> str:
        values = record.__dict__
        line: dict[str, Any] = {
            "time": _utc(record).strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
            "level": record.levelname,
            "logger": "" if record.name == "root" else record.name,
            "msg": record.getMessage(),
            "worker": values.get("processName"),
            "pid": values.get("process"),
        }
        attrs = _attributes(record)
        if attrs:
            line["attrs"] = _members(attrs)
        if values.get("exc_text") or values.get("exc_info"):
            line["traceback"] = values.get("exc_text") or traceback_of(values["exc_info"])
        if values.get("stack_info"):
            line["stack"] = values["stack_info"]
        # As in a ring: what UTF-8 cannot say is shown as an escape.
        shown = {k: text(v).decode() if isinstance(v, str) else v for k, v in line.items()}
        return json.dumps(shown, ensure_ascii=False)


def _logger(name: str) -> str:
    """A logger's name as the drain shows it where nothing else tells who speaks: what ringlog
    says of losses is to be believed, so where a worker took its name that reads \\x72inglog.

    That is so alone, between spaces, and in front of what a line may have behind a name, such as
    " - WARNING - lost 5 records"; names that only begin with it, like ringlog.reader, are not
    meant.
    """
    if _OWN_LOGGER not in name:
        return name
    begin = 0
    while _category(name[begin]) in _UNSEEN:
        begin += 1
    end = begin + len(_OWN_LOGGER)
    if name[begin:end] != _OWN_LOGGER:
        return name
    behind = name[end : end + 1]
    if behind in (".", "_") or behind and _category(behind) in _OF_WORDS:
        return name
    return f"{name[:begin]}\\x72{name[begin + 1 :]}"


_category = unicodedata.category
_UNSEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Zl", "Zp", "Zs"))  # a surrogate is shown as an escape
_OF_WORDS = frozenset(("Ll", "Lm", "Lo", "Lt", "Lu", "Nd"))


def _utc(record: logging.LogRecord) -> datetime.datetime:
    try:
        return datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
    except (AttributeError, TypeError, ValueError, OverflowError, OSError):  # somebody has set it
        return datetime.datetime.now(datetime.timezone.utc)


# Attributes


def _attributes(record: logging.LogRecord) -> bytes:
    return current.get() + encode_fields(extras(record.__dict__))


def _fields(encoded: bytes) -> Iterator[tuple[str, int, Any]]:
    """Keys, tags and values; of a group, its encoded members."""
    at = 0
    while at < len(encoded):
        tag, _, key, size = _FIELD.unpack_from(encoded, at)
        begin = at + _FIELD.size + key
        value: Any = encoded[begin : begin + size]
        if tag in _NUMBERS:
            value = _NUMBERS[tag].unpack(value)
            if len(value) == 1:
                value = value[0]
        elif tag not in (TAG_BYTES, TAG_GROUP):
            value = value.decode()
        yield encoded[begin - key : begin].decode(), tag, value
        at = begin + size


def _members(encoded: bytes) -> dict[str, Any]:
    """Attributes for JSON."""
    members: dict[str, Any] = {}
    for key, tag, value in _fields(encoded):
        if tag == TAG_GROUP:
            members[key] = _members(value)
        elif tag == TAG_TIME:
            members[key] = _time(*value)
        elif tag == TAG_BYTES:
            members[key] = base64.b64encode(value).decode()
        elif tag == TAG_FLOAT and value - value != 0:  # for which JSON has no numbers
            members[key] = _float(value)
        else:
            members[key] = value
    return members


def _words(encoded: bytes, group: str) -> str:
    """Attributes as text, each behind a blank. group stands before their keys."""
    words = ""
    for key, tag, value in _fields(encoded):
        if tag == TAG_GROUP:
            inner = f"{group}{key}."
            if len(inner.encode()) > _MAX_GROUP:
                inner = inner.encode()[:_MAX_GROUP].decode(errors="ignore") + "..."
            words += _words(value, inner)
        else:
            words += f" {_word(group + key)}={_value(tag, value)}"
    return words


def _value(tag: int, value: Any) -> str:
    if tag == TAG_BOOL:
        return "true" if value else "false"
    if tag in (TAG_INT, TAG_UINT):
        return str(value)
    if tag == TAG_FLOAT:
        return _float(value)
    if tag == TAG_TIME:
        return _time(*value)
    if tag == TAG_DURATION:
        return _duration(value)
    if tag == TAG_BYTES:
        return _quoted(value.decode("utf-8", "surrogateescape"))
    return _word(value)


def _word(s: str) -> str:
    plain = s and s.isprintable() and not any(c in ' ="' for c in s)
    return s if plain else _quoted(s)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _quoted(s: str) -> str:
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escape(c)) for c in s) + '"'


def _escape(c: str) -> str:
    code = ord(c)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        code -= 0xDC00
        return f"\\x{code:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _float(value: float) -> str:
    """The shortest that reads back the same, with an exponent where Go has one."""
    if value != value:
        return "NaN"
    if value - value != 0:
        return "+Inf" if value > 0 else "-Inf"
    shortest = repr(value)
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return shortest[:-2] if shortest.endswith(".0") else shortest
    digits = shortest.lstrip("-").partition("e")[0].replace(".", "").strip("0")
    return f"{value:.{len(digits) - 1}e}"


def _time(seconds: int, nanoseconds: int, offset: int) -> str:
    shown = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds + offset)
    minutes = abs(offset) // 60
    zone = f"{'+' if offset > 0 else '-'}{minutes // 60:02}:{minutes % 60:02}" if minutes else "Z"
    return f"{shown.isoformat()}{_fraction(nanoseconds, 9)}{zone}"


def _duration(value: int) -> str:
    """As Go shows it: 1h0m0.5s, 20ms."""
    sign, size = "-" if value < 0 else "", abs(value)
    for digits, unit in ((0, "ns"), (3, "µs"), (6, "ms")):
        if 0 < size < 1000 * 10**digits:
            whole, rest = divmod(size, 10**digits)
            return f"{sign}{whole}{_fraction(rest, digits)}{unit}"
    seconds, rest = divmod(size, 10**9)
    minutes, hours = seconds // 60 % 60, seconds // 3600
    front = (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "")
    return f"{sign}{front}{seconds % 60}{_fraction(rest, 9)}s"


def _fraction(value: int, digits: int) -> str:
    return f".{value:0{digits}}".rstrip("0") if value else ""
