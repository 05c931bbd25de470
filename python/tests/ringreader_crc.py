"""CRC-32C, which the standard library has not."""

from __future__ import annotations

import functools


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()


# Tests read one ring again and again, with few bytes changed: most answers are known.
@functools.lru_cache(maxsize=1 << 14)
def crc32c(data: bytes, before: int = 0) -> int:
    """The checksum of data behind bytes that have the checksum before."""
    table, crc = _TABLE, before ^ 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF
