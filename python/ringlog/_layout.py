"""The numbers of docs/format.md that the client uses, under its names.

Offsets and sizes are in bytes. What the document calls a word is 8 bytes, and
``words[offset >> 3]`` where memory is looked at as a ``memoryview`` of format ``Q``.
"""

from __future__ import annotations

import struct

WORD = (1 << 64) - 1
LOW32 = (1 << 32) - 1

# Header
HEADER_SIZE = 256
MAGIC = b"RINGLOG\0"
VERSION = 1
BYTE_ORDER = 0x01020304
TABLE_ENTRY = 1024
LANE_ALIGNMENT = 65536
MIN_LANE_SIZE, MAX_LANE_SIZE, MAX_LANES = 64 << 10, 1 << 30, 4096
MIN_CONTROL_SIZE, MIN_INTENT_SIZE, MAX_AREA_SIZE = 16384, 262144, 16 << 20

# Control area
CTL_RETIRED = 0x000
CTL_COPY = 0x080
CTL_READER_PID = 0x100  # its first byte is the reader's lock byte
CTL_READER_HEARTBEAT = 0x110
CTL_ERROR_TIME = 0x128
CTL_ERROR_COUNT = 0x130
CTL_ERROR_LENGTH = 0x138
CTL_ERROR_TEXT = 0x140
CTL_ERROR_TEXT_SIZE = 256
CTL_READER_FUTEX = 0x280
CTL_LEVEL_VERSION = 0x300
CTL_LEVELS = 0x2000
LEVEL_ENTRIES, LEVEL_ENTRY, LEVEL_PREFIX, LEVEL_PREFIX_SIZE = 64, 128, 8, 120
FUTEX_AWAKE = 0

# Lane table
LAN_STATE = 0x000
LAN_GENERATION = 0x080
LAN_BOOT_ID = 0x088
LAN_PID = 0x0B8
LAN_ALLOCATED = 0x0F0
LAN_LABEL_LENGTH = 0x100
LAN_LABEL = 0x108
LABEL_SIZE = 112
LAN_PRODUCER = 0x200
LAN_LOST = 0x280
LOSS_COUNTERS = 14
LAN_CONSUMER = 0x300
LAN_LOST_SEEN = 0x308
LAN_DELIVERED = 0x310
LAN_TORN = 0x318
LAN_SEQUENCE = 0x320
LAN_CHECK = 0x330


def _word(text: bytes) -> int:
    return int.from_bytes(text, "little")


MARK_RETIRED = _word(b"RETIRED ")
MARK_COPY = _word(b"COPY    ")
LANE_FREE = 0
LANE_OWNED = _word(b"OWNED   ")
LANE_CLOSED = _word(b"CLOSED  ")
LANE_DAMAGED = _word(b"DAMAGED ")
CLOSED_BIT = 1 << 63
MAX_POSITION = (1 << 63) - 1 - 4 * MAX_LANE_SIZE  # keeps sums below the closed bit

# Why a record is lost: number of a pair of counters, below WARNING and from WARNING up.
LOST_FULL, LOST_TIMEOUT, LOST_TOO_LARGE, LOST_NO_READER, LOST_ABORTED = 0, 1, 2, 3, 5

# Records
RECORD_HEADER = 32
STATE_CLAIMED, STATE_COMMITTED, STATE_ABORTED, STATE_PADDING = 1, 2, 3, 4
KIND_RAW, KIND_LOG, KIND_OWNER = 1, 2, 3
CHECKSUM_IEEE = 2
CLOCK_UNIX = 1
OWNER_PAYLOAD = 96
OWNER_RECORD = 128
OWNER_LABEL_SIZE = 40
LARGEST_SHARE = 8  # a record takes at most this part of a lane, …
WARNING_SHARE = 8  # … and this part is kept for WARNING and above (W10)

# Levels, as stored: 2 × (Python's level − 20)
STORED_WARNING = 20
MIN_LEVEL, MAX_LEVEL = -32768, 32767
MIN_PYTHON_LEVEL, MAX_PYTHON_LEVEL = -16364, 16403
SCALE_PYTHON = 2

# Fields of a payload
TAG_BOOL, TAG_INT, TAG_UINT, TAG_FLOAT, TAG_STRING, TAG_BYTES = 1, 2, 3, 4, 5, 6
TAG_TIME, TAG_DURATION, TAG_GROUP, TAG_ERROR = 7, 8, 9, 10
TAG_LEVEL, TAG_SOURCE, TAG_TRACEBACK = 33, 34, 35
TAG_STACK, TAG_PROCESS, TAG_THREAD = 36, 37, 38
MAX_DEPTH = 32
MAX_NAME = 65535


def read_words(words: memoryview, at: int, count: int) -> bytes:
    """count words from number at on, each loaded whole (W8).

    No slice is taken: a child that is forked while there is one could not unmap the memory.
    """
    return struct.pack(f"<{count}Q", *map(words.__getitem__, range(at, at + count)))
