"""Set-up where something is in its way: no room, no rights, no binary, no Linux. The program
logs all the same, is told once what to do, and nothing is left."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import unittest
from collections import Counter
from pathlib import Path

from . import support
from .support import Ended, Play
from .test_setup import ENABLED, worked

# What Python looks like where there is no fcntl: multiprocessing and what else chooses by
# platform when it is imported is imported before.
ELSEWHERE = """
import asyncio, concurrent.futures, ctypes, importlib.abc, json, logging.handlers
import multiprocessing.pool, multiprocessing.util, platform, shutil, sys, types

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name in ("fcntl", "mmap", "resource", "termios"):
            raise ImportError(f"no module {name} on this platform")

sys.meta_path.insert(0, Blocked())
for name in ("fcntl", "mmap", "resource", "termios"):
    sys.modules.pop(name, None)
sys.platform = sys.argv[1]
if sys.platform == "win32":  # of which shutil.which asks
    shutil._winapi = types.SimpleNamespace(NeedCurrentDirectoryForExePath=lambda name: True)

import ringlog, ringlog.doctor

early = ringlog.setup_logger("study", use_multiprocessing=True)
options = json.loads(sys.argv[3])
assert ringlog.setup_multiprocessing_logging(sys.argv[2], **options) == ""
assert ringlog.setup_multiprocessing_logging(sys.argv[2], **options) == ""
early.info("early")
ringlog.get_multiprocessing_logger("trades").info("bought")
with ringlog.trial("s", 1):
    ringlog.get_multiprocessing_logger("trades").info("sold")
logging.getLogger("other").addHandler(ringlog.RingHandler())
logging.getLogger("other").warning("to standard error")
print(*(finding for finding in ringlog.doctor.report() if not finding.ok), sep="\\n")
ringlog.detach()
ringlog.shutdown_multiprocessing_logging()
"""

# A program in whose shutdown the drain is killed, which stood still before, so that no lane of the
# ring is free; and what happens then.
KILLED = """
import multiprocessing, os, signal, sys, time
import ringlog
from ringlog import _drain, _ending, _setup, _status
from ringlog._layout import CTL_RETIRED, MARK_RETIRED

log = ringlog.setup_logger("study", use_multiprocessing=True)

def work(worker):
    for n in range(10):
        log.info("%s %d", worker, n)

def marks_retired(drain):
    header = _status.RingFile(drain.ring).header
    with open(drain.ring, "r+b") as f:
        f.seek(header.control_offset + CTL_RETIRED)
        f.write(MARK_RETIRED.to_bytes(8, "little"))

def outruns(drain):
    mine = drain.start
    def start():
        other.start()
        mine()
    other = _drain.Drain(_drain.find_binary(), drain.ring, options)
    drain.start = start

def loses_binary(drain):
    drain._command[0] = "/nowhere/ringlog"

def await_end(drain, deadline, really=_ending.await_end):
    os.kill(drain.pid, signal.SIGKILL)
    os.waitid(os.P_PID, drain.pid, os.WEXITED | os.WNOWAIT)
    for name in then:
        globals()[name](drain)
    really(drain, deadline)

if __name__ == "__main__":
    logs, workers, then = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    _ending.await_end = await_end
    ring = ringlog.setup_multiprocessing_logging(logs, format="json", processes=1 + workers)
    print(ring)
    options = _setup._main.options
    log.info("first")
    while any(lane.backlog for lane in _status.read(ring).lanes):
        time.sleep(0.001)
    drain = _setup._main.drain
    os.kill(drain.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, drain.pid, os.WSTOPPED | os.WNOWAIT)
    if "marks_retired" not in then:  # else all is drained
        work("main")
        fork = multiprocessing.get_context("fork")
        children = [fork.Process(target=work, args=(f"w{i}",)) for i in range(workers)]
        for child in children:
            child.start()
        for child in children:
            child.join()
"""


class TroubleTest(unittest.TestCase):
    def setUp(self) -> None:
        self.logs = support.folder(self) / "logs"

    def play(self, role: str, *arguments: str, code: int = 0, **variables: str) -> Ended:
        play = Play(self, "roles_setup", role, str(self.logs), *arguments, **variables)
        ended = play.end(code)
        play.all_gone()
        rings = [line for line in play.out.splitlines() if line.endswith(".ring")]
        self.assertEqual([ring for ring in rings if os.path.lexists(ring)], [])
        self.cwd = play.where
        return ended

    def test_wrong_arguments_are_refused_before_anything_is_done(self) -> None:
        ended = self.play("wrong")
        self.assertEqual(len(ended.out.splitlines()), 15)
        self.assertFalse(self.logs.exists())

    def test_a_folder_that_cannot_be_made_is_an_error_and_leaves_no_ring(self) -> None:
        self.logs.parent.joinpath("file").touch()
        self.logs = self.logs.parent / "file" / "logs"
        ring = str(support.folder(self) / "r.ring")
        ended = self.play("fails", ring)
        self.assertRegex(ended.out, f"^RingError: .*{self.logs}.*\n$")
        self.assertFalse(os.path.lexists(ring))
        # Not set up, so the record is where it is without set-up.
        self.assertIn("all the same", (self.cwd / "logs" / "app.log").read_text())

    def test_log_files_of_another_drain_are_an_error_that_says_so(self) -> None:
        first = Play(self, "roles_setup", "until_told", str(self.logs), "fork")
        first.says("workers log")
        ended = self.play("fails")
        self.assertRegex(ended.out, "^RingError: .*app.log.*in use.*\n$")
        (self.logs / "stop").touch()
        first.end()
        first.all_gone()

    def test_a_ring_that_exists_is_an_error_and_stays(self) -> None:
        ring = support.ring(self)
        before = os.stat(ring)
        play = Play(self, "roles_setup", "fails", str(self.logs), ring)
        self.assertRegex(play.end().out, f"^RingError: .*{ring}.*\n$")
        self.assertEqual(os.stat(ring), before)

    def test_a_ring_of_the_environment_that_is_gone_is_replaced(self) -> None:
        gone = str(support.folder(self) / "gone.ring")
        ended = self.play("study", "spawn", RINGLOG_RING=gone)
        self.assertIn(gone, ended.err)
        messages = Counter(r["msg"] for r in support.lines(self.logs / "app.log"))
        due = worked("main") + worked("w0") + worked("w1") + worked("w2")
        self.assertEqual(messages, due + Counter(["after"]))

    def small_memory(self, size: str) -> Path:
        """A file system in memory of so many bytes."""
        where = support.folder(self)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(where)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
            self.skipTest("only root can mount a small file system, and not everywhere")
        self.addCleanup(subprocess.run, ["umount", "-l", str(where)], check=True)
        return where

    def test_a_small_memory_is_room_enough_for_lanes_that_fit(self) -> None:
        for buffer_size in ("0", str(64 << 10)):
            with self.subTest(buffer_size=buffer_size):
                self.setUp()
                ring = self.small_memory("4m") / "study.ring"
                ended = self.play("small", str(ring), buffer_size)
                messages = Counter(r["msg"] for r in support.lines(self.logs / "app.log"))
                self.assertEqual(messages, worked("main") + worked("w0") + worked("w1"))
                smaller = r"ringlog: lanes of \d+ KiB instead of [^\n]*\n"
                self.assertEqual(ended.err, "")
                said = len(re.findall(smaller, ended.all_err))
                self.assertEqual(said, 1 if buffer_size == "0" else 0, ended.all_err)

    def test_a_memory_that_is_too_small_for_a_worker_sends_its_records_elsewhere(self) -> None:
        ring = self.small_memory("2m") / "study.ring"
        ended = self.play("small", str(ring), str(1 << 20))
        self.assertIn("records go elsewhere for now: no space for a lane", ended.err)
        self.assertIn("docker run --shm-size", ended.err)
        # What has no lane goes to the plain files, which are the same: lines of either kind.
        text = (self.logs / "app.log").read_text()
        for message in worked("main") + worked("w0") + worked("w1"):
            self.assertEqual(len(re.findall(f'"msg": ?"{message}"', text)), 1, message)

    def test_a_memory_without_room_for_a_ring_is_an_error_that_says_what_to_do(self) -> None:
        ring = self.small_memory("64k") / "study.ring"
        ended = self.play("fails", str(ring))
        self.assertRegex(ended.out, "^RingError: .*")
        self.assertEqual(os.listdir(ring.parent), [])

    def test_without_the_binary_the_same_files_are_written_and_one_line_says_why(self) -> None:
        empty = str(support.folder(self))
        if os.path.exists(support.PYTHON / "ringlog" / "bin" / "ringlog"):
            self.skipTest("the package has a binary of its own")
        ended = self.play("study", "spawn", PATH=empty)
        said = r"ringlog: logging without a ring, since the ringlog binary [^\n]*\n"
        self.assertRegex(ended.err, f"^{said}$")
        self.assertNotIn(ENABLED, ended.out)
        messages = Counter(r["msg"] for r in support.lines(self.logs / "app.log"))
        due = worked("main") + worked("w0") + worked("w1") + worked("w2")
        self.assertEqual(messages, due + Counter(["after"]))

    def test_elsewhere_than_on_linux_the_same_calls_write_plain_files(self) -> None:
        unread = "Nothing of /none.yaml holds, which only the drain reads"
        for platform, options in (
            ("darwin", {}),
            ("win32", {}),
            ("darwin", {"config": "/none.yaml"}),
            ("win32", {"config": "/none.yaml"}),
        ):
            with self.subTest(platform=platform, options=options):
                self.setUp()
                done = support.script(ELSEWHERE, platform, str(self.logs), json.dumps(options))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stderr.count("rings need 64-bit Linux"), 1, done.stderr)
                self.assertEqual(done.stderr.count(unread), len(options), done.stderr)
                self.assertEqual("nothing of /none.yaml holds" in done.stdout, bool(options))
                self.assertIn("other - WARNING - to standard error", done.stderr)
                self.assertIn("rings need 64-bit Linux", done.stdout)
                lines = (self.logs / "app.log").read_text().splitlines()
                messages = [line.split(" - ")[-1] for line in lines]
                self.assertEqual(messages, ["early", "bought", "sold study=s trial=1"])
                self.assertEqual(len((self.logs / "trades.log").read_text().splitlines()), 2)

    # The drain is killed in the shutdown

    def killed(self, workers: int, *then: str) -> tuple[str, Counter[str]]:
        """What KILLED says about it, and the records that are to come out."""
        self.setUp()
        done = support.script(KILLED, str(self.logs), str(workers), *then)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.ring = done.stdout.split()[-1]
        self.addCleanup(Path(self.ring).unlink, missing_ok=True)
        names = [] if "marks_retired" in then else ["main", *(f"w{i}" for i in range(workers))]
        return done.stderr, Counter(["first", *(f"{w} {n}" for w in names for n in range(10))])

    def messages(self) -> Counter[str]:
        return Counter(r["msg"] for r in support.lines(self.logs / "app.log"))

    def test_a_drain_that_is_killed_in_the_shutdown_is_started_again_with_no_lane_free(
        self,
    ) -> None:
        for workers in (0, 2):
            with self.subTest(workers=workers):
                said, due = self.killed(workers)
                self.assertEqual(said.count("started again"), 1, said)
                self.assertEqual(self.messages(), due)
                self.assertFalse(os.path.lexists(self.ring))

    def test_a_drain_that_is_killed_while_it_removes_the_ring_is_started_again(self) -> None:
        said, due = self.killed(0, "marks_retired")
        self.assertEqual(said.count("started again"), 1, said)
        self.assertEqual(self.messages(), due)
        self.assertFalse(os.path.lexists(self.ring))

    def test_a_drain_that_somebody_else_started_meanwhile_is_waited_for(self) -> None:
        said, due = self.killed(2, "outruns")
        self.assertNotIn("no drain can be started", said)
        self.assertNotIn("started again", said)
        self.assertEqual(self.messages(), due)
        self.assertFalse(os.path.lexists(self.ring))

    def test_where_no_drain_can_be_started_the_command_that_drains_the_ring_is_said(self) -> None:
        said, due = self.killed(2, "loses_binary")
        self.assertRegex(said, rf"^ringlog: {self.ring} is not drained, and no drain can be ")
        command = shlex.split(said.partition("; run: ")[2])
        self.assertEqual(command[0], "ringlog", said)
        support.run(*command[1:])
        self.assertEqual(self.messages(), due)
        self.assertFalse(os.path.lexists(self.ring))


if __name__ == "__main__":
    unittest.main()
