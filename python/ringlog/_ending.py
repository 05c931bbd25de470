"""How the main process goes on with a drain that ended too early, and waits for the end of
one.
"""

from __future__ import annotations

import contextlib
import sys
import time

from . import _drain, _process
from ._drain import say
from ._errors import RetiredError, RingError

_SAY_WAITING = 0.5
_WRITTEN = "the last records are written"
_KEPT = "rotated files are compressed and hooks have run"


def restart(drain: _drain.Drain) -> bool:
    """Starts a drain again that ended before its ring was done with. Whether there is one now, or
    no need of one: another process may have been faster."""
    try:
        _start(drain)
    except (RingError, OSError) as err:
        if drain.removed() or drain.running():
            return True
        drain.say_undrained(err)
        return False
    say(f"ringlog: the drain of {drain.ring} had ended; started again")
    return True


def _start(drain: _drain.Drain) -> None:
    """Starts a drain of which this process is to be the first one attached. Raises RingError,
    and OSError."""
    _process.ending = None
    try:
        _process.attach(drain.ring)
    except (RingError, OSError) as err:
        # A killed drain may have left all lanes undrained, or the mark of a ring that is being
        # removed, which the next one takes away.
        if not isinstance(err, RetiredError) and not _in_use(drain.ring):
            raise
    else:
        drain.start()
        return
    # It has somebody to wait for, or records. But the records may have been in the files
    # already, and who was there may have left meanwhile: then there is a lane now.
    drain.start()
    with contextlib.suppress(RingError, OSError):  # it may be done with the ring
        _process.attach(drain.ring)


def _in_use(ring: str) -> bool:
    """Whether a drain finds something in the ring, after which it ends. Raises RingError, and
    OSError."""
    from . import _status

    return any(lane.alive or lane.undrained for lane in _status.read(ring).lanes)


def await_end(drain: _drain.Drain, deadline: float) -> None:
    """Waits until all is in the log files; at deadline, of time.monotonic, it says who goes on."""
    quiet_until = time.monotonic() + _SAY_WAITING
    while not drain.removed():
        now = time.monotonic()
        if drain.wait(min(0.05, max(0.0, deadline - now))):
            if drain.removed() or not _again(drain):
                return
        elif now >= deadline or _only_forkserver(drain):
            leave(drain)
            return
        elif now >= quiet_until:
            quiet_until = float("inf")
            whom = _whom(drain) or f"the drain (pid {drain.pid}): until {_WRITTEN}"
            say(f"ringlog: waiting up to {deadline - now:.0f} s for {whom}")
    # It has only to close its files; but with config it may have to do more for rotated ones.
    if drain.wait(1.0):
        return
    left = deadline - time.monotonic()
    if left > 0:
        say(f"ringlog: waiting up to {left:.0f} s for the drain (pid {drain.pid}): until {_KEPT}")
        if drain.wait(left):
            return
    say(f"ringlog: the drain (pid {drain.pid}) goes on until {_KEPT}")
    drain.leave()


def _only_forkserver(drain: _drain.Drain) -> bool:
    """Whether the drain waits for multiprocessing's fork server alone, which has logged when it
    imported modules, and ends after this process."""
    server = getattr(sys.modules.get("multiprocessing.forkserver"), "_forkserver", None)
    pid = getattr(server, "_forkserver_pid", None)
    if pid is None:
        return False
    from . import _status

    try:
        lanes = _status.read(drain.ring).lanes
    except (RingError, OSError):
        return False
    alive = {lane.pid for lane in lanes if lane.alive}
    return alive == {pid} and not any(lane.backlog for lane in lanes)


def _again(drain: _drain.Drain) -> bool:
    """After its drain ended and the ring stays: whether there is another to wait for."""
    if drain.failed():
        return False
    again = restart(drain)
    _process.ending = drain.ring
    _process.leave()
    return again


def leave(drain: _drain.Drain) -> None:
    """Lets the drain go on by itself, and says until when."""
    whom = _whom(drain)
    until = f"the last process that logs is gone: {whom}" if whom else _WRITTEN
    say(f"ringlog: the drain (pid {drain.pid}) goes on until {until}")
    drain.leave()


def _whom(drain: _drain.Drain) -> str:
    """The processes that the drain waits for, in a few words; empty: there are none."""
    from . import _status

    try:
        workers = _status.read(drain.ring).attached()
    except (RingError, OSError):
        return ""
    names = [f"{w.label or 'a process'} (pid {w.pid})" for w in workers[:3]]
    if len(workers) > 3:
        names.append(f"{len(workers) - 3} more")
    return ", ".join(names)
