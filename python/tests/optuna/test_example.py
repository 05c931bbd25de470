"""The example study whose workers are killed: it goes on, and its log is complete."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import unittest
from collections import Counter
from pathlib import Path

from .. import support
from ..support import Play, wait_for

if importlib.util.find_spec("optuna") is None:
    raise unittest.SkipTest("Optuna is not installed")

EXAMPLE = support.ROOT / "examples" / "optuna_parallel.py"
# Real prices, where they are; else the example makes some up.
PRICES = support.ROOT.parent / "shared" / "data" / "sp500-monthly.csv"
REAL = ("--prices", str(PRICES)) if PRICES.exists() else ()
ROUNDS = 10
TRIALS = 12
WORKERS = 3


def noted(notes: Path) -> list[tuple[str, str]]:
    """Logger and serial of each record that a log call accepted. The last line may be torn."""
    text = notes.read_text() if notes.exists() else ""
    return [(line.split()[0], line.split()[1]) for line in text.split("\n")[:-1]]


def logged(path: Path) -> Counter[str]:
    """How often each serial is in a log file."""
    return Counter(re.findall(r"(?m) serial=(\d+-\d+)$", path.read_text()))


class KilledWorkerTest(unittest.TestCase):
    def test_the_study_goes_on_and_its_log_is_complete_to_the_last_accepted_record(self) -> None:
        for round in range(ROUNDS):
            with self.subTest(round=round):
                self.kill_one(after=1 + 60 * round)

    def kill_one(self, after: int) -> None:
        """Kills a worker that has logged so many records."""
        folder = support.folder(self)
        notes = folder / "notes"
        play = Play(
            self,
            "optuna.roles_example",
            *("--dir", str(folder), "--trials", str(TRIALS), "--workers", str(WORKERS), *REAL),
            NOTES=str(notes),
        )

        def victim() -> int:
            counts = Counter(int(serial.split("-")[0]) for _, serial in noted(notes))
            pid, count = max(counts.items(), key=lambda item: item[1], default=(0, 0))
            if play.process.poll() is not None:
                self.fail(f"the study was over before: {play.out}{play.err}")
            return pid if count >= after else 0

        pid = wait_for("a worker that logs", victim)
        os.kill(pid, signal.SIGKILL)
        out = play.end(timeout=5 * support.DEADLINE).out
        play.all_gone()

        told = re.findall(r"^(worker-\d) \(pid (\d+)\) (.*)$", out, re.MULTILINE)
        self.assertEqual(len(told), 1, out)
        worker, said, fate = told[0]
        self.assertEqual(int(said), pid)
        self.assertEqual(fate, "was killed by SIGKILL; the other 2 go on")
        self.assertRegex(out, r"(?m)^lost +0$")
        states = dict((s, int(n)) for n, s in re.findall(r"(\d+) ([a-z]+)[,\n]", out))
        finished = states.get("complete", 0) + states.get("pruned", 0) + states.get("fail", 0)
        self.assertGreaterEqual(finished, TRIALS, out)

        accepted = noted(notes)
        self.assertGreaterEqual(sum(x.startswith(f"{pid}-") for _, x in accepted), after)
        for file, logger in (("app", ""), ("trades", "trades"), ("orders", "orders")):
            found = logged(folder / f"{file}.log")
            self.assertEqual(set(found.values()), {1}, "a record came twice")
            wanted = {serial for name, serial in accepted if logger in ("", name)}
            self.assertEqual(wanted - found.keys(), set(), f"accepted, but not in {file}.log")
            self.assertRegex(out, rf"(?m)^{file}.log +[0-9,]+ records$")
        app = (folder / "app.log").read_text()
        vanished = re.findall(r"worker vanished.* worker=(\S+) pid=(\d+)", app)
        self.assertEqual(vanished, [(worker, str(pid))])


class CommandTest(unittest.TestCase):
    def run_example(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=support.folder(self),
            env=support.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=support.DEADLINE,
        )

    def test_help_has_examples(self) -> None:
        done = self.run_example(str(EXAMPLE), "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("optuna_parallel.py --trials 50 --dir", done.stdout)

    def test_without_optuna_it_says_what_to_install(self) -> None:
        hidden = (
            "import runpy, sys; sys.modules['optuna'] = None; "
            f"runpy.run_path({str(EXAMPLE)!r}, run_name='__main__')"
        )
        done = self.run_example("-c", hidden)
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt install python3-optuna", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_prices_that_are_none_are_refused_with_what_is_wanted(self) -> None:
        for text, said in (
            ("Date,Open\n2026-01-01,1\n", "want a CSV file with a column Date"),
            ("Date,Close\n2026-01-01,x\n", "could not convert string to float: 'x'"),
            ("Date,Close\n2026-01-01,1\n", "want 504 months or more"),
        ):
            with self.subTest(text):
                file = support.folder(self) / "prices.csv"
                file.write_text(text)
                done = self.run_example(str(EXAMPLE), "--prices", str(file))
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(said, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    @unittest.skipUnless(REAL, "no real prices here")
    def test_it_studies_real_prices(self) -> None:
        common = ("--workers", "1", "--trials", "2", *REAL)
        done = self.run_example(str(EXAMPLE), "--dir", str(support.folder(self)), *common)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("prices of 1866 months, 1871-01 to 2026-06", done.stdout)

    def test_a_study_goes_on_where_it_was(self) -> None:
        folder = support.folder(self)
        common = (str(EXAMPLE), "--dir", str(folder), "--workers", "1", "--threads", "1")
        first = self.run_example(*common, "--trials", "1")
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn("1 complete", first.stdout)
        again = self.run_example(*common, "--trials", "1")
        self.assertEqual(again.returncode, 2)
        self.assertIn("has 1 trials: want more --trials", again.stdout)
        more = self.run_example(*common, "--trials", "2")
        self.assertEqual(more.returncode, 0, more.stderr)
        self.assertIn("2 complete", more.stdout)


if __name__ == "__main__":
    unittest.main()
