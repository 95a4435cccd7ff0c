"""Plans are drawn from a seed, and what they write is unique."""

from __future__ import annotations

import pytest

from conformance.histories.kinds import KINDS
from conformance.histories.plans.plan import Ask

EACH_PLAN = pytest.mark.parametrize("name", KINDS)


@EACH_PLAN
def test_a_seed_gives_the_same_plan(name: str) -> None:
    """And another seed another one."""
    one, same, other = (KINDS[name].plan(seed, 3, 12, 9) for seed in (1, 1, 2))
    assert one == same != other


@EACH_PLAN
def test_each_worker_asks(name: str) -> None:
    """There are as many as was said, and each asks something that writes, over a few seeds."""
    plans = [KINDS[name].plan(seed, 3, 12, 9) for seed in range(5)]
    assert all(len(plan.workers) == 3 for plan in plans)
    for worker in range(3):
        assert {ask.verb for plan in plans for ask in plan.workers[worker]} & {"put", "cas", "transaction", "append"}


@EACH_PLAN
def test_numbers_are_unique(name: str) -> None:
    """No two writes of a key have one number, whoever makes them: else a checker could not tell them apart."""
    for seed in range(20):
        plan = KINDS[name].plan(seed, 4, 40, 40)
        writes = [
            (ask.key, ask.number)
            for asks in (plan.before, *plan.workers)
            for ask in asks
            if ask.verb not in ("get", "read", "delete")
        ]
        assert len(set(writes)) == len(writes)


@EACH_PLAN
def test_every_key_is_read_at_the_end(name: str) -> None:
    """A write that is lost shows at the latest then."""
    plan = KINDS[name].plan(0, 2, 10, 10)
    written = {ask.key for asks in (plan.before, *plan.workers) for ask in asks if ask.verb not in ("get", "read")}
    assert written <= {ask.key for ask in plan.after}
    assert {ask.verb for ask in plan.after} <= {"get", "list", "read"}


def test_a_store_may_be_new() -> None:
    """With an age of none nothing is asked before the workers come, but for the value that they swap."""
    assert KINDS["registers"].plan(0, 2, 3, 0).before == []
    assert KINDS["swaps"].plan(0, 2, 3, 0).before == [Ask("put", "a", 99_999)]
