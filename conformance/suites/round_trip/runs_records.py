"""The fields of a run: none is dropped, reordered, renamed or retyped; and records are copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.runs_steps import agree, fetched, holds, listing, lists
from conformance.values.cases import ACCEPTED_VALUES, EXACT_OR_REFUSED_VALUES, FOREIGN_VALUES, big_text
from conformance.values.runs import LISTS, full_run, random_runs, small_run

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_GATE = ("RUNS-BASIC-01",)
#: The most of each list that is saved; runs of agents that work for days have as many messages.
_LONG = 2_000


@check("RUNS-FIELD-01", sources="RUN-02, RUN-08; mutants runs_drops_lineage, runs_sorts_checkpoints", needs=_GATE)
def test_every_field_comes_back(trial: Trial) -> None:
    """Every field of a run comes back as it was saved: no entry dropped, no list reordered, no number retyped.

    Why: each field is somebody's truth. Two equal messages are two, a step that began before the one ahead of it still
    comes after it, and an empty list is not null.

    Breaks it:

        checkpoints = sorted(run["checkpoints"], key=lambda one: one["createdAt"])
    """
    full = full_run("run-1")

    @trial.cases({name: {"id": "run-1", name: value} for name, value in full.items() if name != "id"})
    def _(store: Handle, run: Any) -> None:
        store.save_run(run)
        holds(trial, store, run, "getting a run with one of the fields")

    with trial.fresh() as session:
        store = session.open()
        store.save_run(full)
        holds(trial, store, full, "getting a run with all of the fields")


@check("RUNS-FIELD-02", sources="RUN-02; mutant runs_drops_unknown_fields", needs=_GATE)
def test_unknown_fields_come_back(trial: Trial) -> None:
    """Fields that the store does not know come back as they were saved, in the run and at every depth of it.

    Why: runtimes add fields faster than stores do. A store with a column for each known field, or a class for a record,
    takes the others away with each save, and the next version of the program finds its data gone.

    Breaks it:

        run = Run(**{name: record.get(name) for name in Run.__annotations__})
    """
    item = {"id": "checkpoint-1", "state": {}}
    odd = {"unknown": 1, "thread_id": "t", "version": 0, "type": None, "_id": "x", "rowid": 7, "": "empty", "a.b": []}
    records: dict[str, Any] = {
        "in the run": odd,
        "in the metadata": {"metadata": odd},
        "in the lineage": {"metadata": {"lineage": odd}},
        "in the metrics": {"metrics": {"tokenUsage": odd, **odd}},
        "in the timestamps": {"timestamps": odd},
        **{f"in an entry of {name}": {name: [{**item, **odd}, odd]} for name in LISTS},
    }

    @trial.cases({name: {**fields, "id": "run-1"} for name, fields in records.items()})
    def _(store: Handle, run: Any) -> None:
        store.save_run(run)
        holds(trial, store, run, "getting a run with fields that no store knows")


@check("RUNS-FIELD-03", sources="RUN-02; the state contract on values; RFC 8259", needs=_GATE)
def test_every_json_value_comes_back(trial: Trial) -> None:
    """Every kind of JSON value comes back equal in type and content, wherever in a run it is.

    Why: the answer of a tool is whatever the tool says: ids beyond 64 bits, a text with a NUL, an empty dict. A field
    that has a column of its own takes some of it and changes the rest.

    Breaks it:

        INSERT INTO runs (..., output TEXT) VALUES (..., str(run["output"]))
    """

    @trial.cases(ACCEPTED_VALUES)
    def _(store: Handle, value: Any) -> None:
        run = {"id": "run-1", "output": value, "state": {"deep": [value]}, "x-vendor": value}
        run["messages"] = [{"role": "tool", "content": value}]
        store.save_run(run)
        holds(trial, store, run, "getting a run with an odd value in four places")


@check("RUNS-FIELD-04", sources="RFC 8259; the state contract on values", needs=_GATE)
def test_other_values_are_exact_or_refused(trial: Trial) -> None:
    """A value beyond what JSON is sure to carry comes back exactly, or is refused and leaves the old record intact.

    Why: NaN that comes back as null, and a tuple that comes back as a list, are changes that nobody asked for. A run
    that is resumed takes another branch for it.

    Breaks it:

        text = json.dumps(run)                # (1, 2) becomes [1, 2], and {1: "a"} becomes {"1": "a"}
    """

    @trial.cases({**EXACT_OR_REFUSED_VALUES, **FOREIGN_VALUES})
    def _(store: Handle, value: Any) -> None:
        old = small_run("run-1", 1)
        store.save_run(old)
        run = {"id": "run-1", "state": {"deep": [value]}}
        if trial.refused(lambda: store.save_run(run)):
            trial.count("refusals")
            run = old
        holds(trial, store, run, "getting a run with a value that was accepted, or the old record")


@check("RUNS-FIELD-05", sources="RUN-02; LangGraph's checkpoint suite on long threads", needs=_GATE)
def test_long_runs_come_back_whole(trial: Trial) -> None:
    """A run with thousands of entries in each list, or a text of 1 MiB in a message, comes back whole and in order.

    Why: runs grow. A column that is cut, a page of results that is taken for all of them, or entries that are numbered
    as texts (`10` before `9`) show only in long ones.

    Breaks it:

        SELECT message FROM messages WHERE run = ? LIMIT 1000
    """
    many = [{"id": f"entry-{n}", "n": n, "state": {"n": n}} for n in range(_LONG)]
    records: dict[str, Any] = {name: {name: many} for name in LISTS}
    records["a text of 1 MiB"] = {"messages": [{"content": big_text(2**20)}, {"content": "after it"}]}
    records["a state with 10,000 entries"] = {"state": {f"key {n}": n for n in range(10_000)}}

    @trial.cases({name: {"id": "run-1", **fields} for name, fields in records.items()})
    def _(store: Handle, run: Any) -> None:
        store.save_run(run)
        holds(trial, store, run, "getting a long run")


@check("RUNS-FIELD-06", sources="RUN-02; property-based testing", needs=_GATE)
def test_random_runs_come_back(trial: Trial) -> None:
    """Any run comes back as it was saved, also when it is saved over any other.

    Why: the tables of odd values know the bugs of yesterday. Random runs find the next one, and shrink it.

    Breaks it:

        run["events"] = run["events"] or None     # an empty list reads as null
    """

    @trial.examples(random_runs("run-1"), random_runs("run-1"))
    def _(one: dict[str, Any], other: dict[str, Any]) -> None:
        with trial.fresh() as session:
            store = session.open()
            for run in (one, other):
                store.save_run(run)
                holds(trial, store, run, "getting a random run")


@check("RUNS-ALIAS-01", sources="KV-08; the state contract on copies", needs=_GATE)
def test_changing_a_saved_run_changes_nothing(trial: Trial) -> None:
    """A run that is changed after it was saved is read as it was saved.

    Why: an agent goes on filling the messages of the run that it has just saved. The store then holds a run that was
    never saved, and loses it with the process.

    Breaks it:

        def save_run(self, run):
            self._runs[run["id"]] = run       # the caller's own object
    """
    with trial.fresh() as session:
        store = session.open()
        run = full_run("run-1")
        store.save_run(run)
        _change(run)
        holds(trial, store, full_run("run-1"), "getting a run that the program changed after it had saved it")
        lists(trial, store, {"run-1": full_run("run-1")}, "listing a run that the program changed after it was saved")


@check("RUNS-ALIAS-02", sources="KV-08; the state contract on copies", needs=_GATE)
def test_changing_a_read_run_changes_nothing(trial: Trial) -> None:
    """A run that is changed after it was read is read again as it was saved.

    Why: a program reads a run, tries something on it, and gives up. What it tried must not be there for the next one.

    Breaks it:

        def get_run(self, run_id):
            return dict(self._runs[run_id])   # a copy of the outermost dict only
    """
    with trial.fresh() as session:
        store = session.open()
        store.save_run(full_run("run-1"))
        for time in ("first", "second"):
            found = fetched(trial, store, "run-1")
            agree(trial, found, full_run("run-1"), f"getting a run for the {time} time")
            _change(found)
        holds(trial, store, full_run("run-1"), "getting a run after what was read before was changed")


@check("RUNS-ALIAS-03", sources="KV-08", needs=(*_GATE, "RUNS-LIST-01"))
def test_changing_a_listed_run_changes_nothing(trial: Trial) -> None:
    """Runs that are changed after they were listed change nothing in the store.

    Why: whoever shows a list of runs shortens their texts and adds what it shows beside them.

    Breaks it:

        def list_runs(self):
            return list(self._runs.values())  # a list of its own, of the store's own records
    """
    runs = {run_id: full_run(run_id) for run_id in ("run-1", "run-2")}
    with trial.fresh() as session:
        store = session.open()
        for run in runs.values():
            store.save_run(run)
        for _ in range(2):
            found = listing(trial, store)
            for item in found:
                _change(item)
                item["id"] = "changed"
            lists(trial, store, runs, "listing after the runs listed before were changed")
        holds(trial, store, runs["run-1"], "getting a run after it was changed in a listing")


def _change(run: dict[str, Any]) -> None:
    """Change all that can be changed in a run, or in a summary of one."""
    for value in run.values():
        if isinstance(value, list):
            value.append("changed")
        elif isinstance(value, dict):
            value["changed"] = ["more"]
            for inner in value.values():
                if isinstance(inner, dict):
                    inner["changed"] = True
    if "messages" in run:
        run["messages"][0]["role"] = "changed"
    run["status"] = "changed"
