"""Where records of set-up loggers go while there is no ring: rotating files of this process.

They have the names and the selection of the files that the drain writes when there is one, so
that a program finds its logs in one place, whether `setup_multiprocessing_logging` was
called or not, and also on systems that have no rings.
"""

from __future__ import annotations

import logging
import os
from logging.handlers import RotatingFileHandler
from typing import Any

from . import _process
from ._lines import JSONLines, TextLines
from ._options import DEFAULTS


def _formatter(form: str) -> logging.Formatter:
    if form == "json":
        return JSONLines()
    if form == "raw":
        return logging.Formatter("%(message)s")
    return TextLines()


class PlainFiles(logging.Handler):
    """Hands each record to the files that want it. A file is made when it is first written to."""

    def __init__(self) -> None:
        super().__init__()
        self._options: dict[str, Any] = {}
        self._files: list[tuple[str, RotatingFileHandler]] = []

    def __reduce__(self) -> str:
        return "files"  # a process has one, and its open files stay in it

    def emit(self, record: logging.LogRecord) -> None:
        options = {**DEFAULTS, **_process.options()}
        if options != self._options:
            self._prepare(options)
        for logger, file in self._files:
            if logger in ("", record.name) or record.name.startswith(logger + "."):
                if file.stream is None:
                    try:
                        os.makedirs(os.path.dirname(file.baseFilename), exist_ok=True)
                    except OSError:
                        self.handleError(record)
                        continue
                file.handle(record)

    def _prepare(self, options: dict[str, Any]) -> None:
        """Makes the handlers of these options, of which none has opened its file yet."""
        self.close_files()
        folder = os.path.abspath(options["dir"])
        formatter = _formatter(options["format"])
        for name, logger in options["files"].items():
            file = RotatingFileHandler(
                os.path.join(folder, name),
                maxBytes=options["max_bytes"],
                backupCount=options["backup_count"],
                encoding="utf-8",
                errors="backslashreplace",
                delay=True,
            )
            file.setFormatter(formatter)
            self._files.append((logger, file))
        self._options = options

    def close_files(self) -> None:
        """Closes the files: the drain writes them from now on. A later record opens them anew."""
        with_files, self._files, self._options = self._files, [], {}
        for _, file in with_files:
            file.close()

    def close(self) -> None:
        self.close_files()
        super().close()


files = PlainFiles()
