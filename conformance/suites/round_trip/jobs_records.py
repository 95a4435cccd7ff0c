"""Records of the `jobs` contract: every field as it was saved, under an id of any characters; what is no job."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.jobs_steps import NO_JSON, fetch, has, is_durable, lists, must_refuse, save
from conformance.suites.round_trip.log_steps import UNSTORABLE
from conformance.values.cases import (
    ACCEPTED_KEYS,
    ACCEPTED_VALUES,
    EXACT_OR_REFUSED_KEYS,
    NEIGHBOURS,
)
from conformance.values.jobs import full_job, small_job

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_GATE = ("JOBS-BASIC-01",)
_LISTED = (*_GATE, "JOBS-LIST-01")


def _with(value: Any) -> dict[str, Any]:
    """Return a job that has a value wherever there may be any."""
    return small_job("a", 1, payload=value, result={"deep": [value]}, error=value, extra=value)


@check("JOBS-RECORD-01", sources="JOB-35; the runs contract on records", needs=_GATE)
def test_every_json_value_comes_back_equal(trial: Trial) -> None:
    """Every kind of JSON value comes back equal in type and content, wherever in a job it is.

    Why: a payload is whatever the handler wants: ids beyond 64 bits, a text with a NUL, an empty list. A store with a
    column for each field takes some of it and changes the rest.

    Breaks it:

        INSERT INTO jobs (..., payload TEXT) VALUES (..., str(job["payload"]))
    """

    @trial.cases(ACCEPTED_VALUES)
    def _(store: Handle, value: Any) -> None:
        store.save_job(_with(value))
        has(trial, store, _with(value), "getting a job with an odd value in four places")


@check("JOBS-RECORD-02", sources="JOB-35; RFC 8259; the state contract on values", needs=_GATE)
def test_other_values_are_exact_or_refused(trial: Trial) -> None:
    """What is not JSON is kept exactly, or refused loudly with the former job left intact.

    Why: a tuple that comes back as a list, and NaN that comes back as null, are changes that nobody asked for. A store
    that deletes before it writes has neither job.

    Breaks it:

        self._file.write_text(json.dumps(job))    # {1: "a"} becomes {"1": "a"}; a set leaves half a file
    """
    former = full_job("a")

    @trial.cases(NO_JSON)
    def _(store: Handle, value: Any) -> None:
        store.save_job(former)
        kept = _with(value) | {"runCount": 2, "history": former["history"]}
        if trial.refused(lambda: store.save_job(kept)):
            trial.count("refusals")
            kept = former
        has(trial, store, kept, "getting a job after one with an odd value was saved")


@check("JOBS-RECORD-03", sources="JOB-31; the runs contract on saving", needs=_GATE)
def test_save_replaces_the_whole_record(trial: Trial) -> None:
    """Saving a job replaces the whole record of its id: a field that the new one has not got is gone.

    Why: a field that was taken away is `maxRuns`, or a misfire policy. A store that merges goes on obeying it.

    Breaks it:

        self._jobs[job["id"]].update(job)
    """
    others = [full_job("b"), small_job("ab", 3)]
    with trial.fresh() as session:
        store = session.open()
        save(store, *others)
        for job in (full_job("a"), {"id": "a", "runCount": 2, "history": full_job("a")["history"]}, full_job("a")):
            save(store, job)
            has(trial, store, job, "getting a job that was saved over another one of its id")
        for job in others:
            has(trial, store, job, "getting a job after another one was saved twice")


@check("JOBS-RECORD-04", sources="KV-08; the state contract on copies", needs=_GATE)
def test_records_are_copies(trial: Trial) -> None:
    """A job that is changed after it was saved, got or listed, but not saved, is got as it was saved.

    Why: programs build a job, save it, and go on filling the dict. A store that keeps or hands out the very object lets
    them rewrite what was acknowledged, and what another worker reads.

    Breaks it:

        def get_job(self, job_id):
            return self._jobs[job_id]             # the object, not a copy
    """
    with trial.fresh() as session:
        store = session.open()
        job = full_job("a")
        store.save_job(job)
        _spoil(job)
        has(trial, store, full_job("a"), "getting a job that the program changed after it had saved it")
        _spoil(fetch(trial, store, "a"))
        has(trial, store, full_job("a"), "getting a job again that the program changed after it had got it")
        for item in store.list_jobs():
            _spoil(item)
        has(trial, store, full_job("a"), "getting a job that the program changed after it had listed it")
        again = store.list_jobs()
        trial.equal([item.get("handler", "none listed") == "changed" for item in again], [False], "listing it again")


def _spoil(job: dict[str, Any]) -> None:
    job["handler"] = "changed"
    for name in ("payload", "history", "x-trace"):
        part = job.get(name)
        if part:
            part.clear()


@check("JOBS-RECORD-05", sources="the runs contract: none is reordered", level="should", needs=_GATE)
def test_fields_keep_their_order(trial: Trial) -> None:
    """The fields of a job come back in the order in which they were saved.

    Why: people read these records, and tools compare their texts. A store that sorts them makes each look changed.

    Breaks it:

        json.dumps(job, sort_keys=True)
    """
    job = {"id": "a", **dict(reversed(full_job("a").items())), "0": 1, "Z": 2, "é": 3, "a": 4}
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        got = fetch(trial, store, "a")
        has(trial, store, job, "getting the job")
        trial.equal(list(got), list(job), "the order of the fields of a job")
        trial.equal(list(got["payload"]), list(job["payload"]), "the order of the fields of its payload")


@check("JOBS-RECORD-06", sources="property-based testing; JOB-35", needs=_GATE)
def test_random_jobs_come_back_equal(trial: Trial) -> None:
    """Any jobs, with any fields, saved in any order, come back equal.

    Why: the tables of odd values know the bugs of yesterday. Random jobs find the next one, and shrink it.

    Breaks it:

        job["payload"] = job["payload"] or None   # empty payloads are lost
    """
    from hypothesis import strategies as st

    from conformance.values.strategies import json_values, keys

    fields = st.dictionaries(keys(), json_values(), max_size=3)
    payloads = st.tuples(st.sampled_from(["a", "b"]), json_values(), fields)

    @trial.examples(st.lists(payloads, min_size=1, max_size=4))
    def _(drawn: list[tuple[str, Any, dict[str, Any]]]) -> None:
        latest: dict[str, dict[str, Any]] = {}
        with trial.fresh() as session:
            store = session.open()
            for number, (job_id, payload, more) in enumerate(drawn):
                latest[job_id] = {**more, **small_job(job_id, number, payload=payload)}
                store.save_job(latest[job_id])
            for job in latest.values():
                has(trial, store, job, "getting a random job")


@check("JOBS-REFUSE-01", sources="JOB-01; the runs contract on ids", needs=_LISTED)
def test_what_is_no_job_is_refused(trial: Trial) -> None:
    """What is no dict, or has no text as its id, is refused loudly, and nothing is saved of it.

    Why: a job without an id is saved under `None`, where the next one replaces it, and neither is ever found.

    Breaks it:

        self._jobs[job.get("id")] = job
    """
    job = small_job("a", 1)
    no_id = {name: value for name, value in job.items() if name != "id"}
    wrong: list[Any] = [no_id, {}, [job], "a", None, 7, [("id", "a")]]
    wrong += [{**job, "id": identity} for identity in (None, "", 1, True, 1.5, ["a"], {"a": 1}, b"a")]
    with trial.fresh() as session:
        store = session.open()
        save(store, job)
        for one in wrong:
            must_refuse(trial, partial(store.save_job, one), "saving what is no job")
        has(trial, store, job, "getting the job that was there before")
        lists(trial, store, ["a"], "listing after all of that was refused")


@check("JOBS-REFUSE-02", sources="KV-14; dump_fail_destroys", needs=_LISTED)
def test_refused_job_damages_nothing(trial: Trial) -> None:
    """A save that fails leaves the former record of its id, and every other job, as they were; the store goes on.

    Why: a store that writes while it serialises has destroyed the old text when it meets what has none.

    Breaks it:

        with open(path, "w") as file:
            json.dump(everything, file)           # raises half-way: the file is cut off there
    """
    jobs = [full_job("a"), small_job("b", 1), small_job("c", 2)]
    with trial.fresh() as session:
        store = session.open()
        save(store, *jobs)
        for job_id in ("b", "new"):
            for bad in ({"payload": UNSTORABLE}, {"payload": "x" * 5_000, "z": [1, {"deep": UNSTORABLE}]}):
                job = small_job(job_id, 9, **bad)
                must_refuse(trial, partial(store.save_job, job), "saving a job with something that has no stored form")
        for _ in range(2 if is_durable(trial) else 1):
            for job in jobs:
                has(trial, store, job, "getting a job after a save was refused")
            trial.equal(fetch(trial, store, "new"), None, "getting a job whose first save was refused")
            lists(trial, store, ["a", "b", "c"], "listing after a save was refused")
            store = session.reopen(store) if is_durable(trial) else store
        save(store, small_job("new", 3))
        has(trial, store, small_job("new", 3), "getting a job whose first save was refused, and whose second was not")


@check("JOBS-ID-01", sources="the state contract on keys; mutant path_traversal", needs=_LISTED)
def test_any_text_is_an_id(trial: Trial) -> None:
    """Any text is an id of its own: with slashes and dots, in any script, and long ones; what can't be is refused.

    Why: ids are made of names, paths and addresses. One that leads out of the store's folder, or that is cut, finds
    another job, or another file.

    Breaks it:

        path = self._folder / f"{job['id']}.json"     # ../../etc/passwd
    """
    kept: dict[str, dict[str, Any]] = {}
    with trial.fresh() as session:
        store = session.open()
        for number, job_id in enumerate((*ACCEPTED_KEYS.values(), *filter(None, EXACT_OR_REFUSED_KEYS.values()))):
            job = small_job(job_id, number)
            if job_id in EXACT_OR_REFUSED_KEYS.values() and trial.refused(partial(store.save_job, job)):
                trial.count("refusals")
                continue
            store.save_job(job)
            kept[job_id] = job
        store = session.reopen(store) if is_durable(trial) else store
        for job in kept.values():
            has(trial, store, job, "getting a job with an odd id")
        lists(trial, store, kept, "listing jobs with odd ids")


@check("JOBS-ID-02", sources="the state contract on keys; mutant keys_case_folded", needs=_LISTED)
def test_ids_that_look_alike_are_kept_apart(trial: Trial) -> None:
    """Ids that differ at all are different jobs: in case, in normal form, in spaces, in an escape.

    Why: a store that folds ids writes one job over the other, and both were acknowledged.

    Breaks it:

        CREATE TABLE jobs (id VARCHAR(64) COLLATE NOCASE PRIMARY KEY, ...)
    """

    @trial.cases(NEIGHBOURS)
    def _(store: Handle, group: tuple[str, ...]) -> None:
        kept: dict[str, dict[str, Any]] = {}
        for number, job_id in enumerate(group):
            job = small_job(job_id, number)
            if ("\x00" in job_id or len(job_id) > 200) and trial.refused(partial(store.save_job, job)):
                trial.count("refusals")
                continue
            store.save_job(job)
            kept[job_id] = job
        for job in kept.values():
            has(trial, store, job, f"getting {job['id']!r} beside ids that look like it")
        there = [job["id"] for job in store.list_jobs() if job["id"] in kept]
        trial.equal(sorted(there), sorted(kept), "listing ids that look alike")
