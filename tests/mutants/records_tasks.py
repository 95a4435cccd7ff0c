"""Async stores of runs, jobs and layers that are fine as long as one task uses them, and none is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.mutants.concurrency_tasks import turn
from tests.mutants.records_tasks_base import Entries, Jobs, Layers, Rules, Runs, mutant


class SavedWithoutLock(Runs):
    """A save loads all, changes it and writes it; somebody else may have saved meanwhile."""

    async def save_run(self, run: Entries) -> None:
        await self.save({**await self.load(), run["id"]: run})


class OldInTheCache(Runs):
    """A save takes its run out of the cache; a get that has read the old one puts it in again."""

    def __init__(self) -> None:
        super().__init__()
        self.cache: Entries = {}

    async def save_run(self, run: Entries) -> None:
        await super().save_run(run)
        self.cache.pop(run["id"], None)

    async def get_run(self, run_id: str) -> Any:
        if run_id not in self.cache:
            found = await super().get_run(run_id)
            await turn()
            if found is None:
                return None
            self.cache[run_id] = found
        return self.cache[run_id]


class EventsByHand(Runs):
    """An event is appended by a get and a save."""

    async def append_event(self, run_id: str, event: Any) -> None:
        run = await self.get_run(run_id)
        await self.save_run({**run, "events": [*run["events"], event]})


class EventsPutOff(Runs):
    """Each event is appended by a task that nobody waits for."""

    def __init__(self) -> None:
        super().__init__()
        self.going: set[asyncio.Task[None]] = set()

    async def append_event(self, run_id: str, event: Any) -> None:
        self.going.add(asyncio.create_task(super().append_event(run_id, event)))
        await turn()


class HalfSaved(Runs):
    """A run is written in two steps; nobody sees what is in between, unless it is all there will be."""

    async def save_run(self, run: Entries) -> None:
        async with self.lock:
            runs = await self.load()
            messages = runs.get(run["id"], run).get("messages")
            if messages is not None and "messages" in run:
                await self.save({**runs, run["id"]: {**run, "messages": messages}})
            await self.save({**runs, run["id"]: run})

    async def get_run(self, run_id: str) -> Any:
        async with self.lock:
            return await super().get_run(run_id)


class LockKept(Runs):
    """The lock is given back by a save that comes to its end."""

    async def save_run(self, run: Entries) -> None:
        await self.lock.acquire()
        await self.save({**await self.load(), run["id"]: run})
        self.lock.release()


class SetWithoutLock(Layers):
    """A set loads all, changes it and writes it."""

    async def set(self, key: str, value: Any) -> None:
        await self.save({**await self.load(), key: value})


class DeletedFromACopy(Layers):
    """A delete takes the lock to write what it has read before."""

    async def delete(self, key: str) -> None:
        entries = await self.load()
        entries.pop(key, None)
        async with self.lock:
            await self.save(entries)


class DecidedWithoutLock(Jobs):
    """Each call reads all, decides, and writes all; somebody else may have written meanwhile."""

    async def decided(self, decide: Callable[[Rules], Any]) -> Any:
        rules = Rules(await self.load())
        answer = decide(rules)
        await self.save(rules.kept)
        return answer


class ChosenBeforeWaiting(Jobs):
    """What is due is chosen first, and then marked, one job after the other."""

    async def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        chosen = Rules(await self.load())
        claims = chosen.claim_due(now, owner, lease, limit)
        for claim in claims:
            job_id = claim["job"]["id"]
            await self.decided(lambda rules, job_id=job_id: rules.write(job_id, chosen.kept[job_id]))
        return claims


class CompletedFromACopy(Jobs):
    """A completion writes all jobs, as they were when it read them."""

    async def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        rules = Rules(await self.load())
        rules.complete(job_id, token, now, result)
        async with self.lock:
            await self.save(rules.kept)


MUTANTS = [
    mutant("runs_without_lock_in_tasks", "a save loads, awaits, and writes all", "RUNS-CONC-21", SavedWithoutLock),
    mutant("old_run_in_the_cache", "a get puts an old run into the cache", "RUNS-CONC-21", OldInTheCache),
    mutant("events_without_lock_in_tasks", "an event is appended by a get and a save", "RUNS-CONC-22", EventsByHand),
    mutant("events_put_off_in_tasks", "events are appended by tasks of their own", "RUNS-CONC-22", EventsPutOff),
    mutant("cancelled_save_is_half", "a cancelled save has written a half", "RUNS-CONC-23", HalfSaved),
    mutant("lock_kept_by_a_cancelled_save", "a cancelled save keeps the lock", "RUNS-CONC-23", LockKept),
    mutant("layers_without_lock_in_tasks", "a set loads, awaits, and writes all", "LAYERS-CONC-21", SetWithoutLock),
    mutant("entry_deleted_from_a_copy", "a delete writes what it read before", "LAYERS-CONC-21", DeletedFromACopy),
    mutant(
        "jobs_without_lock_in_tasks",
        "each call loads, awaits, and writes all",
        "JOBS-CONC-21 JOBS-CONC-22",
        DecidedWithoutLock,
    ),
    mutant("jobs_chosen_before_waiting", "due jobs are chosen, then marked", "JOBS-CONC-21", ChosenBeforeWaiting),
    mutant("job_completed_from_a_copy", "a completion writes all jobs again", "JOBS-CONC-22", CompletedFromACopy),
]
