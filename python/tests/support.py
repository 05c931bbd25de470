"""What several tests need: the built binary, folders and rings that vanish with the test.

RINGLOG_TEST says how thorough to be: "quick", "full", or nothing for what lies between.
RINGLOG_BINARY names the binary under test, in place of the checkout's bin/ringlog.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, Callable, NamedTuple, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "python"
VECTORS = ROOT / "testdata" / "vectors" / "ring"

DEADLINE = 60.0  # seconds; generous, against hanging only
ROOM = 1 << 30  # bytes, more than any test's rings take

# What a program is told where the machine is slow, or has little memory for rings: neither is a
# fault of its.
_MACHINE = re.compile(
    r"^ringlog: (?:waiting up to \d+ s for the drain \(pid \d+\): until |"
    r"lanes of [\d.]+ [KMG]iB instead of )[^\n]*\n",
    re.MULTILINE,
)

# What an environment of the developer's must not decide in a test.
_VARIABLES = (
    *("RINGLOG_RING", "RINGLOG_SETUP"),
    *("FORCE_COLOR", "PYTHON_COLORS", "PYTHONDEVMODE", "PYTHONWARNINGS"),
)

# Nor does nohup, or a shell that has the tests in the background: what they start is to heed
# these signals. To exec, what is caught here is not ignored.
for _number, _handler in (
    (signal.SIGHUP, lambda number, frame: None),
    (signal.SIGINT, signal.default_int_handler),
):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _handler)


def by_thoroughness(quick: T, normal: T, full: T) -> T:
    """Returns the argument that RINGLOG_TEST asks for."""
    knob = os.environ.get("RINGLOG_TEST", "")
    chosen = {"quick": quick, "": normal, "full": full}
    if knob not in chosen:
        raise RuntimeError(f'RINGLOG_TEST={knob}: want "quick", "full" or nothing')
    return chosen[knob]


@functools.lru_cache(maxsize=None)
def ringlog() -> str:
    """Returns the path of the ringlog binary; builds it if the checkout has none yet."""
    if "RINGLOG_BINARY" in os.environ:
        return os.path.abspath(os.environ["RINGLOG_BINARY"])
    binary = ROOT / "bin" / "ringlog"
    if not binary.exists():
        # Built aside and renamed: other tests may be looking for it at the same moment.
        binary.parent.mkdir(exist_ok=True)
        aside = f"{binary}.{os.getpid()}"
        environment = {**os.environ, "CGO_ENABLED": "0"}
        command = ["go", "build", "-trimpath", "-o", aside, "./cmd/ringlog"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        os.replace(aside, binary)
    return str(binary)


def folder(test: unittest.TestCase, base: str | None = None) -> Path:
    """Makes an empty folder that is removed, with all in it, when the test ends."""
    path = tempfile.mkdtemp(prefix="ringlog-test-", dir=base)
    test.addCleanup(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def ring(test: unittest.TestCase, *flags: str) -> str:
    """Makes a ring in a folder of its own, with flags of `ringlog create`; returns its path.

    The folder lies in memory where there is room for that, as rings do in use.
    """
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    if base is not None:
        space = os.statvfs(base)
        base = base if space.f_bavail * space.f_frsize >= ROOM else None
    path = str(folder(test, base) / "test.ring")
    run("create", path, *flags)
    return path


def run(*arguments: str, code: int = 0, cwd: str | Path | None = None) -> str:
    """Runs ringlog to its end, and returns its standard output; fails at another exit code."""
    done = subprocess.run(
        [ringlog(), *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=DEADLINE,
    )
    if done.returncode != code:
        command = " ".join(("ringlog", *arguments))
        raise AssertionError(f"{command}: exit code {done.returncode}, want {code}: {done.stderr}")
    return done.stdout


def environment(**variables: str) -> dict[str, str]:
    """Returns an environment for a child: it finds this checkout's package and binary, and
    no ring but what variables name."""
    made = {k: v for k, v in os.environ.items() if k not in _VARIABLES}
    made["PYTHONPATH"] = str(PYTHON)
    made["PATH"] = os.path.dirname(ringlog()) + os.pathsep + made.get("PATH", os.defpath)
    made.update(variables)
    return made


def script(
    source: str, *arguments: str, cwd: str | Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs Python source in a process of its own, by a file, because spawn and forkserver
    import the main module again; returns its exit code and what it printed, but what is due to
    the machine."""
    with tempfile.TemporaryDirectory(prefix="ringlog-test-") as where:
        main = Path(where) / "script.py"
        main.write_text(source, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(main), *arguments],
            cwd=cwd or where,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=DEADLINE,
        )
        done.stderr = _MACHINE.sub("", done.stderr)
        return done


def lines(path: str | Path) -> list[dict[str, Any]]:
    """The records of a log file in JSON. A line that is torn or no object fails the test."""
    text = Path(path).read_bytes()
    if text and not text.endswith(b"\n"):
        raise AssertionError(f"{path} ends in the middle of a line: {text[-200:]!r}")
    return [json.loads(line) for line in text.splitlines()]


def told(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of records that ringlog itself has written: losses, and who vanished."""
    return [record for record in records if record["logger"] == "ringlog"]


def wait_for(what: str, happened: Callable[[], Any], timeout: float = DEADLINE) -> Any:
    """Waits until happened() is true, and returns what it answers."""
    deadline = time.monotonic() + timeout
    while True:
        answer = happened()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:.0f} s for {what}")
        time.sleep(0.005)


class Draining:
    """A drain that runs beside the test, into one file in JSON. From the start it is ready, or has
    failed."""

    def __init__(self, test: unittest.TestCase, ring: str) -> None:
        self.path = folder(test) / "all.json"
        ready, write = os.pipe()
        command = [ringlog(), "drain", "--ring", ring, "--format", "json", "--max-size", "0"]
        command += ["--out", str(self.path), "--ready-fd", str(write)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            pass_fds=(write,),
        )
        test.addCleanup(self._stop)
        os.close(write)
        with open(ready, "rb") as said:
            said.read(1)  # or its end

    def end(self) -> list[dict[str, Any]]:
        """Ends it when it has drained what there is; returns all records."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=DEADLINE)[1]
        if self.process.returncode != 0:
            raise AssertionError(f"drain: exit code {self.process.returncode}: {said}")
        return lines(self.path)

    def _stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Ended(NamedTuple):
    code: int  # negative: the signal that killed it
    out: str
    err: str  # but what is due to the machine
    all_err: str


class Play:
    """A process of `python -m tests.MODULE ROLE ARGUMENT…`, and all that it starts.

    They bear a mark in their environment, by which those that are left are found, and
    killed when the test ends. Their output goes to files: who outlives the first process
    does not keep a pipe open that the test waits for.
    """

    def __init__(
        self,
        test: unittest.TestCase,
        module: str,
        *arguments: str,
        before: Callable[[Path], None] = lambda where: None,
        **variables: str,
    ) -> None:
        self.where = folder(test)
        self._mark = f"RINGLOG_TEST_PLAY={self.where}"
        self.command = [sys.executable, "-X", "faulthandler", "-m", f"tests.{module}", *arguments]
        made = environment(**variables)
        made["RINGLOG_TEST_PLAY"] = str(self.where)
        before(self.where)  # the folder in which it runs
        test.addCleanup(self.kill)
        with open(self.where / "out", "wb") as out, open(self.where / "err", "wb") as err:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.where,
                env=made,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def tell(self, text: str = "go") -> None:
        """Writes a line to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    @property
    def out(self) -> str:
        return (self.where / "out").read_text("utf-8", "backslashreplace")

    @property
    def err(self) -> str:
        return (self.where / "err").read_text("utf-8", "backslashreplace")

    def says(self, text: str) -> None:
        """Waits until it, or a process that it has left behind, has printed text."""
        wait_for(f"{text!r} of {self}", lambda: text in self.out or self._ended_early(text))

    def _ended_early(self, text: str) -> None:
        if self.process.poll() is not None and not self.left() and text not in self.out:
            raise AssertionError(f"{self} ended with {self.process.returncode}: {self.err}")

    def end(self, code: int = 0, timeout: float = DEADLINE) -> Ended:
        """Waits for its end; fails at another exit code. Of who hangs, it shows where."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            for pid in self.left():
                _kill(pid, signal.SIGABRT)
            self.process.wait(DEADLINE)
            raise AssertionError(f"{self} hung:\n{self.err}") from None
        if self.process.returncode != code:
            text = f"{self}: exit code {self.process.returncode}, want {code}:\n{self.err}"
            raise AssertionError(text)
        return Ended(code, self.out, _MACHINE.sub("", self.err), self.err)

    def left(self) -> dict[int, str]:
        """The processes of it that run, with their command lines."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if self._mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(process.name)] = command.decode("utf-8", "replace")
            except OSError:
                pass  # it has ended, or is somebody else's
        return found

    def all_gone(self) -> None:
        """Waits until none of its processes is left."""
        wait_for(f"the end of {self}", lambda: not self.left())

    def kill(self) -> None:
        for pid in self.left():
            _kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def __str__(self) -> str:
        return " ".join(self.command[3:])


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
