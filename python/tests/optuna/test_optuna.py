"""Which trial each record is of, and where Optuna's own messages go."""

from __future__ import annotations

import importlib.util
import re
import unittest
from collections import Counter
from typing import Any, Optional

from .. import support
from ..support import Draining, Play

if importlib.util.find_spec("optuna") is None:
    raise unittest.SkipTest("Optuna is not installed")

Record = dict[str, Any]


def tag(record: Record) -> Optional[tuple[str, int]]:
    """Study and trial that a record is tagged with, which come before all other attributes."""
    attributes = record.get("attrs", {})
    if "trial" not in attributes:
        return None
    assert list(attributes)[:2] == ["study", "trial"], attributes
    return attributes["study"], attributes["trial"]


class OptunaTest(unittest.TestCase):
    def play(self, *arguments: str) -> list[Record]:
        """Plays a role beside a drain; returns the log."""
        ring = support.ring(self, "--lanes", "16", "--lane-size", "256KiB")
        drain = Draining(self, ring)
        play = Play(self, "optuna.roles_optuna", *arguments, RINGLOG_RING=ring)
        self.err = play.end().err
        self.written = sorted(p.name for p in play.where.iterdir())
        records = drain.end()
        self.assertEqual(support.told(records), [])
        return records

    def ours_are_tagged(self, records: list[Record], study: str = "ends") -> Counter[str]:
        """Each record that has a number has the tag of that trial, and no other has any."""
        found: Counter[str] = Counter()
        for record in records:
            if record["logger"] == "app":
                number = record.get("attrs", {}).get("number")
                self.assertEqual(tag(record), None if number is None else (study, number))
                found[record["msg"]] += 1
        return found

    def optunas_are_tagged(self, records: list[Record], study: str = "ends") -> Counter[str]:
        """Each message about a trial has its tag; returns how often there is which kind."""
        found: Counter[str] = Counter()
        for record in records:
            if record["logger"].startswith("optuna"):
                about = re.match(r"Trial (\d+) (finished|pruned|failed with \w+)", record["msg"])
                assert about is not None, record["msg"]
                self.assertEqual(tag(record), (study, int(about[1])), record["msg"])
                found[about[2]] += 1
        return found

    def test_trials_that_finish_are_pruned_or_fail_with_any_number_of_threads(self) -> None:
        for role in ("one", "threads", "all_cores"):
            with self.subTest(role=role):
                records = self.play(role)
                ours = {"outside": 2, "begins": 20, "ends": 8, "callback": 20}
                self.assertEqual(self.ours_are_tagged(records), ours)
                optunas = {
                    "finished": 8,
                    "pruned": 4,
                    "failed with parameters": 8,
                    "failed with value": 8,
                }
                self.assertEqual(self.optunas_are_tagged(records), optunas)
                tracebacks = [r["traceback"] for r in records if "traceback" in r]
                self.assertEqual(len(tracebacks), 4)
                self.assertIn("ValueError: no such price", tracebacks[0])

    def test_trials_that_are_under_way_at_the_same_moment_keep_their_tags(self) -> None:
        records = self.play("meeting")
        self.assertEqual(self.ours_are_tagged(records), {"together": 60})
        self.assertEqual(self.optunas_are_tagged(records), {"finished": 3})

    def test_a_trial_that_ends_the_study_leaves_no_tag_behind(self) -> None:
        records = self.play("raising")
        self.assertEqual(self.ours_are_tagged(records), {"begins": 2, "outside": 2})
        said = self.optunas_are_tagged(records)
        self.assertEqual(said, {"failed with parameters": 2, "failed with value": 2})

    def test_a_study_inside_a_trial_gives_the_tag_back(self) -> None:
        records = self.play("nested")
        tags = [tag(record) for record in records if record["logger"] == "app"]
        inner = [("inner", 0), ("inner", 1)]
        wanted = [t for n in range(3) for t in (("outer", n), *inner, ("outer", n))]
        self.assertEqual(tags, wanted)
        for number, inside in (("0", "inner"), ("2", "outer")):
            said = [r for r in records if r["msg"].startswith(f"Trial {number} finished")]
            self.assertIn((inside, int(number)), [tag(r) for r in said])

    def test_worker_processes_that_are_handed_study_and_objective(self) -> None:
        for method in ("fork", "spawn", "forkserver"):
            with self.subTest(method=method):
                url = f"sqlite:///{support.folder(self) / 'study.db'}"
                records = self.play("processes", method, url)
                ours = self.ours_are_tagged(records)
                self.assertEqual((ours["begins"], ours["callback"]), (15, 15))
                said = self.optunas_are_tagged(records)
                ended = said["finished"] + said["pruned"] + said["failed with value"]
                self.assertEqual(ended, 15)
                numbers = [r["attrs"]["trial"] for r in records if r["msg"] == "begins"]
                self.assertEqual(sorted(numbers), list(range(15)))

    def test_messages_of_optuna_are_in_the_ring_once(self) -> None:
        records = [r for r in self.play("once") if r["msg"].startswith("Trial ")]
        self.assertEqual([tag(r) for r in records], [("ends", n) for n in range(4)])

    def test_what_optuna_writes_to_standard_error_stays_as_it_is(self) -> None:
        self.assertEqual(self.optunas_are_tagged(self.play("threads"))["finished"], 8)
        self.assertEqual(self.err.count(" finished with value: "), 8)
        self.assertEqual(self.optunas_are_tagged(self.play("quiet"))["finished"], 2)
        self.assertNotIn("finished", self.err)


class WithoutRingTest(unittest.TestCase):
    def test_without_a_ring_a_study_runs_as_it_would_alone(self) -> None:
        done = support.script(
            "import optuna, os, ringlog.optuna\n"
            "study = optuna.create_study()\n"
            "ringlog.optuna.optimize(study, lambda trial: 0.0, 2)\n"
            "print(len(study.trials), os.path.exists('logs'))\n"
        )
        self.assertEqual((done.returncode, done.stdout), (0, "2 False\n"), done.stderr)
        self.assertEqual(done.stderr.count(" finished with value: "), 2)

    def test_optuna_is_imported_by_who_uses_it_alone(self) -> None:
        done = support.script(
            "import sys, ringlog, ringlog.optuna; print('optuna' in sys.modules)"
        )
        self.assertEqual(done.stdout, "False\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
