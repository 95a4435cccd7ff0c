"""Workers who claim, complete and save jobs of one store at the same time: what each does, and what of it can't be.

Claims have a `now` that is given, and leases far longer than any round. So whatever a clock says, a job that was given
to two was given to two, and what nobody was given, at the end neither, is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, NamedTuple

from conformance.backend import Backend
from conformance.drive import Driver
from conformance.recording import raised
from conformance.values.jobs import small_job

#: `claims`: all claim what is due. `takeovers`: all but one claim what the one has let expire, who comes back and
#: completes it. `completions`: all claim and complete jobs that recur. `saves`: all save jobs of their own.
#: `additions` and `searches` are of vectors.
Kind = Literal["claims", "takeovers", "completions", "saves", "additions", "searches"]

#: When all of it happens, and a lease that lasts for ever.
NOW, LEASE = 1_000_000, 10**12
#: How many jobs there are that are claimed, how many each worker saves, and how often each does what it does.
JOBS, OWN, TIMES = 8, 3, 6
#: Jobs that recur are few, so that workers meet at them.
RECURRING = 3


class Deed(NamedTuple):
    """One call.

    Args:
        call: When it was called; whole numbers that ascend, of any unit.
        end: When it returned or raised.
        worker: Who called.
        verb: `claim`, `complete` or `save`; of vectors `add`, `delete` or `search`.
        told: Pairs of a job's id and a token: of all that were claimed, of what was completed. Of a job that was saved
            the number that it has in it. Of vectors the numbers that were added, 0 for what was deleted, and scores.
        outcome: `ok`; `fail`, which surely did nothing; `info`, of which nobody knows.
        error: What it raised.
    """

    call: int
    end: int
    worker: int
    verb: str
    told: tuple[tuple[str, Any], ...]
    outcome: Literal["ok", "fail", "info"] = "ok"
    error: str = ""


class Finding(NamedTuple):
    """What can't be.

    Args:
        why: In words.
        deeds: The calls that show it.
    """

    why: str
    deeds: tuple[Deed, ...]


@dataclass
class Client:
    """One worker; it notes what it does.

    Args:
        worker: Its number.
        backend: Of the store.
        driver: Calls the store.
        store: Open.
        now: Tells the time for the notes; never goes back.
    """

    worker: int
    backend: Backend
    driver: Driver
    store: Any
    now: Callable[[], int]

    def __post_init__(self) -> None:
        self.deeds: list[Deed] = []

    def claim(self, limit: int = 1, now: int = NOW, lease: int = LEASE) -> list[tuple[str, int]]:
        """Claim jobs that are due; return their ids and tokens, none where the store raised."""

        def call() -> list[tuple[str, int]]:
            found = self.driver.items(self.store.claim_due, now, f"w{self.worker}", lease, limit)
            return [(one["job"]["id"], one["token"]) for one in found]

        return list(self.noted("claim", (), call).told)

    def complete(self, job_id: str, token: int) -> None:
        """Complete a claim."""

        def call() -> list[tuple[str, int]]:
            self.driver.call(self.store.complete, job_id, token, NOW, self.worker)
            return [(job_id, token)]

        self.noted("complete", ((job_id, token),), call)

    def save(self, job: Mapping[str, Any]) -> None:
        """Save a job."""

        def call() -> list[tuple[str, int]]:
            self.driver.call(self.store.save_job, dict(job))
            return [(job["id"], job["payload"]["number"])]

        self.noted("save", ((job["id"], job["payload"]["number"]),), call)

    def noted(self, verb: str, asked: tuple[tuple[str, Any], ...], call: Callable[[], list[tuple[str, Any]]]) -> Deed:
        """Make a call, and note what came of it."""
        begin = self.now()
        try:
            told = tuple(call())
            if self.backend.flush is not None:
                self.driver.call(self.backend.flush, self.store)
            deed = Deed(begin, self.now(), self.worker, verb, told)
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            named = self.backend.errors.get("conflict", ())
            refused = isinstance(error, named)
            deed = Deed(begin, self.now(), self.worker, verb, asked, "fail" if refused else "info", raised(error))
        self.deeds.append(deed)
        return deed


def prepare(kind: Kind, client: Client) -> None:
    """Save the jobs of a round, and claim them for a moment where they are to be taken over."""
    if kind in ("claims", "takeovers"):
        for number in range(JOBS):
            client.save(small_job(f"job-{number:02}", number))
    if kind == "takeovers":
        client.claim(limit=JOBS, now=NOW - 1_000, lease=1_000)
    if kind == "completions":
        for number in range(RECURRING):
            client.save(small_job(f"job-{number:02}", number, intervalMs=1, misfire="all"))


def act(kind: Kind, client: Client, left: Sequence[tuple[str, int]]) -> None:
    """Do what a worker of a round does; worker 0 completes what is `left` to it, where something is."""
    if kind == "takeovers" and client.worker == 0:
        for job_id, token in left:
            client.complete(job_id, token)
    elif kind in ("claims", "takeovers"):
        for _ in range(2 * JOBS):  # a store that gives the same ones again and again is found out by then
            if not client.claim(limit=1 + client.worker % 2):
                break
    elif kind == "completions":
        for number in range(TIMES):
            for job_id, token in client.claim(limit=2):
                client.complete(job_id, token)
            client.save(small_job(f"own-{client.worker}", number, status="created"))
    else:
        for number in range(TIMES):
            client.save(small_job(f"own-{client.worker}-{number % OWN}", number, status="created"))


def finish(kind: Kind, client: Client) -> dict[str, Any]:
    """Claim what nobody was given, and return all jobs that are got, by their ids; those that are listed, at least."""
    if kind in ("claims", "takeovers"):
        client.claim(limit=10 * JOBS)
    ids = [item["id"] for item in client.driver.items(client.store.list_jobs)]
    return {job_id: client.driver.call(client.store.get_job, job_id) for job_id in ids}


def judged(kind: Kind, before: Sequence[Deed], deeds: Sequence[Deed], jobs: Mapping[str, Any]) -> Finding | None:
    """Return what can't be, if anything: of the calls of a round, and the jobs that it left behind.

    Args:
        kind: Of the round.
        before: What was done before the others came.
        deeds: What all workers did, and who came last.
        jobs: All jobs at the end, by their ids.
    """
    saved = [deed for deed in (*before, *deeds) if deed.verb == "save" and deed.outcome != "fail"]
    found = _lost_saves(saved, jobs)
    if found is None and kind == "completions":
        found = _held_by_two(deeds) or _uncounted(deeds, jobs)
    if found is None and kind in ("claims", "takeovers"):
        found = _given_once(before, deeds, jobs)
    return found


def _lost_saves(saves: Sequence[Deed], jobs: Mapping[str, Any]) -> Finding | None:
    """Each job has the number that was saved last, or one of those of which nobody knows."""
    allowed: dict[str, list[Deed]] = {}
    for deed in saves:
        ((job_id, _),) = deed.told
        allowed[job_id] = [deed] if deed.outcome == "ok" else [*allowed.get(job_id, []), deed]
    for job_id, deeds in allowed.items():
        job = jobs.get(job_id)
        numbers = [deed.told[0][1] for deed in deeds]
        if job is None and all(deed.outcome != "ok" for deed in deeds):
            continue
        if job is None:
            return Finding(f"the job {job_id!r}, which was saved, is not there at the end", tuple(deeds))
        if job["payload"]["number"] not in numbers:
            got = job["payload"]["number"]
            return Finding(f"the job {job_id!r} is as it was before its last save: {got}", tuple(deeds))
    return None


def _given_once(before: Sequence[Deed], deeds: Sequence[Deed], jobs: Mapping[str, Any]) -> Finding | None:
    """Each job was given to one, or was completed by who had it before, and none was lost."""
    takers: dict[str, list[Deed]] = {}
    for deed in deeds:
        done = deed.verb == "claim" or (deed.verb == "complete" and deed.outcome == "ok")
        for job_id, _ in deed.told if done else ():
            takers.setdefault(job_id, []).append(deed)
    earlier = dict(pair for deed in before if deed.verb == "claim" for pair in deed.told)
    # Of a claim that raised nobody knows what it was given, and of a completion whether it counts.
    unknown = any(deed.verb == "claim" and deed.outcome != "ok" for deed in (*before, *deeds))
    unsure = {deed.told[0][0] for deed in deeds if deed.verb == "complete" and deed.outcome == "info"}
    for job_id, job in jobs.items():
        found = takers.get(job_id, [])
        if len(found) > 1:
            return Finding(f"the job {job_id!r} was had by {len(found)} at the same time", tuple(found))
        if not found and not unknown and job_id not in unsure:
            return Finding(f"the job {job_id!r} was given to nobody, at the end neither", ())
        for deed in found:
            token = dict(deed.told)[job_id]
            if deed.verb == "claim" and job_id in earlier and token <= earlier[job_id]:
                why = f"the token {token} of the job {job_id!r} is not higher than {earlier[job_id]}, which came before"
                return Finding(why, (deed,))
        runs = sum(deed.verb == "complete" for deed in found)
        if job["runCount"] != runs and job_id not in unsure:
            return Finding(f"the job {job_id!r} has a runCount of {job['runCount']} after {runs} runs", tuple(found))
    return None


def _held_by_two(deeds: Sequence[Deed]) -> Finding | None:
    """Nobody has a job from before another one is given it until after."""
    holds: dict[str, list[tuple[Deed, Deed]]] = {}
    ends = {(deed.worker, pair): deed for deed in deeds if deed.verb == "complete" for pair in deed.told}
    for deed in deeds:
        for pair in deed.told if deed.verb == "claim" else ():
            end = ends.get((deed.worker, pair))
            if end is not None and end.outcome == "fail":
                return Finding(
                    f"the claim {pair[1]} on the job {pair[0]!r} was refused while its lease lasts", (deed, end)
                )
            if end is not None:
                holds.setdefault(pair[0], []).append((deed, end))
    for job_id, pairs in holds.items():
        for (one, one_end), (other, other_end) in combinations(pairs, 2):
            if one.end < other_end.call and other.end < one_end.call:
                why = f"the job {job_id!r} was had by two at the same time"
                return Finding(why, tuple(sorted({one, one_end, other, other_end})))
    return None


def _uncounted(deeds: Sequence[Deed], jobs: Mapping[str, Any]) -> Finding | None:
    """Each completion was counted, is in the history, and has moved the job on by one interval."""
    completions = [deed for deed in deeds if deed.verb == "complete"]
    sure = Counter(deed.told[0][0] for deed in completions if deed.outcome == "ok")
    unsure = Counter(deed.told[0][0] for deed in completions if deed.outcome == "info")
    for number in range(RECURRING):
        job_id = f"job-{number:02}"
        job, least = jobs[job_id], sure[job_id]
        told = {"runCount": job["runCount"], "entries of its history": len(job["history"])}
        told["intervals behind it"] = job["runAt"] - small_job(job_id, number)["runAt"]
        for what, count in told.items():
            if not least <= count <= least + unsure[job_id]:
                of_it = [deed for deed in completions if deed.told[0][0] == job_id]
                return Finding(
                    f"the job {job_id!r} was completed {least} times, and has {count} as {what}", tuple(of_it)
                )
    return None
