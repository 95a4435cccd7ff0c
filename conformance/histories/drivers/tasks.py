"""Workers that are tasks of one event loop and share one store.

A task is resumed late, and in an order drawn from a seed; and it may be cancelled where it is suspended. A store lives
in the loop that it was opened in, so the usual way is:

    async def main() -> ...:
        store = await open_store()
        ran = await race([...])
        ...  # final reads
        await store.close()

    run_in_loop(main, seed=seed)

No suspension is put where there is none. A coroutine that never suspends lets nobody in between, and a store may rely
on that, also on what a coroutine does before it suspends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from conformance.histories.drivers.loops import ShuffledLoop, cancelled

Body = Callable[[], Awaitable[None]]

#: Seconds after which it is looked whether the workers can ever go on; it does not decide on the answer.
_LOOK_S = 0.05
#: Turns of the loop up to which a cancellation is put off, as a power of two.
_LATEST = 7


@dataclass(frozen=True)
class RanTasks:
    """What came of a race.

    Args:
        stuck: Whether some body did not end, in time or ever.
        errors: What each body raised; TimeoutError for one that would not even be cancelled.
    """

    stuck: bool
    errors: tuple[BaseException | None, ...]


@dataclass(eq=False)
class Cancelling:
    """Cancels some workers of a race in the middle of a call.

    Args:
        random: Decides whom, and when.
        most: So many cancellations at most.
        calls: The workers that are in the middle of a call: each enters itself before it calls. Who is cancelled is
            taken off, so that nobody is cancelled again while it clears up.
        cancelled: The workers whose task was cancelled; each takes itself off when it has seen the cancellation.
    """

    random: Random
    most: int = 6
    calls: set[int] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)

    async def cancel(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Cancel workers, by the places of their tasks."""
        for _ in range(self.most):
            for _ in range(int(2 ** (self.random.random() * _LATEST))):
                await asyncio.sleep(0)
            if self.calls:
                worker = self.random.choice(sorted(self.calls))
                self.calls.discard(worker)
                self.cancelled.add(worker)
                tasks[worker].cancel()


async def race(
    bodies: Sequence[Body], *, held: float = 0.0, limit_s: float = 5.0, cancelling: Cancelling | None = None
) -> RanTasks:
    """Run bodies at once, each as a task of the running loop, until all have ended.

    Args:
        bodies: What each worker does.
        held: How many of the steps that could be next are put off; see `ShuffledLoop`.
        limit_s: After so long, bodies that have not ended are cancelled; at once if they can't ever go on.
        cancelling: Who is cancelled on the way; None for nobody.
    """
    errors: list[BaseException | None] = [TimeoutError("would not be cancelled") for _ in bodies]

    async def call(worker: int) -> None:
        try:
            await bodies[worker]()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # it is the answer
            errors[worker] = error
        else:
            errors[worker] = None

    loop = asyncio.get_running_loop()
    if isinstance(loop, ShuffledLoop):
        loop.held = held
    tasks = [asyncio.create_task(call(worker)) for worker in range(len(bodies))]
    beside = [asyncio.create_task(cancelling.cancel(tasks))] if cancelling is not None else []
    try:
        pending = await _ended(tasks, limit_s)
    except asyncio.CancelledError:
        await cancelled([*tasks, *beside])
        raise
    finally:
        if isinstance(loop, ShuffledLoop):
            loop.held = 0.0
    await cancelled([*pending, *beside])
    return RanTasks(bool(pending), tuple(errors))


async def _ended(tasks: Sequence[asyncio.Task[Any]], limit_s: float) -> set[asyncio.Task[Any]]:
    """Wait for tasks, and return those that did not end."""
    loop = asyncio.get_running_loop()
    pending, until = set(tasks), time.monotonic() + limit_s
    while pending and (left := until - time.monotonic()) > 0:
        _, pending = await asyncio.wait(pending, timeout=min(_LOOK_S, left))
        if pending and isinstance(loop, ShuffledLoop) and loop.hopeless():
            break
    return pending


def uncancelled() -> None:
    """Forget that the running task was cancelled: it has seen it, and goes on."""
    with suppress(AttributeError):  # before Python 3.11 a task forgets by itself
        getattr(asyncio.current_task(), "uncancel")()  # noqa: B009 - unknown before Python 3.11
