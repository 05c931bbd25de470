"""A program without a ring, for test_plain: `python -m tests.roles_plain ROLE [SETUP]`.

It runs in the folder in which its files are to be; SETUP, JSON, is what a set-up would have
said to its children.
"""

from __future__ import annotations

import logging
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
        names, again, silent, many, failing, blocked, children, ring_comes_and_goes
    )
}  # fmt: skip

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
