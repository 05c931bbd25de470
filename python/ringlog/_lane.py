"""A lane that this process owns: append, count what is lost, close, whatever interrupts it.

CPython has no compare-and-swap: a lock keeps the process's threads apart, and three things
can still happen in the middle of an append, since the interpreter runs other code between any
two of its instructions.

* The thread logs again, from a signal handler or a finaliser. The lock is reentrant, and
  `_busy` tells: the record waits in `_pending` until the outer append is done.
* An exception comes in, KeyboardInterrupt from a signal. What is claimed and not committed
  is aborted, and what waits is written, at once or, if even that is interrupted, by the next
  append or by `close`.
* The process forks. The child gives up its copy of everything here (O3) and claims a
  lane of its own. A call in the middle of which it was forked finds the memory gone.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from types import FrameType
from typing import Callable, Optional

from ._append import ACCEPTED, FULL, GONE, LaneMemory
from ._layout import (
    CLOSED_BIT,
    CTL_LEVEL_VERSION,
    CTL_READER_PID,
    FUTEX_AWAKE,
    LAN_STATE,
    LANE_CLOSED,
    LOST_ABORTED,
    LOST_FULL,
    LOST_NO_READER,
    LOST_TIMEOUT,
    LOST_TOO_LARGE,
    STATE_ABORTED,
    STATE_COMMITTED,
)
from ._levels import Rules
from ._memory import fence

_getpid = os.getpid

# Called when a lane stays full, before its records are lost: whoever started the reader
# may want to look after it.
stall_watchers: list[Callable[[], None]] = []

# How long to sleep between two looks for room, in seconds: the reader gives room back in
# batches, within a millisecond or so when it runs.
_FIRST_NAP, _LONGEST_NAP = 0.0002, 0.01

# Makes a lane's `mark`, by which records say that they are in its ring, mean nothing to other
# processes, which may get them pickled.
_token = os.urandom(16)

# What can wait until the outer append is done: a record, the end of the lane or, told by
# its reason, a loss.
_RECORD, _CLOSE = -1, -2
_Pending = tuple[int, bytes, bool]


class Lane(LaneMemory):
    """One lane of a ring, owned by this process. Any thread may call its methods.

    `_claim.claim` makes it the owner.
    """

    __slots__ = (
        "_busy",
        "_ended",
        "_lock",
        "_pending",
        "_stall",
        "_writing",
        "_writing_at",
        "closed",
        "level_word",
        "mark",
        "owned",
        "rules",
    )

    def __init__(self, path: str) -> None:
        """Opens the ring at path, without a lane yet. Raises RingError."""
        # First what `close` looks at: a signal's handler may call it in the middle of this.
        self._lock = threading.RLock()
        self.owned = False  # whether the claim is done, so that there is something to close
        self.closed = self._ended = False
        super().__init__(path)
        control = self.file.header.control_offset
        self.level_word = (control + CTL_LEVEL_VERSION) >> 3
        self.rules = Rules(self.words, control)
        self.mark = hash((_token, path, self.pid))
        self._busy = False
        self._pending: deque[_Pending] = deque()
        self._writing: Optional[_Pending] = None
        self._writing_at = 0
        self._stall = (-1, 0.0)  # where the consumer stands still, and the deadline for that

    # Appending

    def append(self, tail: bytes, urgent: bool) -> int:
        """Appends a record.

        tail is the record from offset 12 on: the losses so far (`lost_bytes`); length, level,
        kind and flags; time; payload. urgent records, WARNING and above, may use all of the
        lane (W10). The caller knows that this process is the lane's owner.

        ACCEPTED: the record is in the ring, or will be when the append is done that this
        thread is in the middle of. FULL: there is no room. GONE: the lane is not this
        process's any more. After these two nothing was done. A record that an exception keeps
        out of the ring is counted as lost.
        """
        answer = GONE
        try:
            with self._lock:
                if self._busy and self._nested():
                    if self.closed:
                        return GONE
                    self._pending.append((_RECORD, tail, urgent))
                    return ACCEPTED
                self._busy = True
                before = self._producer
                try:
                    # Not before: a signal's handler may have closed it until `_busy` was set.
                    answer = GONE if self.closed else self._write(tail, urgent)
                    self._busy = False
                    if self._pending:
                        self._write_pending()
                    return answer
                except BaseException:
                    self._repair(urgent)
                    if self._producer != before:
                        answer = ACCEPTED  # or counted: it was claimed by then
                    self._write_pending()
                    raise
        except BaseException:
            try:
                if answer != ACCEPTED:
                    self.lose(LOST_ABORTED, urgent)
            finally:
                self._unlock()
            raise

    def wait(self, tail: bytes, urgent: bool, timeout: float) -> int:
        """Appends a record for which append found no room, as soon as there is some.

        A record that finds none for timeout seconds, or cannot fit this lane at all, is
        counted as lost. The deadline is one for all threads, and set anew only when the
        reader has given room back (W7): so a dead reader costs the process one timeout.

        ACCEPTED: it is in the ring, or counted. GONE: as of append.
        """
        if len(tail) + 12 > self._largest:
            return self.lose(LOST_TOO_LARGE, urgent)
        if timeout <= 0:
            return self.lose(LOST_FULL, urgent)
        nap = _FIRST_NAP
        while True:
            try:
                left, fresh = self._look_for_room(timeout)
                if fresh:
                    for watcher in stall_watchers:
                        watcher()
                time.sleep(max(0.0, min(nap, left)))
                nap = min(2 * nap, _LONGEST_NAP)
                reader = self.file.header.control_offset + CTL_READER_PID
                running = left <= 0 and self.file.locked(reader)
            except BaseException:
                self.lose(LOST_ABORTED, urgent)
                raise
            if left <= 0:
                return self.lose(LOST_TIMEOUT if running else LOST_NO_READER, urgent)
            answer = self.append(self.lost_bytes + tail[4:], urgent)
            if answer != FULL:
                return answer

    def _look_for_room(self, timeout: float) -> tuple[float, bool]:
        """The seconds left until the deadline, and whether it is a new one."""
        consumer, now = self.words[self._consumer_word], time.monotonic()
        stalled_at, deadline = self._stall
        if consumer == stalled_at:
            return deadline - now, False
        self._stall = consumer, now + timeout  # by all threads at once: they differ little
        return timeout, True

    def lose(self, reason: int, urgent: bool) -> int:
        """Counts a lost record; the log will have a line where it is missing (W5)."""
        try:
            with self._lock:
                if self._busy and self._nested():
                    if self.closed:
                        return GONE
                    self._pending.append((reason, b"", urgent))
                    return ACCEPTED
                self._busy = True
                try:
                    answer = GONE if self.closed else self._count(reason, urgent)
                    self._busy = False
                    if self._pending:
                        self._write_pending()
                    return answer
                except BaseException:
                    self._recover(urgent)
                    raise
        except BaseException:
            self._unlock()
            raise

    # What interrupts an append

    def _nested(self) -> bool:
        """Whether the method that calls this was called in the middle of another one.

        `_busy` was found set by the holder of the lock, so either a frame of this thread
        below has set it, or one that an exception has ended before it could clean up; that
        is made good here.
        """
        if self._below(sys._getframe(2)):
            return True
        self._recover()
        return False

    def _below(self, frame: Optional[FrameType]) -> bool:
        """Whether a frame, or one below it, is of a method that holds the lock."""
        while frame is not None:
            if frame.f_code in _LOCKING and frame.f_locals.get("self") is self:
                return True
            frame = frame.f_back
        return False

    def _unlock(self) -> None:
        """Gives the lock back, which an exception may have left taken: CPython 3.9 handles
        signals also between the end of a `with` and the release."""
        if not self._below(sys._getframe(2)):
            while self._lock._is_owned():  # type: ignore[attr-defined]
                self._lock.release()

    def _write_pending(self) -> None:
        """Does what waited for the append that is done now; there is nobody to wait for room.

        An exception may come here, too. What was written by then, and still stands in
        `_pending`, is known by where the producer position was before (_recover).
        """
        while self._pending:
            self._busy = True
            while self._pending:  # a signal's handler may have done it until `_busy` was set
                self._do(self._pending[0])
            self._busy = False

    def _do(self, item: _Pending) -> None:
        """Does the first that waits."""
        what, tail, urgent = item
        if what == _RECORD:
            self._writing_at = self._producer
            self._writing = item
            if self._write(tail, urgent) == FULL:
                large = len(tail) + 12 > self._largest
                self._count(LOST_TOO_LARGE if large else LOST_FULL, urgent)
            self._pending.popleft()
            self._writing = None
            return
        self._pending.popleft()
        if what == _CLOSE:
            self._end()
        else:
            self._count(what, urgent)

    def _recover(self, urgent: bool = False) -> None:
        """Makes good what an exception has left, and does what waited for it."""
        self._repair(urgent)
        self._write_pending()

    def _repair(self, urgent: bool) -> None:
        """Aborts a claim that is not committed. Can be interrupted and called again."""
        if self._ended:
            self._busy = False
            return
        position, end = self._producer, self.words[self._producer_word] & ~CLOSED_BIT
        if end != position:
            words, start = self._words, position
            room = self._size - (position & self._mask)
            if end - position > room:
                start += room
                self._pad(position)
            stamp, at = start ^ self._key, (start & self._mask) >> 3
            if words[at] == stamp | STATE_COMMITTED:
                self._producer = end
            else:
                if words[at] != stamp | STATE_ABORTED:
                    self._abort(start, end)
                self._writing = None  # it is still to be written
                self._producer = end
                self.words[self._lost_word + 2 * LOST_ABORTED + urgent] += 1
        if self._writing is not None:
            written = self._producer != self._writing_at
            if written and self._pending and self._pending[0] is self._writing:
                self._pending.popleft()
            self._writing = None
        self._settle(end)
        self._load_losses()
        self._busy = False

    # The end

    def close(self) -> None:
        """Ends the lane: what is in it goes to the reader, and the lane to another process (O5).

        Harmless when called again. Called in the middle of an append of this thread, it
        takes effect when that is done. The memory stays mapped until the last thread has
        let go of this object.
        """
        if not self.owned or self.pid != _getpid():
            return
        try:
            with self._lock:
                if self._busy and self._nested():
                    self._pending.append((_CLOSE, b"", False))
                    self.closed = True
                    return
                self._busy = True
                try:
                    self._end()
                    self._busy = False
                except BaseException:
                    self._end()
                    self._busy = False
                    raise
        except BaseException:
            self._unlock()
            raise

    def _end(self) -> None:
        """Ends the lane, with the lock in hand. Can be interrupted and called again."""
        if not self._ended:
            # First: a record that comes from here on, in the middle of this, goes to
            # another lane. What came before is written.
            self.closed = True
            if self._pending or self._writing is not None:
                self._recover()
        if not self._ended:  # it may have been among what waited
            self._busy = True
            self.words[self._producer_word] = self._producer | CLOSED_BIT
            fence()
            self.words[(self.entry + LAN_STATE) >> 3] = LANE_CLOSED
            fence()  # before the lock is given back
            self._ended = True
        if self.file.fd >= 0:
            if self.words[self._reader_word] != FUTEX_AWAKE:
                self._wake_reader()
            self.file.unlock(self.entry)
            self.file.close()

    def abandon(self) -> None:
        # In the child of a fork, the thread that holds it may not exist.
        self._lock = threading.RLock()
        super().abandon()


_LOCKING = frozenset(f.__code__ for f in (Lane.append, Lane.lose, Lane.close))
