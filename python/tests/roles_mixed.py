"""A worker that logs a bit of everything: names, levels, extras, tracebacks, long messages.

    python -m tests.roles_mixed WORKER COUNT NOTES

Its nth record is always the same, so a test that logs them too knows what is due. The
number of each record is written to the file NOTES after the call that logged it has
returned: what is there was accepted.
"""

from __future__ import annotations

import logging
import os
import random
import sys

NOTICE = 25
LEVELS = (logging.DEBUG, logging.INFO, NOTICE, logging.WARNING, logging.ERROR, logging.CRITICAL)
NAMES = ("trades", "trades.fills", "orders", "model.train", "größe", "a")
TEXTS = (
    "short",
    "Grüße, 世界 \U0001f600",
    'quotes " and \\ and {braces} = %d %s',
    "two\nlines\tand a tab, \x1b[31mred\x1b[0m\x00\x7f",
    "surrogate \udc80 alone",
)


class Thing:
    def __init__(self, n: int) -> None:
        self.n = n

    def __str__(self) -> str:
        return f"<thing {self.n}>"


def extras(n: int, choice: random.Random) -> dict[str, object]:
    values: dict[str, object] = {
        "count": choice.randrange(-(1 << 63), 1 << 63),
        "big": choice.randrange(1 << 63, 1 << 64),
        "price": choice.uniform(-1e6, 1e6),
        "yes": choice.random() < 0.5,
        "nothing": None,
        "text": choice.choice(TEXTS),
        "raw": choice.randbytes(n % 50),
        "group": {"side": "buy", "deep": {"n": n, "of": "é"}},
        "thing": Thing(n),
        "pair": (n, "x"),
    }
    chosen = choice.sample(sorted(values), n % 5)
    return {"n": n, **{key: values[key] for key in chosen}}


def fail(depth: int, n: int) -> None:
    if depth:
        fail(depth - 1, n)
    try:
        raise KeyError(f"missing {n}")
    except KeyError as err:
        raise ValueError("größer\nthan expected") from err


def send(worker: str, n: int) -> None:
    """Logs record n of worker."""
    choice = random.Random(f"{worker}-{n}")
    log = logging.getLogger(choice.choice(NAMES))
    level, text = choice.choice(LEVELS), choice.choice(TEXTS)
    added = extras(n, choice)
    if n % 50 == 0:
        log.log(level, "long %s", text * choice.randrange(1000), extra=added)
    elif n % 10 == 1:
        try:
            fail(n % 7, n)
        except ValueError:
            log.exception("failed: %s, %d", text, n, extra=added)
    elif n % 33 == 2:
        log.log(level, "here: %r", Thing(n).n, stack_info=True, extra=added)
    else:
        log.log(level, "record %05d of %s: %s", n, worker, text, extra=added)


def prepare(handler: logging.Handler) -> None:
    logging.addLevelName(NOTICE, "NOTICE")
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)


def work(worker: str, count: int, notes: str) -> None:
    accepted = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for n in range(count):
        send(worker, n)
        os.write(accepted, b"%d\n" % n)


def main(worker: str, count: str, notes: str) -> None:
    import ringlog

    prepare(ringlog.RingHandler(label=worker, timeout=50))
    work(worker, int(count), notes)


if __name__ == "__main__":
    main(*sys.argv[1:])
