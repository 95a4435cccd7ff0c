"""Listings: what stays is listed once, what is gone is not, and of what comes and goes nothing is asked."""

from __future__ import annotations

import pytest

from conformance.histories.checkers.listing import check_listing
from conformance.histories.operation import NEVER, Operation

PUT = Operation(0, 1, 0, "put", "a", 1)


def listing(call: int, end: int, *keys: str) -> Operation:
    """Return a listing by worker 9."""
    return Operation(call, end, 9, "list", answer=keys)


def delete(call: int, end: int, outcome: str = "ok") -> Operation:
    """Return a delete of the key by worker 1."""
    return Operation(call, end, 1, "delete", "a", outcome=outcome)  # type: ignore[arg-type]


FINE = {
    "it stays and is listed": [PUT, listing(2, 3, "a")],
    "it was never there": [listing(2, 3)],
    "the put is still going on, and it is not listed": [PUT._replace(end=5), listing(2, 3)],
    "the put is still going on, and it is listed": [PUT._replace(end=5), listing(2, 3, "a")],
    "it goes meanwhile, and is not listed": [PUT, delete(3, 6), listing(2, 5)],
    "it goes meanwhile, and is listed": [PUT, delete(3, 6), listing(2, 5, "a")],
    "it is gone and is not listed": [PUT, delete(2, 3), listing(4, 5)],
    "it came back and is listed": [PUT, delete(2, 3), PUT._replace(call=4, end=5), listing(6, 7, "a")],
    "it came back meanwhile": [PUT, delete(2, 3), PUT._replace(call=4, end=9), listing(5, 6, "a")],
    "nobody knows whether it was deleted": [PUT, delete(2, NEVER, "info"), listing(4, 5)],
    "nobody knows whether it was put": [PUT._replace(end=NEVER, outcome="info"), listing(4, 5, "a")],
    "the listing itself is unknown": [PUT, listing(2, NEVER)._replace(outcome="info", answer=None)],
}
BROKEN = {
    "'a' was there all the time, and is not listed": [PUT, listing(2, 3)],
    "'a' is listed 2 times": [PUT, listing(2, 3, "a", "a")],
    "'b' is listed, and nobody wrote it": [PUT, listing(2, 3, "a", "b")],
    "'a' was gone all the time, and is listed": [PUT, delete(2, 3), listing(4, 5, "a")],
}


@pytest.mark.parametrize("history", FINE.values(), ids=FINE)
def test_what_can_be(history: list[Operation]) -> None:
    """No accusation where another order, or another end, explains what was listed."""
    assert check_listing(history).holds


@pytest.mark.parametrize("why", BROKEN)
def test_what_cannot_be(why: str) -> None:
    """The sentence names the key; the witness is the listing and what it contradicts."""
    verdict = check_listing(BROKEN[why])
    assert verdict.broken
    assert verdict.why == why
    assert verdict.witness[-1].verb == "list"


def test_a_refused_delete_took_nothing() -> None:
    """It surely did nothing, so that the key was there."""
    assert check_listing([PUT, delete(2, 3, "fail"), listing(4, 5)]).broken


def test_a_key_that_came_back_before_is_there() -> None:
    """A delete that had returned before the put was made takes nothing of it."""
    history = [PUT, delete(2, 3), PUT._replace(call=4, end=5), listing(6, 7)]
    assert check_listing(history).why == "'a' was there all the time, and is not listed"
