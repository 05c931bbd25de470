"""The objective of optuna_parallel.py: moving averages on monthly prices, walked forward.

At the end of each span the pair of averages that was best in the years before is traded in
the months that follow. The value is the Sharpe ratio of all these months. Monthly prices are mostly
averages, which nobody can trade at: don't.
"""

from __future__ import annotations

import csv
import logging
import math
import random
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, Optional

import optuna

import ringlog

app = ringlog.setup_logger("app", use_multiprocessing=True)
trades = ringlog.setup_logger("trades", use_multiprocessing=True)
orders = ringlog.setup_logger("orders", use_multiprocessing=True)

FEE = 0.001  # of what is bought or sold
FIRST = 32 * 12  # months before the first that is traded: to train in, and for averages


class Prices(NamedTuple):
    """What was paid in each month, the oldest first."""

    months: list[str]  # year-month
    paid: list[float]


def load(path: Optional[Path]) -> Prices:
    """The prices in a CSV file with columns Date and SP500, or Close; without one, a random
    walk, always the same. Raises ValueError, which says what is wrong with the file."""
    if path is None:
        chance, paid, drift = random.Random(1602), [100.0], 0.0
        for month in range(150 * 12):
            if month % 18 == 0:  # so that there are trends to follow, and to be wrong about
                drift = chance.gauss(0.005, 0.01)
            paid.append(paid[-1] * math.exp(chance.gauss(drift, 0.04)))
        return Prices([f"{1871 + n // 12}-{n % 12 + 1:02}" for n in range(len(paid))], paid)
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        column = next(name for name in ("SP500", "Close") if rows and name in rows[0])
        prices = Prices([row["Date"][:7] for row in rows], [float(row[column]) for row in rows])
    except (StopIteration, KeyError, TypeError, ValueError) as err:
        raise ValueError(
            f"{path}: want a CSV file with a column Date (year-month-day) and one of prices, "
            f"SP500 or Close: {err or 'there is no such column'}"
        ) from err
    if len(prices.paid) < FIRST + 12 * 10 or min(prices.paid) <= 0:
        raise ValueError(f"{path}: want {FIRST + 12 * 10} months or more, of prices above 0")
    return prices


class Sums:
    """Sums over any span of numbers, at the price of a subtraction."""

    def __init__(self, numbers: list[float]) -> None:
        self.sums = [0.0, *accumulate(numbers)]

    def __call__(self, begin: int, end: int) -> float:
        return self.sums[end] - self.sums[begin]


class Returns:
    """What somebody earns in each month."""

    def __init__(self, months: list[float]) -> None:
        self.months = months
        self.sum, self.squares = Sums(months), Sums([x * x for x in months])

    def sharpe(self, begin: int, end: int) -> float:
        """The mean over the standard deviation, of a year."""
        mean = self.sum(begin, end) / (end - begin)
        variance = self.squares(begin, end) / (end - begin) - mean * mean
        return mean / math.sqrt(variance) * math.sqrt(12) if variance > 1e-12 else 0.0


class WalkForward:
    """The objective; one is used by several threads."""

    def __init__(self, prices: Prices) -> None:
        self.dates, self.prices = prices
        self.sum = Sums(self.prices)

    def __call__(self, trial: optuna.Trial) -> float:
        slowest = trial.suggest_int("slowest", 6, 24, step=3)
        train = 12 * trial.suggest_int("train_years", 5, 30)
        test = trial.suggest_int("test_months", 12, 60, step=6)
        band = trial.suggest_float("band", 0.0, 0.05)
        # What is logged here, in any logger, says by itself which trial it is of.
        app.info("trial begins", extra=trial.params)

        rules = {
            (fast, slow): self.follow(fast, slow, band)
            for slow in range(6, slowest + 1, 3)
            for fast in (1, 3)
        }
        earned = Returns([])
        for begin in range(FIRST, len(self.prices), test):
            end = min(begin + test, len(self.prices))
            best = max(rules, key=lambda rule: rules[rule].sharpe(begin - train, begin))
            app.info("averages of %d and %d months", *best, extra={"from": self.dates[begin]})
            self.log_fills(rules[best], *best, band, begin, end)
            steps = len(earned.months) // 240
            earned = Returns(earned.months + rules[best].months[begin:end])
            if len(earned.months) // 240 > steps:  # each 20 years, whatever the test's length
                trial.report(earned.sharpe(0, len(earned.months)), steps + 1)
                if trial.should_prune():
                    raise optuna.TrialPruned(f"in {self.dates[end - 1]}")
        return earned.sharpe(0, len(earned.months))

    def holds(self, i: int, fast: int, slow: int, band: float) -> bool:
        """Whether a rule has one hold in month i, by what was known before it."""
        return self.sum(i - fast, i) / fast > (1 + band) * self.sum(i - slow, i) / slow

    def follow(self, fast: int, slow: int, band: float) -> Returns:
        """What a rule earns, fees included."""
        months, held = [0.0] * slow, False
        for i in range(slow, len(self.prices)):
            hold = self.holds(i, fast, slow, band)
            change = self.prices[i] / self.prices[i - 1] - 1 if hold else 0.0
            months.append(change - (FEE if hold != held else 0.0))
            held = hold
        return Returns(months)

    def log_fills(
        self, earned: Returns, fast: int, slow: int, band: float, begin: int, end: int
    ) -> None:
        """Logs what following a rule in these months orders and trades."""
        bought = 0
        for i in range(begin, end + 1):
            hold = i < end and self.holds(i, fast, slow, band)
            if hold == bool(bought):
                continue
            price, month = self.prices[i - 1], self.dates[i - 1]
            orders.info("%s at %.2f", "buy" if hold else "sell", price, extra={"month": month})
            if hold:
                bought = i
                continue
            profit = math.prod(1 + x for x in earned.months[bought:i]) - 1
            level = logging.WARNING if profit < -0.1 else logging.INFO
            details = {"bought": self.dates[bought - 1], "sold": month, "months": i - bought}
            trades.log(level, "closed with %+.1f %%", 100 * profit, extra=details)
            bought = 0
