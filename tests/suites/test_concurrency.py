"""The suite `concurrency`: what passes is evidence, what fails shows the calls, and what was not tried is no pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.check import catalogue
from conformance.histories.drivers.schedule import Switch
from conformance.histories.kinds import DRIVER
from conformance.histories.kinds import judged as judged_round
from conformance.histories.operation import NEVER, Operation
from conformance.histories.perform import Raised
from conformance.histories.rounds.round import Round
from conformance.histories.search import Found, Order, Searched
from conformance.histories.verdict import Verdict
from conformance.result import Result
from conformance.suites.concurrency import laboratory
from conformance.suites.concurrency.laboratory import REFUSED
from conformance.workers import WorkerError
from tests.benches import bench
from tests.mutants.concurrency_threads import HONEST

PUT = Operation(0, 1, 0, "put", "a", 1)
MISSED = Operation(2, 3, 1, "get", "a")


class Crew:
    """Answers each order with the same."""

    def __init__(self, answer: Searched | Exception) -> None:
        self.answer = answer
        self.orders: list[Order] = []

    def spread(self, _function: object, orders: list[Order]) -> Iterator[tuple[Order, Searched]]:
        """Answer."""
        self.orders = orders
        for order in orders:
            if isinstance(self.answer, Exception):
                raise self.answer
            yield order, self.answer


def judged(answer: Searched | Exception, tmp_path: Path, code: str = "STATE-CONC-01") -> tuple[Result, Crew]:
    """Return the result of a check whose searches come to this."""
    crew = Crew(answer)
    one = bench(HONEST, tmp_path)
    one.rooms["concurrency", "state"] = crew
    return one.judge(catalogue()[code]), crew


def test_what_was_judged_is_evidence(tmp_path: Path) -> None:
    """Rounds in which calls overlapped are compared; all are counted, and so are calls that raised."""
    result, crew = judged(Searched(rounds=5, operations=40, overlapping=4, raised=2), tmp_path)
    assert result.outcome == "pass"
    ways = len(crew.orders)
    assert ways == len(laboratory.THREADS)
    counts = {name: result.evidence[name] for name in ("histories", "operations", "comparisons", "calls that raised")}
    assert counts == {
        "histories": 5 * ways,
        "operations": 40 * ways,
        "comparisons": 4 * ways,
        "calls that raised": 2 * ways,
    }


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Searched(rounds=5, operations=40), "no two calls were ever made at the same time"),
        (Searched(rounds=5, operations=40, overlapping=4, alone="put raised no"), REFUSED.format("put raised no")),
        (Searched(rounds=5, operations=40, overlapping=5, unknown=1), "2 histories could not be decided"),
        (WorkerError("no fork"), "no fork"),
    ],
    ids=["nothing overlapped", "one alone", "undecided", "no worker"],
)
def test_what_was_not_tried_is_no_pass(answer: Searched | Exception, reason: str, tmp_path: Path) -> None:
    """The reason says what is missing."""
    result, _ = judged(answer, tmp_path)
    assert (result.outcome, result.reason) == ("inconclusive", reason)


def failed(one: Round, verdict: Verdict, tmp_path: Path) -> Any:
    """Return what is shown of a round that can't be."""
    result, _ = judged(Searched(rounds=8, operations=60, overlapping=8, found=Found(7, one, verdict)), tmp_path)
    assert result.outcome == "fail"
    assert result.counterexample is not None
    return result.counterexample


def test_a_failure_shows_the_smallest_history_and_the_switches(tmp_path: Path) -> None:
    """Calls that are not needed for the contradiction are left out."""
    others = [Operation(10 + place, 11 + place, 0, "put", "b", place) for place in range(0, 20, 2)]
    one = Round([PUT, MISSED, *others], switches=[Switch(3, 1, "store.py", 12), Switch(4, 0)])
    found = failed(one, Verdict("not linearizable", "something", (PUT, MISSED)), tmp_path)
    assert found.what == "registers, by 2 threads; the smallest part of round 7 that can't be"
    assert found.got == "1 falls wholly inside the time when missing must be current"
    assert [line.split(maxsplit=2)[2].rstrip(" ◀") for line in found.story[:2]] == [
        "put('a', 1)",
        "get('a') -> missing",
    ]
    assert found.story[2:] == (
        "2 switches make it happen; the threads run as follows:",
        "⇢ w2 goes on, and the other stays at store.py:12",
        "⇢ w1 goes on, and the other stays",
    )
    assert found.repeat == "STATE-CONC-01:scheduled:7:3w2,4w1"
    assert [one["label"] for one in found.history["operations"]] == ["put('a', 1)", "get('a') -> missing"]


def test_a_failure_of_the_driver_has_no_history(tmp_path: Path) -> None:
    """What hung, died or raised is told in a sentence."""
    verdict = Verdict("not linearizable", "the threads never came to an end", checker=DRIVER)
    found = failed(Round([PUT], stuck=verdict.why), verdict, tmp_path)
    assert found.got == "the threads never came to an end"
    assert found.story == ()


def test_a_round_that_never_ends_is_told_with_its_latest_calls(tmp_path: Path) -> None:
    """Which of them it was nobody knows, so none is marked."""
    one = Round([Operation(time, time + 1, 0, "put", "b", time) for time in range(1, 40, 3)], stuck="it hangs")
    found = failed(one, judged_round("registers", one), tmp_path)
    assert found.got == "it hangs"
    assert [line.rpartition("put")[2] for line in found.story] == [f"('b', {time})" for time in range(10, 40, 3)]


def test_a_call_that_raised_is_shown_with_those_beside_it(tmp_path: Path) -> None:
    """What was done at the same time tells why."""
    torn = Operation(2, NEVER, 1, "get", "a", outcome="info")
    beside = [Operation(time, time + 2, 0, "put", "b", time) for time in range(1, 40, 3)]
    one = Round([PUT, torn, *beside], [Raised(1, "get", "ValueError: half of it")])
    found = failed(one, judged_round("registers", one), tmp_path)
    assert found.got == "a get raised ValueError: half of it while others wrote"
    assert len([line for line in found.story if line.startswith("w")]) == 6
    assert [line for line in found.story if line.endswith("◀")] == [
        line for line in found.story if "get('a') ?" in line
    ]


def test_effort_and_seed_reach_the_search(tmp_path: Path) -> None:
    """An order has the budget of the run and the seed of the check."""
    _, crew = judged(Searched(rounds=1, operations=8, overlapping=1), tmp_path, "STATE-CONC-02")
    effort = bench(HONEST, tmp_path / "other").effort
    assert {(order.rounds, order.seconds) for order in crew.orders} == {(effort.rounds, effort.round_seconds)}
    assert {order.plan for order in crew.orders} == {"overwrites"}
    assert len({replace(order, way="free").seed for order in crew.orders}) == 1


def test_a_store_for_one_thread_is_not_asked(tmp_path: Path) -> None:
    """What is not promised does not apply."""
    result = bench(replace(HONEST, sharing="single"), tmp_path).judge(catalogue()["STATE-CONC-01"])
    assert result.outcome == "not applicable"
