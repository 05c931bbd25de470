"""What comes in the middle of an append: exceptions, other records, forks; at every instruction."""

from __future__ import annotations

import gc
import itertools
import json
import logging
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
import unittest
from collections import Counter
from types import FrameType
from typing import Any, Callable, NamedTuple, Optional
from unittest import mock
from zlib import crc32

import ringlog
from ringlog import RingHandler, _append, _claim, _file, _handler, _lane, _memory
from ringlog import _process, _wake
from ringlog._file import RingFile
from ringlog._lane import ACCEPTED, GONE, Lane
from ringlog._layout import (
    KIND_RAW,
    LAN_CHECK,
    LAN_CONSUMER,
    LAN_LOST,
    LAN_PRODUCER,
    LAN_STATE,
    LANE_CLOSED,
    LOSS_COUNTERS,
    LOST_FULL,
)

from . import support
from .opcodes import Instructions

MODULES = (_append, _lane, _handler, _wake)
LANE = 64 << 10
LABEL = "{}.{}.{}"


class Case(NamedTuple):
    """What one trial has logged: messages that must be there once, and that may be."""

    label: str
    where: str
    sure: tuple[str, ...]
    maybe: tuple[str, ...]


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("t", logging.WARNING, "t.py", 1, message, (), None)


def tail(lane: Lane, message: str) -> bytes:
    """The arguments' bytes for a raw record."""
    b = message.encode()
    return lane.lost_bytes + struct.pack("<IhBBQ", len(b), 20, KIND_RAW, 0, time.time_ns()) + b


def seen_by_reader(path: str, position: Optional[int] = None, index: Optional[int] = None) -> None:
    """Plays the reader: all of a lane is drained, or never-used lanes stand at position."""
    file = RingFile(path)
    try:
        for lane in range(file.header.lane_count) if index is None else (index,):
            entry = file.header.entry_offset(lane)
            producer = file.word(entry + LAN_PRODUCER) & ~(1 << 63)
            if position is not None:
                producer = position
                os.pwrite(file.fd, struct.pack("<Q", position), entry + LAN_PRODUCER)
            line = struct.pack("<Q", producer) + os.pread(file.fd, 40, entry + LAN_CONSUMER + 8)
            seed = crc32(struct.pack("<QI", file.header.key, lane))
            os.pwrite(file.fd, line, entry + LAN_CONSUMER)
            os.pwrite(file.fd, struct.pack("<Q", crc32(line, seed)), entry + LAN_CHECK)
    finally:
        file.close()


def losses(lane: Lane) -> int:
    """What the lane's counters say; it may be closed."""
    with open(lane.path, "rb") as f:
        f.seek(lane.entry + LAN_LOST)
        return sum(struct.unpack(f"<{LOSS_COUNTERS}Q", f.read(8 * LOSS_COUNTERS)))


def dump(path: str, form: str = "json") -> tuple[int, str, str]:
    done = subprocess.run(
        [os.path.join(os.path.dirname(support.ringlog()), "ringdump"), "--format", form, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=support.DEADLINE,
    )
    return done.returncode, done.stdout, done.stderr


class Strict(RingHandler):
    """Says what the application would get to see on standard error."""

    failed = 0
    why = ""

    def handleError(self, record: logging.LogRecord) -> None:
        self.failed += 1
        self.why = traceback.format_exc()


Call = Callable[[Lane, RingHandler], Any]


class Everywhere(unittest.TestCase):
    """Runs a call once for each of its instructions, with a lane of its own each time."""

    maxDiff = None

    def setUp(self) -> None:
        self.ring = ""
        self.cases: list[Case] = []
        self.faults: list[str] = []
        self.untraced: set[str] = set()  # trials beyond the last instruction
        self.addCleanup(_process.detach)

    def make(self, position: int = 0) -> None:
        self.ring = support.ring(self, "--lanes", "4000", "--lane-size", str(LANE))
        if position:
            seen_by_reader(self.ring, position)

    def every(self, name: str, call: Call, *, limit: int = 10_000, **options: Any) -> None:
        step = support.by_thoroughness(3, 1, 1)
        for at in range(len(self.cases) % step, limit, step):
            if not self.once(LABEL.format(name, len(self.cases), at), call, at, **options):
                break
            if len(self.faults) > 20:
                break
        self.assertGreater(at, 10, f"nothing was traced; {self.faults}")

    def once(
        self,
        label: str,
        call: Call,
        at: int,
        *,
        nested: bool = False,
        raising: bool = False,
        fork: bool = False,
        recovery: Optional[int] = None,
        prepare: Optional[Callable[[Lane], None]] = None,
        after: Optional[Callable[[Lane], None]] = None,
        writes: bool = True,
        last: bool = True,
    ) -> bool:
        """One trial; False: there is no such instruction."""
        _process.detach()
        lane = _process.attach(self.ring, label)
        handler = Strict(ring=self.ring, label=label, timeout=0.001)
        if prepare is not None:
            prepare(lane)
        child = -1

        def act(frame: FrameType) -> None:
            nonlocal child
            if nested:
                handler.emit(record("nested"))
            if fork:
                child = os.fork()
            if raising:
                raise KeyboardInterrupt

        counted = Instructions(MODULES, at, act)
        again = Instructions(MODULES, 1 << 30 if recovery is None else recovery, _interrupt)
        sure, maybe = [], []
        if recovery is not None:
            sys.setprofile(_resumes(again))
        try:
            counted.run(lambda: call(lane, handler))
            (sure if writes else []).append("op")
        except KeyboardInterrupt:
            (maybe if writes else []).append("op")
        finally:
            sys.setprofile(None)
            sys.settrace(None)
            if child == 0:
                _end_child(handler)
        if not counted.where or (recovery is not None and not again.where):
            self.untraced.add(label)
            return False
        where = f"{label} at {counted.where} {again.where}"
        if fork and not _ends(child):
            self.faults.append(f"{where}: the child hangs, or a record of it failed")
        if handler.failed:
            self.faults.append(f"{where}: a record went to handleError")
        if after is not None:
            after(lane)
        if nested:
            sure.append("nested")
        if last:
            sure += ["other", "next"]
            # The interpreter that runs the tests cannot be interrupted everywhere that a
            # trace function can raise: where it cannot, the lock may stay taken.
            if not (counted.signals and (recovery is None or again.signals)):
                while raising and lane._lock._is_owned():  # type: ignore[attr-defined]
                    lane._lock.release()
            thread = threading.Thread(
                target=handler.emit, args=(record("other"),), daemon=True
            )
            thread.start()
            thread.join(support.DEADLINE if not self.faults else 0.2)
            if thread.is_alive():
                self.faults.append(f"{where}: another thread hangs")
                while lane._lock._is_owned():  # type: ignore[attr-defined]
                    lane._lock.release()
                thread.join()
            handler.emit(record("next"))
        _process.detach()
        self.cases.append(Case(label, where, tuple(sure), tuple(maybe)))
        return True

    def judge(self) -> None:
        """The ring is sound, and every trial's records are there as often as they should be."""
        code, out, err = dump(self.ring)
        due = ("(aborted)", "(full")
        said = [line for line in err.splitlines() if not any(x in line for x in due)]
        found: dict[str, Counter[str]] = {}
        for line in out.splitlines():
            r = json.loads(line)
            if r["msg"].startswith("lost "):
                continue  # the log's own line about an abort
            if r["worker"] in self.untraced:
                continue
            key = r["worker"] if r["pid"] == os.getpid() else r["worker"] + "/child"
            found.setdefault(key, Counter())[r["msg"]] += 1
        for case in self.cases:
            there = found.pop(case.label, Counter())
            there.pop("filler", None)
            wrong = [m for m in case.sure if there[m] != 1]
            wrong += [m for m in case.maybe if there[m] > 1]
            wrong += [m for m in there if m not in case.sure + case.maybe]
            if wrong:
                self.faults.append(f"{case.where}: {wrong} in {dict(there)}")
            child = found.pop(case.label + "/child", None)
            if child is not None and (max(child.values()) > 1 or child["child"] != 1):
                self.faults.append(f"{case.where}: the child has {dict(child)}")
        self.assertEqual("", "\n".join(self.faults[:20]))
        self.assertEqual({}, found)
        self.assertEqual((0, []), (code, said[:20]), "ringdump")


def _interrupt(frame: FrameType) -> None:
    raise KeyboardInterrupt


def _resumes(again: Instructions) -> Callable[..., None]:
    """A profile function that has the instructions of a recovery counted, too."""

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code is Lane._repair.__code__ and not again.seen:
            again.resume(frame)

    return profile


def _end_child(handler: Strict) -> None:
    try:
        handler.emit(record("child"))
        ringlog.detach()
    finally:
        os._exit(handler.failed)


def _ends(child: int) -> bool:
    deadline = time.monotonic() + support.DEADLINE
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status == 0
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def append(lane: Lane, handler: RingHandler) -> None:
    lane.append(tail(lane, "op"), True)


def emit(lane: Lane, handler: RingHandler) -> None:
    handler.emit(record("op"))


def lose(lane: Lane, handler: RingHandler) -> None:
    lane.lose(LOST_FULL, False)


def wait(lane: Lane, handler: RingHandler) -> None:
    lane.wait(tail(lane, "op"), True, 0.001)


def fill(lane: Lane) -> None:
    for size in (4000, 400, 8):
        while lane.append(tail(lane, "filler".ljust(size)), True) == ACCEPTED:
            pass


# The owner record and, behind it, less than a record is left of the lap.
WRAP = LANE - 128 - 40
HOW = ({"raising": True}, {"nested": True}, {"nested": True, "raising": True}, {"fork": True})


class AtEveryInstruction(Everywhere):
    def test_of_append_nothing_is_lost_doubled_torn_or_stuck(self) -> None:
        self.make()
        for how in HOW:
            self.every("append", append, **how)
        self.judge()

    def test_of_an_append_over_the_lanes_end_neither(self) -> None:
        self.make(WRAP)
        for how in HOW:
            self.every("wrap", append, **how)
        self.judge()

    def test_of_the_handlers_emit_neither(self) -> None:
        self.make()
        for how in HOW:
            self.every("emit", emit, **how)
        self.judge()

    def test_of_counting_a_loss_neither(self) -> None:
        self.make()
        for how in HOW:
            self.every("lose", lose, writes=False, **how)
        self.judge()

    def test_of_waiting_for_room_neither(self) -> None:
        self.make()

        def after(lane: Lane) -> None:
            total = losses(lane)
            if total > 2:  # the record that waits, and the one that comes in the middle
                self.faults.append(f"{total} losses of 2 records")
            seen_by_reader(self.ring, index=lane.index)

        step = {"prepare": fill, "after": after, "writes": False}
        self.every("wait", wait, raising=True, **step)
        self.every("wait", wait, fork=True, **step)
        self.judge()

    def test_of_close_a_record_that_comes_then_is_not_lost(self) -> None:
        self.make()
        self.every("close", lambda lane, handler: lane.close(), nested=True, writes=False)
        self.every("detach", lambda lane, handler: ringlog.detach(), nested=True, writes=False)
        self.judge()

    def test_of_close_an_exception_leaves_a_lane_that_takes_records_or_is_closed(self) -> None:
        self.make()

        def after(lane: Lane) -> None:
            answer = lane.append(tail(lane, "op"), True)
            with open(self.ring, "rb") as f:
                f.seek(lane.entry + LAN_STATE)
                closed = int.from_bytes(f.read(8), "little") == LANE_CLOSED
            if closed != (answer == GONE):
                self.faults.append(f"closed: {closed}, but append answers {answer}")
            elif answer == ACCEPTED:
                self.kept += 1

        self.kept = 0
        def close(lane: Lane, handler: RingHandler) -> None:
            lane.close()

        for how in ({"raising": True}, {"raising": True, "nested": True}):
            self.every("close", close, after=after, writes=False, **how)
        # "op" is there where it was accepted
        self.cases = [case._replace(maybe=("op",)) for case in self.cases]
        self.judge()

    def test_of_the_recovery_from_an_exception_a_second_one_does_no_harm(self) -> None:
        if sys.version_info >= (3, 12) and "RINGLOG_ALONE" not in os.environ:
            # There, what is traced beside a profile must be the first that is traced at all.
            done = subprocess.run(
                [sys.executable, "-m", "unittest", self.id()],
                cwd=support.PYTHON,
                env={**os.environ, "RINGLOG_ALONE": "1"},
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("Ran 1 test", done.stderr)
            return
        for name, position in (("twice", 0), ("twicewrap", WRAP)):
            for first in self.firsts():
                self.make(position)  # each has its own: all together need more lanes than one has
                self.cases = []
                for second in range(1000):
                    label = LABEL.format(name, first, second)
                    if not self.once(label, append, first, raising=True, recovery=second):
                        break
                if first > 30:
                    self.assertGreater(second, 10)
                self.judge()

    def firsts(self) -> range:
        """Where the first exception comes: in as many places of an append."""
        return range(20, 110, support.by_thoroughness(30, 12, 1))

    def test_of_the_handlers_emit_what_an_exception_keeps_out_of_the_ring_is_counted(self) -> None:
        def act(_: FrameType) -> None:
            raise TimeoutError  # swallowed, as any Exception, by handlers of logging

        self.make()
        counted: dict[str, tuple[str, int]] = {}
        for at in range(10_000):
            _process.detach()
            label = LABEL.format("swallowed", at, at)
            lane = _process.attach(self.ring, label)
            here = Instructions(MODULES, at, act)
            try:
                here.run(lambda: Strict(ring=self.ring, label=label).emit(record("op")))
            except TimeoutError:
                continue  # not swallowed, in the very beginning and at the end
            finally:
                _process.detach()
            if not here.where:
                break
            counted[label] = here.where, losses(lane)
        out = dump(self.ring)[1]
        there = {r["worker"] for r in map(json.loads, out.splitlines()) if r["msg"] == "op"}
        wrong = [x for label, x in counted.items() if x[1] + (label in there) != 1]
        self.assertGreater(len(counted), 50)
        # But for some between one that accounts for a record and another.
        self.assertLess(len(wrong), 15, wrong)

    def test_a_record_that_came_before_the_exception_is_there_though_none_follows(self) -> None:
        self.make()
        self.every("last", emit, nested=True, raising=True, last=False)
        self.judge()

    def test_an_exception_while_waiting_records_are_written_loses_none_of_them(self) -> None:
        self.make()

        def call(lane: Lane, handler: RingHandler) -> None:
            lane._pending.append((_lane._RECORD, tail(lane, "waited"), True))
            emit(lane, handler)

        self.every("pending", call, raising=True)
        self.cases = [case._replace(sure=(*case.sure, "waited")) for case in self.cases]
        self.judge()


class Attaching(unittest.TestCase):
    def test_an_exception_amid_the_attach_of_a_first_record_leaves_neither_lock_nor_owner(
        self,
    ) -> None:
        template = support.ring(self, "--lanes", "4", "--lane-size", str(LANE))
        modules = (_process, _claim, _file, _append, _lane, _handler)
        self.addCleanup(_process.detach)
        done = 0
        for at in range(0, 10_000, support.by_thoroughness(37, 5, 1)):
            ring = f"{template}.{at}"
            shutil.copyfile(template, ring)
            handler = Strict(ring=ring, label="attach")
            counted = Instructions(modules, at, _interrupt, signals_only=True)
            try:
                counted.run(lambda: handler.emit(record("op")))
            except KeyboardInterrupt:
                pass
            if not counted.where:
                break
            thread = threading.Thread(target=handler.emit, args=(record("other"),), daemon=True)
            thread.start()
            thread.join(support.DEADLINE)
            where = counted.where
            self.assertFalse(thread.is_alive(), f"another thread hangs after {where}")
            self.assertEqual(0, handler.failed, f"{where}: {handler.why}")
            _process.detach()
            del counted
            gc.collect()
            lanes = json.loads(support.run("stat", "--json", ring))["lanes"]
            self.assertNotIn("live", [lane["state"] for lane in lanes], where)
            code, out, err = dump(ring, "raw")
            self.assertEqual((0, 1), (code, out.splitlines().count("other")), where + err)
            os.remove(ring)
            done += 1
        self.assertGreater(done, 10)


    def test_a_record_amid_the_attach_of_a_first_record_is_there_and_no_lane_is_left_over(
        self,
    ) -> None:
        template = support.ring(self, "--lanes", "4", "--lane-size", str(LANE))
        modules = (_process, _claim, _file, _append, _lane, _handler, _memory)
        self.addCleanup(_process.detach)
        done = 0
        for at in range(0, 10_000, support.by_thoroughness(37, 5, 1)):
            ring = f"{template}.{at}"
            shutil.copyfile(template, ring)
            handler = Strict(ring=ring, label="attach")

            def act(_: FrameType, handler: Strict = handler, at: int = at) -> None:
                handler.emit(record("nested"))
                if at % 2:
                    _process.detach()

            counted = Instructions(modules, at, act, signals_only=True)
            counted.run(lambda: handler.emit(record("op")))
            if not counted.where:
                break
            self.assertEqual(0, handler.failed, f"{counted.where}: {handler.why}")
            _process.detach()
            lanes = json.loads(support.run("stat", "--json", ring))["lanes"]
            self.assertEqual({"closed"}, {lane["state"] for lane in lanes}, counted.where)
            code, out, err = dump(ring, "raw")
            found = Counter(out.splitlines())
            self.assertEqual((0, Counter(["op", "nested"])), (code, found), counted.where + err)
            os.remove(ring)
            done += 1
        self.assertGreater(done, 10)


class Signals(Everywhere):
    """Real ones."""

    def setUp(self) -> None:
        super().setUp()
        for number in (signal.SIGALRM, signal.SIGUSR1, signal.SIGINT):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        size = support.by_thoroughness("32MiB", "32MiB", "128MiB")
        self.ring = support.ring(self, "--lanes", "4", "--lane-size", size)
        self.handler = Strict(ring=self.ring, label="signals")
        self.handler.emit(record("first"))

    def messages(self) -> Counter[str]:
        code, out, err = dump(self.ring, "raw")
        self.assertEqual(0, code, err)
        self.assertNotIn("torn", err)
        self.assertEqual(0, self.handler.failed, self.handler.why)
        return Counter(out.splitlines())

    def amid_an_append(self, number: int) -> None:
        """Has the process get a signal in the middle of the append of a record "outer"."""
        real = _append.crc32

        def checksum(data: bytes, seed: int) -> int:
            if b"outer" in data:
                signal.raise_signal(number)
            return real(data, seed)

        with mock.patch.object(_append, "crc32", checksum):
            self.handler.emit(record("outer"))

    def test_a_timers_handler_that_logs_loses_and_doubles_nothing(self) -> None:
        numbers, ticked = itertools.count(1), []

        def on_alarm(number: int, frame: Optional[FrameType]) -> None:
            message = f"tick {next(numbers)}"  # its own, also if another alarm comes meanwhile
            self.handler.emit(record(message))
            ticked.append(message)

        signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
        n = support.by_thoroughness(10_000, 50_000, 200_000)
        for i in range(n):
            self.handler.emit(record(f"record {i}"))
        signal.setitimer(signal.ITIMER_REAL, 0)
        ringlog.detach()
        want = {f"record {i}" for i in range(n)} | set(ticked)
        self.assertGreater(len(ticked), 10)
        self.assertEqual(Counter(want | {"first"}), self.messages())

    def test_an_interrupt_loses_no_record_whose_call_returned(self) -> None:
        def on_alarm(number: int, frame: Optional[FrameType]) -> None:
            self.handler.emit(record(f"interrupted {len(interrupts)}"))
            interrupts.append(0)
            raise KeyboardInterrupt

        interrupts: list[int] = []
        returned: list[str] = []
        signal.signal(signal.SIGALRM, on_alarm)
        for i in range(support.by_thoroughness(500, 3000, 20_000)):
            try:
                # Within a few records, wherever that is.
                signal.setitimer(signal.ITIMER_REAL, 0.00002 + i % 97 * 0.000002)
                for j in itertools.count():
                    message = f"record {i}.{j}"
                    self.handler.emit(record(message))
                    returned.append(message)
            except KeyboardInterrupt:
                pass
        thread = threading.Thread(target=self.handler.emit, args=(record("other"),), daemon=True)
        thread.start()
        thread.join(support.DEADLINE)
        self.assertFalse(thread.is_alive(), "another thread hangs")
        ringlog.detach()
        found = self.messages()
        self.assertEqual([], [m for m, n in found.items() if n > 1 and "lost" not in m])
        returned += [f"interrupted {i}" for i in range(len(interrupts))] + ["first", "other"]
        self.assertEqual(set(), set(returned) - set(found))

    def test_what_an_exception_of_a_signals_handler_keeps_out_of_the_log_is_counted(self) -> None:
        armed, raised, place = False, 0, ""

        def on_alarm(number: int, frame: Optional[FrameType]) -> None:
            nonlocal place
            if armed:
                assert frame is not None
                place = f"{frame.f_code.co_name}:{frame.f_lineno}+{frame.f_lasti}"
                raise TimeoutError  # which logging's handlers swallow, as any Exception

        signal.signal(signal.SIGALRM, on_alarm)
        lane = _process.attach(self.ring)
        swallowed: list[tuple[str, str, int]] = []  # records, where it came, and losses then
        for i in range(support.by_thoroughness(1000, 5000, 50_000)):
            message, failed = f"record {i}", self.handler.failed
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00001 + i % 97 * 0.0000005)
                armed = True
                self.handler.emit(record(message))
                armed = False
            except TimeoutError:
                armed = False
                raised += 1
            if self.handler.failed > failed:
                self.handler.emit(record(f"behind {i}"))  # whose append settles what is left
                swallowed.append((message, place, losses(lane)))
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.handler.failed = 0
        ringlog.detach()
        found = self.messages()
        missing, counted, uncounted = 0, 0, Counter[str]()
        for message, place, total in swallowed:
            if message not in found:
                missing += 1
                if total == counted:
                    uncounted[place] += 1
            counted = total
        self.assertGreater(len(swallowed), 10)
        self.assertGreater(missing, 10)
        # How often a signal comes between an instruction that accounts for a record and the next
        # is chance. But there are few such places: 4 in 3.9, and then one, as append begins.
        few = 4 if sys.version_info < (3, 10) else 1
        self.assertLessEqual(len(uncounted), few, uncounted)
        self.assertLessEqual(losses(lane), len(swallowed) + raised)

    def test_a_handler_that_logs_and_raises_before_the_process_ends_has_its_record_written(
        self,
    ) -> None:
        def on_interrupt(number: int, frame: Optional[FrameType]) -> None:
            self.handler.emit(record("interrupted"))
            raise KeyboardInterrupt

        signal.signal(signal.SIGINT, on_interrupt)
        with self.assertRaises(KeyboardInterrupt):
            self.amid_an_append(signal.SIGINT)
        ringlog.detach()
        self.assertEqual(1, self.messages()["interrupted"])

    def test_a_thousand_records_of_a_handler_amid_an_append_are_all_written(self) -> None:
        def on_user(number: int, frame: Optional[FrameType]) -> None:
            for i in range(1000):
                self.handler.emit(record(f"state {i}"))

        signal.signal(signal.SIGUSR1, on_user)
        self.amid_an_append(signal.SIGUSR1)
        ringlog.detach()
        want = [f"state {i}" for i in range(1000)] + ["first", "outer"]
        self.assertEqual(Counter(want), self.messages())

    def test_a_record_too_large_for_the_lane_amid_an_append_is_counted(self) -> None:
        def on_user(number: int, frame: Optional[FrameType]) -> None:
            self.handler.emit(record("x" * (5 << 20)))

        signal.signal(signal.SIGUSR1, on_user)
        self.amid_an_append(signal.SIGUSR1)
        lane = _process.attach(self.ring)
        ringlog.detach()
        self.assertEqual(1, losses(lane))
        self.assertEqual(1, self.messages()["outer"])

    def test_a_detach_amid_an_append_ends_the_lane_behind_it(self) -> None:
        def on_user(number: int, frame: Optional[FrameType]) -> None:
            self.handler.emit(record("last"))
            ringlog.detach()

        signal.signal(signal.SIGUSR1, on_user)
        self.amid_an_append(signal.SIGUSR1)
        lanes = json.loads(support.run("stat", "--json", self.ring))["lanes"]
        self.assertEqual(["closed"], [lane["state"] for lane in lanes])
        self.assertEqual(Counter(["first", "outer", "last"]), self.messages())

    def test_finalisers_that_log_when_the_collector_runs_amid_appends_lose_nothing(self) -> None:
        handler = self.handler
        finalised = 0

        class Logs:
            def __init__(self) -> None:
                self.me = self  # so that the collector is what ends it

            def __del__(self) -> None:
                nonlocal finalised
                handler.emit(record(f"end {finalised}"))
                finalised += 1

        before = gc.get_threshold()
        self.addCleanup(gc.set_threshold, *before)
        n = support.by_thoroughness(2000, 5000, 50_000)
        for i in range(n):
            Logs()
            gc.set_threshold(1 + i % 40, 1000, 1000)
            handler.emit(record(f"record {i}"))
        gc.set_threshold(*before)
        gc.collect()
        ringlog.detach()
        want = [f"record {i}" for i in range(n)] + [f"end {i}" for i in range(finalised)]
        self.assertEqual(n, finalised)
        self.assertEqual(Counter([*want, "first"]), self.messages())
