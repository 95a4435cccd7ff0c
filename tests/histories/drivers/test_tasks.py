"""Racing tasks: broken asynchronous stores are caught within a few rounds, repaired ones never."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

import pytest

from conformance.histories.drivers.loops import run_in_loop
from conformance.histories.drivers.tasks import Cancelling, RanTasks, race, uncancelled
from tests.histories.drivers import async_toys

#: A round finds a broken toy with a probability of a third or more.
ROUNDS = 20
SEEDS = 20


class Round(NamedTuple):
    """What came of a round: whether the store was right, what was seen in which order, and the race."""

    right: bool
    seen: Sequence[Any]
    ran: RanTasks


async def count(store: Any, seed: int) -> Round:
    """Count in two tasks: no number may come twice."""
    seen: list[tuple[int, int]] = []

    async def body(worker: int) -> None:
        for _ in range(3):
            number = await store.increment()
            seen.append((worker, number))

    ran = await race([lambda: body(0), lambda: body(1)], held=0.5)
    right = sorted(number for _, number in seen) == [1, 2, 3, 4, 5, 6] and store.count == 6
    return Round(right, seen, ran)


async def ask(store: Any, seed: int) -> Round:
    """Ask in two tasks, some of whose calls are cancelled; each answer has to be that of its question, also later."""
    seen: list[tuple[int, str, str]] = []
    cancelling = Cancelling(Random(seed))

    async def body(worker: int) -> None:
        for letter in "abc":
            key = f"{letter}{worker}"
            cancelling.calls.add(worker)
            try:
                seen.append((worker, key, await store.get(key)))
            except asyncio.CancelledError:
                cancelling.cancelled.remove(worker)
                uncancelled()
            finally:
                cancelling.calls.discard(worker)

    ran = await race([lambda: body(0), lambda: body(1)], held=0.5, cancelling=cancelling)
    seen.append((2, "last", await store.get("last")))
    return Round(all(answer == f"value of {key}" for _, key, answer in seen), seen, ran)


CASES: dict[str, Callable[..., Awaitable[Round]]] = {"Counter": count, "Pooled": ask}


def round_of(name: str, seed: int) -> Round:
    """Run one round on a fresh toy."""
    play = CASES.get(name.removesuffix("Fixed"), count)
    return run_in_loop(lambda: play(getattr(async_toys, name)(), seed), seed=seed)


@pytest.mark.parametrize("name", CASES)
def test_a_broken_toy_is_caught(name: str) -> None:
    """20 of 20 seeds find it within a few rounds."""
    for seed in range(SEEDS):
        assert not all(round_of(name, 1000 * seed + number).right for number in range(ROUNDS)), seed


@pytest.mark.parametrize("name", ["CounterFixed", "PooledFixed", "Trusting"])
def test_an_honest_toy_is_never_accused(name: str) -> None:
    """It is right in 200 rounds of 200, also where it relies on what does not suspend."""
    rounds = [round_of(name, seed) for seed in range(200)]
    assert all(one.right for one in rounds)
    assert not any(one.ran.stuck or any(one.ran.errors) for one in rounds)


@pytest.mark.parametrize("name", CASES)
def test_the_same_seed_is_the_same_interleaving(name: str) -> None:
    """What is seen, in which order: all of it is the same 10 times of 10; other seeds differ."""
    for seed in (1, 2, 3):
        assert len({repr(round_of(name, seed)) for _ in range(10)}) == 1
    assert len({repr(round_of(name, seed)) for seed in range(10)}) > 5


@pytest.mark.parametrize("seed", range(30))
def test_a_call_is_not_cancelled_before_it_begins(seed: int) -> None:
    """Between a store's own line and the call that follows on it there is no room for a cancellation."""

    async def main() -> int:
        store = async_toys.Guarded()
        cancelling = Cancelling(Random(seed))

        async def body() -> None:
            cancelling.calls.add(0)
            await store.work()

        await race([body], held=0.5, cancelling=cancelling)
        return store.active

    assert run_in_loop(main, seed=seed) == 0


def test_each_body_has_its_error() -> None:
    """What a body raises is its answer, and the others go on."""

    async def fine() -> None:
        await asyncio.sleep(0)

    async def fails() -> None:
        raise OSError("inside")

    ran = run_in_loop(lambda: race([fine, fails, fine]), seed=1)
    assert [type(error) for error in ran.errors] == [type(None), OSError, type(None)]
    assert run_in_loop(lambda: race([]), seed=1) == RanTasks(stuck=False, errors=())


@pytest.mark.parametrize("limit_s", [0.01, 3_600.0])
def test_bodies_that_hang_are_stuck(limit_s: float) -> None:
    """After the limit they are cancelled; at once, if nothing can ever wake them; and nothing is left running."""
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def fine() -> None:
        ended.append("fine")

    async def main() -> tuple[RanTasks, int]:
        ran = await race([waits, fine], limit_s=limit_s)
        return ran, len(asyncio.all_tasks())

    ran, tasks = run_in_loop(main, seed=1, limit_s=7_200.0)
    assert ran.stuck
    assert isinstance(ran.errors[0], asyncio.CancelledError)
    assert ran.errors[1] is None
    assert sorted(ended) == ["fine", "waits"]
    assert tasks == 2  # the one that asks, and the one that runs it


def test_a_thread_is_something_to_hope_for() -> None:
    """Who waits for a thread, or for a time to come, is not given up."""

    async def main() -> RanTasks:
        loop = asyncio.get_running_loop()
        event, go = asyncio.Event(), asyncio.Event()
        loop.call_later(0.12, event.set)

        async def threads() -> None:
            await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(event.wait(), loop).result())
            go.set()

        return await race([threads, go.wait], limit_s=60.0)  # type: ignore[list-item]

    assert run_in_loop(main, seed=1) == RanTasks(stuck=False, errors=(None, None))


def test_a_body_that_will_not_be_cancelled_is_told_of() -> None:
    """It is given up after some tries."""

    async def stubborn() -> None:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    ran = run_in_loop(lambda: race([stubborn], limit_s=0.01), seed=1)
    assert ran.stuck
    assert isinstance(ran.errors[0], TimeoutError)


def test_a_race_that_is_cancelled_ends_its_bodies() -> None:
    """Whoever ends the caller ends the bodies with it."""
    waiting = 0
    ended: list[int] = []

    async def main() -> None:
        both_wait = asyncio.Event()

        async def waits() -> None:
            nonlocal waiting
            waiting += 1
            if waiting == 2:
                both_wait.set()
            try:
                await asyncio.sleep(3_600)  # until it is cancelled; a time to come, so that nobody gives it up
            finally:
                ended.append(1)

        racing = asyncio.create_task(race([waits, waits]))  # type: ignore[arg-type]
        await both_wait.wait()
        racing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await racing
        assert ended == [1, 1]

    run_in_loop(main, seed=1)
