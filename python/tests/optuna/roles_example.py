"""The example study, in which each process notes elsewhere what it has logged:
`python -m tests.optuna.roles_example ARGUMENT…`, by the example's own arguments.

A note is written when the log call has returned, by one write, so a process that is killed
has noted all but what it was just logging. It has the logger and a number, which the record
has too, as `serial`.
"""

from __future__ import annotations

import itertools
import logging
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples"))

import optuna_parallel  # the path above

from ringlog import RingHandler

_notes = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_numbers = itertools.count()
_emit = RingHandler.emit


def _emit_and_note(self: RingHandler, record: logging.LogRecord) -> None:
    serial = f"{os.getpid()}-{next(_numbers)}"
    record.__dict__["serial"] = serial
    _emit(self, record)
    os.write(_notes, f"{record.name} {serial}\n".encode())


# Workers are spawned, so they import this module, and it holds in them too.
RingHandler.emit = _emit_and_note  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(optuna_parallel.main())
