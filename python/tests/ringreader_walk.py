"""Finding the records in a lane's memory: the walk over a dead lane (C3), and the search
for what is left of a damaged one (C5)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Optional, Union

from .ringreader_crc import crc32c

LOW32 = 0xFFFFFFFF
HEADER = 32
CLAIMED, COMMITTED, ABORTED, PADDING = 1, 2, 3, 4
KIND_RAW, KIND_LOG, KIND_OWNER = 1, 2, 3
CASTAGNOLI, IEEE = 1, 2

_RECORD = struct.Struct("<QIIIhBBQ")


class Record(NamedTuple):
    """A whole record as it lies in the lane. next is the position behind it."""

    pos: int
    next: int
    state: int  # COMMITTED or ABORTED
    lost: int  # modulo 2³²
    level: int  # stored scale
    kind: int
    time: int  # in the lane's clock, unsigned
    payload: bytes


class Gap(NamedTuple):
    pos: int
    next: int
    state: str  # torn or damaged


@dataclass(frozen=True)
class Memory:
    """A copy of a lane's memory, with what is needed to tell its records."""

    data: bytes
    key: int
    seed: int
    checksum_kind: int  # tried first; the other one is good as well (W4)

    @property
    def size(self) -> int:
        return len(self.data)

    def state_at(self, pos: int) -> int:
        """The state of the stamp that fits at pos; 0: none does."""
        offset = pos % self.size
        word = int.from_bytes(self.data[offset : offset + 8], "little")
        state = word & 7
        fits = (word ^ self.key ^ pos) >> 3 == 0 and CLAIMED <= state <= PADDING
        return state if fits else 0

    def end_of(self, pos: int) -> Optional[int]:
        """Where the record at pos ends by its length; None if no record ends there."""
        offset = pos % self.size
        if offset + HEADER > self.size:
            return None
        length = int.from_bytes(self.data[offset + 16 : offset + 20], "little")
        size = HEADER + -(-length // 8) * 8
        if size > self.size // 8 or offset + size > self.size:
            return None
        return pos + size

    def record_at(self, pos: int, state: int) -> Optional[Record]:
        """The whole record at pos, of whose stamp this is the state; None if there is none."""
        end = self.end_of(pos) if state in (COMMITTED, ABORTED) else None
        if end is None:
            return None
        offset = pos % self.size
        _, checksum, lost, length, level, kind, _, time = _RECORD.unpack_from(self.data, offset)
        covered = self.data[offset + 12 : offset + HEADER + length]
        seed = self.seed ^ (pos >> 3 & LOW32) ^ (pos >> 35 & LOW32)
        if state == ABORTED:
            seed ^= LOW32
        # In either order the cheap one is asked before the slow one, unless that one is likely.
        ieee_first = self.checksum_kind != CASTAGNOLI
        for ieee in (ieee_first, not ieee_first):
            if (zlib.crc32 if ieee else crc32c)(covered, seed) == checksum:
                return Record(pos, end, state, lost, level, kind, time, covered[HEADER - 12 :])
        return None


def walk(memory: Memory, begin: int, producer: int) -> Iterator[Union[Record, Gap]]:
    """What lies between two positions, as in the lane of a dead owner; padding is left out.
    The positions are possible ones: see impossible."""
    pos = begin
    budget = [16 * (producer - begin)]  # bytes that scans may yet checksum
    while pos < producer:
        state = memory.state_at(pos)
        record = memory.record_at(pos, state)
        if record is not None and record.next <= producer:
            yield record
            pos = record.next
            continue
        lane_end = pos - pos % memory.size + memory.size
        if state == PADDING and pos % memory.size and lane_end <= producer:
            pos = lane_end
            continue
        end = memory.end_of(pos) if state in (CLAIMED, COMMITTED, ABORTED) else None
        if end is None or not (end == producer or end < producer and memory.state_at(end)):
            end = _scan(memory, pos + 8, producer, budget)
        if budget[0] < 0:
            yield Gap(pos, producer, "damaged")
            return
        yield Gap(pos, end, "torn" if state in (0, CLAIMED) else "damaged")
        pos = end


def _scan(memory: Memory, begin: int, producer: int, budget: list[int]) -> int:
    """The position of the next whole record, or the producer's; budget is below 0 when it
    was spent before either was reached."""
    for pos in range(begin, producer, 8):
        state = memory.state_at(pos)
        if state not in (COMMITTED, ABORTED):
            continue
        end = memory.end_of(pos)
        if end is None or end > producer:
            continue
        budget[0] -= end - pos
        if budget[0] < 0:
            return producer
        if memory.record_at(pos, state) is not None:
            return pos
    return producer


def salvage(memory: Memory) -> list[Record]:
    """The whole records of a lane whose positions cannot be trusted, in the order of theirs:
    every word is tried as a stamp. Aborted ones are among them."""
    found = []
    for number, (word,) in enumerate(struct.iter_unpack("<Q", memory.data)):
        pos = (word ^ memory.key) & ~7
        if word & 7 in (COMMITTED, ABORTED) and pos % memory.size == number * 8:
            record = memory.record_at(pos, word & 7)
            if record is not None:
                found.append(record)
    found.sort()
    return found


def impossible(memory: Memory, consumer: int, producer: int) -> bool:
    """Whether what lies between these positions cannot be walked (C5)."""
    return (
        consumer % 8 != 0
        or producer % 8 != 0
        or consumer > producer
        or producer - consumer > memory.size
        or memory.state_at(producer) in (CLAIMED, COMMITTED, ABORTED)
    )
