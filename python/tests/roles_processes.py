"""Programs with worker processes, for test_processes: `python -m tests.roles_processes ROLE …`.

They log to the ring in RINGLOG_RING: each worker `COUNT` records, numbered, that say its
name. What they do is what users do; judged is what is in the log afterwards.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from typing import Any, Callable

import ringlog
from ringlog import _process

COUNT = 20
PATIENCE = 30.0  # seconds

log = logging.getLogger("work.module")
# Patient: a drain that the machine holds up is no reason to lose a record.
log.addHandler(ringlog.RingHandler(timeout=PATIENCE))
log.setLevel(logging.DEBUG)
log.propagate = False


def work(worker: str, count: int = COUNT) -> int:
    for n in range(count):
        log.info("record %d of %s", n, worker, extra={"n": n, "who": worker, "me": os.getpid()})
    return os.getpid()


def process(method: str) -> None:
    """multiprocessing.Process, by each way to start one."""
    context: Any = multiprocessing.get_context(method)
    workers = [context.Process(target=work, args=(f"w{i}",)) for i in range(3)]
    work("main")
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            sys.exit(f"{worker.name} ended with {worker.exitcode}")


def early_forkserver(ring: str) -> None:
    """A forkserver that was started before there was a ring."""
    context = multiprocessing.get_context("forkserver")
    first = context.Process(target=int)
    first.start()
    first.join()
    _process.publish(ring, None)
    process("forkserver")


def handed_over(method: str) -> None:
    """A handler that is an argument of the child's, of a ring that nothing else tells of."""
    ring = os.environ.pop("RINGLOG_RING")
    handler = ringlog.RingHandler(ring=ring, label="handed over", timeout=PATIENCE)
    context: Any = multiprocessing.get_context(method)
    child = context.Process(target=with_handler, args=(handler,))
    child.start()
    child.join()
    sys.exit(child.exitcode)


def with_handler(handler: logging.Handler) -> None:
    log.handlers[:] = [handler]
    work("w0")


def pool(method: str, end: str) -> None:
    context = multiprocessing.get_context(method)
    made = context.Pool(3)
    made.map(work, [f"w{i}" for i in range(6)], chunksize=1)
    if end == "terminate":
        made.terminate()
    else:
        made.close()
    made.join()


def executor(method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(3, mp_context=context) as workers:
        list(workers.map(work, [f"w{i}" for i in range(6)]))


def joblib(backend: str) -> None:
    from joblib import Parallel, delayed

    # By its module's name: loky sends functions of the main module by value, and with them
    # their logger's name, but not its handlers.
    from tests.roles_processes import work as here

    Parallel(n_jobs=3, backend=backend)(delayed(here)(f"w{i}") for i in range(6))
    if backend == "loky":
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=True)


def subprocesses() -> None:
    command = [sys.executable, "-m", "tests.roles_processes", "work"]
    workers = [subprocess.Popen([*command, f"w{i}"]) for i in range(3)]
    sys.exit(max(worker.wait() for worker in workers))


def threads() -> None:
    workers = [threading.Thread(target=work, args=(f"w{i}", 500)) for i in range(8)]
    sys.setswitchinterval(1e-5)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def detaching() -> None:
    """Threads that log, beside one that detaches the process again and again."""
    ended = threading.Event()

    def detach() -> None:
        while not ended.is_set():
            ringlog.detach()

    other = threading.Thread(target=detach)
    other.start()
    threads()
    ended.set()
    other.join()


def daemon_thread() -> None:
    """The interpreter ends while a thread logs: what it had logged by then is in the log."""
    begun = threading.Event()

    def forever() -> None:
        n = 0
        while True:
            log.info("record %d", n, extra={"n": n, "who": "daemon", "me": os.getpid()})
            n += 1
            os.write(1, b"%d\n" % n)
            begun.set()

    threading.Thread(target=forever, daemon=True).start()
    begun.wait()


def tasks() -> None:
    async def task(worker: str) -> None:
        for n in range(COUNT):
            log.info("record %d", n, extra={"n": n, "who": worker, "me": os.getpid()})
            await asyncio.sleep(0)

    async def everything() -> None:
        loop = asyncio.get_running_loop()
        others = [loop.run_in_executor(None, work, f"w{i}") for i in range(3, 6)]
        await asyncio.gather(*(task(f"w{i}") for i in range(3)), *others)

    asyncio.run(everything())


def ends(how: str) -> None:
    """A worker that ends early, in one of the ways that run Python's exit functions or do not."""
    context: Any = multiprocessing.get_context("fork")
    child = context.Process(target=end, args=(how,))
    child.start()
    child.join()


def end(how: str) -> None:
    work("w0")
    if how == "exception":
        raise ValueError("on purpose")
    if how == "sys.exit":
        sys.exit(3)
    if how == "terminate":
        os.kill(os.getpid(), 15)
        time.sleep(60)
    if how == "os._exit":
        os._exit(0)
    if how == "detach":
        ringlog.detach()
        os._exit(0)


ROLES: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        work, process, early_forkserver, handed_over, pool, executor, joblib, subprocesses,
        threads, detaching, daemon_thread, tasks, ends,
    )
}  # fmt: skip

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
