"""Which trial a record belongs to."""

from __future__ import annotations

import contextlib
import contextvars
from typing import Iterator

from ._encode import encode_fields

# The encoded attributes of the trial that is under way in this thread or task. It belongs
# to the context and not to the process: with n_jobs, Optuna's trials are threads.
current: contextvars.ContextVar[bytes] = contextvars.ContextVar("ringlog.trial", default=b"")


def attributes(study: str, number: int) -> bytes:
    """The attributes that tag records of a trial, encoded."""
    return encode_fields((("study", str(study)), ("trial", int(number))))


@contextlib.contextmanager
def trial(study: str, number: int) -> Iterator[None]:
    """Tags every record logged inside, in this thread or task, as one of a trial.

    The records get the attributes `study` and `trial`, before all others, by which outputs
    and `ringdump --only '{trial=17}'` can select.

        with ringlog.trial("walk-forward", 17):
            logging.getLogger("trades").info("bought")

    A thread started inside does not inherit it, but a task of asyncio does.
    """
    token = current.set(attributes(study, number))
    try:
        yield
    finally:
        current.reset(token)
