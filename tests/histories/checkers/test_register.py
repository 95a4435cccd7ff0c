"""The check of a key-value history: the parts, the turns, and what is told."""

from __future__ import annotations

import pytest

from conformance.histories.checkers.register import check_register
from conformance.histories.operation import NEVER, Operation
from tests.histories.checkers.searches import judged_histories
from tests.histories.random_histories import Simulation, simulate


def hard(key: str) -> list[Operation]:
    """Return a history that neither search is done with soon: many puts at once, any of which may be the last."""
    puts = [Operation(n, 1_000 + n, n, "put", key, n // 2) for n in range(40)]
    gets = [Operation(2_000 + n, 2_100 + n, 100 + n, "get", key, answer=100) for n in range(2)]
    return [*puts, *gets]


def easy(key: str, answer: int) -> list[Operation]:
    """Return a history of a value that is written twice, and read."""
    return [
        Operation(1, 2, 0, "put", key, 1),
        Operation(3, 4, 0, "put", key, 1),
        Operation(5, 6, 1, "get", key, answer=answer),
    ]


def test_it_agrees_with_the_oracle() -> None:
    """Whichever checker is chosen, the answer is right."""
    used = set()
    for history, model, holds in judged_histories(seed=3):
        verdict = check_register(history, model=model.name)
        assert verdict.answer == ("linearizable" if holds else "not linearizable"), (model.name, history)
        used.add(verdict.checker)
    assert {"wgl", "zones"} <= used


def test_unique_values_are_checked_without_search() -> None:
    """A history that the searches can't decide within the budget is decided."""
    history = simulate(Simulation(2_000, clients=30, keys=2))
    verdict = check_register(history, budget=10)
    assert (verdict.answer, verdict.checker) == ("linearizable", "zones")


def test_a_hard_key_does_not_hide_an_easy_violation() -> None:
    """The keys take turns: the broken one is found before the hard one is done, whatever the order."""
    for history in (hard("h") + easy("e", 2), easy("e", 2) + hard("h")):
        verdict = check_register(history, budget=5_000)
        assert verdict.broken
        assert verdict.key == "e"
        assert verdict.witness == (history[2] if history[0].key == "e" else history[-1],)


def test_what_is_undecided_is_unknown() -> None:
    """A key that took its whole budget is named, and the history does not pass."""
    verdict = check_register([*easy("e", 1), *hard("h")], budget=1_000)
    assert (verdict.answer, verdict.key) == ("unknown", "h")
    assert "1,000 entries" in verdict.why


def test_keys_are_independent() -> None:
    """What is read from one key was not written to another."""
    history = [Operation(1, 2, 0, "put", "a", 1), Operation(3, 4, 0, "get", "b", answer=1)]
    verdict = check_register(history)
    assert verdict.broken
    assert verdict.key == "b"


def test_nothing_is_linearizable() -> None:
    """A history without operations holds, and no checker was needed."""
    verdict = check_register([])
    assert (verdict.holds, verdict.checker) == (True, "")


def test_all_checkers_that_decided_are_named() -> None:
    """One key is decided by one, another by another."""
    history = [*easy("a", 1), Operation(1, 2, 3, "put", "b", 1), Operation(3, 4, 3, "get", "b", answer=1)]
    assert check_register(history).checker == "wgl, zones"


def test_refused_operations_and_gets_without_answer_tell_nothing() -> None:
    """They may stand anywhere."""
    history = [
        *easy("a", 1),
        Operation(7, 8, 0, "put", "a", 5, outcome="fail"),
        Operation(9, NEVER, 2, "get", "a", outcome="info"),
        Operation(10, 11, 0, "get", "a", answer=1),
    ]
    assert check_register(history).holds


@pytest.mark.parametrize(
    ("operation", "model", "text"),
    [
        (Operation(1, 2, 0, "append", "a", "x"), "register", "the model register has no 'append'"),
        (Operation(1, 2, 0, "cas", "a", "x"), "kv", "the model kv has no 'cas'"),
        (Operation(1, 2, 0, "cas", "a", "x"), "register", "tells whether it swapped, not None"),
        (Operation(1, 2, 0, "append", "a", 1), "kv", "has values of type str, not 1"),
        (Operation(1, 2, 0, "get", "a", answer=1), "kv", "has values of type str, not 1"),
        (Operation(1, 2, 0, "get", "a"), "stack", "unknown model 'stack'; known: register, kv"),
    ],
)
def test_what_a_model_does_not_know_is_refused(operation: Operation, model: str, text: str) -> None:
    """A history that is not of the model is no violation, and does not pass."""
    with pytest.raises(ValueError, match=text):
        check_register([operation], model=model)
