"""The doctor names each thing that keeps logs from appearing, and how to mend it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from ringlog import _layout
from ringlog._file import RingFile

from . import support
from .support import Draining

# What each program below begins with: its findings that are problems, one a line.
BEGIN = """
import logging, os, sys
import ringlog
from ringlog import doctor
log = logging.getLogger("study")
log.addHandler(ringlog.RingHandler(timeout=0.05, fallback=logging.NullHandler()))
log.setLevel(logging.INFO)
def problems():
    for finding in doctor.report():
        if not finding.ok:
            print(finding, flush=True)
"""

GOOD = "outputs: [{path: logs/a.jsonl, format: json}]\n"


class DoctorTest(unittest.TestCase):
    def setUp(self) -> None:
        self.ring = support.ring(self, "--lanes", "2", "--lane-size", "64KiB")

    def doctor(self, *arguments: str, code: int, cwd: str | None = None, **variables: str) -> str:
        """What `python -m ringlog doctor` prints; nothing on standard error."""
        done = subprocess.run(
            [sys.executable, "-m", "ringlog", "doctor", *arguments],
            cwd=cwd,
            env=support.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=support.DEADLINE,
        )
        self.assertEqual((done.returncode, done.stderr), (code, ""), done.stdout)
        return done.stdout

    def program(self, text: str, *arguments: str, **variables: str) -> str:
        """What a program of BEGIN and text prints, with the ring of the test."""
        variables = {"RINGLOG_RING": self.ring, **variables}
        done = support.script(BEGIN + text, *arguments, **variables)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_a_healthy_run_has_no_problem(self) -> None:
        Draining(self, self.ring)
        self.drained()
        self.assertEqual(self.program("log.info('x'); problems()"), "")
        out = self.doctor(code=0, RINGLOG_RING=self.ring)
        self.assertNotIn("problem", out)
        self.assertIn("Nothing is wrong here", out)
        named = self.doctor("--ring", self.ring, code=0)
        self.assertEqual(named.count("\nok "), out.count("\nok "))

    def drained(self) -> None:
        """Waits until somebody drains the ring."""
        stat = lambda: json.loads(support.run("stat", "--json", self.ring))  # noqa: E731
        support.wait_for("the drain", lambda: stat()["reader"]["running"])

    def test_a_set_up_program_has_no_problem(self) -> None:
        text = """
if __name__ == "__main__":
    log.handlers.clear()
    ringlog.setup_multiprocessing_logging("logs")
    ringlog.setup_logger("study").info("x")
    problems()
"""
        done = support.script(BEGIN + text)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(done.stdout.splitlines()), 1, done.stdout)

    def test_the_package_imports_its_doctor_and_its_optuna_when_asked_for(self) -> None:
        done = support.script("""
import sys
import ringlog
later = ("ringlog.doctor", "ringlog.optuna")
print([name in sys.modules for name in later], hasattr(ringlog, "optun"))
print({"doctor", "optuna", "trial"} - set(dir(ringlog)))
print(bool(ringlog.doctor.report()), callable(ringlog.optuna.optimize))
print([sys.modules[name] for name in later] == [ringlog.doctor, ringlog.optuna])
try:
    ringlog.optun
except AttributeError as err:
    print(err)
""")
        said = "[False, False] False\nset()\nTrue True\nTrue\n"
        said += "module 'ringlog' has no attribute 'optun'\n"
        self.assertEqual((done.stdout, done.stderr), (said, ""))

    def test_no_ring(self) -> None:
        out = self.doctor(code=1)
        self.assertIn("problem  no ring: RINGLOG_RING is not set", out)
        self.assertIn("setup_multiprocessing_logging()", out)

    def test_no_ring_but_one_that_may_be_meant(self) -> None:
        # Of a name that is among the first, since others may have made rings as well.
        other = support.run("create", "--name", "0-doctor-test", "--lanes", "1").strip()
        self.addCleanup(os.unlink, other)
        self.assertIn(other, self.doctor(code=1))

    def test_a_path_without_a_usable_ring(self) -> None:
        folder = support.folder(self)
        (folder / "text").write_text("no ring")
        cut = folder / "cut"
        cut.write_bytes(Path(self.ring).read_bytes()[:8192])
        for path, what in (
            (folder / "none", "no ring at"),
            (folder / "text", "is not a ring"),
            (cut, "is truncated"),
            (folder, "is not a regular file"),
        ):
            with self.subTest(path=path.name):
                out = self.doctor("--ring", str(path), code=1)
                self.assertRegex(out, f"problem  .*{what}")
                self.assertNotIn("as RINGLOG_RING", out)
                self.assertIn("as RINGLOG_RING", self.doctor(code=1, RINGLOG_RING=str(path)))

    def test_no_binary_or_one_that_is_not_ringlogs(self) -> None:
        if os.path.exists(support.PYTHON / "ringlog" / "bin" / "ringlog"):
            self.skipTest("the package has a binary of its own")
        folder = support.folder(self)
        binary = folder / "ringlog"
        self.assertIn("binary is not found; install", self.doctor(code=1, PATH=str(folder)))
        binary.write_bytes(b"\x7fELF no program")
        binary.chmod(0o755)
        self.assertIn(f"{binary} does not run", self.doctor(code=1, PATH=str(folder)))
        binary.unlink()
        binary.symlink_to("/bin/true")
        self.assertIn(f"{binary} is not ringlog's", self.doctor(code=1, PATH=str(folder)))

    def test_no_reader(self) -> None:
        out = self.doctor("--ring", self.ring, code=1)
        self.assertIn(f"nobody drains the ring; ringlog drain --ring {self.ring}", out)
        drain = Draining(self, self.ring)
        self.drained()
        drain.end()
        out = self.doctor("--ring", self.ring, code=1)
        self.assertIn(f"nobody drains the ring; the last was pid {drain.process.pid}", out)

    def test_no_reader_of_the_ring_of_a_set_up(self) -> None:
        logs = support.folder(self) / "my logs"
        logs.mkdir()
        setup = json.dumps(
            {
                "dir": str(logs),
                "files": {"all.log": "", "deals.log": "trades"},
                "format": "json",
                "max_bytes": 12345,
                "backup_count": 3,
            }
        )
        variables = {"RINGLOG_RING": self.ring, "RINGLOG_SETUP": setup}
        self.program("log.info('x')", **variables)
        out = self.doctor(code=1, **variables)
        command = out.partition("nobody drains the ring; ")[2].partition("\n")[0]
        what = f"--format json --max-size 12345 --keep 3 --out '{logs}/all.log' --out "
        self.assertIn(what, command)
        support.run(*shlex.split(command)[1:])
        self.assertIn("x", [line.get("msg") for line in support.lines(logs / "all.log")])
        self.assertEqual((logs / "deals.log").read_bytes(), b"")
        self.assertFalse(os.path.exists(self.ring))

    def test_no_reader_of_a_ring_that_is_not_the_set_ups(self) -> None:
        generic = f"drain --ring {self.ring} --out logs/app.log\n"
        setup = json.dumps({"dir": "/tmp", "files": {"x.log": ""}})
        out = self.doctor("--ring", self.ring, code=1, RINGLOG_RING="/none", RINGLOG_SETUP=setup)
        self.assertIn(generic, out)
        for odd in ('{"files": 3}', '{"files": {"x": ""}, "dir": 3}', '{"format": 3}'):
            out = self.doctor(code=1, RINGLOG_RING=self.ring, RINGLOG_SETUP=odd)
            self.assertIn(generic, out, odd)

    def test_a_reader_that_is_stopped(self) -> None:
        drain = Draining(self, self.ring)
        self.drained()
        drain.process.send_signal(signal.SIGSTOP)
        self.addCleanup(drain.process.send_signal, signal.SIGCONT)
        out = self.program(
            "import time; doctor._SILENT_SECONDS = 0.2; time.sleep(0.3); log.info('x'); problems()"
        )
        self.assertIn(f"the reader (pid {drain.process.pid}) gave its last sign of life", out)
        self.assertIn(f"kill -CONT {drain.process.pid}", out)

    def test_a_reader_with_an_error(self) -> None:
        where = self.small_memory()
        (where / "other").write_bytes(bytes(os.statvfs(where).f_bavail * 4096))
        command = [support.ringlog(), "drain", "--ring", self.ring, "--out", str(where / "app.log")]
        drain = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(drain.wait)
        self.addCleanup(drain.kill)
        out = self.program(f"""
import time
deadline = time.monotonic() + {support.DEADLINE / 2}
while not any("last error" in f.what for f in doctor.report()) and time.monotonic() < deadline:
    log.info("x")
    time.sleep(0.01)
problems()
""")
        what = r"the reader's last error, \d+ s ago, of \d+: .*no space.*; mend"
        self.assertRegex(out, f"problem  {what}")

    def small_memory(self) -> Path:
        """A file system of 1 MiB in memory."""
        where = support.folder(self)
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
            self.skipTest("only root can mount a small file system, and not everywhere")
        self.addCleanup(subprocess.run, ["umount", "-l", str(where)], check=True)
        return where

    def test_no_free_lane(self) -> None:
        for _ in range(2):  # each leaves a record that nobody drains
            self.program("log.info('x')")
        out = self.doctor("--ring", self.ring, code=1)
        what = "0 of 2 lanes have a worker, 0 are free, 2 are undrained, of workers that are gone"
        self.assertIn(f"problem  {what}: no other process can log", out)

    def test_what_the_lanes_are(self) -> None:
        said = self.doctor("--ring", self.ring, code=1)
        self.assertIn("ok       0 of 2 lanes have a worker, 2 are free\n", said)
        self.program("log.info('x')")
        said = self.doctor("--ring", self.ring, code=1)
        what = "0 of 2 lanes have a worker, 1 is free, 1 is undrained, of a worker that is gone"
        self.assertIn(f"ok       {what}\n", said)
        said = self.program("log.info('x'); print(*doctor.report(), sep='\\n')")
        what = "1 of 2 lanes has a worker, 0 are free, 1 is undrained, of a worker that is gone"
        self.assertIn(f"problem  {what}: no other", said)

    def test_a_worker_that_was_killed_leaves_a_lane_undrained(self) -> None:
        done = support.script(
            BEGIN + "log.info('x'); os.kill(os.getpid(), 9)", RINGLOG_RING=self.ring
        )
        self.assertEqual(done.returncode, -9)
        said = self.doctor("--ring", self.ring, code=1)
        self.assertIn("1 is free, 1 is undrained, of a worker that is gone", said)

    def test_a_full_lane_and_what_is_lost(self) -> None:
        out = self.program("for _ in range(2000): log.info('x' * 99)\nproblems()")
        full = r"the lane of script.py \(pid \d+\) is full: \d+ of 64 KiB; the reader is"
        self.assertRegex(out, f"problem  {full}")
        self.assertRegex(out, r"problem  \d+ records were lost since .*, \d+ of which")

    def test_a_damaged_lane(self) -> None:
        file = RingFile(self.ring)
        mark = _layout.LANE_DAMAGED.to_bytes(8, "little")
        os.pwrite(file.fd, mark, file.header.entry_offset(1))
        file.close()
        self.assertIn("1 lane is damaged", self.doctor("--ring", self.ring, code=1))

    def test_memory_that_is_too_small(self) -> None:
        where = self.small_memory()
        ring = str(where / "small.ring")
        support.run("create", ring, "--lanes", "4", "--lane-size", "64KiB")
        (where / "other").write_bytes(bytes(os.statvfs(where).f_bavail * 4096 - 32768))
        out = self.doctor("--ring", ring, code=1)
        what = ".* has 0 MiB free; a lane takes 64 KiB, 1 MiB in all; give it"
        self.assertRegex(out, f"problem  {what}")

    def test_a_rule_for_levels(self) -> None:
        support.run("level", self.ring, "trades=error")
        out = self.doctor("--ring", self.ring, code=1)
        self.assertIn("a rule of the ring has the logger trades and those below it log from", out)
        self.assertIn("level ERROR on", out)
        self.assertIn(f"ringlog level {self.ring} trades=", out)

    def test_commands_are_for_a_shell(self) -> None:
        ring = str(support.folder(self) / "it's a.ring")
        support.run("create", ring, "--lanes", "1", "--lane-size", "64KiB")
        support.run("level", ring, "a b=error")
        out = self.doctor("--ring", ring, code=1)
        commands = [
            shlex.split(line.rpartition("; ")[2])
            for line in out.splitlines()
            if "; ringlog" in line
        ]
        self.assertEqual(commands[0][:4], ["ringlog", "drain", "--ring", ring])
        self.assertEqual(commands[1:], [["ringlog", "level", ring, "a b="]])

    def test_a_logger_whose_level_a_rule_says(self) -> None:
        text = """
import shlex, subprocess
log.handlers.clear()
trades = ringlog.setup_logger("trades.fx")
below = logging.getLogger("trades.fx.eur")
below.addHandler(ringlog.RingHandler())
trades.error("attaches")
found = [str(x) for x in doctor.report() if "only" in x.what]
print(*found, sep="\\n")
subprocess.run(
    shlex.split(found[0].rpartition("; ")[2]), stdout=subprocess.DEVNULL, check=True
)
trades.error("sees that the rule is gone")
print([str(x) for x in doctor.report() if "only" in x.what])
"""
        for prefix in ("trades", ""):
            support.run("level", self.ring, f"{prefix}=error")
            mend = f"ERROR and above only; ringlog level {self.ring} {prefix}="
            names = ("trades.fx", "trades.fx.eur")
            said = "".join(f"problem  the logger {name} logs {mend}\n" for name in names)
            self.assertEqual(self.program(text), f"{said}[]\n")

    def test_a_logger_with_a_level_of_its_own_beside_a_rule(self) -> None:
        support.run("level", self.ring, "=error")
        out = self.program("log.setLevel(51); log.handlers[0].setLevel(40); problems()")
        mend = "logging.getLogger('study').setLevel(logging.INFO), and setLevel(logging.INFO) of"
        self.assertIn(mend, out)

    def test_a_logger_whose_level_the_set_up_says(self) -> None:
        text = """
if __name__ == "__main__":
    log.handlers.clear()
    log = ringlog.setup_logger("study")
    ring = ringlog.setup_multiprocessing_logging("logs", level="ERROR")
    print(ring)
    problems()
"""
        done = support.script(BEGIN + text)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        ring = done.stdout.splitlines()[1]
        mend = "only; setup_multiprocessing_logging with another level=, or ringlog level"
        self.assertIn(f"the logger study logs ERROR and above {mend} {ring} info", done.stdout)
        # In a worker, before its first record.
        log = "log.handlers.clear(); log = ringlog.setup_logger('study'); problems()"
        setup = json.dumps({"level": 40})
        self.assertIn(f"{mend} {self.ring} info", self.program(log, RINGLOG_SETUP=setup))

    def configured(self, text: str, *given: str, **variables: str) -> str:
        """What is said where a set-up has named a file of this text."""
        self.folder = support.folder(self)
        self.config = self.folder / "ring log.yaml"
        if text:
            self.config.write_text(text, "utf-8")
        (self.folder / "file").touch()
        (self.folder / "logs").mkdir()
        config = {"path": str(self.config), "cwd": str(self.folder), "given": given}
        setup = {"dir": str(self.folder / "file" / "logs"), "config": config}
        return self.doctor(code=1, RINGLOG_SETUP=json.dumps(setup), **variables)

    def test_a_configuration_file(self) -> None:
        self.program("log.info('x')")
        out = self.configured(GOOD, RINGLOG_RING=self.ring)
        self.assertIn(f"ok       log files are as {self.config} says\n", out)
        self.assertNotIn("file/logs", out)
        # What drains the ring, for a shell.
        command = out.partition("nobody drains the ring; ")[2].partition("\n")[0]
        made = support.environment()
        subprocess.run(command, shell=True, cwd="/", env=made, check=True, capture_output=True)
        found = [line["msg"] for line in support.lines(self.folder / "logs" / "a.jsonl")]
        self.assertEqual(found, ["x"])
        self.assertFalse(os.path.exists(self.ring))

    def test_a_configuration_file_does_not_say_all(self) -> None:
        for given, variables in (((), {}), (("files",), {"RINGLOG_RING": self.ring})):
            with self.subTest(given=given):
                out = self.configured(GOOD, *given, **variables)
                self.assertIn(f"ok       log files are as {self.config} says\n", out)
                self.assertIn(f"problem  log files are to go to {self.folder}/file/logs", out)

    def test_a_configuration_file_with_mistakes_or_none(self) -> None:
        for text, said in (
            ("", ".*: no such file or directory"),
            ("outputs:\n- {path: b, formt: raw}\n- {path: b}\n", ".*:2:13: .*; .*:3:4: .*"),
            ("outputs: [{path: logs}]\n", ".*\"logs\" is a folder.*"),
        ):
            with self.subTest(text=text):
                out = self.configured(text, RINGLOG_RING=self.ring)
                self.assertRegex(out, f"problem  {said}; mend it; a drain that runs")

    def test_a_configuration_file_without_a_binary(self) -> None:
        if os.path.exists(support.PYTHON / "ringlog" / "bin" / "ringlog"):
            self.skipTest("the package has a binary of its own")
        out = self.configured(GOOD, PATH=str(support.folder(self)))
        self.assertIn(f"problem  nothing of {self.config} holds, which only the drain reads", out)

    def test_an_odd_set_up_of_the_environment(self) -> None:
        for odd in (3, {}, {"path": 3}, {"path": "x", "cwd": 3, "given": 3}):
            setup = json.dumps({"config": odd})
            out = self.doctor(code=1, RINGLOG_RING=self.ring, RINGLOG_SETUP=setup)
            self.assertIn(f"drain --ring {self.ring} --out logs/app.log\n", out, odd)

    def test_a_folder_that_cannot_be_written(self) -> None:
        folder = support.folder(self)
        (folder / "file").touch()
        setup = json.dumps({"dir": str(folder / "file" / "logs")})
        out = self.doctor("--ring", self.ring, code=1, RINGLOG_SETUP=setup)
        what = "log files are to go to .*/file/logs, and .* cannot be written"
        self.assertRegex(out, f"problem  {what}")

    def test_loggers_that_do_not_log(self) -> None:
        for text, what in (
            ("log.handlers.clear()", "no logger of this process has a RingHandler"),
            ("logging.disable(logging.WARNING)", r"logging.disable\(30\) is in force"),
            ("log.setLevel(logging.ERROR)", "the logger study logs ERROR and above only"),
            ("log.handlers[0].setLevel(logging.ERROR)", "the logger study logs ERROR and above"),
            ("log.disabled = True", "the logger study is disabled"),
            (
                "logging.getLogger('study.x').propagate = False",
                "the logger study.x has no handler and propagate=False",
            ),
            (
                "log.handlers.clear(); logging.root.addHandler(ringlog.RingHandler())",
                "the logger root logs WARNING and above only",
            ),
        ):
            with self.subTest(text=text):
                self.assertRegex(self.program(f"{text}\nproblems()"), f"problem  {what}.*; ")


if __name__ == "__main__":
    unittest.main()
