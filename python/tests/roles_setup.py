"""Programs that set logging up, for test_setup: `python -m tests.roles_setup ROLE DIR …`.

They are what users write: loggers of modules, made at import time, in whatever process;
set-up in the main one. They print the ring's path, and what a test has to wait for.
"""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Callable

if sys.argv[1:2] == ["at_exit"]:  # one that is registered before ringlog is known
    atexit.register(lambda: log.info("registered before the import"))
    if "util" in sys.argv:  # multiprocessing's own exit function too, so it comes late
        import multiprocessing.util

import ringlog
from ringlog import _drain, _setup, _status

log = ringlog.setup_logger("study.module", use_multiprocessing=True)
plain = ringlog.setup_logger("study.plain")
trades = ringlog.setup_logger("trades.fills", use_multiprocessing=True)


def say(text: object) -> None:
    os.write(1, f"{text}\n".encode())


def set_up(directory: str, **options: Any) -> str:
    ring = ringlog.setup_multiprocessing_logging(directory, format="json", **options)
    say(ring)
    return ring


def work(worker: str, count: int = 10) -> None:
    for n in range(count):
        log.info("%s %d", worker, n)
    plain.info("%s plain", worker)
    trades.info("%s trade", worker)


def start(method: str, target: Callable[..., None], *arguments: object) -> Any:
    context: Any = multiprocessing.get_context(method)
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def join(*processes: Any) -> None:
    for process in processes:
        process.join()
        if process.exitcode:
            sys.exit(f"{process.name} ended with {process.exitcode}")


def study(directory: str, method: str) -> None:
    """Logs before set-up, in workers, in the main process, and after shutdown."""
    log.info("before")
    if method == "forkserver":
        join(start(method, int))  # the server is there before there is a ring
    set_up(directory)
    work("main")
    join(*[start(method, work, f"w{i}") for i in range(3)])
    ringlog.shutdown_multiprocessing_logging()
    log.info("after")


def adopt(directory: str) -> None:
    """Sets up where RINGLOG_RING names a ring that nobody drains."""
    set_up(directory)
    log.info("in a ring")


def detached(directory: str) -> None:
    """Detaches in the main process, and goes on."""
    set_up(directory)
    log.info("one")
    ringlog.detach()
    log.info("two")
    if os.fork() == 0:
        log.info("of a child")
        sys.exit()
    os.wait()
    log.info("three")


def shutdown_with_a_thread(directory: str) -> None:
    """Shuts down while a thread logs by a handler that names the ring."""
    ring = set_up(directory)
    handler = ringlog.RingHandler(ring=ring, fallback=logging.NullHandler())
    named = logging.getLogger("named")
    named.setLevel(logging.INFO)
    named.propagate = False
    named.addHandler(handler)
    ended: list[int] = []

    def talk() -> None:
        while not ended:
            named.info("talk")

    thread = threading.Thread(target=talk)
    thread.start()
    ringlog.shutdown_multiprocessing_logging()
    say("shut down")
    ended.append(1)
    thread.join()


def rules(directory: str) -> None:
    """Levels by hand and by rules."""
    ring = set_up(directory)
    binary = _drain.find_binary()
    assert binary is not None
    log.setLevel(logging.DEBUG)  # by hand
    _drain.run(binary, "level", "--ring", ring, "trades=debug")
    log.info("the rules change")
    log.debug("by hand")
    trades.debug("by a rule")
    ringlog.setup_logger("trades.fills", use_multiprocessing=True)
    trades.debug("by a rule, set up again")
    _drain.run(binary, "level", "--ring", ring, "trades=")
    log.info("the rules change again")
    trades.debug("not any more")


def default(directory: str) -> None:
    """As the documents show it: no arguments, files in logs, lines of text."""
    log.info("before")
    ringlog.setup_multiprocessing_logging()
    trades.info("bought %d", 7)
    join(start("fork", work, "w0", 2))
    ringlog.shutdown_multiprocessing_logging()
    log.info("after")


def braces(directory: str) -> None:
    """Files whose names look as if they had fields."""
    files = {"{trial}.log": "", "}a{{b}}.log": "trades"}
    set_up(f"{directory}/{{study}}", files=files)
    with ringlog.trial("wf", 1):
        trades.info("bought")


def again(directory: str) -> None:
    """Called again, with other arguments, in children, and after shutdown."""
    ring = set_up(directory)
    assert ringlog.setup_multiprocessing_logging(directory, format="json") == ring
    print("no warning so far", file=sys.stderr, flush=True)
    assert ringlog.setup_multiprocessing_logging(directory, format="text") == ring
    for method in ("fork", "spawn", "forkserver"):
        join(start(method, in_child, directory, ring))
    command = [sys.executable, "-m", "tests.roles_setup", "in_child", directory, ring]
    subprocess.run(command, check=True)
    log.info("once more")
    ringlog.shutdown_multiprocessing_logging()
    ringlog.shutdown_multiprocessing_logging()
    assert set_up(directory) != ring
    log.info("second ring")


def in_child(directory: str, ring: str) -> None:
    log.info("child")
    assert ringlog.setup_multiprocessing_logging("elsewhere") == ring
    ringlog.shutdown_multiprocessing_logging()
    log.info("child")  # claims a lane anew


def at_exit(directory: str, _: str) -> None:
    """Ends without shutdown; exit functions log."""
    atexit.register(lambda: log.info("registered before set-up"))
    set_up(directory)
    atexit.register(lambda: log.info("registered after set-up"))
    start("fork", slow, "0.3", "child")  # joined by multiprocessing at the end
    log.info("end of main")


def slow(seconds: str, text: str) -> None:
    time.sleep(float(seconds))
    log.info(text)


def raises(directory: str) -> None:
    set_up(directory)
    log.info("about to fail")
    raise RuntimeError("on purpose")


def until_told(directory: str, method: str) -> None:
    """Workers that log until the file DIR/stop is there; the main process only waits."""
    set_up(directory)
    log.info("main")
    workers = [start(method, endless, directory, f"w{i}") for i in range(2)]
    for worker in workers:
        while not os.path.exists(f"{directory}/{worker.name}"):
            time.sleep(0.005)
    say("workers log")
    for worker in workers:
        worker.join()


def endless(directory: str, worker: str) -> None:
    n = 0
    notes = f"{directory}/{multiprocessing.current_process().name}"
    while not os.path.exists(f"{directory}/stop"):
        log.info("%s %d", worker, n)
        n += 1
        with open(notes, "w", encoding="ascii") as f:
            f.write(f"{worker} {n}")
        time.sleep(0.001)


def interrupted(directory: str) -> None:
    """Waits for Ctrl-C, and logs while it cleans up."""
    set_up(directory)
    worker = start("fork", cleans_up, "w0")
    try:
        cleans_up("main")
    except KeyboardInterrupt:
        worker.join()
        raise


def cleans_up(who: str) -> None:
    try:
        log.info("%s begins", who)
        say(f"{who} waits")
        time.sleep(60)
    finally:
        time.sleep(0.1)  # for a drain that did not survive the signal
        log.info("%s cleans up", who)


def kill_drain() -> None:
    """Ends the drain as nobody should, and waits until it is gone."""
    main = _setup._main
    assert main is not None and main.drain is not None and main.drain._process is not None
    main.restarted = 0.0  # whatever was restarted just now
    os.kill(main.drain.pid, signal.SIGKILL)
    os.waitid(os.P_PID, main.drain.pid, os.WEXITED | os.WNOWAIT)


def drain_killed(directory: str) -> None:
    """The drain is killed again and again; each time something else has it started anew."""
    set_up(directory, buffer_size=64 << 10, timeout=20.0)
    work("main", 100)
    kill_drain()
    join(start("fork", work, "w0", 100))
    kill_drain()
    log.info("between")
    ringlog.get_multiprocessing_logger("study.other")
    log.info("between")
    kill_drain()
    work("full", 3000)  # more than the lane has room for
    kill_drain()
    log.info("last")
    ringlog.shutdown_multiprocessing_logging()


def main_waits(directory: str) -> None:
    """The drain is killed while the main process waits for a child, which fills its lane."""
    set_up(directory, buffer_size=64 << 10, timeout=20.0)
    join(start("spawn", kill_and_work, "w0", 3000))


def kill_and_work(worker: str, count: int) -> None:
    log.info("before")
    ring = os.environ["RINGLOG_RING"]
    os.kill(_status.read(ring).reader.pid, signal.SIGKILL)
    while _status.reader_running(ring):
        time.sleep(0.001)
    work(worker, count)


def still_logging(directory: str, timeout: str) -> None:
    """Shuts down while a child logs on."""
    ring = set_up(directory)
    worker = start("fork", endless, directory, "w0")
    while not os.path.exists(f"{directory}/{worker.name}"):
        time.sleep(0.005)
    ringlog.shutdown_multiprocessing_logging(float(timeout))
    say(f"shut down, ring {'is there' if os.path.exists(ring) else 'is gone'}")
    worker.join()


def closed(directory: str) -> None:
    """A daemon without standard streams."""
    for fd in range(3):
        os.close(fd)
    command = [sys.executable, "-m", "tests.roles_setup", "in_daemon", directory]
    os.execv(sys.executable, command)


def in_daemon(directory: str) -> None:
    assert sys.stdout is None
    ringlog.setup_multiprocessing_logging(directory, format="json")
    work("main")
    join(*[start(method, work, method) for method in ("fork", "spawn")])


def small(directory: str, ring: str, buffer_size: str) -> None:
    set_up(directory, ring=ring, processes=8, buffer_size=int(buffer_size) or None)
    work("main")
    join(*[start("fork", work, f"w{i}") for i in range(2)])


def fails(directory: str, ring: str = "") -> None:
    """Set-up that cannot succeed: prints the error, and logs into the plain files."""
    try:
        set_up(directory, ring=ring or None)
    except (ringlog.RingError, OSError) as err:
        print(f"{type(err).__name__}: {err}")
    log.info("all the same")


def levels(directory: str) -> None:
    set_up(directory, level=logging.DEBUG)
    log.debug("main, below its own level")
    join(start("spawn", debugs))


def debugs() -> None:
    log.debug("child, below its own level")


def wrong(directory: str) -> None:
    """Calls with arguments that make no sense: none may leave anything behind."""
    calls: list[dict[str, Any]] = [
        {"files": {}}, {"files": {"": "a"}}, {"files": {"a/": ""}}, {"files": {1: ""}},
        {"format": "xml"}, {"max_bytes": -1}, {"backup_count": -1}, {"buffer_size": 0},
        {"buffer_size": 1 << 40}, {"processes": 0}, {"processes": 5000}, {"when_full": "wait"},
        {"timeout": -1.0}, {"timeout": float("nan")}, {"config": ""},
    ]  # fmt: skip
    for options in calls:
        try:
            ringlog.setup_multiprocessing_logging(directory, **options)
        except ValueError as err:
            print(f"{options}: {err}")
        else:
            sys.exit(f"{options} were accepted")


ROLES: dict[str, Callable[..., None]] = {
    f.__name__: f
    for f in (
        study, default, again, in_child, at_exit, raises, until_told, interrupted, drain_killed,
        main_waits, adopt, braces, detached, shutdown_with_a_thread, rules,
        still_logging, closed, in_daemon, small, fails, levels, wrong,
    )
}  # fmt: skip

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
