"""Saving and getting in the `runs` contract, and what is no run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.recording import raised
from conformance.suites.round_trip.log_steps import UNSTORABLE
from conformance.suites.round_trip.runs_steps import (
    fetched,
    gone,
    hold_all,
    holds,
    is_durable,
    must_refuse,
    offers,
    save_all,
    some_runs,
)
from conformance.values.runs import LISTS, full_run, small_run

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_GATE = ("RUNS-BASIC-01",)


@check("RUNS-BASIC-01", sources="RUN-01, RUN-02")
def test_saved_run_is_read_back(trial: Trial) -> None:
    """A run that was saved is read back by its id, and so is every other one.

    Why: it is the least that a run store does. Whatever else is checked rests on it.

    Breaks it:

        def get_run(self, run_id):
            return self._latest               # whichever was saved last
    """
    one, other = some_runs(2).values()
    with trial.fresh() as session:
        store = session.open()
        store.save_run(one)
        holds(trial, store, one, "getting the run that was saved")
        store.save_run(other)
        holds(trial, store, other, "getting the run that was saved last")
        holds(trial, store, one, "getting the run that was saved before")


@check("RUNS-MISSING-01", sources="RUN-05, RUN-07", needs=_GATE)
def test_missing_run_is_no_other_run(trial: Trial) -> None:
    """A run that is not there is answered with None, or with the `missing` exception, never with another run.

    Why: a worker that asks for a run and gets a similar one goes on with somebody else's conversation. An error that
    means anything else makes it give up where it should begin.

    Breaks it:

        WHERE id LIKE ? || '%'                -- run-1 is not there, run-10 is
    """
    with trial.fresh() as session:
        store = session.open()
        gone(trial, store, "run-1", "getting a run from an empty store")
        save_all(store, {"run-10": small_run("run-10", 1), "a run": small_run("a run", 2)})
        for run_id in (
            "run-1",
            "run-",
            "run-100",
            "RUN-10",
            "run-10 ",
            "un-10",
            "run_10",
            "%",
            "*",
            "0",
            "1",
            "status",
        ):
            gone(trial, store, run_id, "getting a run that is not there, from a store with others")


@check("RUNS-MISSING-02", sources="RUN-05", level="should", needs=("RUNS-MISSING-01",))
def test_missing_runs_are_answered_alike(trial: Trial) -> None:
    """A run that is not there is always answered in the same way, by None or by the same exception.

    Why: who has seen None once does not catch an exception, and who catches one does not ask for None.

    Breaks it:

        def get_run(self, run_id):
            folder = self._folders[run_id[:2]]    # KeyError until a run of that folder is saved
            return folder.get(run_id)             # None from then on
    """
    answers: dict[str, str] = {}

    def ask(store: Handle, run_id: str, when: str) -> None:
        try:
            answers[when] = repr(store.get_run(run_id))
        except trial.errors("missing") as error:
            answers[when] = f"{type(error).__name__} was raised"
        first = next(iter(answers.values()))
        what = f"getting a run that is not there, {when}"
        trial.true(answers[when] == first, what, expected=f"{first}, as before", got=answers[when])

    with trial.fresh() as session:
        store = session.open()
        ask(store, "run-1", "from an empty store")
        save_all(store, {"run-2": small_run("run-2", 2)})
        ask(store, "run-1", "from a store with another run")
        if offers(trial, "delete_run"):
            store.delete_run("run-2")
            store.acknowledge()
            ask(store, "run-2", "because it was deleted")
        if is_durable(trial):
            ask(session.reopen(store), "run-1", "from a store that was opened again")


@check("RUNS-SAVE-01", sources="RUN-02; mutant runs_merges", needs=_GATE)
def test_save_replaces_the_whole_record(trial: Trial) -> None:
    """Saving a run replaces its whole record: nothing of the earlier one is left, and nothing is merged.

    Why: a field that was taken out is out. An error of the first attempt, or an approval that was given long ago, that
    comes back makes the run wait for what has happened.

    Breaks it:

        def save_run(self, run):
            self._runs[run["id"]] |= run      # what the new record does not name stays
    """
    full = full_run("run-1")
    shorter = {**full, **{name: full[name][:1] for name in LISTS}, "metadata": {"tags": []}, "state": {"step": 4}}
    turned = {**full, **{name: full[name][::-1] for name in LISTS}}
    other_types = {**full, "state": [1], "input": None, "messages": {}, "output": "done", "events": None, "metrics": 0}
    records = [full, shorter, full, {"id": "run-1"}, turned, full, small_run("run-1", 1), full, other_types, full]
    with trial.fresh() as session:
        store = session.open()
        for record in records:
            store.save_run(record)
            holds(trial, store, record, "getting a run that was saved again with another content")


@check("RUNS-SAVE-02", sources="RUN-06", needs=(*_GATE, "RUNS-LIST-01"))
def test_save_changes_no_other_run(trial: Trial) -> None:
    """Saving a run leaves every other one as it was, also one that is alike.

    Why: runs of one agent are alike in all but their ids. A store that finds its row by anything else, or keeps parts
    of equal content once and changes them in place, changes many by one save.

    Breaks it:

        UPDATE runs SET document = ? WHERE agent_id = ?
    """
    runs = {f"run-{n}": {**full_run("run-0"), "id": f"run-{n}"} for n in range(3)}
    runs["run-3"] = small_run("run-3", 3)
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        hold_all(trial, store, runs, "after runs that are alike were saved")
        for run_id in ("run-1", "run-3", "run-1"):
            runs[run_id] = {**runs[run_id], "status": "failed", "messages": [], "n": runs[run_id].get("n", 0) + 1}
            save_all(store, {run_id: runs[run_id]})
            hold_all(trial, store, runs, f"after {run_id!r} was saved again")


_NO_RUNS: dict[str, Any] = {
    "None": None,
    "a list": [{"id": "run-1"}],
    "a text": "run-1",
    "an int": 1,
    "an empty dict": {},
    "no id": {"status": "running", "messages": []},
    "an empty id": {"id": "", "status": "running"},
    "None as its id": {"id": None, "status": "running"},
    "an int as its id": {"id": 1, "status": "running"},
    "True as its id": {"id": True},
    "a list as its id": {"id": ["run-1"]},
    "a dict as its id": {"id": {"id": "run-1"}},
    "an id under another name": {"runId": "run-1", "ID": "run-1"},
}


@check("RUNS-REFUSE-01", sources="RUN-07", needs=(*_GATE, "RUNS-LIST-01"))
def test_what_is_no_run_is_refused(trial: Trial) -> None:
    """What is no dict, and what has no text as its id, is refused loudly, and changes nothing.

    Why: a run without an id is saved under `None`, where the next one without an id replaces it. An id that is made
    a text, `1` into `"1"`, is one that its owner does not find again.

    Breaks it:

        def save_run(self, run):
            self._write(str(run.get("id")), run)     # everything has a text
    """
    runs = {**some_runs(2), **{run_id: small_run(run_id, 9) for run_id in ("1", "None", "True")}}

    @trial.cases(_NO_RUNS)
    def _(store: Handle, record: Any) -> None:
        save_all(store, runs)
        must_refuse(trial, lambda: store.save_run(record), "saving what is no run")
        hold_all(trial, store, runs, "after what is no run was refused")


@check("RUNS-REFUSE-02", sources="KV-14; the state contract on refusals", needs=(*_GATE, "RUNS-LIST-01"))
def test_a_refused_run_damages_nothing(trial: Trial) -> None:
    """A run with something in it that is not JSON is refused loudly, and every record stays as it was.

    Why: an object of the program slips into the state of a run. A store that has deleted the old record, or has written
    half of the new one, before it meets that object has lost the run.

    Breaks it:

        with open(path, "w") as file:
            json.dump(run, file)              # raises half-way: the file ends there
    """
    runs = {**some_runs(2), "run-3": full_run("run-3")}
    texts = ["x" * 5_000]
    bad: list[dict[str, Any]] = [
        {"state": UNSTORABLE},
        {"messages": [*texts, UNSTORABLE]},
        {"status": "changed", "x-vendor": [1, {"a": [{"b": UNSTORABLE}]}]},
    ]
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        for fields in bad:
            for run in (*runs.values(), small_run("new", 1)):
                must_refuse(trial, partial(store.save_run, {**run, **fields}), "saving a run that is not JSON")
                gone(trial, store, "new", "getting a run whose first save was refused")
            hold_all(trial, store, runs, "after runs that are not JSON were refused")
        if is_durable(trial):
            store = session.reopen(store)
            hold_all(trial, store, runs, "after runs that are not JSON were refused, and the store opened again")
        runs["new"] = small_run("new", 1)
        save_all(store, {"new": runs["new"]})
        hold_all(trial, store, runs, "after a run was saved whose first save was refused")


@check("RUNS-REFUSE-03", sources="KV-14, KIT-20; RUN-07", level="should", needs=("RUNS-REFUSE-01", "RUNS-REFUSE-02"))
def test_refusals_of_runs_are_type_or_value_errors(trial: Trial) -> None:
    """What is no run, or not JSON, is refused with a TypeError or a ValueError.

    Why: callers can catch what they can name. A KeyError says that a run is missing, and the error of a database's
    driver says nothing about the run.

    Breaks it:

        key = run["id"]                       # KeyError: 'id'
    """
    with trial.fresh() as session:
        store = session.open()
        for record in (*_NO_RUNS.values(), {"id": "run-1", "state": UNSTORABLE}):
            got, right = "no exception", False
            try:
                store.save_run(record)
            except Exception as error:  # noqa: BLE001 - judged here
                got, right = raised(error), isinstance(error, (TypeError, ValueError))
            trial.true(
                right, "saving what is no run, or not JSON", expected="TypeError or ValueError to be raised", got=got
            )
        trial.equal(fetched(trial, store, "run-1"), None, "getting a run that was refused")
