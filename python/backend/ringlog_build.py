"""Builds ringlog's wheels and source archive, with the standard library alone, so that it
installs where no build tool can be fetched (PEP 517, and PEP 660 for editable installs).

A wheel is of Python alone, unless it is given a ringlog binary to carry:

    pip wheel ./python -C binary=/absolute/path/of/ringlog
    python3 backend/ringlog_build.py DIRECTORY BINARY      # the same without pip

The archives are the same bytes for the same files: members are sorted and have the time
SOURCE_DATE_EPOCH.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Mapping, Optional

from ringlog_build_archive import Member, write_sdist, write_wheel
from ringlog_build_metadata import Metadata, read_metadata
from ringlog_build_platform import platforms

ROOT = Path(__file__).resolve().parents[1]

Settings = Optional[Mapping[str, str]]


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    return []


get_requires_for_build_editable = get_requires_for_build_sdist = get_requires_for_build_wheel


def prepare_metadata_for_build_wheel(
    metadata_directory: str, config_settings: Settings = None
) -> str:
    """Writes what the wheel's .dist-info folder will have, but RECORD; returns its name."""
    metadata = read_metadata(ROOT)
    for member in _dist_info(metadata, _tags(_binary(config_settings))):
        path = Path(metadata_directory, member.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(member.data)
    return metadata.dist_info


def prepare_metadata_for_build_editable(
    metadata_directory: str, config_settings: Settings = None
) -> str:
    return prepare_metadata_for_build_wheel(metadata_directory)


def build_wheel(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    """Builds a wheel of the package, with the binary that config_settings["binary"] names, if
    any, as ringlog/bin/ringlog; returns the wheel's file name."""
    binary = _binary(config_settings)
    members = _package()
    if binary is not None:
        members.append(Member("ringlog/bin/ringlog", binary, executable=True))
    return _wheel(wheel_directory, members, _tags(binary))


def build_editable(
    wheel_directory: str,
    config_settings: Settings = None,
    metadata_directory: str | None = None,
) -> str:
    """Builds a wheel that makes Python import the package from this folder."""
    member = Member("__editable__.ringlog.pth", f"{ROOT}\n".encode())
    return _wheel(wheel_directory, [member], _tags(None))


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Builds an archive from which the wheel of Python alone can be built anywhere; returns
    its file name. The tests are not in it: they need the whole checkout."""
    metadata = read_metadata(ROOT)
    members = _package()
    members.append(Member("PKG-INFO", metadata.text))
    members.append(Member("LICENSE", _license()))
    for path in [ROOT / "pyproject.toml", ROOT / "README.md", *(ROOT / "backend").glob("*.py")]:
        members.append(_read(path))
    return write_sdist(sdist_directory, metadata.stem, members)


def _wheel(directory: str, members: list[Member], tags: list[str]) -> str:
    metadata = read_metadata(ROOT)
    # Those of several platforms are one part of the name, joined by dots.
    name = f"{metadata.stem}-py3-none-{'.'.join(tag.split('-')[2] for tag in tags)}.whl"
    write_wheel(Path(directory, name), metadata.dist_info, members, _dist_info(metadata, tags))
    return name


def _dist_info(metadata: Metadata, tags: list[str]) -> list[Member]:
    pure = "true" if tags == _tags(None) else "false"
    lines = ["Wheel-Version: 1.0", "Generator: ringlog_build", f"Root-Is-Purelib: {pure}"]
    lines += [f"Tag: {tag}" for tag in tags]
    folder = metadata.dist_info
    return [
        Member(f"{folder}/METADATA", metadata.text),
        Member(f"{folder}/WHEEL", "".join(f"{line}\n" for line in lines).encode()),
        Member(f"{folder}/licenses/LICENSE", _license()),
    ]


def _tags(binary: bytes | None) -> list[str]:
    return [f"py3-none-{p}" for p in (["any"] if binary is None else platforms(binary))]


def _binary(config_settings: Settings) -> bytes | None:
    path = (config_settings or {}).get("binary")
    return None if path is None else Path(path).read_bytes()


def _package() -> list[Member]:
    """The package's files. A binary that lies in the package's folder is not among them: for
    which platform a wheel is must be somebody's decision."""
    folder = ROOT / "ringlog"
    return [_read(path) for path in [*folder.rglob("*.py"), folder / "py.typed"]]


def _license() -> bytes:
    """The licence, which lies beside this folder in a checkout, and inside it in an sdist."""
    for folder in (ROOT, ROOT.parent):
        if (folder / "LICENSE").exists():
            return (folder / "LICENSE").read_bytes()
    raise FileNotFoundError(
        f"no LICENSE in {ROOT} or above it: this is neither a checkout nor a source archive of "
        "ringlog, or a copy of a part of one, as pip before 21.3 makes; update pip"
    )


def _read(path: Path) -> Member:
    return Member(path.relative_to(ROOT).as_posix(), path.read_bytes())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} DIRECTORY BINARY")
    print(os.path.join(sys.argv[1], build_wheel(sys.argv[1], {"binary": sys.argv[2]})))
