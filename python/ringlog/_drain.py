"""The process beside the program that drains its ring: finds the binary, makes the ring,
starts the drain, watches it and waits for its end.

The drain has a session of its own, so that Ctrl-C in a terminal does not reach it, and it
ends by itself when no process is attached any more (`ringlog drain --until-detached`):
whatever becomes of the process that started it, it drains what the others log.
"""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from typing import Any, Optional

from ._errors import RingError

# How long a drain may take until it has its outputs open. It may have a large batch of a
# predecessor to settle, from a slow disk.
_START_SECONDS = 60.0


def find_binary() -> Optional[str]:
    """The ringlog binary: that of the wheel, of the virtual environment, or on PATH."""
    beside = os.path.dirname(os.path.abspath(sys.executable)) if sys.executable else None
    for folder in (os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin"), beside, None):
        found = shutil.which("ringlog", path=folder)
        if found and _is_program(found):
            return os.path.abspath(found)
    return None


def _is_program(path: str) -> bool:
    """Whether path is no script: one of that name may lead back to this package."""
    try:
        with open(path, "rb") as f:
            return f.read(2) != b"#!"
    except OSError:
        return False


def run(binary: str, *args: str, cwd: Optional[str] = None) -> str:
    """What a short ringlog command prints. Raises RingError with what it says if it fails."""
    try:
        done = subprocess.run(
            [binary, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=_START_SECONDS,
            cwd=cwd,
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise RingError(f"running {binary} {args[0]}: {err}") from err
    if done.returncode != 0:
        said = done.stderr.strip()
        prefix = "ringlog: "
        if said.startswith(prefix):
            said = said[len(prefix) :]
        raise RingError(said or f"{binary} {args[0]} ended with {done.returncode}")
    if done.stderr:
        say(done.stderr.strip())
    return done.stdout


def say(text: str) -> None:
    """Writes lines to standard error, where there is one."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        pass  # None under pythonw, closed, or a pipe that nobody reads


def create_ring(binary: str, path: Optional[str], lanes: int, lane_size: Optional[int]) -> str:
    """Makes a ring, at path or in memory, and returns its path."""
    args = ["create", "--lanes", str(lanes)]
    if lane_size is not None:
        args += ["--lane-size", str(lane_size)]
    if path is None:
        args += ["--name", _program()]
    else:
        args.append(os.path.abspath(path))
    return run(binary, *args).rstrip("\n")


def _program() -> str:
    """What the ring's file is named after."""
    name = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0]
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip("-.")[:40] or "python"


def outputs(options: dict[str, Any]) -> list[str]:
    """The flags of a drain into the files of these options of a set-up."""
    flags = {
        "format": ["--format", options["format"]],
        "max_bytes": ["--max-size", str(options["max_bytes"])],
        "backup_count": ["--keep", str(options["backup_count"])],
        "files": _outs(options["dir"], options["files"]),
    }
    config = options["config"]
    if config is None:
        return [flag for group in flags.values() for flag in group]
    given = [flag for option in config["given"] for flag in flags[option]]
    return ["--config", config["path"], *given]


def _outs(folder: str, files: dict[str, str]) -> list[str]:
    args = []
    for name, logger in files.items():
        # A brace would be the begin of a field.
        path = os.path.join(folder, name).replace("{", "{{").replace("}", "}}")
        # Quoted as Go reads it; JSON's escapes are among Go's.
        selector = json.dumps(logger, ensure_ascii=False) + "=" if logger else ""
        args += ["--out", selector + path]
    return args


def command(ring: str, options: dict[str, Any], *flags: str) -> str:
    """What to type into a shell to have a ring drained into the files of these options."""
    drain = shlex.join(["ringlog", "drain", *flags, "--ring", ring, *outputs(options)])
    config = options["config"]
    return drain if config is None else f"cd {shlex.quote(config['cwd'])} && {drain}"


class Drain:
    """The drain of one ring, into the files of these options of a set-up. For the process that
    made it, and one thread of that at a time."""

    def __init__(self, binary: str, ring: str, options: dict[str, Any]) -> None:
        self.ring = ring
        self._command = [binary, "drain", "--until-detached", "--remove", "--quiet"]
        self._command += ["--ring", ring, *outputs(options)]
        self._options = options
        self._process: Optional[subprocess.Popen[bytes]] = None

    @property
    def pid(self) -> int:
        """Its process, or that of the drain which somebody else has started; 0: unknown."""
        if self._process is not None and self._process.returncode is None:
            return self._process.pid
        from . import _status  # not on systems without rings

        try:
            return _status.read(self.ring).reader.pid
        except (RingError, OSError):
            return 0

    def start(self) -> None:
        """Starts it, and returns when it has its outputs open. Raises RingError.

        The caller is attached to the ring: a drain that finds neither records nor anybody
        attached would wait for the first one, for ever if the caller were killed now.
        """
        import fcntl  # which Windows has not, where this module must import too

        config = self._options["config"]
        read, write = os.pipe()
        try:
            if write <= 2:  # the program has closed its standard streams
                low, write = write, fcntl.fcntl(write, fcntl.F_DUPFD_CLOEXEC, 3)
                os.close(low)
            try:
                self._process = subprocess.Popen(
                    [*self._command, "--ready-fd", str(write)],
                    stdin=subprocess.DEVNULL,
                    stdout=_shared(1) if config else subprocess.DEVNULL,
                    stderr=_shared(2),
                    # Without relative paths "/": it may outlive whatever is mounted here.
                    cwd=config["cwd"] if config else "/",
                    start_new_session=True,
                    pass_fds=(write,),
                )
            except OSError as err:
                raise RingError(f"starting {self._command[0]}: {err}") from err
            finally:
                os.close(write)
            self._await_ready(self._process, read)
        except RingError:
            self._process = None  # how that one ended is said by the error
            raise
        finally:
            os.close(read)

    def _await_ready(self, process: subprocess.Popen[bytes], read: int) -> None:
        said = b""
        deadline = time.monotonic() + _START_SECONDS
        while not said.endswith(b"\n"):
            # Another thread may have forked while the pipe was open here, so that its end
            # says nothing of the drain's.
            ended = process.poll() is not None
            if select.select([read], [], [], 0.0 if ended else 0.05)[0]:
                piece = os.read(read, 4096)
                said += piece
                if piece:
                    continue
            if ended:
                break
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise RingError(
                    f"the drain of {self.ring} was not ready after {_START_SECONDS:.0f} s; look "
                    "at the disk of the log files"
                )
        if said == b"ready\n":
            return
        process.wait()
        text = said.decode("utf-8", "backslashreplace").strip()
        raise RingError(text or f"ringlog drain ended at once, with {process.returncode}")

    def say_undrained(self, why: Exception) -> None:
        """Says that it cannot be started, and what to type instead."""
        by_hand = command(self.ring, self._options, "--until-detached", "--remove")
        say(f"ringlog: {self.ring} is not drained, and no drain can be started: {why}; "
            f"run: {by_hand}")

    def running(self) -> bool:
        """Whether the ring is being drained, if not by this drain then by one that somebody
        else has started."""
        if self._process is not None and self._process.poll() is None:
            return True
        from . import _status  # not on systems without rings

        try:
            return _status.reader_running(self.ring)
        except RingError:
            return False

    def wait(self, seconds: float) -> bool:
        """Waits for its end, and says whether it came."""
        if self._process is not None:
            try:
                self._process.wait(max(0.0, seconds))
            except subprocess.TimeoutExpired:
                return False
        # Of a program that waits for whatever child ends, it tells too little that this one
        # cannot be waited for any more.
        if self.running():
            time.sleep(min(max(0.0, seconds), 0.05))
            return False
        return True

    def failed(self) -> bool:
        """Whether it ended by itself before it was done, and so has said why."""
        return self._process is not None and (self._process.returncode or 0) > 0

    def removed(self) -> bool:
        """Whether the ring is gone: what was in it is in the files."""
        return not os.path.lexists(self.ring)

    def leave(self) -> None:
        """Lets it run on: it is not this process's to wait for any more."""
        if self._process is not None and self._process.returncode is None:
            self._process.returncode = 0  # else its finaliser warns of a process that runs
            self._process = None


def _shared(fd: int) -> Optional[int]:
    """For a process that is to have the standard stream fd of this one, if there is such."""
    try:
        os.fstat(fd)
    except OSError:
        return subprocess.DEVNULL
    return None
