"""What roles_mixed does, through the standard library's QueueHandler and QueueListener, for
comparison: `python -m tests.roles_queue WORKERS COUNT FOLDER`.

One worker is killed, one stopped for a while. It prints how many of the accepted records the
log file does not have, as a JSON object, and ends itself when nothing moves any more: who was
killed with the queue's lock in hand has stopped everybody.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from . import roles_mixed

_QUIET = 10.0  # seconds without a new line, after which nothing is expected any more


class _Numbered(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        values: Any = record
        return f"{record.processName} {values.n}"


def _work(queue: Any, worker: str, count: int, notes: str) -> None:
    roles_mixed.prepare(logging.handlers.QueueHandler(queue))
    roles_mixed.work(worker, count, notes)


def _count(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def main(workers: str, count: str, folder: str) -> None:
    context = multiprocessing.get_context("fork")
    queue: Any = context.Queue(-1)
    where, each = Path(folder), int(count)
    names = [f"w{i}" for i in range(int(workers))]
    started = [
        context.Process(target=_work, args=(queue, name, each, str(where / name)), name=name)
        for name in names
    ]
    for process in started:
        process.start()
    file = logging.FileHandler(where / "all.log")
    file.setFormatter(_Numbered())
    listener = logging.handlers.QueueListener(queue, file)
    listener.start()
    killed, stopped = (process.pid or 0 for process in started[:2])
    while _count(where / "w0") < each // 4:
        time.sleep(0.001)
    os.kill(killed, signal.SIGKILL)
    os.kill(stopped, signal.SIGSTOP)
    for process in started[2:]:
        process.join(_QUIET)
    os.kill(stopped, signal.SIGCONT)
    before, last = -1, time.monotonic()
    while time.monotonic() < last + _QUIET:
        now = _count(where / "all.log")
        if now == before and not any(process.is_alive() for process in started):
            break
        if now != before:
            before, last = now, time.monotonic()
        time.sleep(0.5)
    logged = set((where / "all.log").read_text().splitlines())
    lost, accepted = {}, 0
    for name in names:
        noted = {f"{name} {n}" for n in (where / name).read_text().split()}
        accepted += len(noted)
        lost[name] = len(noted - logged)
    hung = [process.name for process in started if process.is_alive()]
    print(json.dumps({"accepted": accepted, "lost": lost, "hung": hung}), flush=True)
    for process in started:
        process.kill()
    os._exit(0)  # the listener may hang too


if __name__ == "__main__":
    main(*sys.argv[1:])
