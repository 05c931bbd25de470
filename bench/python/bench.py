#!/usr/bin/env python3
"""What logging from several processes costs with ringlog, beside what others take for it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, Optional, Sequence

import breakdown
from peers import PEERS, use_checkout
from report import Report, heading, host
from rounds import Plan, available, measure, smoke_failures
from runs import RunError
from targets import verdicts

EXAMPLES = """\
examples:
  bench.py                            everything, 5 rounds: some 7 minutes
  bench.py --only ringlog queue       these and the floor
  bench.py --workers 1                one process that logs, which has a CPU to itself
  bench.py --rounds 11 --json r.json  more rounds, and all their results in a file
  bench.py --profile                  where the time of one call of ringlog goes
  bench.py --smoke                    some seconds: whether all of this works
  TMPDIR=/dev/shm bench.py            log files in memory

Peers that are not installed are skipped, and said to be. Whether the targets are met changes
nothing about the exit code: it is 0, or 1 if a run failed. Compare ratios of one run, never
figures of two.
"""


def compare(plan: Plan, only: Sequence[str], save: Optional[Path], folder: Path) -> int:
    """Measures and prints. Returns the exit code."""
    about = host()
    present, missing = available([name for name in PEERS if name == "null" or name in only])
    about["versions"] = {PEERS[name].module: text for name, text in present.items() if text}
    print(heading(about), setting(plan, folder), sep="\n", flush=True)
    results, failed = measure(list(present), plan, folder)
    report = Report(results, plan.rounds)
    blocks = [report.throughput()]
    blocks += [report.latency(what, title) for what, title in titles(plan).items()]
    blocks += [report.remarks(), report.noise(), verdicts(report)]
    blocks += [[f"SKIPPED {PEERS[name].label}: {why}" for name, why in missing.items()]]
    for block in blocks:
        if block:
            print("", *block, sep="\n")
    if save:
        saved: dict[str, Any] = {"host": about, "plan": plan._asdict(), "results": results}
        saved.update(skipped=missing, failed=failed, targets=verdicts(report))
        save.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")
    if plan.smoke:
        failed += smoke_failures(results) + breakdown.failure(folder)
    for text in failed:
        print(f"FAILED {text}", file=sys.stderr)
    return 1 if failed else 0


def setting(plan: Plan, folder: Path) -> str:
    who = "1 worker process" if plan.workers == 1 else f"{plan.workers} worker processes"
    many = f"{plan.records:,} records of each" if plan.records else "records for some seconds"
    extremes = f"{plan.rounds} rounds, interleaved: medians of the rounds, and their extremes"
    return (
        f"{who} (fork), {many}; files rotated at {plan.max_bytes / 1e6:g} MB, in "
        f"{folder.parent}\n{extremes if plan.rounds > 1 else 'one round'}"
    )


def titles(plan: Plan) -> dict[str, str]:
    """The tables of single calls, by measure."""
    who = f"in {plan.workers} workers at once" if plan.workers > 1 else "in one process alone"
    fast = "as fast as they can" if plan.workers > 1 else "as fast as it can"
    found = {
        "args": f"One call with three % arguments, {who}, {fast}",
        "extras": f"One call with three extras (an int, a float, a str), {who}, {fast}",
    }
    if plan.pace:
        found["paced"] = f"One call with three % arguments, {who}, {plan.pace:g} a second in each"
    return found


def options(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def flag(name: str, about: str, kind: Any = int, default: Any = None, **more: Any) -> None:
        parser.add_argument(name, type=kind, default=default, help=about, **more)

    flag("--rounds", "how often everything is measured (5; 1 with --smoke)", metavar="N")
    flag("--records", "of each worker (as many as take each peer some seconds)", metavar="N")
    flag("--workers", "processes that log (4)", default=4, metavar="N")
    flag("--pace", "records a second of each worker where they are paced; 0: leave that out "
         "(1000)", float, 1000.0, metavar="R")
    flag("--only", f"the floor and these: {', '.join(PEERS)}", str, list(PEERS), nargs="+",
         metavar="PEER", choices=list(PEERS))
    flag("--json", "save all results to this file", Path, metavar="FILE")
    parser.add_argument("--profile", action="store_true", help="where a call's time goes, alone")
    parser.add_argument("--smoke", action="store_true", help="whether the benchmark works")
    found = parser.parse_args(arguments)
    for name, default in (("rounds", 1 if found.smoke else 5), ("records", 1000 * found.smoke)):
        given = getattr(found, name)
        setattr(found, name, default if given is None else given)
        if given is not None and given < 1:
            parser.error(f"--{name} {given}: want 1 or more")
    if not 1 <= found.workers <= 60 or not 0 <= found.pace <= 1e5:
        parser.error("want 1 to 60 --workers, and a --pace of 0 to 100000")
    if found.json and not os.access(found.json.resolve().parent, os.W_OK):
        parser.error(f"--json {found.json}: that folder cannot be written")
    return found


def main(arguments: Optional[Sequence[str]] = None) -> int:
    chosen = options(arguments)
    use_checkout()
    for number in (signal.SIGTERM, signal.SIGHUP):  # they end it like Ctrl-C, in good order
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        with tempfile.TemporaryDirectory(prefix="ringlog-bench-") as folder:
            if chosen.profile:
                return breakdown.show(Path(folder), chosen.json)
            plan = Plan(chosen.rounds, chosen.workers, chosen.records, chosen.pace, chosen.smoke)
            return compare(plan, chosen.only, chosen.json, Path(folder))
    except RunError as err:
        print(f"bench.py: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: nothing is left behind", file=sys.stderr)
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
