"""The intent area: the batch that a drain had under way, if any."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Optional

from .ringreader_header import Header, read_exactly
from .ringreader_lane import STATES, Progress

PIECE = 1 << 16

_STATES = {b"PREPARED": "prepared", b"APPLIED ": "applied"}
_SLOTS = 0x100
_SLOT = struct.Struct("<Q16sqIIQ12xI")
_LANE_CHANGE = struct.Struct("<9Q8s16x")
_OUTPUT_CHANGE = struct.Struct("<6Q")
_MOST_OUTPUTS = 64


@dataclass(frozen=True)
class LaneChange:
    lane: int
    generation: int
    before: int  # consumer position
    after: Progress
    state: str


@dataclass(frozen=True)
class OutputChange:
    device: int
    inode: int
    before: int  # its size, bytes
    length: int
    path: str
    pieces: tuple[int, ...]  # checksums


@dataclass(frozen=True)
class Window:
    """The piece that the window names, if its bytes are that piece's."""

    output: int
    piece: int
    data: bytes


@dataclass(frozen=True)
class Intent:
    """state: none, prepared, applied, or damaged: then nothing else is known."""

    state: str
    number: int = 0
    boot_id: bytes = b""
    time: int = 0  # Unix nanoseconds
    lanes: tuple[LaneChange, ...] = ()
    outputs: tuple[OutputChange, ...] = ()
    window: Optional[Window] = None

    def of(self, lane: int, generation: int) -> Optional[LaneChange]:
        """The change that an applied batch makes to the lane, if this owner has it still."""
        for change in self.lanes:
            if self.state == "applied" and (change.lane, change.generation) == (lane, generation):
                return change
        return None


class _Implausible(Exception):
    """A batch that cannot be what a drain wrote."""


def read_intent(fd: int, header: Header) -> Intent:
    if read_exactly(fd, 8, header.intent_offset) == b"\0" * 8:
        return Intent("none")
    try:
        return _read(read_exactly(fd, header.intent_size, header.intent_offset), header)
    except _Implausible:
        return Intent("damaged")


def _read(area: bytes, header: Header) -> Intent:
    if area[:8] not in _STATES:
        raise _Implausible
    slot_size = (len(area) - _SLOTS - PIECE) // 2 // 64 * 64
    named = int.from_bytes(area[8:16], "little")
    slot = area[_SLOTS + (named & 1) * slot_size :][:slot_size]
    number, boot_id, time, lane_count, output_count, body_size, checksum = _SLOT.unpack_from(slot)
    if number != named >> 1 or body_size > slot_size - _SLOT.size or output_count > _MOST_OUTPUTS:
        raise _Implausible
    body = slot[_SLOT.size : _SLOT.size + body_size]
    if zlib.crc32(body, zlib.crc32(slot[:60])) != checksum:
        raise _Implausible
    cursor = _Cursor(body)
    lanes = tuple(_lane_change(cursor, header) for _ in range(lane_count))
    outputs = tuple(_output_change(cursor) for _ in range(output_count))
    if cursor.at != len(body):
        raise _Implausible
    window = _window(area, outputs)
    return Intent(_STATES[area[:8]], number, boot_id, time, lanes, outputs, window)


class _Cursor:
    """Takes bytes off a body, and never more than it has."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def take(self, size: int) -> bytes:
        part = self.body[self.at : self.at + size]
        if len(part) != size:
            raise _Implausible
        self.at += size
        return part

    def take_padded(self, size: int) -> bytes:
        return self.take(-(-size // 8) * 8)[:size]


def _lane_change(cursor: _Cursor, header: Header) -> LaneChange:
    lane, generation, before, *after, state = _LANE_CHANGE.unpack(cursor.take(_LANE_CHANGE.size))
    if lane >= header.lane_count:
        raise _Implausible
    consumer, lost_seen, delivered, torn, sequence, damaged = after
    progress = Progress(consumer, lost_seen, delivered, torn, sequence, damaged)
    return LaneChange(lane, generation, before, progress, STATES.get(state, state.hex()))


def _output_change(cursor: _Cursor) -> OutputChange:
    change = _OUTPUT_CHANGE.unpack(cursor.take(_OUTPUT_CHANGE.size))
    device, inode, before, length, path_length, piece_count = change
    path = cursor.take_padded(path_length)
    if piece_count != -(-length // PIECE):
        raise _Implausible
    sums = cursor.take_padded(4 * piece_count)
    pieces = struct.unpack(f"<{piece_count}I", sums)
    return OutputChange(
        device, inode, before, length, path.decode("utf-8", "surrogateescape"), pieces
    )


def _window(area: bytes, outputs: tuple[OutputChange, ...]) -> Optional[Window]:
    word = int.from_bytes(area[16:24], "little")
    output, piece = (word >> 32) - 1, word & 0xFFFFFFFF
    if not 0 <= output < len(outputs) or piece >= len(outputs[output].pieces):
        return None
    size = min(PIECE, outputs[output].length - piece * PIECE)
    data = area[len(area) - PIECE :][:size]
    if zlib.crc32(data) != outputs[output].pieces[piece]:
        return None
    return Window(output, piece, data)
