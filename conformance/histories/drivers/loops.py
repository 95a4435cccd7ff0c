"""An event loop that resumes tasks late, and in an order of its own, out of a seeded generator.

Others run only where a task really suspends. To resume it later than it could be is all that a schedule may do: a busy
process does it too.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple, TypeVar

Answer = TypeVar("Answer")

#: How long a task is waited for that was cancelled, and then cancelled again; in the end it is left to the closed loop.
PATIENCE_S = (0.1, 0.3, 0.6)
#: The name of threads that do nothing but what the event loop lets them do.
WAITS = "waits for the loop"

if sys.platform == "win32":
    _Loop = asyncio.ProactorEventLoop
else:
    _Loop = asyncio.SelectorEventLoop


class ShuffledLoop(_Loop):  # asyncio has no other way to change what comes next
    """An event loop in which any task that is ready may be the next one.

    Only steps of tasks change places. Other callbacks keep their order: transports, subprocesses and
    `call_soon_threadsafe` need it. No step comes before a callback that was there first: a task that waits for a
    connection must not go on before the event loop is done with connecting.

    Args:
        seed: The same seed gives the same order, as far as nothing outside decides when a task is ready.

    Attributes:
        held: How many of the steps that could be next are put off by a turn; may be changed at any time.
        limit: Ends all in the end; it is nothing to hope for.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.held = 0.0
        self.limit: asyncio.TimerHandle | None = None
        self._calls: set[Future[Any]] = set()
        self._random = Random(seed)
        self._steps: list[_Step] = []  # in the order of their `after`
        self._others = 0
        self._outside = copy_context()

    def call_soon(  # type: ignore[override]  # Python 3.10 can't say that the arguments are those of the callback
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Have a callback called in one of the next turns; a step of a task, in the turn of any."""
        if not _is_step(callback):
            self._others += 1
            return super().call_soon(callback, *args, context=context)
        # Nobody keeps the handle of a step, so it does no harm that it stands for a turn rather than for this step.
        handle = super().call_soon(self._turn, self._others, context=self._outside)
        self._steps.append(_Step(self._others, callback, args, copy_context() if context is None else context))
        return handle

    def run_in_executor(  # type: ignore[override]  # as above
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Have a function called in a thread; a thread that nobody waits for any more is remembered."""
        if not isinstance(executor, Executor):
            return super().run_in_executor(executor, func, *args)
        call = executor.submit(func, *args)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return asyncio.wrap_future(call, loop=self)

    async def quiet(self, limit_s: float) -> None:
        """Wait until no thread does what was asked of it, also for a task that was cancelled meanwhile."""
        calls = [asyncio.wrap_future(call, loop=self) for call in tuple(self._calls)]
        if calls:
            await asyncio.wait(calls, timeout=limit_s)

    def hopeless(self) -> bool:
        """Tell whether nothing will ever happen again by itself: nothing is ready, in time, in a thread, or awaited."""
        # What asyncio has no public name for, and another loop may not have.
        selector, scheduled, ready, executor = (
            getattr(self, name, None) for name in ("_selector", "_scheduled", "_ready", "_default_executor")
        )
        if selector is None or scheduled is None or ready is None or ready or self._calls or self._steps:
            return False
        if any(timer is not self.limit and not timer.cancelled() for timer in scheduled):
            return False
        # One reader is the loop's own. Idle threads of the executor wait for the loop.
        waiting = {threading.current_thread(), *getattr(executor, "_threads", ())}
        others = [one for one in threading.enumerate() if one not in waiting and one.name != WAITS]
        return len(selector.get_map()) <= 1 and not others

    def _turn(self, after: int) -> None:
        if self._random.random() < self.held:
            super().call_soon(self._turn, self._others, context=self._outside)
            return
        choice = bisect_right(self._steps, after, key=_after)
        step = self._steps.pop(int(self._random.random() * choice))
        step.context.run(step.callback, *step.args)


class _Step(NamedTuple):
    """A step of a task.

    Args:
        after: How many other callbacks were passed to `call_soon` before.
        callback: It.
        args: Its arguments.
        context: Its context variables.
    """

    after: int
    callback: Callable[..., Any]
    args: tuple[Any, ...]
    context: Context


_after = attrgetter("after")


def _is_step(callback: Callable[..., Any]) -> bool:
    """Tell whether a callback begins or resumes a task; its public methods may be callbacks too."""
    task = getattr(callback, "__self__", None)
    return isinstance(task, asyncio.Task) and not hasattr(task, getattr(callback, "__name__", "?"))


def run_in_loop(main: Callable[[], Awaitable[Answer]], *, seed: int, limit_s: float = 60.0) -> Answer:
    """Run a coroutine function in a shuffled loop of its own, and return its answer; nothing is left running.

    Args:
        main: Opens the store, uses it and closes it: a store lives in the loop that it was opened in.
        seed: Of the order of the tasks.
        limit_s: How long it may take.

    Raises:
        TimeoutError: If it takes longer. What it raises is raised, too.
    """
    loop = ShuffledLoop(seed)
    threads: list[threading.Thread] = []
    executor = ThreadPoolExecutor(initializer=lambda: threads.append(threading.current_thread()))
    loop.set_default_executor(executor)
    try:
        return loop.run_until_complete(_within(main, limit_s))
    finally:
        try:
            loop.run_until_complete(_finish())
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
            for thread in threads:
                thread.join(PATIENCE_S[-1])  # one that hangs can't be ended from here
            loop.set_exception_handler(lambda _loop, _context: None)  # of tasks that would not be cancelled
            loop.close()


async def cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended; one that won't is cancelled some more times, then left alone."""
    waiting = {task for task in tasks if not task.done()}
    for patience in PATIENCE_S:
        if waiting:
            for task in waiting:
                task.cancel()
            _, waiting = await asyncio.wait(waiting, timeout=patience)


async def _within(main: Callable[[], Awaitable[Answer]], limit_s: float) -> Answer:
    async def call() -> Answer:
        return await main()

    loop = asyncio.get_running_loop()
    task, over = asyncio.create_task(call()), loop.create_future()
    limit = loop.call_later(limit_s, over.cancel)
    if isinstance(loop, ShuffledLoop):
        loop.limit = limit
    await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
    limit.cancel()
    if not task.done():
        await cancelled([task])
        raise TimeoutError(f"not done after {limit_s:g} s")
    return task.result()


async def _finish() -> None:
    here = asyncio.current_task()
    await cancelled(task for task in asyncio.all_tasks() if task is not here)
    closing = asyncio.create_task(asyncio.get_running_loop().shutdown_asyncgens())
    await asyncio.wait({closing}, timeout=PATIENCE_S[-1])
    await cancelled([closing])
