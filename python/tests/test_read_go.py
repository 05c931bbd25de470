"""Rings that the Go client wrote, read by a second reader; and rings like these with bytes
flipped and ends cut off, which must neither hang it nor show what nobody wrote."""

from __future__ import annotations

import contextlib
import os
import random
import struct
import subprocess
import unittest
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from . import payload, ringreader, ringreader_walk, support
from .ringreader_walk import Gap, Memory, salvage, walk

LANE = 65536  # the smallest
LARGEST = LANE // 8 - 32  # payload


class Worker(NamedTuple):
    """Who appends lines to a ring, and how."""

    name: str
    logger: str  # empty: raw records
    level: str
    stored: int  # that level in the ring
    lines: list[bytes]


class RingsOfGo(unittest.TestCase):
    def test_several_appenders_are_read_to_the_byte(self) -> None:
        ring = support.ring(self, "--lanes", "8", "--lane-size", "1MiB")
        workers = [
            Worker("worker-1", "trades.fx", "info", 0, _lines(1, 3000)),
            Worker("wörker 2", "orders", "warning", 20, _lines(2, 3000)),
            Worker("worker-3", "", "debug-1", -25, _lines(3, 3000)),
            Worker("w" * 112, "root.é", "critical", 60, _lines(4, 3000)),
        ]
        for process in [_start(ring, worker) for worker in workers]:
            self.assertEqual((0, b""), _end(process))
        logged = ringreader.records(ring)
        for worker in workers:
            with self.subTest(worker.name):
                own = [r for r in logged if r.label == worker.name]
                self.assertEqual(list(range(1, 3001)), [r.seq for r in own])
                self.assertEqual(worker.lines, [payload.raw(r.payload.message) for r in own])
                self.assertEqual({worker.stored}, {r.level for r in own})
                self.assertEqual({worker.logger}, {r.payload.logger for r in own})
                self.assertEqual(sorted(r.time for r in own), [r.time for r in own])
                self.assertEqual(1, len({(r.lane, r.pid, r.generation) for r in own}))
        self.assertEqual(12000, len(logged))
        self.assertEqual(logged, ringreader.records(ring, backlog=False))
        self._is_what_go_drains(ring, logged)

    def test_every_line_of_a_full_lane_is_there_at_its_number_or_counted_as_lost(self) -> None:
        ring = support.ring(self, "--lanes", "4", "--lane-size", "64KiB")
        lines = _lines(5, 3000, longest=2 * LARGEST)
        workers = [
            Worker("below", "trades", "info", 0, lines),
            Worker("above", "trades", "error", 40, lines),
        ]
        for worker in workers:
            code, said = _end(_start(ring, worker, "--policy", "drop"))
            self.assertEqual(5, code, said)
        with ringreader.Ring(ring) as opened:
            intent = opened.intent()
            for worker, lane in zip(workers, opened.lanes()):
                reading = opened.read_lane(lane, intent)
                found = [r for r in ringreader.records(ring) if r.label == worker.name]
                with self.subTest(worker.name):
                    self.assertEqual([], reading.gaps)
                    self.assertEqual(3000, len(found) + reading.lost)
                    self.assertGreater(len(found), 20)
                    # Small records find room behind those that found none: seq has gaps.
                    self.assertNotEqual(list(range(1, len(found) + 1)), [r.seq for r in found])
                    for r in found:
                        self.assertEqual(lines[(r.seq or 0) - 1], payload.raw(r.payload.message))
                    # By reason and band, in full and too large.
                    urgent = worker.stored >= 20
                    full, too_large = lane.lost[urgent], lane.lost[2 * 2 + urgent]
                    payloads = [8 + len(worker.logger) + len(line) for line in lines]
                    self.assertEqual(sum(n > LARGEST for n in payloads), too_large)
                    self.assertEqual(reading.lost, full + too_large)
        self._is_what_go_drains(ring, ringreader.records(ring))

    def test_a_lane_with_its_third_owner_has_his_records_and_what_is_left_of_the_others(
        self,
    ) -> None:
        ring = support.ring(self, "--lanes", "1", "--lane-size", "64KiB")
        written = {}
        for generation in (1, 2, 3):
            # So few of the third that the owner record of the second is still there.
            lines = _lines(10 + generation, 400 if generation < 3 else 300, longest=200)
            written[generation] = lines
            worker = Worker(f"owner-{generation}", "a", "info", 0, lines)
            self.assertEqual((0, b""), _end(_start(ring, worker)))
            if generation < 3:
                support.run("drain", "--once", "--quiet", "--ring", ring, "--out", os.devnull)
        backlog = ringreader.records(ring)
        self.assertEqual({(3, "owner-3")}, {(r.generation, r.label) for r in backlog})
        self.assertEqual(written[3], [payload.raw(r.payload.message) for r in backlog])
        self.assertGreater(backlog[-1].pos, LANE, "it was to go round the lane")
        remains = ringreader.records(ring, backlog=False)
        self.assertEqual(backlog, remains[-len(backlog) :])
        self.assertGreater(len(remains), len(backlog) + 100)
        self.assertEqual("owner-2", remains[-len(backlog) - 1].label)
        for r in remains:
            if r.seq:  # unknown where the owner record is overwritten
                line = written[r.generation][r.seq - 1]
                self.assertEqual(line, payload.raw(r.payload.message))
        self._is_what_go_drains(ring, backlog)

    def _is_what_go_drains(self, ring: str, logged: list[ringreader.Logged]) -> None:
        """Drains the ring; its records must be those that were read, by worker and seq."""
        with ringreader.Ring(ring) as opened:
            ring_id = opened.header.ring_id.hex()
        out = support.folder(self) / "drained.json"
        command = ["drain", "--once", "--quiet", "--ring", ring, "--format", "json"]
        support.run(*command, "--max-size", "0", "--out", str(out))
        drained = {
            line["id"]: (line["worker"], line["pid"], line["seq"], line["logger"])
            for line in support.lines(out)
            if line["logger"] != "ringlog"
        }
        read = {
            f"{ring_id}-{r.lane}-{r.pos}": (r.label, r.pid, r.seq, r.payload.logger)
            for r in logged
        }
        self.assertEqual(read, drained)
        self.assertEqual([], ringreader.records(ring))


@unittest.skipIf(support.by_thoroughness(True, False, False), "of the tests' own reader")
class HostileRings(unittest.TestCase):
    """A ring in which somebody has written at random."""

    def setUp(self) -> None:
        ring = support.ring(self, "--lanes", "2", "--lane-size", "64KiB")
        for seed in (1, 2):
            worker = Worker(f"worker-{seed}", "trades", "info", 0, _lines(seed, 120, longest=400))
            _end(_start(ring, worker))
            if seed == 1:  # one lane goes round
                support.run("drain", "--once", "--quiet", "--ring", ring, "--out", os.devnull)
                worker = worker._replace(lines=_lines(3, 240, longest=400))
                _end(_start(ring, worker))
        self.path = Path(ring)
        self.whole = self.path.read_bytes()
        self.written = {_identity(r) for r in ringreader.records(ring, backlog=False)}
        self.assertGreater(len(self.written), 300)

    def test_no_flipped_byte_and_no_cut_shows_a_record_that_was_not_written(self) -> None:
        # Half of all attempts hit the entries of the lanes: the rest of the ring is large.
        with ringreader.Ring(self.path) as ring:
            table = ring.header.table_offset, ring.header.table_offset + 2 * 1024
        opened = 0
        chance = random.Random(20)
        for attempt in range(2000):
            with self.subTest(attempt=attempt):
                if chance.random() < 0.05:
                    self.path.write_bytes(self.whole[: chance.randrange(len(self.whole))])
                    self._shows_only_what_was_written(chance.random() < 0.5)
                    self.path.write_bytes(self.whole)
                    continue
                where = table if chance.random() < 0.5 else (0, len(self.whole))
                hits = {chance.randrange(*where) for _ in range(2 ** chance.randrange(6))}
                self._write({at: self.whole[at] ^ 1 << chance.randrange(8) for at in hits})
                opened += self._shows_only_what_was_written(chance.random() < 0.5)
                self._write({at: self.whole[at] for at in hits})
        self.assertGreater(opened, 1500, "most of these rings can be opened")

    def test_no_stretch_of_other_bytes_shows_a_record_that_was_not_written(self) -> None:
        chance = random.Random(21)
        with ringreader.Ring(self.path) as ring:
            begin = ring.header.lanes_offset
        for attempt in range(200):
            with self.subTest(attempt=attempt):
                # Zeros, noise, or another part of the ring: stamps and records of elsewhere.
                size = 8 * chance.randrange(1, 1024)
                at = 8 * chance.randrange(begin // 8, (len(self.whole) - size) // 8)
                other = 8 * chance.randrange(begin // 8, (len(self.whole) - size) // 8)
                stretch = chance.choice(
                    [bytes(size), chance.randbytes(size), self.whole[other : other + size]]
                )
                self._write({at + n: byte for n, byte in enumerate(stretch)})
                self.assertTrue(self._shows_only_what_was_written(chance.random() < 0.5))
                self._write({at + n: self.whole[at + n] for n in range(size)})

    def _write(self, changes: dict[int, int]) -> None:
        with open(self.path, "r+b") as ring:
            for at, byte in changes.items():
                ring.seek(at)
                ring.write(bytes([byte]))

    def _shows_only_what_was_written(self, backlog: bool) -> bool:
        """Whether the ring can be opened at all."""
        try:
            found = ringreader.records(self.path, backlog=backlog)
        except ringreader.ReaderError:
            return False
        self.assertLessEqual({_identity(r) for r in found}, self.written)
        self.assertEqual(len(found), len({(r.lane, r.pos) for r in found}))
        return True


class HostileLanes(unittest.TestCase):
    """Memory made by one who knows the lane's key."""

    KEY = 0x0123456789ABCDE8

    def _memory(self, data: bytes) -> Memory:
        return Memory(data.ljust(LANE, b"\0"), self.KEY, 7, 2)

    def _stamp(self, pos: int, state: int) -> bytes:
        return struct.pack("<Q", (pos ^ self.KEY) & ~7 | state)

    def test_stamps_with_the_longest_lengths_cost_a_bounded_number_of_checksums(self) -> None:
        # Each word pair is a stamp and a length: each checksum goes over an eighth of the lane.
        data = b"".join(
            self._stamp(pos, 2) if pos % 16 == 0 else struct.pack("<II", LARGEST, 0)
            for pos in range(0, LANE, 8)
        )
        with _counted_checksums() as covered:
            self.assertEqual([Gap(0, LANE, "damaged")], list(walk(self._memory(data), 0, LANE)))
        # Both kinds are tried, and the walk itself looks at one record outside of any scan.
        self.assertLess(sum(covered), 2 * (16 * LANE + LANE // 8))

    def test_padding_at_the_lanes_begin_or_over_the_producer_position_is_no_padding(self) -> None:
        begin = self._memory(self._stamp(0, 4))
        self.assertEqual([Gap(0, 4096, "damaged")], list(walk(begin, 0, 4096)))
        over = self._memory(bytes(64) + self._stamp(64, 4))
        self.assertEqual([Gap(64, 4096, "damaged")], list(walk(over, 64, 4096)))

    def test_a_whole_record_over_the_producer_position_is_not_shown(self) -> None:
        covered = struct.pack("<IIhBBQ", 0, 5, 0, 1, 0, 0) + b"hello"
        sum_ = zlib.crc32(covered, 7)
        record = self._stamp(0, 2) + struct.pack("<I", sum_) + covered
        memory = self._memory(record)
        self.assertEqual([b"hello"], [r.payload for r in salvage(memory)])
        self.assertEqual([Gap(0, 32, "damaged")], list(walk(memory, 0, 32)))


def _lines(seed: int, count: int, longest: int = 150) -> list[bytes]:
    """Lines of any bytes but newlines, none of them twice, the empty one among them."""
    chance = random.Random(seed)
    alphabet = bytes(n for n in range(256) if n != ord("\n"))
    lines = [b""]
    for number in range(1, count):
        size = int(longest ** chance.random())
        lines.append(b"%d " % number + bytes(chance.choices(alphabet, k=size)))
    return lines


def _start(ring: str, worker: Worker, *flags: str) -> subprocess.Popen[bytes]:
    command = [support.ringlog(), "append", "--ring", ring, "--worker", worker.name]
    command += ["--level", worker.level, *flags]
    if worker.logger:
        command += ["--logger", worker.logger]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"".join(line + b"\n" for line in worker.lines))
    process.stdin.flush()
    return process


def _end(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Ends the appender's input; returns its exit code and what it said."""
    said = process.communicate(timeout=support.DEADLINE)[1]
    return process.returncode, said


@contextlib.contextmanager
def _counted_checksums() -> Iterator[list[int]]:
    """Gives a list that gets the length of all that is checksummed meanwhile."""
    covered: list[int] = []

    def counted(data: bytes, before: int = 0) -> int:
        covered.append(len(data))
        return 0

    with mock.patch.object(zlib, "crc32", counted):
        with mock.patch.object(ringreader_walk, "crc32c", counted):
            yield covered


def _identity(r: ringreader.Logged) -> tuple[object, ...]:
    """What is in the record itself; its time and owner are told by the lane's entry, too."""
    return r.lane, r.pos, r.kind, r.level, r.payload.logger, r.payload.message


if __name__ == "__main__":
    unittest.main()
