"""The header of a ring file, checked as docs/format.md says, and the errors of the reader."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass

PAGE = 4096
ENTRY = 1024  # bytes of the lane table for each lane
_64K = 1 << 16
_16M = 1 << 24

_MAGIC = b"RINGLOG\0"
_VERSION = 1
_BYTE_ORDER = 0x01020304
_FIXED = struct.Struct("<8sII9QII16s8s4Q")
_CHECKSUM = 252


class ReaderError(Exception):
    """What is wrong with a ring as a whole. kind says it in a word, as the vectors do."""

    kind = ""


class NotARing(ReaderError):
    kind = "not-a-ring"


class Damaged(ReaderError):
    kind = "damaged"


class Version(ReaderError):
    kind = "version"


class Unsupported(ReaderError):
    kind = "unsupported"


class Truncated(ReaderError):
    kind = "truncated"


@dataclass(frozen=True)
class Header:
    ring_id: bytes
    key: bytes
    created: int  # Unix nanoseconds
    file_size: int
    intent_offset: int
    intent_size: int
    table_offset: int
    lanes_offset: int
    lane_size: int
    lane_count: int


def read(fd: int, to_write: bool) -> Header:
    """The header of the open file, after the checks in the document's order. to_write: what
    one who means to change the ring must refuse is refused, too."""
    data = os.pread(fd, 256, 0)
    if data[:8] != _MAGIC:
        raise NotARing(f"magic {data[:8]!r}")
    if len(data) < 256:
        raise Truncated(f"{len(data)} bytes, want a header")
    (
        _magic,
        version,
        byte_order,
        file_size,
        control_offset,
        control_size,
        intent_offset,
        intent_size,
        table_offset,
        table_size,
        lanes_offset,
        lane_size,
        lane_count,
        entry_size,
        ring_id,
        key,
        _compatible,
        read_compatible,
        incompatible,
        created,
    ) = _FIXED.unpack_from(data)
    if version != _VERSION:
        raise Version(f"version {version}")
    if zlib.crc32(data[:_CHECKSUM]) != int.from_bytes(data[_CHECKSUM:], "little"):
        raise Damaged("the header fails its checksum")
    if byte_order != _BYTE_ORDER:
        raise Damaged(f"byte order {byte_order:#x}")
    if incompatible or (to_write and read_compatible):
        raise Unsupported(f"features {incompatible:#x}, {read_compatible:#x}")
    table_end = table_offset + table_size
    possible = (
        control_offset == PAGE
        and PAGE * 4 <= control_size <= _16M
        and intent_offset == control_offset + control_size
        and 4 * _64K <= intent_size <= _16M
        and intent_size % _64K == 0
        and table_offset == intent_offset + intent_size
        and 1 <= lane_count <= 4096
        and entry_size == ENTRY
        and table_size == ENTRY * lane_count
        and lanes_offset == -(-table_end // _64K) * _64K
        and _64K <= lane_size <= 1 << 30
        and lane_size & (lane_size - 1) == 0
        and file_size == lanes_offset + lane_count * lane_size
    )
    if not possible:
        raise Damaged("impossible geometry")
    real = os.fstat(fd).st_size
    if real < file_size:
        raise Truncated(f"{real} bytes, want {file_size}")
    return Header(
        ring_id,
        key,
        created,
        file_size,
        intent_offset,
        intent_size,
        table_offset,
        lanes_offset,
        lane_size,
        lane_count,
    )


def read_exactly(fd: int, size: int, offset: int) -> bytes:
    """size bytes from offset; raises Truncated where the file ends earlier."""
    parts = []
    while size:
        part = os.pread(fd, size, offset)
        if not part:
            raise Truncated(f"nothing at {offset}, want {size} bytes")
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return b"".join(parts)
