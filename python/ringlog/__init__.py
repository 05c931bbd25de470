"""Logging for many processes at once, through one memory-mapped ring file.

In the main process:

    import ringlog

    ringlog.setup_multiprocessing_logging()      # logs/app.log, logs/trades.log, …

in every module, whatever process it runs in:

    logger = ringlog.setup_logger(__name__, use_multiprocessing=True)
    logger.info("trial %d begins", 17)

Worker processes append records to the ring without a system call; one reader process,
which the set-up starts, writes them to rotating files, each exactly once, whoever is
killed. Under `ringlog run` there is nothing to set up: `RingHandler` is enough.

`python -m ringlog doctor` says what is wrong when no logs appear. The documents are in
the repository: README.md, docs/operations.md, docs/migration.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._errors import NoLaneError, NoSpaceError, NotRingError, RetiredError, RingError
from ._handler import RingHandler
from ._process import detach
from ._setup import (
    get_multiprocessing_logger,
    setup_logger,
    setup_multiprocessing_logging,
    shutdown_multiprocessing_logging,
)
from ._trial import trial

if TYPE_CHECKING:
    from . import doctor as doctor
    from . import optuna as optuna
else:  # a type checker would take it for any attribute

    def __getattr__(name: str) -> object:
        """`ringlog.doctor` and `ringlog.optuna`, which few programs need: imported when asked
        for."""
        if name in ("doctor", "optuna"):
            # Not `from . import`, which asks for the attribute first, and so here again.
            return __import__(f"{__name__}.{name}", fromlist=["__name__"])
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), "doctor", "optuna"})


__version__ = "0.1.0"

__all__ = [
    "NoLaneError",
    "NoSpaceError",
    "NotRingError",
    "RetiredError",
    "RingError",
    "RingHandler",
    "detach",
    "get_multiprocessing_logger",
    "setup_logger",
    "setup_multiprocessing_logging",
    "shutdown_multiprocessing_logging",
    "trial",
]
