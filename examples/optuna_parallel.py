#!/usr/bin/env python3
"""A study of Optuna in several processes, with threads in each, that log through one ring.

What a program of your own needs is marked by (1) to (3); its loggers are made where they are
used, as in moving_averages.py.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import re
import signal
import sys
import time
from multiprocessing.connection import wait
from pathlib import Path
from typing import Iterator, Optional, Sequence

HERE = Path(__file__).resolve().parent
# The package and the binary of this checkout. Once ringlog is installed, you need neither.
sys.path.insert(0, str(HERE.parent / "python"))
os.environ["PATH"] = os.pathsep.join((str(HERE.parent / "bin"), os.environ.get("PATH", "")))

try:
    import optuna
except ImportError:
    sys.exit(
        "optuna_parallel.py needs Optuna, which this Python lacks:\n"
        "  apt install python3-optuna, then run it with /usr/bin/python3; or pip install optuna"
    )
from moving_averages import WalkForward, load
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState

import ringlog
import ringlog.optuna

STUDY = "walk-forward"
FILES = ("app.log", "trades.log", "orders.log")
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)

EXAMPLES = """\
examples:
  optuna_parallel.py                             200 trials by 4 processes of 2 threads
  optuna_parallel.py --trials 50 --dir /tmp/wf   logs and study in /tmp/wf
  optuna_parallel.py --prices sp500.csv          monthly prices of your own
  optuna_parallel.py --workers 8 --threads 1
  kill -9 PID                                    of a worker: the study goes on
  grep trial=17 logs/orders.log                  the orders of a trial

Run again with more --trials and the same --dir, the study goes on where it was.
"""


def storage(folder: Path) -> optuna.storages.RDBStorage:
    """SQLite, since a worker may be killed at any moment: what it had half written is rolled
    back. Of JournalStorage it may leave the lock behind, for which the others wait for ever."""
    url = f"sqlite:///{folder / 'study.db'}"
    return optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 60}})


def work(folder: Path, prices: Optional[Path], trials: int, threads: int) -> None:
    """A worker process."""
    optuna.logging.disable_default_handler()  # its messages are in app.log, not on the terminal
    study = optuna.load_study(
        study_name=STUDY,
        storage=storage(folder),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=20, n_warmup_steps=1),
    )
    # Not a share for each, but until the study has enough: what a killed worker does not do,
    # the others do. Trials that are under way by then are finished.
    enough = MaxTrialsCallback(trials, states=FINISHED)
    objective = WalkForward(load(prices))
    try:
        # (2) In place of study.optimize(objective, …): tags the records of each trial.
        ringlog.optuna.optimize(study, objective, n_jobs=threads, callbacks=[enough])
    except KeyboardInterrupt:
        pass  # Ctrl-C reaches all processes, and the main one says so


class Progress:
    """A line that is drawn again and again on a terminal; elsewhere one now and then."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty()
        self.shown = -math.inf

    def show(self, text: str) -> None:
        if self.terminal:
            print(f"\r{text}\x1b[K", end="", flush=True)
        elif time.monotonic() >= self.shown + 5:
            self.shown = time.monotonic()
            print(text, flush=True)

    def say(self, text: str) -> None:
        print(f"\r{text}\x1b[K" if self.terminal else text, flush=True)


def run(
    folder: Path, prices: Optional[Path], trials: int, workers: int, threads: int
) -> int:
    """The main process: starts workers and looks on. Returns the exit code."""
    study = optuna.create_study(
        study_name=STUDY, storage=storage(folder), direction="maximize", load_if_exists=True
    )

    def done() -> int:
        return len(study.get_trials(deepcopy=False, states=FINISHED))

    if done() >= trials:
        print(f"the study in {folder} has {done()} trials: want more --trials or another --dir")
        return 2
    # Started anew, since a fork would share the open database, which SQLite forbids.
    context = multiprocessing.get_context("spawn")
    running = [
        context.Process(target=work, args=(folder, prices, trials, threads), name=f"worker-{n}")
        for n in range(1, workers + 1)
    ]
    for process in running:
        process.start()
    progress = Progress()
    while running:
        ready = wait([process.sentinel for process in running], timeout=0.2)
        for process in [process for process in running if process.sentinel in ready]:
            process.join()
            running.remove(process)
            if process.exitcode:
                others = f"the other {len(running)} go on" if running else "no other is left"
                who = f"{process.name} (pid {process.pid})"
                progress.say(f"{who} {fate(process.exitcode)}; {others}")
        progress.show(f"{done()} of {trials} trials done")
    progress.say(f"{done()} of {trials} trials done")
    # (3) Waits until all is in the files. At exit it happens by itself.
    ringlog.shutdown_multiprocessing_logging()
    summarise(study, folder)
    return 0 if done() >= trials else 1


def fate(exitcode: int) -> str:
    if exitcode < 0:
        return f"was killed by {signal.Signals(-exitcode).name}"
    return f"ended with exit code {exitcode}"


def summarise(study: optuna.Study, folder: Path) -> None:
    """Prints what came of the study, and what its log has."""
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    counts = [f"{states.count(s)} {s.name.lower()}" for s in TrialState if s in states]
    print("trials".ljust(12), ", ".join(counts))  # running: of a worker that was killed
    if TrialState.COMPLETE in states:
        print("best".ljust(12), f"{study.best_value:.3f} with {study.best_params}")
    for name in FILES:
        print(name.ljust(12), f"{sum(1 for _ in records(folder, name)):,} records")
    lost = re.compile(r" - ringlog - WARNING - lost (\d+) ")
    found = (lost.search(line) for line in records(folder, "app.log"))
    print("lost".ljust(12), sum(int(loss[1]) for loss in found if loss))


def records(folder: Path, name: str) -> Iterator[str]:
    """The records in a log file and in those it was rotated to; of each the first line, which
    alone is not indented."""
    for path in folder.glob(f"{name}*"):
        with open(path, encoding="utf-8") as lines:
            yield from (line for line in lines if not line.startswith("    "))


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        description="A walk-forward study in several processes that log through one ring.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--trials", type=int, default=200, metavar="N", help="of the study (200)")
    parser.add_argument("--workers", type=int, default=4, metavar="N", help="processes (4)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="in each (2)")
    parser.add_argument("--prices", type=Path, metavar="FILE", help="CSV (made up without it)")
    parser.add_argument("--dir", type=Path, default=Path("logs"), help="for all files (./logs)")
    options = parser.parse_args(arguments)
    if min(options.trials, options.workers, options.threads) < 1 or options.workers > 60:
        parser.error("want at least 1 trial, worker and thread, and at most 60 workers")
    try:
        months, _ = load(options.prices)
    except (OSError, ValueError) as err:
        parser.error(f"--prices: {err}")
    source = options.prices or "made up, the same each time; --prices FILE takes real ones"
    print(f"prices of {len(months)} months, {months[0]} to {months[-1]}: {source}")
    folder = options.dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # (1) Once, in the main process: makes the ring, and starts the process that writes files.
    ringlog.setup_multiprocessing_logging(folder)
    try:
        return run(
            folder, options.prices, options.trials, options.workers, options.threads
        )
    except KeyboardInterrupt:
        print("\ninterrupted: what was logged is in the files; run again, the study goes on")
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
