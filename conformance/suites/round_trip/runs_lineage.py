"""Where runs come from: what their metadata say of it, and the capability `lineage` of the `runs` contract."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.suites.round_trip.log_steps import UNSTORABLE
from conformance.suites.round_trip.runs_steps import (
    gone,
    hold_all,
    holds,
    is_durable,
    must_refuse,
    require_durable,
    save_all,
)
from conformance.values.runs import full_run, small_run

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

Run = dict[str, Any]

_LINEAGE = "lineage"
_LISTED = ("RUNS-BASIC-01", "RUNS-LIST-01")
_GATE = (*_LISTED, "RUNS-LINEAGE-02")


def _family() -> dict[str, Run]:
    """Return a root, its child, a grandchild, and another child of the root, the parents first."""
    return {
        "root": full_run("root"),
        "child": _of("root", full_run("child", parent="root")),
        "grandchild": _of("child", full_run("grandchild", parent="child")),
        "other child": _of("root", small_run("other child", 4)),
    }


def _of(parent: str | None, run: Run) -> Run:
    """Return a run with another parent, and no more lineage."""
    return {**run, "metadata": {"lineage": {"rootRunId": "root", "parentRunId": parent, "childRunIds": []}}}


def _descends(trial: Trial, store: Handle, run_id: str, expected: list[str], what: str) -> None:
    found = store.lineage(run_id)
    trial.true(isinstance(found, (list, tuple)), what, expected="a list of ids", got=literal(found))
    trial.equal(list(found), expected, f"{what}: the lineage of {run_id!r}")


@check("RUNS-LINEAGE-01", sources="RUN-04, RUN-28; mutant runs_loses_lineage", needs=_LISTED)
def test_lineage_comes_back(trial: Trial) -> None:
    """The lineage in the metadata of a run comes back as it was saved, and is changed by no save but the run's own.

    Why: it is the only link between a run and those it started. Without it, the children of a run that failed run on,
    and their cost is on nobody's bill.

    Breaks it:

        metadata = {"tags": run["metadata"].get("tags", [])}      # lineage is of another version
    """
    odd: list[Run] = [
        {},
        {"rootRunId": None, "parentRunId": None, "childRunIds": None},
        {"childRunIds": ["b", "a", "b"], "rootRunId": "nowhere"},
        {"branchOriginRunId": "gone", "branchCheckpointId": "checkpoint-10", "depth": 3, "x": [{}]},
    ]
    with trial.fresh() as session:
        store = session.open()
        runs = _family()
        save_all(store, runs)
        hold_all(trial, store, runs, "after a run, its children and a grandchild were saved")
        runs["root"]["metadata"]["lineage"]["childRunIds"] = ["other child", "child"]
        save_all(store, {"root": runs["root"]})
        hold_all(trial, store, runs, "after a run was saved with the ids of its children")
        for number, lineage in enumerate(odd):
            runs["run-1"] = {**small_run("run-1", number), "metadata": {"lineage": lineage, "tags": []}}
            save_all(store, {"run-1": runs["run-1"]})
            holds(trial, store, runs["run-1"], "getting a run with an odd lineage")
        if is_durable(trial):
            hold_all(trial, session.reopen(store), runs, "after the store was opened again")


@check("RUNS-LINEAGE-02", sources="RUN-04, RUN-28", capability=_LINEAGE, needs=(*_LISTED, "RUNS-LINEAGE-01"))
def test_lineage_leads_from_the_root_to_the_run(trial: Trial) -> None:
    """The lineage of a run is the ids from its root to itself, by the parents; without a parent it is its own id alone.

    Why: a budget, or a right, that was given to the root is looked for on the way up. A step that is left out, or an
    order that is turned round, finds the wrong one.

    Breaks it:

        return [run_id, *self.lineage(parent)]                # the run first
    """
    with trial.fresh() as session:
        store = session.open()
        runs = _family()
        save_all(store, runs)
        chain = ["root", "child", "grandchild"]
        for number in range(3, 9):
            run_id = f"generation {9 - number}"
            runs[run_id] = _of(chain[-1], small_run(run_id, number))
            chain.append(run_id)
        save_all(store, runs)
        for length, run_id in enumerate(chain, 1):
            _descends(trial, store, run_id, chain[:length], "asking for ancestors")
        _descends(trial, store, "other child", ["root", "other child"], "asking for ancestors")
        hold_all(trial, store, runs, "after lineages were asked for")
        # What names no parent has none, whatever else its lineage says.
        for run_id, metadata in (("a", {}), ("b", {"lineage": {}}), ("c", {"lineage": {"rootRunId": "root"}})):
            store.save_run({"id": run_id, "metadata": metadata})
            _descends(trial, store, run_id, [run_id], "asking for the ancestors of a run that names no parent")


@check("RUNS-LINEAGE-03", sources="RUN-28", capability=_LINEAGE, needs=_GATE)
def test_unknown_parent_is_refused(trial: Trial) -> None:
    """A run that names a parent which is not there is refused, and nothing changes.

    Why: a child that is saved before its parent, or under a slip of its id, hangs in the air. Whoever walks up from it
    meets nothing, and does not know whether that is the root.

    Breaks it:

        INSERT INTO runs ... REFERENCES runs(id)     -- foreign keys are off unless a pragma turns them on
    """
    with trial.fresh() as session:
        store = session.open()
        new = _of("root", small_run("new", 1))
        must_refuse(trial, lambda: store.save_run(new), "saving a run whose parent is not there, in an empty store")
        gone(trial, store, "new", "getting a run that was refused for its parent")
        runs = _family()
        save_all(store, runs)
        for parent in ("nobody", "Root", "root ", "roo"):
            run = _of(parent, small_run("new", 1))
            must_refuse(trial, partial(store.save_run, run), "saving a run whose parent is not there")
            gone(trial, store, "new", "getting a run that was refused for its parent")
            run = _of(parent, small_run("child", 9))
            must_refuse(trial, partial(store.save_run, run), "saving a run again, with a parent that is not there")
            hold_all(trial, store, runs, "after runs were refused for their parents")
        _descends(trial, store, "grandchild", ["root", "child", "grandchild"], "after runs were refused")
        save_all(store, {"new": new})
        hold_all(
            trial, store, {**runs, "new": new}, "after a run was saved that was refused before its parent was there"
        )


@check("RUNS-LINEAGE-04", sources="RUN-28", capability=_LINEAGE, needs=_GATE)
def test_run_is_not_its_own_ancestor(trial: Trial) -> None:
    """A save that makes a run its own ancestor, at once or by way of others, is refused, and nothing changes.

    Why: whoever walks up from a run in a circle never arrives. A supervisor that sums up the cost of a family never
    ends, or ends with its memory.

    Breaks it:

        if parent == run["id"]: raise ValueError(...)         # the circle of two is not seen
    """
    with trial.fresh() as session:
        store = session.open()
        alone = _of("alone", small_run("alone", 1))
        must_refuse(trial, lambda: store.save_run(alone), "saving a run that is its own parent, for the first time")
        gone(trial, store, "alone", "getting a run that was refused for being its own parent")
        runs = _family()
        save_all(store, runs)
        for run_id, parent in (("root", "root"), ("root", "child"), ("root", "grandchild"), ("child", "grandchild")):
            run = _of(parent, small_run(run_id, 9))
            what = f"saving {run_id!r} with the parent {parent!r}"
            must_refuse(trial, partial(store.save_run, run), what)
            hold_all(trial, store, runs, f"after {what} was refused")
        _descends(trial, store, "grandchild", ["root", "child", "grandchild"], "after circles were refused")
        runs["root"] = {**runs["root"], "status": "completed"}
        save_all(store, {"root": runs["root"]})
        hold_all(trial, store, runs, "after the root was saved again, without a parent as before")


@check("RUNS-LINEAGE-05", sources="RUN-28, RUN-22", capability=_LINEAGE, methods=("delete_run",), needs=_GATE)
def test_parent_is_not_deleted_before_its_children(trial: Trial) -> None:
    """The delete of a run that has children is refused and changes nothing; without children it can be deleted.

    Why: a clean-up by age takes the parents first, because they are the oldest, and leaves children of nobody.

    Breaks it:

        DELETE FROM runs WHERE updated < ?
    """
    with trial.fresh() as session:
        store = session.open()
        runs = _family()
        save_all(store, runs)
        for run_id in ("root", "child"):
            must_refuse(trial, partial(store.delete_run, run_id), f"deleting {run_id!r}, which has children")
            hold_all(trial, store, runs, "after the delete of a run with children was refused")
        for run_id in ("grandchild", "child"):
            store.delete_run(run_id)
            del runs[run_id]
            hold_all(trial, store, runs, f"after {run_id!r} was deleted, which has no children any more")
        must_refuse(trial, lambda: store.delete_run("root"), "deleting a run that has one child left")
        again = _of("child", small_run("grandchild", 2))
        must_refuse(trial, lambda: store.save_run(again), "saving a run whose parent was deleted")
        for run_id in ("other child", "root"):
            store.delete_run(run_id)
        hold_all(trial, store, {}, "after all were deleted, the children first")


@check("RUNS-LINEAGE-06", sources="RUN-28", capability=_LINEAGE, methods=("delete_run",), needs=_GATE)
def test_refused_child_is_no_child(trial: Trial) -> None:
    """A save that was refused leaves no trace at the parent that it named: a run without children can be deleted.

    Why: the parent notes its child before the child is written. When that is refused, for whatever reason, the parent
    is kept for ever for a child that never was.

    Breaks it:

        self._children[parent].append(run["id"])     # and then json.dumps(run) raises
    """
    with trial.fresh() as session:
        store = session.open()
        runs = {"parent": small_run("parent", 1), "run": small_run("run", 2)}
        save_all(store, runs)
        refused = [{**_of("parent", small_run("new", 3)), "state": UNSTORABLE}, {**_of("parent", {"id": ""}), "n": 1}]
        for run in refused:
            must_refuse(trial, partial(store.save_run, run), "saving a child that is no run, or not JSON")
        child = _of("parent", small_run("run", 2))
        # A store may refuse to change where a run comes from.
        if trial.refused(lambda: store.save_run(child)):
            trial.count("refusals")
        else:
            store.save_run(runs["run"])
        hold_all(trial, store, runs, "after children were refused, or taken back")
        store.delete_run("parent")
        del runs["parent"]
        hold_all(trial, store, runs, "after a run was deleted whose children were refused")


@check("RUNS-LINEAGE-07", sources="RUN-28, RUN-27", capability=_LINEAGE, promise="durability:clean-close", needs=_GATE)
def test_lineage_is_kept_after_reopening(trial: Trial) -> None:
    """After the store was closed and opened again, lineages are the same, and what breaks them is still refused.

    Why: an index of parents that lives in memory is empty after a start, and an empty one knows no circle.

    Breaks it:

        def __init__(self, path):
            self._parents = {}                # filled by save_run
    """
    with trial.fresh() as session:
        store = session.open()
        runs = _family()
        save_all(store, runs)
        store = session.reopen(store)
        _descends(trial, store, "grandchild", ["root", "child", "grandchild"], "after the store was opened again")
        circle, orphan = _of("grandchild", small_run("root", 9)), _of("nobody", small_run("new", 9))
        must_refuse(trial, lambda: store.save_run(circle), "making a circle after the store was opened again")
        must_refuse(trial, lambda: store.save_run(orphan), "naming an unknown parent after the store was opened again")
        runs["late"] = _of("grandchild", small_run("late", 5))
        save_all(store, {"late": runs["late"]})
        store = session.reopen(store)
        _descends(trial, store, "late", ["root", "child", "grandchild", "late"], "after the store was opened again")
        hold_all(trial, store, runs, "after the store was opened again")


@check("RUNS-LINEAGE-08", sources="RUN-28, RUN-33", capability=_LINEAGE, promise="sharing:processes", needs=_GATE)
def test_lineage_is_the_same_through_every_handle(trial: Trial) -> None:
    """A parent that was saved through one handle is known to every other, and so is what makes a circle with it.

    Why: a parent and its children are mostly saved by two processes. A handle that knows the parents of its own runs
    only refuses the children of others, or makes circles with them.

    Breaks it:

        if parent not in self._mine: raise ValueError(...)
    """
    require_durable(trial)
    with trial.fresh() as session:
        one, other = session.open(), session.open()
        runs = _family()
        for number, run in enumerate(runs.values()):
            save_all((one, other)[number % 2], {run["id"]: run})
        for handle in (one, other):
            _descends(trial, handle, "grandchild", ["root", "child", "grandchild"], "through each handle")
            for run_id, parent in (("root", "grandchild"), ("child", "grandchild"), ("child", "nobody")):
                run = _of(parent, small_run(run_id, 9))
                must_refuse(trial, partial(handle.save_run, run), f"saving {run_id!r} with the parent {parent!r}")
            hold_all(trial, handle, runs, "through each handle, after circles were refused")
