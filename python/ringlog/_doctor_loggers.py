"""What the doctor says of the loggers of the program that asks."""

from __future__ import annotations

import logging
import shlex
from typing import Iterator, Optional

from . import _process
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
            _lower(logger, handler),
        )


def _lower(logger: logging.Logger, handler: RingHandler) -> str:
    """What has a logger and its handler let INFO through."""
    steps = []
    if logger.getEffectiveLevel() > logging.INFO:
        ruled = _ruled(logger, handler.ring)
        steps.append(ruled or f"logging.getLogger({logger.name!r}).setLevel(logging.INFO)")
    if handler.level > logging.INFO:
        steps.append("setLevel(logging.INFO) of its RingHandler")
    return ", and ".join(steps)


def _ruled(logger: logging.Logger, ring: Optional[str]) -> str:
    """What to do where the ring gives a logger its level, which comes back whatever the program
    sets; empty: the level is the program's own."""
    holder = logger  # whose level is in force
    while not holder.level and holder.parent is not None:
        holder = holder.parent
    path = ring or _process.ring_in_use()
    if not path:
        return ""
    lane, prefix = _process.lanes.get(ring), ""
    lowest = lane.rules.minimum(holder.name) if lane is not None else None
    if lane is not None and lowest is not None:
        if holder.level != max(1, -(-lowest // 2) + 20):
            return ""
        prefix = holder.name
        while prefix and prefix not in lane.rules.by_prefix:
            prefix = prefix.rpartition(".")[0]
    # Without its rule for all loggers the set-up's level would still hold.
    if not prefix and ring is None and holder.level == _process.options().get("level"):
        command = level_command(path, "info")
        return f"setup_multiprocessing_logging with another level=, or {command}"
    return "" if lowest is None else level_command(path, f"{prefix}=")


def level_command(path: str, rule: str) -> str:
    """For a shell."""
    return shlex.join(["ringlog", "level", path, rule])


def _reaches(logger: logging.Logger) -> Optional[RingHandler]:
    """The RingHandler that a record of this logger comes to first."""
    at: Optional[logging.Logger] = logger
    while at is not None:
        for handler in at.handlers:
            if isinstance(handler, RingHandler):
                return handler
        at = at.parent if at.propagate else None
    return None
