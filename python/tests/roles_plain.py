"""A program without a ring, for test_plain: `python -m tests.roles_plain ROLE [SETUP]`.

It runs in the folder in which its files are to be; SETUP, JSON, is what a set-up would have
said to its children.
"""

from __future__ import annotations

import datetime
import json
import logging
import math
import multiprocessing
import os
import sys
from typing import Any, Callable

import ringlog

log = ringlog.setup_logger("study.module", use_multiprocessing=True)


def names() -> None:
    """Loggers of every kind of name."""
    for name in ("trades", "trades.fills", "tradesman", "orders.new", "trades.fills.eu", "root"):
        ringlog.setup_logger(name).info("to %s", name)
    ringlog.setup_logger("").warning("to the root logger")


def again() -> None:
    """The same logger several times: one handler, and the level that was asked for last."""
    for use in (True, False, True):
        assert ringlog.setup_logger("study.module", use, logging.WARNING) is log
    assert len(log.handlers) == 1 and not log.propagate
    log.info("too low")
    log.warning("once")
    assert ringlog.get_multiprocessing_logger("study.module").level == logging.WARNING
    assert ringlog.get_multiprocessing_logger("study.new").level == logging.INFO
    log.setLevel(logging.DEBUG)
    assert ringlog.get_multiprocessing_logger("study.module").level == logging.DEBUG
    ringlog.setup_logger("study.module")
    log.debug("too low again")


def silent() -> None:
    """A program that logs nothing."""
    ringlog.setup_logger("study.other")


def many() -> None:
    for n in range(100):
        log.info("record %03d", n)


def failing() -> None:
    """Records that are more than a message, and one that cannot be formatted."""
    try:
        raise ValueError("on purpose")
    except ValueError:
        log.exception("größe \udc80")
    log.info("with stack", stack_info=True)
    log.info("%d", "no number")
    log.info("after")


def attributes() -> None:
    """Records with a trial's tag and extras, of every kind."""
    utc = datetime.timezone.utc
    east = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    hours = datetime.timedelta(hours=-1, seconds=90.5)
    with ringlog.trial("walk forward", 17):
        log.info("bought", extra={"symbol": "ABC", "size": 100, "price": 12.5})
    log.info(
        "text",
        extra={"blank": "a b", "none": "", "same": 'a="b"', "lines": "a\tb\r\nc", "ü": "größe",
               "space": "a\u2003b", "odd": "\x1b\x7f\u202e\U000e0001\ufffd", "back": "a\\b",
               "half": "\udc80", "two words": 1},
    )  # fmt: skip
    log.info("others", extra={"yes": True, "no": False, "nothing": None, "list": [1, "b"]})
    log.info("whole", extra={"big": 1 << 63, "bigger": 1 << 70, "least": -(1 << 63), "zero": 0})
    floats = (0.0, -0.0, 1.0, 123456.0, 1e6, 1234567.5, 1e-4, 1e-5, 1.5e300, 5e-324, 0.1 + 0.2,
              -2.5e-9, math.inf, -math.inf, math.nan)  # fmt: skip
    log.info("floats", extra={f"f{n}": value for n, value in enumerate(floats)})
    log.info(
        "times",
        extra={"at": datetime.datetime(2026, 1, 2, 3, 4, 5, 120_000, utc),
               "east": datetime.datetime(1, 1, 2, 3, 4, 5, 0, east),
               "ago": hours, "µ": datetime.timedelta(microseconds=5), "now": 0 * hours,
               "ms": datetime.timedelta(milliseconds=-20.5), "day": datetime.timedelta(1)},
    )  # fmt: skip
    log.info("bytes", extra={"b": b"a\xff\n", "empty": b"", "error": ValueError("on purpose")})
    group = {"a": 1, "in": {"b": "x y"}, "": {"c": 2}, "empty": {}}
    log.info("groups", extra={"g": group, "n" * 126 + "ü": {"d": {"e": 1}}})
    log.info("two\nlines\n", extra={"k": 1})
    log.info("none")


def posers(names: str) -> None:
    """Loggers of names of all kinds, in JSON."""
    for name in json.loads(names):
        ringlog.setup_logger(name).info("x")


def odd() -> None:
    """Records that were made by hand."""
    handler = log.handlers[0]
    for name, value in (("created", 1.7e12), ("created", math.nan), ("exc_info", True)):
        record = logging.LogRecord("study.module", 20, "f", 1, f"{name} {value}", (), None)
        record.__dict__[name] = value
        handler.handle(record)


def blocked() -> None:
    """The folder of the files cannot be made; then it can."""
    log.info("nowhere")
    os.unlink("logs")
    log.info("somewhere")


def children() -> None:
    """Children write the same files by themselves."""
    for method in ("fork", "spawn", "forkserver"):
        context: Any = multiprocessing.get_context(method)
        child = context.Process(target=log.info, args=("from a child by %s", method))
        child.start()
        child.join()
    log.info("from the parent")


def ring_comes_and_goes(ring: str) -> None:
    """Where a record goes is decided when it is logged."""
    log.info("plain 1")
    os.environ["RINGLOG_RING"] = ring
    log.info("ring 1")
    log.info("ring 2")
    del os.environ["RINGLOG_RING"]
    ringlog.detach()
    log.info("plain 2")


ROLES: dict[str, Callable[..., None]] = {
    f.__name__: f
    for f in (
        names, again, silent, many, failing, attributes, posers, odd, blocked, children,
        ring_comes_and_goes,
    )
}  # fmt: skip

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
