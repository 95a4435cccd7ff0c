"""Work of a crew, carried out by any `concurrent.futures.Executor`: on other cores, or on other machines.

What goes there and what comes back is bytes, so nothing of the executor's own way to send things matters, and nothing
that is shared. Each task has a worker of its own, which is gone when the task is done: an executor tells nobody when
its processes end, and what they kept would be left behind.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from conformance.hosting import Found
from conformance.workers.crew import Crew
from conformance.workers.nursery import WorkerError

#: Tasks that an executor has at hand, at most: more than it has workers, and few enough to be kept in memory.
AT_HAND = 256
#: How often a task is tried: a worker may die, but what fails again does not do so by chance.
TRIES = 2


@dataclass(frozen=True)
class Task:
    """What is done with a store, as pure data.

    Args:
        found: How the backend is found there.
        contract: The contract that is opened, e.g. `state`.
        function: Importable, as for `Crew.call`.
        arguments: It is called with each of them, one after the other.
    """

    found: Found
    contract: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


def carried_out(data: bytes, attempt: int) -> bytes:  # noqa: ARG001 - see `_submitted`
    """Carry out a pickled task, in whatever process this is; return the answers, pickled.

    Raises:
        WorkerError: The backend is not found here, or a function raised, or the worker died.
    """
    task: Task = pickle.loads(data)
    with closing(Crew(task.found(), task.contract, 1)) as crew:
        return pickle.dumps([crew.call(task.function, argument) for argument in task.arguments])


def spread_over(executor: Executor | None, tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Any]]]:
    """Give each task with its answers, as they come; tasks are taken when one is wanted.

    A task that fails is done again, once. None is ever left out.

    Args:
        executor: Whatever carries out the tasks; None for this process, one after the other.
        tasks: Of any number.

    Raises:
        WorkerError: A task failed twice, or the executor takes no more.
    """
    waiting = iter(tasks)
    at_hand: dict[Future[bytes], tuple[Task, int]] = {}
    most = AT_HAND if executor is not None else 1
    task = next(waiting, None)
    try:
        while task is not None or at_hand:
            while task is not None and len(at_hand) < most:
                at_hand[_submitted(executor, task, 1)] = task, 1
                task = next(waiting, None)
            for future in wait(at_hand, return_when=FIRST_COMPLETED).done:
                done, attempt = at_hand.pop(future)
                error = _error(future)
                if error is None:
                    yield done, pickle.loads(future.result())
                elif attempt < TRIES:
                    at_hand[_submitted(executor, done, attempt + 1)] = done, attempt + 1
                else:
                    raise WorkerError(f"a task failed {TRIES} times, at last with {_told(error)}") from error
    finally:
        for future in at_hand:
            future.cancel()


def _submitted(executor: Executor | None, task: Task, attempt: int) -> Future[bytes]:
    """Hand a task over. The attempt makes it another one: Dask takes the same call for the same result."""
    data = pickle.dumps(task)
    if executor is None:
        future: Future[bytes] = Future()
        try:
            future.set_result(carried_out(data, attempt))
        except WorkerError as error:
            future.set_exception(error)
        return future
    try:
        return executor.submit(carried_out, data, attempt)
    except RuntimeError as error:  # it is broken, or was shut down
        raise WorkerError(f"the executor takes no more tasks: {_told(error)}") from error


def _error(future: Future[bytes]) -> BaseException | None:
    if future.cancelled():
        return WorkerError("it was cancelled")
    return future.exception()


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
