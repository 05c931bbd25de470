"""What a set-up was told: checked, and in the form in which other processes are told it."""

from __future__ import annotations

import logging
import os
from typing import Any, Mapping, Optional

# What holds where nothing was said. "config" is None, or {"path": of the file, "cwd": where the
# outputs' relative paths begin, "given": the names of the options that go before the file}.
DEFAULTS: dict[str, Any] = {
    "dir": "logs",
    "files": {"app.log": "", "trades.log": "trades", "orders.log": "orders"},
    "format": "text",
    "when_full": "block",
    "timeout": 1.0,
    "max_bytes": 100 << 20,
    "backup_count": 0,
    "config": None,
}
FORMATS = ("text", "json", "raw")


def checked(
    log_dir: str | os.PathLike[str],
    files: Optional[Mapping[str, str]],
    format: Optional[str],
    max_bytes: Optional[int],
    backup_count: Optional[int],
    config: Optional[str | os.PathLike[str]],
    when_full: str,
    timeout: float,
) -> dict[str, Any]:
    """The options of a set-up, without its level. Raises ValueError."""
    outputs = {
        "files": files, "format": format, "max_bytes": max_bytes, "backup_count": backup_count
    }  # fmt: skip
    given = {name: value for name, value in outputs.items() if value is not None}
    options: dict[str, Any] = {**DEFAULTS, **given, "when_full": when_full}
    options["files"] = _checked_files(options["files"])
    if options["format"] not in FORMATS:
        raise ValueError(f"format={format!r}: want one of {', '.join(FORMATS)}")
    if when_full not in ("block", "drop"):
        raise ValueError(f"when_full={when_full!r}: want block or drop")
    numbers = options["max_bytes"], options["backup_count"]
    if min(numbers) < 0 or not 0 <= timeout < 1e6:
        raise ValueError("max_bytes, backup_count and timeout: want 0 or more")
    options["max_bytes"], options["backup_count"] = map(int, numbers)
    options["timeout"] = float(timeout)
    options["dir"] = os.path.abspath(os.fspath(log_dir))
    if config is not None:
        path = os.fspath(config)
        if not path:
            raise ValueError(f"config={config!r}: want the path of a file, or None")
        # The drain's own working directory is another; and another process may start it again.
        path, cwd = os.path.abspath(path), os.getcwd()
        options["config"] = {"path": path, "cwd": cwd, "given": list(given)}
    return options


def _checked_files(files: Mapping[str, str]) -> dict[str, str]:
    chosen = dict(files)
    if not chosen or not all(isinstance(x, str) for pair in chosen.items() for x in pair):
        raise ValueError(f"files={files!r}: want file names and their loggers, \"\" for all")
    if any(not name or name.endswith("/") for name in chosen):
        raise ValueError(f"files={files!r}: a file has no name")
    if len({os.path.normpath(name) for name in chosen}) < len(chosen):
        raise ValueError(f"files={files!r}: two names are of one file")
    return chosen


def configured(options: dict[str, Any]) -> Optional[str]:
    """The path of the configuration file that says where a drain writes; None: options do."""
    config = options["config"]
    return None if config is None or "files" in config["given"] else config["path"]


def level_number(level: Optional[int | str]) -> Optional[int]:
    """A level as logging takes them: a number or a name. Raises ValueError."""
    found: Any = logging.getLevelName(level) if isinstance(level, str) else level
    if found is not None and not isinstance(found, int):
        raise ValueError(f"level={level!r}: want a number, or a name such as INFO")
    return found


def lane_size(buffer_size: Optional[int]) -> Optional[int]:
    """The bytes of a lane, for a buffer_size; None: as many as there is room for. Raises
    ValueError."""
    if buffer_size is None:
        return None
    if not 1 <= buffer_size <= 1 << 30:
        raise ValueError(f"buffer_size={buffer_size}: want at most {1 << 30} bytes")
    return max(64 << 10, 1 << (buffer_size - 1).bit_length())
