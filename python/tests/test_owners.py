"""Who owns a lane: claims of it, the end of an owner, and its death at any instruction."""

from __future__ import annotations

import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import unittest
from types import FrameType
from typing import Any, Callable
from unittest import mock

from ringlog import NoLaneError, NoSpaceError, RetiredError, _append, _claim, _lane, _process
from ringlog._file import RingFile
from ringlog._lane import ACCEPTED, GONE, Lane
from ringlog._layout import LOST_FULL, LOST_TIMEOUT

from . import lanes, support
from .lanes import CLOSED, SIZE, URGENT, LaneTest, Ring, raw
from .opcodes import Instructions

OWNER = 128  # bytes of an owner record
BOOT, EARLIER_BOOT = bytes(range(100, 116)), bytes(range(200, 216))


class OwnersTest(LaneTest):
    def test_closing_gives_the_lane_to_the_reader_and_then_to_the_next(self) -> None:
        ring = self.ring()
        first = self.claim(ring, "first")
        first.append(raw(first.lost_bytes, b"of the first"), False)
        first.close()
        first.close()
        end = OWNER + 48
        self.assertEqual(ring.word(0, lanes.PRODUCER), end | CLOSED)
        self.assertEqual(ring.read(ring.entry(0, lanes.STATE), 8), b"CLOSED  ")
        before = ring.read(0, ring.lanes + SIZE)
        self.assertEqual(first.append(raw(first.lost_bytes, b"late"), True), GONE)
        self.assertEqual(first.lose(LOST_FULL, True), GONE)
        self.assertEqual(first.wait(raw(first.lost_bytes, b"late"), True, 1.0), GONE)
        self.assertTrue(ring.read(0, ring.lanes + SIZE) == before)
        with self.assertRaisesRegex(NoLaneError, "start a reader"):
            self.claim(ring)
        ring.publish(0)
        second = self.claim(ring, "second")
        self.assertEqual((ring.word(0, lanes.GENERATION), ring.word(0, 0x098)), (2, end))
        self.assertEqual(ring.word(0, lanes.PRODUCER), end + OWNER)
        self.assertEqual(first.append(raw(first.lost_bytes, b"late"), True), GONE)
        second.append(raw(second.lost_bytes, b"of the second"), False)
        found = lanes.dump(ring.path)
        self.assertEqual(found.code, 0, found.said)
        said = [(record["worker"], record["msg"]) for record in found.records]
        self.assertEqual(said, [("second", "of the second")])

    def test_a_closed_lane_whose_losses_are_not_in_the_log_is_not_claimed(self) -> None:
        ring = self.ring()
        lane = self.claim(ring)
        ring.publish(0)
        lane.lose(LOST_TIMEOUT, False)
        lane.close()
        with self.assertRaises(NoLaneError):
            self.claim(ring)
        ring.publish(0)
        self.claim(ring)

    def test_each_lane_has_one_owner_and_when_none_is_free_that_is_said(self) -> None:
        ring = self.ring(2)
        owners = [self.claim(ring) for _ in range(2)]
        self.assertEqual([lane.index for lane in owners], [0, 1])
        with self.assertRaisesRegex(NoLaneError, "all 2 have an owner .* more lanes"):
            self.claim(ring)
        owners[0].close()
        ring.publish(0)
        self.assertEqual(self.claim(ring).index, 0)

    def test_lanes_that_have_their_memory_come_first(self) -> None:
        ring = self.ring(3)
        ring.set_word(2, lanes.ALLOCATED, 1)
        self.assertEqual([self.claim(ring).index for _ in range(3)], [2, 0, 1])

    def test_lanes_that_are_damaged_or_contradict_themselves_are_left_alone(self) -> None:
        changes: dict[str, Callable[[Ring], None]] = {
            "damaged": lambda r: r.set_word(0, lanes.STATE, int.from_bytes(b"DAMAGED ", "little")),
            "owned": lambda r: r.set_word(0, lanes.STATE, int.from_bytes(b"OWNED   ", "little")),
            "unknown state": lambda r: r.set_word(0, lanes.STATE, 1),
            "check": lambda r: r.set_word(0, lanes.CHECK, 0),
            "producer ahead": lambda r: r.set_word(0, lanes.PRODUCER, 8),
            "producer behind": lambda r: r.publish(0, 64),
            "odd": lambda r: (r.set_word(0, lanes.PRODUCER, 4), r.publish(0, 4))[0],
            "too far": lambda r: r.begin_at(0, (1 << 63) - 8),
        }
        for name, change in changes.items():
            with self.subTest(name):
                ring = self.ring()
                change(ring)
                before = ring.read(0, ring.lanes)
                with self.assertRaises(NoLaneError):
                    self.claim(ring)
                self.assertTrue(ring.read(0, ring.lanes) == before)

    def test_a_ring_that_is_being_removed_or_is_a_copy_has_no_new_owners(self) -> None:
        def copied(ring: Ring) -> None:
            ring.write(ring.control + 0x80, b"COPY    ")

        def retired(ring: Ring) -> None:
            ring.write(ring.control, b"RETIRED ")

        for change, words in ((retired, "being removed"), (copied, "a copy of a ring")):
            with self.subTest(words):
                ring = self.ring()
                change(ring)
                with self.assertRaisesRegex(RetiredError, words):
                    self.claim(ring)
        ring = self.ring()
        lane = Lane(ring.path)
        os.unlink(ring.path)
        with self.assertRaisesRegex(RetiredError, "being removed"):
            _claim.claim(lane, "late")
        lane.abandon()

    def test_a_ring_that_retires_while_it_is_claimed_gets_its_lock_back(self) -> None:
        ring = self.ring()
        lane = Lane(ring.path)
        really = lane.file.try_lock

        def try_lock(offset: int) -> bool:
            answer = really(offset)
            ring.write(ring.control, b"RETIRED ")
            return answer

        with mock.patch.object(lane.file, "try_lock", try_lock):
            with self.assertRaises(RetiredError):
                _claim.claim(lane, "late")
        other = Lane(ring.path)
        self.assertTrue(other.file.try_lock(ring.entry(0, 0)))
        lane.abandon()
        other.abandon()
        self.assertEqual(ring.word(0, lanes.GENERATION), 0)

    def test_a_lane_last_used_in_another_boot_is_zeroed_before_it_is_claimed(self) -> None:
        ring = self.ring()
        with mock.patch.object(_claim, "_boot_id", lambda: EARLIER_BOOT):
            lane = self.claim(ring)
            for _ in range(10):
                self.put(lane, 4000)
            lane.close()
        ring.publish(0)
        # After a power loss the positions are older than the memory.
        ring.set_word(0, lanes.PRODUCER, OWNER | CLOSED)
        ring.publish(0, OWNER)
        with mock.patch.object(_claim, "_boot_id", lambda: BOOT):
            lane = self.claim(ring)
        self.assertEqual(ring.read(ring.entry(0, lanes.BOOT_ID), 16), BOOT)
        self.assertEqual(set(ring.memory(0, 0, OWNER)), {0})
        self.assertEqual(set(ring.memory(0, 2 * OWNER)), {0})

    def test_memory_that_no_mark_tells_of_is_zeroed_too(self) -> None:
        ring = self.ring()
        ring.write(ring.lanes + 4096, b"of an earlier owner, in a boot that ended by a power loss")
        self.claim(ring)
        self.assertEqual(set(ring.memory(0, OWNER)), {0})

    def test_the_zeros_are_on_disk_before_the_entry_says_which_boot_it_is_of(self) -> None:
        ring = self.ring()
        with mock.patch.object(_claim, "_boot_id", lambda: EARLIER_BOOT):
            lane = self.claim(ring)
            self.put(lane, 4000)
            lane.close()
        ring.publish(0)
        lane = Lane(ring.path)
        seen = []

        class Memory(mmap.mmap):
            """The lane's memory, which says when it was flushed."""

            def flush(self, *_: int) -> None:
                stale = ring.read(ring.entry(0, lanes.BOOT_ID), 16)
                seen.append((stale, set(ring.memory(0)), ring.word(0, lanes.GENERATION)))
                raise InterruptedError("as far as this test needs it")

        def mapped(offset: int, size: int) -> mmap.mmap:
            return Memory(lane.file.fd, size, offset=offset)

        with mock.patch.object(lane.file, "map", mapped):
            with self.assertRaises(InterruptedError):
                _claim.claim(lane, "worker")
        lane.abandon()
        self.assertEqual(seen, [(EARLIER_BOOT, {0}, 1)])

    def test_a_lane_that_another_claimant_has_locked_is_left_to_him(self) -> None:
        ring = self.ring(2)
        other = RingFile(ring.path)
        self.addCleanup(other.close)
        self.assertTrue(other.try_lock(ring.entry(0, 0)))
        self.assertEqual(self.claim(ring).index, 1)

    def test_at_no_instruction_of_an_append_is_there_a_record_behind_the_producer_position(
        self,
    ) -> None:
        ring = self.ring()
        lane = self.claim(ring)
        seen = 0
        for at in range(1000):
            position = ring.word(0, lanes.PRODUCER)
            early: list[str] = []

            def act(
                frame: FrameType, position: int = position, early: list[str] = early
            ) -> None:
                stamp = ring.stamp(position, lanes.COMMITTED)
                stamped = ring.memory(0, position % SIZE, 8) == stamp
                if stamped and ring.word(0, lanes.PRODUCER) == position:
                    early.append(f"{frame.f_code.co_name}:{frame.f_lineno}")

            counted = Instructions((_append, _lane), at, act)
            counted.run(lambda: self.put(lane, 64))
            if not counted.where:
                break
            self.assertEqual(early, [])
            ring.publish(0)
            seen += 1
        self.assertGreater(seen, 50)

    def test_an_owner_record_that_does_not_fit_before_the_lanes_end_goes_behind_it(self) -> None:
        for room in range(8, OWNER + 16, 8):
            with self.subTest(room=room):
                ring = self.ring()
                ring.begin_at(0, SIZE - room)
                lane = self.claim(ring, "edge")
                begin = SIZE - room if room >= OWNER else SIZE
                self.assertEqual(ring.word(0, 0x098), begin)
                self.assertEqual(ring.word(0, lanes.PRODUCER), begin + OWNER)
                if begin == SIZE:
                    self.assertEqual(
                        ring.memory(0, SIZE - room, 8), ring.stamp(SIZE - room, lanes.PADDING)
                    )
                self.assertEqual(ring.memory(0, begin, 8), ring.stamp(begin, lanes.COMMITTED))
                lane.append(raw(lane.lost_bytes, b"first"), False)
                found = lanes.dump(ring.path)
                self.assertEqual((found.code, len(found.records)), (0, 1), found.said)

    def test_a_failed_claim_leaves_no_descriptor_mapping_or_lock(self) -> None:
        ring = self.ring()
        holder = self.claim(ring)
        before = holding(ring.path)
        for _ in range(3):
            with self.assertRaises(NoLaneError):
                _process.attach(ring.path)
        ring.write(ring.control, b"RETIRED ")
        with self.assertRaises(RetiredError):
            _process.attach(ring.path)
        self.assertEqual(holding(ring.path), before)

    def test_closing_leaves_no_descriptor_and_letting_go_no_mapping(self) -> None:
        ring = self.ring()
        for _ in range(3):
            lane = self.claim(ring)
            self.put(lane, 400)
            lane.close()
            ring.publish(0)
        self.lanes.clear()
        del lane
        self.assertEqual(holding(ring.path), [])


def holding(path: str) -> list[str]:
    """This process's descriptors and mappings of a file."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue  # that of the folder itself
        found += [target] if path in target else []
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return found + [line.split()[-1] for line in maps if path in line]


class DeathTest(LaneTest):
    def test_a_claimant_that_dies_at_any_instruction_leaves_a_lane_that_can_be_claimed(
        self,
    ) -> None:
        self.dying((_claim,), lambda ring: self.claim(ring, "dies"), (45, 29, 1))

    def test_an_owner_that_dies_at_any_instruction_of_an_append_loses_nothing_before_it(
        self,
    ) -> None:
        self.dying((_append, _lane), self.appends, (9, 5, 1))

    def test_an_owner_that_dies_at_any_instruction_of_closing_loses_nothing(self) -> None:
        def closes(ring: Ring) -> None:
            self.claimed.append(raw(self.claimed.lost_bytes, b"before"), False)
            self.traced(self.claimed.close)

        self.dying((_lane,), closes, (9, 5, 1))

    def appends(self, ring: Ring) -> None:
        lane = self.claimed
        lane.append(raw(lane.lost_bytes, b"before"), False)
        self.traced(lambda: lane.append(raw(lane.lost_bytes, b"x" * 900), True))

    def dying(
        self, modules: Any, call: Callable[[Ring], Any], strides: tuple[int, int, int]
    ) -> None:
        """For each instruction of modules in call, a child dies there; then this process claims
        the one lane there is, beside a drain, and logs. All of it must be in the log."""
        ring = Ring(support.ring(self, "--lanes", "1", "--lane-size", str(SIZE)))
        drain = support.Draining(self, ring.path)
        choice, done = random.Random(1), 0
        for at in range(0, 100_000, support.by_thoroughness(*strides)):
            pid = os.fork()
            if pid == 0:
                self.die(ring, modules, at, call)
            status = os.waitpid(pid, 0)[1]
            lane = support.wait_for(f"a lane, after {at}", lambda: self.may_claim(ring))
            # Of all sizes, so that the next owner begins anywhere.
            message = b"%d " % done + b"." * choice.randrange(8 * choice.randrange(500) + 1)
            self.assertEqual(lane.append(raw(lane.lost_bytes, message, URGENT), True), ACCEPTED)
            lane.close()
            self.lanes.clear()
            done += 1
            support.wait_for("the drain", lambda: self.drained(ring))
            if status == 0:
                break
            self.assertEqual(status, signal.SIGKILL, f"at instruction {at}")
        self.assertEqual(status, 0)
        self.assertGreater(done, 10)
        records = drain.end()
        numbers = [int(r["msg"].split()[0]) for r in records if r["msg"][:1].isdigit()]
        self.assertEqual(numbers, list(range(done)))
        before = [r for r in records if r["msg"] == "before"]
        self.assertIn(len(before), (0, done))
        self.assertLessEqual({r["event"] for r in support.told(records)}, {"vanished", "torn"})

    def drained(self, ring: Ring) -> bool:
        return ring.word(0, lanes.CONSUMER) | CLOSED == ring.word(0, lanes.PRODUCER)

    def may_claim(self, ring: Ring) -> Any:
        try:
            return self.claim(ring, "lives")
        except NoLaneError:
            return None

    def die(self, ring: Ring, modules: Any, at: int, call: Callable[[Ring], Any]) -> None:
        """In a child: it kills itself before instruction `at` of call, or exits with 0."""
        try:
            sys._getframe().f_trace_opcodes = True  # 3.12 heeds it from the next settrace on
            counted = Instructions(modules, at, lambda frame: os.kill(os.getpid(), signal.SIGKILL))
            if call.__name__ == "<lambda>":
                counted.run(lambda: call(ring))
            else:
                self.claimed = self.claim(ring, "dies")
                self.traced = counted.run
                call(ring)
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)


class SpaceTest(unittest.TestCase):
    SCRIPT = """
import sys
from ringlog import NoSpaceError, _process
lanes = []
try:
    for n in range(20):
        from ringlog import _claim
        from ringlog._lane import Lane
        lane = Lane(sys.argv[1])
        _claim.claim(lane, "worker")
        lanes.append(lane)
        lane.append(lane.lost_bytes + bytes.fromhex("0400000000000100") + bytes(8) + b"text", False)
except NoSpaceError as err:
    print(len(lanes), err)
for lane in lanes:
    lane.close()
"""

    def test_a_file_system_without_room_for_a_lane_is_an_answer_and_kills_nobody(self) -> None:
        if not shutil.which("unshare") or os.geteuid() != 0:
            self.skipTest("needs root, for a file system of its own")
        where = support.folder(self)
        (where / "claims.py").write_text(self.SCRIPT)
        dump = os.path.join(os.path.dirname(support.ringlog()), "ringdump")
        command = (
            'mount -t tmpfs -o size=1M none "$1" || exit 77; '
            '"$2" create "$1/small.ring" --lanes 20 --lane-size 64KiB >&2 || exit; '
            '"$3" "$4" "$1/small.ring" && "$5" --format raw "$1/small.ring"'
        )
        mounted = where / "mounted"
        mounted.mkdir()
        words = [mounted, support.ringlog(), sys.executable, where / "claims.py", dump]
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", command, "sh", *map(str, words)],
            env=support.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=support.DEADLINE,
        )
        if done.returncode == 77 or "unshare" in done.stderr:
            self.skipTest(f"cannot mount: {done.stderr.strip()}")
        self.assertEqual(done.returncode, 0, done.stderr)
        first, *texts = done.stdout.splitlines()
        claimed = int(first.split()[0])
        self.assertTrue(1 <= claimed < 20, first)
        self.assertRegex(first, r"no space for a lane of .*small.ring: wanted 64 KiB, free \d+ KiB")
        self.assertEqual(texts, ["text"] * claimed)


if __name__ == "__main__":
    unittest.main()
