"""Programs that fork, for test_fork: `python -m tests.roles_fork ROLE ARGUMENT…`.

Each logs to the ring in RINGLOG_RING, and prints, as JSON, how many records each of its
processes has logged: {"pid": [first, behind the last], …}. Records are numbered by the
process that logs them, and say its pid, so that a lane that two share gives itself away.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import logging
import os
import random
import signal
import sys
import threading
import time
from types import CodeType, FrameType
from typing import Any, Callable, Optional

import ringlog
from ringlog import _claim, _handler, _lane, _process

log = logging.getLogger("forks")
counts: dict[int, list[int]] = {}


def note(n: int) -> None:
    """Logs record n of this process."""
    log.info("record %d", n, extra={"n": n, "me": os.getpid()})


def child_logs(count: int = 2) -> None:
    """What a child does that has just been forked: it logs, detaches and ends."""
    try:
        for n in range(count):
            note(n)
        ringlog.detach()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def reap(pid: int, count: int = 2) -> None:
    """Waits for a child that child_logs; its records are due from here on."""
    status = os.waitpid(pid, 0)[1]
    if status:
        sys.exit(f"child {pid} ended with {status:#x}")
    # A pid may come again: the records of both are counted together, and numbered alike.
    counts.setdefault(pid, []).append(count)


class Chatter(threading.Thread):
    """Logs while told to go, and as the same process as others: it counts apart from them."""

    numbers = itertools.count()

    def __init__(self, go: threading.Event, detaches: bool = False) -> None:
        super().__init__(daemon=True)
        self.go, self.detaches, self.ended = go, detaches, False

    def run(self) -> None:
        while not self.ended:
            self.go.wait()
            note(next(self.numbers))
            if self.detaches:
                ringlog.detach()


def mid_call(forks: str, detaches: str = "") -> None:
    """Forks while two threads log or, with detaches, attach and detach all the time."""
    go = threading.Event()
    threads = [Chatter(go, bool(detaches)) for _ in range(2)]
    # Threads are interrupted in the middle of a call, and not where they would let go.
    sys.setswitchinterval(1e-5)
    for thread in threads:
        thread.start()
    for _ in range(int(forks)):
        go.set()
        time.sleep(random.uniform(0, 0.0005))
        pid = os.fork()
        if pid == 0:
            child_logs()
        go.clear()  # the log is to be of a size that can be read afterwards
        reap(pid)
    go.set()
    for thread in threads:
        thread.ended = True
        thread.join()
    counts[os.getpid()] = [next(Chatter.numbers)]


# Forks at each line


_STEPS: dict[str, frozenset[CodeType]] = {
    "append": frozenset(
        f.__code__
        for f in (
            _handler.RingHandler.handle,
            _handler.RingHandler.emit,
            _lane.Lane.append,
            _lane.Lane._find_room,
            _lane.Lane._settle,
            _lane.Lane._write,
            _lane.Lane._wake_reader,
        )
    ),
    "lose": frozenset(f.__code__ for f in (_lane.Lane.lose, _lane.Lane._load_losses)),
    "close": frozenset(
        f.__code__ for f in (_process.leave, _lane.Lane.close, _lane.Lane._end, _lane.fence)
    ),
    "attach": frozenset(
        f.__code__
        for f in (
            _process.find,
            _process.attach,
            _process._claimed,
            _claim.claim,
            _claim._try,
            _claim._take,
        )
    ),
}


def each_line(of: str, stride: str) -> None:
    """Forks once while another thread is held up at each line, or each so many, of a call.

    The child must have nothing of the ring then, before it logs.
    """
    seen: set[tuple[CodeType, int]] = set()
    held, forked = threading.Semaphore(0), threading.Semaphore(0)
    codes, every = _STEPS[of], int(stride)
    ring = os.path.basename(os.environ["RINGLOG_RING"])

    def at_line(frame: FrameType, event: str, _: Any) -> Any:
        line = (frame.f_code, frame.f_lineno)
        if event == "line" and line not in seen:
            seen.add(line)
            if len(seen) % every == 0:
                at[0] = f"{frame.f_code.co_name}:{frame.f_lineno}"
                held.release()
                forked.acquire()
        return at_line

    def at_call(frame: FrameType, event: str, _: Any) -> Any:
        return at_line if frame.f_code in codes else None

    class Bad:
        def __str__(self) -> str:
            raise ValueError("on purpose")

    due, at = [0], [""]

    def calls() -> None:
        if of != "attach":
            note(0)
            due[0] += 1
        sys.settrace(at_call)
        if of == "lose":
            log.info("%s", Bad())
        elif of == "close":
            ringlog.detach()
        else:
            note(due[0])
            due[0] += 1
        sys.settrace(None)
        note(due[0])
        due[0] += 1
        held.release()

    logging.raiseExceptions = False
    thread = threading.Thread(target=calls)
    thread.start()
    forks = 0
    while True:
        held.acquire()
        if not thread.is_alive() or len(seen) // every == forks:
            break
        forks += 1
        pid = os.fork()
        if pid == 0:
            found = holds(ring)
            if found:
                print(f"held up at {at[0]}, the child has {found}", file=sys.stderr)
            sys.stderr.flush()
            child_logs()
        reap(pid)
        forked.release()
    thread.join()
    counts[os.getpid()] = [due[0]]
    print(f"{forks} forks", file=sys.stderr)


# A parent that is killed


def orphan(count: str, how: str) -> None:
    """Logs, forks a child, and is killed by SIGKILL once the child has looked at itself.

    The child prints what it has of the ring, and logs when a line comes in.
    """
    for n in range(int(count)):
        note(n)
    ring = os.path.basename(os.environ["RINGLOG_RING"])
    ready, said = os.pipe()
    pid = os.fork() if how == "os.fork" else ctypes.PyDLL(None).fork()
    if pid:
        os.read(ready, 1)
        os.kill(os.getpid(), signal.SIGKILL)
    if how != "os.fork":
        note(0)  # of such a fork only the first record tells
        ringlog.detach()
    print(json.dumps({"child": os.getpid(), "has": holds(ring)}), flush=True)
    os.write(said, b"!")
    sys.stdin.readline()
    for n in range(int(how != "os.fork"), 5):
        note(n)
    ringlog.detach()
    print("child ends", flush=True)
    os._exit(0)


def holds(ring: str) -> list[str]:
    """The descriptors and mappings of this process that are of the ring."""
    found = [os.readlink(f"/proc/self/fd/{fd}") for fd in _descriptors()]
    with open("/proc/self/maps", encoding="utf-8") as maps:
        found += maps.read().splitlines()
    return [line for line in found if ring in line]


def _descriptors() -> list[str]:
    names = os.listdir("/proc/self/fd")
    return [name for name in names if os.path.lexists(f"/proc/self/fd/{name}")]


# Other ways to fork


def libc_fork(names_pid: str) -> None:
    """Forks behind Python's back."""
    logging.logProcesses = bool(names_pid)  # a record's pid tells of the fork, if it has one
    fork = ctypes.PyDLL(None).fork
    note(0)
    for n in range(1, 6):
        pid = fork()
        if pid == 0:
            if n == 5:
                ringlog.detach()  # also when nothing was logged yet
            child_logs()
        reap(pid)
        note(n)
    counts[os.getpid()] = [6]


def by_hand() -> None:
    """os.fork, ringlog.detach and os._exit, also of a child's child."""
    note(0)
    for n in range(1, 4):
        pid = os.fork()
        if pid == 0:
            note(0)
            grandchild = os.fork()
            if grandchild == 0:
                child_logs()
            status = os.waitpid(grandchild, 0)[1]
            print(json.dumps({grandchild: [2]}), flush=True)
            note(1)
            ringlog.detach()
            os._exit(1 if status else 0)
        reap(pid)
        note(n)
    counts[os.getpid()] = [4]


def by_hand_once() -> None:
    """Logs one record."""
    note(0)
    counts[os.getpid()] = [1]


def in_signal_handler(forks: str, goes_on: str = "") -> None:
    """Forks in a signal handler that interrupts log calls. The child logs and ends or, if it
    goes_on, returns into the call and logs the rest of the records too."""
    left, children, me = [int(forks)], [], os.getpid()
    total = 2000 if goes_on else 10**9
    done = 0

    def fork(_: int, __: Optional[FrameType]) -> None:
        if left[0] <= 0 or os.getpid() != me:
            return
        left[0] -= 1
        pid = os.fork()
        if pid == 0 and not goes_on:
            child_logs()
        if pid and goes_on:
            children.append(pid)
        elif pid:
            reap(pid)
        signal.setitimer(signal.ITIMER_REAL, 0.0007 if pid else 0)

    signal.signal(signal.SIGALRM, fork)
    if not goes_on:
        # A child that logs and ends before its parent has attached would be the last one
        # attached, and the drain would end.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    for n in range(total):
        if n == 1:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        note(n)
        done = n + 1
        if not goes_on and left[0] <= 0:
            break
    if os.getpid() != me:
        ringlog.detach()
        os._exit(0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    for pid in children:
        if os.waitpid(pid, 0)[1]:
            sys.exit(f"child {pid} failed")
    counts[me] = [done]
    print(json.dumps({"children": children}), flush=True)


def pending_lock() -> None:
    """Forks while a thread that attaches is held up for longer than a fork waits for it."""
    really = _process.claim
    inside, go_on = threading.Event(), threading.Event()

    def slow(lane: Any, label: str) -> None:
        inside.set()
        if not go_on.wait(20):
            sys.exit("the fork did not come back")
        really(lane, label)

    _process.claim = slow  # type: ignore[assignment]
    thread = threading.Thread(target=note, args=(0,))
    thread.start()
    inside.wait()
    _process.claim = really
    pid = os.fork()
    if pid == 0:
        child_logs()
    go_on.set()
    reap(pid)
    thread.join()
    counts[os.getpid()] = [1]


ROLES: dict[str, Callable[..., None]] = {
    f.__name__: f
    for f in (
        mid_call, each_line, orphan, libc_fork, by_hand, by_hand_once, in_signal_handler,
        pending_lock,
    )
}  # fmt: skip


def main(role: str, *arguments: str) -> None:
    log.addHandler(ringlog.RingHandler(timeout=20))
    log.setLevel(logging.INFO)
    log.propagate = False
    ROLES[role](*arguments)
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
