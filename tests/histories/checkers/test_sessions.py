"""Sessions: what a worker may read after what it has put and read."""

from __future__ import annotations

import random

import pytest

from conformance.histories.checkers.sessions import check_sessions
from conformance.histories.operation import Operation


def put(call: int, worker: int, value: int, outcome: str = "ok") -> Operation:
    """Return a put that takes one moment."""
    return Operation(call, call + 1, worker, "put", "a", value, None, None, outcome)  # type: ignore[arg-type]


def get(call: int, worker: int, answer: int | None) -> Operation:
    """Return a get that takes one moment."""
    return Operation(call, call + 1, worker, "get", "a", None, None, answer)


@pytest.mark.parametrize(
    ("history", "why"),
    [
        ([put(0, 1, 10), get(2, 1, None)], "a worker did not read its own write"),
        ([put(0, 1, 10), put(2, 1, 11), get(4, 1, 10)], "a worker did not read its own write"),
        ([put(0, 1, 10), get(2, 2, 10), get(4, 2, None)], "a worker read an older value than before"),
        (
            [put(0, 1, 10), put(0, 2, 20), get(2, 3, 10), get(4, 3, 20), get(6, 3, 10)],
            "no order of the values agrees with what each worker saw",
        ),
        (
            [put(0, 1, 10), put(0, 2, 20), get(2, 3, 10), get(4, 3, 20), get(2, 4, 20), get(4, 4, 10)],
            "no order of the values agrees with what each worker saw",
        ),
        ([get(0, 1, 99)], "99 is read, and was never put"),
        ([put(0, 1, 10, "fail"), get(2, 1, 10)], "10 is read, and its put was refused"),
        ([get(0, 1, 10), put(2, 2, 10)], "10 was read before it was put"),
    ],
)
def test_each_kind_of_wrong_is_told(history: list[Operation], why: str) -> None:
    """The reason is one sentence, with operations that show it."""
    verdict = check_sessions(history)
    if why.startswith("no order") and len({one.worker for one in verdict.witness}) == 1:
        why = "a worker read an older value than before"
    assert verdict.broken
    assert verdict.why == why
    assert set(verdict.witness) <= set(history)
    assert verdict.witness
    assert verdict.key == "a"


def test_another_worker_may_lag_behind() -> None:
    """Less is asked than linearizability."""
    assert check_sessions([put(0, 1, 10), get(2, 2, None), get(4, 2, 10)]).holds
    assert check_sessions([put(0, 1, 10), put(2, 1, 11), get(4, 2, 10), get(6, 2, 11)]).holds


def test_what_crashed_may_be_read_later_or_never() -> None:
    """Nobody waits for it."""
    assert check_sessions([put(0, 1, 10, "info"), get(2, 2, None), get(4, 2, 10)]).holds
    assert check_sessions([put(0, 1, 10, "info"), get(2, 2, 10), get(4, 2, None)]).broken


def test_a_key_may_hold_something_at_first() -> None:
    """The first value is given, and is older than all others."""
    assert check_sessions([get(0, 1, 5), put(2, 1, 6)], initial=5).holds
    assert check_sessions([put(0, 1, 6), get(2, 1, 5)], initial=5).broken


def test_what_can_not_be_told_apart_is_not_judged() -> None:
    """Values must be unique, and there are only puts and gets."""
    assert check_sessions([put(0, 1, 10), put(2, 2, 10)]).answer == "unknown"
    assert check_sessions([Operation(0, 1, 0, "delete", "a")]).answer == "unknown"


def test_a_store_with_replicas_that_follow_one_order_is_fine() -> None:
    """Each worker reads from a place in one order of all puts that only goes on, and is never before its own."""
    draw = random.Random(8)
    for _ in range(500):
        order: list[int | None] = [None]
        seen = [0, 0, 0]
        history: list[Operation] = []
        for moment in range(0, 40, 2):
            worker = draw.randrange(3)
            if draw.random() < 0.4:
                order.append(moment)
                seen[worker] = len(order) - 1
                history.append(put(moment, worker, moment))
            else:
                seen[worker] = draw.randint(seen[worker], len(order) - 1)
                history.append(get(moment, worker, order[seen[worker]]))
        assert check_sessions(history).holds
        if seen[0]:
            assert check_sessions([*history, get(50, 0, None)]).broken
