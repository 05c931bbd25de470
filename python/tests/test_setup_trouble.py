"""Set-up where something is in its way: no room, no rights, no binary, no Linux. The program
logs all the same, is told once what to do, and nothing is left."""

from __future__ import annotations

import json
import os
import re
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
                self.assertRegex(ended.err, f"^{smaller if buffer_size == '0' else ''}$")

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


if __name__ == "__main__":
    unittest.main()
