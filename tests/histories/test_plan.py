"""Plans are drawn from a seed, and what they write is unique."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from conformance.histories.kinds import KINDS
from conformance.histories.plans.plan import Ask

EACH_PLAN = pytest.mark.parametrize("name", KINDS)


@EACH_PLAN
def test_a_seed_gives_the_same_plan(name: str) -> None:
    """And another seed another one."""
    one, same, other = (KINDS[name].plan(seed, 3, 12, 9) for seed in (1, 1, 2))
    assert one == same != other


#: What writes a value that is told from others by its number, as a call and as a step of a transaction.
WRITES = ("put", "cas", "append", "replace")
#: What writes, but no value of its own.
CHANGES = ("increment", "add", "delete", "transaction")
#: What shows all that is there.
SHOWS_ALL = ("list", "read", "restore", "scan")


def parts(ask: Ask) -> list[tuple[str, Any, Any]]:
    """Return what is asked: one call, or the steps of a transaction."""
    return [*ask.steps] or [(ask.verb, ask.key, ask.number)]


def written(*workers: Sequence[Ask]) -> list[tuple[Any, Any]]:
    """Return the key and the number of each value that is written."""
    return [(key, number) for asks in workers for ask in asks for verb, key, number in parts(ask) if verb in WRITES]


@EACH_PLAN
def test_workers_ask(name: str) -> None:
    """There are as many as was said, and over a few seeds some of them write."""
    plans = [KINDS[name].plan(seed, 3, 12, 9) for seed in range(5)]
    assert all(len(plan.workers) == 3 for plan in plans)
    assert all(all(plan.workers) for plan in plans)
    verbs = {verb for plan in plans for asks in plan.workers for ask in asks for verb, _, _ in parts(ask)}
    assert verbs & {*WRITES, *CHANGES}


@EACH_PLAN
def test_numbers_are_unique(name: str) -> None:
    """No two writes of a key have one number, whoever makes them: else a checker could not tell them apart."""
    for seed in range(20):
        plan = KINDS[name].plan(seed, 4, 40, 40)
        writes = written(plan.before, *plan.workers)
        assert len(set(writes)) == len(writes)


@EACH_PLAN
def test_every_key_is_read_at_the_end(name: str) -> None:
    """A write of a worker that is lost shows at the latest then, and nothing else is done then."""
    plan = KINDS[name].plan(0, 2, 10, 10)
    looks = [part for ask in plan.after for part in parts(ask)]
    shown = {key for _, key, _ in looks}
    assert {verb for verb, _, _ in looks} <= {"get", "read", *SHOWS_ALL}
    assert {key for key, _ in written(*plan.workers)} <= shown or {verb for verb, _, _ in looks} & {*SHOWS_ALL}


def test_a_store_may_be_new() -> None:
    """With an age of none nothing is asked before the workers come, but for the value that they swap."""
    assert KINDS["registers"].plan(0, 2, 3, 0).before == []
    assert KINDS["swaps"].plan(0, 2, 3, 0).before == [Ask("put", "a", 99_999)]
