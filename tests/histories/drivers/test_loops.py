"""The shuffled loop: any ready task may be next, and everything else is as in any loop of asyncio."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from conformance.histories.drivers.loops import ShuffledLoop, run_in_loop

WORKERS = 4
STEPS = 5


async def order() -> list[int]:
    """Return in which order some tasks took their steps."""
    taken: list[int] = []

    async def walk(worker: int) -> None:
        for _ in range(STEPS):
            taken.append(worker)
            await asyncio.sleep(0)

    await asyncio.gather(*map(walk, range(WORKERS)))
    return taken


def test_the_seed_decides_the_order_of_the_tasks() -> None:
    """The same seed gives the same order 10 times of 10, other seeds give others, and every task gets its turns."""
    orders = {tuple(run_in_loop(order, seed=7)) for _ in range(10)}
    assert len(orders) == 1
    others = {tuple(run_in_loop(order, seed=seed)) for seed in range(20)}
    assert len(others) == 20
    assert all(sorted(one) == sorted([*range(WORKERS)] * STEPS) for one in others)


def test_any_ready_task_may_be_first() -> None:
    """Over some seeds each of the tasks is the first one to begin."""
    assert {run_in_loop(order, seed=seed)[0] for seed in range(40)} == {*range(WORKERS)}


def test_callbacks_that_are_no_steps_keep_their_order() -> None:
    """What is passed to `call_soon` and `call_soon_threadsafe` is called in that order, also amid tasks."""

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        called: list[int] = []
        for number in range(0, 20, 2):
            loop.call_soon(called.append, number)
            loop.call_soon_threadsafe(called.append, number + 1)
        await order()
        return called

    assert run_in_loop(main, seed=3) == [*range(20)]


@pytest.mark.parametrize("seed", range(10))
def test_no_step_overtakes_a_callback(seed: int) -> None:
    """What a future tells before it wakes a task is done when the task goes on, however many others are ready."""

    async def wakes(number: int) -> None:
        told: list[int] = []
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        future.add_done_callback(lambda _: told.append(number))
        loop.call_soon(future.set_result, None)
        await future
        assert told == [number]

    async def main() -> None:
        await asyncio.gather(*map(wakes, range(20)), order(), *map(wakes, range(20)))

    run_in_loop(main, seed=seed)


def test_a_thread_wakes_the_loop() -> None:
    """A callback from another thread is called at once, though the loop has nothing else to do."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        threading.Thread(target=lambda: loop.call_soon_threadsafe(answer.set_result, "woken")).start()
        return await answer

    assert run_in_loop(main, seed=1) == "woken"


def test_a_tasks_method_is_a_callback_like_others() -> None:
    """A scheduled `task.cancel` keeps its place, and its handle can be cancelled, without harm to any other task."""

    async def main() -> tuple[int, list[int]]:
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(asyncio.sleep(0, 5))
        loop.call_soon(task.cancel).cancel()
        return await task, await order()

    answer, taken = run_in_loop(main, seed=1)
    assert answer == 5
    assert len(taken) == WORKERS * STEPS


def test_subprocesses_work() -> None:
    """A subprocess is started, spoken to, and waited for."""

    async def main() -> tuple[bytes, int | None]:
        code = "print(input() * 2)"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        answer, _ = await process.communicate(b"ab\n")
        return answer.strip(), process.returncode

    assert run_in_loop(main, seed=1) == (b"abab", 0)


@pytest.mark.parametrize("seed", range(10))
def test_sockets_work(seed: int) -> None:
    """Clients and the server that answers them share the loop; each gets its own answers, in their order."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def ask(port: int, name: str) -> list[bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers: list[bytes] = []
        for number in range(3):
            writer.write(f"{name}{number}\n".encode())
            answers.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
        return answers

    complaints: list[dict[str, Any]] = []

    async def main() -> list[list[bytes]]:
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port: int = server.sockets[0].getsockname()[1]
            return await asyncio.gather(*(ask(port, name) for name in "abc"))

    expected = [[f"{name}{number}\n".encode() for number in range(3)] for name in "ABC"]
    assert run_in_loop(main, seed=seed) == expected
    assert complaints == []


@pytest.mark.parametrize("seed", range(10))
def test_each_task_keeps_its_context(seed: int) -> None:
    """Context variables are those of the task, whichever turn its steps are taken in."""
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=-1)

    async def walk(worker: int) -> set[int]:
        variable.set(worker)
        seen: set[int] = set()
        for _ in range(STEPS):
            await asyncio.sleep(0)
            seen.add(variable.get())
        return seen

    async def main() -> list[set[int]]:
        return await asyncio.gather(*map(walk, range(WORKERS)))

    assert run_in_loop(main, seed=seed) == [{worker} for worker in range(WORKERS)]


@pytest.mark.parametrize("seed", range(10))
def test_cancelling_is_as_ever(seed: int) -> None:
    """A cancelled task is told where it waits, a time limit ends what it limits, and a shield holds."""

    async def main() -> None:
        waited = asyncio.Event()
        begun: list[str] = []

        async def waits(name: str) -> str:
            begun.append(name)
            try:
                await waited.wait()
            except asyncio.CancelledError:
                return "told"
            return "woken"

        unbegun = asyncio.create_task(waits("unbegun"))
        unbegun.cancel()
        with pytest.raises(asyncio.CancelledError):
            await unbegun
        task, shielded = asyncio.create_task(waits("task")), asyncio.create_task(waits("shielded"))
        while len(begun) < 2:
            await asyncio.sleep(0)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(shielded), 0.001)
        task.cancel()
        waited.set()
        assert await task == "told"
        assert await shielded == "woken"
        assert sorted(begun) == ["shielded", "task"]

    run_in_loop(main, seed=seed)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.Runner is there from Python 3.11 on")
@pytest.mark.parametrize("debug", [False, True])
def test_a_runner_takes_the_loop(debug: bool) -> None:  # noqa: FBT001
    """The loop serves as `loop_factory` of asyncio's Runner, in debug mode too, with the same order."""
    with asyncio.Runner(loop_factory=lambda: ShuffledLoop(7), debug=debug) as runner:  # type: ignore[attr-defined]
        first = runner.run(order())
    assert first != [*range(WORKERS)] * STEPS
    assert len(first) == WORKERS * STEPS


def test_what_it_raises_is_raised() -> None:
    """An error of the coroutine comes out, and the loop is closed all the same."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        raise OSError("inside")

    with pytest.raises(OSError, match="inside"):
        run_in_loop(main, seed=1)
    assert loops[0].is_closed()


def test_nothing_is_left_running() -> None:
    """At the end tasks in the background are cancelled, generators are closed, and the threads have ended."""
    ended: list[str] = []
    threads: list[threading.Thread] = []

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.append("generator")

    async def main() -> None:
        kept.append(asyncio.create_task(background()))
        kept.append(generator := numbers())
        await generator.__anext__()
        await asyncio.to_thread(lambda: threads.append(threading.current_thread()))

    kept: list[Any] = []
    run_in_loop(main, seed=1)
    assert ended == ["task", "generator"]
    assert not threads[0].is_alive()


def test_a_limit_ends_what_hangs() -> None:
    """A coroutine that takes too long is cancelled."""
    with pytest.raises(TimeoutError, match=r"not done after 0\.01 s"):
        run_in_loop(lambda: asyncio.Event().wait(), seed=1, limit_s=0.01)


def stubborn(tries: list[int]) -> Callable[[], Any]:
    """Return a coroutine function that will not be cancelled."""

    async def main() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                tries.append(1)

    return main


def test_what_will_not_be_cancelled_is_left_to_the_closed_loop(caplog: pytest.LogCaptureFixture) -> None:
    """It is cancelled a few times, then given up quietly, so that no broken store can hold a run up."""
    tries: list[int] = []
    with caplog.at_level(logging.DEBUG, "asyncio"), pytest.raises(TimeoutError):
        run_in_loop(stubborn(tries), seed=1, limit_s=0.01)
    gc.collect()
    assert len(tries) == 6  # by the limit, and at the end
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


def test_a_generator_that_will_not_close_is_cancelled() -> None:
    """An asynchronous generator that hangs when it is closed holds nothing up."""
    kept: list[AsyncIterator[int]] = []
    ended: list[str] = []

    async def hangs() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("hangs")

    async def main() -> int:
        kept.append(hangs())
        return await kept[0].__anext__()

    assert run_in_loop(main, seed=1) == 1
    assert ended == ["hangs"]


def test_a_thread_that_hangs_is_not_waited_for() -> None:
    """A call that hangs in a thread holds neither the limit nor the end up."""
    release = threading.Event()
    try:
        with pytest.raises(TimeoutError):
            run_in_loop(lambda: asyncio.to_thread(release.wait), seed=1, limit_s=0.01)
    finally:
        release.set()
