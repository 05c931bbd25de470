"""Studies of Optuna: every record of a trial says which trial it is of.

    from ringlog.optuna import optimize

    optimize(study, objective, n_trials=100, n_jobs=-1)  # was: study.optimize(objective, …)

Optuna itself is not imported here: the study brings it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Callable, Iterable, Optional

from . import _plain, _process
from ._handler import RingHandler
from ._trial import attributes, current

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial


def optimize(
    study: Study,
    objective: Callable[[Trial], Any],
    n_trials: Optional[int] = None,
    timeout: Optional[float] = None,
    *,
    callbacks: Optional[Iterable[Callable[[Study, FrozenTrial], None]]] = None,
    **options: Any,
) -> None:
    """`study.optimize`, with every record of a trial tagged by `study` and `trial`.

    That is what the objective and the callbacks log, in whatever logger, and what Optuna
    says of the trial, also after the objective has ended: "Trial 17 finished with value …".
    With n_jobs each trial is a thread, which has a tag of its own; threads that an objective
    starts have none. options are those of study.optimize, which does the work, and whose
    exceptions are raised.

    Optuna's messages go to the ring as well, as records of the loggers below "optuna". Its own
    handler, which writes them to standard error, stays as it is. What Optuna says before, such
    as "A new study created", needs `ringlog.setup_logger("optuna")` before that.

    Several processes may optimise one study: each loads it, and calls this.
    """
    _hand_over()
    tags = _Tags(study.study_name, objective)
    try:
        study.optimize(
            tags, n_trials, timeout, callbacks=[*(callbacks or ()), tags.end], **options
        )
    finally:
        current.set(tags.outside)  # a trial that raises has had no callbacks


class _Tags:
    """An objective that tags the records of its trials.

    Optuna says how a trial has ended only when the objective has returned or raised. So the
    tag stays until Optuna's callbacks, of which `end` is the last. They come after each trial,
    also one that was pruned or has failed, in the trial's thread.
    """

    def __init__(self, study: str, objective: Callable[[Trial], Any]) -> None:
        self.study = study  # asked for once: it takes the storage a query
        self.objective = objective
        self.outside = current.get()  # the study may be part of another one's trial

    def __call__(self, trial: Trial) -> Any:
        current.set(attributes(self.study, trial.number))
        return self.objective(trial)

    def end(self, study: Study, trial: FrozenTrial) -> None:
        current.set(self.outside)


class _SetUpFiles(logging.Handler):
    """Without a ring: the files of a set-up that could make none, and nothing if there was no
    set-up, as Optuna's own handler writes to standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        if _process.options():
            _plain.files.handle(record)


_messages = RingHandler(fallback=_SetUpFiles())


def _hand_over() -> None:
    """Adds a RingHandler to Optuna's logger, which does not propagate, unless it has one."""
    logger = logging.getLogger("optuna")
    if not any(isinstance(handler, RingHandler) for handler in logger.handlers):
        logger.addHandler(_messages)
