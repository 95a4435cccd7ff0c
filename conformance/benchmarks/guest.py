"""A store that is measured: open at a place, called directly, and in its own event loop where it is async."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Sequence
from functools import partial
from time import perf_counter_ns
from typing import Any

from conformance.backend import Backend, Where
from conformance.benchmarks.acts import Act
from conformance.benchmarks.crowd import together
from conformance.drive import Driver, is_async

#: The arguments of each operation of a batch.
Batch = Sequence[tuple[Any, ...]]
_Flush = Callable[[Any], Any]


class Guest:
    """An open store.

    Calls are made as a program would: of a sync store in the thread that measures, of an async one in a task of its
    loop, a whole batch in one task. Nothing is recorded.

    Args:
        backend: Whose it is; with a `flush`, each operation that writes ends with one.
        contract: What is opened.
        where: The place.
    """

    def __init__(self, backend: Backend, contract: str, where: Where) -> None:
        self._driver = Driver()
        self._flush = backend.flush
        self._known: set[str] = set()
        try:
            self.store = self._driver.open(getattr(backend, contract), where)
        except BaseException:
            self._driver.close()
            raise
        self._asynchronous = is_async(type(self.store))

    def perform(self, act: Act, batch: Batch) -> int:
        """Carry out a batch, each operation acknowledged before the next, and return its nanoseconds."""
        return self.perform_at_once(act, [batch])

    def perform_at_once(self, act: Act, batches: Sequence[Batch]) -> int:
        """Carry out batches at once, each in a thread, or in a task of an async store; return the nanoseconds."""
        if not self._asynchronous and act.name not in self._known:
            self._meet(act, batches[0][0])
            batches = [batches[0][1:], *batches[1:]]
        flush = None if act.reads else self._flush
        if self._asynchronous:
            taken: int = self._driver.call(_in_tasks, self.store, act, batches, flush)
            return taken
        if len(batches) > 1:
            return together([partial(_loop, self.store, act, batch, flush) for batch in batches])
        start = perf_counter_ns()
        _loop(self.store, act, batches[0], flush)
        return perf_counter_ns() - start

    def ask(self, method: str, *arguments: Any) -> Any:
        """Return what a method gives, awaited if need be."""
        return self._driver.call(getattr(self.store, method), *arguments)

    def items(self, method: str, *arguments: Any) -> list[Any]:
        """Return the items of the iterable that a method gives, in whatever way."""
        return self._driver.items(getattr(self.store, method), *arguments)

    def acknowledge(self) -> None:
        """Make what was written count as acknowledged."""
        if self._flush is not None:
            self._driver.call(self._flush, self.store)

    def close(self) -> None:
        """Close the store."""
        try:
            if callable(getattr(self.store, "close", None)):
                self._driver.call(self.store.close)
        finally:
            self._driver.close()

    def _meet(self, act: Act, arguments: tuple[Any, ...]) -> None:
        """Do an operation once, unmeasured, to see whether it has to be awaited: not every class looks so."""
        self._known.add(act.name)
        steps = _steps(act, self.store, arguments)
        came = next(steps, _END)
        while came is not _END:
            later = inspect.isawaitable(came) or hasattr(came, "__aiter__")
            self._asynchronous = self._asynchronous or later
            if act.consumes or hasattr(came, "__aiter__"):
                came = self._driver.items(_the, came)
            elif later:
                came = self._driver.call(_the, came)
            came = _sent(steps, came)
        if not act.reads:
            self.acknowledge()


#: Of an operation of several calls.
_END = object()


def _sent(steps: Generator[Any, Any, None], came: Any) -> Any:
    try:
        return steps.send(came)
    except StopIteration:
        return _END


def _the(thing: Any) -> Any:
    return thing


def _steps(act: Act, store: Any, arguments: tuple[Any, ...]) -> Generator[Any, Any, None]:
    if act.steps is not None:
        yield from act.steps(store, *arguments)
    else:
        yield getattr(store, act.method)(*arguments)


def _loop(store: Any, act: Act, batch: Batch, flush: _Flush | None) -> None:
    """Carry a batch out on a sync store; the loops differ so that next to nothing but the store's time is in them."""
    if act.steps is not None:
        for arguments in batch:
            _walk(act.steps(store, *arguments))
            if flush is not None:
                flush(store)
        return
    method = getattr(store, act.method)
    if act.consumes:
        for arguments in batch:
            for _ in method(*arguments):
                pass
    elif flush is not None:
        for arguments in batch:
            method(*arguments)
            flush(store)
    else:
        for arguments in batch:
            method(*arguments)


def _walk(steps: Generator[Any, Any, None]) -> None:
    came = next(steps, _END)
    while came is not _END:
        came = _sent(steps, came)


async def _in_tasks(store: Any, act: Act, batches: Sequence[Batch], flush: _Flush | None) -> int:
    """Carry batches out, each in a task, and return the nanoseconds; runs in the store's own loop."""
    import anyio  # here, because most stores are sync

    start = perf_counter_ns()
    if len(batches) == 1:
        await _task(store, act, batches[0], flush)
    else:
        async with anyio.create_task_group() as group:
            for batch in batches:
                group.start_soon(_task, store, act, batch, flush)
    return perf_counter_ns() - start


async def _task(store: Any, act: Act, batch: Batch, flush: _Flush | None) -> None:
    for arguments in batch:
        steps = _steps(act, store, arguments)
        came: Any = next(steps, _END)
        while came is not _END:
            if inspect.isawaitable(came):
                came = await came
            if hasattr(came, "__aiter__"):
                came = [item async for item in came]
            elif act.consumes:
                came = list(came)
            came = _sent(steps, came)
        if flush is not None:
            flushed = flush(store)
            if inspect.isawaitable(flushed):
                await flushed
