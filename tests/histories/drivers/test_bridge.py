"""Plain code in a task: what it asks for is awaited there, and it is told what came of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conformance.histories.drivers.bridge import Bridge, run_plain
from conformance.histories.drivers.loops import run_in_loop


async def double(number: int) -> int:
    """Take some time."""
    await asyncio.sleep(0)
    return 2 * number


async def some() -> AsyncIterator[int]:
    """Give numbers."""
    for number in (1, 2):
        await asyncio.sleep(0)
        yield number


def test_plain_code_is_a_part_of_its_task() -> None:
    """Plain functions and coroutines are called in the task, and their answers come back."""
    seen: list[Any] = []

    async def main() -> None:
        task = asyncio.current_task()

        def code(bridge: Bridge) -> None:
            seen.append(bridge.call(lambda: asyncio.current_task() is task))
            seen.append(bridge.call(double, 4))
            seen.append(bridge.items(some))
            seen.append(bridge.items(lambda: [3]))

        await run_plain(code)

    run_in_loop(main, seed=1)
    assert seen == [True, 8, [1, 2], [3]]


def test_what_a_call_raises_is_raised_in_the_code() -> None:
    """And what the code lets through is raised in the task; a cancellation too."""

    async def fails() -> None:
        raise OSError("inside")

    seen: list[str] = []
    arrived: list[asyncio.Event] = []

    async def waits() -> None:
        arrived[0].set()
        await asyncio.Event().wait()

    def code(bridge: Bridge) -> None:
        with pytest.raises(OSError, match="inside"):
            bridge.call(fails)
        try:
            bridge.call(waits)
        except asyncio.CancelledError:
            seen.append("cancelled")
            seen.append(bridge.call(double, 1))  # clears up
            raise

    async def main() -> None:
        arrived.append(asyncio.Event())
        task = asyncio.create_task(run_plain(code))
        await arrived[0].wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_in_loop(main, seed=1)
    assert seen == ["cancelled", 2]


def test_a_task_that_is_closed_ends_its_code() -> None:
    """A loop that is closed leaves no code that waits for it."""
    ended = threading.Event()

    def code(bridge: Bridge) -> None:
        try:
            bridge.call(asyncio.sleep, 3_600)
        finally:
            with pytest.raises(RuntimeError, match="has ended"):
                bridge.call(double, 1)
            ended.set()

    coroutine = run_plain(code)

    async def main() -> None:
        coroutine.send(None)
        coroutine.close()

    asyncio.run(main())
    assert ended.wait(60)
