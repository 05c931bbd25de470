"""A ring file: opening it, checking its header, its locks and its memory.

The file is not trusted: everything is checked before anything is mapped, and what was
read of the header is kept, so that a later change of it means nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import stat
import struct
import zlib
from typing import Iterator, NamedTuple

from ._errors import NoSpaceError, NotRingError, RetiredError, RingError
from ._layout import (
    BYTE_ORDER,
    CTL_COPY,
    HEADER_SIZE,
    LANE_ALIGNMENT,
    MAGIC,
    MARK_COPY,
    MAX_AREA_SIZE,
    MAX_LANE_SIZE,
    MAX_LANES,
    MIN_CONTROL_SIZE,
    MIN_INTENT_SIZE,
    MIN_LANE_SIZE,
    TABLE_ENTRY,
    VERSION,
)

# Linux's numbers of what Python's modules have under no name, or only in later versions.
MADV_POPULATE_WRITE = 23
F_OFD_GETLK, F_OFD_SETLK = 36, 37

_HEADER = struct.Struct("<8sII9QII16sQQQQQ")


class Header(NamedTuple):
    """What a ring's header says, checked. Offsets and sizes are in bytes."""

    file_size: int
    control_offset: int
    control_size: int
    intent_offset: int
    intent_size: int
    table_offset: int
    table_size: int
    lanes_offset: int
    lane_size: int
    lane_count: int
    ring_id: bytes
    key: int

    def entry_offset(self, lane: int) -> int:
        return self.table_offset + lane * TABLE_ENTRY

    def lane_offset(self, lane: int) -> int:
        return self.lanes_offset + lane * self.lane_size


class RingFile:
    """A ring file, opened by a description of its own, as every user of a ring must (O1)."""

    fd = -1

    def __init__(self, path: str) -> None:
        """Opens the ring at path for reading and writing; raises RingError."""
        self.path = path
        with _above_standard_streams():
            self.fd = _open(path)
        try:
            self.header = _check(path, os.pread(self.fd, HEADER_SIZE, 0), os.fstat(self.fd).st_size)
            if self.word(self.header.control_offset + CTL_COPY) == MARK_COPY:
                raise RetiredError(
                    f"{path} is a copy of a ring; `ringdump {path}` shows what it holds"
                )
        except BaseException:
            self.close()
            raise

    def word(self, offset: int) -> int:
        """The word at offset, read without a mapping."""
        return int.from_bytes(os.pread(self.fd, 8, offset), "little")

    def linked(self) -> bool:
        """Whether the file still has a name."""
        return os.fstat(self.fd).st_nlink > 0

    def map(self, offset: int, size: int) -> mmap.mmap:
        # CPython duplicates the descriptor for the mapping's lifetime: it is of the same
        # description, so it holds the lock of a lane too, until the mapping is closed.
        # No MADV_DONTFORK: a child that closes its copy of the mapping, as it must, would
        # unmap what may lie in the hole by then.
        with _above_standard_streams():
            return mmap.mmap(
                self.fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=offset
            )

    def try_lock(self, offset: int) -> bool:
        """Takes the lock on one byte, and says whether it could."""
        request = _flock(fcntl.F_WRLCK, offset)
        try:
            fcntl.fcntl(self.fd, F_OFD_SETLK, request)
        except OSError as err:
            if err.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise RingError(f"locking byte {offset} of {self.path}: {err}") from err
        return True

    def unlock(self, offset: int) -> None:
        # The descriptor is looked up last: of a child that is forked in the middle of this,
        # it is gone then, and the parent's lock is left alone (O3).
        request = _flock(fcntl.F_UNLCK, offset)
        fcntl.fcntl(self.fd, F_OFD_SETLK, request)

    def locked(self, offset: int) -> bool:
        """Whether another description has the lock on a byte. For display: the answer is old."""
        answer = fcntl.fcntl(self.fd, F_OFD_GETLK, _flock(fcntl.F_WRLCK, offset))
        return int(struct.unpack_from("h", answer)[0]) != fcntl.F_UNLCK

    def allocate(self, lane: int, fresh: bool) -> mmap.mmap:
        """Maps a lane's memory, allocated so that no later store can fault (R1)."""
        offset, size = self.header.lane_offset(lane), self.header.lane_size
        memory = None
        try:
            os.posix_fallocate(self.fd, offset, size)
            memory = self.map(offset, size)
            try:
                memory.madvise(MADV_POPULATE_WRITE)
            except OSError as err:
                if err.errno != errno.EINVAL:
                    raise
                # Linux before 5.14. Zeros written over zeros change nothing and allocate
                # the pages; those of a lane that was used before are there.
                if fresh:
                    zeros = bytes(LANE_ALIGNMENT)
                    for at in range(offset, offset + size, LANE_ALIGNMENT):
                        os.pwrite(self.fd, zeros, at)
            return memory
        except OSError as err:
            if memory is not None:
                memory.close()
            raise self._no_space(size, err) from err

    def has_data(self, lane: int) -> bool:
        """Whether a lane's memory is more than a hole in the file."""
        offset = self.header.lane_offset(lane)
        try:
            return os.lseek(self.fd, offset, os.SEEK_DATA) < offset + self.header.lane_size
        except OSError as err:
            return err.errno != errno.ENXIO  # ENXIO: nothing but a hole from here on

    def _no_space(self, wanted: int, err: OSError) -> RingError:
        # Filling a page of a full tmpfs gives EFAULT, of a memory limit ENOMEM.
        full = (errno.ENOSPC, errno.EDQUOT, errno.EFAULT, errno.ENOMEM, errno.EFBIG)
        if err.errno not in full:
            return RingError(f"allocating {wanted >> 10} KiB of {self.path}: {err}")
        space = os.fstatvfs(self.fd)
        return NoSpaceError(
            f"no space for a lane of {self.path}: wanted {wanted >> 10} KiB, "
            f"free {space.f_bavail * space.f_frsize >> 10} KiB on its file system; use fewer or "
            "smaller lanes, or a file system with more room (a container's /dev/shm has 64 MiB "
            "unless told otherwise: docker run --shm-size)"
        )

    def close(self) -> None:
        """Closes the descriptor; locks stay until the mappings are closed too. Harmless when
        called again."""
        # In this order: an exception in between must not have it closed twice, which would
        # close what somebody else has opened meanwhile.
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    # Of a lane that an exception has cut off in the middle of being claimed, nobody knows.
    __del__ = close


@contextlib.contextmanager
def _above_standard_streams() -> Iterator[None]:
    """Keeps what is opened inside from getting the number of a standard stream that is closed:
    what anybody prints there would go into the ring."""
    held: list[int] = []
    try:
        while True:
            fd = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            held.append(fd)
            if fd > 2:
                break
        os.close(held.pop())
        yield
    finally:
        for fd in held:
            os.close(fd)


def _flock(kind: int, offset: int) -> bytes:
    # struct flock: type, whence, start, length, pid, each aligned as C does.
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, offset, 1, 0)


def _open(path: str) -> int:
    # O_NONBLOCK: opening a FIFO must not hang. O_NOFOLLOW: somebody may have put a link
    # under a shared folder.
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, flags)
    except FileNotFoundError as err:
        raise RingError(
            f"no ring at {path}: make one by ringlog.setup_multiprocessing_logging(), `ringlog "
            "run` or `ringlog create`, or set RINGLOG_RING to the one that is drained"
        ) from err
    except PermissionError as err:
        raise RingError(
            f"{path}: permission denied; a ring belongs to the user who made it"
        ) from err
    except OSError as err:
        if err.errno == errno.ELOOP:
            raise NotRingError(f"{path} is a symbolic link; name the ring itself") from err
        if err.errno in (errno.EISDIR, errno.ENXIO):
            raise NotRingError(f"{path} is not a regular file") from err
        raise RingError(f"opening the ring {path}: {err}") from err
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotRingError(f"{path} is not a regular file")
    return fd


def _check(path: str, b: bytes, size: int) -> Header:
    """Checks a header in the order that docs/format.md gives."""
    if len(b) < len(MAGIC) or b[: len(MAGIC)] != MAGIC:
        raise NotRingError(f"{path} is not a ring")
    if len(b) < HEADER_SIZE:
        raise NotRingError(f"{path} is truncated: {size} bytes, its header has {HEADER_SIZE}")
    magic, version, order, *rest = _HEADER.unpack_from(b)
    if version != VERSION:
        raise NotRingError(
            f"{path} has format version {version}, this ringlog knows {VERSION}: use the same "
            "release of ringlog in all processes"
        )
    if int.from_bytes(b[252:256], "little") != zlib.crc32(b[:252]):
        raise NotRingError(f"{path}: its header is damaged (checksum); make a new ring")
    if order != BYTE_ORDER:
        raise NotRingError(f"{path} was made on a machine with another order of bytes")
    # Features: a writer may ignore the compatible ones alone.
    read_compatible, incompatible = rest[14], rest[15]
    if read_compatible or incompatible:
        raise NotRingError(
            f"{path} uses features that this ringlog does not know "
            f"({read_compatible:#x}, {incompatible:#x}): use a newer release"
        )
    h = Header._make((*rest[:10], *rest[11:13]))
    if rest[10] != TABLE_ENTRY or not _sound(h):
        raise NotRingError(f"{path}: its header contradicts itself; make a new ring")
    if size < h.file_size:
        raise NotRingError(f"{path} is truncated: {size} of {h.file_size} bytes; make a new ring")
    return h


def _sound(h: Header) -> bool:
    """Whether the geometry is one that docs/format.md allows."""
    power_of_two = h.lane_size & (h.lane_size - 1) == 0
    aligned = -(-(h.table_offset + h.table_size) // LANE_ALIGNMENT) * LANE_ALIGNMENT
    return (
        power_of_two
        and MIN_LANE_SIZE <= h.lane_size <= MAX_LANE_SIZE
        and 1 <= h.lane_count <= MAX_LANES
        and MIN_CONTROL_SIZE <= h.control_size <= MAX_AREA_SIZE
        and MIN_INTENT_SIZE <= h.intent_size <= MAX_AREA_SIZE
        and h.intent_size % LANE_ALIGNMENT == 0
        and h.control_offset == 4096
        and h.intent_offset == h.control_offset + h.control_size
        and h.table_offset == h.intent_offset + h.intent_size
        and h.table_size == h.lane_count * TABLE_ENTRY
        and h.lanes_offset == aligned
        and h.file_size == h.lanes_offset + h.lane_count * h.lane_size
    )
