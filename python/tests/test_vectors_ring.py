"""All ring files of the test vectors, read by a second reader."""

from __future__ import annotations

import os
import unittest
from collections.abc import Iterator

from . import ringreader, support, vectors
from .ringreader_intent import Intent
from .ringreader_lane import CLOCKS, Lane, Progress

KINDS = {1: "raw", 2: "log", 3: "owner"}


class VectorsOfRings(unittest.TestCase):
    def test_every_ring_is_read_exactly_as_its_vector_says(self) -> None:
        path = support.folder(self) / "vector.ring"
        for vector in vectors.rings():
            with self.subTest(vector.name):
                vector.write(path)
                self.assertEqual(vector.lines, list(describe(path)))
                path.unlink()


def describe(path: str | os.PathLike[str]) -> Iterator[str]:
    """The lines in which the vectors' README says what is found in a ring."""
    opened = _opening(path, to_write=False)
    yield f"open: {opened}"
    yield f"open-write: {_opening(path, to_write=True)}"
    if opened != "ok":
        return
    with ringreader.Ring(path) as ring:
        header = ring.header
        yield (
            f"ring: id={header.ring_id.hex()} created={header.created} "
            f"lanes={header.lane_count} lane-size={header.lane_size}"
        )
        intent = ring.intent()
        yield from _intent(intent)
        for lane in ring.lanes():
            yield from _lane(ring, lane, intent)


def _opening(path: str | os.PathLike[str], to_write: bool) -> str:
    try:
        with ringreader.Ring(path, to_write=to_write):
            return "ok"
    except ringreader.ReaderError as error:
        return f"error {error.kind}"


def _intent(intent: Intent) -> Iterator[str]:
    if intent.state not in ("prepared", "applied"):
        yield f"intent: {intent.state}"
        return
    yield (
        f"intent: {intent.state} number={intent.number} boot={intent.boot_id.hex()} "
        f"time={intent.time}"
    )
    for change in intent.lanes:
        yield (
            f"intent lane: {change.lane} generation={change.generation} from={change.before} "
            f"{_progress(change.after)} state={change.state}"
        )
    for output in intent.outputs:
        pieces = " ".join(f"{piece:08x}" for piece in output.pieces)
        yield (
            f"intent output: device={output.device} inode={output.inode} "
            f"before={output.before} length={output.length} pieces=[{pieces}] path={output.path}"
        )
    window = intent.window
    if window:
        where = f"output={window.output} piece={window.piece}"
        yield f"intent window: {where} bytes={window.data.hex()}"


def _lane(ring: ringreader.Ring, lane: Lane, intent: Intent) -> Iterator[str]:
    head = f"lane {lane.index}:"
    if not lane.allocated:
        yield f"{head} state={lane.state}, never allocated"
        return
    losses = " ".join(map(str, lane.lost))
    closed = str(lane.closed).lower()
    yield f"{head} state={lane.state} producer={lane.producer} closed={closed} lost=[{losses}]"
    yield f"{head} owner {_owner(lane)}"
    yield f"{head} progress {_progress(lane.progress) if lane.progress else 'damaged'}"
    reading = ring.read_lane(lane, intent)
    if reading.salvaged:
        yield f"{head} salvage"
    for item in reading.items:
        if isinstance(item, ringreader.Gap):
            yield f"{head} {item.state} pos={item.pos} next={item.next}"
        else:
            yield f"{head} record {_whole(item)}"
    if reading.end is not None:
        yield f"{head} end pos={reading.end} next={reading.end}"


def _owner(lane: Lane) -> str:
    owner = lane.owner
    if owner is None:
        return "damaged"
    clock = owner.clock
    return (
        f"generation={owner.generation} boot={owner.boot_id.hex()} begin={owner.begin} "
        f"pid={owner.pid} start={owner.start_ticks} attached={owner.attached} "
        f"clock={CLOCKS.get(clock.kind, clock.kind)} unix={clock.unix} base={clock.base} "
        f"mult={clock.mult} checksum={owner.checksum_kind} label={owner.label}"
    )


def _progress(progress: Progress) -> str:
    return (
        f"consumer={progress.consumer} lost-seen={progress.lost_seen} "
        f"delivered={progress.delivered} torn={progress.torn} "
        f"sequence={progress.sequence} damaged={progress.damaged}"
    )


def _whole(whole: ringreader.Whole) -> str:
    record = whole.record
    payload = record.payload.hex()
    if len(record.payload) > 64 and not any(record.payload):
        payload = f"00*{len(record.payload)}"
    return (
        f"pos={record.pos} next={record.next} kind={KINDS.get(record.kind, record.kind)} "
        f"level={record.level} time={record.time} unix={whole.unix} lost={record.lost} "
        f"payload={payload}"
    )


if __name__ == "__main__":
    unittest.main()
