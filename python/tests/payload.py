"""A second decoder of log records' payloads, written from the last chapter of
docs/format.md alone: what the client encodes is judged by somebody else.

Text comes as str, decoded with surrogateescape: easy to compare, and no byte is lost
where it is not UTF-8. `raw(s)` gives its bytes back.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Optional

MAX_DEPTH = 32
SCALES = {1: "slog", 2: "python"}

_HEADER = struct.Struct("<HHI")  # lengths of logger and message, a reserved number between
_FIELD = struct.Struct("<BBHI")
_TIME = struct.Struct("<qIi")
_LEVEL = struct.Struct("<Bi")
_SOURCE = struct.Struct("<IH")

_GROUP = 9
_NUMBERS = {2: ("int", "<q"), 3: ("uint", "<Q"), 4: ("float", "<d"), 8: ("duration", "<q")}
_OWN_TEXTS = {35: "traceback", 36: "stack", 37: "process", 38: "thread"}
_FIRST_OWN, _LAST_OWN = 32, 38


class Malformed(ValueError):
    """A payload that a reader must refuse as a whole."""


class Time(NamedTuple):
    seconds: int  # since 1970, UTC
    nanoseconds: int
    offset: int  # of the zone, seconds east of UTC


class Level(NamedTuple):
    scale: str  # "slog" or "python"
    number: int
    name: str


class Source(NamedTuple):
    file: str
    line: int
    function: str


class Field(NamedTuple):
    """An attribute. The value is a bool, int, float, str, bytes, Time, or, of a group, a
    list of Field; a duration is an int of nanoseconds, an error its text."""

    type: str
    key: str
    value: Any


@dataclass
class Payload:
    """What a log record says. None is what is not there; an empty text is something else."""

    logger: str = ""
    message: str = ""
    fields: list[Field] = field(default_factory=list)
    time: Optional[int] = None  # the record's own, Unix nanoseconds
    level: Optional[Level] = None
    source: Optional[Source] = None
    traceback: Optional[str] = None
    stack: Optional[str] = None
    process: Optional[str] = None
    thread: Optional[str] = None
    unknown: int = 0  # fields with unknown tags, in groups too

    def get(self, key: str) -> Any:
        """The value of the one attribute with this key outside of groups; KeyError if there
        is none, or more than one."""
        found = [f.value for f in self.fields if f.key == key]
        if len(found) != 1:
            raise KeyError(f"{key!r}: {len(found)} attributes")
        return found[0]


def raw(s: str) -> bytes:
    """The bytes of a text that came from here."""
    return s.encode("utf-8", "surrogateescape")


def decode(payload: bytes) -> Payload:
    """The parts of a payload of kind 2; raises Malformed."""
    if len(payload) < _HEADER.size:
        raise Malformed(f"{len(payload)} bytes, want a header of {_HEADER.size}")
    logger, _, message = _HEADER.unpack_from(payload)
    begin = _HEADER.size + logger + message
    if begin > len(payload):
        raise Malformed(f"logger {logger}, message {message}: more than {len(payload)} bytes")
    middle = _HEADER.size + logger
    record = Payload(_text(payload[_HEADER.size : middle]), _text(payload[middle:begin]))
    _decode_fields(payload[begin:], 0, record.fields, record)
    return record


def _decode_fields(data: bytes, depth: int, into: list[Field], record: Payload) -> None:
    """Appends the attributes in data, which are depth groups deep, to into."""
    at = 0
    while at < len(data):
        if len(data) - at < _FIELD.size:
            raise Malformed(f"{len(data) - at} bytes left, want a field's {_FIELD.size}")
        tag, _, key_length, value_length = _FIELD.unpack_from(data, at)
        at += _FIELD.size
        if key_length + value_length > len(data) - at:
            raise Malformed(f"tag {tag}: {key_length} + {value_length}, {len(data) - at} left")
        key = data[at : at + key_length]
        at += key_length
        value = data[at : at + value_length]
        at += value_length
        if tag == 0:
            raise Malformed("tag 0")
        if _FIRST_OWN <= tag <= _LAST_OWN:
            if depth or key:
                raise Malformed(f"tag {tag} in {depth} groups, with the key {key!r}")
            _set_own(record, tag, value)
        elif tag == _GROUP:
            if depth == MAX_DEPTH:
                raise Malformed(f"groups more than {MAX_DEPTH} deep")
            group: list[Field] = []
            _decode_fields(value, depth + 1, group, record)
            into.append(Field("group", _text(key), group))
        elif tag <= 10:
            into.append(Field(_type(tag), _text(key), _attribute(tag, value)))
        else:
            record.unknown += 1


def _type(tag: int) -> str:
    names = {1: "bool", 5: "string", 6: "bytes", 7: "time", 10: "error"}
    return names[tag] if tag in names else _NUMBERS[tag][0]


def _attribute(tag: int, value: bytes) -> Any:
    if tag == 1:
        if value not in (b"\0", b"\1"):
            raise Malformed(f"a bool of {value!r}")
        return value == b"\1"
    if tag in _NUMBERS:
        name, form = _NUMBERS[tag]
        return _fixed(name, form, value)[0]
    if tag == 7:
        time = Time(*_fixed("time", _TIME.format, value))
        if time.nanoseconds >= 10**9 or abs(time.offset) > 86399:
            raise Malformed(f"impossible {time}")
        return time
    return value if tag == 6 else _text(value)


def _set_own(record: Payload, tag: int, value: bytes) -> None:
    """Takes a field in which the record speaks of itself; there is one of each at most."""
    name = _OWN_TEXTS.get(tag) or {32: "time", 33: "level", 34: "source"}[tag]
    if getattr(record, name) is not None:
        raise Malformed(f"{name} is there twice")
    own: Any
    if tag == 32:
        (own,) = _fixed(name, "<q", value)
    elif tag == 33:
        scale, number = _head(name, _LEVEL, value)
        if scale not in SCALES:
            raise Malformed(f"a level on scale {scale}")
        own = Level(SCALES[scale], number, _text(value[_LEVEL.size :]))
    elif tag == 34:
        line, length = _head(name, _SOURCE, value)
        behind = value[_SOURCE.size :]
        if length > len(behind):
            raise Malformed(f"a file's name of {length} bytes in {len(behind)}")
        own = Source(_text(behind[:length]), line, _text(behind[length:]))
    else:
        own = _text(value)
    setattr(record, name, own)


def _fixed(name: str, form: str, value: bytes) -> tuple[Any, ...]:
    if len(value) != struct.calcsize(form):
        raise Malformed(f"{name} of {len(value)} bytes, want {struct.calcsize(form)}")
    return struct.unpack(form, value)


def _head(name: str, head: struct.Struct, value: bytes) -> tuple[Any, ...]:
    if len(value) < head.size:
        raise Malformed(f"{name} of {len(value)} bytes, want {head.size} at least")
    return head.unpack_from(value)


def _text(b: bytes) -> str:
    return b.decode("utf-8", "surrogateescape")
