"""Where the time of one call of ringlog goes: `bench.py --profile`.

As a script it measures, in a process of its own as peers have: `breakdown.py FOLDER CHUNKS`.

The same call is made of handlers that do more and more of what a RingHandler does; the
differences are what each step takes in a call, where it finds caches and branch predictors
as the rest of logging has left them. Beside them stands what parts take alone, as loops of one
statement: at best, that is. Not by cProfile, which adds to each function of Python and to none
of C, and so shifts what is to be seen.
"""

from __future__ import annotations

import json
import logging
import mmap
import statistics
import sys
import threading
import time
import zlib
from pathlib import Path
from timeit import Timer
from typing import Any, Callable, Optional

import runs
from measure import RESULT, cpu_seconds, interruptible
from peers import PRICE, Ringlog, use_checkout
from report import heading, host, table

CHUNKS = 400
_CHUNK = 200  # calls between two looks at the clock
_CALLS = {
    "three % arguments": f"info('filled order %d at %.2f for %s', 4711, {PRICE}, 'worker-1')",
    "three extras": f"info('order filled', extra={{'order': 4711, 'price': {PRICE}, "
    "'buyer': 'worker-1'})",
}
_ALONE = {
    "encode": "encode(record, lost, b'')",
    "message": "record.getMessage()",
    "extras": "encode_fields(extras(values))",
    "append": "append(tail, False)",
    "crc": "crc32(tail, 12345)",
    "lock": "with lock: pass",
    "copy": "memory[4108:end] = tail",
    "words": "words[1] = 1 << 40; words[2] = 2 << 40; words[3] = 3 << 40",
}


def show(folder: Path, save: Optional[Path]) -> int:
    """Measures and prints. Returns the exit code; raises runs.RunError."""
    about = host()
    measured = profile(folder, CHUNKS)
    print(heading(about), *text(measured), sep="\n")
    if save:
        save.write_text(json.dumps({"host": about, "profile": measured}, indent=1) + "\n", "utf-8")
    return 0


def profile(folder: Path, chunks: int) -> dict[str, Any]:
    """Measures, in a process of its own. Raises runs.RunError."""
    runs.script("breakdown.py", folder, str(folder), str(chunks))
    measured: dict[str, Any] = json.loads((folder / RESULT).read_text("utf-8"))
    return measured


def failure(folder: Path) -> list[str]:
    """What is wrong with this, in a moment's try: it goes by names of ringlog's that change."""
    try:
        text(profile(folder, 2))
    except runs.RunError as err:
        return [f"--profile: {err}"]
    return []


def text(measured: dict[str, Any]) -> list[str]:
    """The table."""
    kinds: dict[str, dict[str, float]] = measured["parts"]
    rows = [["µs of one process alone", *(x for kind in kinds for x in (kind, "share"))]]

    def row(label: str, name: str, less: str = "", share: bool = True) -> None:
        """What name takes, or how much more it takes than less."""
        cells = [label]
        for parts in kinds.values():
            took = parts[name] - (parts[less] if less else 0.0)
            whole = parts["ring"] - parts["null"]
            cells += [f"{took / 1000:.2f}", f"{took / whole:.0%}" if share else ""]
        rows.append(cells)

    row("a call with NullHandler, the floor", "null", share=False)
    row("a call with RingHandler", "ring", share=False)
    row("what it takes above the floor", "ring", "null")
    row("  getMessage(): the % operator", "message", "null")
    row("  the rest of encode(): fields as bytes", "encode", "message")
    row("  Lane.append()", "append", "encode")
    row("  emit(): finding lane, rules, mark", "ring", "append")
    row("alone in a loop: encode()", "alone encode")
    row("  of which getMessage()", "alone message")
    row("  of which extras as typed attributes", "alone extras")
    row("alone in a loop: Lane.append()", "alone append")
    row("  of which lock and unlock (RLock)", "alone lock")
    row("  of which the checksum (zlib.crc32)", "alone crc")
    row("  of which the copy into the mapping", "alone copy")
    row("  of which three words by a memoryview", "alone words")
    return [
        f"medians of {measured['chunks']} times {_CHUNK} calls; a record takes "
        f"{measured['bytes']} bytes of the lane",
        "",
        *table(rows),
        "",
        f"The reader's process takes {measured['drain_us']:.2f} µs of processor time a record. Of "
        f"{measured['records']:,} records {measured['wakes']:,} woke it, each in "
        f"{measured['wake_us']:.1f} µs; {measured['waits']:,} waited for room.",
    ]


def measure(folder: Path, chunks: int) -> dict[str, Any]:
    """Sets ringlog up as its users do, and times the steps for each kind of call."""
    peer, parts, sizes = Ringlog(), {}, []
    logs = folder / "logs"
    logs.mkdir()
    peer.prepare(logs, 10_000_000)
    try:
        for kind, call in _CALLS.items():
            space = _space(call)
            sizes.append(len(space["tail"]) + 19 & -8)
            timers = {
                name: Timer(f"logger.{call}", globals={"logger": logger})
                for name, logger in space["loggers"].items()
            }
            for name, statement in _ALONE.items():
                statement = statement if name != "extras" or "extra" in call else "pass"
                timers[f"alone {name}"] = Timer(statement, globals=space)
            took: dict[str, list[float]] = {name: [] for name in timers}
            for _ in range(chunks):
                for name, timer in timers.items():
                    took[name].append(timer.timeit(_CHUNK) / _CHUNK * 1e9)
                time.sleep(0.002)  # for the reader, so that no record waits for room
            parts[kind] = {name: statistics.median(times) for name, times in took.items()}
    finally:
        before = cpu_seconds()
        peer.finish()
    drained = cpu_seconds() - before
    records = 3 * len(_CALLS) * chunks * _CHUNK  # of "append", "ring" and "alone append"
    return {
        "chunks": chunks,
        "parts": parts,
        "bytes": " or ".join(map(str, sizes)),
        "records": records,
        "drain_us": drained / records * 1e6,
        "wakes": peer.rare["wakes"],
        "wake_us": peer.rare["wakes_ns"] / max(1, peer.rare["wakes"]) / 1000,
        "waits": peer.rare["waits"],
    }


def _space(call: str) -> dict[str, Any]:
    """The names that the statements use: for each step a logger, and the parts of a record."""
    from ringlog import RingHandler
    from ringlog._encode import encode, encode_fields, extras
    from ringlog._process import attach

    lane = attach()
    append = lane.append
    caught: list[logging.LogRecord] = []
    steps: dict[str, logging.Handler] = {
        "null": logging.NullHandler(),
        "message": _Step(lambda record: record.getMessage()),
        "encode": _Step(lambda record: encode(record, lane.lost_bytes, b"")),
        "append": _Step(lambda record: append(*encode(record, lane.lost_bytes, b""))),
        "ring": RingHandler(),
        "catch": _Step(caught.append),
    }
    loggers = {name: _logger(name, handler) for name, handler in steps.items()}
    eval(f"catch.{call}", {"catch": loggers["catch"]})  # a record as handlers get it
    del loggers["catch"]
    record = caught[0]
    tail, _ = encode(record, lane.lost_bytes, b"")
    memory = mmap.mmap(-1, 1 << 16)
    return {
        "loggers": loggers,
        "record": record,
        "values": record.__dict__,
        "encode": encode,
        "encode_fields": encode_fields,
        "extras": extras,
        "lost": lane.lost_bytes,
        "append": append,
        "tail": tail,
        "crc32": zlib.crc32,
        "lock": threading.RLock(),
        "memory": memory,
        "end": 4108 + len(tail),
        "words": memoryview(memory).cast("Q"),
    }


class _Step(logging.Handler):
    """Does what it is told to, where a RingHandler does all."""

    def __init__(self, does: Callable[[logging.LogRecord], Any]) -> None:
        super().__init__()
        setattr(self, "handle", does)


def _logger(name: str, handler: logging.Handler) -> logging.Logger:
    logger = logging.getLogger(f"bench.{name}")
    logger.handlers[:], logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    return logger


def main(folder: Path, chunks: int) -> int:
    interruptible()
    use_checkout()
    (folder / RESULT).write_text(json.dumps(measure(folder, chunks)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
