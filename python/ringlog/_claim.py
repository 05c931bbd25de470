"""How a process becomes the owner of a lane (O4 in docs/format.md)."""

from __future__ import annotations

import struct
import time
from typing import Optional
from zlib import crc32

from ._errors import NoLaneError, RetiredError
from ._lane import Lane
from ._layout import (
    CHECKSUM_IEEE,
    CLOCK_UNIX,
    CLOSED_BIT,
    CTL_RETIRED,
    KIND_OWNER,
    LABEL_SIZE,
    LAN_ALLOCATED,
    LAN_BOOT_ID,
    LAN_CHECK,
    LAN_CONSUMER,
    LAN_DELIVERED,
    LAN_GENERATION,
    LAN_LOST,
    LAN_LOST_SEEN,
    LAN_PRODUCER,
    LAN_SEQUENCE,
    LAN_STATE,
    LAN_TORN,
    LANE_CLOSED,
    LANE_FREE,
    LANE_OWNED,
    LOSS_COUNTERS,
    LOW32,
    MARK_RETIRED,
    MAX_POSITION,
    OWNER_LABEL_SIZE,
    OWNER_PAYLOAD,
    OWNER_RECORD,
    STATE_CLAIMED,
    STATE_COMMITTED,
    STATE_PADDING,
    WORD,
    read_words,
)
from ._memory import fence

_TRIES = 50
_CLOCK = (0, 0, 1 << 32)  # Unix time as it is: see "Clocks"


def claim(lane: Lane, label: str) -> None:
    """Claims a lane of the ring that `lane` has opened, under the name label.

    Raises NoLaneError, NoSpaceError, RetiredError or RingError; the caller then abandons
    the Lane.
    """
    head = lane.file.header
    for attempt in range(_TRIES):
        contended = False
        for allocated in (True, False):  # memory that is there is cheaper
            for index in range(head.lane_count):
                entry = head.entry_offset(index)
                mark = lane.words[(entry + LAN_ALLOCATED) >> 3] == 1
                if mark != allocated or not _claimable(lane, index):
                    continue
                if _try(lane, index, label):
                    return
                contended = True
        if not contended:
            break
        time.sleep(attempt * 0.0001)  # another claimant, or the reader, has it for a moment
    _refuse_retired(lane)
    raise NoLaneError(
        f"no lane free in {lane.path}: all {head.lane_count} have an owner or records that are "
        "not drained; start a reader if none is running, or make the ring with more lanes"
    )


def _refuse_retired(lane: Lane) -> None:
    mark = lane.words[(lane.file.header.control_offset + CTL_RETIRED) >> 3]
    if mark == MARK_RETIRED or not lane.file.linked():
        raise RetiredError(f"{lane.path} is being removed; attach to a new ring")


def _seed(lane: Lane, index: int) -> int:
    return crc32(struct.pack("<QI", lane.file.header.key, index))


def _claimable(lane: Lane, index: int) -> bool:
    """Whether a lane may be claimed as far as can be seen: under its lock, it is asked again."""
    words, entry = lane.words, lane.file.header.entry_offset(index)
    state = words[(entry + LAN_STATE) >> 3]
    if state not in (LANE_FREE, LANE_CLOSED):
        return False
    line = (entry + LAN_CONSUMER) >> 3
    for _ in range(1000):  # it fails its check for an instant while the reader publishes
        progress = read_words(words, line, 6)
        if words[(entry + LAN_CHECK) >> 3] == crc32(progress, _seed(lane, index)):
            break
    else:
        return False
    consumer = int.from_bytes(progress[:8], "little")
    if consumer % 8 or consumer > MAX_POSITION:
        return False
    producer = words[(entry + LAN_PRODUCER) >> 3]
    if state == LANE_FREE:
        # A claimant that died may have moved the position over its owner record.
        producer &= ~CLOSED_BIT
        return producer in (consumer, _begin(lane, consumer) + OWNER_RECORD)
    first = (entry + LAN_LOST) >> 3
    lost = sum(map(words.__getitem__, range(first, first + LOSS_COUNTERS))) & WORD
    return (
        producer == consumer | CLOSED_BIT and lost == words[(entry + LAN_LOST_SEEN) >> 3]
    )


def _begin(lane: Lane, consumer: int) -> int:
    """Where an owner record goes: never over the lane's end."""
    room = lane.file.header.lane_size - consumer % lane.file.header.lane_size
    return consumer if room >= OWNER_RECORD else consumer + room


def _try(lane: Lane, index: int, label: str) -> bool:
    lock = lane.file.header.entry_offset(index)
    if not lane.file.try_lock(lock):
        return False
    try:
        # Whoever removes a ring marks it first and takes the locks then (O6).
        _refuse_retired(lane)
        if _claimable(lane, index):
            _take(lane, index, label)
            return True
    except BaseException:
        lane.file.unlock(lock)
        raise
    lane.file.unlock(lock)
    return False


def _take(lane: Lane, index: int, label: str) -> None:
    """Becomes the owner, the lane's lock in hand. Until the last store the lane is free."""
    head, words = lane.file.header, lane.words
    entry = head.entry_offset(index)

    def at(offset: int) -> int:
        return (entry + offset) >> 3

    words[at(LAN_STATE)] = LANE_FREE
    fence()
    fresh = words[at(LAN_ALLOCATED)] != 1
    # The mark may be older than the memory: only a look at the file tells, beforehand.
    blank = fresh and not lane.file.has_data(index)
    memory = lane.file.allocate(index, fresh)
    view = lane.view(memory)  # from here on it is the lane's, to abandon or to keep
    words[at(LAN_ALLOCATED)] = 1
    boot = _boot_id()
    before = read_words(words, at(LAN_BOOT_ID), 2)
    if not blank and before != boot:
        # After a power loss the positions may be older than the memory, which could
        # then hold stamps of positions still to come. The zeros are on disk before
        # anything says that the lane is of this boot (C5).
        memory[:] = bytes(head.lane_size)
        memory.flush()
    consumer = words[at(LAN_CONSUMER)]
    begin = _begin(lane, consumer)
    now = time.time_ns()
    name = _cut(label.encode("utf-8", "replace"), LABEL_SIZE)
    generation = words[at(LAN_GENERATION)] + 1
    lost = read_words(words, at(LAN_LOST), LOSS_COUNTERS)
    identity = struct.pack(
        "<Q16s7QIIQQQQ8xQ112s8x112s12x",
        generation,
        boot,
        begin,
        words[at(LAN_SEQUENCE)],
        words[at(LAN_DELIVERED)],
        words[at(LAN_TORN)],
        lane.pid,
        _start_ticks(),
        now,
        CLOCK_UNIX,
        CHECKSUM_IEEE,
        *_CLOCK,
        1,  # allocated
        len(name),
        name,
        lost,
    )
    seed = _seed(lane, index)
    identity += struct.pack("<I", crc32(identity, seed))
    # The generation first: whoever sees new identity fields knows that they are new.
    words[at(LAN_GENERATION)] = generation
    fence()
    for i, (word,) in enumerate(struct.iter_unpack("<Q", identity)):
        words[at(LAN_GENERATION) + i] = word
    fence()
    # One store moves the position over the owner record and clears the closed bit (O5).
    words[at(LAN_PRODUCER)] = begin + OWNER_RECORD
    lane.own(index, seed, memory, view, begin + OWNER_RECORD, consumer)
    _write_owner_record(lane, view, consumer, begin, generation, now, name)
    fence()
    words[at(LAN_STATE)] = LANE_OWNED
    lane.owned = True


def _write_owner_record(
    lane: Lane,
    words: memoryview,
    consumer: int,
    begin: int,
    generation: int,
    now: int,
    label: bytes,
) -> None:
    key, size = lane.file.header.key & ~7, lane.file.header.lane_size
    tail = struct.pack(
        "<IhBBQQQQIIQQQ40s",
        OWNER_PAYLOAD,
        0,
        KIND_OWNER,
        0,
        now,
        generation,
        lane.pid,
        now,
        CLOCK_UNIX,
        CHECKSUM_IEEE,
        *_CLOCK,
        _cut(label, OWNER_LABEL_SIZE),
    )
    lost = int.from_bytes(lane.lost_bytes, "little")
    seed = lane.seed ^ begin >> 3 & LOW32 ^ begin >> 35 & LOW32
    if begin != consumer:
        words[consumer % size >> 3] = consumer ^ key | STATE_PADDING
    at = begin % size >> 3
    words[at + 2] = int.from_bytes(tail[:8], "little")
    words[at] = begin ^ key | STATE_CLAIMED
    words[at + 1] = crc32(lane.lost_bytes + tail, seed) | lost << 32
    for i, (word,) in enumerate(struct.iter_unpack("<Q", tail)):
        words[at + 2 + i] = word
    words[at] = begin ^ key | STATE_COMMITTED


def _cut(text: bytes, size: int) -> bytes:
    """The longest beginning of text, whole characters of UTF-8, that has at most size bytes."""
    return text[:size].decode("utf-8", "ignore").encode()


_boot: Optional[bytes] = None


def _boot_id() -> bytes:
    """Which boot of the machine this is: the 32 digits that the kernel gives, as bytes."""
    global _boot
    if _boot is None:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
            _boot = bytes.fromhex(f.read().strip().replace("-", ""))
    return _boot


def _start_ticks() -> int:
    """When this process began, in clock ticks since boot, for display; 0: unknown."""
    try:
        with open("/proc/self/stat", "rb") as f:
            # The command's name, in parentheses, may hold anything; field 22 is the 20th
            # behind it.
            return int(f.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
