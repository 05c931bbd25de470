"""The protocol of an append: claim, copy, commit, abort; and the counters of losses.

Positions, stamps and the order of stores are those of docs/format.md, which the comments
cite (W1, W2, …). CPython has no compare-and-swap: what calls these methods keeps threads
apart, and makes good what an exception leaves (`_lane`).
"""

from __future__ import annotations

import mmap
from zlib import crc32

from . import _wake
from ._layout import (
    CTL_READER_FUTEX,
    FUTEX_AWAKE,
    KIND_RAW,
    LAN_CONSUMER,
    LAN_LOST,
    LAN_PRODUCER,
    LARGEST_SHARE,
    LOSS_COUNTERS,
    LOW32,
    RECORD_HEADER,
    STATE_ABORTED,
    STATE_COMMITTED,
    STATE_PADDING,
    WARNING_SHARE,
)
from ._memory import RingMemory

# What an append says.
GONE, ACCEPTED, FULL = 0, 1, 2


class LaneMemory(RingMemory):
    """The memory of one lane, and where its next record goes. For one thread at a time."""

    __slots__ = (
        "_bound",
        "_consumer",
        "_consumer_word",
        "_key",
        "_lap",
        "_lap_seed",
        "_lap_stamp",
        "_largest",
        "_lost_word",
        "_mask",
        "_memory",
        "_offset",
        "_ordinary",
        "_producer",
        "_producer_word",
        "_reader_address",
        "_reader_word",
        "_size",
        "_words",
        "entry",
        "index",
        "lost_bytes",
        "seed",
    )

    def __init__(self, path: str) -> None:
        """Opens the ring at path, without a lane yet. Raises RingError."""
        self.index = -1
        super().__init__(path)
        self._words = self.words
        head = self.file.header
        self._key = head.key & ~7
        self._size = head.lane_size
        self._mask = head.lane_size - 1
        self._ordinary = head.lane_size - head.lane_size // WARNING_SHARE
        self._largest = head.lane_size // LARGEST_SHARE
        self._reader_word = (head.control_offset + CTL_READER_FUTEX) >> 3
        self._reader_address = _wake.address(self.front, self._reader_word << 3)
        self._consumer = 0
        self._offset = self._lap = self._lap_stamp = self._lap_seed = self._bound = 0

    def own(
        self,
        index: int,
        seed: int,
        memory: mmap.mmap,
        words: memoryview,
        position: int,
        consumer: int,
    ) -> None:
        """Makes this the lane `index`, of which the caller holds the lock.

        words is the view of its memory; position is where its first record will be.
        """
        entry = self.file.header.entry_offset(index)
        self.index, self.entry, self.seed = index, entry, seed
        self._memory, self._words = memory, words
        self._producer_word = (entry + LAN_PRODUCER) >> 3
        self._consumer_word = (entry + LAN_CONSUMER) >> 3
        self._lost_word = (entry + LAN_LOST) >> 3
        self._producer, self._consumer = position, consumer
        self._settle(position)
        self._load_losses()

    def _write(self, tail: bytes, urgent: bool) -> int:
        """Claims and commits a record, with the lock in hand: ACCEPTED or FULL."""
        # `_producer` is what the shared word was before this, until the very end: who
        # finds the two apart finds this claim (_recover). Nobody but the holder of the
        # lock writes either.
        length = len(tail)
        size = length + 19 & -8  # with the 12 bytes before the tail, in whole words
        offset = self._offset
        if size > self._largest or offset + size > self._bound:
            if not self._find_room(size, urgent):
                return FULL
            offset = self._offset
        end = self._lap + offset + size
        words = self._words
        self.words[self._producer_word] = end  # W1: before any byte behind it
        if not offset and self._producer != self._lap:
            self._pad(self._producer)
        # No stamp says CLAIMED: its use is to lead over an unfinished record to those
        # behind it, and while this one is unfinished there are none (W8).
        at = offset >> 3
        words[at + 1] = crc32(tail, self._lap_seed ^ at)
        self._memory[offset + 12 : offset + 12 + length] = tail
        words[at] = self._lap_stamp ^ offset
        self._offset = offset + size
        self._producer = end
        if self.words[self._reader_word] != FUTEX_AWAKE:
            self._wake_reader()
        return ACCEPTED

    def _find_room(self, size: int, urgent: bool) -> bool:
        """Moves on to where a record of size bytes has room, maybe to the next lap."""
        if size > self._largest:
            return False
        start = self._producer
        room = self._size - (start & self._mask)
        if size > room:
            start += room
        self._consumer = self.words[self._consumer_word]
        limit = self._size if urgent else self._ordinary
        if start + size - self._consumer > limit:
            return False
        self._settle(start)
        return True

    def _settle(self, position: int) -> None:
        """Computes what appends at position and behind it, in its lap, have in common.

        Offsets are below the lane's size, of which a lap's position is a multiple: so the
        stamp and the checksum's seed of a record are those of its lap XOR its offset.
        """
        self._offset = position & self._mask
        self._lap = lap = position - self._offset
        self._lap_stamp = lap ^ self._key | STATE_COMMITTED
        self._lap_seed = self.seed ^ lap >> 3 & LOW32 ^ lap >> 35 & LOW32
        # Up to here, and to the lane's end, there is room for records of any level.
        self._bound = min(self._size, self._consumer + self._ordinary - lap)

    def _pad(self, position: int) -> None:
        """Says that there is nothing from position to the end of its lap."""
        self._words[(position & self._mask) >> 3] = position ^ self._key | STATE_PADDING

    def _abort(self, start: int, end: int) -> None:
        """Stamps the claim from start to end as given up, with what bytes it has (W2)."""
        words, offset, size = self._words, start & self._mask, end - start
        stamp, at = start ^ self._key, offset >> 3
        words[at + 2] = KIND_RAW << 48 | size - RECORD_HEADER
        seed = self.seed ^ start >> 3 & LOW32 ^ start >> 35 & LOW32
        words[at + 1] = int.from_bytes(self.lost_bytes, "little") << 32
        sum_ = crc32(self._memory[offset + 12 : offset + size], ~seed & LOW32)
        words[at + 1] |= sum_
        words[at] = stamp | STATE_ABORTED

    def _count(self, reason: int, urgent: bool) -> int:
        self.words[self._lost_word + 2 * reason + urgent] += 1
        self._load_losses()
        return ACCEPTED

    def _load_losses(self) -> None:
        first = self._lost_word
        total = sum(map(self.words.__getitem__, range(first, first + LOSS_COUNTERS)))
        self.lost_bytes = (total & LOW32).to_bytes(4, "little")

    def _wake_reader(self) -> None:
        # Without compare-and-swap: a needless wake-up is harmless. If nobody can be woken
        # the word stays, since others would take it for somebody else's wake-up.
        if _wake.available:
            self.words[self._reader_word] = FUTEX_AWAKE
            _wake.wake(self._reader_address)
