"""The test vectors of testdata/vectors, as their README says."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

from .payload import Field, Level, Payload, Source, Time

FOLDER = Path(__file__).resolve().parents[2] / "testdata" / "vectors"


@dataclass
class RingVector:
    """A ring file, and the lines that say what a reader must find in it."""

    name: str
    lines: list[str]
    dump: list[str]

    def write(self, path: Union[str, os.PathLike[str]]) -> None:
        """Makes the ring file; what no line of the dump names stays a hole."""
        with open(path, "wb") as ring:
            for line in self.dump:
                if line.startswith("size "):
                    ring.truncate(int(line[len("size ") :]))
                else:
                    offset, data = line.split(": ")
                    ring.seek(int(offset, 16))
                    ring.write(bytes.fromhex(data))


@dataclass
class RecordVector:
    """A payload; what is in it, or None if it is malformed."""

    name: str
    payload: bytes
    expected: Union[Payload, None]
    exact: bool = False  # a writer that is given what is expected writes this very payload
    keys: set[str] = field(default_factory=set)  # of the header


def rings() -> list[RingVector]:
    made = []
    for name, text in _texts("ring"):
        header, dump = text.split("\n\n", 1)
        lines = [line for line in header.split("\n") if not line.startswith(("name: ", "about: "))]
        made.append(RingVector(name, lines, dump.splitlines()))
    return made


def payloads() -> list[RecordVector]:
    made = []
    for name, text in _texts("record"):
        header, _, dump = text.partition("\n\n")
        lines = [line.split(": ", 1) for line in header.strip("\n").split("\n")]
        vector = RecordVector(name, bytes.fromhex(dump), Payload(), keys={k for k, _ in lines})
        if "error" in vector.keys:
            vector.expected = None
        for key, value in lines:
            _take(vector, key, value)
        made.append(vector)
    return made


def _texts(folder: str) -> list[tuple[str, str]]:
    """Names and contents of a folder's files; each has its name in it."""
    texts = []
    for path in sorted((FOLDER / folder).glob("*.txt"), key=lambda path: path.stem):
        text = path.read_bytes().decode("utf-8")
        if f"name: {path.stem}\n" not in text:
            raise AssertionError(f"{path} bears another name")
        texts.append((path.stem, text))
    if not texts:
        raise AssertionError(f"no vectors in {FOLDER / folder}")
    return texts


def _take(vector: RecordVector, key: str, value: str) -> None:
    """Takes a line of a payload's header."""
    expected = vector.expected
    if key in ("name", "about"):
        return
    if key == "error" and value == "malformed":
        return
    if key == "encode" and value == "exact":
        vector.exact = True
        return
    if expected is None:
        raise AssertionError(f"{vector.name}: {key} of a malformed payload")
    parsed = json.loads(value)
    if key == "field":
        expected.fields.append(_field(parsed))
    elif key == "level":
        scale, number, name = parsed
        expected.level = Level(scale, number, _text(name))
    elif key == "source":
        file, line, function = parsed
        expected.source = Source(_text(file), line, _text(function))
    elif key in ("time", "unknown"):
        setattr(expected, key, parsed)
    elif key in ("logger", "message", "traceback", "stack", "process", "thread"):
        setattr(expected, key, _text(parsed))
    else:
        raise AssertionError(f"{vector.name}: unknown line {key!r}")


def _field(parsed: list[Any]) -> Field:
    kind, key, value = parsed
    if kind in ("string", "error"):
        value = _text(value)
    elif kind == "float":
        (value,) = struct.unpack(">d", bytes.fromhex(value))
    elif kind == "bytes":
        value = bytes.fromhex(value)
    elif kind == "time":
        value = Time(*value)
    elif kind == "group":
        value = [_field(member) for member in value]
    return Field(kind, _text(key), value)


def _text(parsed: Any) -> str:
    """Text as the decoder gives it."""
    data = bytes.fromhex(parsed["hex"]) if isinstance(parsed, dict) else parsed.encode("utf-8")
    return data.decode("utf-8", "surrogateescape")
