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
