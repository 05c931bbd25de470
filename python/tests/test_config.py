"""Set-up with a configuration file: the outputs are those of the file, whoever is killed, and
what is wrong with it is said."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sys
import unittest
from collections import Counter
from pathlib import Path
from typing import Any

from . import support
from .support import Ended, Play, by_thoroughness
from .test_setup import ENABLED, read_until, reap, worked

_ALL = ("fork", "spawn", "forkserver")
METHODS = by_thoroughness(("spawn",), _ALL, _ALL)

STUDY = """
defaults: {rotate: never}
outputs:
  - {path: logs/all.jsonl, format: json}
  - {path: logs/errors.log, level: error, layout: "%(levelname).1s|%(name)s|%(message)s"}
  - {path: "logs/{study}/{trial}.log", loggers: [trades], format: raw}
  - {path: "-", attrs: {trial: "1"}, loggers: [trades]}
"""
BATCHES = 4
ALL = "outputs: [{path: logs/all.jsonl, format: json}]\n"
MISTAKES = """\
outputs:
  - path: logs/app.log
    formt: json
    level: loud
"""
# Of MISTAKES, as the drain says it.
SAID = [
    r':3:5: unknown key "formt" in output 1: did you mean "format"\?',
    r':4:12: level "loud": [^;\n]*',
]


class ConfigTest(unittest.TestCase):
    def begin(self, role: str, *arguments: str, text: str = ALL, **variables: str) -> Play:
        """A program with a configuration file, both in a folder of their own."""
        before = lambda where: (where / "ringlog.yaml").write_text(text, "utf-8")  # noqa: E731
        command = ("roles_config", role, "ringlog.yaml", *arguments)
        play = Play(self, *command, before=before, **variables)
        self.where, self.logs = play.where, play.where / "logs"
        self.config = play.where / "ringlog.yaml"
        return play

    def play(self, role: str, *arguments: str, text: str = ALL, **variables: str) -> Ended:
        play = self.begin(role, *arguments, text=text, **variables)
        ended = play.end()
        self.nothing_left(play)
        return ended

    def nothing_left(self, play: Play) -> None:
        play.all_gone()
        rings = [line for line in play.out.splitlines() if line.endswith(".ring")]
        self.assertEqual([ring for ring in rings if os.path.lexists(ring)], [])

    def messages(self, name: str = "all.jsonl") -> Counter[str]:
        return Counter(r["msg"] for r in support.lines(self.logs / name))

    # Outputs

    def test_outputs_are_those_of_the_file_whatever_way_processes_were_started(self) -> None:
        for method in METHODS:
            with self.subTest(method=method):
                ended = self.play("study", method, text=STUDY)
                self.assertEqual(ended.err, "")
                self.assertIn(f"{ENABLED[:-3]}as {self.config} says\n", ended.out)
                begun = Counter({f"bought {n}": 1 for n in range(3)})
                self.assertEqual(self.messages(), begun + Counter(begins=3, fails=3))
                errors = (self.logs / "errors.log").read_text()
                self.assertEqual(errors, "E|study.module|fails\n" * 3)
                for n in range(3):
                    trial = self.logs / "wf" / f"{n}.log"
                    self.assertEqual(trial.read_text(), f"bought {n}\n")
                # Standard output is the program's own.
                self.assertRegex(ended.out, r" - trades\.fills - INFO - bought 1 study=wf trial=1")
                self.assertNotIn("bought 2", ended.out)
                self.assertEqual(sorted(os.listdir(self.where / "logs")),
                                 ["all.jsonl", "errors.log", "wf"])

    def test_a_program_without_standard_streams_may_have_one_as_an_output(self) -> None:
        text = 'outputs: [{path: "-"}, {path: stderr}, {path: logs/all.jsonl, format: json}]\n'
        self.play("closed", text=text)
        self.assertEqual(self.messages(), worked("main", 2) + worked("w0", 2))

    def test_what_is_given_beside_the_file_goes_before_it(self) -> None:
        text = """
defaults: {format: json, rotate: {size: 64}, keep: {count: 1}}
outputs:
  - {path: a.log}
  - {path: b.log, format: raw, rotate: never}
"""
        raw = {f"record {n} {'x' * 64}": 1 for n in range(BATCHES)}
        given: dict[str, Any]
        for given, rotated, begin in (
            ({}, 1, "{"),
            ({"format": "text"}, 1, "20"),
            ({"format": "raw"}, 1, "record"),
            ({"backup_count": 0}, BATCHES, "{"),
            ({"backup_count": 2}, 2, "{"),
            ({"max_bytes": 0}, 0, "{"),
        ):
            with self.subTest(given=given):
                self.play("options", json.dumps(given), "b.log", str(BATCHES), text=text)
                text_of_b = (self.where / "b.log").read_text()
                self.assertEqual(Counter(text_of_b.splitlines()), raw)
                files = sorted(self.where.glob("a.log*"))
                self.assertEqual(len(files) - 1, rotated, files)
                self.assertTrue(files[-1].read_text().startswith(begin), files[-1])
        with self.subTest("files"):
            given = {"log_dir": "own", "files": {"all.log": "", "no{}.log": "trades"}}
            options = json.dumps({**given, "max_bytes": 0})
            ended = self.play("options", options, "own/all.log", str(BATCHES), text=text)
            found = Counter(r["msg"] for r in support.lines(self.where / "own/all.log"))
            self.assertEqual(found, raw)
            self.assertEqual((self.where / "own/no{}.log").read_bytes(), b"")
            self.assertEqual(list(self.where.glob("[ab].log*")), [])
            self.assertIn(f"{ENABLED}{self.where}/own (all.log, no{{}}.log)\n", ended.out)

    # Who is killed

    def test_a_killed_drain_is_started_again_for_the_same_outputs(self) -> None:
        ended = self.play("drain_killed")
        self.assertEqual(self.messages(), worked("w0", 3000) + Counter(before=2))
        self.assertEqual(ended.err.count("started again"), 2, ended.err)

    def test_a_drain_that_cannot_start_again_says_why_and_the_ring_stays(self) -> None:
        ring = str(support.folder(self) / "r.ring")
        play = self.begin("mended_too_late", ring)
        err = play.end().err
        play.all_gone()
        said = rf"ringlog: {ring} is not drained, and no drain can be started: "
        self.assertRegex(err, rf"^{said}.*/ringlog\.yaml:2:1: [^\n]*outputs")
        self.config.write_text(ALL)
        command = ("drain", "--ring", ring, "--config", str(self.config), "--once", "--remove")
        support.run(*command, cwd=self.where)
        self.assertEqual(self.messages(), Counter(["in the ring"]))
        self.assertFalse(os.path.lexists(ring))

    def test_a_terminal_that_hangs_up_does_not_reach_the_drain(self) -> None:
        self.where = support.folder(self)
        self.logs = self.where / "logs"
        (self.where / "ringlog.yaml").write_text(ALL)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.where)
            command = [sys.executable, "-m", "tests.roles_config", "hung_up", "ringlog.yaml"]
            os.execve(sys.executable, command, support.environment())
        try:
            said = read_until(terminal, b"worker logs")
        finally:
            os.close(terminal)
            code = reap(pid)
        self.assertEqual(code, -signal.SIGHUP)
        ring = next(line for line in said.decode().split() if line.endswith(".ring"))
        support.wait_for("the drain's end", lambda: not os.path.lexists(ring))
        messages = [r["msg"] for r in support.lines(self.logs / "all.jsonl")]
        self.assertEqual([m for m in messages if "vanished" not in m],
                         ["with a terminal", "without"])

    # SIGHUP

    def test_at_sighup_the_drain_reads_the_file_again_or_says_what_is_wrong_with_it(self) -> None:
        play = self.begin("reloads")
        support.wait_for("the first", lambda: self.has("all.jsonl", "first"))
        self.config.write_text(ALL.replace("all", "other"))
        play.tell("reload")
        support.wait_for("the other output", (self.logs / "other.jsonl").exists)
        play.tell("second")
        support.wait_for("the second", lambda: self.has("other.jsonl", "second"))
        self.config.write_text(MISTAKES)
        play.tell("reload")
        support.wait_for("its word", lambda: "not reloaded" in play.err)
        for mistake in SAID:
            self.assertRegex(play.err, re.escape(str(self.config)) + mistake)
        play.tell("third")
        assert play.process.stdin is not None
        play.process.stdin.close()
        play.end()
        self.nothing_left(play)
        self.assertEqual(self.messages(), Counter(["first"]))
        self.assertEqual(self.messages("other.jsonl"), Counter(["second", "third"]))

    def has(self, name: str, message: str) -> bool:
        path = self.logs / name
        return path.exists() and f'"msg":"{message}"' in path.read_text()

    # The end

    def test_the_shutdown_waits_for_what_is_to_be_done_with_rotated_files(self) -> None:
        text = """
outputs:
  - path: logs/all.jsonl
    rotate: {size: 64}
    hook: {command: [sh, -c, "until test -e go; do sleep 0.01; done; touch done"]}
"""
        who = r"ringlog: (waiting up to \d+ s for )?the drain \(pid \d+\)"
        kept = "until rotated files are compressed and hooks have run\n"
        # On a slow machine the records themselves may have come late, and its memory may be small.
        slow = rf"(ringlog: lanes of .*\n)?({who}: until the last records are written\n)?"
        for timeout in ("1.2", "50"):
            with self.subTest(timeout=timeout):
                play = self.begin("rotates", timeout, text=text, PYTHONWARNINGS="error")
                if timeout == "50":
                    support.wait_for("its message", lambda: kept in play.err)
                    (play.where / "go").touch()
                play.says("shut down")
                done = (play.where / "done").exists()
                self.assertEqual(done, timeout == "50")
                (play.where / "go").touch()
                err = play.end().all_err
                self.nothing_left(play)
                self.assertTrue((play.where / "done").exists())
                if done:
                    self.assertRegex(err, rf"^{slow}{who}: {kept}$")
                else:  # or too late
                    self.assertRegex(
                        err, rf"^{slow}({who}: {kept})?{who} goes on until [^\n]*\n$"
                    )

    # What is wrong

    def test_a_mistake_in_the_file_is_an_error_with_the_drains_own_words(self) -> None:
        ring = str(support.folder(self) / "r.ring")
        for text, said in (
            (MISTAKES, SAID),
            ("", [": .*empty.*"]),
            ("outputs: 3\n", [":1:10: .*"]),
            ("outputs: [{path: ringlog.yaml/app.log}]\n", [": not a directory"]),
        ):
            with self.subTest(text=text):
                ended = self.play("fails", ring, text=text)
                self.assertEqual(ended.err, "")
                line = ended.out.rstrip("\n")
                self.assertRegex(line, "^RingError: [^\n]*$")
                for one in said:
                    self.assertRegex(line, re.escape(str(self.config)) + one)
                self.assertFalse(os.path.lexists(ring))
                # Not set up, so the record is where it is without set-up.
                self.assertIn("all the same", (self.logs / "app.log").read_text())

    def test_a_file_that_cannot_be_read_is_an_error(self) -> None:
        ring = str(support.folder(self) / "r.ring")
        for name, why in (("none.yaml", "no such file"), (".", "is a directory"), ("-", "no such")):
            with self.subTest(name=name):
                play = Play(self, "roles_config", "fails", name, ring)
                path = os.path.normpath(play.where / name)
                self.assertRegex(play.end().out, f"^RingError: .*{re.escape(path)}: {why}.*\n$")
                play.all_gone()
                self.assertFalse(os.path.lexists(ring))

    def test_called_again_with_another_file_it_says_that_this_is_ignored(self) -> None:
        ended = self.play("again", "other.yaml")
        self.assertRegex(
            ended.err,
            rf"^ringlog: set up already, for logs as {re.escape(str(self.config))} says; "
            r"[^\n]*ignored[^\n]*\n$",
        )

    def test_a_ring_that_nobody_drains_is_told_of_with_what_drains_it(self) -> None:
        ring = support.ring(self)
        ended = self.begin("plain", RINGLOG_RING=ring).end()
        command = f"cd {self.where} && ringlog drain --ring {ring} --config {self.config}"
        self.assertIn(f"run: {command}; or unset", ended.err)

    def test_without_a_ring_records_go_where_they_go_without_the_file(self) -> None:
        if os.path.exists(support.PYTHON / "ringlog" / "bin" / "ringlog"):
            self.skipTest("the package has a binary of its own")
        ended = self.play("plain", PATH=str(support.folder(self)))
        said = (
            r"ringlog: logging without a ring, since the ringlog binary [^\n]*\. "
            rf"Nothing of {re.escape(str(self.config))} holds, which only the drain reads\n"
        )
        self.assertRegex(ended.err, f"^{said}$")
        self.assertNotIn(ENABLED, ended.out)
        self.assertFalse(self.logs.exists())
        lines = (self.where / "plain" / "app.log").read_text().splitlines()
        due = worked("main", 2) + worked("w0", 2) + Counter(["after"])
        self.assertEqual(Counter(line.split(" - ")[-1] for line in lines), due)

    def test_after_the_shutdown_too(self) -> None:
        self.assertEqual(self.play("plain").err, "")
        self.assertEqual(self.messages(), worked("main", 2) + worked("w0", 2))
        text = (self.where / "plain" / "app.log").read_text()
        self.assertRegex(text, r"^[^\n]* - after\n$")


if __name__ == "__main__":
    unittest.main()
