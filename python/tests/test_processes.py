"""Worker processes of every kind: each record is in the log once, and who ended as
processes do has closed its lane, so that nobody is said to have vanished."""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import unittest
from collections import Counter
from typing import Any

from . import roles_mixed, support
from .roles_processes import COUNT
from .support import Draining, Play, by_thoroughness

SMALL = ("--lanes", "32", "--lane-size", "128KiB")
# For who claims lanes faster than a drain that is held up may free them.
MANY = ("--lanes", "4096", "--lane-size", "64KiB")
METHODS = ("fork", "spawn", "forkserver")


class ProcessesTest(unittest.TestCase):
    def play(
        self,
        *arguments: str,
        code: int = 0,
        handed: bool = True,
        lanes: tuple[str, ...] = SMALL,
    ) -> list[dict[str, Any]]:
        """Plays a role beside a drain, to its end; returns the log."""
        self.path = support.ring(self, *lanes)
        drain = Draining(self, self.path)
        variables = {"RINGLOG_RING": self.path} if handed else {}
        arguments = tuple(self.path if a == "RING" else a for a in arguments)
        play = Play(self, "roles_processes", *arguments, **variables)
        self.out = play.end(code).out
        play.all_gone()
        return drain.end()

    def complete(
        self, records: list[dict[str, Any]], *workers: str, count: int = COUNT
    ) -> list[dict[str, Any]]:
        """Each of workers has each of its records in the log once; returns what ringlog says."""
        found: dict[str, Counter[int]] = {}
        for record in records:
            if record["logger"] != "ringlog":
                attributes = record["attrs"]
                self.assertEqual(record["pid"], attributes["me"])
                found.setdefault(attributes["who"], Counter()).update([attributes["n"]])
        self.assertEqual(found, {worker: Counter(range(count)) for worker in workers})
        return support.told(records)

    def all_closed(
        self, records: list[dict[str, Any]], *workers: str, count: int = COUNT
    ) -> None:
        self.assertEqual(self.complete(records, *workers, count=count), [])

    def test_processes_of_multiprocessing(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                records = self.play("process", method)
                self.all_closed(records, "main", "w0", "w1", "w2")
                names = {r["attrs"]["who"]: r["worker"] for r in records}
                self.assertEqual(names["main"], "roles_processes.py")
                self.assertRegex(names["w1"], r"^(Fork|Spawn|ForkServer)Process-2$")

    def test_a_forkserver_that_was_started_before_there_was_a_ring(self) -> None:
        records = self.play("early_forkserver", "RING", handed=False)
        # The server itself is Process-1's, which logged nothing.
        self.all_closed(records, "main", "w0", "w1", "w2")

    def test_a_handler_that_is_handed_to_a_child(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                records = self.play("handed_over", method)
                self.all_closed(records, "w0")
                self.assertEqual({r["worker"] for r in records}, {"handed over"})

    def test_a_pool_that_is_closed_and_joined(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                self.all_closed(self.play("pool", method, "close"), *(f"w{i}" for i in range(6)))

    def test_a_pool_that_is_terminated_loses_nothing_but_its_workers_vanish(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                records = self.play("pool", method, "terminate")
                said = self.complete(records, *(f"w{i}" for i in range(6)))
                # Its workers get a signal, maybe in the middle of an append.
                self.assertLessEqual({r["event"] for r in said}, {"vanished", "torn"})

    def test_an_executor_of_concurrent_futures(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                self.all_closed(self.play("executor", method), *(f"w{i}" for i in range(6)))

    def test_workers_of_joblib(self) -> None:
        done = subprocess.run([sys.executable, "-c", "import joblib"], stderr=subprocess.DEVNULL)
        if done.returncode:
            self.skipTest("no joblib for this Python")
        for backend in ("loky", "multiprocessing", "threading"):
            with self.subTest(backend=backend):
                records = self.play("joblib", backend)
                said = self.complete(records, *(f"w{i}" for i in range(6)))
                # Its pool of multiprocessing is terminated by itself.
                may = {"vanished", "torn"} if backend == "multiprocessing" else set()
                self.assertLessEqual({r["event"] for r in said}, may)

    def test_a_ring_never_gets_the_number_of_a_standard_stream_that_is_closed(self) -> None:
        ring = support.ring(self)
        source = """
            import logging, os, sys
            for fd in range(3):
                os.close(fd)
            import ringlog
            log = logging.getLogger("closed")
            log.addHandler(ringlog.RingHandler())
            log.warning("one")
            for fd in range(3):
                if os.path.lexists(f"/proc/self/fd/{fd}"):
                    os._exit(10 + fd)
            """
        done = support.script(textwrap.dedent(source), RINGLOG_RING=ring)
        self.assertEqual(done.returncode, 0, done.stderr)
        support.run("drain", "--once", "--ring", ring, "--out", os.devnull)

    def test_processes_of_subprocess(self) -> None:
        self.all_closed(self.play("subprocesses"), "w0", "w1", "w2")

    def test_threads_share_the_lane_of_their_process(self) -> None:
        records = self.play("threads")
        self.all_closed(records, *(f"w{i}" for i in range(8)), count=500)
        self.assertEqual(len({r["id"].rsplit("-", 1)[0] for r in records}), 1)
        self.assertEqual([r["seq"] for r in records], list(range(1, 4001)))

    def test_a_detach_while_threads_log_ends_no_lane_but_by_closing_it(self) -> None:
        records = self.play("detaching", lanes=MANY)
        self.all_closed(records, *(f"w{i}" for i in range(8)), count=500)

    def test_a_thread_that_logs_when_the_interpreter_ends(self) -> None:
        records = self.play("daemon_thread")
        accepted = len(self.out.split())
        found = [r["attrs"]["n"] for r in records if r["logger"] != "ringlog"]
        self.assertEqual(found, list(range(len(found))))
        self.assertGreaterEqual(len(found), accepted)

    def test_tasks_and_threads_of_asyncio(self) -> None:
        self.all_closed(self.play("tasks"), *(f"w{i}" for i in range(6)))

    def test_a_worker_that_ends_early_closes_its_lane_where_python_lets_it(self) -> None:
        for how in ("exception", "sys.exit", "detach"):
            with self.subTest(how=how):
                self.all_closed(self.play("ends", how), "w0")
        for how in ("terminate", "os._exit"):
            with self.subTest(how=how):
                said = self.complete(self.play("ends", how), "w0")
                self.assertEqual([r["event"] for r in said], ["vanished"])
                self.assertEqual(said[0]["worker"], "ForkProcess-1")


class Due(logging.Handler):
    """What the log in JSON must have of each record that is logged here."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []
        self._standard = frozenset(logging.makeLogRecord({}).__dict__)

    def emit(self, record: logging.LogRecord) -> None:
        values = record.__dict__
        due = {
            "level": record.levelname,
            "logger": record.name,
            "msg": _escaped(record.getMessage()),
            "attrs": {k: _in_json(v) for k, v in values.items() if k not in self._standard},
            "source": {
                "file": record.pathname,
                "line": record.lineno,
                "function": record.funcName,
            },
            "thread": record.threadName,
        }
        if record.exc_info:
            due["traceback"] = logging.Formatter().formatException(record.exc_info)
        if record.stack_info:
            # Who calls `send` is another one there.
            due["stack"] = record.stack_info.splitlines()[-2:]
        self.records.append(due)


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _in_json(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (bool, int, float, dict)):
        return value
    return _escaped(str(value))


class CompleteTest(unittest.TestCase):
    """Four processes log a bit of everything; one is killed and one is stopped meanwhile."""

    count = by_thoroughness(1000, 3000, 50_000)

    def test_every_accepted_record_is_there_once_and_whole_whoever_is_killed_or_stopped(
        self,
    ) -> None:
        path = support.ring(self, "--lanes", "8", "--lane-size", "1MiB")
        notes = support.folder(self)
        # Enough for the two to be in the middle of it when they are killed and stopped.
        counts = {"w0": 10**9, "w1": max(self.count, 20_000), "w2": self.count, "w3": self.count}
        drain = Draining(self, path)
        plays = {
            worker: Play(
                self, "roles_mixed", worker, str(count), str(notes / worker), RINGLOG_RING=path
            )
            for worker, count in counts.items()
        }

        def noted(worker: str) -> int:
            file = notes / worker
            return file.read_bytes().count(b"\n") if file.exists() else 0

        # First the one that comes to an end by itself.
        for worker, number in (("w1", signal.SIGSTOP), ("w0", signal.SIGKILL)):
            support.wait_for(f"{worker} to log", lambda: noted(worker) > self.count // 4)
            os.kill(plays[worker].process.pid, number)
        plays["w0"].end(-signal.SIGKILL)
        for worker in ("w2", "w3"):
            plays[worker].end(timeout=support.DEADLINE + self.count / 200)
        self.assertLess(noted("w1"), counts["w1"])
        os.kill(plays["w1"].process.pid, signal.SIGCONT)
        plays["w1"].end(timeout=support.DEADLINE + self.count / 200)
        records = drain.end()

        # It may have been killed in the middle of an append.
        told = [(r["event"], r["worker"]) for r in support.told(records) if r["event"] != "torn"]
        self.assertEqual(told, [("vanished", "w0")])
        torn = {r["worker"] for r in support.told(records) if r["event"] == "torn"}
        self.assertLessEqual(torn, {"w0"})
        for worker in counts:
            self.whole([r for r in records if r["worker"] == worker], worker, noted(worker))

    def whole(self, records: list[dict[str, Any]], worker: str, accepted: int) -> None:
        records = [record for record in records if record["logger"] != "ringlog"]
        numbers = [record["attrs"]["n"] for record in records]
        # One that was killed may have been so between a call's end and its note.
        self.assertLessEqual(accepted, len(numbers))
        self.assertLessEqual(len(numbers), accepted + 1)
        self.assertEqual(numbers, list(range(len(numbers))))
        self.assertEqual([r["seq"] for r in records], [n + 1 for n in numbers])
        due = Due()
        kept = logging.root.handlers[:]
        roles_mixed.prepare(due)
        try:
            for record in records:
                roles_mixed.send(worker, record["attrs"]["n"])
                expected = due.records.pop()
                if "stack" in expected:
                    record["stack"] = record["stack"].splitlines()[-2:]
                self.assertEqual({key: record.get(key) for key in expected}, expected)
        finally:
            logging.root.handlers[:] = kept

    def test_what_a_queue_loses_beside_it(self) -> None:
        if by_thoroughness(True, True, False):
            self.skipTest("for comparison only: RINGLOG_TEST=full")
        folder = support.folder(self)
        ended = Play(self, "roles_queue", "4", str(self.count), str(folder)).end(timeout=600)
        said = json.loads(ended.out)
        print(f"\nQueueHandler, one worker killed, one stopped: {ended.out.strip()}", flush=True)
        self.assertGreater(said["accepted"], 2 * self.count)


if __name__ == "__main__":
    unittest.main()
