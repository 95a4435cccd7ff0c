"""Racing tasks: broken asynchronous stores are caught within a few rounds, repaired ones never."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from conformance.histories.drivers.loops import run_in_loop
from conformance.histories.drivers.tasks import RanTasks, race, run_tasks
from conformance.histories.drivers.yields import yielding

TOYS = "tests.histories.drivers.async_toys"
#: A round finds a broken toy with a probability of a third or more.
ROUNDS = 12
SEEDS = 20


def toys(*, pointed: bool) -> ModuleType:
    """Import the toys anew, with points or as they are."""
    before = sys.modules.pop(TOYS, None)
    try:
        with yielding(lambda path: pointed and path.endswith("async_toys.py")) as found:
            module = importlib.import_module(TOYS)
        assert found == [TOYS] * pointed
        return module
    finally:
        sys.modules.pop(TOYS, None)
        if before is not None:
            sys.modules[TOYS] = before


POINTED = toys(pointed=True)
PLAIN = toys(pointed=False)


class Round(NamedTuple):
    """What came of a round: whether the store was right, what was seen in which order, and the race."""

    right: bool
    seen: Sequence[Any]
    ran: RanTasks


async def count(store: Any, seed: int, rate: float = 0.3) -> Round:
    """Count in two tasks: no number may come twice."""
    seen: list[tuple[int, int]] = []

    async def body(worker: int) -> None:
        for _ in range(3):
            number = await store.increment()
            seen.append((worker, number))

    ran = await race([lambda: body(0), lambda: body(1)], seed=seed, rate=rate)
    right = sorted(number for _, number in seen) == [1, 2, 3, 4, 5, 6] and store.count == 6
    return Round(right, seen, ran)


async def claim(store: Any, seed: int, rate: float = 0.3) -> Round:
    """Claim the same keys in two tasks: each may be had once."""
    seen: list[tuple[int, str, bool]] = []

    async def body(worker: int) -> None:
        for key in "abc":
            had = await store.claim(key, worker)
            seen.append((worker, key, had))

    ran = await race([lambda: body(0), lambda: body(1)], seed=seed, rate=rate)
    return Round(sorted(key for _, key, had in seen if had) == ["a", "b", "c"], seen, ran)


async def ask(store: Any, seed: int, rate: float = 0.3) -> Round:
    """Ask in two tasks, of which one is cancelled; each answer has to be that of its question, also afterwards."""
    seen: list[tuple[int, str, str]] = []

    async def body(worker: int) -> None:
        for letter in "abc":
            key = f"{letter}{worker}"
            seen.append((worker, key, await store.get(key)))

    random = Random(seed)
    cancel = [(random.randrange(2), random.randrange(6))]
    ran = await race([lambda: body(0), lambda: body(1)], seed=seed, rate=rate, cancel=cancel)
    seen.append((2, "last", await store.get("last")))
    return Round(all(answer == f"value of {key}" for _, key, answer in seen), seen, ran)


CASES: dict[str, Callable[..., Awaitable[Round]]] = {
    "Counter": count,
    "RareCounter": count,
    "Claims": claim,
    "Pooled": ask,
}
EACH = pytest.mark.parametrize("name", CASES)


def round_of(name: str, seed: int, rate: float = 0.3, module: ModuleType = POINTED) -> Round:
    """Run one round on a fresh toy."""
    play = CASES[name.removesuffix("Fixed")]
    return run_in_loop(lambda: play(getattr(module, name)(), seed, rate), seed=seed)


@EACH
def test_a_broken_toy_is_caught(name: str) -> None:
    """20 of 20 seeds find it within a few rounds."""
    for seed in range(SEEDS):
        assert not all(round_of(name, 1000 * seed + number).right for number in range(ROUNDS)), seed


@EACH
def test_a_repaired_toy_is_never_accused(name: str) -> None:
    """It is right in 200 rounds of 200, each of which passed points and yielded at some."""
    rounds = [round_of(f"{name}Fixed", seed) for seed in range(200)]
    assert all(one.right for one in rounds)
    assert all(one.ran.points > 0 for one in rounds)
    assert sum(one.ran.yields for one in rounds) > 100
    assert not any(one.ran.stuck for one in rounds)


@EACH
def test_the_same_seed_is_the_same_interleaving(name: str) -> None:
    """What is seen, in which order, at which points: all of it is the same 10 times of 10; other seeds differ."""
    for seed in (1, 2, 3):
        assert len({repr(round_of(name, seed)) for _ in range(10)}) == 1
    assert len({repr(round_of(name, seed)) for seed in range(10)}) > 5


@pytest.mark.parametrize("name", ["RareCounter", "Claims"])
def test_without_points_a_rare_pause_is_missed(name: str) -> None:
    """A plain `gather` of many calls, and a shuffled loop alone, find nothing where next to nothing suspends."""

    async def naive() -> bool:
        store = PLAIN.RareCounter()

        async def body() -> None:
            for _ in range(400):
                await store.increment()

        await asyncio.gather(*(body() for _ in range(4)))
        return bool(store.count == 1600)

    assert all(asyncio.run(naive()) for _ in range(5))
    rounds = [round_of(name, seed, module=PLAIN) for seed in range(ROUNDS)]
    assert all(one.right and one.ran.points == 0 for one in rounds)


def test_at_rate_zero_nothing_yields() -> None:
    """The points are counted, but none yields."""
    ran = round_of("RareCounter", 1, rate=0.0).ran
    assert (ran.points, ran.yields) == (6, 0)


def test_each_body_has_its_error() -> None:
    """What a body raises is its answer, and the others go on."""

    async def fine() -> None:
        await asyncio.sleep(0)

    async def fails() -> None:
        raise OSError("inside")

    ran = run_tasks([fine, fails, fine], seed=1)
    assert [type(error) for error in ran.errors] == [type(None), OSError, type(None)]
    assert ran == RanTasks(0, 0, stuck=False, errors=ran.errors)
    assert run_tasks([], seed=1) == RanTasks(0, 0, stuck=False, errors=())


def test_bodies_that_hang_are_stuck() -> None:
    """After the limit they are cancelled, and nothing is left running."""
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def fine() -> None:
        ended.append("fine")

    async def main() -> tuple[RanTasks, int]:
        ran = await race([waits, fine], seed=1, limit_s=0.01)
        return ran, len(asyncio.all_tasks())

    ran, tasks = run_in_loop(main, seed=1)
    assert ran.stuck
    assert isinstance(ran.errors[0], asyncio.CancelledError)
    assert ran.errors[1] is None
    assert sorted(ended) == ["fine", "waits"]
    assert tasks == 2  # the one that asks, and the one that runs it


def test_a_body_that_will_not_be_cancelled_is_told_of() -> None:
    """It is given up after some tries."""

    async def stubborn() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    ran = run_tasks([stubborn], seed=1, limit_s=0.01)
    assert ran.stuck
    assert isinstance(ran.errors[0], TimeoutError)


def test_a_race_that_is_cancelled_ends_its_bodies() -> None:
    """Whoever ends the caller ends the bodies with it, and points are off again."""
    ended: list[int] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    async def main() -> RanTasks:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(race([waits, waits], seed=1), 0.01)
        assert ended == [1, 1]
        return await race([], seed=1)

    assert run_in_loop(main, seed=1).points == 0


@pytest.mark.parametrize("after", [0, 1, 2, 5])
def test_a_cancellation_comes_after_so_many_points(after: int) -> None:
    """The worker gets no further than that; a point that it never passes is none to cancel it at."""
    store = POINTED.Counter()

    async def body() -> None:
        for _ in range(4):
            await store.increment()

    ran = run_tasks([body], seed=1, cancel=[(0, after)])
    cancelled = after < 4
    assert isinstance(ran.errors[0], asyncio.CancelledError) == cancelled
    assert (ran.cancels, ran.points) == (int(cancelled), min(after + 1, 4))
    assert store.count == min(after, 4)


def test_a_call_is_cancelled_inside() -> None:
    """A cancellation doesn't come before a call that has points of its own, but inside of it."""

    async def main() -> tuple[RanTasks, bool]:
        store = POINTED.PooledFixed()
        first = store.connection
        # At the first point it enters the lock, at the second it calls `receive`, at the third that waits.
        ran = await race([lambda: store.get("a")], seed=1, rate=0.0, cancel=[(0, 1)])
        return ran, store.connection is first

    ran, kept = run_in_loop(main, seed=1)
    assert (ran.points, ran.cancels) == (3, 1)
    assert not kept


@pytest.mark.parametrize("after", range(4))
def test_a_call_is_not_cancelled_before_it_begins(after: int) -> None:
    """Between a store's own line and the call that follows on it there is no room for a cancellation."""

    async def main(seed: int) -> tuple[int, int]:
        store = POINTED.Guarded()
        ran = await race([store.work], seed=seed, rate=0.5, cancel=[(0, after)])
        return store.active, ran.cancels

    found = {run_in_loop(lambda seed=seed: main(seed), seed=seed) for seed in range(30)}
    assert found == {(0, int(after < 3))}


def test_a_call_that_awaits_nothing_is_not_cancelled() -> None:
    """Where a call that might await doesn't, there is nothing inside of it to cancel."""
    store = POINTED.RareCounter()
    ran = run_tasks([store.increment], seed=1, rate=1.0, cancel=[(0, 0)])
    assert (ran.cancels, ran.errors, store.count) == (0, (None,), 1)


def test_a_worker_goes_on_after_it_was_cancelled() -> None:
    """A body that notes the cancellation and goes on can be cancelled again."""
    noted: list[str] = []

    async def main() -> RanTasks:
        store = POINTED.PooledFixed()

        async def body() -> None:
            for letter in "abcd":
                try:
                    noted.append(await store.get(letter))
                except asyncio.CancelledError:
                    noted.append("cancelled")

        return await race([body], seed=1, cancel=[(0, 0), (0, 6)])

    ran = run_in_loop(main, seed=1)
    assert ran.cancels == 2
    assert ran.errors == (None,)
    assert noted.count("cancelled") == 2
    assert set(noted) - {"cancelled"} <= {f"value of {letter}" for letter in "abcd"}
