"""The level that transactions kept, where a list is one value that may take the place of another."""

from __future__ import annotations

import pytest

from conformance.histories.checkers.isolation import check_isolation
from conformance.histories.operation import Operation
from tests.histories.checkers.test_transactions import a, r, t

LOST = [t(r("x"), a("x", 1)), t(r("x"), a("x", 2))]


@pytest.mark.parametrize(
    "seen", [[t(r("x", 1)), t(r("x", 2))], [t(r("x", 1)), t(r("x", 2), a("x", 3)), t(r("x", 2, 3))]]
)
def test_a_list_in_the_place_of_another_is_a_lost_update(seen: list[Operation]) -> None:
    """Read committed allows it."""
    history = [*LOST, *seen]
    assert check_isolation(history, "read committed").holds
    verdict = check_isolation(history, "snapshot isolation")
    assert verdict.why == (
        "two transactions read the same list and both appended to it: lost update, so it is not snapshot isolation; "
        "what holds is read committed"
    )
    assert set(LOST) <= set(verdict.witness)


def test_what_was_given_up_is_seen_in_any_list() -> None:
    """Also where other lists took its place."""
    given_up = t(r("x"), a("x", 1), outcome="fail")
    history = [given_up, t(r("x"), a("x", 2)), t(r("x", 1)), t(r("x", 2), a("x", 3)), t(r("x", 2, 3))]
    verdict = check_isolation(history, "read committed")
    assert verdict.broken
    assert "G1a" in verdict.why
    assert given_up in verdict.witness


def test_what_nobody_appended_is_seen_in_any_list() -> None:
    """No level holds then."""
    verdict = check_isolation([*LOST, t(r("x", 1)), t(r("x", 9))], "read committed")
    assert verdict.why.startswith("a transaction read a value that nobody appended: garbage read")
    assert verdict.why.endswith("no isolation level holds")


def test_other_calls_say_nothing() -> None:
    """A put beside the transactions is not looked at; a value that is appended twice can't be judged."""
    history = [Operation(0, 1, 0, "put", "old", 1), t(a("x", 1)), t(r("x", 1))]
    assert check_isolation(history, "strict serializable").holds
    assert check_isolation([*history, t(a("x", 1))], "read committed").answer == "unknown"
