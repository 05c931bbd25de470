"""A second reader of ring files, for tests: written from docs/format.md alone, in the
standard library of Python, so that what both clients write is judged by somebody else.

It reads a ring at rest as if all its owners had died (C3): what an owner has begun and not
finished shows as torn. It takes no lock, maps nothing and writes nothing.

    for r in ringreader.records(path):
        r.lane, r.label, r.seq, r.level, r.time, r.payload.message, r.payload.get("trial")
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional, Union

from . import payload as payloads
from .ringreader_header import (
    Damaged,
    Header,
    NotARing,
    ReaderError,
    Truncated,
    Unsupported,
    Version,
    read,
    read_exactly,
)
from .ringreader_intent import Intent, read_intent
from .ringreader_lane import (
    Lane,
    Owner,
    Progress,
    owner_of_record,
    read_lane,
    seed_of,
    signed,
)
from .ringreader_walk import (
    ABORTED,
    KIND_LOG,
    KIND_OWNER,
    LOW32,
    Gap,
    Memory,
    Record,
    impossible,
    salvage,
    walk,
)

__all__ = [
    "Damaged",
    "Gap",
    "Logged",
    "NotARing",
    "Reading",
    "ReaderError",
    "Ring",
    "Truncated",
    "Unsupported",
    "Version",
    "Whole",
    "records",
]


class Whole(NamedTuple):
    """A committed record, and what its lane says of it."""

    record: Record
    unix: int  # the record's time as Unix nanoseconds
    owner: Optional[Owner]
    seq: Optional[int]  # None: of an owner record, or of an owner whose beginning is unknown


@dataclass(frozen=True)
class Reading:
    """What was found in a lane, in the order of positions."""

    lane: Lane
    salvaged: bool  # the positions cannot be trusted
    items: list[Union[Whole, Gap]]
    lost: int  # losses that the reader has not seen yet, those behind the last record among them
    end: Optional[int]  # the producer position, if everything up to there is accounted for

    @property
    def gaps(self) -> list[Gap]:
        return [item for item in self.items if isinstance(item, Gap)]


class Logged(NamedTuple):
    """A record that somebody logged."""

    lane: int
    label: str  # of the owner; cut to 40 bytes where only his owner record is left
    pid: int
    generation: int
    pos: int
    seq: Optional[int]
    level: int  # stored scale: 2 × (Python's level − 20)
    time: int  # Unix nanoseconds: its own, or else that of the append
    kind: int
    payload: payloads.Payload  # of raw records the message alone


class Ring:
    """An open ring. Raises ReaderError where it is none that can be read."""

    def __init__(self, path: str | os.PathLike[str], *, to_write: bool = False) -> None:
        """to_write: look at it with the eyes of who means to change it."""
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            self.header: Header = read(self._fd, to_write)
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Ring:
        return self

    def __exit__(self, *exception: Any) -> None:
        os.close(self._fd)

    def intent(self) -> Intent:
        return read_intent(self._fd, self.header)

    def lane(self, index: int) -> Lane:
        return read_lane(self._fd, self.header, index)

    def lanes(self) -> Iterator[Lane]:
        return map(self.lane, range(self.header.lane_count))

    def read_lane(self, lane: Lane, intent: Intent) -> Reading:
        """The backlog: what no reader has taken yet. An applied batch counts as taken."""
        progress = lane.progress
        change = intent.of(lane.index, lane.owner.generation) if lane.owner else None
        if change and (progress is None or progress.consumer <= change.after.consumer):
            progress = change.after
        # Of a damaged lane that has been reported, all that was whole has been taken.
        if not lane.allocated or (lane.state == "damaged" and progress):
            return Reading(lane, False, [], 0, None)
        memory = self._memory(lane)
        if progress is None:
            return Reading(lane, True, _Story(lane).tell(salvage(memory)), lane.lost_total, None)
        story = _Story(lane, progress)
        lost = max(lane.lost_total - progress.lost_seen, 0)
        if impossible(memory, progress.consumer, lane.producer) or (
            lane.state == "closed" and not lane.closed
        ):
            whole = [record for record in salvage(memory) if record.pos >= progress.consumer]
            return Reading(lane, True, story.tell(whole), lost, None)
        items = story.tell(walk(memory, progress.consumer, lane.producer))
        return Reading(lane, False, items, lost, lane.producer)

    def remains(self, lane: Lane) -> list[Whole]:
        """All whole records in the lane's memory, those already taken among them."""
        if not lane.allocated:
            return []
        told = _Story(lane).tell(salvage(self._memory(lane)))
        return [item for item in told if isinstance(item, Whole)]

    def _memory(self, lane: Lane) -> Memory:
        header = self.header
        begin = header.lanes_offset + lane.index * header.lane_size
        return Memory(
            read_exactly(self._fd, header.lane_size, begin),
            int.from_bytes(header.key, "little"),
            seed_of(header, lane.index),
            lane.owner.checksum_kind if lane.owner else 0,
        )


def records(path: str | os.PathLike[str], *, backlog: bool = True) -> list[Logged]:
    """Every whole record that somebody logged, lane by lane, in the order of positions.

    backlog: those that no reader has taken. Otherwise those too that have been taken and
    are not overwritten yet; of one whose owner record is overwritten, seq is None.
    Raises ReaderError, and payload.Malformed for a log record that is not well-formed.
    """
    logged = []
    with Ring(path) as ring:
        intent = ring.intent()
        for lane in ring.lanes():
            found = {}
            if not backlog:
                found = {whole.record.pos: whole for whole in ring.remains(lane)}
            for item in ring.read_lane(lane, intent).items:
                if isinstance(item, Whole):
                    found[item.record.pos] = item
            whole = (found[pos] for pos in sorted(found))
            logged += [_logged(lane, w) for w in whole if w.record.kind != KIND_OWNER]
    return logged


def _logged(lane: Lane, whole: Whole) -> Logged:
    record, owner = whole.record, whole.owner
    if record.kind == KIND_LOG:
        payload = payloads.decode(record.payload)
    else:  # raw, or of an unknown kind, which is shown as raw
        payload = payloads.Payload(message=record.payload.decode("utf-8", "surrogateescape"))
    return Logged(
        lane.index,
        owner.label if owner else "",
        owner.pid if owner else 0,
        owner.generation if owner else 0,
        record.pos,
        whole.seq,
        record.level,
        whole.unix if payload.time is None else payload.time,
        record.kind,
        payload,
    )


class _Story:
    """Follows a lane's records, to say whose they are, when they were, and their seq."""

    def __init__(self, lane: Lane, progress: Optional[Progress] = None) -> None:
        """progress: the counts before the first record. Where they are unknown, seq is
        counted from each owner record on."""
        self._lane = lane
        self._counts_are_known = progress is not None
        self._sequence = progress.sequence if progress else None
        self._lost_seen = progress.lost_seen if progress else 0
        self._earlier: Optional[Owner] = None  # by the last owner record met

    def tell(self, found: Iterable[Union[Record, Gap]]) -> list[Union[Whole, Gap]]:
        """Says it of all that is no gap; leaves out what was aborted."""
        return [
            item if isinstance(item, Gap) else self._tell_one(item)
            for item in found
            if item.state != ABORTED
        ]

    def _tell_one(self, record: Record) -> Whole:
        lane = self._lane
        # Totals of several threads may go back; what they say then is known already (W5).
        total = lane.lost_total - ((lane.lost_total - record.lost) & LOW32)
        new = max(total - self._lost_seen, 0)
        self._lost_seen += new
        if self._sequence is not None:
            self._sequence += new
        if record.kind == KIND_OWNER:
            self._begin(record)
        elif self._sequence is not None:
            self._sequence += 1
        owner = self._owner_of(record.pos)
        # Where the owner is damaged, times are taken for Unix nanoseconds.
        known = lane.owner and owner
        unix = owner.clock.to_unix(record.time) if owner and known else signed(record.time)
        seq = None
        if record.kind != KIND_OWNER and self._sequence is not None:
            if owner and owner.begin_seq is not None:
                seq = self._sequence - owner.begin_seq
        return Whole(record, unix, owner, seq)

    def _begin(self, record: Record) -> None:
        """Takes an owner record."""
        if not self._counts_are_known:
            named = self._lane.owner
            here = named is not None and named.begin == record.pos
            self._sequence = named.begin_seq if named and here else 0
        self._earlier = owner_of_record(record.payload, record.pos, self._sequence)

    def _owner_of(self, pos: int) -> Optional[Owner]:
        """The lane's owner, or the earlier one whose owner record was met (C7). Where the
        lane's identity fails its checksum, the owner record is all there is."""
        if self._lane.owner and pos >= self._lane.owner.begin:
            return self._lane.owner
        return self._earlier
