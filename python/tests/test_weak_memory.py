"""What a reader makes of a writer whose stores it sees in another order than they were made,
as a CPython writer's may be on arm64: the argument is in docs/format.md, W8."""

from __future__ import annotations

import unittest

from . import support
from .roles_weak import HELD_UP, ORDERS

# By order: how late what is late comes, in milliseconds. Stores are visible a thousand times
# sooner; the reader gives them a tenth of a second.
LATE = {"payload_in_pieces": 0.1, "backwards": 1, "any_order": 1}
TRIES = 20  # of a writer that the machine holds up for longer than the reader waits


class WeakMemoryTest(unittest.TestCase):
    def setUp(self) -> None:
        self.count = support.by_thoroughness(70, 100, 2000)

    def play(self, order: str, late: float, end: str = "closes", code: int = 0) -> support.Draining:
        path = support.ring(self, "--lanes", "1", "--lane-size", "64KiB")
        drain = support.Draining(self, path)
        play = support.Play(
            self, "roles_weak", order, str(self.count), str(late), end, RINGLOG_RING=path
        )
        self.held_up = HELD_UP.decode() in play.end(code, timeout=600).out
        return drain

    def played(
        self, events: list[str], order: str, late: float, end: str = "closes", code: int = 0
    ) -> None:
        """What is late comes in time, and is whole then."""
        for _ in range(TRIES):
            drain = self.play(order, late, end, code)
            try:
                return self.whole(drain, events)
            except AssertionError:
                if not self.held_up:
                    raise
        self.fail(f"the machine held the writer up {TRIES} times")

    def whole(self, drain: support.Draining, events: list[str]) -> None:
        """Each record is in the log once, whole and in its order; nothing is damaged."""
        records = drain.end()
        messages = [record["msg"] for record in records if record["logger"] != "ringlog"]
        expected = [f"record {n} " + "abcdefgh"[n % 8] * 900 for n in range(self.count)]
        self.assertEqual([m.split()[1] for m in messages], [m.split()[1] for m in expected])
        self.assertTrue(messages == expected, "a record is not what was logged")
        self.assertEqual([record["event"] for record in support.told(records)], events)

    def test_stores_that_are_seen_in_another_order_damage_and_lose_nothing(self) -> None:
        for order in ORDERS:
            with self.subTest(order=order):
                self.played([], order, LATE.get(order, 2))

    def test_nothing_is_lost_if_the_writer_is_killed_then(self) -> None:
        for order in ("end_late", "position_late"):
            with self.subTest(order=order):
                self.played(["vanished"], order, 3, "killed", -9)

    def test_what_is_seen_within_half_of_the_readers_patience_is_in_time(self) -> None:
        self.count = 5
        self.played([], "end_late", 50)

    def test_what_comes_later_than_the_reader_waits_is_damaged_so_these_tests_would_see_it(
        self,
    ) -> None:
        self.count = 3
        drain = self.play("end_late", 400)
        with self.assertRaisesRegex(AssertionError, "exit code 6"):
            drain.end()


if __name__ == "__main__":
    unittest.main()
