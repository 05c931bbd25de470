"""Forks, of every kind and at every moment: nothing hangs, nobody shares a lane, nothing is
lost or doubled. What the processes do is in roles_fork; judged is what the drain wrote."""

from __future__ import annotations

import json
import unittest
from collections import Counter
from typing import Any

from . import support
from .support import Draining, Play, by_thoroughness

# A lane that was used is free again when it is drained, and children come fast.
SMALL = ("--lanes", "1024", "--lane-size", "64KiB")


def due(out: str) -> dict[int, Counter[int]]:
    """Which numbers each process has logged, as it printed them."""
    found: dict[int, Counter[int]] = {}
    for line in out.splitlines():
        said = json.loads(line)
        if all(key.isdigit() for key in said):
            for pid, counts in said.items():
                numbers = found.setdefault(int(pid), Counter())
                for count in counts:
                    numbers.update(range(count))
    return found


def drained(records: list[dict[str, Any]]) -> dict[int, Counter[int]]:
    """Which numbers of each process are in the log."""
    found: dict[int, Counter[int]] = {}
    for record in records:
        if "n" in record.get("attrs", {}):
            found.setdefault(record["attrs"]["me"], Counter()).update([record["attrs"]["n"]])
    return found


class ForkTest(unittest.TestCase):
    def complete(self, out: str, records: list[dict[str, Any]]) -> None:
        """The log has what was logged, each once, and each from the process whose lane it is."""
        found, expected = drained(records), due(out)
        for pid in found.keys() | expected.keys():
            logged, counted = expected.get(pid, Counter()), found.get(pid, Counter())
            missing, more = logged - counted, counted - logged
            self.assertFalse(missing or more, f"of {pid}, {missing} are lost, {more} too many")
        self.own_lanes(records)
        self.assertEqual([r["msg"] for r in support.told(records) if r["event"] != "lost"], [])

    def own_lanes(self, records: list[dict[str, Any]]) -> None:
        for record in records:
            attributes = record.get("attrs", {})
            if "me" in attributes:
                self.assertEqual(record["pid"], attributes["me"], record)
        ids = Counter(record["id"] for record in records)
        self.assertEqual([i for i, count in ids.items() if count > 1], [])

    def play(self, *arguments: str, module: str = "roles_fork", timeout: float = 60.0) -> str:
        """Plays a role beside a drain, to its end, and checks that the log is complete."""
        path = support.ring(self, *SMALL)
        drain = Draining(self, path)
        play = Play(self, module, *arguments, RINGLOG_RING=path)
        ended = play.end(timeout=timeout)
        self.assertNotIn("records go elsewhere", ended.err)
        self.complete(ended.out, drain.end())
        play.all_gone()
        return ended.err

    def test_a_fork_in_the_middle_of_a_log_call_of_another_thread_loses_and_hangs_nothing(
        self,
    ) -> None:
        forks = by_thoroughness(100, 500, 10_000)
        self.play("mid_call", str(forks), timeout=60 + forks / 5)

    def test_a_fork_while_other_threads_attach_and_detach(self) -> None:
        forks = by_thoroughness(30, 100, 2000)
        self.play("mid_call", str(forks), "detaches", timeout=60 + forks)

    def test_a_fork_at_each_line_of_an_append_of_another_thread(self) -> None:
        self.assertForks(self.play("each_line", "append", "1"), 20)

    def test_a_fork_at_each_line_of_counting_a_loss_in_another_thread(self) -> None:
        self.assertForks(self.play("each_line", "lose", "1"), 8)

    def test_a_fork_at_each_line_of_a_detach_of_another_thread(self) -> None:
        self.assertForks(self.play("each_line", "close", "1"), 20)

    def test_a_fork_at_lines_of_an_attach_of_another_thread(self) -> None:
        # Each fork waits a second for the attach, but not for ever; as that is held up for
        # longer, the child then has a description of what was being attached.
        stride = by_thoroughness(20, 15, 1)
        self.assertForks(self.play("each_line", "attach", str(stride), timeout=300), 3, True)

    def assertForks(self, said: str, least: int, may_hold: bool = False) -> None:
        """Each fork left its child nothing of the ring, and there were as many as expected."""
        held = [line for line in said.splitlines() if line.startswith("held up at")]
        if not may_hold:
            self.assertEqual(held, [])
        self.assertGreaterEqual(int(said.splitlines()[-1].split()[0]), least, said)

    def test_a_fork_does_not_wait_for_ever_for_a_thread_that_attaches(self) -> None:
        self.play("pending_lock")

    def test_a_fork_behind_pythons_back_claims_a_lane_with_its_first_record(self) -> None:
        self.play("libc_fork", "says pids")

    def test_a_fork_behind_pythons_back_is_noticed_where_records_have_no_pid(self) -> None:
        self.play("libc_fork", "")

    def test_children_by_hand_detach_and_their_children_too(self) -> None:
        self.play("by_hand")

    def test_hooks_that_were_registered_earlier_may_log_at_a_fork(self) -> None:
        self.play("20", module="roles_hooks")

    def test_a_fork_in_a_signal_handler_in_the_middle_of_a_log_call(self) -> None:
        self.play("in_signal_handler", str(by_thoroughness(30, 100, 2000)), timeout=300)

    def test_a_child_that_returns_from_the_signal_handler_finishes_the_interrupted_call(
        self,
    ) -> None:
        path = support.ring(self, *SMALL)
        drain = Draining(self, path)
        ended = Play(self, "roles_fork", "in_signal_handler", "20", "on", RINGLOG_RING=path).end()
        records = drain.end()
        self.assertEqual(support.told(records), [])
        (parent, numbers), *_ = due(ended.out).items()
        children = json.loads(ended.out.splitlines()[0])["children"]
        found: dict[int, list[dict[str, Any]]] = {}
        for record in records:
            found.setdefault(record["pid"], []).append(record["attrs"])
        logged = found.pop(parent)
        self.assertEqual(Counter(attrs["n"] for attrs in logged), numbers)
        self.assertEqual({attrs["me"] for attrs in logged}, {parent})
        # A child that was forked when the last record was done has nothing left to log.
        self.assertLessEqual(set(found), set(children))
        self.assertTrue(found)
        for child, logged in found.items():
            counted = Counter(attrs["n"] for attrs in logged)
            first = min(counted)
            self.assertEqual(counted, Counter(range(first, 2000)))
            # Its pid was asked for by the parent, if it was in a record by then.
            asked = [attrs["me"] for attrs in logged]
            self.assertIn(asked[0], (parent, child))
            self.assertEqual(set(asked[1:]), {child})

    def test_the_lane_of_a_killed_parent_is_drained_and_used_again_while_its_child_lives(
        self,
    ) -> None:
        for how in ("os.fork", "libc"):
            with self.subTest(how=how):
                self.orphan(how)

    def orphan(self, how: str) -> None:
        lanes = "1" if how == "os.fork" else "2"
        path = support.ring(self, "--lanes", lanes, "--lane-size", "64KiB")
        log = support.folder(self) / "all.json"
        drain = ("drain", "--once", "--ring", path, "--format", "json", "--out", str(log))
        play = Play(self, "roles_fork", "orphan", "100", how, RINGLOG_RING=path)
        play.says('"has"')
        play.end(-9)
        child = json.loads(play.out.splitlines()[0])
        self.assertEqual(child["has"], [], "the child holds its parent's lane")
        support.run(*drain)
        records = support.lines(log)
        self.assertEqual([r["event"] for r in support.told(records)], ["vanished"])
        self.assertEqual(support.told(records)[0]["pid"], play.process.pid)
        self.assertEqual(drained(records)[play.process.pid], Counter(range(100)))
        # The lanes are free again: as many others as there are lanes log.
        for _ in range(int(lanes)):
            other = Play(self, "roles_fork", "by_hand_once", RINGLOG_RING=path)
            other.end()
        self.assertEqual(list(play.left()), [child["child"]])
        support.run(*drain)
        play.tell()
        play.says("child ends")
        play.all_gone()
        support.run(*drain)
        records = support.lines(log)
        self.assertEqual(drained(records)[child["child"]], Counter(range(5)))
        self.assertEqual(len(support.told(records)), 1, support.told(records))
        self.own_lanes(records)


if __name__ == "__main__":
    unittest.main()
