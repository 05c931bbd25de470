"""Studies for test_optuna: `python -m tests.optuna.roles_optuna ROLE`.

They log to the ring in RINGLOG_RING. What an objective logs has the number of its trial also
as an extra, `number`, by which the tests judge the tag.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import optuna

import ringlog
from ringlog.optuna import optimize

log = logging.getLogger("app")
log.addHandler(ringlog.RingHandler())
log.setLevel(logging.INFO)
log.propagate = False


def objective(trial: optuna.Trial) -> float:
    """Of five trials one is pruned, one fails, and one has no value that can be used."""
    x = trial.suggest_float("x", -1, 1)
    log.info("begins", extra={"number": trial.number})
    kind = trial.number % 5
    if kind == 1:
        raise optuna.TrialPruned("not worth it")
    if kind == 2:
        raise ValueError("no such price")
    if kind == 3:
        return "nonsense"  # type: ignore[return-value]
    log.info("ends", extra={"number": trial.number})
    return x * x


def say(study: optuna.Study, trial: Any) -> None:
    log.info("callback", extra={"number": trial.number})


def ends(n_jobs: int) -> None:
    """Trials that end in each way there is, in this thread or in several."""
    study = optuna.create_study(study_name="ends")
    log.info("outside")
    optimize(study, objective, 20, n_jobs=n_jobs, catch=(ValueError,), callbacks=[say])
    log.info("outside")


def one() -> None:
    ends(1)


def threads() -> None:
    ends(4)


def all_cores() -> None:
    ends(-1)


def meeting() -> None:
    """Trials in threads that are all under way at the same moment."""
    barrier = threading.Barrier(3, timeout=30)

    def together(trial: optuna.Trial) -> float:
        for _ in range(20):
            barrier.wait()
            log.info("together", extra={"number": trial.number})
        return 0.0

    optimize(optuna.create_study(study_name="ends"), together, n_trials=3, n_jobs=3)


def raising() -> None:
    """A trial whose exception ends the study, and the records after it."""
    study = optuna.create_study(study_name="ends")
    optuna.logging.disable_default_handler()
    for n_jobs in (1, 2):
        with contextlib.suppress(ZeroDivisionError):  # with threads, Optuna does not raise it
            optimize(study, raises, n_trials=1, n_jobs=n_jobs)
        log.info("outside")


def raises(trial: optuna.Trial) -> float:
    log.info("begins", extra={"number": trial.number})
    return 1 / 0


def nested() -> None:
    """A study in a trial of another one."""

    def outer(trial: optuna.Trial) -> float:
        log.info("outer", extra={"number": trial.number})
        optimize(optuna.create_study(study_name="inner"), inner, n_trials=2)
        log.info("outer", extra={"number": trial.number})
        return 0.0

    def inner(trial: optuna.Trial) -> float:
        log.info("inner", extra={"number": trial.number})
        return 0.0

    optimize(optuna.create_study(study_name="outer"), outer, n_trials=3)


def processes(method: str, url: str) -> None:
    """Worker processes that are handed the study and the objective."""
    study = optuna.create_study(study_name="ends", storage=url)
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context(method)) as pool:
        for done in [pool.submit(take_part, study, objective) for _ in range(3)]:
            done.result()


def take_part(study: optuna.Study, goal: Any) -> None:
    optimize(study, goal, n_trials=5, n_jobs=2, catch=(ValueError,), callbacks=[say])


def once() -> None:
    """Everything twice that could bring Optuna's messages into the ring twice."""
    logging.getLogger().addHandler(ringlog.RingHandler())
    optuna.logging.enable_propagation()
    ringlog.setup_logger("optuna.study")
    study = optuna.create_study(study_name="ends")
    for _ in range(2):
        optimize(study, lambda trial: 0.0, n_trials=2)


def quiet() -> None:
    """Optuna's own handler is switched off."""
    optuna.logging.disable_default_handler()
    optimize(optuna.create_study(study_name="ends"), lambda trial: 0.0, n_trials=2)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
