"""The functions that existing programs call, in programs of their own (roles_setup): what is
in the log files at the end, and that neither a ring nor a process is left."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import unittest
from collections import Counter
from pathlib import Path
from typing import Any

from . import support
from .support import Ended, Play

METHODS = ("fork", "spawn", "forkserver")
ENABLED = "Multiprocessing-safe logging enabled: logs in "


def worked(worker: str, count: int = 10) -> Counter[str]:
    """The messages of roles_setup.work."""
    messages = [f"{worker} {n}" for n in range(count)]
    return Counter([*messages, f"{worker} plain", f"{worker} trade"])


# What the documents show, with a pool.
PROGRAM = """
import logging, multiprocessing, sys
import ringlog

log = ringlog.setup_logger(__name__, use_multiprocessing=True)

def trial(n):
    log.info("trial %d begins", n)
    logging.getLogger(__name__).warning("trial %d ends", n)

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[2])
    ringlog.setup_multiprocessing_logging(log_dir=sys.argv[1], format="json")
    pool = multiprocessing.Pool(2)
    pool.map(trial, range(4), chunksize=1)
    pool.close()
    pool.join()
    log.info("study ends")
"""


class SetupTest(unittest.TestCase):
    def setUp(self) -> None:
        self.logs = support.folder(self) / "logs"

    def begin(self, role: str, *arguments: str, **variables: str) -> Play:
        return Play(self, "roles_setup", role, str(self.logs), *arguments, **variables)

    def play(self, role: str, *arguments: str, code: int = 0, **variables: str) -> Ended:
        play = self.begin(role, *arguments, **variables)
        ended = play.end(code)
        self.nothing_left(play)
        self.cwd = play.where
        return ended

    def nothing_left(self, play: Play) -> None:
        play.all_gone()
        rings = [line for line in play.out.splitlines() if line.endswith(".ring")]
        self.assertEqual([ring for ring in rings if os.path.lexists(ring)], [])

    def messages(self, name: str = "app.log", folder: Path | None = None) -> Counter[str]:
        return Counter(r["msg"] for r in self.records(name, folder))

    def records(self, name: str = "app.log", folder: Path | None = None) -> list[dict[str, Any]]:
        return support.lines((folder or self.logs) / name)

    # Set-up, loggers, shutdown

    def test_module_level_loggers_log_whatever_way_their_process_was_started(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                self.setUp()
                ended = self.play("study", method)
                due = worked("main") + worked("w0") + worked("w1") + worked("w2")
                # After the shutdown records go to the same files.
                self.assertEqual(self.messages(), due + Counter(["after"]))
                trades = Counter({m: n for m, n in due.items() if m.endswith("trade")})
                self.assertEqual(self.messages("trades.log"), trades)
                told = f"{ENABLED}{self.logs} (app.log, orders.log, trades.log)\n"
                self.assertIn(told, ended.out)
                self.assertEqual(ended.err, "")
                # Before, the options are those of a program without set-up.
                before = (self.cwd / "logs" / "app.log").read_text()
                self.assertRegex(before, r"^[^\n]*before\n$")

    def test_without_arguments_all_is_in_one_file_before_during_and_after(self) -> None:
        self.play("default")
        text = (self.cwd / "logs" / "app.log").read_text()
        line = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}(\d{3})? - study\.module - INFO - "
        self.assertRegex(text.splitlines()[0], f"^{line}before$")
        self.assertRegex(text.splitlines()[-1], f"^{line}after$")
        for message in ("w0 0", "w0 1", "bought 7"):
            self.assertEqual(text.count(f"INFO - {message}"), 1, text)
        trades = (self.cwd / "logs" / "trades.log").read_text()
        self.assertEqual(len(trades.splitlines()), 2, trades)

    def test_braces_in_names_of_files_are_no_fields(self) -> None:
        self.play("braces")
        folder = self.logs / "{study}"
        self.assertEqual(sorted(os.listdir(folder)), ["{trial}.log", "}a{{b}}.log"])
        for name in os.listdir(folder):
            self.assertEqual(self.messages(name, folder), Counter(["bought"]))

    def test_a_program_that_is_a_file_of_its_own_as_the_documents_show_it(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                self.setUp()
                done = support.script(PROGRAM, str(self.logs), method)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                due = [f"trial {n} {what}" for n in range(4) for what in ("begins", "ends")]
                self.assertEqual(self.messages(), Counter([*due, "study ends"]))

    def test_a_detach_in_the_main_process_ends_nothing(self) -> None:
        self.play("detached")
        records = self.records()
        self.assertEqual(
            Counter(r["msg"] for r in records), Counter(["one", "two", "of a child", "three"])
        )

    def test_a_thread_that_logs_on_does_not_hold_the_shutdown_up(self) -> None:
        play = self.begin("shutdown_with_a_thread")
        ended = play.end()
        self.assertIn("shut down", ended.out)
        self.assertNotIn("waiting", ended.err)

    def test_a_rule_changes_the_levels_of_its_loggers_alone_and_for_as_long_as_it_holds(
        self,
    ) -> None:
        self.play("rules")
        due = ["the rules change", "by hand", "by a rule", "by a rule, set up again"]
        self.assertEqual(self.messages(), Counter([*due, "the rules change again"]))

    def test_a_ring_that_nobody_drains_is_told_of(self) -> None:
        ring = support.ring(self)
        play = self.begin("adopt", RINGLOG_RING=ring)
        ended = play.end()
        self.assertRegex(ended.err, rf"nobody drains {re.escape(ring)}, .*ringlog drain --ring")
        self.assertFalse(self.logs.exists())

    def test_called_again_it_is_harmless(self) -> None:
        ended = self.play("again")
        self.assertEqual(self.messages(), Counter({"child": 8, "once more": 1, "second ring": 1}))
        first, _, rest = ended.err.partition("no warning so far\n")
        self.assertEqual(first, "")
        self.assertRegex(rest, r"^ringlog: set up already[^\n]*ignored[^\n]*\n$")
        self.assertEqual(ended.out.count(ENABLED), 2)

    def test_records_of_exit_functions_are_logged(self) -> None:
        for first in ("ringlog", "util"):
            with self.subTest(first=first):
                self.setUp()
                ended = self.play("at_exit", first)
                due = Counter(["registered before set-up", "registered after set-up"])
                due += Counter(["child", "end of main", "registered before the import"])
                self.assertEqual(self.messages(), due)
                self.assertEqual(ended.err, "")

    def test_a_main_process_that_fails_logs_to_its_end(self) -> None:
        ended = self.play("raises", code=1)
        self.assertEqual(self.messages(), Counter(["about to fail"]))
        self.assertIn("RuntimeError: on purpose", ended.err)

    def test_a_level_holds_in_all_processes(self) -> None:
        self.play("levels")
        due = ["main, below its own level", "child, below its own level"]
        self.assertEqual(self.messages(), Counter(due))

    def test_under_ringlog_run_there_is_nothing_to_set_up(self) -> None:
        play = self.begin("study", "fork")
        play.end()
        out = support.folder(self) / "run.json"
        command = [support.ringlog(), "run", "--format", "json", "--out", str(out), "--"]
        done = subprocess.run(
            [*command, sys.executable, *play.command[1:]],
            cwd=support.folder(self),
            env=support.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=support.DEADLINE,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(ENABLED.encode(), done.stdout)
        due = worked("main") + worked("w0") + worked("w1") + worked("w2")
        self.assertEqual(self.messages(out.name, out.parent), due + Counter(["before", "after"]))

    # Who is killed

    def test_a_killed_main_process_leaves_a_drain_that_ends_after_the_workers(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                self.setUp()
                play = self.begin("until_told", method)
                play.says("workers log")
                play.process.kill()
                play.end(-signal.SIGKILL)
                noted = self.noted()
                support.wait_for("more records", lambda: self.noted() > noted + 100)
                (self.logs / "stop").touch()
                self.nothing_left(play)
                self.assertEqual(self.counted("w0") + self.counted("w1"), self.noted())
                (vanished,) = support.told(self.records())
                self.assertEqual(vanished["event"], "vanished")
                self.assertEqual(vanished["pid"], play.process.pid)

    def noted(self) -> int:
        """How many records the workers of until_told have logged."""
        texts = [path.read_text() for path in self.logs.glob("*Process*")]
        return sum(int(text.split()[1]) for text in texts if text)

    def counted(self, worker: str) -> int:
        numbers = [m.split()[1] for m in self.messages().elements() if m.startswith(worker)]
        self.assertEqual(sorted(map(int, numbers)), list(range(len(numbers))))
        return len(numbers)

    def test_a_killed_drain_is_started_again_and_nothing_is_lost_or_doubled(self) -> None:
        ended = self.play("drain_killed")
        due = worked("main", 100) + worked("w0", 100) + worked("full", 3000)
        due += Counter({"between": 2, "last": 1})
        self.assertEqual(self.messages(), due)
        self.assertEqual(ended.err.count("started again"), 4, ended.err)

    def test_a_drain_that_is_killed_while_the_main_process_waits_is_started_by_a_worker(
        self,
    ) -> None:
        ended = self.play("main_waits")
        self.assertEqual(self.messages(), worked("w0", 3000) + Counter(["before"]))
        self.assertEqual(ended.err.count("started again"), 1, ended.err)

    def test_ctrl_c_in_a_terminal_does_not_reach_the_drain(self) -> None:
        pid, terminal = pty.fork()
        if pid == 0:
            made = support.environment()
            os.chdir(self.logs.parent)
            command = [sys.executable, "-m", "tests.roles_setup", "interrupted", str(self.logs)]
            os.execve(sys.executable, command, made)
        self.addCleanup(os.close, terminal)
        try:
            said = read_until(terminal, b"main waits", b"w0 waits")
            os.write(terminal, b"\x03")
            said += read_until(terminal)
        finally:
            code = reap(pid)
        self.assertIn(code, (-signal.SIGINT, 1), said)  # 1: of `python -m`
        self.assertNotIn(b"started again", said)
        due = [f"{who} {what}" for who in ("main", "w0") for what in ("begins", "cleans up")]
        self.assertEqual(self.messages(), Counter(due))
        ring = next(line for line in said.decode().split() if line.endswith(".ring"))
        self.assertFalse(os.path.lexists(ring))

    def test_shutdown_waits_for_a_child_that_logs_or_leaves_the_drain_to_it(self) -> None:
        for timeout, where in (("0.7", "is there"), ("50", "is gone")):
            with self.subTest(timeout=timeout):
                self.setUp()
                play = self.begin("still_logging", timeout)
                # Who is held up for the 0.2 s from one to the other says the second alone.
                said = ("waiting up to", "goes on until")[: 2 if timeout == "0.7" else 1]
                support.wait_for("its message", lambda: any(s in play.err for s in said))
                self.assertIn("ForkProcess-1 (pid ", play.err)
                if where == "is there":
                    play.says("shut down, ring is there")
                    self.assertIn("goes on until the last process", play.err)
                (self.logs / "stop").touch()
                play.says(f"shut down, ring {where}")
                play.end()
                self.nothing_left(play)
                self.assertEqual(self.counted("w0"), self.noted())
                self.assertEqual(support.told(self.records()), [])

    def test_a_program_without_standard_streams(self) -> None:
        self.play("closed")
        self.assertEqual(self.messages(), worked("main") + worked("fork") + worked("spawn"))


def read_until(terminal: int, *texts: bytes) -> bytes:
    """What a terminal shows until all texts are there; without any, until it is closed."""
    said, deadline = b"", time.monotonic() + support.DEADLINE
    while not texts or not all(text in said for text in texts):
        if not select.select([terminal], [], [], deadline - time.monotonic())[0]:
            raise AssertionError(f"{texts} did not come: {said!r}")
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            return said  # its last process has closed it
        if not piece:
            return said
        said += piece
    return said


def reap(pid: int) -> int:
    """The exit code of a child of the test's, which is killed if it does not end."""
    deadline = time.monotonic() + support.DEADLINE
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


if __name__ == "__main__":
    unittest.main()
