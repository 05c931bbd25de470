"""The handler that puts records into a ring."""

from __future__ import annotations

import logging
import sys
from os import getpid
from typing import Any, Optional

from . import _process
from ._encode import MARK, encode
from ._layout import LOST_ABORTED
from ._process import find
from ._process import lanes as _lanes
from ._lines import TextLines
from ._trial import current

if sys.platform == "linux":  # without, nothing is ever found
    from ._append import ACCEPTED, FULL, GONE
    from ._lane import Lane

_trial = current.get

class RingHandler(logging.Handler):
    """Appends records to a ring; one reader process writes them to files.

        logging.getLogger().addHandler(ringlog.RingHandler())

    Each process has a lane of the ring to itself, which it claims with its first record.
    All handlers of a process share it, and a record that comes to several of them is put
    into the ring once. It works in threads, tasks, signal handlers and finalisers, and
    right after a fork; no lock is held across one. It never raises into the application:
    what cannot be formatted goes to handleError, as with every handler, and is counted as
    lost (aborted).

    Formatters are ignored: what the lines look like is for the reader to say. All of a
    record travels: logger, level and its name, message, time, process and thread names,
    source, traceback and stack, and what `extra` has added, as typed attributes.
    """

    def __init__(
        self,
        level: int | str = logging.NOTSET,
        *,
        ring: Optional[str] = None,
        label: Optional[str] = None,
        when_full: Optional[str] = None,
        timeout: Optional[float] = None,
        fallback: Optional[logging.Handler] = None,
    ) -> None:
        """
        ring: path of the ring; None: the one that the set-up made or RINGLOG_RING names,
            looked for when a record comes.
        label: what the log calls this process; None: its name in multiprocessing, or the
            program's.
        when_full: "block" waits up to timeout seconds for room when the lane is full, and
            then counts the record as lost; "drop" counts it at once. None: as the set-up
            says, or else "block" and 1 second.
        fallback: gets the records while there is no ring; None: lines on standard error.
        """
        if when_full not in (None, "block", "drop"):
            raise ValueError(f"when_full={when_full!r}: want 'block' or 'drop'")
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout={timeout!r}: want seconds, 0 or more")
        super().__init__(level)
        self.ring = ring
        self.label = label
        self.when_full = when_full
        self.timeout = timeout
        self.fallback = fallback

    def handle(self, record: logging.LogRecord) -> Any:
        """As of logging.Handler, but without its lock, of which there is no need."""
        if self.filters:
            passed = self.filter(record)
            if not passed:
                return passed
            if isinstance(passed, logging.LogRecord):  # since Python 3.12
                record = passed
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Puts a record into the ring, unless another handler already has."""
        lane: Optional[Lane] = None
        values = record.__dict__
        try:
            # A lane that is found there is this process's, also right after a fork; but
            # for a fork that Python has not been told of, which the record's pid gives away.
            lane = _lanes.get(self.ring)
            if lane is None or (values.get("process") != lane.pid and lane.pid != getpid()):
                lane = find(self.ring, self.label)
                if lane is None:
                    self._elsewhere(record)
                    return
            # Of this very object: copies of it, and what is made of its pickle, are others.
            mark = id(record) ^ lane.mark
            if MARK in values and values[MARK] == mark:
                return
            rules = lane.rules
            if lane.words[lane.level_word] != rules.version:
                rules.load()
            if rules.by_prefix and not rules.allow(record.name, record.levelno):
                return
            tail, urgent = encode(record, lane.lost_bytes, _trial())
            values[MARK] = mark  # from here on the lane accounts for it
            answer = lane.append(tail, urgent)
            if answer != ACCEPTED:
                self._insist(record, lane, answer, tail, urgent)
        except Exception:
            if lane is not None and lane.pid != getpid():
                # A signal's handler has forked this process in the middle of it.
                values.pop(MARK, None)
                _process.forget_parents()
                self.emit(record)
                return
            self._count(record)
            self.handleError(record)

    def _count(self, record: logging.LogRecord) -> None:
        """Counts a record that could not be made, unless the lane has accounted for it."""
        try:
            answer = GONE
            while answer != ACCEPTED:
                lane = find(self.ring, self.label)
                mark = 0 if lane is None else id(record) ^ lane.mark
                if lane is None or record.__dict__.get(MARK) == mark:
                    return
                record.__dict__[MARK] = mark
                answer = lane.lose(LOST_ABORTED, record.levelno >= logging.WARNING)
        except Exception:
            pass  # of a record without a level, or from a signal's handler

    def _insist(
        self, record: logging.LogRecord, lane: Lane, answer: int, tail: bytes, urgent: bool
    ) -> None:
        """Finds room for a record that append did not take, or another lane, or counts it."""
        timeout = self._patience()
        while answer != ACCEPTED:
            if answer == FULL:
                answer = lane.wait(tail, urgent, timeout)
                continue
            # The lane was closed, or this is the child of a fork.
            found = find(self.ring, self.label)
            if found is None:
                self._elsewhere(record)
                return
            lane = found
            answer = lane.append(lane.lost_bytes + tail[4:], urgent)

    def _patience(self) -> float:
        """For how many seconds to wait for room."""
        said = _process.options()
        if (self.when_full or said.get("when_full")) == "drop":
            return 0.0
        timeout = said.get("timeout", 1.0) if self.timeout is None else self.timeout
        return float(timeout)

    def _elsewhere(self, record: logging.LogRecord) -> None:
        handler = self.fallback or _standard_error
        mark = f"in handler {id(handler)}"
        if record.__dict__.get(MARK) != mark:  # else another RingHandler has handed it on
            record.__dict__[MARK] = mark
            handler.handle(record)

    def __reduce__(self) -> tuple[Any, ...]:
        # Neither the lock nor what writes files goes to another process: there, set-up or
        # configuration puts a fallback in its place again.
        state = {k: v for k, v in self.__dict__.items() if k not in ("lock", "fallback")}
        return _unpickle, (type(self), state)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.ring or 'ring in use'} ({self.level})>"


def _unpickle(cls: type[RingHandler], state: dict[str, Any]) -> RingHandler:
    handler = cls.__new__(cls)
    logging.Handler.__init__(handler)
    handler.__dict__.update(state)
    handler.fallback = None
    return handler


class _StandardError(logging.StreamHandler):  # type: ignore[type-arg]
    """Lines on what sys.stderr is at the moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)  # StreamHandler's own would set the stream
        self.setFormatter(TextLines())

    @property
    def stream(self) -> Any:  # type: ignore[override]
        return sys.stderr


_standard_error = _StandardError()
