"""What is run of which peer, and how often."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple, Optional, Sequence

import runs
from measure import Spec
from peers import PEERS
from report import Runs

_MAX_BYTES, _SMOKE_BYTES = 10_000_000, 100_000  # files rotate also in a smoke test
_PACED_SECONDS, _SMOKE_SECONDS = 2.0, 0.2


class Plan(NamedTuple):
    """What all runs of a benchmark have in common."""

    rounds: int
    workers: int
    records: int  # of each worker; 0: so many that a run takes some seconds
    pace: float  # records a second of each worker, in the runs that have one; 0: no such runs
    smoke: bool

    @property
    def max_bytes(self) -> int:
        return _SMOKE_BYTES if self.smoke else _MAX_BYTES

    def specs(self, name: str) -> dict[str, Spec]:
        """The runs of a peer in each round, by measure."""
        base = Spec(name, "args", False, self.workers, 0, self.max_bytes, 0, "")
        many = self.records or PEERS[name].records
        fewer = self.records or many // 2  # timed calls take longer, and to sort
        found = {
            "rate": base._replace(records=many),
            "args": base._replace(records=fewer, timed=True),
            "extras": base._replace(records=fewer, timed=True, kind="extras"),
        }
        if self.pace:
            seconds = _SMOKE_SECONDS if self.smoke else _PACED_SECONDS
            paced = max(1, int(self.pace * seconds))
            found["paced"] = base._replace(records=paced, timed=True, pace=self.pace)
        return found


def available(names: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Those of the peers that are there, with their versions, and what to do about the others."""
    present, missing = {}, {}
    for name in names:
        peer = PEERS[name]
        try:
            present[name] = peer.version()
        except ImportError:
            missing[name] = (
                f"{sys.executable} has no module {peer.module}: apt-get install {peer.package}, "
                "and run this with /usr/bin/python3"
            )
    return present, missing


def measure(names: list[str], plan: Plan, folder: Path) -> tuple[dict[str, Runs], list[str]]:
    """Runs everything once a round, one after the other, so that what happens to the machine
    meanwhile happens to all peers. Returns the results, and what failed."""
    specs = {name: plan.specs(name) for name in names}
    results: dict[str, Runs] = {name: {what: [] for what in specs[name]} for name in names}
    failed = []
    for number in range(plan.rounds):
        for what in results[names[0]]:
            for name in names if number % 2 == 0 else reversed(names):
                _show(f"round {number + 1} of {plan.rounds}: {what}, {PEERS[name].label}")
                result: Optional[dict[str, Any]] = None
                try:
                    result = runs.run(specs[name][what], folder)
                except runs.RunError as err:
                    failed.append(f"{PEERS[name].label}, {what}: {err}")
                results[name][what].append(result)
    _show("")
    return results, failed


def smoke_failures(results: dict[str, Runs]) -> list[str]:
    """What is wrong with the harness, or with ringlog, whatever the times are."""
    wrong = []
    for name, measures in results.items():
        for what, done in measures.items():
            for run in (run for run in done if run is not None and PEERS[name].stores):
                found = f"{run['lost']} records lost, {run['doubled']} doubled"
                if run["lost"] >= run["expected"]:
                    wrong.append(f"{name}, {what}: no record is found in its files")
                elif name == "ringlog" and (run["lost"] or run["doubled"]):
                    wrong.append(f"{name}, {what}: {found}, of {run['expected']}")
    return wrong


def _show(text: str) -> None:
    """Draws the line that says what is going on, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
