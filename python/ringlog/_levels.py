"""The ring's rules for levels: minimum levels by logger, set by `ringlog level`."""

from __future__ import annotations

from typing import Callable, Optional

from ._layout import (
    CTL_LEVEL_VERSION,
    CTL_LEVELS,
    LEVEL_ENTRIES,
    LEVEL_ENTRY,
    LEVEL_PREFIX,
    LEVEL_PREFIX_SIZE,
    read_words,
)

# Called with the rules after they changed, by whichever record found that out.
watchers: list[Callable[["Rules"], None]] = []


class Rules:
    """A copy of the level table, made anew when its version changes.

    Whoever appends compares one word of shared memory with `version`; there is nothing
    else to do for a record as long as no rule is set.
    """

    __slots__ = ("_control", "_front", "_known", "by_prefix", "version")

    def __init__(self, front: memoryview, control: int) -> None:
        """front is the memory before the lanes as words, control the area's offset in bytes."""
        self._front = front
        self._control = control
        self.version = 0
        self.by_prefix: dict[str, int] = {}  # prefix to the lowest level, stored scale
        self._known: dict[str, Optional[int]] = {}
        self.load()

    def load(self) -> None:
        """Reads the table, if nobody is changing it."""
        at = (self._control + CTL_LEVEL_VERSION) >> 3
        version = self._front[at]
        if version & 1 or version == self.version:
            return  # what was known holds; the next record looks again
        rules: dict[str, int] = {}
        for i in range(LEVEL_ENTRIES):
            entry = (self._control + CTL_LEVELS + i * LEVEL_ENTRY) >> 3
            first = self._front[entry]
            length = (first & 0xFFFF) - 1
            if not 0 <= length <= LEVEL_PREFIX_SIZE:
                continue
            begin = entry + (LEVEL_PREFIX >> 3)
            text = read_words(self._front, begin, LEVEL_PREFIX_SIZE >> 3)
            prefix = text[:length].decode("utf-8", "replace")
            level = first >> 16 & 0xFFFF
            rules.setdefault(prefix, level - (1 << 16) if level & 0x8000 else level)
        if self._front[at] != version:
            return
        # In this order: a thread that sees the new version sees the new rules.
        self.by_prefix, self._known = rules, {}
        self.version = version
        for watcher in watchers:
            watcher(self)

    def allow(self, logger: str, level: int) -> bool:
        """Whether logger may log at Python's level."""
        lowest = self.minimum(logger)
        return lowest is None or 2 * (level - 20) >= lowest

    def minimum(self, logger: str) -> Optional[int]:
        """The lowest level, stored scale, that logger may log; None: no rule says."""
        known = self._known
        try:
            return known[logger]
        except KeyError:
            if len(known) > 1000:  # names that a program makes up as it goes
                known.clear()
            known[logger] = found = self._find(logger)
            return found

    def _find(self, logger: str) -> Optional[int]:
        """The rule with the longest prefix that fits."""
        prefix = "root" if logger == "" else logger
        while prefix:
            if prefix in self.by_prefix:
                return self.by_prefix[prefix]
            prefix = prefix.rpartition(".")[0]
        return self.by_prefix.get("")
