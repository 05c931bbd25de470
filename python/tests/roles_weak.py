"""A writer whose stores become visible in another order than docs/format.md gives, as they may
on arm64 (W8), for test_weak_memory: `python -m tests.roles_weak ORDER COUNT MILLISECONDS`.

It owns a lane of the ring in RINGLOG_RING as any process does. Its records are numbered; what
comes late of each becomes visible MILLISECONDS later, while a reader that was woken looks.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import sys
import time
from typing import Callable
from zlib import crc32

from ringlog import _claim, _wake
from ringlog._lane import Lane

from .lanes import COMMITTED, LOW32, PADDING, PRODUCER, Ring, raw

PATIENCE = 0.1  # seconds that the reader gives stores to become visible
HELD_UP = b"held up\n"  # printed where the machine has used them up


class Weak:
    """A lane's memory, of which some stores are held back."""

    def __init__(self, path: str, delay: float) -> None:
        self.ring = Ring(path)
        self.lane = Lane(path)
        _claim.claim(self.lane, "weak")
        self.delay = delay
        self.size = self.ring.lane_size
        self.entry = self.ring.entry(self.lane.index, 0)
        words = memoryview(self.lane.front).cast("Q")
        self.front = words
        self.position = words[(self.entry + PRODUCER) >> 3]
        self.memory = self.lane._memory

    def room(self, size: int) -> None:
        """Waits until the reader has given back what a record of size bytes needs."""
        while self.position + 2 * size - self.lane.words[self.lane._consumer_word] > self.size:
            time.sleep(0.001)

    def record(self, message: bytes) -> list[tuple[str, int, bytes]]:
        """The stores of an append in their order: what it is, offset in the lane, bytes."""
        tail = raw(bytes(4), message, time=time.time_ns())
        size = 12 + len(tail) + 7 & -8
        self.room(size)
        start, key = self.position, self.ring.key
        stores = []
        if start % self.size + size > self.size:
            start += self.size - start % self.size
            padding = (self.position ^ key) & ~7 | PADDING
            stores.append(("padding", self.position % self.size, struct.pack("<Q", padding)))
        self.end = start + size
        seed = self.ring.seed(self.lane.index) ^ start >> 3 & LOW32 ^ start >> 35 & LOW32
        at = start % self.size
        head = struct.pack("<I", crc32(tail, seed)) + tail[:4]
        stores += [("checksum", at + 8, head), ("payload", at + 12, tail)]
        stamp = (start ^ key) & ~7 | COMMITTED
        stores.append(("stamp", at, struct.pack("<Q", stamp)))
        return stores

    def show(self, stores: list[tuple[str, int, bytes]]) -> None:
        for _, offset, data in stores:
            self.memory[offset : offset + len(data)] = data

    def move(self) -> None:
        """The store of the producer position."""
        self.front[(self.entry + PRODUCER) >> 3] = self.position = self.end

    def late(self, stores: list[tuple[str, int, bytes]]) -> None:
        """A reader has been woken; a moment later it sees the stores."""
        _wake.wake(self.lane._reader_address)
        time.sleep(self.delay)
        self.show(stores)


Stores = list[tuple[str, int, bytes]]


def split(stores: Stores, *late: str) -> tuple[Stores, Stores]:
    return (
        [store for store in stores if store[0] not in late],
        [store for store in stores if store[0] in late],
    )


def payload_late(weak: Weak, stores: Stores) -> None:
    weak.move()
    early, late = split(stores, "payload")
    weak.show(early)
    weak.late(late)


def all_but_the_stamp_late(weak: Weak, stores: Stores) -> None:
    weak.move()
    early, late = split(stores, "payload", "checksum")
    weak.show(early)
    weak.late(late)


def payload_in_pieces(weak: Weak, stores: Stores) -> None:
    """Line by line of the cache, in any order."""
    weak.move()
    early, late = split(stores, "payload")
    weak.show(early)
    pieces = [
        ("payload", offset + n, data[n : n + 64])
        for _, offset, data in late
        for n in range(0, len(data), 64)
    ]
    random.shuffle(pieces)
    for piece in pieces:
        weak.late([piece])


def end_late(weak: Weak, stores: Stores) -> None:
    """The length is there, and leads to the producer position; the payload's end is not."""
    weak.move()
    early, late = split(stores, "payload")
    weak.show(early)
    for _, offset, data in late:
        weak.show([("payload", offset, data[:-64])])
        weak.late([("payload", offset + len(data) - 64, data[-64:])])


def position_late(weak: Weak, stores: Stores) -> None:
    weak.show(stores)
    weak.late([])
    weak.move()


def stamp_late(weak: Weak, stores: Stores) -> None:
    weak.move()
    early, late = split(stores, "stamp")
    weak.show(early)
    weak.late(late)


def padding_late(weak: Weak, stores: Stores) -> None:
    weak.move()
    early, late = split(stores, "padding")
    weak.show(early)
    if late:
        weak.late(late)


def backwards(weak: Weak, stores: Stores) -> None:
    for store in reversed(stores):
        weak.show([store])
        weak.late([])
    weak.move()


def any_order(weak: Weak, stores: Stores) -> None:
    steps: list[Callable[[], None]] = [weak.move]
    for store in stores:
        steps.append(lambda store=store: weak.show([store]))  # type: ignore[misc]
    random.shuffle(steps)
    for step in steps:
        step()
        weak.late([])


ORDERS = {
    f.__name__: f
    for f in (
        payload_late, end_late, all_but_the_stamp_late, payload_in_pieces, position_late,
        stamp_late, padding_late, backwards, any_order,
    )
}  # fmt: skip


def main(order: str, count: str, milliseconds: str, end: str = "closes") -> None:
    weak = Weak(os.environ["RINGLOG_RING"], float(milliseconds) / 1000)
    for n in range(int(count)):
        # Of about a kilobyte: some sixty of them are a lap.
        stores = weak.record(b"record %d " % n + bytes(b"abcdefgh"[n % 8 : n % 8 + 1]) * 900)
        begun = time.monotonic()
        ORDERS[order](weak, stores)
        if time.monotonic() - begun >= PATIENCE:
            os.write(1, HELD_UP)
        time.sleep(0.0005)
    if end == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    weak.lane._producer = weak.position
    weak.lane.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
