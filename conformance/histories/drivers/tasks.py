"""Workers that are tasks of one event loop and share one store.

Modules of the store that were imported under `yields.yielding` yield at awaits; the loop resumes any task that is
ready. Both are drawn from one seed. The usual way, since a store lives in the loop that it was opened in:

    async def main() -> ...:
        store = await open_store()
        ran = await race([...], seed=seed)  # points are on
        ...  # final reads; points are off
        await store.close()

    run_in_loop(main, seed=seed)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.histories.drivers.loops import cancelled, run_in_loop
from conformance.histories.drivers.yields import has_points, points

Body = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class RanTasks:
    """What came of a race.

    Args:
        points: How many points were passed; none, if the race saw none of the store's code.
        yields: How many of them yielded.
        stuck: Whether some body had not ended in time.
        errors: What each body raised; TimeoutError for one that would not even be cancelled.
        cancels: How many of the cancellations were asked for: a body may end before its time has come.
    """

    points: int
    yields: int
    stuck: bool
    errors: tuple[BaseException | None, ...]
    cancels: int = 0


def run_tasks(
    bodies: Sequence[Body],
    *,
    seed: int,
    rate: float = 0.3,
    limit_s: float = 5.0,
    cancel: Sequence[tuple[int, int]] = (),
) -> RanTasks:
    """Race bodies in a loop of their own; the arguments are those of `race`."""
    return run_in_loop(
        lambda: race(bodies, seed=seed, rate=rate, limit_s=limit_s, cancel=cancel), seed=seed, limit_s=limit_s + 10
    )


async def race(
    bodies: Sequence[Body],
    *,
    seed: int,
    rate: float = 0.3,
    limit_s: float = 5.0,
    cancel: Sequence[tuple[int, int]] = (),
) -> RanTasks:
    """Run bodies at once, each as a task of the running loop, with points on until all have ended.

    Args:
        bodies: What each worker does.
        seed: The same seed yields at the same points.
        rate: How many of the points yield.
        limit_s: After so long, bodies that have not ended are cancelled.
        cancel: Workers to cancel in the middle of a call, each with the number of its points to be passed before. The
            cancellation is asked for at the next point before something that has no points of its own: what else is
            awaited is a call that can't be cancelled before it begins. It arrives there, or inside of what is awaited.
    """
    errors: list[BaseException | None] = [TimeoutError("would not be cancelled") for _ in bodies]

    async def call(worker: int) -> None:
        try:
            await bodies[worker]()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # it is the answer
            errors[worker] = error
        else:
            errors[worker] = None

    plan = _Cancelling(cancel)
    with points(seed, rate, plan.meet if cancel else lambda _, yields: yields) as passed:
        tasks = [asyncio.create_task(call(worker)) for worker in range(len(bodies))]
        plan.workers.update({task: worker for worker, task in enumerate(tasks)})
        try:
            pending = (await asyncio.wait(tasks, timeout=limit_s))[1] if tasks else set()
        except asyncio.CancelledError:
            await cancelled(tasks)
            raise
    await cancelled(pending)
    return RanTasks(passed.passed, passed.made, bool(pending), tuple(errors), plan.asked)


@dataclass
class _Cancelling:
    """Asks for cancellations when their points have come."""

    plan: Sequence[tuple[int, int]]
    workers: dict[asyncio.Task[None] | None, int] = field(default_factory=dict)
    passed: dict[int, int] = field(default_factory=dict)
    asked: int = 0

    def __post_init__(self) -> None:
        self._due = {worker: sorted(after for who, after in self.plan if who == worker) for worker, _ in self.plan}
        self._cancelled: set[int] = set()

    def meet(self, operand: Any, yields: bool) -> bool:  # noqa: FBT001
        """Note a point of a worker; tell whether it may yield."""
        task: asyncio.Task[Any] | None = asyncio.current_task()
        worker = self.workers.get(task)
        if task is None or worker is None:
            return yields
        passed = self.passed[worker] = self.passed.get(worker, -1) + 1
        innermost = not has_points(operand)
        due = self._due.get(worker)
        if due and innermost and passed >= due[0]:
            due.pop(0)
            task.cancel()
            self.asked += 1
            self._cancelled.add(worker)
        # A cancellation that is under way arrives where the task next suspends: not before a call that has points.
        return yields and (innermost or worker not in self._cancelled)
