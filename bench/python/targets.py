"""What ringlog's Python client is meant to reach, and by how much it does not.

For information: nothing fails by it, since on a machine that does other things as well
such figures can come out anyhow.
"""

from __future__ import annotations

from typing import Optional

from report import Report, Summary, micro, quantile, rate, time_text

_RATE = 6.0  # times QueueHandler's
_ABOVE = {"args": 2500.0, "extras": 4000.0}  # median of a call above NullHandler's, in ns
_TAIL = 0.1  # of QueueHandler's p99.9
_WHAT = {
    "args": "three % arguments",
    "extras": "three extras",
    "paced": "three % arguments at a pace",
}


def verdicts(report: Report) -> list[str]:
    """The targets, each with whether this run met it."""
    return ["Targets, in this run:", *_throughput(report), *_median(report), *_tail(report)]


def _throughput(report: Report) -> list[str]:
    ratio = report.ratios("ringlog", "queue", "rate", rate)
    what = f"1. records/s: {_RATE:g} x those of QueueHandler"
    if ratio is None:
        return [_line(None, what)]
    short = ratio.median / _RATE - 1
    miss = "" if short >= 0 else f", {-short:.0%} too few"
    reached = ratio.text(lambda x: f"{x:.2f} x") + miss
    return [_line(ratio.median >= _RATE, f"{what}: {reached}")]


def _median(report: Report) -> list[str]:
    lines = []
    for measure, limit in _ABOVE.items():
        what = f"2. median with {_WHAT[measure]}: {limit / 1000:g} µs above NullHandler's"
        above = report.ratios("ringlog", "null", measure, quantile("p50"), less=True)
        if above is None:
            lines.append(_line(None, what))
            continue
        reached = above.text(micro)
        over = above.median - limit
        miss = f", {micro(over)} or {over / limit:.0%} over" if over > 0 else ""
        lines.append(_line(over <= 0, f"{what}: {reached}{miss}"))
    return lines


def _tail(report: Report) -> list[str]:
    lines, of = [], quantile("p99.9")
    for measure, with_what in _WHAT.items():
        what = f"3. p99.9 with {with_what}: {_TAIL:g} of QueueHandler's"
        ratio = report.ratios("ringlog", "queue", measure, of)
        if ratio is None:
            if measure in _ABOVE:
                lines.append(_line(None, what))
            continue
        miss = f", {ratio.median / _TAIL:.1f} times too long" if ratio.median > _TAIL else ""
        reached = ratio.text(lambda x: f"{x:.2f}")
        lines.append(_line(ratio.median <= _TAIL, f"{what}: {reached}{miss}"))
        lines += _hopeless(report, measure, report.of("null", measure, of))
    return lines


def _hopeless(report: Report, measure: str, floor: Optional[Summary]) -> list[str]:
    """Says so where a handler that does nothing misses the target as well: then it is the
    scheduler that is measured, which takes the CPU from one call in a thousand."""
    ratio = report.ratios("null", "queue", measure, quantile("p99.9"))
    if ratio is None or floor is None or ratio.median <= _TAIL:
        return []
    return [
        f"            NullHandler's alone is {time_text(floor.median)}, {ratio.median:.2f} of "
        "QueueHandler's: no handler can meet it here"
    ]


def _line(met: Optional[bool], text: str) -> str:
    return f"  {'not known' if met is None else 'met' if met else 'MISSED':<10}{text}"
