"""A lane without room: what waits, for how long, what is lost, and that it is counted."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import threading
import time
import unittest
from pathlib import Path
from typing import Any

import ringlog
from ringlog import RingHandler, _process

from . import support

SIZE = 1000  # bytes of a record, about


class Full(unittest.TestCase):
    """A small lane, with a drain as a test wants it."""

    maxDiff = None

    def setUp(self) -> None:
        self.path = support.ring(self, "--lanes", "2", "--lane-size", "64KiB")
        self.out = Path(self.path).parent / "out.log"
        self.addCleanup(_process.detach)
        self.sent = 0

    def handler(self, when_full: str, timeout: float) -> RingHandler:
        return RingHandler(ring=self.path, label="full", when_full=when_full, timeout=timeout)

    def send(self, handler: RingHandler, n: int, level: int = logging.INFO) -> None:
        for _ in range(n):
            message = f"number {self.sent} ".ljust(SIZE, ".")
            self.sent += 1
            handler.handle(logging.LogRecord("t", level, "t.py", 1, message, (), None))

    def drain(self, *flags: str) -> subprocess.Popen[bytes]:
        """Starts a drain, and returns when it runs."""
        ready, tell = os.pipe()
        command = [support.ringlog(), "drain", "--ring", self.path, "--out", str(self.out)]
        command += ["--quiet", "--format", "json", f"--ready-fd={tell}", *flags]
        process = subprocess.Popen(
            command, pass_fds=[tell], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.addCleanup(_end, process)
        os.close(tell)
        with open(ready, "rb") as f:
            self.assertEqual(b"ready\n", f.readline())
        return process

    def drain_once(self) -> None:
        flags = ("--out", str(self.out), "--format", "json", "--once", "--quiet")
        support.run("drain", "--ring", self.path, *flags)

    def lost(self, index: int = 0) -> dict[str, dict[str, int]]:
        lanes = json.loads(support.run("stat", "--json", self.path))["lanes"]
        return {k.replace(" ", "_"): v for k, v in lanes[index]["lost"].items()}

    def drained(self) -> tuple[list[int], int]:
        """The numbers of the records in the log, and how many it says are lost."""
        ringlog.detach()
        self.drain_once()
        numbers, lost = [], 0
        for line in self.out.read_text().splitlines():
            message = json.loads(line)["msg"]
            said = re.match(r"lost (\d+) records? \(", message)
            if said:
                lost += int(said[1])
            elif message.startswith("number "):
                numbers.append(int(message.split()[1]))
        return numbers, lost

    def check(self, lost: int) -> list[int]:
        """Every record is in the log, once and in order, or counted as lost there."""
        numbers, said = self.drained()
        self.assertEqual(lost, said)
        self.assertEqual(sorted(set(numbers)), numbers)
        self.assertEqual(self.sent, len(numbers) + lost)
        return numbers


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
    process.wait()


def total(lost: dict[str, dict[str, int]]) -> int:
    return sum(n for by_band in lost.values() for n in by_band.values())


class WithoutAReader(Full):
    def test_drop_counts_at_once_what_finds_no_room_and_leaves_an_eighth_for_warnings(
        self,
    ) -> None:
        handler = self.handler("drop", 60)
        self.send(handler, 100)
        self.send(handler, 20, logging.WARNING)
        lost = self.lost()
        self.assertEqual(["full"], list(lost))
        self.assertGreater(lost["full"]["below_warning"], 40)
        self.assertGreater(lost["full"]["warning_and_above"], 10)
        numbers = self.check(total(lost))
        self.assertGreater(len([n for n in numbers if n >= 100]), 5)
        self.assertEqual([], [n for n in numbers if 60 < n < 100])

    def test_block_waits_once_for_a_reader_that_never_was_and_counts_it_so(self) -> None:
        handler = self.handler("block", 0.3)
        begin = time.monotonic()
        self.send(handler, 300)
        self.assertLess(time.monotonic() - begin, 20)  # not 240 times 0.3 s
        self.assertGreater(time.monotonic() - begin, 0.29)
        lost = self.lost()
        self.assertEqual(["no_reader"], list(lost))
        self.check(total(lost))

    def test_threads_share_one_timeout(self) -> None:
        handler = self.handler("block", 0.4)
        self.send(handler, 70)  # full: this took the timeout
        self.drain_once()
        self.send(handler, 54)

        def work() -> None:
            for _ in range(100):
                handler.handle(logging.LogRecord("t", 20, "t.py", 1, "x" * SIZE, (), None))

        threads = [threading.Thread(target=work) for _ in range(8)]
        before = total(self.lost())
        begin = time.monotonic()
        for t in threads:
            t.start()
        for t in threads:
            t.join(support.DEADLINE)
        self.assertFalse(any(t.is_alive() for t in threads))
        self.assertLess(time.monotonic() - begin, 30)  # 0.4 s, not 100 times as much
        self.assertGreaterEqual(total(self.lost()) - before, 790)

    def test_a_loss_is_reported_though_no_record_follows_it(self) -> None:
        handler = self.handler("drop", 0)
        self.send(handler, 70)
        ringlog.detach()
        numbers, lost = self.drained()
        self.assertEqual(self.sent, len(numbers) + lost)
        self.assertGreater(lost, 5)

    def test_records_flow_again_when_a_reader_comes(self) -> None:
        handler = self.handler("block", 0.05)
        self.send(handler, 100)
        lost = total(self.lost())
        self.drain("--until-detached")
        deadline = time.monotonic() + support.DEADLINE
        while self.backlog() and time.monotonic() < deadline:
            time.sleep(0.001)
        handler.timeout = 30
        self.send(handler, 500)
        self.assertEqual(lost, total(self.lost()))
        ringlog.detach()
        self.ended()
        self.check(lost)

    def backlog(self) -> int:
        lanes = json.loads(support.run("stat", "--json", self.path))["lanes"]
        return int(lanes[0]["backlog_bytes"])

    def ended(self) -> None:
        """Waits until the drain with --until-detached is gone."""
        deadline = time.monotonic() + support.DEADLINE
        while time.monotonic() < deadline:
            if not json.loads(support.run("stat", "--json", self.path))["reader"]["running"]:
                return
            time.sleep(0.005)
        self.fail("the drain does not end")


class WithAReader(Full):
    def test_block_loses_nothing_to_a_reader_that_is_slower_than_the_writers(self) -> None:
        drain = self.drain()
        handler = self.handler("block", 30)
        stop = threading.Event()

        def hold() -> None:  # stopped and continued, it is slow indeed
            while not stop.is_set():
                drain.send_signal(signal.SIGSTOP)
                stop.wait(0.02)
                drain.send_signal(signal.SIGCONT)
                stop.wait(0.005)

        holder = threading.Thread(target=hold)
        holder.start()
        try:
            self.send(handler, support.by_thoroughness(1000, 2000, 20_000))
        finally:
            stop.set()
            holder.join()
        self.assertEqual({}, self.lost())
        drain.terminate()
        drain.wait(support.DEADLINE)
        self.check(0)

    def test_a_reader_that_is_stopped_costs_one_timeout_and_is_not_called_missing(self) -> None:
        drain = self.drain()
        handler = self.handler("block", 0.2)
        self.send(handler, 1)
        drain.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        self.send(handler, 300)
        self.assertLess(time.monotonic() - begin, 20)
        lost = self.lost()
        self.assertEqual(["timeout"], list(lost))
        drain.send_signal(signal.SIGCONT)
        drain.terminate()
        drain.wait(support.DEADLINE)
        self.check(total(lost))

    def test_a_reader_that_is_killed_costs_one_timeout_and_is_called_missing(self) -> None:
        drain = self.drain()
        handler = self.handler("block", 0.2)
        self.send(handler, 1)
        drain.kill()
        drain.wait()
        begin = time.monotonic()
        self.send(handler, 300)
        self.assertLess(time.monotonic() - begin, 20)
        lost = self.lost()
        self.assertEqual(["no_reader"], list(lost))
        self.check(total(lost))

    def test_threads_that_wait_lose_and_double_nothing(self) -> None:
        drain = self.drain()
        handler = self.handler("block", 30)
        n = support.by_thoroughness(200, 400, 4000)

        def work(t: int) -> None:
            for i in range(n):
                message = f"number {t * n + i} ".ljust(SIZE, ".")
                handler.handle(logging.LogRecord("t", 20, "t.py", 1, message, (), None))

        threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({}, self.lost())
        drain.terminate()
        drain.wait(support.DEADLINE)
        numbers, lost = self.drained()
        self.assertEqual((list(range(4 * n)), 0), (sorted(numbers), lost))

    def test_a_record_larger_than_an_eighth_is_counted_and_does_not_wait(self) -> None:
        handler = self.handler("block", 60)
        self.send(handler, 2)
        for size in (8 << 10, 20_000, 60_000, 70_000, 10 << 20):
            handler.handle(logging.LogRecord("t", 20, "t.py", 1, "x" * size, (), None))
        self.send(handler, 2)
        self.assertEqual({"below_warning": 5, "warning_and_above": 0}, _too_large(self.lost()))
        numbers, lost = self.drained()
        self.assertEqual(([0, 1, 2, 3], 5), (numbers, lost))


def _too_large(lost: dict[str, Any]) -> Any:
    return lost.get("too_large")
