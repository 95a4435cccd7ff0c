"""Recurring jobs of the `jobs` contract: their grid, their end, what is made of missed times, and clocks that jump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import complete, fail, fetch, gives, save, take
from conformance.values.jobs import small_job

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_NEEDS = ("JOBS-BASIC-01", "JOBS-CLAIM-01", "JOBS-DONE-01")
_RECURS = (*_NEEDS, "JOBS-RECUR-01")


def _next_at(trial: Trial, store: Handle, expected: int, what: str) -> None:
    """Require that the job `a` is ready again, at this time."""
    job = fetch(trial, store, "a")
    trial.equal({"status": job["status"], "runAt": job["runAt"]}, {"status": "ready", "runAt": expected}, what)


def _run(trial: Trial, store: Handle, now: int, end: int) -> None:
    """Claim the job `a` at one time and complete it at another."""
    complete(store, "a", take(trial, store, "a", now), end)


@check("JOBS-RECUR-01", sources="JOB-25; Quartz recovery", capability="claims", needs=_NEEDS)
def test_recurring_job_stays_on_its_grid(trial: Trial) -> None:
    """A recurring job is ready again at its next `runAt + n * intervalMs`, however late it was claimed or completed.

    Why: an interval that is counted from the end of the run, or from when the worker happened to look, drifts: the job
    of midnight is one of noon after some weeks.

    Breaks it:

        job["runAt"] = now + job["intervalMs"]
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 0, runAt=1_000, intervalMs=1_000))
        for number, (late, takes) in enumerate(((0, 0), (1, 5), (990, 9), (400, 599), (0, 999), (37, 1), (500, 0)), 1):
            due = 1_000 * number
            gives(trial, store, due - 1, [], "claiming before the next time of a recurring job")
            _run(trial, store, due + late, due + late + takes)
            _next_at(trial, store, due + 1_000, f"a job of {due}, claimed {late} ms late, which took {takes} ms")


@check("JOBS-RECUR-02", sources="the contract on maxRuns; JOB-13", capability="claims", needs=_RECURS)
def test_max_runs_are_not_exceeded(trial: Trial) -> None:
    """A recurring job is `stopped` after its `maxRuns`-th completion, counted by `runCount`; failures do not count.

    Why: "three reminders" are three. A store that counts claims stops too early, and one that compares with the count
    of before the run sends a fourth.

    Breaks it:

        if job["runCount"] <= job["maxRuns"]:     # runs once more
            job["status"] = "ready"
    """
    with trial.fresh() as session:
        store = session.open()
        # Three runs of seven are behind it.
        save(store, small_job("a", 0, runAt=1_000, intervalMs=1_000, maxRuns=7, runCount=3))
        for number in range(1, 5):
            fail(store, "a", take(trial, store, "a", 1_000 * number), 1_000 * number + 1)
            _run(trial, store, 1_000 * number + 2, 1_000 * number + 3)
            if number < 4:
                _next_at(trial, store, 1_000 * number + 1_000, f"a job with 7 runs at most, after {3 + number} of them")
        got = fetch(trial, store, "a")
        told = {"status": got["status"], "runCount": got["runCount"]}
        trial.equal(told, {"status": "stopped", "runCount": 7}, "a job with 7 runs at most, after 7 of them")
        gives(trial, store, 1_000_000, [], "claiming after the last run")


@check("JOBS-RECUR-03", sources="JOB-26; Quartz FIRE_ONCE_NOW", capability="claims", needs=_RECURS)
def test_missed_times_are_made_up_for_once(trial: Trial) -> None:
    """With `misfire` `once`, or none, all times missed are made up for by one run; the next one lies after now.

    Why: a laptop that was closed for a weekend has missed three hundred runs. A store that goes on by one interval
    after each hands out all of them at once.

    Breaks it:

        job["runAt"] += job["intervalMs"]         # still in the past, and due again
    """
    for fields in ({"misfire": "once"}, {}, {"misfire": None}):
        with trial.fresh() as session:
            store = session.open()
            save(store, small_job("a", 0, runAt=1_000, intervalMs=1_000, **fields))
            _run(trial, store, 300_500, 300_600)
            _next_at(trial, store, 301_000, "a job that is late by 299 intervals and a half")
            gives(trial, store, 300_999, [], "claiming after the one run that makes up for all that were missed")
            _run(trial, store, 301_000, 305_000)
            _next_at(trial, store, 306_000, "a job whose run ended exactly at a later time of its grid")
            _run(trial, store, 306_000, 308_001)
            _next_at(trial, store, 309_000, "a job whose run took more than two intervals")


@check("JOBS-RECUR-04", sources="JOB-26; Quartz IGNORE_MISFIRE_POLICY", capability="claims", needs=_RECURS)
def test_all_missed_times_are_run(trial: Trial) -> None:
    """With `misfire` `all`, each time that was missed is run, one after the other, in their order.

    Why: the job books the interest of a day. A day that is left out is never made up for.

    Breaks it:

        while job["runAt"] <= now:                # whatever the policy
            job["runAt"] += job["intervalMs"]
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 0, runAt=1_000, intervalMs=1_000, misfire="all"))
        for number in range(1, 6):
            token = gives(trial, store, 5_500, ["a"], f"claiming for the missed time number {number} of 5")["a"]
            trial.equal(fetch(trial, store, "a")["runAt"], 1_000 * number, "the time that a missed run stands for")
            complete(store, "a", token, 5_500)
            _next_at(trial, store, 1_000 * number + 1_000, f"a job that runs all it has missed, after {number} of 5")
        gives(trial, store, 5_999, [], "claiming when all that was missed is made up for")
        take(trial, store, "a", 6_000)


@check("JOBS-RECUR-05", sources="JOB-26; Quartz DO_NOTHING", capability="claims", needs=_RECURS)
def test_missed_times_are_skipped(trial: Trial) -> None:
    """With `misfire` `skip`, a job that is claimed a whole interval late is not run for that, but at its next time.

    Why: the greeting of nine o'clock is not wanted at noon. It is also not wanted that the job dies of it.

    Breaks it:

        if now - job["runAt"] >= job["intervalMs"]:
            continue                              # for ever: runAt stays where it is
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 0, runAt=1_000, intervalMs=1_000, misfire="skip"))
        gives(trial, store, 5_400, [], "claiming a job that skips what it missed, four intervals and more late")
        trial.equal(
            fetch(trial, store, "a")["status"], "ready", "the status of a job that was not run for missed times"
        )
        gives(trial, store, 5_999, [], "claiming before the next time of its grid")
        _run(trial, store, 6_000, 6_100)
        _next_at(trial, store, 7_000, "a job that ran at its time, after some were skipped")
        _run(trial, store, 7_999, 7_999)
        _next_at(trial, store, 8_000, "a job that was claimed less than an interval late")
        # Exactly on the grid: the time that is now is not missed.
        _run(trial, store, 12_000, 12_001)
        _next_at(trial, store, 13_000, "a job that was claimed whole intervals late, at a time of its grid")


@check("JOBS-CLOCK-01", sources="JOB-27; Jepsen on clocks", capability="claims", needs=_RECURS)
def test_clock_that_is_put_back_runs_nothing_twice(trial: Trial) -> None:
    """When the clock is put back, no time that was run is run again: the next `runAt` is never before the last.

    Why: NTP corrects a clock, a machine moves to another host, a person sets the date. A next time that is worked out
    from `now` alone lies before the run that was just made, and the job runs for that a second time.

    Breaks it:

        job["runAt"] = now - now % interval + interval     # of the clock, not of the job
    """
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 0, runAt=10_000, intervalMs=1_000), small_job("b", 0, runAt=9_999))
        tokens = gives(trial, store, 10_000, ["b", "a"], "claiming both jobs")
        complete(store, "a", tokens["a"], 4_000)
        complete(store, "b", tokens["b"], 4_000)
        _next_at(trial, store, 11_000, "a job whose run ended when the clock had been put back by six intervals")
        for now in (4_000, 5_000, 9_999, 10_000, 10_999):
            gives(trial, store, now, [], "claiming after the clock was put back, until it is where it was")
        _run(trial, store, 11_000, 11_000)
        _next_at(trial, store, 12_000, "a job at its time, the clock having been put back before")
        trial.equal(fetch(trial, store, "a")["runCount"], 2, "the number of its runs")


@check("JOBS-CLOCK-02", sources="JOB-27, JOB-28", capability="claims", needs=_RECURS)
def test_lease_is_a_matter_of_the_clock_that_is_given(trial: Trial) -> None:
    """A lease is judged by the `now` that is given: with a clock behind it lasts, and a leap forward ends it once.

    Why: a store that asks the clock of its own machine can't be tested, and its lease means another thing on each host.
    After a leap of ten years one run is due, not ten years of them.

    Breaks it:

        if time.time() * 1000 >= row.until:       # not the caller's time
    """
    day, decade = 86_400_000, 3_652 * 86_400_000
    with trial.fresh() as session:
        store = session.open()
        save(store, small_job("a", 0, runAt=0, intervalMs=day))
        take(trial, store, "a", day, lease=100)
        for now in (day + 99, day - 1_000, 0):
            gives(trial, store, now, [], "claiming with a clock that is behind the end of the lease", owner="two")
        token = take(trial, store, "a", decade + 500, owner="two", lease=100)
        gives(trial, store, decade + 599, [], "claiming after the leap, while the new lease lasts")
        complete(store, "a", token, decade + 600)
        _next_at(trial, store, decade + day, "a job that ran once after a leap of ten years")
        gives(trial, store, decade + day - 1, [], "claiming after the one run that follows the leap")
