"""The just-in-time check: against the oracle and the other search, and where it must be short."""

from __future__ import annotations

from random import Random

from conformance.histories.checkers.jit import check_jit
from conformance.histories.checkers.wgl import check_wgl
from conformance.histories.models import REGISTER
from conformance.histories.operation import NEVER, Operation
from tests.histories.checkers.searches import judged_histories
from tests.histories.random_histories import Simulation, simulate

MANY = 1_000_000


def test_it_agrees_with_the_oracle() -> None:
    """On small histories with repeated values, crashes, refused swaps, deletes and appends the answer is right."""
    for history, model, holds in judged_histories(seed=2):
        verdict = check_jit(history, model, MANY)
        assert verdict.answer == ("linearizable" if holds else "not linearizable"), (model.name, history)


def test_it_agrees_with_the_other_search_on_longer_histories() -> None:
    """Whether the store is broken or not, the answer is the same, and so is the operation that can't return."""
    random, answers = Random(3), set()
    for seed in range(300):
        simulation = Simulation(
            operations=40,
            clients=random.randint(2, 5),
            seed=seed,
            deletes=random.choice((0.0, 0.1)),
            swaps=random.choice((0.0, 0.3)),
            reads=0.4,
            crash=random.choice((0.0, 0.1)),
            bug=random.choice(("stale", "lost")),
            rate=random.choice((0.0, 0.05)),
            values=4,
        )
        history = simulate(simulation)
        one, other = check_wgl(history, REGISTER, MANY), check_jit(history, REGISTER, MANY)
        assert (one.answer, one.why, one.witness) == (other.answer, other.why, other.witness)
        answers.add(one.answer)
    assert answers == {"linearizable", "not linearizable"}


def test_nothing_is_linearizable() -> None:
    """No operations need no order."""
    assert check_jit([], REGISTER, MANY).holds


def test_a_long_history_costs_no_more_per_operation() -> None:
    """The budget that a history takes grows with its length only."""
    short, long = (simulate(Simulation(size, clients=4, values=5)) for size in (100, 5_000))
    assert check_jit(short, REGISTER, 2_000).holds
    assert check_jit(long, REGISTER, 100_000).holds


def test_the_budget_ends_the_check() -> None:
    """A check that is not over when the budget is says `unknown`."""
    verdict = check_jit(simulate(Simulation(40, clients=8, values=3)), REGISTER, 10)
    assert (verdict.answer, verdict.checker) == ("unknown", "jit")
    assert "10 configurations" in verdict.why


def test_crashed_operations_that_are_the_same_are_interchangeable() -> None:
    """Hundreds of crashed puts of few values do not multiply the configurations."""
    crashed = [Operation(n, NEVER, n, "put", "a", n % 3, outcome="info") for n in range(300)]
    gets = [Operation(1_000 + 2 * n, 1_001 + 2 * n, 999, "get", "a", answer=n % 3) for n in range(60)]
    assert check_jit([*crashed, *gets], REGISTER, 1_000).holds
    assert check_jit([*crashed, *gets, Operation(2_000, 2_001, 999, "get", "a", answer=3)], REGISTER, 1_000).broken


def test_a_crashed_delete_of_nothing_covers_a_put() -> None:
    """It changes nothing where the swap needs it, and hides a put that overlaps the swap."""
    history = [
        Operation(1, NEVER, 0, "delete", "a", outcome="info"),
        Operation(2, 4, 1, "cas", "a", 3, expected=None, answer=True),
        Operation(3, 5, 2, "put", "a", 4),
        Operation(6, 7, 1, "get", "a", answer=3),
    ]
    assert check_jit(history, REGISTER, MANY).holds


def test_puts_that_nobody_saw_do_not_multiply_the_configurations() -> None:
    """Each is covered by another, whichever that is."""
    puts = [Operation(n, 100 + n, n, "put", "a", n % 3) for n in range(24)]
    assert check_jit([*puts, Operation(200, 201, 0, "get", "a", answer=1)], REGISTER, 10_000).holds
    assert check_jit([*puts, Operation(200, 201, 0, "get", "a", answer=3)], REGISTER, 10_000).broken
