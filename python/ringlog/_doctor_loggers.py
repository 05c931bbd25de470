"""What the doctor says of the loggers of the program that asks."""

from __future__ import annotations

import logging
from typing import Iterator, Optional

from ._handler import RingHandler


def loggers() -> Iterator[tuple[bool, str, str]]:
    """What keeps records of this process's loggers from a ring: whether all is well, what
    there is to say, and what to do."""
    manager = logging.root.manager
    if manager.disable > 0:
        yield (
            False,
            f"logging.disable({manager.disable}) is in force: no logger logs "
            f"{logging.getLevelName(manager.disable)} and below",
            "logging.disable(logging.NOTSET)",
        )
    known = [x for x in list(manager.loggerDict.values()) if isinstance(x, logging.Logger)]
    known = [logging.root, *sorted(known, key=lambda x: x.name)]
    if not any(isinstance(h, RingHandler) for x in known for h in x.handlers):
        yield (
            False,
            "no logger of this process has a RingHandler",
            "ringlog.setup_logger(NAME), or logging.getLogger(NAME).addHandler("
            "ringlog.RingHandler())",
        )
        return
    well = True
    for logger in known:
        for finding in _logger(logger):
            well = False
            yield finding
    if well:
        yield True, "loggers with a RingHandler log INFO and above", ""


def _logger(logger: logging.Logger) -> Iterator[tuple[bool, str, str]]:
    handler = _reaches(logger)
    if handler is None:
        if not logger.propagate and not logger.handlers:
            yield (
                False,
                f"the logger {logger.name} has no handler and propagate=False",
                f"logging.getLogger({logger.name!r}).propagate = True, or setup_logger",
            )
        return
    if logger.disabled:
        yield (
            False,
            f"the logger {logger.name} is disabled",
            "logging.config disables loggers that exist: disable_existing_loggers=False",
        )
    own = handler in logger.handlers
    level = max(logger.getEffectiveLevel(), handler.level)
    if own and level > logging.INFO:
        yield (
            False,
            f"the logger {logger.name} logs {logging.getLevelName(level)} and above only",
            f"logging.getLogger({logger.name!r}).setLevel(logging.INFO), and of its handler",
        )


def _reaches(logger: logging.Logger) -> Optional[RingHandler]:
    """The RingHandler that a record of this logger comes to first."""
    at: Optional[logging.Logger] = logger
    while at is not None:
        for handler in at.handlers:
            if isinstance(handler, RingHandler):
                return handler
        at = at.parent if at.propagate else None
    return None
