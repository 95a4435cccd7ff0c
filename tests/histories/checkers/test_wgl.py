"""The search by Wing, Gong and Lowe: against the oracle, and where it must be short."""

from __future__ import annotations

import pytest

from conformance.histories.checkers.wgl import check_wgl, moments_of, twins_before
from conformance.histories.models import KV, REGISTER
from conformance.histories.operation import NEVER, Operation
from tests.histories.checkers.searches import judged_histories
from tests.histories.random_histories import Simulation, simulate

MANY = 1_000_000


def test_it_agrees_with_the_oracle() -> None:
    """On small histories with repeated values, crashes, refused swaps, deletes and appends the answer is right."""
    answers = {True: 0, False: 0}
    for history, model, holds in judged_histories(seed=1):
        verdict = check_wgl(history, model, MANY)
        assert verdict.answer == ("linearizable" if holds else "not linearizable"), (model.name, history)
        answers[holds] += 1
    assert min(answers.values()) > sum(answers.values()) / 10  # both are tried


def test_nothing_is_linearizable() -> None:
    """No operations need no order."""
    assert check_wgl([], REGISTER, MANY).holds


def test_the_witness_is_the_operation_that_cannot_return() -> None:
    """What returned before it can be explained, and it can't; what comes later is not blamed."""
    history = [
        Operation(1, 2, 0, "put", "a", 1),
        Operation(3, 4, 1, "get", "a", answer=2),
        Operation(5, 6, 0, "get", "a", answer=3),
    ]
    verdict = check_wgl(history, REGISTER, MANY)
    assert verdict.witness == (history[1],)
    assert (verdict.key, verdict.checker) == ("a", "wgl")
    assert "get('a') -> 2" in verdict.why
    assert check_wgl(history[:1] + history[2:], REGISTER, MANY).witness == (history[2],)


def test_a_crashed_swap_is_not_taken_for_one_that_did_nothing() -> None:
    """It may swap later, even if it would have done nothing when it could first be placed."""
    history = [
        Operation(1, NEVER, 0, "cas", "a", 2, expected=1, outcome="info"),
        Operation(2, 3, 1, "put", "a", 1),
        Operation(4, 5, 1, "get", "a", answer=2),
    ]
    assert check_wgl(history, REGISTER, MANY).holds


def test_a_put_of_the_value_that_is_there_is_not_placed_at_once() -> None:
    """It changes nothing where it could first be placed, and is needed after the other put."""
    history = [
        Operation(1, 2, 0, "put", "a", 1),
        Operation(3, 8, 0, "put", "a", 1),
        Operation(4, 5, 1, "put", "a", 2),
        Operation(6, 7, 1, "get", "a", answer=2),
        Operation(9, 10, 1, "get", "a", answer=1),
    ]
    assert check_wgl(history, REGISTER, MANY).holds


def test_an_operation_that_returns_when_another_is_called_overlaps_it() -> None:
    """Intervals are closed: at equal times calls come first."""
    history = [Operation(1, 5, 0, "put", "a", 1), Operation(5, 6, 1, "get", "a", answer=None)]
    assert moments_of(history) == [(1, False, 0), (5, False, 1), (5, True, 0), (6, True, 1)]
    assert check_wgl(history, REGISTER, MANY).holds


def test_the_end_of_a_crashed_operation_does_not_count() -> None:
    """The caller may have seen an error at some time; the effect may come later."""
    history = [
        Operation(1, 2, 0, "append", "a", "x", outcome="info"),
        Operation(3, 4, 1, "get", "a", answer=None),
        Operation(5, 6, 1, "get", "a", answer="x"),
    ]
    assert check_wgl(history, KV, MANY).holds


def test_the_budget_ends_the_search() -> None:
    """A search that is not over when the budget is says `unknown`."""
    history = simulate(Simulation(40, clients=8, values=3))
    assert check_wgl(history, REGISTER, MANY).holds
    verdict = check_wgl(history, REGISTER, 10)
    assert (verdict.answer, verdict.checker) == ("unknown", "wgl")
    assert "10 states" in verdict.why


@pytest.mark.parametrize("count", [5, 50])
def test_crashed_operations_that_are_the_same_are_not_tried_in_every_choice(count: int) -> None:
    """Many swaps that do the same cost no more than a few: which of them took effect makes no difference."""
    crashed = [Operation(n, NEVER, n, "cas", "a", 2, expected=1, outcome="info") for n in range(count)]
    asked = [
        Operation(100, 101, 99, "put", "a", 1),
        Operation(102, 103, 99, "get", "a", answer=2),
        Operation(104, 105, 99, "put", "a", 1),
        Operation(106, 107, 99, "get", "a", answer=2),
        Operation(108, 109, 99, "get", "a", answer=7),
    ]
    assert twins_before(crashed) == list(range(-1, count - 1))
    assert check_wgl([*crashed, *asked], REGISTER, 10).broken
