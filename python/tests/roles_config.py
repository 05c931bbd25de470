"""Programs whose logs are as a configuration file says, for test_config: `python -m
tests.roles_config ROLE CONFIG …`. They print the ring's path."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Callable

import ringlog
from ringlog import _setup

from .roles_setup import join, kill_and_work, kill_drain, log, say, start, trades, work


def set_up(config: str, **options: Any) -> str:
    ring = ringlog.setup_multiprocessing_logging(config=config, **options)
    say(ring)
    return ring


def study(config: str, method: str) -> None:
    """Workers with trials; meanwhile the main process is in another folder."""
    set_up(config)
    os.chdir("/")
    join(*[start(method, trial, n) for n in range(3)])
    ringlog.shutdown_multiprocessing_logging()


def trial(number: int) -> None:
    with ringlog.trial("wf", number):
        log.info("begins")
        trades.info("bought %d", number)
        log.error("fails")


def options(config: str, text: str, watched: str, count: str) -> None:
    """Set-up with other options beside the file, and records that are a batch each: the next
    one comes when a file has the last."""
    set_up(config, **json.loads(text))
    for n in range(int(count)):
        log.info("record %d %s", n, "x" * 64)
        while Path(watched).read_bytes().count(b"\n") <= n:
            time.sleep(0.001)


def drain_killed(config: str) -> None:
    """The drain is killed, and started again from other folders: here, and by a worker."""
    set_up(config, buffer_size=64 << 10, timeout=20.0)
    os.chdir("/")
    log.info("before")
    kill_drain()
    ringlog.get_multiprocessing_logger("study.other")
    join(start("spawn", kill_and_work, "w0", 3000))


def mended_too_late(config: str, ring: str) -> None:
    """The file gets a mistake, and only then the drain is killed."""
    set_up(config, ring=ring)
    log.info("in the ring")
    with open(config, "a", encoding="utf-8") as f:
        f.write("outputs: []\n")
    kill_drain()
    ringlog.shutdown_multiprocessing_logging()


def reloads(config: str) -> None:
    """A record, and another one each time that the file has changed and the drain was told."""
    set_up(config)
    log.info("first")
    for line in sys.stdin:
        if line.strip() == "reload":
            main = _setup._main
            assert main is not None and main.drain is not None
            os.kill(main.drain.pid, signal.SIGHUP)
        else:
            log.info(line.strip())


def hung_up(config: str) -> None:
    """A worker that outlives the terminal, and what was started in it."""
    set_up(config)
    if os.fork() == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        log.info("with a terminal")
        say("worker logs")
        while True:
            try:
                os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
            except OSError:
                break
            time.sleep(0.005)
        log.info("without")
        sys.exit()
    os.wait()


def rotates(config: str, timeout: str) -> None:
    """Ends while what is to be done with a rotated file is not done yet."""
    set_up(config)
    log.info("x" * 100)
    ringlog.shutdown_multiprocessing_logging(float(timeout))
    say("shut down")


def closed(config: str) -> None:
    """A daemon without standard streams."""
    for fd in range(3):
        os.close(fd)
    command = [sys.executable, "-m", "tests.roles_config", "in_daemon", config]
    os.execv(sys.executable, command)


def in_daemon(config: str) -> None:
    assert sys.stdout is None
    ringlog.setup_multiprocessing_logging(config=config)
    work("main", 2)
    join(start("spawn", work, "w0", 2))


def again(config: str, other: str) -> None:
    ring = set_up(config)
    assert ringlog.setup_multiprocessing_logging(config=config) == ring
    say("no warning so far")
    assert ringlog.setup_multiprocessing_logging(config=other) == ring


def fails(config: str, ring: str) -> None:
    """Set-up that cannot succeed: prints the error, and logs into the plain files."""
    try:
        set_up(config, ring=ring)
    except ringlog.RingError as err:
        say(f"RingError: {err}")
    log.info("all the same")


def plain(config: str) -> None:
    """A study, wherever its records may go."""
    set_up(config, log_dir="plain")
    work("main", 2)
    join(start("spawn", work, "w0", 2))
    ringlog.shutdown_multiprocessing_logging()
    log.info("after")


ROLES: dict[str, Callable[..., None]] = {
    f.__name__: f
    for f in (
        study, options, drain_killed, mended_too_late, reloads, hung_up, rotates, closed,
        in_daemon, again, fails, plain,
    )
}  # fmt: skip

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
