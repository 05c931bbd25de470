"""Waking a reader that sleeps, and the processes that wait for room: futexes, by ctypes.

Where ctypes or the system call's number is not known, nobody is woken: the reader looks
by itself every 100 ms (D9).
"""

from __future__ import annotations

import mmap
import platform
from typing import Callable, Optional

_FUTEX_WAKE = 1
_EVERYBODY = (1 << 31) - 1
_SYS_FUTEX = {"x86_64": 202, "aarch64": 98}


def _load() -> Optional[tuple[Callable[[mmap.mmap, int], int], Callable[[int], None]]]:
    try:
        import ctypes

        syscall = ctypes.CDLL(None, use_errno=True).syscall
        number = _SYS_FUTEX[platform.machine()]
    except (ImportError, OSError, AttributeError, KeyError):
        return None

    def address(memory: mmap.mmap, offset: int) -> int:
        # The ctypes object goes before this returns: as long as it lives, the mapping
        # could not be closed.
        return ctypes.addressof(ctypes.c_uint32.from_buffer(memory, offset))

    def call(word: int) -> None:
        syscall(
            ctypes.c_long(number),
            ctypes.c_void_p(word),
            ctypes.c_long(_FUTEX_WAKE),
            ctypes.c_long(_EVERYBODY),
            None,
            None,
            ctypes.c_long(0),
        )

    return address, call


_calls = _load()
available = _calls is not None


def address(memory: mmap.mmap, offset: int) -> int:
    """Where in memory the futex word at offset is, for `wake`; 0 where nobody can be woken.

    It is taken once, and not at each call: a child that is forked while ctypes looks at the
    mapping could not close it.
    """
    return _calls[0](memory, offset) if _calls is not None else 0


def wake(word: int) -> None:
    """Wakes all who sleep on the futex word at an address. One that is mapped no more does
    no harm: the system looks before it reads."""
    if _calls is not None:
        _calls[1](word)
