"""Async stores of runs, jobs and layers that meet in ways of their own: in threads, in a queue, without any lock."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance import Backend, Where
from tests.mutants.concurrency_tasks import turn
from tests.mutants.records_tasks_base import Entries, Jobs, Layers, Rules, backend
from tests.mutants.runs_base import PlainRuns

SUITES = ("concurrency",)


class InThreads:
    """Makes its calls in threads; who is cancelled leaves a call to its thread, where it goes on."""

    def __init__(self, path: Path) -> None:
        self.runs = PlainRuns(path)

    async def save_run(self, run: Any) -> None:
        """Save a run."""
        await asyncio.to_thread(self.runs.save_run, run)

    async def get_run(self, run_id: str) -> Any:
        """Return a run."""
        return await asyncio.to_thread(self.runs.get_run, run_id)

    async def list_runs(self) -> Any:
        """Return all runs."""
        return await asyncio.to_thread(lambda: list(self.runs.list_runs()))

    async def append_event(self, run_id: str, event: Any) -> None:
        """Add an event to a run."""
        await asyncio.to_thread(self.runs.append_event, run_id, event)

    async def close(self) -> None:
        """Close the file."""
        self.runs.close()


class Queued:
    """One task writes, in the order of a queue, what all others wait for; who is cancelled only stops waiting."""

    def __init__(self) -> None:
        self.runs: Entries = {}
        self.queue: asyncio.Queue[tuple[Callable[[], None], asyncio.Future[None]]] = asyncio.Queue()
        self.writer = asyncio.create_task(self.write())

    async def write(self) -> None:
        """Make one change after the other."""
        while True:
            change, done = await self.queue.get()
            await turn()
            try:
                change()
            except Exception as error:  # noqa: BLE001 - it is the answer
                if not done.done():
                    done.set_exception(error)
            if not done.done():
                done.set_result(None)

    async def changed(self, change: Callable[[], None]) -> None:
        """Wait for a change."""
        done = asyncio.get_running_loop().create_future()
        self.queue.put_nowait((change, done))
        await done

    async def save_run(self, run: Entries) -> None:
        """Save a run."""
        kept = copy.deepcopy(run)
        await self.changed(lambda: self.runs.update({kept["id"]: kept}))

    async def get_run(self, run_id: str) -> Any:
        """Return a run, None when there is none."""
        await turn()
        return copy.deepcopy(self.runs.get(run_id))

    async def list_runs(self) -> Any:
        """Return all runs."""
        return copy.deepcopy([*self.runs.values()])

    async def append_event(self, run_id: str, event: Any) -> None:
        """Add an event to a run."""
        await self.changed(lambda: self.runs[run_id]["events"].append(copy.deepcopy(event)))

    async def close(self) -> None:
        """End the writer."""
        self.writer.cancel()


class TriesAgain(Jobs):
    """Takes no lock: who finds that somebody else has written meanwhile decides once more."""

    async def decided(self, decide: Callable[[Rules], Any]) -> Any:
        while True:
            seen = self.data
            rules = Rules(copy.deepcopy(seen))
            await turn()
            answer = decide(rules)
            await turn()
            if self.data is seen:
                self.data = rules.kept
                return answer


class WritesAtOnce(Layers):
    """Waits before it writes, and never in between."""

    async def set(self, key: str, value: Any) -> None:
        await turn()
        self.data = {**self.data, key: copy.deepcopy(value)}

    async def delete(self, key: str) -> None:
        await turn()
        if key not in self.data:
            raise KeyError(key)
        self.data = {name: value for name, value in self.data.items() if name != key}


def _in_threads(where: Where) -> InThreads:
    return InThreads(where.path / "runs")


_HONEST = [
    Backend("odd_tasks_runs_in_threads", runs=_in_threads, sharing="threads", durability="clean-close"),
    backend("odd_tasks_runs_queued", "runs", Queued),
    backend("odd_tasks_jobs_try_again", "jobs", TriesAgain),
    backend("odd_tasks_layers_at_once", "layers", WritesAtOnce),
]
#: By their addresses, so that other processes open them too.
ODD = [replace(backend, address=f"{__name__}:{backend.name.upper()}") for backend in _HONEST]
globals().update({backend.name.upper(): backend for backend in ODD})
