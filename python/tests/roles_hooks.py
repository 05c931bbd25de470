"""A program in which somebody else has registered hooks for forks before ringlog was
imported, for test_fork: `python -m tests.roles_hooks FORKS`.

Its hooks log, so they run where ringlog's own work for the fork is done already (before)
or not yet done (in the child). It prints what roles_fork prints.
"""

from __future__ import annotations

import json
import logging
import os
import sys

log = logging.getLogger("hooks")
numbers: dict[int, int] = {}


def hook() -> None:
    """Logs the next record of this process."""
    me = os.getpid()
    n = numbers.get(me, 0)
    numbers[me] = n + 1
    log.info("record %d", n, extra={"n": n, "me": me})


os.register_at_fork(before=hook, after_in_parent=hook, after_in_child=hook)

import ringlog  # noqa: E402 - the point of this program


def main(forks: str) -> None:
    log.addHandler(ringlog.RingHandler())
    log.setLevel(logging.INFO)
    log.propagate = False
    counts: dict[int, list[int]] = {}
    for _ in range(int(forks)):
        pid = os.fork()
        if pid == 0:
            hook()
            ringlog.detach()
            os._exit(0 if numbers[os.getpid()] == 2 else 1)
        if os.waitpid(pid, 0)[1]:
            sys.exit(f"child {pid} failed")
        counts.setdefault(pid, []).append(2)
    counts[os.getpid()] = [numbers[os.getpid()]]
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
