"""Totals and phantoms: what each transaction that sees all must see; and counters that are put by hand."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.histories.checkers.counts import check_counts, lost
from conformance.histories.checkers.invariants import check_phantoms, check_totals
from conformance.histories.operation import Operation

ACCOUNTS = [Operation(0, 1, 9, "put", "a", 10), Operation(2, 3, 9, "put", "b", 10)]
MOVED = (("get", "a", 10), ("add", "a", -1), ("get", "b", 10), ("add", "b", 1))


def t(*steps: Any, at: tuple[int, int] = (10, 20), worker: int = 0) -> Operation:
    """Return a transaction."""
    return Operation(*at, worker, "transaction", answer=steps)


def test_a_total_that_stays() -> None:
    """Before, after, and in between; who gets a part of the accounts says nothing."""
    seen = [t(("get", "a", a), ("get", "b", 20 - a)) for a in (10, 9)]
    assert check_totals([*ACCOUNTS, t(*MOVED), *seen, t(("get", "a", 9))]).holds


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (t(("get", "a", 9), ("get", "b", 10), worker=1), "the accounts hold 19 together instead of 20"),
        (t(("get", "a", None), worker=1), "account 'a' holds nothing"),
        (t(("get", "a", "a mixture"), worker=1), "account 'a' holds a mixture"),
    ],
)
def test_a_total_that_changes(wrong: Operation, why: str) -> None:
    """It is shown with the transfer that was made at the same time."""
    transfer = t(*MOVED)
    verdict = check_totals([*ACCOUNTS, transfer, wrong])
    assert (verdict.broken, verdict.why, set(verdict.witness)) == (True, why, {transfer, wrong})


def test_a_total_that_is_wrong_at_the_end() -> None:
    """When all is quiet, plain gets must give it too."""
    last = [Operation(30, 31, 8, "get", "a", answer=9), Operation(32, 33, 8, "get", "b", answer=10)]
    verdict = check_totals([*ACCOUNTS, t(*MOVED), *last])
    assert verdict.why == "the accounts hold 19 together instead of 20 when all is quiet"
    assert verdict.witness == tuple(last)


@pytest.mark.parametrize("check", [check_totals, check_phantoms])
def test_without_a_start_nothing_is_known(check: Any) -> None:
    """A put that raised may have done nothing."""
    assert check([ACCOUNTS[0]._replace(outcome="info")]).answer == "unknown"


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((("list", None, ("a", "b")), ("get", "a", 1), ("list", None, ("a", "b"))), ""),
        (
            (("list", None, ("a", "b")), ("list", None, ("b", "c"))),
            "a transaction listed the keys twice, and in between there came ['c'] and there went ['a'] (phantom)",
        ),
        ((("list", None, ("a",)),), "a transaction listed 1 keys, and there are always 2"),
        (
            (("list", None, ("a", "b")), ("get", "a", None)),
            "a transaction listed 'a', and got nothing for it (phantom)",
        ),
    ],
)
def test_keys_that_come_and_go(steps: Any, why: str) -> None:
    """A transaction lists what it has listed, gets what it lists, and lists as many as there are."""
    assert check_phantoms([*ACCOUNTS, t(*steps)]).why == why


def counted(*answers: Any, last: Any) -> list[Operation]:
    """Return a history of increments, and a last get."""
    first = Operation(0, 1, 9, "put", "a", 100)
    made = [Operation(10 * n, 10 * n + 5, 0, "increment", "a", answer=answer) for n, answer in enumerate(answers, 1)]
    return [first, *made, Operation(900, 901, 8, "get", "a", answer=last)]


def test_lost_increments_are_counted() -> None:
    """They are no contradiction."""
    history = counted(101, 101, last=101)
    assert check_counts(history).holds
    assert lost(history) == 1
    assert lost(counted(101, 102, last=102)) == 0


@pytest.mark.parametrize(
    ("last", "why"),
    [(103, "the counter is 103 after 2 increments of 100"), (None, "the counter is nothing")],
)
def test_an_invented_count_is_a_contradiction(last: Any, why: str) -> None:
    """Nobody has counted so far, or taken the counter away."""
    assert check_counts(counted(101, 102, last=last)).why == why
