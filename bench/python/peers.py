"""The ways to log from several processes that are compared, each set up as its documents say.

A peer lives through one run: `prepare` in the main process, `enter` in each worker, `start`
in the main process when the workers are there, `finish` when they are gone.
"""

from __future__ import annotations

import importlib
import logging
import logging.handlers
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any, Callable, Optional

REPOSITORY = Path(__file__).resolve().parents[2]
LAYOUT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
LOGGER = "bench"
FILE = "app.log"
PRICE = 101.25

Call = Callable[[int], Any]


def use_checkout() -> None:
    """Has this process and its children find the package and the binary of this checkout."""
    sys.path.insert(0, str(REPOSITORY / "python"))
    os.environ["PATH"] = os.pathsep.join((str(REPOSITORY / "bin"), os.environ.get("PATH", "")))
    # A ring in use here is for other records than these.
    for variable in ("RINGLOG_RING", "RINGLOG_SETUP"):
        os.environ.pop(variable, None)


class Peer:
    """One way to log. This one logs nowhere: what it takes is logging's own, the floor."""

    name = "null"
    label = "NullHandler, the floor"
    module: Optional[str] = None  # what must be there to import
    package = ""  # … and the Debian package that has it
    records = 200_000  # of each worker: some seconds a run
    stores = False  # whether the records end up in files
    unsafe = False  # whether it is known to lose records

    @classmethod
    def version(cls) -> str:
        """The version of what is compared, "" if it is Python's own. Raises ImportError."""
        if cls.module is None:
            return ""
        return str(getattr(importlib.import_module(cls.module), "__version__", ""))

    def prepare(self, folder: Path, max_bytes: int) -> None:
        """In the main process, before the workers are forked."""
        self.path, self.max_bytes = str(folder / FILE), max_bytes

    def enter(self) -> None:
        """In a worker, before it logs."""
        self.use(logging.NullHandler())

    def start(self) -> None:
        """In the main process, when the workers are forked and have not logged yet."""

    def finish(self) -> None:
        """In the main process, when the workers have ended: returns when all is in the files."""

    def abandon(self) -> None:
        """In place of finish, when the workers were killed."""

    def notes(self) -> dict[str, int]:
        """In a worker, when it has logged: what else there is to say, added up over workers."""
        return {}

    def use(self, handler: logging.Handler) -> None:
        """Makes handler the only one that gets the records."""
        logger = logging.getLogger(LOGGER)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(logging.INFO)

    def rotating(self, kind: Callable[..., logging.Handler]) -> logging.Handler:
        """A handler of a file that rotates; so many backups that none is removed."""
        handler = kind(self.path, maxBytes=self.max_bytes, backupCount=200, encoding="utf-8")
        handler.setFormatter(logging.Formatter(LAYOUT))
        return handler

    def call(self, kind: str) -> Call:
        """What logs record number n. The message and its values are the same for all."""
        info, who = logging.getLogger(LOGGER).info, multiprocessing.current_process().name
        if kind == "args":
            return lambda n: info("filled order %d at %.2f for %s", n, PRICE, who)
        return lambda n: info("order filled", extra={"order": n, "price": PRICE, "buyer": who})


class Ringlog(Peer):
    name, label, module, stores = "ringlog", "ringlog", "ringlog", True

    def prepare(self, folder: Path, max_bytes: int) -> None:
        import ringlog

        ring = ringlog.setup_multiprocessing_logging(
            folder, files={FILE: ""}, max_bytes=max_bytes
        )
        if not ring:
            raise RuntimeError(f"no ringlog binary in {REPOSITORY / 'bin'}: run `make build`")
        self.ring = ring
        self.use(ringlog.RingHandler())
        self.rare = {"waits": 0, "waits_ns": 0, "wakes": 0, "wakes_ns": 0}
        self._watch("wait", "waits")
        self._watch("_wake_reader", "wakes")

    def _watch(self, method: str, what: str) -> None:
        """Counts how often a lane was full, or its reader asleep, and what that took. Other
        records pay nothing for it: the methods are called in these cases alone."""
        from ringlog._lane import Lane

        original: Any = getattr(Lane, method, None)
        if original is None:  # it has another name now: nothing is counted
            return

        def watched(*args: Any) -> Any:
            begin = time.perf_counter_ns()
            try:
                return original(*args)
            finally:
                self.rare[what] += 1
                self.rare[what + "_ns"] += time.perf_counter_ns() - begin

        setattr(Lane, method, watched)

    def enter(self) -> None:
        """The handler came with the fork, and finds the ring by itself."""

    def finish(self) -> None:
        import ringlog

        ringlog.shutdown_multiprocessing_logging(timeout=120)

    abandon = finish

    def notes(self) -> dict[str, int]:
        return self.rare


class Queue(Peer):
    """The recipe of the logging cookbook, whose listener is a thread of the main process."""

    name, label, stores = "queue", "QueueHandler to RotatingFileHandler", True
    records = 50_000

    def prepare(self, folder: Path, max_bytes: int) -> None:
        super().prepare(folder, max_bytes)
        self.queue: Any = multiprocessing.get_context("fork").Queue(-1)

    def enter(self) -> None:
        self.use(logging.handlers.QueueHandler(self.queue))

    def start(self) -> None:
        handler = self.rotating(logging.handlers.RotatingFileHandler)
        self.listener = logging.handlers.QueueListener(self.queue, handler)
        self.listener.start()

    def finish(self) -> None:
        self.listener.stop()
        for handler in self.listener.handlers:
            handler.close()


class ConcurrentLogHandler(Peer):
    name, label, stores = "clh", "concurrent-log-handler", True
    module, package = "concurrent_log_handler", "python3-concurrent-log-handler"
    records = 30_000

    def prepare(self, folder: Path, max_bytes: int) -> None:
        super().prepare(folder, max_bytes)
        self.kind = importlib.import_module("concurrent_log_handler").ConcurrentRotatingFileHandler

    def enter(self) -> None:
        self.use(self.rotating(self.kind))


class Loguru(Peer):
    """Called in its own way: values go into {}, and extras are keyword arguments."""

    name, label, stores = "loguru", "loguru, enqueue=True", True
    module, package = "loguru", "python3-loguru"
    records = 30_000

    def prepare(self, folder: Path, max_bytes: int) -> None:
        super().prepare(folder, max_bytes)
        self.logger: Any = importlib.import_module("loguru").logger
        self.logger.remove()
        layout = "{time:YYYY-MM-DD HH:mm:ss,SSS} - {name} - {level} - {message}"
        self.logger.add(self.path, format=layout, rotation=max_bytes, enqueue=True, level="INFO")

    def enter(self) -> None:
        """Its queue came with the fork."""

    def finish(self) -> None:
        self.logger.complete()
        self.logger.remove()

    def call(self, kind: str) -> Call:
        info, who = self.logger.info, multiprocessing.current_process().name
        if kind == "args":
            return lambda n: info("filled order {} at {:.2f} for {}", n, PRICE, who)
        return lambda n: info("order filled", order=n, price=PRICE, buyer=who)


class Rotating(Peer):
    """What one must not do: who rotates takes the file away from the others."""

    name, label, stores = "rotating", "RotatingFileHandler in each, unsafe", True
    records, unsafe = 80_000, True

    def enter(self) -> None:
        self.use(self.rotating(logging.handlers.RotatingFileHandler))


PEERS: dict[str, type[Peer]] = {
    peer.name: peer for peer in (Peer, Ringlog, Queue, ConcurrentLogHandler, Loguru, Rotating)
}
