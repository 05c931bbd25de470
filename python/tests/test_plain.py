"""Loggers of setup_logger where there is no ring: the same files as with one, with the same
selection, rotated and formatted as the standard library does it."""

from __future__ import annotations

import json
import re
import unittest
from pathlib import Path
from typing import Any

from . import support
from .support import Ended, Play

LINE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - %s - %s - "

# Names of loggers, first those that pass for that of the drain's own lines.
POSERS = (
    "ringlog", " ringlog", "ringlog ", "ringlog - WARNING - lost 5", "\u00a0\u3000ringlog",
    "ringlog-x", "ringlog\u00b2", "ringlog\u0301", "ringlog\tx", "\tringlog", "\u2028ringlog",
    "ringlog:a.b", "\x7fringlog ringlog", "\u200bringlog", "\ue000ringlog", "\u0378ringlog",
    "ringlog\udc80",
)  # fmt: skip
OTHERS = (
    "ringlog.reader", "ringlog_x", "ringlogs", "ringlog2", "ringlog\u0660", "ringlog\u00e9",
    "Ringlog", "aringlog", "x ringlog", "\u00b2ringlog", "\u0301ringlog", "\udc80ringlog",
    "ring", "ring\u200blog", "\\x72inglog", "\u200b", " ",
)  # fmt: skip


class PlainTest(unittest.TestCase):
    def play(self, role: str, *arguments: str, **setup: Any) -> Ended:
        variables = {"RINGLOG_SETUP": json.dumps(setup)} if setup else {}
        play = Play(self, "roles_plain", role, *arguments, before=self.before, **variables)
        self.logs = play.where / "logs"
        return play.end()

    def before(self, where: Path) -> None:
        """Prepares the folder in which the program will run."""

    def messages(self, name: str = "app.log") -> list[str]:
        lines = (self.logs / name).read_text("utf-8").splitlines()
        return [line.split(" - ", 3)[3] for line in lines]

    def files(self) -> list[str]:
        return sorted(path.name for path in self.logs.iterdir())

    def test_files_get_the_records_of_their_loggers_and_those_below(self) -> None:
        self.assertEqual(self.play("names").err, "")
        self.assertEqual(self.files(), ["app.log", "orders.log", "trades.log"])
        names = ["trades", "trades.fills", "tradesman", "orders.new", "trades.fills.eu", "root"]
        due = [f"to {name}" for name in names]
        self.assertEqual(self.messages(), [*due, "to the root logger"])
        self.assertEqual(self.messages("trades.log"), [due[0], due[1], due[4]])
        self.assertEqual(self.messages("orders.log"), [due[3]])

    def test_a_set_up_logger_has_one_handler_and_the_level_that_was_asked_for(self) -> None:
        self.assertEqual(self.play("again").err, "")
        self.assertEqual(self.messages(), ["once"])

    def test_no_file_is_made_before_there_is_a_record_for_it(self) -> None:
        self.play("silent")
        self.assertFalse(self.logs.exists())
        self.play("many")
        self.assertEqual(self.files(), ["app.log"])

    def test_other_files_than_the_usual(self) -> None:
        self.play("names", files={"all.txt": "", "sub/fills.log": "trades.fills"})
        self.assertEqual(self.files(), ["all.txt", "sub"])
        self.assertEqual(self.messages("sub/fills.log"), ["to trades.fills", "to trades.fills.eu"])

    def test_files_are_rotated_by_size(self) -> None:
        self.play("many", max_bytes=1000, backup_count=2)
        self.assertEqual(self.files(), ["app.log", "app.log.1", "app.log.2"])
        for name in self.files():
            self.assertLessEqual((self.logs / name).stat().st_size, 1000)
        names = reversed(self.files())
        found = [message for name in names for message in self.messages(name)]
        self.assertEqual(found, [f"record {n:03}" for n in range(100 - len(found), 100)])

    def test_a_size_of_0_never_rotates(self) -> None:
        self.play("many", max_bytes=0)
        self.assertEqual(self.messages(), [f"record {n:03}" for n in range(100)])

    def test_a_file_of_which_no_copies_are_to_stay_is_never_rotated(self) -> None:
        # As RotatingFileHandler understands it; a drain would keep all.
        self.play("many", max_bytes=1000)
        self.assertEqual(self.files(), ["app.log"])
        self.assertEqual(self.messages(), [f"record {n:03}" for n in range(100)])

    def test_lines_of_text_are_those_of_the_standard_library(self) -> None:
        ended = self.play("failing")
        text = (self.logs / "app.log").read_text("utf-8")
        info, error = (LINE % (re.escape("study.module"), x) for x in ("INFO", "ERROR"))
        self.assertRegex(
            text,
            rf"^{error}größe \\udc80\nTraceback \(most recent call last\):\n(  .*\n)+"
            rf"ValueError: on purpose\n{info}with stack\nStack \(most recent call last\):\n"
            rf"(  .*\n)+{info}after\n$",
        )
        self.assertIn("--- Logging error ---", ended.err)

    def test_lines_of_json_have_the_members_of_the_drains(self) -> None:
        self.play("failing", format="json")
        failed, stack, after = support.lines(self.logs / "app.log")
        self.assertEqual(failed["msg"], "größe \\udc80")
        self.assertEqual((failed["level"], failed["logger"]), ("ERROR", "study.module"))
        self.assertRegex(failed["traceback"], r"^Traceback .*\n(  .*\n)+ValueError: on purpose$")
        self.assertRegex(stack["stack"], "^Stack ")
        self.assertRegex(after["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        path = support.ring(self)
        out = support.folder(self) / "ring.json"
        Play(self, "roles_plain", "many", RINGLOG_RING=path).end()
        support.run("drain", "--once", "--ring", path, "--format", "json", "--out", str(out))
        drained = support.lines(out)[0]
        self.assertLessEqual(set(after), set(drained))
        self.assertEqual(list(drained)[: len(after)], list(after), "in this order")

    def drained(self, role: str, form: str, *arguments: str) -> str:
        """What a drain makes of the same program's records."""
        path = support.ring(self)
        Play(self, "roles_plain", role, *arguments, RINGLOG_RING=path).end()
        out = support.folder(self) / "out"
        support.run("drain", "--once", "--ring", path, "--format", form, "--out", str(out))
        return out.read_text("utf-8")

    def test_attributes_and_tags_of_trials_are_shown_in_text_as_a_drain_does(self) -> None:
        self.assertEqual(self.play("attributes").err, "")
        shown = (self.logs / "app.log").read_text("utf-8")
        self.assertIn(
            "INFO - bought study=\"walk forward\" trial=17 symbol=ABC size=100 price=12.5\n", shown
        )
        self.assertRegex(shown, r" - none\n$")
        time = r"(?m)^\d{4}-[-\d :,]+ - study"
        drained = self.drained("attributes", "text").replace("\n    ", "\n")  # further lines
        self.assertEqual(re.sub(time, "", drained), re.sub(time, "", shown))

    def test_attributes_and_tags_of_trials_are_shown_in_json_as_a_drain_does(self) -> None:
        self.assertEqual(self.play("attributes", format="json").err, "")
        shown = support.lines(self.logs / "app.log")
        drained = [json.loads(line) for line in self.drained("attributes", "json").splitlines()]
        self.assertEqual([r.get("attrs") for r in drained], [r.get("attrs") for r in shown])
        tag = {"study": "walk forward", "trial": 17}
        self.assertEqual(tag, {k: shown[0]["attrs"][k] for k in tag})

    def test_names_that_pass_for_the_drains_own_logger_are_shown_as_a_drain_does(self) -> None:
        names = json.dumps([*POSERS, *OTHERS])
        self.assertEqual(self.play("posers", names).err, "")
        shown = (self.logs / "app.log").read_text("utf-8")
        self.assertRegex(shown, r"^[-\d :,]+ - \\x72inglog - INFO - x\n")
        self.assertEqual(shown.count("\\x72inglog"), len(POSERS) + 1)  # one is called that
        # A name in which there is something to escape stands here as it is.
        shown = re.sub(r"[\0-\x09\x7f\u2028]", lambda c: ascii(c[0])[1:-1], shown)
        shown = shown.replace("\\t", "\t")
        time = r"(?m)^\d{4}-[-\d :,]+ - "
        drained = self.drained("posers", "text", names)
        self.assertEqual(re.sub(time, "", drained), re.sub(time, "", shown))

    def test_odd_records_are_written(self) -> None:
        for form in ("text", "json"):
            self.assertEqual(self.play("odd", format=form).err, "")
            lines = (self.logs / "app.log").read_text("utf-8")
            for what in ("created 1700000000000.0", "created nan", "exc_info True"):
                self.assertIn(what, lines)

    def test_raw_lines_are_the_messages_alone(self) -> None:
        self.play("many", format="raw")
        self.assertEqual((self.logs / "app.log").read_text().split("\n")[1], "record 001")

    def test_a_folder_that_cannot_be_made_is_the_handlers_error_and_no_end(self) -> None:
        self.before = lambda where: (where / "logs").touch()
        ended = self.play("blocked")
        self.assertIn("--- Logging error ---", ended.err)
        self.assertEqual(self.messages(), ["somewhere"])

    def test_children_write_the_same_files(self) -> None:
        self.assertEqual(self.play("children").err, "")
        due = [f"from a child by {method}" for method in ("fork", "spawn", "forkserver")]
        self.assertEqual(self.messages(), [*due, "from the parent"])

    def test_where_a_record_goes_is_decided_when_it_is_logged(self) -> None:
        path = support.ring(self)
        self.play("ring_comes_and_goes", path)
        out = self.logs / "ring.json"
        support.run("drain", "--once", "--ring", path, "--format", "json", "--out", str(out))
        self.assertEqual([r["msg"] for r in support.lines(out)], ["ring 1", "ring 2"])
        self.assertEqual(self.messages(), ["plain 1", "plain 2"])

    def test_an_unreadable_set_up_of_the_environment_is_none(self) -> None:
        for text in ("{", "[]", "3"):
            with self.subTest(text=text):
                play = Play(self, "roles_plain", "many", RINGLOG_SETUP=text)
                self.assertEqual(play.end().err, "")
                text = (play.where / "logs" / "app.log").read_text()
                self.assertEqual(len(text.splitlines()), 100)


if __name__ == "__main__":
    unittest.main()
