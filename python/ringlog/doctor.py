"""Says why no logs appear, and how to mend it: `python -m ringlog doctor`.

Inside a program, `ringlog.doctor.report()` looks at the program's loggers too.
"""

from __future__ import annotations

import glob
import os
import platform
import shlex
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Iterator, NamedTuple, Optional

from . import _drain, _options, _process
from ._doctor_loggers import level_command, loggers
from ._errors import RingError

if TYPE_CHECKING:
    from ._status import Status

# A reader that runs gives a sign of life many times a second, also when it waits for a disk.
_SILENT_SECONDS = 5.0
_SMALL_MEMORY = 64 << 20  # what a container's /dev/shm has unless told otherwise


class Finding(NamedTuple):
    ok: bool
    what: str
    mend: str = ""  # what to do; empty where there is nothing to do

    def __str__(self) -> str:
        return f"{'ok' if self.ok else 'problem':<8} {self.what}{self.mend and '; ' + self.mend}"


def report(ring: Optional[str] = None) -> list[Finding]:
    """What is well and what is not, in the order in which to look at it.

    ring: path of the ring to look at; None: the one that this process uses. Nothing is
    changed, and nothing is raised for what is wrong.
    """
    return [*_outside(ring), *(Finding(*finding) for finding in loggers())]


def _outside(ring: Optional[str]) -> list[Finding]:
    """What is not of this process's loggers."""
    return [_system(), _binary(), *_ring(ring), *_files()]


def _system() -> Finding:
    here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if _process.supported:
        return Finding(True, here)
    return Finding(
        False,
        f"{here}: rings need 64-bit Linux",
        "here each process writes the log files by itself",
    )


def _binary() -> Finding:
    binary = _drain.find_binary()
    if binary is None:
        return Finding(
            False,
            "the ringlog binary is not found",
            "install the wheel that has it (make wheel), or put ringlog on PATH",
        )
    try:
        done = subprocess.run(
            [binary, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError) as err:
        return Finding(False, f"{binary} does not run: {err}", "install one for this machine")
    if done.returncode != 0 or not done.stdout.startswith("ringlog "):
        return Finding(False, f"{binary} is not ringlog's", "put ringlog before it on PATH")
    return Finding(True, f"{binary}, {done.stdout.strip()}")


def _ring(given: Optional[str]) -> Iterator[Finding]:
    if not _process.supported:
        return
    path = given or _process.ring_in_use()
    if not path:
        yield Finding(False, f"no ring: {_process.RING_VARIABLE} is not set", _which())
        return
    from . import _status  # not on systems without rings

    source = "" if given else f", as {_process.RING_VARIABLE} or the set-up says"
    try:
        status = _status.read(path)
    except (RingError, OSError) as err:
        yield Finding(False, str(err), f"looked for{source}" if source else "")
        return
    yield Finding(True, f"ring {path}{source}")
    yield from _reader(status)
    yield from _lanes(status)
    yield from _room(status)
    yield from _rules(path)


def _which() -> str:
    """What to do without a ring: the ones that lie here may be meant."""
    advice = (
        "call ringlog.setup_multiprocessing_logging() in the main process, or run the program "
        "by `ringlog run`"
    )
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else tempfile.gettempdir()
    rings = sorted(glob.glob(os.path.join(shared, f"ringlog-{os.getuid()}", "*.ring")))
    if rings:
        advice += f"; or look at one of these with --ring: {', '.join(rings[:5])}"
        if len(rings) > 5:
            advice += f" and {len(rings) - 5} more"
    return advice


def _reader(status: Status) -> Iterator[Finding]:
    reader, now = status.reader, time.time()
    silent = now - reader.heartbeat / 1e9
    if not reader.running:
        past = f"; the last was pid {reader.pid}, {_ago(silent)}" if reader.pid else ""
        yield Finding(
            False,
            f"nobody drains the ring{past}",
            _drain_command(status.path),
        )
    elif silent > _SILENT_SECONDS:
        yield Finding(
            False,
            f"the reader (pid {reader.pid}) gave its last sign of life {_ago(silent)}",
            f"it is stopped, or its disk hangs: kill -CONT {reader.pid}, or look at the disk",
        )
    else:
        yield Finding(True, f"a reader runs (pid {reader.pid})")
    if reader.errors:
        since = now - reader.error_time / 1e9
        what = f"the reader's last error, {_ago(since)}, of {reader.errors}: {reader.error}"
        current = not reader.running or since < 2 * _SILENT_SECONDS
        yield Finding(not current, what, "mend that; records wait in the ring" if current else "")


def _drain_command(path: str) -> str:
    """What drains the ring: for that of the set-up what its own drain is run with."""
    options, used = _process.options(), _process.ring_in_use()
    if options and used and os.path.abspath(used) == os.path.abspath(path):
        try:
            options = {**_options.DEFAULTS, **options}
            return _drain.command(path, options, "--until-detached", "--remove")
        except (AttributeError, KeyError, TypeError):
            pass  # somebody else has set the variable, to something else
    return shlex.join(["ringlog", "drain", "--ring", path, "--out", "logs/app.log"])


def _ago(seconds: float) -> str:
    return f"{max(0.0, seconds):.0f} s ago"


def _lanes(status: Status) -> Iterator[Finding]:
    total, free = len(status.lanes), sum(lane.free for lane in status.lanes)
    attached = status.attached()
    what = (
        f"{len(attached)} of {total} lanes {'has' if len(attached) == 1 else 'have'} a worker, "
        f"{free} {_are(free)} free"
    )
    undrained = sum(lane.undrained for lane in status.lanes)
    if undrained:
        workers = "a worker that is" if undrained == 1 else "workers that are"
        what += f", {undrained} {_are(undrained)} undrained, of {workers} gone"
    if free == 0:
        yield Finding(
            False,
            f"{what}: no other process can log",
            "make the ring for more processes (processes=, --lanes), or see that it is drained",
        )
    else:
        yield Finding(True, what)
    full = [x for x in status.lanes if x.backlog > status.lane_size // 8 * 6 and not x.damaged]
    for lane in full:
        yield Finding(
            False,
            f"the lane of {lane.label or 'a worker'} (pid {lane.pid}) is full: "
            f"{lane.backlog >> 10} of {status.lane_size >> 10} KiB",
            "the reader is behind: see above, or give larger lanes (buffer_size=, --lane-size)",
        )
    lost, unseen = sum(x.lost for x in status.lanes), sum(x.unseen for x in status.lanes)
    if lost:
        records = "record was" if lost == 1 else "records were"
        shown = f", {unseen} of which no log shows yet" if unseen else ""
        yield Finding(
            False,
            f"{lost} {records} lost since the ring was made{shown}",
            "`ringlog stat` says why; larger lanes (buffer_size=, --lane-size), a faster disk",
        )
    damaged = sum(lane.damaged for lane in status.lanes)
    if damaged:
        lanes = "lane is" if damaged == 1 else "lanes are"
        yield Finding(False, f"{damaged} {lanes} damaged and out of use", "make a new ring")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _room(status: Status) -> Iterator[Finding]:
    try:
        space = os.statvfs(os.path.dirname(os.path.abspath(status.path)))
    except OSError:
        return
    where = os.path.dirname(os.path.abspath(status.path))
    free, size = space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize
    what = f"{where} has {free >> 20} MiB free; a lane takes {status.lane_size >> 10} KiB"
    small = f", {size >> 20} MiB in all" if 0 < size <= _SMALL_MEMORY else ""
    if size and free < status.lane_size:
        yield Finding(
            False,
            what + small,
            "give it more room (docker run --shm-size), remove rings that `ringlog ls` calls "
            "left over, or make smaller lanes",
        )
    else:
        yield Finding(True, what + small)


def _rules(path: str) -> Iterator[Finding]:
    from ._file import RingFile
    from ._levels import Rules

    try:
        ring = RingFile(path)
        try:
            head = ring.header
            with ring.map(0, head.lanes_offset) as memory, memoryview(memory) as base:
                with base.cast("Q") as words:
                    rules = Rules(words, head.control_offset)
                    by_prefix = dict(rules.by_prefix)
                    del rules
        finally:
            ring.close()
    except (RingError, OSError, ValueError) as err:
        yield Finding(False, f"the rules for levels cannot be read: {err}")
        return
    for prefix, stored in sorted(by_prefix.items()):
        whom = f"the logger {prefix} and those below it" if prefix else "all loggers"
        what = f"a rule of the ring has {whom} log from level {_level(stored)} on"
        mend = level_command(path, f"{prefix}=") if stored > 0 else ""
        yield Finding(stored <= 0, what, mend)


def _level(stored: int) -> str:
    names = {-20: "DEBUG", 0: "INFO", 20: "WARNING", 40: "ERROR", 60: "CRITICAL"}
    return names.get(stored, f"{stored / 2 + 20:g}")


def _files() -> Iterator[Finding]:
    options = {**_options.DEFAULTS, "dir": None, **_process.options()}
    try:
        config = options["config"]
        if config is not None:
            yield _configuration(str(config["path"]), str(config["cwd"]))
            if _options.configured(options) and _process.ring_in_use():
                return
    except (KeyError, TypeError):
        pass  # somebody else has set the variable, to something else
    if isinstance(options["dir"], str):
        yield _folder(options["dir"])


def _configuration(path: str, cwd: str) -> Finding:
    binary = _drain.find_binary() if _process.supported else None
    if binary is None:
        return Finding(False, f"nothing of {path} holds, which only the drain reads")
    try:
        _drain.run(binary, "config", "check", path, cwd=cwd)
    except RingError as err:
        mend = "mend it; a drain that runs has what it said before, and reads it again at SIGHUP"
        return Finding(False, str(err).replace("\n", "; "), mend)
    return Finding(True, f"log files are as {path} says")


def _folder(folder: str) -> Finding:
    above = folder
    while not os.path.exists(above) and os.path.dirname(above) != above:
        above = os.path.dirname(above)
    if os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK):
        return Finding(True, f"log files go to {folder}")
    return Finding(
        False,
        f"log files are to go to {folder}, and {above} cannot be written",
        "give another log_dir, or rights to that one",
    )


def main(ring: Optional[str]) -> int:
    """Prints the report of the command line, which has no loggers; returns the exit code."""
    found = _outside(ring)
    for finding in found:
        print(finding)
    if all(finding.ok for finding in found):
        print(
            "Nothing is wrong here. If no logs appear, print ringlog.doctor.report() in the "
            "program: it looks at its loggers"
        )
        return 0
    return 1
