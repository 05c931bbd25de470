"""What this process has of a ring: the file, what is mapped of it, and views as words.

A forked child has a copy of all of it, which would keep the parent's lane locked when the
parent is dead (O3). `abandon` is how it lets go.
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from typing import Any

from ._errors import RingError
from ._file import RingFile

# Whatever of rings this process has, from the opening of the file until the last thread has
# let go of it: a child that is forked meanwhile abandons it, wherever it was in use.
_existing: set[weakref.ref[RingMemory]] = set()


def existing() -> list[RingMemory]:
    """What there is at the moment; another thread may be making more."""
    found = [ref() for ref in _existing.copy()]  # which no other thread can come between
    return [memory for memory in found if memory is not None]


def fence() -> None:
    """Makes the stores before it visible before those behind it, on arm64 too (W8)."""
    lock = threading.Lock()
    lock.acquire()
    lock.release()
    lock.acquire()


class RingMemory:
    """A ring that is opened, with the memory before its lanes mapped."""

    __slots__ = ("__weakref__", "_mapped", "_views", "file", "front", "path", "pid", "words")

    def __init__(self, path: str) -> None:
        """Opens the ring at path. Raises RingError."""
        self.path = path
        self.pid = os.getpid()
        self._views: list[memoryview] = []
        self._mapped: list[mmap.mmap] = []
        self.file = RingFile(path)
        _existing.add(weakref.ref(self, _existing.discard))
        try:
            # Forked before it was known to exist, by a signal's handler: the description is
            # the parent's too, and with it the locks that a claim takes (O1).
            if self.pid != os.getpid():
                raise RingError(f"{path} was being opened when this process was forked")
            self.front = self.file.map(0, self.file.header.lanes_offset)
            self.words = self.view(self.front)
        except BaseException:
            self.abandon()
            raise

    def view(self, memory: mmap.mmap) -> memoryview:
        """memory as words. A store or load of one is a single aligned access (W8)."""
        self._mapped.append(memory)
        base = memoryview(memory)
        self._views.append(base)
        words = base.cast("Q")
        self._views.append(words)
        return words

    def abandon(self) -> None:
        """Lets go of the ring, in a forked child or after a claim that failed.

        Nothing is unlocked: that would take the lock from the parent. The views go first,
        since a mapping that somebody looks at cannot be closed; an append in the middle of
        which this child was forked finds them gone.
        """
        parts: list[Any] = [view.release for view in reversed(self._views)]
        parts += [memory.close for memory in self._mapped]
        parts.append(self.file.close)
        for let_go in parts:
            try:
                let_go()
            except (BufferError, OSError, ValueError):
                pass  # somebody looks at it, or it is gone already: the others go all the same
