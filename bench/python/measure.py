"""One run of one peer, in a process of its own: `measure.py SPEC`, which bench.py starts.

So each peer is alone in its interpreter, as it is with its users, and whatever one leaves
behind is not there for the next. The result is written into the run's folder.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import resource
import signal
import sys
import time
from array import array
from pathlib import Path
from time import perf_counter_ns as clock
from typing import Any, NamedTuple, Sequence

from peers import FILE, PEERS, Call, Peer, use_checkout

RESULT = "result.json"
WARM = 200  # calls of each worker before what is measured: attaching, opening, importing
_PATIENCE = 60.0  # seconds for all workers to be ready
_LINE = re.compile(
    rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - \S+ - INFO - (?:filled order (\d+) at "
    rb"101\.25 for worker-\d+|order filled\b.*)$",
    re.MULTILINE,
)


class Spec(NamedTuple):
    """What to run."""

    peer: str
    kind: str  # "args": three % arguments, "extras": three extras
    timed: bool  # whether each call is timed, or only all of them
    workers: int
    records: int  # of each worker
    max_bytes: int
    pace: float  # records a second of each worker; 0: as fast as it can
    folder: str


def plain(call: Call, first: int, records: int) -> None:
    for n in range(first, first + records):
        call(n)


def timed(call: Call, first: int, took: array[int]) -> None:
    for i in range(len(took)):
        begin = clock()
        call(first + i)
        took[i] = clock() - begin


def paced(call: Call, first: int, took: array[int], pace: float) -> None:
    """One call each 1/pace seconds; what was missed meanwhile is not made up for."""
    due, step = clock(), int(1e9 / pace)
    for i in range(len(took)):
        due = max(due + step, clock())
        time.sleep(max(0, due - clock()) / 1e9)
        begin = clock()
        call(first + i)
        took[i] = clock() - begin


def work(peer: Peer, spec: Spec, number: int, ready: Any) -> None:
    """A worker process."""
    try:
        peer.enter()
        call = peer.call(spec.kind)
        first = number * (WARM + spec.records)
        took = array("Q", bytes(8 * spec.records)) if spec.timed else array("Q")
        plain(call, first, WARM)
    except BaseException:
        ready.abort()
        raise
    ready.wait(_PATIENCE)
    begin = clock()
    if not spec.timed:
        plain(call, first + WARM, spec.records)
    elif spec.pace:
        paced(call, first + WARM, took, spec.pace)
    else:
        timed(call, first + WARM, took)
    end = clock()
    folder = Path(spec.folder)
    (folder / f"{number}.took").write_bytes(took.tobytes())
    said = {"begin": begin, "end": end, "notes": peer.notes()}
    (folder / f"{number}.json").write_text(json.dumps(said), encoding="utf-8")


def run(spec: Spec) -> dict[str, Any]:
    """Runs it, and counts what came of it."""
    peer, folder = PEERS[spec.peer](), Path(spec.folder)
    logs = folder / "logs"
    logs.mkdir()
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(spec.workers + 1)
    crew = [
        context.Process(target=work, args=(peer, spec, n, ready), name=f"worker-{n}")
        for n in range(spec.workers)
    ]
    peer.prepare(logs, spec.max_bytes)
    before = cpu_seconds()  # importing is not logging
    try:
        for worker in crew:
            worker.start()
        peer.start()
        ready.wait(_PATIENCE)
        for worker in crew:
            worker.join()
        if any(worker.exitcode for worker in crew):
            raise RuntimeError(f"workers ended with {[worker.exitcode for worker in crew]}")
    except BaseException:
        for worker in crew:
            if worker.pid is not None:
                worker.kill()
                worker.join()
        peer.abandon()
        raise
    peer.finish()
    end = clock()
    used = cpu_seconds() - before
    said = [json.loads((folder / f"{n}.json").read_text("utf-8")) for n in range(len(crew))]
    result = {
        # Of clocks of several processes: on Linux they are one.
        "seconds": (end - min(worker["begin"] for worker in said)) / 1e9,
        "logging_seconds": max(worker["end"] - worker["begin"] for worker in said) / 1e9,
        "cpu_seconds": used,
        "notes": {key: sum(x["notes"][key] for x in said) for key in said[0]["notes"]},
        "ring": getattr(peer, "ring", ""),
    }
    if spec.timed:
        result["latency_ns"] = latencies(folder / f"{n}.took" for n in range(len(crew)))
    if peer.stores:
        result.update(count(logs, spec.workers * (WARM + spec.records)))
    return result


def cpu_seconds() -> float:
    """Processor time of this process and of those it waited for: the workers, and the drain."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def latencies(paths: Any) -> dict[str, int]:
    """Quantiles over the calls of all workers. The nearest rank: each was some call's."""
    calls = array("Q")
    for path in paths:
        calls.frombytes(path.read_bytes())
    ordered = sorted(calls)
    last = len(ordered) - 1
    return {
        name: ordered[min(last, int(len(ordered) * q))]
        for name, q in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))
    }


def count(logs: Path, expected: int) -> dict[str, Any]:
    """How many records are in the files, whole; what has a number must be there once."""
    seen, lines, size = bytearray(expected), 0, 0
    # Each peer has its own names for rotated files, and one has a file for its lock as well.
    files = sorted(logs.glob(f"{Path(FILE).stem}*.log*"))
    for path in files:
        content = path.read_bytes()
        size += len(content)
        for number in _LINE.findall(content):
            lines += 1
            if number and int(number) < expected:
                seen[int(number)] = 1
    distinct = sum(seen) or lines  # those with extras have no number in the text
    return {
        "expected": expected,
        "lost": expected - distinct,
        "doubled": lines - distinct,
        "files": len(files),
        "bytes": size,
    }


def interruptible() -> None:
    """Has SIGTERM end this process as Ctrl-C would. SIGINT itself may be ignored, as a shell
    does it to what runs in the background."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0; 1 with what is wrong on standard error; 130 when interrupted."""
    interruptible()
    spec = Spec(**json.loads(arguments[0]))
    use_checkout()
    try:
        result = run(spec)
    except KeyboardInterrupt:
        # A queue's threads may wait for workers that are gone.
        os._exit(128 + signal.SIGINT)
    except Exception as err:
        sys.stderr.write(f"{type(err).__name__}: {err}\n")
        sys.stderr.flush()
        os._exit(1)
    Path(spec.folder, RESULT).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
