"""A lane's entry in the table: what it says, and whether it can be believed."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import Optional

from .ringreader_header import ENTRY, Header, read_exactly

CLOSED_BIT = 1 << 63
STATES = {
    b"\0" * 8: "free",
    b"OWNED   ": "owned",
    b"CLOSED  ": "closed",
    b"DAMAGED ": "damaged",
}
CLOCKS = {1: "unix", 2: "monotonic", 3: "counter"}

_LOSSES = struct.Struct("<14Q")
_IDENTITY = struct.Struct("<Q16s6QqIIqQQ")  # 0x080 to 0x0f0
_PROGRESS = struct.Struct("<6Q")  # 0x300 to 0x330
_OWNER_RECORD = struct.Struct("<QQqIIqQQ40s")
_MOST_LABEL = 112


@dataclass(frozen=True)
class Clock:
    """How a lane's times become Unix times."""

    kind: int
    unix: int
    base: int
    mult: int

    def to_unix(self, time: int) -> int:
        product = signed(time - self.base) * self.mult
        # Towards zero; // would round down.
        return self.unix + (product >> 32 if product >= 0 else -(-product >> 32))


@dataclass(frozen=True)
class Owner:
    """Who a lane, or a part of it, belongs to. Of an earlier owner only its owner record is
    left, and begin_seq has to be counted."""

    generation: int
    pid: int
    attached: int  # Unix nanoseconds
    checksum_kind: int
    clock: Clock
    label: str
    boot_id: bytes = b""
    start_ticks: int = 0
    begin: int = 0
    begin_seq: Optional[int] = None


@dataclass(frozen=True)
class Progress:
    """The reader's line."""

    consumer: int
    lost_seen: int
    delivered: int
    torn: int
    sequence: int
    damaged: int


@dataclass(frozen=True)
class Lane:
    index: int
    state: str
    allocated: bool
    producer: int  # bit 63 masked
    closed: bool  # that bit
    lost: tuple[int, ...]
    owner: Optional[Owner]  # None: it fails its checksum
    progress: Optional[Progress]  # None: it fails its check

    @property
    def lost_total(self) -> int:
        return sum(self.lost)


def signed(word: int) -> int:
    """The word's low 64 bits as a signed number."""
    word &= (1 << 64) - 1
    return word - (1 << 64) if word >> 63 else word


def seed_of(header: Header, index: int) -> int:
    return zlib.crc32(header.key + struct.pack("<I", index))


def read_lane(fd: int, header: Header, index: int) -> Lane:
    entry = read_exactly(fd, ENTRY, header.table_offset + ENTRY * index)
    seed = seed_of(header, index)
    producer = _word(entry, 0x200)
    return Lane(
        index,
        STATES.get(entry[:8], f"unknown {entry[:8].hex()}"),
        _word(entry, 0x0F0) == 1 or _has_memory(fd, header, index),
        producer & ~CLOSED_BIT,
        bool(producer & CLOSED_BIT),
        _LOSSES.unpack_from(entry, 0x280),
        _owner(entry, seed),
        _progress(entry, seed),
    )


def owner_of_record(payload: bytes, begin: int, begin_seq: Optional[int]) -> Optional[Owner]:
    """The owner that an owner record at begin names; None if it is too short for that."""
    if len(payload) < _OWNER_RECORD.size:
        return None
    generation, pid, attached, kind, checksum, unix, base, mult, label = (
        _OWNER_RECORD.unpack_from(payload)
    )
    return Owner(
        generation,
        pid,
        attached,
        checksum,
        Clock(kind, unix, base, mult),
        _text(label.rstrip(b"\0")),
        begin=begin,
        begin_seq=begin_seq,
    )


def _owner(entry: bytes, seed: int) -> Optional[Owner]:
    if zlib.crc32(entry[0x080:0x1FC], seed) != int.from_bytes(entry[0x1FC:0x200], "little"):
        return None
    length = _word(entry, 0x100)
    if length > _MOST_LABEL:
        return None
    (
        generation,
        boot_id,
        begin,
        begin_seq,
        _begin_delivered,
        _begin_torn,
        pid,
        ticks,
        attached,
        kind,
        checksum,
        unix,
        base,
        mult,
    ) = _IDENTITY.unpack_from(entry, 0x080)
    return Owner(
        generation,
        pid,
        attached,
        checksum,
        Clock(kind, unix, base, mult),
        _text(entry[0x108 : 0x108 + length]),
        boot_id,
        ticks,
        begin,
        begin_seq,
    )


def _progress(entry: bytes, seed: int) -> Optional[Progress]:
    # The check is a word of which the CRC is the low half; the other half is zero.
    if zlib.crc32(entry[0x300:0x330], seed) != _word(entry, 0x330):
        return None
    return Progress(*_PROGRESS.unpack_from(entry, 0x300))


def _has_memory(fd: int, header: Header, index: int) -> bool:
    """Whether the lane's part of the file is more than a hole."""
    begin = header.lanes_offset + index * header.lane_size
    try:
        return os.lseek(fd, begin, os.SEEK_DATA) < begin + header.lane_size
    except OSError:  # ENXIO: a hole to the end of the file
        return False


def _word(entry: bytes, offset: int) -> int:
    return int.from_bytes(entry[offset : offset + 8], "little")


def _text(b: bytes) -> str:
    return b.decode("utf-8", "surrogateescape")
