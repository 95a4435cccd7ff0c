"""The sequential models, and what of a history tells nothing."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.histories.models import KV, MODELS, REGISTER, Model, only_observes, relevant
from conformance.histories.operation import NEVER, Operation, Outcome, Verb


def op(
    verb: Verb, value: Any = None, *, answer: Any = None, expected: Any = None, outcome: Outcome = "ok"
) -> Operation:
    """Return an operation; its times do not matter."""
    return Operation(1, 2 if outcome == "ok" else NEVER, 0, verb, "a", value, expected, answer, outcome)


def swapped(value: Any, expected: Any) -> Operation:
    """Return a swap that was done."""
    return op("cas", value, expected=expected, answer=True)


def refused(value: Any, expected: Any) -> Operation:
    """Return a swap that saw something else."""
    return op("cas", value, expected=expected, answer=False)


def crashed(value: Any, expected: Any) -> Operation:
    """Return a swap of which nobody knows."""
    return op("cas", value, expected=expected, outcome="info")


@pytest.mark.parametrize(
    ("model", "state", "operation", "expected"),
    [
        (REGISTER, 1, op("get", answer=1), (True, 1)),
        (REGISTER, 1, op("get", answer=2), (False, 1)),
        (REGISTER, None, op("get"), (True, None)),
        (REGISTER, 1, op("put", 2), (True, 2)),
        (REGISTER, 1, op("delete"), (True, None)),
        (REGISTER, 1, swapped(2, 1), (True, 2)),
        (REGISTER, 1, refused(2, 1), (False, 1)),
        (REGISTER, 3, swapped(2, 1), (False, 3)),
        (REGISTER, 3, refused(2, 1), (True, 3)),
        (REGISTER, None, swapped(2, None), (True, 2)),
        (REGISTER, 1, crashed(2, 1), (True, 2)),
        (REGISTER, 3, crashed(2, 1), (True, 3)),
        (KV, "", op("get"), (True, "")),
        (KV, "", op("get", answer=""), (True, "")),
        (KV, "x", op("get", answer="x"), (True, "x")),
        (KV, "x", op("get"), (False, "x")),
        (KV, "x", op("put", "y"), (True, "y")),
        (KV, "x", op("append", "y"), (True, "xy")),
    ],
)
def test_steps(model: Model, state: Any, operation: Operation, expected: tuple[bool, Any]) -> None:
    """Each verb is legal where it should be, and leaves what it should."""
    assert model.step(state, operation) == expected


def test_models_are_known_by_name() -> None:
    """The names are those of the command, and each model begins with a missing key."""
    assert [(name, model.name, model.initial) for name, model in MODELS.items()] == [
        ("register", "register", None),
        ("kv", "kv", ""),
    ]


def test_only_gets_and_refused_swaps_observe() -> None:
    """What leaves one state as it is, and not another, does more than observe."""
    assert only_observes(op("get", answer=1))
    assert only_observes(refused(2, 1))
    for operation in (
        op("put", 1),
        op("delete"),
        swapped(2, 1),
        crashed(2, 1),
        op("append", ""),
    ):
        assert not only_observes(operation)


def test_refused_operations_and_gets_without_answer_are_irrelevant() -> None:
    """They did nothing, and nobody knows what they saw."""
    told = [op("put", 1), op("get", answer=1)]
    assert relevant([*told, op("put", 2, outcome="fail"), op("get", outcome="info")], REGISTER) == told


def test_a_crashed_write_that_nobody_saw_is_irrelevant() -> None:
    """One whose value was read, or expected by a swap, is not; nor is a delete where something was missing."""
    seen = [op("put", 1, outcome="info"), op("get", answer=1), op("put", 2, outcome="info"), swapped(4, 2)]
    assert relevant([*seen, op("put", 3, outcome="info"), op("delete", outcome="info")], REGISTER) == seen
    missing = [op("delete", outcome="info"), op("get")]
    assert relevant(missing, REGISTER) == missing


def test_a_chain_of_crashed_swaps_that_nobody_saw_is_irrelevant() -> None:
    """Where the last of them is of no use, nor are those before it."""
    chain = [op("put", 1, outcome="info"), crashed(2, 1), crashed(3, 2)]
    assert relevant(chain, REGISTER) == []
    assert relevant([*chain, op("get", answer=3)], REGISTER) == [*chain, op("get", answer=3)]


def test_a_refused_swap_may_have_seen_any_crashed_write() -> None:
    """Then none is irrelevant."""
    history = [op("put", 9, outcome="info"), refused(2, 1)]
    assert relevant(history, REGISTER) == history


def test_a_crashed_append_is_irrelevant_unless_an_answer_has_its_text() -> None:
    """Every get up to the next put would have it."""
    seen = [op("append", "b", outcome="info"), op("get", answer="abc")]
    assert relevant([*seen, op("append", "x", outcome="info"), op("put", "bc1", outcome="info")], KV) == seen
