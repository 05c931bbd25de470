"""A ring's bytes, written down from docs/format.md a second time: what tests of lanes compare
with. Only LaneTest uses the client."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import unittest
from typing import Any, NamedTuple
from zlib import crc32

from ringlog import _claim
from ringlog._lane import Lane

from . import support

SIZE = 64 << 10  # of the lanes of tests
URGENT = 20  # the stored level of WARNING

KEY = 0x0123456789ABCDEF  # of rings whose bytes are to be literal
RING_ID = bytes(range(16))
LOW32 = (1 << 32) - 1
CLOSED = 1 << 63

# Offsets in a lane's entry.
STATE, GENERATION, PRODUCER, LOST, CONSUMER, CHECK = 0x000, 0x080, 0x200, 0x280, 0x300, 0x330
BOOT_ID, ALLOCATED = 0x088, 0x0F0

CLAIMED, COMMITTED, ABORTED, PADDING = 1, 2, 3, 4


class Ring:
    """A ring file, looked at and changed by pread and pwrite."""

    def __init__(self, path: str) -> None:
        self.path = path
        header = self.read(0, 256)
        self.control, self.table = (struct.unpack_from("<Q", header, at)[0] for at in (24, 56))
        self.lanes, self.lane_size = struct.unpack_from("<QQ", header, 72)
        (self.lane_count,) = struct.unpack_from("<I", header, 88)
        (self.key,) = struct.unpack_from("<Q", header, 112)

    def read(self, offset: int, size: int) -> bytes:
        with open(self.path, "rb", buffering=0) as f:
            return os.pread(f.fileno(), size, offset)

    def write(self, offset: int, data: bytes) -> None:
        with open(self.path, "r+b", buffering=0) as f:
            os.pwrite(f.fileno(), data, offset)

    def with_fixed_key(self) -> "Ring":
        """Gives the ring, of which no lane was used yet, a key and an id that are known."""
        header = bytearray(self.read(0, 252))
        header[96:112] = RING_ID
        header[112:120] = struct.pack("<Q", KEY)
        self.write(0, bytes(header) + struct.pack("<I", crc32(header)))
        self.key = KEY
        for lane in range(self.lane_count):
            self.publish(lane, 0)
        return self

    def entry(self, lane: int, offset: int) -> int:
        return self.table + 1024 * lane + offset

    def word(self, lane: int, offset: int) -> int:
        return int.from_bytes(self.read(self.entry(lane, offset), 8), "little")

    def set_word(self, lane: int, offset: int, value: int) -> None:
        self.write(self.entry(lane, offset), struct.pack("<Q", value))

    def memory(self, lane: int, position: int = 0, size: int = 0) -> bytes:
        """The bytes of a lane at position, up to its end or size of them."""
        offset = position % self.lane_size
        return self.read(
            self.lanes + lane * self.lane_size + offset, size or self.lane_size - offset
        )

    def losses(self, lane: int) -> dict[int, int]:
        """The loss counters that are not 0, by number."""
        counters = struct.unpack("<14Q", self.read(self.entry(lane, LOST), 112))
        return {number: count for number, count in enumerate(counters) if count}

    def publish(self, lane: int, position: int | None = None) -> None:
        """Plays the reader: the lane is drained up to position, None: all of it; its losses
        are in the outputs."""
        if position is None:
            position = self.word(lane, PRODUCER) & ~CLOSED
        line = bytearray(self.read(self.entry(lane, CONSUMER), 48))
        line[:16] = struct.pack("<QQ", position, sum(self.losses(lane).values()))
        check = crc32(line, self.seed(lane))
        self.write(self.entry(lane, CONSUMER), bytes(line) + struct.pack("<Q", check))

    def begin_at(self, lane: int, position: int) -> None:
        """Has a lane that nobody has used yet stand at position."""
        self.set_word(lane, PRODUCER, position)
        self.publish(lane, position)

    def seed(self, lane: int) -> int:
        return crc32(struct.pack("<QI", self.key, lane))

    def stamp(self, position: int, state: int) -> bytes:
        return struct.pack("<Q", (position ^ self.key) & ~7 | state)

    def record(
        self,
        lane: int,
        position: int,
        payload: bytes,
        *,
        lost: int = 0,
        level: int = 0,
        kind: int = 1,
        time: int = 0,
    ) -> bytes:
        """A committed record, without the padding behind it, whose bytes may be any."""
        covered = struct.pack("<IIhBBQ", lost, len(payload), level, kind, 0, time) + payload
        seed = self.seed(lane) ^ position >> 3 & LOW32 ^ position >> 35 & LOW32
        return self.stamp(position, COMMITTED) + struct.pack("<I", crc32(covered, seed)) + covered


def raw(lost: bytes, message: bytes, level: int = 0, time: int = 0) -> bytes:
    """The argument of Lane.append for a record of the kind raw."""
    return lost + struct.pack("<IhBBQ", len(message), level, 1, 0, time) + message


class Dump(NamedTuple):
    code: int
    records: list[dict[str, Any]]
    said: str  # on standard error


def dump(path: str) -> Dump:
    """What ringdump shows of a ring."""
    binary = os.path.join(os.path.dirname(support.ringlog()), "ringdump")
    done = subprocess.run(
        [binary, "--format", "json", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=support.DEADLINE,
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return Dump(done.returncode, records, done.stderr)


def stat(path: str) -> dict[str, Any]:
    """What `ringlog stat` says of a ring."""
    answer: dict[str, Any] = json.loads(support.run("stat", "--json", path))
    return answer


class LaneTest(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.lanes: list[Lane] = []
        self.addCleanup(self.close)

    def close(self) -> None:
        for lane in self.lanes:
            lane.close()

    def ring(self, count: int = 1) -> Ring:
        path = support.ring(self, "--lanes", str(count), "--lane-size", str(SIZE))
        return Ring(path).with_fixed_key()

    def claim(self, ring: Ring, label: str = "worker") -> Lane:
        lane = Lane(ring.path)
        try:
            _claim.claim(lane, label)
        except BaseException:
            lane.abandon()
            raise
        self.lanes.append(lane)
        return lane

    def put(self, lane: Lane, size: int, level: int = 0) -> int:
        """Appends a record that takes size bytes; returns what append answers."""
        return lane.append(raw(lane.lost_bytes, b"x" * (size - 32), level), level >= URGENT)
