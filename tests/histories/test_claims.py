"""What of the calls of workers on one job store can't be, decided on calls that are written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.histories.claims import JOBS, RECURRING, Deed, Kind, judged
from conformance.histories.claims_rounds import Order, search
from conformance.values.jobs import small_job
from tests.mutants.jobs_base import HONEST, backend
from tests.mutants.jobs_races import AllInOneFile, OneThreadAtATime
from tests.mutants.records_tasks import ChosenBeforeWaiting
from tests.mutants.records_tasks_base import HONEST as ASYNC
from tests.mutants.records_tasks_base import Jobs, Rules
from tests.mutants.records_tasks_base import backend as in_one_loop

NAMES = [f"job-{number:02}" for number in range(JOBS)]
SAVED = [Deed(number, number, 0, "save", ((name, number),)) for number, name in enumerate(NAMES)]


def at_end(**runs: int) -> dict[str, Any]:
    """Return the jobs at the end, with the number of their runs."""
    return {name: small_job(name, number, runCount=runs.get(name, 0)) for number, name in enumerate(NAMES)}


def claims(*names: str, worker: int = 1, at: int = 100, token: int = 1) -> Deed:
    """Return a call that claimed jobs."""
    return Deed(at, at + 5, worker, "claim", tuple((name, token) for name in names))


def test_each_job_given_once_is_fine() -> None:
    """Jobs that were given to different workers, and in the end to the last one, are all accounted for."""
    deeds = [claims(*NAMES[:3]), claims(*NAMES[3:5], worker=2), claims(*NAMES[5:], worker=3)]
    assert judged("claims", SAVED, deeds, at_end()) is None


def test_a_job_given_twice_is_found() -> None:
    """A job that two were given is told, with both calls."""
    deeds = [claims(*NAMES), claims(NAMES[2], worker=2)]
    found = judged("claims", SAVED, deeds, at_end())
    assert found is not None
    assert "'job-02' was had by 2" in found.why
    assert found.deeds == tuple(deeds)


def test_a_job_given_to_nobody_is_found_unless_a_claim_raised() -> None:
    """What nobody was given is lost; but of a claim that raised nobody knows what it was given."""
    deeds = [claims(*NAMES[1:])]
    found = judged("claims", SAVED, deeds, at_end())
    assert found is not None
    assert "'job-00' was given to nobody" in found.why
    raised = Deed(90, 95, 2, "claim", (), "info", "OSError: busy")
    assert judged("claims", SAVED, [raised, *deeds], at_end()) is None


def test_a_takeover_and_a_completion_exclude_each_other() -> None:
    """A job that its former owner completed is given to nobody; a token of a taker is higher than that of before."""
    before = [*SAVED, claims(*NAMES, worker=0, at=50)]
    done = Deed(100, 101, 0, "complete", ((NAMES[0], 1),))
    refused = Deed(102, 103, 0, "complete", ((NAMES[1], 1),), "fail")
    deeds = [done, refused, claims(*NAMES[1:], token=2)]
    assert judged("takeovers", before, deeds, at_end(**{NAMES[0]: 1})) is None
    found = judged("takeovers", before, [*deeds, claims(NAMES[0], worker=2, token=2)], at_end(**{NAMES[0]: 1}))
    assert found is not None
    assert "'job-00' was had by 2" in found.why
    found = judged("takeovers", before, [done, refused, claims(*NAMES[1:])], at_end(**{NAMES[0]: 1}))
    assert found is not None
    assert "the token 1 of the job 'job-01' is not higher than 1" in found.why
    found = judged("takeovers", before, deeds, at_end())
    assert found is not None
    assert "has a runCount of 0 after 1 runs" in found.why


def recurring(runs: int, entries: int | None = None, moved: int | None = None) -> dict[str, Any]:
    """Return recurring jobs at the end, the first of which has run."""
    jobs = {name: small_job(name, number) for number, name in enumerate(NAMES[:RECURRING])}
    history = [{"at": 0, "status": "completed"}] * (runs if entries is None else entries)
    jobs[NAMES[0]].update(runCount=runs, history=history, runAt=1_000 + (runs if moved is None else moved))
    return jobs


RUN = [claims(NAMES[0]), Deed(110, 115, 1, "complete", ((NAMES[0], 1),))]


def test_completions_are_counted() -> None:
    """Count, history and time must have each completion; one that raised may have happened or not."""
    saved = SAVED[:RECURRING]
    assert judged("completions", saved, RUN, recurring(1)) is None
    for jobs in (recurring(0), recurring(2), recurring(1, entries=0), recurring(1, moved=2)):
        assert judged("completions", saved, RUN, jobs) is not None
    unsure = [RUN[0], RUN[1]._replace(outcome="info")]
    for runs in (0, 1):
        assert judged("completions", saved, unsure, recurring(runs)) is None


def test_a_job_held_by_two_is_found() -> None:
    """Two who surely had a job at the same time are told, and a valid claim that was refused; two in turn are fine."""
    saved = SAVED[:RECURRING]
    late = [claims(NAMES[0], worker=2, token=2, at=200), Deed(210, 215, 2, "complete", ((NAMES[0], 2),))]
    assert judged("completions", saved, [*RUN, *late], recurring(2)) is None
    early = [claims(NAMES[0], worker=2, token=2, at=101), Deed(112, 113, 2, "complete", ((NAMES[0], 2),))]
    found = judged("completions", saved, [*RUN, *early], recurring(2))
    assert found is not None
    assert "was had by two" in found.why
    refused = [RUN[0], RUN[1]._replace(outcome="fail")]
    found = judged("completions", saved, refused, recurring(0))
    assert found is not None
    assert "was refused while its lease lasts" in found.why


def test_lost_saves_are_found() -> None:
    """Each job is as it was saved last, or as by a save of which nobody knows; one that is not there is lost."""
    saves = [Deed(1, 2, 1, "save", (("own", 1),)), Deed(3, 4, 1, "save", (("own", 2),))]
    assert judged("saves", [], saves, {"own": small_job("own", 2)}) is None
    for jobs in ({}, {"own": small_job("own", 1)}, {"own": small_job("own", 7)}):
        assert judged("saves", [], saves, jobs) is not None
    unsure = [saves[0], saves[1]._replace(outcome="info")]
    for number in (1, 2):
        assert judged("saves", [], unsure, {"own": small_job("own", number)}) is None


KINDS: list[Kind] = ["claims", "takeovers", "completions", "saves"]


@pytest.mark.parametrize("kind", KINDS)
def test_processes_of_an_honest_store_get_along(kind: Kind, tmp_path: Path) -> None:
    """Rounds of processes are carried out without a crew, and an honest store passes them."""
    met = search(HONEST, tmp_path, Order(kind, "processes", seed=1, rounds=2, seconds=5.0))
    assert met.found is None
    assert met.rounds == 2
    assert met.deeds > 10


@pytest.mark.parametrize(("kind", "by"), [("saves", "processes"), ("claims", "processes"), ("completions", "threads")])
def test_a_store_that_writes_all_is_found(kind: Kind, by: Any, tmp_path: Path) -> None:
    """A store that reads all and writes all without a lock is found by processes and by threads."""
    broken = backend("all_in_one", AllInOneFile)
    met = search(broken, tmp_path, Order(kind, by, seed=1, rounds=200, seconds=20.0))
    assert met.found is not None


def test_a_lock_for_threads_is_enough_for_threads(tmp_path: Path) -> None:
    """The same store with a lock is fine as long as one process uses it."""
    locked = backend("one_thread", OneThreadAtATime)
    met = search(locked, tmp_path, Order("completions", "threads", seed=1, rounds=4, seconds=20.0))
    assert met.found is None


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_of_an_honest_store_get_along(kind: Kind, tmp_path: Path) -> None:
    """Rounds of tasks are carried out in a loop of their own, and their calls overlap."""
    honest = next(one for one in ASYNC if one.jobs)
    met = search(honest, tmp_path, Order(kind, "tasks", seed=1, rounds=4, seconds=60.0))
    assert met.found is None
    assert (met.rounds, met.overlapping, met.raised) == (4, 4, 0)


def test_a_choice_before_an_await_is_found(tmp_path: Path) -> None:
    """Tasks that chose the same job are told."""
    broken = in_one_loop("chosen", "jobs", ChosenBeforeWaiting)
    met = search(broken, tmp_path, Order("claims", "tasks", seed=1, rounds=200, seconds=60.0))
    assert met.found is not None
    assert "at the same time" in met.found.why


class Keeps(Jobs):
    """Never gives its lock back once somebody has claimed."""

    async def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        """Claim due jobs."""
        await self.lock.acquire()
        return Rules(await self.load()).claim_due(now, owner, lease, limit)


def test_tasks_that_wait_for_ever_are_told(tmp_path: Path) -> None:
    """Nobody waits until the time is up when nothing can ever happen again."""
    met = search(
        in_one_loop("keeps", "jobs", Keeps), tmp_path, Order("claims", "tasks", seed=1, rounds=4, seconds=60.0)
    )
    assert met.found is not None
    assert met.found.why == "the tasks never came to an end"
