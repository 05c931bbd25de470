"""This process's lanes: how it finds its ring, attaches, forks and ends.

A lane is claimed by the first record, so a process that logs nothing has none. It is given
back when the interpreter ends, also where multiprocessing ends it (its children call
os._exit, and run no atexit functions); a process that is killed, or calls os._exit itself
without `detach`, has vanished for the log.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import time
from typing import Any, Optional

from ._errors import RingError

if sys.platform == "linux":
    from ._claim import claim
    from ._lane import Lane
    from ._memory import existing

# Whether there are rings on this system.
supported = sys.platform == "linux" and sys.maxsize > 1 << 32 and sys.byteorder == "little"

RING_VARIABLE = "RINGLOG_RING"
SETUP_VARIABLE = "RINGLOG_SETUP"

# How long after a failed attempt to attach a record tries again, in seconds.
_RETRY_EVERY = 1.0

# Lanes by the ring's path; under None that of the ring in use, for the handlers that name
# no ring. Changed in place, since each record looks here first: what it finds is this
# process's. So the dictionary is empty while the process forks, and what forks put in
# order lies aside meanwhile.
lanes: dict[Optional[str], Lane] = {}
_aside: dict[Optional[str], Lane] = {}

_lock = threading.RLock()  # for attaching; not needed to append, to detach or to look
_failed: dict[str, float] = {}  # rings that could not be attached to: when to try again
_refused: set[str] = set()  # … and of which that was said
_pid = os.getpid()
_forking = False

# The process that is attached until it shuts the logging down: its lane is what the drain waits
# for, when there are no workers for a while. And the ring that is being shut down.
kept_by = 0
ending: Optional[str] = None


def ring_in_use() -> Optional[str]:
    """The path of the ring that this process is to use; None: there is none."""
    return os.environ.get(RING_VARIABLE) or _inherited().get("ring")


def options() -> dict[str, Any]:
    """What the set-up said, in this process or in the one that started it; {}: there was none."""
    text = os.environ.get(SETUP_VARIABLE) or _inherited().get("setup")
    try:
        answer = json.loads(text) if text else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def publish(ring: Optional[str], setup: Optional[dict[str, Any]]) -> None:
    """Tells this process, and those that it will start, which ring to use; None: no more.

    The environment reaches whatever is started. multiprocessing's own configuration also
    reaches the children of a forkserver that was started before.
    """
    said = {"ring": ring, "setup": None if setup is None else json.dumps(setup)}
    for variable, value in ((RING_VARIABLE, ring), (SETUP_VARIABLE, said["setup"])):
        if value is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = value
    config = _configuration()
    if config is not None:
        config["ringlog"] = said


def _configuration() -> Optional[dict[str, Any]]:
    """What multiprocessing hands down from process to process; None: it is not in use."""
    import multiprocessing.process

    config = getattr(multiprocessing.process.current_process(), "_config", None)
    return config if isinstance(config, dict) else None


def _inherited() -> dict[str, Any]:
    if "multiprocessing.process" not in sys.modules:
        return {}
    config = _configuration() or {}
    said = config.get("ringlog")
    return said if isinstance(said, dict) else {}


def attach(path: Optional[str] = None, label: Optional[str] = None) -> Lane:
    """This process's lane of the ring at path, or of the ring in use; claims it if need be.

    label names the process in the log. Raises RingError.
    """
    if not supported:
        raise RingError(f"rings need 64-bit Linux; this is {sys.platform}")
    if _pid != os.getpid():
        _in_child()  # of a fork that Python was not told of
    with _lock:
        lane = _known(path)
        if lane is not None:
            return lane
        named = path or ring_in_use()
        if not named:
            raise RingError(
                f"no ring: call ringlog.setup_multiprocessing_logging(), or set {RING_VARIABLE}"
            )
        named = os.path.abspath(named)
        lane = _known(named)
        if lane is None:
            if named == ending:
                raise RingError(f"{named} is being shut down")
            lane = _only(named, _claimed(named, label or _label()))
        lanes[path] = lane
        if lane.pid == os.getpid():
            _end_with_multiprocessing()
            return lane
    # A signal's handler has forked this process just now: what was found is the parent's.
    forget_parents()
    return attach(path, label)


def forget_parents() -> None:
    """Takes lanes of the process that has forked this one out of sight."""
    for key, lane in list(lanes.items()):
        if lane.pid != os.getpid():
            lanes.pop(key, None)


def _only(path: str, claimed: Lane) -> Lane:
    """The process's one lane of a ring: what was claimed, or what a signal's handler that logged
    meanwhile has claimed."""
    while True:
        lane = lanes.setdefault(path, claimed)  # in one step
        if lane is claimed:
            return lane
        if not lane.closed and lane.pid == os.getpid():
            claimed.close()
            return lane
        lanes.pop(path, None)


def _known(path: Optional[str]) -> Optional[Lane]:
    """This process's lane of a ring, if it has one and it is not closed."""
    lane = lanes.get(path) or _aside.get(path)
    return None if lane is None or lane.closed or lane.pid != os.getpid() else lane


def _claimed(path: str, label: str) -> Lane:
    """A lane of the ring at path, claimed just now."""
    while True:
        began, lane = os.getpid(), None
        try:
            lane = Lane(path)
            claim(lane, label)
        except BaseException as err:
            if lane is not None:
                lane.abandon()
            # A signal's handler has forked this process in the middle of it: the lane, if
            # it became one, is the parent's.
            if began == os.getpid() or not isinstance(err, Exception):
                raise
        else:
            return lane


def find(path: Optional[str], label: Optional[str]) -> Optional[Lane]:
    """As attach, for a record: None if there is no ring, or none that can be attached to.

    What is wrong is said once on standard error; a record tries again every second.
    """
    named = path or ring_in_use()
    if not named or not supported or time.monotonic() < _failed.get(named, 0.0):
        return None
    try:
        lane = attach(path, label)
    except (RingError, OSError) as err:
        _failed[named] = time.monotonic() + _RETRY_EVERY
        if named not in _refused:
            _refused.add(named)
            complain(f"records go elsewhere for now: {err}")
        return None
    _failed.pop(named, None)
    _refused.discard(named)
    return lane


def detach() -> None:
    """Ends this process's part in its rings: what it logged is the reader's now.

    Called by itself when the interpreter ends. A process that ends by os._exit, such as one
    that os.fork has made, calls it before, or the log says that it vanished. A record that
    comes later attaches again. In the process that set the logging up it does nothing: there,
    shutdown_multiprocessing_logging does it.
    """
    if supported and kept_by != os.getpid():
        leave()


def leave() -> None:
    """As detach, also in the process that set the logging up."""
    if _pid != os.getpid():
        _in_child()
    for memory in existing():
        if isinstance(memory, Lane):
            memory.close()
    # Only then out of sight, so that whatever interrupts this, nothing is forgotten.
    for known in (lanes, _aside):
        for key in list(known):
            lane = known.pop(key, None)
            if lane is not None:
                lane.close()  # if another thread has just attached


def complain(message: str) -> None:
    """Says something on standard error, below all buffers and locks of Python."""
    if sys.__stderr__ is None:
        return  # it was closed from the beginning: what has its number now is something else
    try:
        os.write(2, f"ringlog: {message}\n".encode("utf-8", "replace"))
    except OSError:
        pass


def is_child() -> bool:
    """Whether multiprocessing has started this process."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and module.parent_process() is not None


def _label() -> str:
    if is_child():
        import multiprocessing.process

        return multiprocessing.process.current_process().name
    return os.path.basename(sys.argv[0] if sys.argv and sys.argv[0] else "") or "python"


# Forks and ends


def _before_fork() -> None:
    # A thread that is just attaching would hand the child a description that the thread
    # locks only afterwards. Bounded: somebody may hold what that thread waits for.
    global _forking
    _lock.acquire(timeout=1.0)
    _forking = True
    for key, lane in list(lanes.items()):
        _aside[key] = lane
        lanes.pop(key, None)


def _in_parent() -> None:
    global _forking
    _forking = False
    lanes.update(_aside)
    _aside.clear()
    if _lock._is_owned():  # type: ignore[attr-defined]
        _lock.release()


def _after_in_child() -> None:
    if _forking:  # else somebody's earlier hook has logged: what there is now is the child's
        _in_child()


def _in_child() -> None:
    global _forking, _lock, _pid
    _forking = False
    _lock, _pid = threading.RLock(), os.getpid()
    if supported:
        for memory in existing():
            memory.abandon()
    lanes.clear()
    _aside.clear()
    _failed.clear()


_registered = 0  # the process that has done this


def _end_with_multiprocessing() -> None:
    """Has multiprocessing, if it has started this process, detach it at its end."""
    global _registered
    util = sys.modules.get("multiprocessing.util")
    if util is None or _registered == os.getpid():
        return
    _registered = os.getpid()
    if is_child():
        util.Finalize(None, detach, exitpriority=-100)
    # A child that logged before multiprocessing began to set it up: what is registered
    # so early is forgotten by it.
    util.register_after_fork(_Bootstrap, _Bootstrap.begins)


class _Bootstrap:
    @staticmethod
    def begins(_: object) -> None:
        util = sys.modules["multiprocessing.util"]
        util.Finalize(None, detach, exitpriority=-100)


atexit.register(detach)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_in_parent, after_in_child=_after_in_child
    )
