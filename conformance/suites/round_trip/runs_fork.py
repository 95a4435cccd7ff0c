"""Branches of runs: capability `fork` of the `runs` contract."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.suites.round_trip.runs_steps import (
    agree,
    fetched,
    gone,
    hold_all,
    holds,
    ids,
    listing,
    lists,
    must_refuse,
    offers,
    save_all,
)
from conformance.values.runs import full_run, small_run

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

Run = dict[str, Any]

_FORK = "fork"
_LISTED = ("RUNS-BASIC-01", "RUNS-LIST-01")
_GATE = (*_LISTED, "RUNS-FORK-01")
#: What a branch has of its own, beside its id; whatever else it takes from its source is the store's choice.
_LINEAGE = ("rootRunId", "branchOriginRunId", "branchCheckpointId")


def forked(trial: Trial, store: Handle, source: Run, new_id: str, place: int, what: str) -> Run:
    """Fork a run at one of its checkpoints, require what the contract says of the branch, and return it."""
    checkpoint = source["checkpoints"][place]
    returned = store.fork_run(source["id"], new_id, checkpoint["id"])
    store.acknowledge()
    found = fetched(trial, store, new_id)
    trial.true(isinstance(found, dict), f"{what}: getting the branch", expected="a run", got=literal(found))
    agree(trial, returned, found, f"{what}: what `fork_run` returned, and the branch that is there")
    lineage = _lineage(source)
    expected = {
        "id": new_id,
        "checkpoints": source["checkpoints"][: place + 1],
        "state": checkpoint["state"],
        "rootRunId": lineage.get("rootRunId") or source["id"],
        "branchOriginRunId": source["id"],
        "branchCheckpointId": checkpoint["id"],
    }
    told = {name: found[name] for name in ("id", "checkpoints", "state") if name in found}
    told |= {name: value for name, value in _lineage(found).items() if name in _LINEAGE}
    agree(trial, told, expected, f"{what}: the branch")
    return dict(found)


def _lineage(run: Run) -> Run:
    metadata = run.get("metadata")
    lineage = metadata.get("lineage") if isinstance(metadata, dict) else None
    return lineage if isinstance(lineage, dict) else {}


@check("RUNS-FORK-01", sources="RUN-18, RUN-19; LangGraph's copy_thread", capability=_FORK, needs=_LISTED)
def test_branch_has_the_checkpoints_up_to_its_own(trial: Trial) -> None:
    """A branch has the checkpoints of its source up to and with the one it was forked at, its state, and its lineage.

    Why: people go back to a step and try something else. With a checkpoint too many the branch has already done what it
    was to do otherwise; with the state of the end it goes on from there.

    Breaks it:

        checkpoints = source["checkpoints"][: index]          # without the one it was forked at
        state = source["state"]                               # of the end, not of the checkpoint
    """
    with trial.fresh() as session:
        store = session.open()
        # One source for each fork: what a fork does to its source is another rule.
        sources = [full_run(f"run-{place}") for place in range(3)]
        save_all(store, {source["id"]: source for source in sources})
        branches = []
        for place in (1, 0, 2):
            what = f"forking a run at checkpoint number {place + 1} of 3"
            branches.append(forked(trial, store, sources[place], f"branch-{place}", place, what))
        for branch in branches:
            holds(trial, store, branch, "getting a branch after other runs were forked")
        expected = sorted(run["id"] for run in (*sources, *branches))
        trial.equal(sorted(ids(listing(trial, store))), expected, "the ids that are listed after runs were forked")


@check("RUNS-FORK-02", sources="RUN-18; mutant runs_fork_noted_in_source", capability=_FORK, needs=_GATE)
def test_fork_leaves_the_source_untouched(trial: Trial) -> None:
    """Forking changes nothing in the source, in no field, nor in any other run.

    Why: the source is often still at work. A note of its branches, or checkpoints that are cut in place, change a run
    under the hands of its owner, whose next save takes the note away again.

    Breaks it:

        source["metadata"]["lineage"]["childRunIds"].append(new_id)
        del source["checkpoints"][index + 1 :]                # in place: the source has lost them too
    """
    runs = {"run-1": full_run("run-1"), "run-2": full_run("run-2"), "run-3": small_run("run-3", 3)}
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        branches = {}
        for place, new_id in enumerate(("branch", "run-1/branch", "branch of run-1")):
            branches[new_id] = store.fork_run("run-1", new_id, runs["run-1"]["checkpoints"][place]["id"])
            store.acknowledge()
            for run in runs.values():
                holds(trial, store, run, "getting the source and other runs after a fork")
        lists(trial, store, {**runs, **branches}, "listing the source, other runs and branches")


@check("RUNS-FORK-03", sources="RUN-05, RUN-25", capability=_FORK, needs=_GATE)
def test_fork_that_is_not_possible_is_refused(trial: Trial) -> None:
    """A fork of a run or checkpoint that is not there, or to an id that is taken, is refused and changes nothing.

    Why: a branch that replaces the run whose id it got is a loss; a branch from a checkpoint of another run, or from
    the newest for want of the right one, goes on with what never happened.

    Breaks it:

        index = next((i for i, one in enumerate(checkpoints) if one["id"] == checkpoint_id), -1)
    """
    runs = {"run-1": full_run("run-1"), "run-2": small_run("run-2", 2), "run-3": {"id": "run-3", "checkpoints": []}}
    runs["run-4"] = {"id": "run-4", "checkpoints": [{"id": "checkpoint-1", "state": {}}]}
    there = "checkpoint-10"
    refused = [
        ("a run that is not there", "run-9", "new", there),
        ("a run that is not there", "run", "new", there),
        ("a checkpoint that is not there", "run-1", "new", "checkpoint-1"),
        ("a checkpoint that is not there", "run-1", "new", "checkpoint-12"),
        ("a checkpoint of another case", "run-1", "new", "CHECKPOINT-10"),
        ("the number of a checkpoint", "run-1", "new", "1"),
        ("a run without checkpoints", "run-2", "new", there),
        ("a run with an empty list of checkpoints", "run-3", "new", there),
        ("a checkpoint that another run has", "run-4", "new", there),
        ("an id that another run has", "run-1", "run-2", there),
        ("the id of the source", "run-1", "run-1", there),
        ("a run that is not there, to an id that is taken", "run-9", "run-2", there),
    ]
    with trial.fresh() as session:
        store = session.open()
        save_all(store, runs)
        for name, source, new_id, checkpoint in refused:
            fork = partial(store.fork_run, source, new_id, checkpoint)
            must_refuse(trial, fork, f"a fork that is not possible: {name}")
            gone(trial, store, "new", "getting the branch of a fork that was refused")
            hold_all(trial, store, runs, "after a fork was refused")
        branch = forked(trial, store, runs["run-1"], "new", 1, "forking after others were refused")
        fork = partial(store.fork_run, "run-1", "new", there)
        must_refuse(trial, fork, "a fork that is not possible: an id that another branch has")
        hold_all(trial, store, {**runs, "new": branch}, "after a fork to the id of a branch was refused")


@check("RUNS-FORK-04", sources="RUN-19; Temporal's ForkDeleteBranch tests", capability=_FORK, needs=_GATE)
def test_branch_and_source_are_independent(trial: Trial) -> None:
    """A save of the source does not change the branch, and a save of the branch does not change the source.

    Why: both go on. Checkpoints that the two share, and that one of them changes, are the past of the other.

    Breaks it:

        branch["checkpoints"] = source["checkpoints"]         # one list, or the same rows
    """
    source = full_run("run-1")
    with trial.fresh() as session:
        store = session.open()
        save_all(store, {"run-1": source})
        branches = {f"branch-{n}": forked(trial, store, source, f"branch-{n}", 1, "forking") for n in (1, 2)}
        changed = {**source, "checkpoints": [{**one, "state": "changed"} for one in source["checkpoints"]]}
        changed |= {"state": {"step": 99}, "messages": [], "status": "completed"}
        runs = {**branches, "run-1": changed}
        save_all(store, {"run-1": changed})
        hold_all(trial, store, runs, "after the source of two branches was saved with other checkpoints")
        runs["branch-1"] = {**branches["branch-1"], "checkpoints": [{"id": "own", "state": 1}], "state": 1}
        save_all(store, {"branch-1": runs["branch-1"]})
        hold_all(trial, store, runs, "after one of two branches was saved with other checkpoints")
        if offers(trial, "append_event"):
            for run_id in ("run-1", "branch-2"):
                event = {"type": "of one only", "run": run_id}
                store.append_event(run_id, event)
                runs[run_id] = {**runs[run_id], "events": [*runs[run_id].get("events", []), event]}
            hold_all(trial, store, runs, "after events were appended to the source and to a branch")


@check("RUNS-FORK-05", sources="RUN-19, RUN-22; Temporal's ForkDeleteBranch tests", capability=_FORK, needs=_GATE)
def test_branch_outlives_its_source(trial: Trial) -> None:
    """A branch stays readable, and the same, when its source is cut, replaced or deleted, and the source when it is.

    Why: a branch that is kept as a link to its source is empty when the source is cleaned up, and a clean-up of the
    branch takes away what the source needs.

    Breaks it:

        {"id": new_id, "from": run_id, "upto": checkpoint_id}     # the rest is looked up when it is read
    """
    source = full_run("run-1")
    with trial.fresh() as session:
        store = session.open()
        save_all(store, {"run-1": source})
        one = forked(trial, store, source, "branch-1", 1, "forking")
        two = forked(trial, store, source, "branch-2", 2, "forking")
        save_all(store, {"run-1": {"id": "run-1"}})
        runs: dict[str, Run] = {"run-1": {"id": "run-1"}, "branch-1": one, "branch-2": two}
        hold_all(trial, store, runs, "after the source was saved with nothing in it")
        if not offers(trial, "delete_run"):
            return
        for run_id in ("run-1", "branch-2"):
            # A store may keep what others come from, if it says so.
            if trial.refused(partial(store.delete_run, run_id)):
                trial.count("refusals")
            else:
                del runs[run_id]
            store.acknowledge()
            hold_all(trial, store, runs, "after the source, or another branch, was deleted")


@check("RUNS-FORK-06", sources="RUN-04, RUN-19, RUN-28", capability=_FORK, needs=_GATE)
def test_branch_names_its_origin_and_its_root(trial: Trial) -> None:
    """A branch of a branch names that branch as its origin, and keeps its root; a source without a root is the root.

    Why: the root is what all that came of one request have in common: the bill, and the right to see it. A branch that
    is its own root is nobody's.

    Breaks it:

        lineage = {"rootRunId": run_id, ...}                  # of the source, not of the source's root
    """
    checkpoints = [{"id": "first", "state": {"n": 1}}, {"n": "no id"}, {"id": "second", "state": [2]}]
    lineage = {"rootRunId": "the root", "parentRunId": None, "childRunIds": ["a child"]}
    sources: dict[str, Run] = {
        "no metadata": {},
        "no lineage": {"metadata": {"tags": ["kept"]}},
        "no root": {"metadata": {"lineage": {"parentRunId": None, "childRunIds": []}}},
        "null as its root": {"metadata": {"lineage": {"rootRunId": None}}},
        "itself as its root": {"metadata": {"lineage": {**lineage, "rootRunId": "run-1"}}},
        "another run as its root": {"metadata": {"lineage": lineage}},
    }
    for name, fields in sources.items():
        with trial.fresh() as session:
            store = session.open()
            source: Run = {"id": "run-1", **fields, "checkpoints": checkpoints, "state": "of the end"}
            store.save_run(source)
            branch = forked(trial, store, source, "branch", 2, f"forking a run with {name}")
            again = forked(trial, store, branch, "branch of the branch", 0, f"forking a branch of a run with {name}")
            expected = {run["id"]: run for run in (source, branch, again)}
            hold_all(trial, store, expected, f"after a run with {name}, and its branch, were forked")


@check(
    "RUNS-FORK-07",
    sources="RUN-19, RUN-27",
    capability=_FORK,
    promise="durability:clean-close",
    needs=(*_GATE, "RUNS-REOPEN-01"),
)
def test_branches_survive_reopening(trial: Trial) -> None:
    """A branch and its source are the same after the store was closed and opened again, and in another process.

    Why: a branch that is made in memory, until it is saved for the first time, is lost with the process that made it.

    Breaks it:

        self._cache[new_id] = branch          # written when it is saved
    """
    source = full_run("run-1")
    with trial.fresh() as session:
        store = session.open()
        save_all(store, {"run-1": source})
        runs = {"run-1": source, "branch": forked(trial, store, source, "branch", 1, "forking")}
        store = session.reopen(store)
        hold_all(trial, store, runs, "after a run was forked and the store opened again")
        runs["again"] = forked(trial, store, runs["branch"], "again", 0, "forking a branch in a store opened again")
        store = session.reopen(store)
        hold_all(trial, store, runs, "after a branch was forked and the store opened again")
        order = ids(listing(trial, store))
        store.close()
        found = session.read_in_new_process()
        agree(trial, found, [runs[run_id] for run_id in order], "getting all that is listed, in a new process")


@check("RUNS-FORK-08", sources="KV-08", capability=_FORK, needs=_GATE)
def test_changing_a_returned_branch_changes_nothing(trial: Trial) -> None:
    """A branch that is changed after `fork_run` returned it changes neither the branch in the store nor the source.

    Why: the program goes on with what it got: it appends messages, and saves when it has an answer.

    Breaks it:

        self._runs[new_id] = branch
        return branch                         # the store's own object
    """
    source = full_run("run-1")
    with trial.fresh() as session:
        store = session.open()
        store.save_run(source)
        branch = store.fork_run("run-1", "branch", "checkpoint-10")
        before = fetched(trial, store, "branch")
        branch["checkpoints"][0]["state"]["seen"].append("changed")
        branch["checkpoints"].pop()
        branch["state"]["draft"]["guests"] = 99
        branch["metadata"]["lineage"]["rootRunId"] = "changed"
        agree(trial, fetched(trial, store, "branch"), before, "getting a branch after what was returned was changed")
        holds(trial, store, source, "getting the source after the branch that was returned was changed")
