"""What the figures are said to be: tables, the machine, the targets."""

from __future__ import annotations

import os
import platform
import statistics
import time
from typing import Any, Callable, NamedTuple, Optional, Sequence

from peers import PEERS

# By measure: the results of a peer, one a round. Where a run failed there is a None.
Runs = dict[str, list[Optional[dict[str, Any]]]]
Quantity = Callable[[dict[str, Any]], float]

# The share of the floor's median that its rounds may span, and the share of the machine that
# others may use, before the machine is called noisy.
_SPAN, _OTHERS = 0.10, 0.05


class Summary(NamedTuple):
    """Medians, not means: a round in which the machine did something else would move a mean as
    far as it likes."""

    median: float
    low: float
    high: float

    def text(self, form: Callable[[float], str]) -> str:
        if self.low == self.high:
            return form(self.median)
        return f"{form(self.median)} ({self.extremes(form)})"

    def extremes(self, form: Callable[[float], str]) -> str:
        """The unit once, where both have the same; nothing of a single round."""
        if self.low == self.high:
            return ""
        low, high = form(self.low), form(self.high)
        number, _, unit = low.partition(" ")
        return f"{number if unit == high.partition(' ')[2] else low} .. {high}"


def host() -> dict[str, Any]:
    """What the figures depend on."""
    cpu = "unknown CPU"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            cpu = next(x.split(":")[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "cpu": cpu,
        "cpus": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": os.getloadavg()[0],
    }


def heading(about: dict[str, Any]) -> str:
    versions = [f"{label} {version}" for label, version in about.get("versions", {}).items()]
    return (
        f"{about['time']}\n{about['python']}, {about['cpus']} CPUs ({about['cpu']}), "
        f"{about['system']}, load {about['load']:.2f} when it began"
    ) + ("\n" + "; ".join(versions) if versions else "")


class Report:
    """The results by peer, and what can be said of them."""

    def __init__(self, results: dict[str, Runs], rounds: int) -> None:
        self.results, self.rounds = results, rounds

    def each(self, peer: str, measure: str, of: Quantity) -> list[Optional[float]]:
        """A quantity in each round."""
        runs = self.results.get(peer, {}).get(measure, [])
        return [None if run is None else of(run) for run in runs]

    def ratios(
        self, peer: str, other: str, measure: str, of: Quantity, less: bool = False
    ) -> Optional[Summary]:
        """A peer's quantity to another's, or less it. Of one round each: a machine that slows
        down for a while slows both."""
        pairs = zip(self.each(peer, measure, of), self.each(other, measure, of))
        known = [(a, b) for a, b in pairs if a is not None and b is not None]
        return summary([a - b if less else a / b for a, b in known])

    def of(self, peer: str, measure: str, of: Quantity) -> Optional[Summary]:
        return summary(self.each(peer, measure, of))

    def throughput(self) -> list[str]:
        rows = [["", "records/s", "min .. max", "ratio", "CPU/record", "records", "files", "lost"]]
        for name in self.results:
            rates = self.of(name, "rate", rate)
            runs = [run for run in self.results[name].get("rate", []) if run is not None]
            if rates is None:
                continue
            ratio = self.ratios(name, "queue", "rate", rate)
            cpu = self.of(name, "rate", cpu_time)
            every = [run for x in self.results[name].values() for run in x if run is not None]
            expected = sum(run.get("expected", 0) for run in every)
            lost = sum(run.get("lost", 0) for run in every)
            stored = PEERS[name].stores
            rows.append([
                PEERS[name].label,
                kilo(rates.median),
                rates.extremes(kilo),
                f"{ratio.median:.2f} x" if ratio else "",
                time_text(cpu.median) if cpu else "",
                f"{runs[0]['records']:,}",
                f"{runs[-1]['files']}" if stored else "",
                (f"{lost:,} of {expected:,}" if lost else "0") if stored else "",
            ])
        return [
            "Throughput: from the workers' first record until the last one is in the files, "
            "shutdown included",
            *table(rows),
            "ratio: to QueueHandler. CPU/record: processor time of all processes. records, files: "
            "of one run. lost: in all runs of this benchmark, by what is in the files.",
        ]

    def latency(self, measure: str, title: str) -> list[str]:
        head = "median", "min .. max", "above floor", "p99", "p99.9", "min .. max", "longest"
        rows = [["", *head]]
        for name in self.results:
            median = self.of(name, measure, quantile("p50"))
            if median is None:
                continue
            above = self.ratios(name, "null", measure, quantile("p50"), less=True)
            p99, p999, top = (self.of(name, measure, quantile(q)) for q in ("p99", "p99.9", "max"))
            assert p99 and p999 and top
            rows.append([
                PEERS[name].label,
                micro(median.median),
                median.extremes(micro),
                micro(above.median) if above and name != "null" else "",
                time_text(p99.median),
                time_text(p999.median),
                p999.extremes(time_text),
                time_text(top.high),
            ])
        return [title, *table(rows)]

    def remarks(self) -> list[str]:
        """What the tables do not show: what went wrong, and what ringlog's records met."""
        lines = []
        for name, runs in self.results.items():
            done = [run for each in runs.values() for run in each if run is not None]
            errors = sum(run["errors"] for run in done)
            doubled = sum(run.get("doubled", 0) for run in done)
            if errors:
                lines.append(f"{PEERS[name].label}: {errors:,} logging errors on standard error")
            if doubled:
                lines.append(f"{PEERS[name].label}: {doubled:,} records are in the files twice")
            lines += sorted({f"{name} said: {line}" for run in done for line in run["said"]})
        for measure, rounds in self.results.get("ringlog", {}).items():
            lines += _rare(measure, [run for run in rounds if run is not None])
        return lines

    def noise(self) -> list[str]:
        """Whether the machine was a noisy one."""
        floor = self.of("null", "args", quantile("p50"))
        runs = [r for x in self.results.values() for y in x.values() for r in y if r is not None]
        if floor is None or not runs:
            return []
        span = (floor.high - floor.low) / floor.median
        known = f"spans {span:.0%} of itself over {self.rounds} rounds"
        others = statistics.mean(run["others"] for run in runs)
        worst = max(run["others"] for run in runs)
        text = (
            f"the floor's median {known if self.rounds > 1 else 'is of one round'}; "
            f"other processes used {others:.0%} of the CPUs, at most {worst:.0%} in a run"
        )
        if span > _SPAN or others > _OTHERS:
            return [f"NOISY: {text}. Measure again on a quiet machine."]
        return [f"Quiet enough: {text}."]


def _rare(measure: str, runs: list[dict[str, Any]]) -> list[str]:
    """What some of ringlog's records had to do besides: wait for room, wake the reader."""
    total = sum(run["records"] for run in runs)
    if not total:
        return []
    notes = {key: sum(run["notes"][key] for run in runs) for key in runs[0]["notes"]}
    waited = f", {notes['waits_ns'] / 1e6:,.1f} ms in all" if notes["waits"] else ""
    woken = ""
    if notes["wakes"]:
        each = notes["wakes_ns"] / notes["wakes"] / 1000
        woken = f", each in {each:.1f} µs on average"
    return [
        f"ringlog, {measure}: of {total:,} records {notes['waits']:,} waited for room{waited}; "
        f"{notes['wakes']:,} woke the reader{woken}"
    ]


def rate(run: dict[str, Any]) -> float:
    return float(run["records"] / run["seconds"])


def cpu_time(run: dict[str, Any]) -> float:
    return float(run["cpu_ns_per_record"])


def quantile(name: str) -> Quantity:
    """In nanoseconds."""
    return lambda run: float(run["latency_ns"][name])


def summary(values: Sequence[Optional[float]]) -> Optional[Summary]:
    known = [x for x in values if x is not None]
    return Summary(statistics.median(known), min(known), max(known)) if known else None


def micro(ns: float) -> str:
    return f"{ns / 1000:.2f} µs"


def kilo(per_second: float) -> str:
    return f"{per_second / 1000:.1f} k/s"


def time_text(ns: float) -> str:
    return f"{ns / 1e6:.2f} ms" if ns >= 1e6 else f"{ns / 1e3:.1f} µs"


def table(rows: list[list[str]]) -> list[str]:
    """Columns, the first to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join(["", row[0].ljust(widths[0]), *(x.rjust(w) for x, w in zip(row[1:], widths[1:]))])
        for row in rows
    ]
