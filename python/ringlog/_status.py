"""What a ring's control area and lane table say, for messages: who reads, who is attached.

Everything here is out of date at once, and read from a file that others change meanwhile.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from ._file import RingFile
from ._layout import (
    CLOSED_BIT,
    CTL_ERROR_COUNT,
    CTL_ERROR_LENGTH,
    CTL_ERROR_TEXT,
    CTL_ERROR_TEXT_SIZE,
    CTL_ERROR_TIME,
    CTL_READER_HEARTBEAT,
    CTL_READER_PID,
    LABEL_SIZE,
    LAN_CONSUMER,
    LAN_LABEL,
    LAN_LABEL_LENGTH,
    LAN_LOST,
    LAN_LOST_SEEN,
    LAN_PID,
    LAN_PRODUCER,
    LANE_CLOSED,
    LANE_DAMAGED,
    LANE_FREE,
    LANE_OWNED,
    LOSS_COUNTERS,
    OWNER_RECORD,
    TABLE_ENTRY,
)


class Reader(NamedTuple):
    """Times are Unix nanoseconds, 0 for never."""

    running: bool
    pid: int  # of the last one; 0: there was none yet
    heartbeat: int
    errors: int
    error: str
    error_time: int


class LaneStatus(NamedTuple):
    """One lane. Numbers of bytes and of records are of its last owner and those before."""

    number: int
    alive: bool
    label: str
    pid: int
    backlog: int  # bytes
    unseen: int  # losses that no file shows yet
    lost: int  # since the ring was made
    free: bool  # may be claimed
    damaged: bool

    @property
    def undrained(self) -> bool:
        """Whether its worker is gone, and the reader is not done with what that left."""
        return not (self.alive or self.free or self.damaged)


class Status(NamedTuple):
    path: str
    lane_size: int
    reader: Reader
    lanes: list[LaneStatus]  # all of the ring

    def attached(self) -> list[LaneStatus]:
        return [lane for lane in self.lanes if lane.alive]


def reader_running(path: str) -> bool:
    """Whether the ring at path is being drained. Raises RingError."""
    ring = RingFile(path)
    try:
        return ring.locked(ring.header.control_offset + CTL_READER_PID)
    finally:
        ring.close()


def read(path: str) -> Status:
    """Raises RingError, and OSError if the file shrinks meanwhile."""
    ring = RingFile(path)
    try:
        head = ring.header
        control = os.pread(ring.fd, 4096, head.control_offset)
        table = os.pread(ring.fd, head.table_size, head.table_offset)
        if len(control) < 4096 or len(table) < head.table_size:
            raise OSError(f"{path} was truncated")
        lanes = [
            _lane(ring, i, table[i * TABLE_ENTRY : (i + 1) * TABLE_ENTRY])
            for i in range(head.lane_count)
        ]
        running = ring.locked(head.control_offset + CTL_READER_PID)
        return Status(path, head.lane_size, _reader(control, running), lanes)
    finally:
        ring.close()


def _word(b: bytes, offset: int) -> int:
    return int.from_bytes(b[offset : offset + 8], "little")


def _text(b: bytes) -> str:
    """b as text that cannot move a terminal's cursor."""
    return "".join(c if c.isprintable() else "\ufffd" for c in b.decode("utf-8", "replace"))


def _reader(b: bytes, running: bool) -> Reader:
    length = min(_word(b, CTL_ERROR_LENGTH), CTL_ERROR_TEXT_SIZE)
    return Reader(
        running,
        _word(b, CTL_READER_PID),
        _word(b, CTL_READER_HEARTBEAT),
        _word(b, CTL_ERROR_COUNT),
        _text(b[CTL_ERROR_TEXT : CTL_ERROR_TEXT + length]),
        _word(b, CTL_ERROR_TIME),
    )


def _lane(ring: RingFile, index: int, b: bytes) -> LaneStatus:
    state = _word(b, 0)
    producer, consumer = _word(b, LAN_PRODUCER) & ~CLOSED_BIT, _word(b, LAN_CONSUMER)
    lost = sum(_word(b, LAN_LOST + 8 * i) for i in range(LOSS_COUNTERS))
    unseen = max(0, lost - _word(b, LAN_LOST_SEEN))
    backlog = max(0, producer - consumer)
    if state == LANE_FREE and backlog <= 2 * OWNER_RECORD:
        backlog = 0  # the owner record of a claimant that died
    length = min(_word(b, LAN_LABEL_LENGTH), LABEL_SIZE)
    return LaneStatus(
        index,
        state == LANE_OWNED and ring.locked(ring.header.entry_offset(index)),
        _text(b[LAN_LABEL : LAN_LABEL + length]),
        _word(b, LAN_PID),
        backlog,
        unseen,
        lost,
        state == LANE_FREE or (state == LANE_CLOSED and backlog == 0 and unseen == 0),
        state == LANE_DAMAGED,
    )
