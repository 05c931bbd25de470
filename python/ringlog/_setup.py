"""The functions that existing programs call: set-up, loggers, shutdown.

Set-up happens in the main process, once. Loggers may have been made before, at import time,
and in other processes: where a record goes is decided when it is logged.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
from multiprocessing import util
from typing import Any, Mapping, Optional

from . import _drain, _ending, _options, _plain, _process
from ._drain import say
from ._errors import RingError
from ._handler import RingHandler
from ._levels import Rules, watchers

_SHUTDOWN_SECONDS = 10.0
_RESTART_PAUSE = 1.0


class _Main:
    """What the process has that made the ring. `ring` is empty where there is none."""

    def __init__(self, ring: str, options: dict[str, Any], drain: Optional[_drain.Drain]) -> None:
        self.pid = os.getpid()
        self.ring = ring
        self.options = options
        self.drain = drain
        self.restarted = 0.0  # when a drain was last started again
        # Of multiprocessing's own exit handler this is the last part: it comes when children
        # were joined, and so have logged their last. A child of this process drops it.
        self.at_exit = util.Finalize(
            None, shutdown_multiprocessing_logging, exitpriority=-1000
        )


_main: Optional[_Main] = None
_revived = -_RESTART_PAUSE  # when this process last looked whether it should start a drain
_levels: dict[str, int] = {}  # of the loggers that setup_logger has made, as it was told
_ruled: dict[str, int] = {}  # those of them that have a rule's level, and what they had before
_lock = threading.RLock()


def _after_fork() -> None:
    global _main, _lock
    _main, _lock = None, threading.RLock()  # another thread may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lambda: _keep_draining(), after_in_child=_after_fork)


def setup_multiprocessing_logging(
    log_dir: str | os.PathLike[str] = "logs",
    *,
    files: Optional[Mapping[str, str]] = None,
    format: Optional[str] = None,
    max_bytes: Optional[int] = None,
    backup_count: Optional[int] = None,
    config: Optional[str | os.PathLike[str]] = None,
    buffer_size: Optional[int] = None,
    processes: int = 64,
    when_full: str = "block",
    timeout: float = 1.0,
    level: Optional[int | str] = None,
    ring: Optional[str] = None,
) -> str:
    """Makes a ring, and starts the one process that drains it into the log files.

    To be called in the main process. Called again it does nothing, nor in a child process or
    under `ringlog run`, where there is a ring already. Returns the ring's path, or an empty
    text where there can be no ring: then each process writes the same files by itself.

    log_dir: folder of the files. files: file name to the logger whose records it gets, ""
    for all; without it app.log, trades.log and orders.log. format: "text", which is the default,
    "json" or "raw". max_bytes: size at which a file is rotated, 0 for never; without it 100 MiB.
    backup_count: how many rotated files stay; 0, the default, for all.

    config: a file, such as `ringlog config example` prints, that says what these cannot: several
    formats, layouts, levels, files for each trial, rotation by the clock, retention, compression,
    hooks. The outputs are then those of the file, and their relative paths begin in the present
    working directory. What is given beside it goes before it: files, in log_dir, replaces its
    outputs and has its defaults; format, max_bytes and backup_count replace those of its
    defaults. Only the drain reads it: records that find no ring, as after the shutdown, go to
    log_dir as if there were no such file.

    buffer_size: bytes of each process's lane, rounded up to a power of two; None: as large as
    there is room for. processes: how many may log at once.
    when_full: "block" waits up to timeout seconds for room, "drop" does not; what finds none
    is counted, and the log says so. level: the lowest level that the loggers of
    setup_logger log, in all processes, whatever they were given, in steps of 2.5 (21 is
    as 20); None: each its own.
    ring: the ring's path; None: in memory.

    Raises ValueError for an argument that makes no sense, RingError if there is no room for
    a ring, if the files cannot be written or are another drain's, or if config cannot be read or
    has a mistake.
    """
    options = _options.checked(
        log_dir, files, format, max_bytes, backup_count, config, when_full, timeout
    )
    options["level"] = _options.level_number(level)
    lane_size = _options.lane_size(buffer_size)
    if processes < 1 or processes > 4096:
        raise ValueError(f"processes={processes}: want 1 to 4096")
    with _lock:
        if _main is not None and _main.pid == os.getpid():
            if options != _main.options:
                say(f"ringlog: set up already, for {_logs(_main.options)}; these arguments "
                    "are ignored. Call shutdown_multiprocessing_logging() first")
            return _main.ring
        inherited = _inherited(options)
        if inherited is not None:
            return inherited
        binary = _drain.find_binary() if _process.supported else None
        if binary is None:
            _set_up_plain(options)
            return ""
        return _set_up(binary, options, processes, lane_size, ring)


def _inherited(options: dict[str, Any]) -> Optional[str]:
    """The ring that this process was given by its parent or by `ringlog run`, if it is one."""
    given = _process.ring_in_use() if _process.supported else None
    if given is not None:
        from . import _status  # not on systems without rings

        try:
            if not _status.reader_running(given) and not _is_child():
                say(f"ringlog: nobody drains {given}, which RINGLOG_RING names; run: "
                    f"{_drain.command(given, options)}; or unset RINGLOG_RING")
            return given
        except RingError as err:
            if not _is_child():
                why = str(err).partition(": make")[0]
                say(f"ringlog: RINGLOG_RING is of no use, and a new ring is made: {why}")
                return None
    # A child that is importing the main module again knows its ring only later.
    return given or "" if _is_child() else None


def _is_child() -> bool:
    process = multiprocessing.current_process()
    return multiprocessing.parent_process() is not None or bool(
        getattr(process, "_inheriting", False)
    )


def _set_up_plain(options: dict[str, Any]) -> None:
    global _main
    if _process.supported:
        why = (
            "the ringlog binary is not found: install the wheel that has it (make wheel), or put "
            "ringlog on PATH"
        )
    else:
        why = "rings need 64-bit Linux"
    config = options["config"]
    unread = f". Nothing of {config['path']} holds, which only the drain reads" if config else ""
    say(
        f"ringlog: logging without a ring, since {why}. Each process writes the files in "
        f"{options['dir']} by itself: lines of several processes may be lost when they "
        f"rotate{unread}"
    )
    _main = _Main("", options, None)
    _process.publish(None, options)
    _obey_set_up()


def _set_up(
    binary: str,
    options: dict[str, Any],
    processes: int,
    lane_size: Optional[int],
    path: Optional[str],
) -> str:
    global _main
    ring = _drain.create_ring(binary, path, processes, lane_size)
    drain = _drain.Drain(binary, ring, options)
    try:
        # First, so that the drain has somebody to wait for, also if this process is killed.
        lane = _process.attach(ring)
        if options["level"] is not None:
            _drain.run(binary, "level", "--ring", ring, _level(options["level"]))
            lane.rules.load()
        drain.start()
    except BaseException:
        _process.leave()
        _remove(ring)
        raise
    _main = _Main(ring, options, drain)
    # This process detaches when multiprocessing has joined its children, of which some may not
    # have logged yet: with nobody attached the drain would end before.
    _process.kept_by = os.getpid()
    _process.publish(ring, options)
    _plain.files.close_files()
    _announce(options)
    return ring


def _remove(ring: str) -> None:
    """Removes a ring of which nobody knows yet."""
    try:
        os.unlink(ring)
    except OSError:
        pass  # the drain may have done it


def _level(level: int) -> str:
    """A level of Python's as `ringlog level` reads it: in steps of 2.5, from below."""
    step = (level - logging.INFO) * 2 // 5
    return f"info{step:+d}" if step else "info"


def _announce(options: dict[str, Any]) -> None:
    names = "" if _options.configured(options) else f" ({', '.join(sorted(options['files']))})"
    try:
        print(f"Multiprocessing-safe logging enabled: {_logs(options)}{names}", flush=True)
    except (OSError, ValueError, AttributeError):
        pass  # nobody reads standard output


def _logs(options: dict[str, Any]) -> str:
    """Which logs a set-up is for."""
    config = _options.configured(options)
    return f"logs as {config} says" if config else f"logs in {options['dir']}"


def setup_logger(
    name: str, use_multiprocessing: bool = False, level: int = logging.INFO
) -> logging.Logger:
    """The logger `name`, whose records go through the ring while there is one, and else into
    the same files by a RotatingFileHandler. May be called before set-up, in any process, and
    again. The records of a ring are in its files once, whatever use_multiprocessing says."""
    logger = logging.getLogger(name)
    with _lock:
        if not any(isinstance(handler, RingHandler) for handler in logger.handlers):
            logger.addHandler(RingHandler(fallback=_plain.files))
        logger.propagate = False
        _levels[name] = level
        said = _process.options().get("level")
        _ruled.pop(name, None)
        logger.setLevel(level if said is None else said)
        lane = _process.lanes.get(None)
        if lane is not None:
            _obey(lane.rules)
    _keep_draining()
    return logger


def _obey(rules: Rules) -> None:
    """Gives the loggers of setup_logger the levels that the ring's rules say.

    A handler can only hold back what a logger lets through; this also has loggers log more
    than they were told to, from the next record of this process on.
    """
    for name in list(_levels):
        lowest, logger = rules.minimum(name), logging.getLogger(name)
        if lowest is not None:
            _ruled.setdefault(name, logger.level)
            level = max(1, -(-lowest // 2) + 20)
            if logger.level != level:
                logger.setLevel(level)
        elif name in _ruled:
            logger.setLevel(_ruled.pop(name))


watchers.append(_obey)


def _obey_set_up(_: object = None) -> None:
    """Gives the loggers of setup_logger the level of the set-up, if it has one. In a process
    that attaches to the ring, its rules say the same; but the first record is what attaches."""
    level = _process.options().get("level")
    if level is not None:
        for name in list(_levels):
            logging.getLogger(name).setLevel(level)


# The child of a forkserver imports its modules before it learns of a set-up.
util.register_after_fork(logging.root, _obey_set_up)


def get_multiprocessing_logger(name: str) -> logging.Logger:
    """`setup_logger` that keeps the level which the logger has."""
    logger = logging.getLogger(name)
    return setup_logger(name, True, logger.level or logging.INFO)


def _keep_draining() -> None:
    """Starts the drain again if somebody has killed it. Looked at now and then, in the main
    process alone: a thread that watched it would be there at each fork."""
    main = _main
    if main is None or main.pid != os.getpid() or main.drain is None or main.drain.running():
        return
    if not _lock.acquire(blocking=False):
        return
    try:
        if time.monotonic() >= main.restarted + _RESTART_PAUSE:
            main.restarted = time.monotonic()
            _ending.restart(main.drain)
    finally:
        _lock.release()


def _revive() -> None:
    """As _keep_draining, when a lane stays full, and in any process: the main one may be waiting
    for the others, and look at nothing."""
    global _revived
    if _main is not None and _main.pid == os.getpid():
        _keep_draining()
        return
    ring, options = _process.ring_in_use(), _process.options()
    if not ring or not options or time.monotonic() < _revived + _RESTART_PAUSE:
        return
    _revived = time.monotonic()
    binary = _drain.find_binary()
    if binary is None:
        return
    drain = _drain.Drain(binary, ring, {**_options.DEFAULTS, **options})
    if drain.running() or drain.removed():
        return
    try:
        drain.start()
    except RingError as err:
        if not drain.running():  # else another process was faster
            drain.say_undrained(err)
    else:
        say(f"ringlog: the drain of {ring} had ended; started again")
        drain.leave()


if _process.supported:
    from ._lane import stall_watchers

    stall_watchers.append(_revive)


def shutdown_multiprocessing_logging(timeout: float = _SHUTDOWN_SECONDS) -> None:
    """Ends this process's part; in the main process, waits until all is in the log files.

    The drain ends when the last worker is gone, and removes the ring. Waiting for workers
    that are still attached takes at most timeout seconds: then the drain is left running, and
    it ends after them. It is called automatically when the main process exits.
    """
    global _main
    with _lock:
        main = _main
        if main is None or main.pid != os.getpid():
            _process.detach()
            return
        main.at_exit.cancel()
        if main.drain is None:
            _main = None
            return
        if not main.drain.running():
            _ending.restart(main.drain)
        # Records from here on are the plain files', in the same folder.
        _process.publish(None, main.options)
        _process.kept_by, _process.ending = 0, main.ring
        _process.leave()
        _main = None
        try:
            _ending.await_end(main.drain, time.monotonic() + timeout)
        except KeyboardInterrupt:
            _ending.leave(main.drain)
            raise
        finally:
            _process.ending = None
