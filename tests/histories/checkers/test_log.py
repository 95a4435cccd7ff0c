"""Logs: each kind of wrong, and agreement with trying every order."""

from __future__ import annotations

import random

import pytest

from conformance.histories.checkers.log import check_log
from conformance.histories.operation import NEVER, Operation
from tests.histories.checkers.brute import FUZZ, crashed, in_order, interval, linearizable


def append(call: int, end: int, value: object, answer: object = None, outcome: str = "ok") -> Operation:
    """Return an append."""
    return Operation(call, end, call, "append", None, value, None, answer, outcome)  # type: ignore[arg-type]


def read(call: int, end: int, *values: object) -> Operation:
    """Return a read."""
    return Operation(call, end, call, "read", None, None, None, values)


@pytest.mark.parametrize(
    ("history", "why"),
    [
        ([append(0, 1, "x", 1), append(2, 3, "y", 1)], "two appends answered position 1"),
        ([append(0, 1, "x", 1), append(2, 3, "y", 3)], "position 3 is taken after 2 appends"),
        ([append(0, 1, "x", 2), append(2, 3, "y", 1)], "'x' had been appended before 'y' was, and"),
        ([append(0, 1, "x"), append(2, 3, "y"), read(4, 5, "y", "x")], "'x' had been appended before 'y' was, and"),
        ([append(0, 1, "x", 1), read(2, 3)], "'x' was acknowledged and is missing later"),
        ([append(0, 1, "x"), read(2, 3)], "'x' was acknowledged and is missing later"),
        ([append(0, 9, "x"), read(1, 2, "x"), read(3, 4)], "a later read shows less than an earlier one"),
        ([read(0, 1, "x"), append(2, 3, "x", 1)], "'x' was read before it was appended"),
        ([append(0, 1, "x"), read(2, 3, "z")], "'z' is read, and was never appended"),
        ([append(0, 1, "x", outcome="fail"), read(2, 3, "x")], "'x' is read, and its append was refused"),
        ([append(0, 5, "x", 2), append(0, 5, "y", 1), read(6, 7, "x")], "'x' was appended at 2 and is read at 1"),
        ([append(0, 5, "x"), append(0, 5, "y", 1), read(6, 7, "x")], "position 1 was answered for another value"),
        ([append(0, 5, "x"), read(6, 7, "x", "x")], "a value is read at two positions"),
        ([append(0, 5, "x"), append(0, 5, "y"), read(1, 7, "x"), read(1, 7, "y", "x")], "two reads disagree about pos"),
        ([append(0, 1, "x", 0)], "0 is no position"),
        ([append(0, 1, "x", 2), append(2, NEVER, "y", None, "info")], "position 1 is empty"),
    ],
)
def test_each_kind_of_wrong_is_told(history: list[Operation], why: str) -> None:
    """The reason is one sentence, and there is a witness."""
    verdict = check_log(history)
    assert verdict.broken
    assert verdict.why.startswith(why)
    assert verdict.witness


def test_crashed_appends_fill_holes() -> None:
    """A crashed append stands where it is read, or where one is missing."""
    lost = append(1, NEVER, "y", None, "info")
    assert check_log([append(0, 2, "x", 1), lost, append(3, 4, "z", 3)]).holds
    assert check_log([append(0, 2, "x", 1), lost, append(3, 4, "z", 2)]).holds
    assert check_log([append(0, 2, "x", 1), lost, read(3, 4, "x"), read(5, 6, "x", "y")]).holds
    assert check_log([append(0, 2, "x", 1), lost, read(3, 4, "x", "y"), read(5, 6, "x")]).broken


def test_a_value_that_is_appended_twice_is_not_judged() -> None:
    """The order of equal values can't be told."""
    assert check_log([append(0, 1, "x", 1), append(2, 3, "x", 2)]).answer == "unknown"
    assert check_log([Operation(0, 1, 0, "put", "a", 1)]).answer == "unknown"


def a_history(draw: random.Random) -> list[Operation]:
    """Return what a log answers, perhaps with a mistake; some of it crashed, some stores tell no position."""
    log: list[object] = []
    width = draw.choice([1, 2, 5])
    silent = draw.choice([0, 0, 0.5, 1])
    made: list[Operation] = []
    for place in range(draw.randint(1, 7)):
        call, end = interval(draw, 2 * place, width)
        if draw.random() < 0.4:
            made.append(read(call, end, *log))
            continue
        operation = append(call, end, place, None if draw.random() < silent else len(log) + 1)
        happens = True
        if draw.random() < 0.3:
            happens = draw.random() < 0.5
            operation = crashed(draw, operation)
        if happens:
            log.append(place)
        made.append(operation)
    for _ in range(draw.choice([0, 1, 2, 3])):
        place = draw.randrange(len(made))
        one = made[place]
        kind = draw.random()
        if kind < 0.3 and one.verb == "append" and one.answer is not None:
            made[place] = one._replace(answer=max(1, one.answer + draw.choice([-1, 1])))
        elif kind < 0.5 and one.verb == "read" and one.answer:
            made[place] = one._replace(answer=draw.choice([one.answer[:-1], one.answer[1:], one.answer[::-1]]))
        else:
            shift = draw.randint(-6, 6)
            made[place] = one._replace(call=one.call + shift, end=min(NEVER, one.end + shift))
    return in_order(made)


def step(log: tuple[object, ...], operation: Operation) -> tuple[object, ...] | None:
    """Append or read."""
    if operation.verb == "read":
        return log if operation.outcome == "info" or operation.answer == log else None
    fits = operation.outcome == "info" or operation.answer in (None, len(log) + 1)
    return (*log, operation.value) if fits else None


def test_logs_agree_with_trying_every_order() -> None:
    """The verdict is exact, whatever crashed and whether or not appends answer."""
    draw = random.Random(2)
    broken = 0
    for _ in range(FUZZ):
        history = a_history(draw)
        verdict = check_log(history)
        assert verdict.holds == linearizable(history, step, ()), history
        assert set(verdict.witness) <= set(history)
        broken += verdict.broken
    assert FUZZ / 5 < broken < FUZZ * 4 / 5
