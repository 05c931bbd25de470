"""Writes archives whose bytes depend on nothing but their members."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import tarfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

_FIRST_OF_ZIP = 315532800  # 1980-01-01, the earliest time that a zip file can say


@dataclass(frozen=True, order=True)
class Member:
    """A file in an archive; its name has slashes on all systems."""

    name: str
    data: bytes
    executable: bool = False

    @property
    def mode(self) -> int:
        return 0o755 if self.executable else 0o644


def write_wheel(path: Path, dist_info: str, members: list[Member], last: list[Member]) -> None:
    """Writes a wheel of members, then those of the folder dist_info, the last of which is
    RECORD: so the metadata stands at the end of the file, where tools look for it first."""
    members = sorted(members) + sorted(last)
    rows = [f"{m.name},sha256={_digest(m.data)},{len(m.data)}\n" for m in members]
    record = f"{dist_info}/RECORD"
    members.append(Member(record, "".join([*rows, f"{record},,\n"]).encode()))
    when = time.gmtime(max(_epoch(), _FIRST_OF_ZIP))[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for m in members:
            info = zipfile.ZipInfo(m.name, when)
            info.create_system = 3  # Unix, wherever it is built: the modes are its
            info.external_attr = (0o100000 | m.mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, m.data)


def write_sdist(directory: str, stem: str, members: list[Member]) -> str:
    """Writes members below a folder stem into stem.tar.gz; returns that name."""
    name = f"{stem}.tar.gz"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for m in sorted(members):
            info = tarfile.TarInfo(f"{stem}/{m.name}")
            info.size, info.mode, info.mtime = len(m.data), m.mode, _epoch()
            archive.addfile(info, io.BytesIO(m.data))
    Path(directory, name).write_bytes(gzip.compress(packed.getvalue(), mtime=_epoch()))
    return name


def _epoch() -> int:
    return int(os.environ.get("SOURCE_DATE_EPOCH", _FIRST_OF_ZIP))


def _digest(data: bytes) -> str:
    digest = hashlib.sha256(data).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
