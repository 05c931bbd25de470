"""A lane's bytes against docs/format.md: what is appended, and where. How a lane goes from
hand to hand: test_owners. What comes in the middle of an append: test_interrupted."""

from __future__ import annotations

import os
import random
import struct
import sys
import threading
import unittest
from unittest import mock
from zlib import crc32

from ringlog import _claim
from ringlog._lane import ACCEPTED, FULL, Lane
from ringlog._layout import LOST_ABORTED, LOST_FULL

from . import lanes, support
from .lanes import KEY, SIZE, URGENT, LaneTest, Ring, raw

OWNER = 128  # bytes of an owner record
EIGHTH = SIZE // 8
BOOT = bytes(range(100, 116))


class BytesTest(LaneTest):
    def test_a_record_is_these_bytes(self) -> None:
        ring = self.ring()
        lane = self.claim(ring)
        tail = raw(lane.lost_bytes, b"hello", -20, 0x0102030405060708)
        self.assertEqual(lane.append(tail, False), ACCEPTED)
        found = ring.memory(0, OWNER, 37)
        # (128 XOR key) with state 2; checksum; nothing lost; 5 bytes, DEBUG, raw; time; payload
        literal = (
            "6acdab8967452301"
            "........"
            "00000000" "05000000" "ecff" "01" "00"
            "0807060504030201"
            "68656c6c6f"
        )  # fmt: skip
        self.assertRegex(found.hex(), "^" + literal + "$")
        seed = crc32(struct.pack("<QI", KEY, 0)) ^ 128 >> 3
        self.assertEqual(found[8:12], struct.pack("<I", crc32(found[12:], seed)))
        self.assertEqual(ring.word(0, lanes.PRODUCER), OWNER + 40)

    def test_an_owner_says_in_the_lanes_entry_and_in_its_first_record_who_it_is(self) -> None:
        ring = self.ring()
        ring.set_word(0, lanes.LOST + 8 * 3, 7)
        ring.publish(0, 0)
        moment = 0x1122334455667788
        with mock.patch.object(_claim, "_boot_id", lambda: BOOT), mock.patch.object(
            _claim, "_start_ticks", lambda: 4711
        ), mock.patch.object(_claim.time, "time_ns", lambda: moment):
            lane = self.claim(ring, "größe 1")
        pid = os.getpid()
        identity = struct.pack("<Q16sQQQQQQQIIQQQQQQ", 1, BOOT, 0, 0, 0, 0, pid, 4711, moment, 1, 2,
                               0, 0, 1 << 32, 1, 0, 9)  # fmt: skip
        name = "größe 1".encode()
        identity += name.ljust(112, b"\0") + bytes(8)
        identity += struct.pack("<14Q", 0, 0, 0, 7, *[0] * 10) + bytes(12)
        self.assertEqual(ring.read(ring.entry(0, 0x80), 380), identity)
        sum_ = struct.pack("<I", crc32(identity, ring.seed(0)))
        self.assertEqual(ring.read(ring.entry(0, 0x1FC), 4), sum_)
        payload = struct.pack("<QQQIIQQQ", 1, pid, moment, 1, 2, 0, 0, 1 << 32)
        payload += name.ljust(40, b"\0")
        expected = ring.record(0, 0, payload, lost=7, kind=3, time=moment)
        self.assertEqual(ring.memory(0, 0, OWNER), expected)
        self.assertEqual(ring.read(ring.entry(0, lanes.STATE), 8), b"OWNED   ")
        self.assertEqual(lane.lost_bytes, struct.pack("<I", 7))

    def test_labels_are_cut_between_characters(self) -> None:
        for label, entry, owner in (
            ("é" * 100, 112, 40),
            ("a" + "é" * 100, 111, 39),
            ("世" * 50, 111, 39),
            ("x" * 40, 40, 40),
            ("", 0, 0),
            ("a\udc80b", 3, 3),
        ):
            with self.subTest(label=label):
                ring = self.ring()
                self.claim(ring, label)
                text = label.encode("utf-8", "replace")
                self.assertEqual(ring.word(0, 0x100), entry)
                said = ring.read(ring.entry(0, 0x108), 112)
                self.assertEqual(said, text[:entry].ljust(112, b"\0"))
                self.assertEqual(
                    ring.memory(0, 32 + 56, 40), text[:owner].ljust(40, b"\0")
                )
                self.assertEqual(lanes.stat(ring.path)["lanes"][0]["state"], "live")

    def test_positions_beyond_32_bits_are_in_stamps_and_checksums(self) -> None:
        ring = self.ring()
        for position in (1 << 35, (1 << 40) + SIZE - 256, (1 << 58) + 8):
            with self.subTest(position=position):
                ring = self.ring()
                ring.begin_at(0, position)
                lane = self.claim(ring)
                for text in (b"first", b"x" * 100, b"last"):
                    lane.append(raw(lane.lost_bytes, text), False)
                lane.close()
                at = position + OWNER
                self.assertEqual(ring.memory(0, at, 37), ring.record(0, at, b"first"))
                found = lanes.dump(ring.path)
                self.assertEqual((found.code, len(found.records)), (0, 3), found.said)

    def test_losses_are_in_the_next_record(self) -> None:
        ring = self.ring()
        lane = self.claim(ring)
        for reason, urgent in ((LOST_FULL, False), (LOST_ABORTED, True), (LOST_ABORTED, True)):
            self.assertEqual(lane.lose(reason, urgent), ACCEPTED)
        lane.append(raw(lane.lost_bytes, b"next"), False)
        self.assertEqual(ring.memory(0, OWNER, 36), ring.record(0, OWNER, b"next", lost=3))
        self.assertEqual(ring.losses(0), {0: 1, 11: 2})

    def test_threads_append_one_after_the_other(self) -> None:
        path = support.ring(self, "--lanes", "1", "--lane-size", "16MiB")
        lane = self.claim(Ring(path))
        count, threads = support.by_thoroughness(1000, 3000, 20_000), 4

        def work(name: str) -> None:
            for n in range(count):
                lane.append(raw(lane.lost_bytes, f"{name} {n}".encode()), False)

        before = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, before)
        sys.setswitchinterval(1e-6)
        started = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(threads)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        found = lanes.dump(path)
        self.assertEqual(found.code, 0, found.said)
        by_thread: dict[str, list[int]] = {}
        for record in found.records:
            name, number = record["msg"].split()
            by_thread.setdefault(name, []).append(int(number))
        expected = {f"t{i}": list(range(count)) for i in range(threads)}
        self.assertEqual({k: len(v) for k, v in by_thread.items()}, dict.fromkeys(expected, count))
        self.assertTrue(by_thread == expected, "out of order")


class RoomTest(LaneTest):
    def test_a_record_that_does_not_fit_before_the_lanes_end_goes_behind_it(self) -> None:
        for room in range(8, 80, 8):
            for size in (32, 40, 72, 80):
                with self.subTest(room=room, size=size):
                    self.at_the_end(room, size)

    def at_the_end(self, room: int, size: int) -> None:
        """Appends a record of size bytes when room bytes are left of the lap, and another."""
        ring = self.ring()
        ring.begin_at(0, SIZE - room - OWNER)
        lane = self.claim(ring)
        for _ in range(2):
            self.assertEqual(self.put(lane, size), ACCEPTED)
        position, payload = SIZE - room, b"x" * (size - 32)
        for _ in range(2):
            if position < SIZE < position + size:
                self.assertEqual(ring.memory(0, position, 8), ring.stamp(position, lanes.PADDING))
                position = SIZE
            expected = ring.record(0, position, payload)
            self.assertEqual(ring.memory(0, position, size), expected)
            position += size
        self.assertEqual(ring.word(0, lanes.PRODUCER), position)

    def test_the_last_eighth_is_for_warnings_and_above_to_the_byte(self) -> None:
        ring = self.ring()
        lane = self.claim(ring)
        self.fill(lane, SIZE - EIGHTH - OWNER - 40)
        self.assertEqual(self.put(lane, 48), FULL)
        self.assertEqual(self.put(lane, 40), ACCEPTED)
        self.assertEqual(self.put(lane, 32), FULL)
        self.fill(lane, EIGHTH - 40, URGENT)
        self.assertEqual(self.put(lane, 48, URGENT), FULL)
        self.assertEqual(self.put(lane, 40, URGENT), ACCEPTED)
        self.assertEqual(ring.word(0, lanes.PRODUCER), SIZE)
        self.assertEqual(self.put(lane, 32, URGENT), FULL)
        ring.publish(0, OWNER)
        self.assertEqual(self.put(lane, 32), FULL)
        self.assertEqual(self.put(lane, OWNER, URGENT), ACCEPTED)
        ring.publish(0, EIGHTH + 2 * OWNER)
        self.assertEqual(self.put(lane, OWNER, 0), ACCEPTED)
        self.assertEqual(self.put(lane, 32, 0), FULL)

    def fill(self, lane: Lane, size: int, level: int = 0) -> None:
        while size:
            n = min(size, EIGHTH)
            if 0 < size - n < 32:
                n -= 32
            self.assertEqual(self.put(lane, n, level), ACCEPTED)
            size -= n

    def test_padding_counts_as_used_when_the_lane_is_full(self) -> None:
        ring = self.ring()
        ring.begin_at(0, SIZE - 40 - OWNER)
        lane = self.claim(ring)  # 40 bytes are left of the lap
        begin = SIZE - 40 - OWNER
        limit = begin + SIZE - EIGHTH
        self.assertEqual(self.put(lane, 48), ACCEPTED)
        self.fill(lane, limit - (SIZE + 48) - 32)
        self.assertEqual(self.put(lane, 40), FULL)
        self.assertEqual(self.put(lane, 32), ACCEPTED)
        self.assertEqual(ring.word(0, lanes.PRODUCER), limit)

    def test_a_full_lane_refuses_and_changes_nothing(self) -> None:
        ring = self.ring()
        lane = self.claim(ring)
        while self.put(lane, 4000, URGENT) == ACCEPTED:
            pass
        before = ring.read(0, ring.lanes + SIZE)
        for level in (0, URGENT):
            self.assertEqual(self.put(lane, 4000, level), FULL)
        self.assertTrue(ring.read(0, ring.lanes + SIZE) == before)

    def test_a_record_of_an_eighth_of_the_lane_fits_and_one_byte_more_is_counted_too_large(
        self,
    ) -> None:
        ring = self.ring()
        lane = self.claim(ring)
        largest = b"y" * (EIGHTH - 32)
        self.assertEqual(lane.append(raw(lane.lost_bytes, largest), False), ACCEPTED)
        position = ring.word(0, lanes.PRODUCER)
        for level, counters in ((0, {4: 1}), (URGENT, {4: 1, 5: 1})):
            tail = raw(lane.lost_bytes, largest + b"y", level)
            if lane.append(tail, level >= URGENT) == FULL:
                self.assertEqual(lane.wait(tail, level >= URGENT, 5.0), ACCEPTED)
            self.assertEqual(ring.losses(0), counters)
        self.assertEqual(ring.word(0, lanes.PRODUCER), position)
        lane.append(raw(lane.lost_bytes, b"next"), False)
        lane.close()
        found = lanes.dump(ring.path)
        self.assertEqual(found.code, 0, found.said)
        self.assertEqual(len(found.records), 3)  # with the line about the loss

    def test_a_record_of_any_level_fits_an_empty_lane_wherever_it_begins(self) -> None:
        for room in (8, EIGHTH - 8, EIGHTH, EIGHTH + 8):
            with self.subTest(room=room):
                ring = self.ring()
                ring.begin_at(0, SIZE - room - OWNER if room >= OWNER else SIZE - room)
                lane = self.claim(ring)
                ring.publish(0)
                self.assertEqual(self.put(lane, EIGHTH), ACCEPTED)

    def test_whatever_the_sizes_and_however_the_reader_follows_each_record_is_whole(self) -> None:
        choice = random.Random(20)
        for _ in range(support.by_thoroughness(3, 10, 300)):
            ring = self.ring()
            ring.begin_at(0, choice.randrange(0, 1 << 50, 8))
            lane = self.claim(ring)
            due: list[tuple[int, bytes, int]] = []  # position, message, level
            for n in range(400):
                level = choice.choice((0, URGENT))
                message = b"%d " % n + b"z" * choice.randrange(choice.choice((9, 200, EIGHTH - 40)))
                before = ring.word(0, lanes.PRODUCER)
                if lane.append(raw(lane.lost_bytes, message, level), level >= URGENT) == ACCEPTED:
                    after = ring.word(0, lanes.PRODUCER)
                    position = after - (32 + len(message) + 7 & -8)
                    due.append((position, message, level))
                    self.assertIn(position, (before, before - before % SIZE + SIZE))
                else:
                    self.assertEqual(ring.word(0, lanes.PRODUCER), before)
                    for position, message, level in due:
                        size = 32 + len(message)
                        expected = ring.record(0, position, message, level=level)
                        self.assertTrue(ring.memory(0, position, size) == expected)
                    # The reader takes some of them out.
                    taken = choice.randrange(1, len(due) + 1) if due else 0
                    due = due[taken:]
                    ring.publish(0, due[0][0] if due else ring.word(0, lanes.PRODUCER))
            lane.close()
            found = lanes.dump(ring.path)
            self.assertEqual(found.code, 0, found.said)
            messages = [record["msg"] for record in found.records]
            self.assertEqual(messages, [message.decode() for _, message, _ in due])


if __name__ == "__main__":
    unittest.main()
