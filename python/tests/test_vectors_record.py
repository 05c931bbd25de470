"""All payloads of the test vectors: decoded by the tests' own decoder, and encoded by the
client, as far as Python has the values."""

from __future__ import annotations

import datetime
import struct
import unittest
from typing import Any

from ringlog import _encode

from . import payload, vectors

# What Python cannot say of the exact vectors: own fields by name, attributes by key. The
# rest of these vectors is encoded all the same.
UNSAID = {
    "duration": ["min", "max"],  # a timedelta ends at microseconds
    "everything": ["time"],  # the ring's own time is the record's; no writer of ours adds one
    "keys": ["k\udcff"],  # a key is text, which cannot have this byte
    "level-clamped": ["level"],  # slog's
    "string": ["broken"],
    "time": ["before", "east", "year 9999"],  # a datetime ends at microseconds, too
    "uint": ["zero"],  # an int that fits is written as one
    "wall-time": ["time"],
    "wall-time-limits": ["time"],
}

_MICROSECOND = 1000  # nanoseconds
_OWN_TAGS = {"traceback": 35, "stack": 36, "process": 37, "thread": 38}
_OWN_FIELDS = ["time", "level", "source", *_OWN_TAGS]  # in the order of their tags


class VectorsOfRecords(unittest.TestCase):
    def test_every_payload_is_decoded_as_its_vector_says_or_refused(self) -> None:
        for vector in vectors.payloads():
            with self.subTest(vector.name):
                if vector.expected is None:
                    self.assertRaises(payload.Malformed, payload.decode, vector.payload)
                    continue
                # repr, since a NaN is not equal to itself and 1 is equal to True.
                self.assertEqual(repr(vector.expected), repr(payload.decode(vector.payload)))
                self.assertEqual(
                    _bits(vector.expected.fields), _bits(payload.decode(vector.payload).fields)
                )

    def test_every_exact_payload_is_encoded_to_the_byte_but_for_what_python_cannot_say(
        self,
    ) -> None:
        unsaid, whole = {}, []
        for vector in vectors.payloads():
            if not vector.exact:
                continue
            with self.subTest(vector.name):
                encoded, without = _encoded(vector)
                self.assertEqual(_without(vector, without), encoded)
            if without:
                unsaid[vector.name] = without
            else:
                whole.append(vector.name)
        self.assertEqual(UNSAID, unsaid)
        self.assertEqual(
            [
                "bool",
                "bytes",
                "empty",
                "error-text",
                "float",
                "group",
                "group-deepest",
                "int",
                "level-name",
                "message",
                "message-bytes",
                "source",
                "source-parts",
                "texts",
                "unicode",
            ],
            whole,
        )


class Unsayable(Exception):
    """A value that Python does not have."""


def _encoded(vector: vectors.RecordVector) -> tuple[bytes, list[str]]:
    """What the client makes of the vector's header, and the names of what it cannot say."""
    expected, unsaid = vector.expected, []
    assert expected is not None
    own = b""
    for name in _OWN_FIELDS:
        if getattr(expected, name) is not None:
            try:
                own += _own(name, getattr(expected, name))
            except Unsayable:
                unsaid.append(name)
    attributes = b""
    for field in expected.fields:  # one by one: each for itself, and keys may repeat
        try:
            attributes += _encode.encode_fields([(_text(field.key), _value(field))])
        except Unsayable:
            unsaid.append(field.key)
    logger, message = payload.raw(expected.logger), payload.raw(expected.message)
    lengths = struct.pack("<II", len(logger), len(message))
    return lengths + logger + message + own + attributes, unsaid


def _own(name: str, value: Any) -> bytes:
    if name == "level" and value.scale == "python":
        return _encode.encode_level(value.number, value.name)[1]
    if name == "source":
        return _encode.encode_source(_text(value.file), value.line, _text(value.function))
    if name in _OWN_TAGS:
        return _encode.own_field(_OWN_TAGS[name], _encode.text(_text(value)))
    raise Unsayable(name)


def _value(field: payload.Field) -> Any:
    """The value of Python's that the client writes as this field; raises Unsayable."""
    kind, _, value = field
    if kind == "group":
        group = {_text(member.key): _value(member) for member in value}
        if len(group) != len(value):
            raise Unsayable("a dict has each key once")
        return group
    if kind == "string":
        return _text(value)
    if kind == "error":  # of an exception without a message, the text is its class's name
        return type(_text(value), (Exception,), {})()
    if kind == "uint" and value < 1 << 63:
        raise Unsayable("an int that fits 63 bits is written as int")
    if kind == "duration":
        if value % _MICROSECOND:
            raise Unsayable("below a microsecond")
        return datetime.timedelta(microseconds=value // _MICROSECOND)
    if kind == "time":
        if value.nanoseconds % _MICROSECOND:
            raise Unsayable("below a microsecond")
        zone = datetime.timezone(datetime.timedelta(seconds=value.offset))
        since = datetime.timedelta(
            seconds=value.seconds, microseconds=value.nanoseconds // _MICROSECOND
        )
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        try:
            return (epoch + since).astimezone(zone)
        except OverflowError:
            raise Unsayable("a year before 1 or after 9999") from None
    return value


def _text(s: str) -> str:
    """s, if it stands for UTF-8; raises Unsayable."""
    try:
        s.encode()
    except UnicodeEncodeError:
        raise Unsayable("not UTF-8") from None
    return s


def _without(vector: vectors.RecordVector, names: list[str]) -> bytes:
    """The vector's payload without the fields of these names."""
    own = {32 + n: name for n, name in enumerate(_OWN_FIELDS)}
    at = 8 + int.from_bytes(vector.payload[:2], "little")
    at += int.from_bytes(vector.payload[4:8], "little")
    kept = vector.payload[:at]
    while at < len(vector.payload):
        tag, _, key_length, value_length = struct.unpack_from("<BBHI", vector.payload, at)
        end = at + 8 + key_length + value_length
        key = vector.payload[at + 8 : at + 8 + key_length].decode("utf-8", "surrogateescape")
        if own.get(tag, key) not in names:
            kept += vector.payload[at:end]
        at = end
    return kept


def _bits(fields: list[payload.Field]) -> list[bytes]:
    """The floats among fields, bit by bit."""
    return [struct.pack("<d", field.value) for field in fields if field.type == "float"]


if __name__ == "__main__":
    unittest.main()
