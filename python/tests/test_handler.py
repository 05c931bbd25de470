"""RingHandler as logging uses it: what cannot be formatted, levels, filters, configuration."""

from __future__ import annotations

import contextlib
import copy
import datetime
import gc
import io
import json
import logging
import logging.config
import os
import pickle
import subprocess
import sys
import threading
import unittest
import weakref
from pathlib import Path
from typing import Any, Dict, Iterator
from unittest import mock

import ringlog
from ringlog import RingHandler, _encode, _process

from . import support


class Keeps(RingHandler):
    """Keeps what goes to handleError."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.errors: list[BaseException] = []

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        assert error is not None
        self.errors.append(error)


class Collects(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class OnARing(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.path = support.ring(self, "--lanes", "8", "--lane-size", "256KiB")
        self.addCleanup(_process.detach)
        self.handler = Keeps(ring=self.path, label="tests", timeout=0.01)
        self.logger = self.named("tests.handler")
        self.logger.addHandler(self.handler)

    def named(self, name: str) -> logging.Logger:
        """A logger of this test's own, in a tree of its own."""
        logger = logging.Logger(name, 1)
        logger.manager = logging.Manager(logging.RootLogger(1))  # type: ignore[assignment]
        return logger

    def records(self) -> list[dict[str, Any]]:
        """What is in the ring, which is sound, without the log's own lines."""
        return [r for r in self.lines() if not r["msg"].startswith("lost ")]

    def lines(self) -> list[dict[str, Any]]:
        done = subprocess.run(
            [str(Path(support.ringlog()).parent / "ringdump"), "--format", "json", self.path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=support.DEADLINE,
        )
        self.assertEqual(0, done.returncode, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def messages(self) -> list[str]:
        return [r["msg"] for r in self.records()]

    def lost(self) -> dict[str, Any]:
        """The last owner's losses, by reason."""
        lanes = json.loads(support.run("stat", "--json", self.path))["lanes"]
        return {k: v for lane in lanes for k, v in lane["lost"].items()}


class Hostile(OnARing):
    def test_what_cannot_be_formatted_goes_to_handle_error_and_is_counted_aborted(self) -> None:
        class Raises:
            def __str__(self) -> str:
                raise ZeroDivisionError("no text")

            __repr__ = __str__

        log = self.logger
        log.info("%s")
        log.info("%d", "no number")
        log.info("%s %s", 1)
        log.warning("%s", Raises())
        log.info("extra", extra={"x": Raises()})
        log.info("group", extra={"g": {"x": Raises()}})
        log.info("key", extra={"g": {Raises(): 1}})
        log.info("behind")
        kinds = [type(e).__name__ for e in self.handler.errors]
        self.assertEqual(["TypeError", "TypeError", "ZeroDivisionError"], kinds)
        self.assertEqual(["%s", "extra", "group", "key", "behind"], self.messages())
        bad = "!ERROR: ZeroDivisionError: no text"
        want = [{"x": bad}, {"g": {"x": bad}}, {"g": {bad: 1}}]
        self.assertEqual(want, [r["attrs"] for r in self.records() if "attrs" in r])
        self.assertEqual({"aborted": {"below_warning": 2, "warning_and_above": 1}}, self.lost())
        lines = [r["msg"] for r in self.lines() if r["msg"].startswith("lost ")]
        self.assertEqual(["lost 3 records (aborted)"], lines)

    def test_the_standard_handle_error_says_so_and_raises_nothing(self) -> None:
        logger = self.named("plain")
        logger.addHandler(RingHandler(ring=self.path))
        with mock.patch.object(sys, "stderr", io.StringIO()) as err:
            logger.info("%d", "no number")
        self.assertIn("--- Logging error ---", err.getvalue())

    def test_an_object_that_logs_while_it_is_formatted_has_its_records_written_too(self) -> None:
        log = self.logger

        class Logs:
            def __str__(self) -> str:
                log.info("inner")
                return "text"

        log.info("outer %s", Logs(), extra={"x": Logs()})
        self.assertEqual(["outer text", "inner", "inner"], self.messages())  # by their times

    def test_an_object_that_logs_itself_without_end_raises_nothing(self) -> None:
        log = self.logger

        class Endless:
            def __str__(self) -> str:
                log.info("%s", self)
                return "end"

        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(300)
        try:
            log.info("%s", Endless())
        finally:
            sys.setrecursionlimit(limit)
        log.info("behind")
        self.assertTrue(any(isinstance(e, RecursionError) for e in self.handler.errors))
        self.assertEqual("behind", self.messages()[-1])

    def test_a_group_that_holds_itself_ends(self) -> None:
        group: dict[str, Any] = {"a": 1}
        group["self"] = group
        self.logger.info("loop", extra={"g": group})
        deep: dict[str, Any] = {}
        for _ in range(200):
            deep = {"d": deep or 1}
        self.logger.info("deep", extra={"g": deep})
        self.assertEqual(["loop", "deep"], self.messages())
        self.assertEqual([], self.handler.errors)

    def test_lone_surrogates_are_written_as_escapes_wherever_they_stand(self) -> None:
        record = logging.LogRecord("na\udc80me", 20, "/fi\udc81le.py", 7, "mess\ud800age", (), None)
        record.processName, record.threadName, record.funcName = "p\udc82", "t\udc83", "f\udc84"
        record.__dict__["k\udc85"] = "v\udc86"
        self.handler.handle(record)
        self.assertEqual([], self.handler.errors)
        (r,) = self.records()
        self.assertEqual(("na\\udc80me", "mess\\ud800age"), (r["logger"], r["msg"]))
        self.assertEqual(("p\\udc82", "t\\udc83"), (r["process"], r["thread"]))
        self.assertEqual(
            {"file": "/fi\\udc81le.py", "line": 7, "function": "f\\udc84"}, r["source"]
        )
        shown = json.dumps(r["attrs"] if "attrs" in r else r)
        self.assertIn("v\\udc86", shown.replace("\\\\", "\\"))

    def test_messages_of_any_text_arrive_as_they_are(self) -> None:
        texts = ["", "\0", "a\nb\r\nc", "\x1b[31mred", "🂡" * 50, "%s", "\u2028", "x" * 30_000]
        for text in texts:
            self.logger.info(text)
        self.logger.info(12345)  # type: ignore[arg-type]
        self.logger.info({"a": 1})
        self.assertEqual([*texts, "12345", "{'a': 1}"], self.messages())

    def test_names_that_are_too_long_are_refused_and_counted(self) -> None:
        self.logger.info("x", extra={"k" * 70_000: 1})
        self.handler.handle(logging.LogRecord("n" * 70_000, 20, "f", 1, "m", (), None))
        self.logger.info("y" * 40_000)  # larger than an eighth of the lane
        self.logger.info("behind")
        self.assertEqual(["behind"], self.messages())
        self.assertEqual(["ValueError"] * 2, [type(e).__name__ for e in self.handler.errors])
        self.assertEqual({"aborted", "too_large"}, {k.replace(" ", "_") for k in self.lost()})

    def test_odd_attributes_of_a_record_do_no_harm(self) -> None:
        for name, value in (
            ("created", None),
            ("created", float("nan")),
            ("created", 1e300),
            ("created", -1e300),
            ("process", None),
            ("processName", None),
            ("threadName", None),
            ("threadName", 5),
            ("funcName", None),
            ("pathname", None),
            ("pathname", ""),
            ("lineno", None),
            ("lineno", -5),
            ("lineno", 1 << 40),
            ("exc_text", 5),
            ("stack_info", 5),
            ("msg", None),
            ("args", None),
            ("levelname", ""),
            ("levelname", None),
            ("levelname", ["a list"]),
            ("levelno", None),
            ("levelno", 20.0),
            ("lineno", "7"),
            ("funcName", 5),
            ("created", 1.7e12),
            ("created", 1 << 70),
            ("exc_info", True),
            ("exc_info", 5),
            ("exc_info", (1, 2)),
            ("exc_info", ValueError("x")),
        ):
            record = logging.LogRecord("n", 20, "f", 1, "m", (), None)
            setattr(record, name, value)
            self.handler.handle(record)
            self.assertEqual([], self.handler.errors, f"{name} = {value}")
        found = self.records()
        self.assertEqual(31, len(found))
        self.assertEqual({"INFO", "['a list']"}, {r["level"] for r in found})
        hour = datetime.timedelta(hours=1)
        now = datetime.datetime.now(datetime.timezone.utc)
        for r in found:
            when = datetime.datetime.strptime(r["time"][:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z")
            self.assertLess(abs(when - now), hour)

    def test_exc_info_that_was_left_for_logging_to_look_up_brings_the_traceback(self) -> None:
        try:
            raise KeyError("gone")
        except KeyError as error:
            for info in (True, error):
                record = logging.LogRecord("n", 40, "f", 1, "m", (), None)
                record.exc_info = info  # type: ignore[assignment]
                self.handler.handle(record)
        last = [r["traceback"].splitlines()[-1] for r in self.records()]
        self.assertEqual(["KeyError: 'gone'"] * 2, last)

    def test_a_record_without_some_of_its_attributes_is_written_if_it_has_a_message(self) -> None:
        names = [*logging.LogRecord("n", 20, "f", 1, "m", (), None).__dict__]
        for name in names:
            record = logging.LogRecord("n", 30, "f", 1, name, (), None)
            record.__dict__.update(own=1, more=2)
            del record.__dict__[name]
            self.handler.handle(record)
        self.logger.info("behind")
        found = self.records()
        due = [name for name in names if name not in ("msg", "args")]
        self.assertEqual([*due, "behind"], [r["msg"] for r in found])
        for r in found[:-1]:
            self.assertEqual({"own": 1, "more": 2}, _attributes(r), r["msg"])
            self.assertEqual("WARNING", r["level"], r["msg"])
        self.assertEqual(2, len(self.handler.errors))

    def test_as_many_attributes_removed_as_added_hide_nothing(self) -> None:
        class Slim(logging.LogRecord):
            def __init__(self, *arguments: Any, **options: Any) -> None:
                self.before = 1
                super().__init__(*arguments, **options)
                del self.module

        def slim(record: logging.LogRecord) -> bool:
            del record.threadName, record.processName
            return True

        self.logger.addFilter(slim)
        self.logger.info("m", extra={"own": 1, "other": 2})
        self.handler.handle(Slim("n", 20, "f", 1, "m", (), None))
        found = [_attributes(r) for r in self.records()]
        self.assertEqual([{"own": 1, "other": 2}, {"before": 1}], found)


class Values(OnARing):
    """Attributes that are not what they seem."""

    def attributes(self, *values: Any) -> list[Any]:
        """How each is shown, logged one after the other."""
        for value in values:
            self.logger.info("m", extra={"x": value})
        self.assertEqual([], self.handler.errors)
        return [_attributes(r).get("x") for r in self.records()]

    def test_times_of_pandas_are_times_and_what_they_do_not_know_is_text(self) -> None:
        class Timestamp(datetime.datetime):
            def astimezone(self, tz: Any = None) -> Any:
                if tz is None and self.tzinfo is None:
                    raise TypeError("Cannot convert tz-naive Timestamp")
                return super().astimezone(tz)

        class NaT(datetime.datetime):
            def utcoffset(self) -> Any:
                raise RuntimeError

            def __str__(self) -> str:
                return "NaT"

        naive = datetime.datetime(2026, 11, 23, 18, 47, 1, 500_000)
        found = self.attributes(Timestamp(2026, 11, 23, 18, 47, 1, 500_000), naive, NaT(1, 1, 1))
        self.assertEqual([found[1], found[1], "NaT"], found)
        self.assertRegex(found[0], r"^2026-11-23T18:47:01.5")

    def test_scalars_of_numpy_keep_their_meaning(self) -> None:
        def scalar(name: str, base: type, **members: Any) -> Any:
            return type(name, (base,), {"__module__": "numpy", **members})

        span = scalar("timedelta64", int, __str__=lambda self: "5 seconds")
        bools = [scalar(n, object, __bool__=lambda self: False) for n in ("bool", "bool_")]
        whole = scalar("int64", int)
        found = self.attributes(span(5), *(b() for b in bools), whole(7), span(5))
        self.assertEqual(["5 seconds", False, False, 7, "5 seconds"], found)

    def test_a_number_that_does_not_convert_is_text(self) -> None:
        class Unsure(int):
            def __int__(self) -> int:
                raise TypeError

            def __str__(self) -> str:
                return "unsure"

        self.assertEqual(["unsure"], self.attributes(Unsure(5)))

    def test_a_value_that_says_it_is_of_another_class_decides_nothing_for_the_next(self) -> None:
        class Proxy:
            def __init__(self, value: Any) -> None:
                self.value = value

            @property  # type: ignore[misc]
            def __class__(self) -> Any:
                return type(self.value)

            def __getattr__(self, name: str) -> Any:
                return getattr(self.value, name)

            def __int__(self) -> int:
                return int(self.value)

            def __str__(self) -> str:
                return str(self.value)

        values = [5, "text", {"a": 1}, object, 6, {"b": 2}]
        found = self.attributes(*(Proxy(value) for value in values))
        self.assertEqual([5, "text", {"a": 1}, str(object), 6, {"b": 2}], found)

    def test_a_reference_to_what_is_gone_is_told_as_an_error(self) -> None:
        class Any_:
            pass

        gone = weakref.proxy(Any_())
        gc.collect()
        (found,) = self.attributes(gone)
        self.assertRegex(found, "^!ERROR: ReferenceError: ")

    def test_a_dictionary_that_changes_while_it_is_encoded_is_shown_as_it_was(self) -> None:
        changing: dict[str, Any] = {}

        class Changes:
            def __str__(self) -> str:
                changing["new"] = 1
                return "text"

        changing.update(a=Changes(), b=2)
        self.assertEqual([{"a": "text", "b": 2}], self.attributes(changing))

    def test_a_mapping_that_does_not_list_its_members_is_text(self) -> None:
        class Bad(Dict[str, int]):
            def __init__(self, members: Any) -> None:
                self.members = members

            def items(self) -> Any:
                return self.members()

            def __str__(self) -> str:
                return "bad"

        def fails() -> Any:
            raise OSError("remote")

        self.assertEqual(["bad"] * 2, self.attributes(Bad(fails), Bad(lambda: [1, 2])))

    def test_keys_that_cannot_be_keys_are_shown_as_text(self) -> None:
        class Pairs(Dict[str, int]):
            def items(self) -> Any:
                return [([1], 1), (None, 2)]

        self.assertEqual([{"[1]": 1, "None": 2}], self.attributes(Pairs()))

    def test_a_group_without_a_name_that_holds_itself_ends(self) -> None:
        inner: dict[str, Any] = {"a": 1}
        inner[""] = inner
        self.assertEqual([{"a": 1, "": "!TOO DEEP"}], self.attributes({"": inner}))

    def test_what_fails_as_it_logs_itself_ends_before_long(self) -> None:
        log, calls = self.logger, []

        class Endless:
            def __str__(self) -> str:
                calls.append(1)
                if len(calls) < 1000:
                    log.info("inner", extra={"x": self})
                raise RuntimeError("no text")

        with mock.patch.object(self.handler, "handleError"):
            log.info("outer", extra={"x": Endless()})
        self.assertLess(len(calls), 1000)

    def test_a_message_that_is_no_text_is_shown_as_one(self) -> None:
        class Odd(logging.LogRecord):
            def getMessage(self) -> Any:
                return None

        self.handler.handle(Odd("n", 20, "f", 1, "m", (), None))
        self.assertEqual(["None"], self.messages())


class Levels(OnARing):
    def test_every_level_is_shown_as_python_names_it(self) -> None:
        logging.addLevelName(35, "NOTABLE")
        self.addCleanup(logging._levelToName.pop, 35)  # type: ignore[attr-defined]
        self.addCleanup(logging._nameToLevel.pop, "NOTABLE")  # type: ignore[attr-defined]
        numbers = [10, 20, 30, 40, 50, 1, 5, 15, 21, 25, 35, 49, 60, 99, 16403, 16404, 100_000]
        numbers += [1 << 31, 1 << 70]
        for number in numbers:
            self.logger.log(number, "m")
        for number in (0, -1, -5, -16364, -16365, -(1 << 70)):  # Logger.log takes none of them
            self.handler.handle(
                self.logger.makeRecord("n", number, "f", 1, f"{number}", (), None)
            )
        self.assertEqual([], self.handler.errors)
        shown = [r["level"] for r in self.records()]
        want = [logging.getLevelName(n) for n in numbers]
        clamped = {1 << 31: (1 << 31) - 1, 1 << 70: (1 << 31) - 1}
        want = [f"Level {clamped[n]}" if n in clamped else w for n, w in zip(numbers, want)]
        self.assertEqual(want, shown[: len(numbers)])
        self.assertEqual(["NOTSET", "Level -1", "Level -5"], shown[len(numbers) :][:3])

    def test_rules_of_ringlog_level_are_obeyed_from_the_next_record(self) -> None:
        log, other = self.logger, self.named("other")
        other.addHandler(self.handler)
        log.debug("1")
        support.run("level", self.path, "tests=warning")
        log.info("not this")
        log.warning("2")
        other.debug("3")
        support.run("level", self.path, "tests=", "error")
        other.warning("nor this")
        log.error("4")
        support.run("level", self.path, "=")
        log.debug("5")
        self.assertEqual(["1", "2", "3", "4", "5"], self.messages())
        self.assertEqual({}, self.lost())

    def test_a_rule_that_is_there_before_the_first_record_holds_for_it(self) -> None:
        support.run("level", self.path, "tests.handler=error")
        self.logger.warning("not this")
        self.logger.error("this")
        self.named("tests").addHandler(self.handler)
        self.assertEqual(["this"], self.messages())

    def test_the_handlers_level_and_its_filters_hold(self) -> None:
        self.handler.setLevel(logging.WARNING)
        self.handler.addFilter(lambda record: "secret" not in record.getMessage())
        for level in (20, 30, 40):
            self.logger.log(level, f"at {level}")
            self.logger.log(level, f"secret at {level}")
        self.assertEqual(["at 30", "at 40"], self.messages())


class Tracebacks(OnARing):
    def traced(self) -> list[str]:
        """The last line of each traceback."""
        return [r["traceback"].splitlines()[-1] for r in self.records()]

    def test_exc_info_in_each_of_its_forms_brings_the_traceback(self) -> None:
        log = self.logger
        try:
            raise KeyError("gone")
        except KeyError as err:
            caught = err
            log.exception("exception")
            log.error("true", exc_info=True)
            log.error("instance", exc_info=err)
            log.error("tuple", exc_info=sys.exc_info())
        log.error("later", exc_info=caught)
        log.error("unraised", exc_info=ValueError("never raised"))
        self.assertEqual(["KeyError: 'gone'"] * 5 + ["ValueError: never raised"], self.traced())
        self.assertIn('raise KeyError("gone")', self.records()[0]["traceback"])

    def test_exc_info_outside_of_an_exception_does_no_harm(self) -> None:
        self.logger.error("true", exc_info=True)
        self.logger.error("nothing", exc_info=(None, None, None))
        self.logger.error("none", exc_info=None)
        self.assertEqual(["true", "nothing", "none"], self.messages())
        self.assertEqual([], self.handler.errors)

    def test_a_traceback_that_another_handler_has_cached_is_taken(self) -> None:
        record = logging.LogRecord("n", 40, "f", 1, "m", (), None)
        record.exc_text = "cached by a formatter\nLast: line"
        self.handler.handle(record)
        self.assertEqual("cached by a formatter\nLast: line", self.records()[0]["traceback"])

    def test_a_formatter_that_hides_the_traceback_elsewhere_changes_nothing_here(self) -> None:
        stream = logging.StreamHandler(io.StringIO())
        self.logger.addHandler(stream)
        try:
            raise ValueError("x")
        except ValueError:
            self.logger.exception("m")
        self.assertEqual(["ValueError: x"], self.traced())
        self.assertEqual("m", self.messages()[0])

    def test_stack_info_is_kept(self) -> None:
        self.logger.info("m", stack_info=True)
        self.assertIn("Stack (most recent call last)", self.records()[0]["stack"])

    def test_an_exception_whose_text_raises_does_no_harm(self) -> None:
        class Bad(Exception):
            def __str__(self) -> str:
                raise ValueError("no text")

        try:
            raise Bad
        except Bad:
            self.logger.exception("m")
        self.logger.info("extra", extra={"e": Bad()})
        self.logger.info("behind")
        self.assertEqual(["m", "extra", "behind"], self.messages())


class Records(OnARing):
    def test_a_record_made_of_another_ones_dictionary_is_written(self) -> None:
        made = logging.makeLogRecord({"name": "remote", "msg": "hello %s", "args": ("you",)})
        made.levelno, made.levelname = 30, "WARNING"
        self.handler.handle(made)
        (r,) = self.records()
        self.assertEqual(("remote", "hello you", "WARNING"), (r["logger"], r["msg"], r["level"]))

    def test_a_subclass_decides_what_the_message_is(self) -> None:
        class Braces(logging.LogRecord):
            def getMessage(self) -> str:
                return str(self.msg).format(*self.args or ())

        self.handler.handle(Braces("n", 20, "f", 1, "{} and {}", (1, 2), None))
        self.assertEqual(["1 and 2"], self.messages())

    def test_what_a_factory_adds_is_an_attribute_whenever_it_adds_it(self) -> None:
        class Before(logging.LogRecord):
            def __init__(self, *arguments: Any, **options: Any) -> None:
                self.before = "b"
                super().__init__(*arguments, **options)
                self.behind = 2

        old = logging.getLogRecordFactory()
        self.addCleanup(logging.setLogRecordFactory, old)
        logging.setLogRecordFactory(Before)
        self.logger.info("one", extra={"own": True})
        logging.setLogRecordFactory(old)
        self.logger.info("two", extra={"own": False})
        one, two = (_attributes(r) for r in self.records())
        self.assertEqual({"before": "b", "behind": 2, "own": True}, one)
        self.assertEqual({"own": False}, two)

    def test_what_another_formatter_adds_is_no_attribute(self) -> None:
        stream = logging.StreamHandler(io.StringIO())
        stream.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        self.logger.handlers.insert(0, stream)
        self.logger.info("m", extra={"own": 1})
        self.assertEqual({"own": 1}, _attributes(self.records()[0]))

    @unittest.skipIf(sys.version_info < (3, 12), "since Python 3.12 filters may replace a record")
    def test_a_filter_may_replace_the_record(self) -> None:
        def replaced(record: logging.LogRecord) -> Any:
            changed = copy.copy(record)
            changed.msg, changed.args = "replaced", ()
            return changed

        other = Collects()
        self.handler.addFilter(replaced)
        self.logger.addHandler(other)
        self.logger.info("as it was")
        self.assertEqual(["replaced"], self.messages())
        self.assertEqual(["as it was"], [r.getMessage() for r in other.records])

    def test_a_record_that_comes_to_several_handlers_is_written_once(self) -> None:
        parent, child = self.named("p"), self.named("p.c")
        child.parent = parent
        again = RingHandler(ring=self.path)
        for logger in (parent, child):
            logger.addHandler(self.handler)
            logger.addHandler(again)
        child.info("once")
        parent.info("once more")
        self.assertEqual(["once", "once more"], self.messages())

    def test_a_record_that_comes_to_handlers_of_two_rings_is_in_both(self) -> None:
        other = support.ring(self, "--lanes", "2", "--lane-size", "64KiB")
        self.logger.addHandler(RingHandler(ring=other))
        self.logger.addHandler(RingHandler(ring=other))
        self.logger.info("both")
        self.assertEqual(["both"], self.messages())
        self.path = other
        self.assertEqual(["both"], self.messages())

    def test_a_record_that_cannot_be_formatted_is_counted_once_for_two_handlers(self) -> None:
        self.logger.addHandler(Keeps(ring=self.path))
        self.logger.info("%d", "no number")
        self.assertEqual({"aborted": {"below_warning": 1, "warning_and_above": 0}}, self.lost())

    def test_threads_lose_and_double_nothing(self) -> None:
        # Of room for all of them, however long the path of this file is.
        self.path = support.ring(self, "--lanes", "1", "--lane-size", "16MiB")
        self.handler.ring = self.path
        n = support.by_thoroughness(100, 200, 2000)

        def work(t: int) -> None:
            for i in range(n):
                self.logger.info("%d.%d", t, i)

        threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        want = sorted(f"{t}.{i}" for t in range(4) for i in range(n))
        self.assertEqual(want, sorted(self.messages()))


def _attributes(r: dict[str, Any]) -> dict[str, Any]:
    """What `extra` has added, as the JSON lines show it."""
    own = {"time", "level", "logger", "msg", "worker", "pid", "seq", "id", "source", "process"}
    own |= {"thread", "traceback", "stack"}
    return r["attrs"] if "attrs" in r else {k: v for k, v in r.items() if k not in own}


class Ends(OnARing):
    def test_a_record_behind_detach_claims_a_lane_again(self) -> None:
        self.logger.info("1")
        ringlog.detach()
        self.logger.info("2")
        self.assertEqual(["1", "2"], self.messages())

    def test_a_record_of_a_closed_handler_is_not_lost(self) -> None:
        self.logger.info("1")
        self.handler.close()
        self.logger.info("2")
        self.assertEqual(["1", "2"], self.messages())

    def test_a_lane_that_ends_behind_the_handlers_back_loses_nothing(self) -> None:
        self.logger.info("1")
        _process.lanes[self.path].close()
        self.logger.info("2")
        self.assertEqual(["1", "2"], self.messages())

    def test_in_a_retired_ring_records_go_to_the_fallback_and_in_the_next_ring_on(self) -> None:
        fallback = Collects()
        self.handler.fallback = fallback
        with open(self.path, "r+b") as f:
            f.seek(4096)
            f.write(b"RETIRED ")
        with self.standard_error() as said:
            self.logger.info("1")
            self.logger.info("2")
        self.assertEqual(["1", "2"], [r.getMessage() for r in fallback.records])
        self.assertEqual(1, said().count("is being removed"))
        self.handler.ring = support.ring(self, "--lanes", "2", "--lane-size", "64KiB")
        self.path = self.handler.ring
        self.logger.info("3")
        self.assertEqual(["3"], self.messages())

    def test_without_a_ring_records_go_to_the_fallback_or_to_standard_error(self) -> None:
        with mock.patch.dict(os.environ):
            os.environ.pop("RINGLOG_RING", None)
            fallback = Collects()
            logger = self.named("none")
            logger.addHandler(RingHandler(fallback=fallback))
            logger.info("kept")
            self.assertEqual(["kept"], [r.getMessage() for r in fallback.records])
            logger = self.named("none")
            logger.addHandler(RingHandler())
            with mock.patch.object(sys, "stderr", io.StringIO()) as err:
                logger.warning("said")
            self.assertTrue(err.getvalue().endswith(" - none - WARNING - said\n"), err.getvalue())
            # A ring that comes later is used from then on.
            os.environ["RINGLOG_RING"] = self.path
            logger.info("in the ring")
        self.assertEqual(["in the ring"], self.messages())

    def test_a_path_that_is_no_ring_is_said_once(self) -> None:
        logger = self.named("none")
        fallback = Collects()
        logger.addHandler(RingHandler(ring=__file__, fallback=fallback))
        with self.standard_error() as said:
            for _ in range(5):
                logger.info("x")
        self.assertEqual(1, said().count("is not a ring"))
        self.assertEqual(5, len(fallback.records))

    @contextlib.contextmanager
    def standard_error(self) -> Iterator[Any]:
        """Catches what goes to descriptor 2."""
        path = support.folder(self) / "stderr"
        kept = os.dup(2)
        fd = os.open(path, os.O_CREAT | os.O_WRONLY)
        os.dup2(fd, 2)
        os.close(fd)
        try:
            yield path.read_text
        finally:
            os.dup2(kept, 2)
            os.close(kept)


class Configured(OnARing):
    def setUp(self) -> None:
        super().setUp()
        root = logging.getLogger()
        kept = root.handlers[:], root.level
        self.addCleanup(root.setLevel, kept[1])
        self.addCleanup(setattr, root, "handlers", kept[0])

    def test_dict_config_makes_handlers(self) -> None:
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "filters": {"f": {"()": logging.Filter, "name": "conf"}},
                "handlers": {
                    "ring": {
                        "class": "ringlog.RingHandler",
                        "level": "INFO",
                        "ring": self.path,
                        "label": "by dictConfig",
                        "when_full": "drop",
                        "filters": ["f"],
                    }
                },
                "loggers": {"conf": {"handlers": ["ring"], "level": "DEBUG"}},
            }
        )
        self.addCleanup(logging.getLogger("conf").handlers.clear)
        logging.getLogger("conf").debug("below")
        logging.getLogger("conf.child").info("in it")
        found = [(r["msg"], r["worker"]) for r in self.records()]
        self.assertEqual([("in it", "by dictConfig")], found)

    def test_file_config_makes_handlers(self) -> None:
        where = support.folder(self) / "logging.ini"
        where.write_text(
            "[loggers]\nkeys=root\n[handlers]\nkeys=ring\n[formatters]\nkeys=\n"
            "[logger_root]\nlevel=INFO\nhandlers=ring\n"
            "[handler_ring]\nclass=ringlog.RingHandler\n"
            f"args=()\nkwargs={{'ring': {self.path!r}, 'label': 'ini'}}\n"
        )
        logging.config.fileConfig(where, disable_existing_loggers=False)
        logging.getLogger("any").info("in it")
        self.assertEqual([("in it", "ini")], [(r["msg"], r["worker"]) for r in self.records()])

    def test_a_handler_can_be_pickled_and_copied(self) -> None:
        handler = RingHandler(logging.INFO, ring=self.path, when_full="drop", timeout=2.5)
        handler.addFilter(logging.Filter("conf"))
        handler.fallback = logging.StreamHandler(io.StringIO())
        pickled = pickle.loads(pickle.dumps(handler))
        for other in (pickled, copy.deepcopy(handler), copy.copy(handler)):
            self.assertIs(RingHandler, type(other))
            for name in ("ring", "label", "when_full", "timeout", "level"):
                self.assertEqual(getattr(handler, name), getattr(other, name), name)
            self.assertEqual(1, len(other.filters))
            self.assertIsNot(handler.lock, other.lock)
            logger = self.named("conf")
            logger.addHandler(other)
            logger.info("from a copy")
        self.assertEqual(["from a copy"] * 3, self.messages())

    def test_arguments_that_make_no_sense_are_refused(self) -> None:
        for options in ({"when_full": "wait"}, {"timeout": -1}, {"timeout": float("nan")}):
            with self.assertRaisesRegex(ValueError, "want"):
                RingHandler(**options)  # type: ignore[arg-type]
