"""Counters: each kind of wrong, and agreement with trying every order."""

from __future__ import annotations

import random

import pytest

from conformance.histories.checkers.counter import check_counter
from conformance.histories.operation import NEVER, Operation
from tests.histories.checkers.brute import FUZZ, crashed, in_order, interval, linearizable


def inc(call: int, end: int, answer: int | None = None, outcome: str = "ok") -> Operation:
    """Return an increment."""
    return Operation(call, end, call, "increment", "a", None, None, answer, outcome)  # type: ignore[arg-type]


def get(call: int, end: int, answer: object) -> Operation:
    """Return a get."""
    return Operation(call, end, call, "get", "a", None, None, answer)


@pytest.mark.parametrize(
    ("history", "why"),
    [
        ([inc(0, 1, 1), inc(2, 3, 1)], "two increments answered 1: one is lost"),
        ([inc(0, 1, 1), inc(2, 3, 3)], "the count is 3 after 2 increments"),
        ([inc(0, 1, 2), inc(2, 3, 1)], "the count went back: 2 was answered before the call that answered 1"),
        ([inc(0, 1, 1), get(2, 3, 0)], "the count went back: 1 was answered before the call that answered 0"),
        ([get(0, 1, 1), inc(2, 3, None)], "the count is 1 or more before so many increments were called"),
        ([inc(0, 1), get(2, 3, 0)], "an increment that had returned is not in a later count"),
        ([get(0, 1, "x")], "'x' is no count that a get can answer"),
        ([inc(0, 1, 0)], "0 is no count that an increment can answer"),
        ([get(0, 1, 0), inc(2, 3, 1), get(4, 5, 0)], "the count went back: 1 was answered before the call"),
    ],
)
def test_each_kind_of_wrong_is_told(history: list[Operation], why: str) -> None:
    """The reason is one sentence, and there is a witness."""
    verdict = check_counter(history)
    assert verdict.broken
    assert verdict.why.startswith(why)
    assert verdict.witness
    assert verdict.key == "a"


def test_crashed_increments_fill_holes() -> None:
    """One that nobody heard of again counts if it must, and if it had been called in time."""
    lost = inc(1, NEVER, None, "info")
    assert check_counter([inc(0, 2, 1), lost, inc(3, 4, 3)]).holds
    assert check_counter([inc(0, 2, 1), lost, inc(3, 4, 2)]).holds
    assert check_counter([inc(0, 2, 1), inc(3, 4, 3), inc(5, NEVER, None, "info")]).broken


def test_a_refused_increment_does_not_count() -> None:
    """What surely did nothing can fill no hole."""
    assert check_counter([inc(0, 1, None, "fail"), get(2, 3, 1)]).broken
    assert check_counter([inc(0, 1, None, "fail"), get(2, 3, 0)]).holds


def test_each_key_is_a_counter() -> None:
    """Counts of different keys have nothing to do with each other."""
    other = inc(2, 3, 1)._replace(key="b")
    assert check_counter([inc(0, 1, 1), other]).holds
    assert check_counter([inc(0, 1, 1), other, other._replace(call=4, end=5)]).key == "b"


def test_other_verbs_are_not_judged() -> None:
    """A checker that does not know a verb says so."""
    assert check_counter([Operation(0, 1, 0, "put", "a", 1)]).answer == "unknown"


def test_a_counter_may_begin_anywhere() -> None:
    """The count at the beginning can be given."""
    assert check_counter([inc(0, 1, 6), get(2, 3, 6)], initial=5).holds
    assert check_counter([get(2, 3, 4)], initial=5).broken


def a_history(draw: random.Random) -> list[Operation]:
    """Return what a counter answers, perhaps with a mistake; some of it crashed, some stores tell no count."""
    count = 0
    width = draw.choice([1, 2, 5])
    silent = draw.choice([0, 0, 0.5, 1])
    made: list[Operation] = []
    for place in range(draw.randint(1, 7)):
        call, end = interval(draw, 2 * place, width)
        if draw.random() < 0.4:
            made.append(get(call, end, count))
            continue
        operation = inc(call, end, None if draw.random() < silent else count + 1)
        if draw.random() < 0.3:
            count += draw.random() < 0.5
            made.append(crashed(draw, operation))
        else:
            count += 1
            made.append(operation)
    for _ in range(draw.choice([0, 1, 2, 3])):
        place = draw.randrange(len(made))
        one = made[place]
        if draw.random() < 0.5 and one.answer is not None:
            made[place] = one._replace(answer=max(one.verb == "increment", one.answer + draw.choice([-1, 1])))
        else:
            shift = draw.randint(-6, 6)
            made[place] = one._replace(call=one.call + shift, end=min(NEVER, one.end + shift))
    return in_order(made)


def step(count: int, operation: Operation) -> int | None:
    """Count."""
    count += operation.verb == "increment"
    fits = operation.outcome == "info" or (operation.verb == "increment" and operation.answer is None)
    return count if fits or operation.answer == count else None


def test_counters_agree_with_trying_every_order() -> None:
    """The verdict is exact, whatever crashed and whether or not increments answer."""
    draw = random.Random(1)
    broken = 0
    for _ in range(FUZZ):
        history = a_history(draw)
        verdict = check_counter(history)
        assert verdict.holds == linearizable(history, step, 0), history
        assert set(verdict.witness) <= set(history)
        broken += verdict.broken
    assert FUZZ / 4 < broken < FUZZ * 3 / 4
