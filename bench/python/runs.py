"""Starts the runs, each in a process of its own, and looks after them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Optional

from measure import RESULT, WARM, Spec, cpu_seconds

_LIMIT = 180.0  # seconds after which a run hangs; some of the peers are known to
_GRACE = 20.0  # seconds for an interrupted run to end: a ring is drained by then


class RunError(Exception):
    """A run that did not come to its end, and why."""


def run(spec: Spec, folder: Path) -> dict[str, Any]:
    """Runs it in a folder of its own below folder, which is removed. Raises RunError."""
    with tempfile.TemporaryDirectory(prefix=f"{spec.peer}-", dir=folder) as own:
        meter = _Meter()
        text = script("measure.py", Path(own), json.dumps(spec._replace(folder=own)._asdict()))
        result: dict[str, Any] = json.loads(Path(own, RESULT).read_text("utf-8"))
        result["records"] = spec.workers * spec.records
        result["cpu_ns_per_record"] = result["cpu_seconds"] * 1e9 / (
            result["records"] + spec.workers * WARM
        )
        result["others"] = meter.others()
        result["errors"] = text.count("--- Logging error ---")
        result["said"] = [line for line in text.splitlines() if line.startswith("ringlog:")][:5]
    if result["ring"] and os.path.lexists(result["ring"]):
        raise RunError(f"its ring is left over: {result['ring']}")
    return result


def script(name: str, folder: Path, *arguments: str) -> str:
    """Runs a script of these with this Python, and returns what it has written to standard
    error, for which folder has room. Raises RunError."""
    command = [sys.executable, str(Path(__file__).with_name(name)), *arguments]
    with open(folder / "stderr", "w+b") as said:
        code = _wait(command, said)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    if code != 0:
        why = f"{name} hangs" if code is None else f"{name} ended with {code}"
        lines = text.strip().splitlines()
        raise RunError(f"{why}: {lines[-1]}" if lines else why)
    return text


def _wait(command: list[str], said: Any) -> Optional[int]:
    """The exit code; None: it came to no end in time. Of its processes none is left.

    It has a session of its own, so that Ctrl-C comes to this process alone, and it can be told
    to end in good order.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
        start_new_session=True,
    )
    try:
        return process.wait(_LIMIT)
    except subprocess.TimeoutExpired:
        return None
    finally:
        try:
            if process.poll() is None:
                process.terminate()
                process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            pass
        finally:  # also when interrupted once more
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class _Meter:
    """Measures what share of the machine is used by others than this process's children."""

    def __init__(self) -> None:
        self.begin, self.busy, self.own = time.monotonic(), _busy(), cpu_seconds()

    def others(self) -> float:
        """The share since this was made, of all CPUs; 0 where it is not known."""
        total = (time.monotonic() - self.begin) * (os.cpu_count() or 1)
        return max(0.0, (_busy() - self.busy - (cpu_seconds() - self.own)) / total)


def _busy() -> float:
    """Seconds for which the CPUs worked since boot, or worked for other virtual machines."""
    try:
        with open("/proc/stat", encoding="ascii") as f:
            user, nice, system, _, _, irq, softirq, steal = map(int, f.readline().split()[1:9])
    except (OSError, ValueError):
        return 0.0
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
