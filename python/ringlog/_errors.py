"""What can go wrong with a ring. Records that are lost raise nothing: they are counted."""

from __future__ import annotations


class RingError(Exception):
    """A ring cannot be used. The message names the file and says what to do."""


class NotRingError(RingError):
    """The file is no ring, a damaged one, or one that this version does not know."""


class NoLaneError(RingError):
    """Every lane has an owner, or records that no reader has taken out yet."""


class NoSpaceError(RingError):
    """The ring's file system has no room for a lane."""


class RetiredError(RingError):
    """The ring is being removed, or is a copy: nobody may attach to it."""
