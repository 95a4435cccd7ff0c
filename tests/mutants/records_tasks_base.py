"""Honest async stores of runs, jobs and layers that read all and write all, under one lock of the event loop."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from conformance import Backend
from tests.mutants.base import Mutant
from tests.mutants.concurrency_tasks import turn
from tests.mutants.jobs_base import ConflictError, Entry, PlainJobs

Entries = dict[str, Any]


class Box:
    """Entries in memory; to read and to write them takes a turn of the loop."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.data: Entries = {}

    async def load(self) -> Entries:
        """Return a copy of all."""
        await turn()
        return copy.deepcopy(self.data)

    async def save(self, data: Entries) -> None:
        """Put entries in the place of all."""
        await turn()
        self.data = copy.deepcopy(data)

    async def close(self) -> None:
        """Do nothing."""


class Runs(Box):
    """Runs under their ids."""

    async def save_run(self, run: Entries) -> None:
        """Save a run."""
        async with self.lock:
            await self.save({**await self.load(), run["id"]: run})

    async def get_run(self, run_id: str) -> Any:
        """Return a run, None when there is none."""
        return (await self.load()).get(run_id)

    async def list_runs(self) -> Any:
        """Return all runs, in the order in which they were saved first."""
        return list((await self.load()).values())

    async def append_event(self, run_id: str, event: Any) -> None:
        """Add an event to a run."""
        async with self.lock:
            runs = await self.load()
            runs[run_id]["events"].append(event)
            await self.save(runs)


class Layers(Box):
    """Entries under their keys."""

    async def get(self, key: str) -> Any:
        """Return a value, None when there is none."""
        return (await self.load()).get(key)

    async def set(self, key: str, value: Any) -> None:
        """Write a value."""
        async with self.lock:
            await self.save({**await self.load(), key: value})

    async def delete(self, key: str) -> None:
        """Delete a key."""
        async with self.lock:
            entries = await self.load()
            entries.pop(key, None)
            await self.save(entries)

    async def entries(self) -> Any:
        """Return all pairs."""
        return list((await self.load()).items())

    async def clear(self) -> None:
        """Delete all."""
        async with self.lock:
            await self.save({})


class Rules(PlainJobs):
    """What becomes of jobs, decided on a copy of all of them."""

    def __init__(self, kept: dict[str, Entry]) -> None:
        self.kept = kept

    def entry(self, job_id: str) -> Entry | None:
        return self.kept.get(job_id)

    def entries(self) -> list[Entry]:
        return [entry for _, entry in sorted(self.kept.items())]

    def write(self, job_id: str, entry: Entry) -> None:
        self.kept[job_id] = entry

    @contextmanager
    def writing(self) -> Iterator[None]:
        yield


class Jobs(Box):
    """Jobs with claims; each call reads all, decides, and writes all."""

    async def decided(self, decide: Callable[[Rules], Any]) -> Any:
        """Return what is decided, and keep what becomes of the jobs."""
        async with self.lock:
            rules = Rules(await self.load())
            answer = decide(rules)
            await self.save(rules.kept)
            return answer

    async def save_job(self, job: Any) -> None:
        """Save a job."""
        await self.decided(lambda rules: rules.save_job(job))

    async def get_job(self, job_id: str) -> Any:
        """Return a job."""
        return Rules(await self.load()).get_job(job_id)

    async def list_jobs(self) -> Any:
        """Return all jobs."""
        return Rules(await self.load()).list_jobs()

    async def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        """Claim due jobs."""
        return await self.decided(lambda rules: rules.claim_due(now, owner, lease, limit))

    async def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        """Let the lease end later."""
        await self.decided(lambda rules: rules.renew(job_id, token, now, lease))

    async def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        """End a claim: done."""
        await self.decided(lambda rules: rules.complete(job_id, token, now, result))

    async def fail(self, job_id: str, token: int, now: int, error: Any = None) -> None:
        """End a claim: not done."""
        await self.decided(lambda rules: rules.fail(job_id, token, now, error))


def backend(name: str, contract: str, store: Callable[[], Any]) -> Backend:
    """Return a backend that opens a store in memory."""

    async def opened(_: object) -> Any:
        return store()

    promises: dict[str, Any] = {"durability": "volatile", "sharing": "threads", "errors": {"conflict": ConflictError}}
    return Backend(name, **{contract: opened}, **promises)


def mutant(name: str, bug: str, killed_by: str, store: Callable[[], Any]) -> Mutant:
    """Return a mutant in memory; it is a store of the contract that its first check is about."""
    codes = tuple(killed_by.split())
    return Mutant(name, bug, codes, backend(name, codes[0].partition("-")[0].lower(), store))


#: The honest stores, for tests that look for false alarms.
HONEST = [
    backend("async_runs", "runs", Runs),
    backend("async_jobs", "jobs", Jobs),
    backend("async_layers", "layers", Layers),
]
