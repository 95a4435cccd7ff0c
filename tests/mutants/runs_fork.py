"""Run stores that fork wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.runs_base import PlainRuns, Run, runs_mutant
from tests.mutants.runs_lifetime import InMemory
from tests.mutants.runs_records import Cached


class OneTooFew(PlainRuns):
    def branch(self, source: Run, new_id: str, place: int) -> Run:
        return {**super().branch(source, new_id, place), "checkpoints": source["checkpoints"][:place]}


class AllCheckpoints(PlainRuns):
    def branch(self, source: Run, new_id: str, place: int) -> Run:
        return {**super().branch(source, new_id, place), "checkpoints": source["checkpoints"]}


class StateOfTheEnd(PlainRuns):
    def branch(self, source: Run, new_id: str, place: int) -> Run:
        return {**super().branch(source, new_id, place), "state": source.get("state")}


class NoOrigin(PlainRuns):
    def branch(self, source: Run, new_id: str, place: int) -> Run:
        return {**super().branch(source, new_id, place), "metadata": source.get("metadata", {})}


class ReturnsTheId(PlainRuns):
    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Any:
        return super().fork_run(run_id, new_id, checkpoint_id)["id"]


class NotesItsBranches(PlainRuns):
    def branch(self, source: Run, new_id: str, place: int) -> Run:
        branch = super().branch(source, new_id, place)
        if "metadata" in source and "childRunIds" in source["metadata"].get("lineage", {}):
            source["metadata"]["lineage"]["childRunIds"].append(new_id)
            self.put(source["id"], source)
        return branch


class CutsTheSource(PlainRuns):
    def branch(self, source: Run, new_id: str, place: int) -> Run:
        branch = super().branch(source, new_id, place)
        self.put(source["id"], {**source, "checkpoints": branch["checkpoints"]})
        return branch


class ReplacesTaken(PlainRuns):
    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Run:
        source = self.present(run_id)
        place = [one.get("id") for one in source.get("checkpoints", [])].index(checkpoint_id)
        branch = self.branch(source, new_id, place)
        self.put(new_id, branch)
        return branch


class NewestForMissing(PlainRuns):
    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Run:
        ids = [one["id"] for one in self.present(run_id).get("checkpoints", []) if "id" in one]
        return super().fork_run(run_id, new_id, checkpoint_id if checkpoint_id in ids or not ids else ids[-1])


class DropsBeforeItLooks(PlainRuns):
    """Makes room for the branch, and then looks for the source."""

    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Run:
        source = self.find(run_id)
        if source is None:
            self.drop(new_id)
        return super().fork_run(run_id, new_id, checkpoint_id)


class Linked(PlainRuns):
    """Keeps a branch as a link; its checkpoints are looked up in the source whenever it is read."""

    def find(self, run_id: str) -> Any:
        run = super().find(run_id)
        if run is None or "from" not in run:
            return run
        source = self.find(run["from"]) or {}
        checkpoints = source.get("checkpoints") or []
        ids = [one.get("id") for one in checkpoints]
        run["checkpoints"] = checkpoints[: ids.index(run["upto"]) + 1] if run["upto"] in ids else []
        return {name: value for name, value in run.items() if name not in ("from", "upto")}

    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Run:
        branch = super().fork_run(run_id, new_id, checkpoint_id)
        self.put(new_id, {**branch, "from": run_id, "upto": checkpoint_id})
        return branch

    def list_runs(self) -> Any:
        return [self.find(run["id"]) for run in super().list_runs()]


class DeletesTheFamily(PlainRuns):
    """Deletes the branches of a run with it."""

    def drop(self, run_id: str) -> None:
        for run in self.list_runs():
            lineage = (run.get("metadata") or {}).get("lineage") or {}
            if lineage.get("branchOriginRunId") == run_id:
                super().drop(run["id"])
        super().drop(run_id)


class RootIsTheSource(PlainRuns):
    def branch(self, source: Run, new_id: str, place: int) -> Run:
        branch = super().branch(source, new_id, place)
        branch["metadata"]["lineage"]["rootRunId"] = source["id"]
        return branch


class RootIsMissing(PlainRuns):
    def branch(self, source: Run, new_id: str, place: int) -> Run:
        branch = super().branch(source, new_id, place)
        lineage = (source.get("metadata") or {}).get("lineage") or {}
        branch["metadata"]["lineage"]["rootRunId"] = lineage.get("rootRunId")
        return branch


class BranchesInMemory(InMemory):
    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Run:
        source = self.present(run_id)
        place = [one.get("id") for one in source.get("checkpoints", [])].index(checkpoint_id)
        if new_id in self.kept:
            raise KeyError(new_id)
        branch = self.branch(source, new_id, place)
        self.kept[new_id] = self.decode(self.encode(branch))
        return branch


class ReturnsItsObject(Cached):
    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Run:
        branch = super().fork_run(run_id, new_id, checkpoint_id)
        self.cache[new_id] = branch
        return branch


class SharesCheckpoints(Cached):
    """Returns a branch whose checkpoints are those of the source in its cache."""

    def fork_run(self, run_id: str, new_id: str, checkpoint_id: str) -> Run:
        branch = super().fork_run(run_id, new_id, checkpoint_id)
        if run_id in self.cache:
            branch["checkpoints"] = self.cache[run_id]["checkpoints"][: len(branch["checkpoints"])]
        return branch


class CheckpointsById(PlainRuns):
    """Keeps checkpoints once for a whole family, by their ids; the last save of one counts for all."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.shared: dict[str, Any] = {}

    def put(self, run_id: str, run: Run) -> None:
        super().put(run_id, run)
        for one in run.get("checkpoints") or []:
            if isinstance(one, dict) and str(one.get("id")).startswith("checkpoint-1"):
                self.shared[one["id"]] = one

    def find(self, run_id: str) -> Any:
        run = super().find(run_id)
        if run and run.get("metadata") and run["metadata"].get("lineage", {}).get("branchOriginRunId"):
            run["checkpoints"] = [self.shared.get(one.get("id"), one) for one in run["checkpoints"]]
        return run


MUTANTS = [
    runs_mutant("fork_one_too_few", "a branch has not the checkpoint it was forked at", "FORK-01", OneTooFew),
    runs_mutant("fork_all_checkpoints", "a branch has all the checkpoints", "FORK-01", AllCheckpoints),
    runs_mutant("fork_state_of_the_end", "a branch has the state of its source", "FORK-01", StateOfTheEnd),
    runs_mutant("fork_no_origin", "a branch has the lineage of its source", "FORK-01", NoOrigin),
    runs_mutant("fork_returns_the_id", "a fork returns an id", "FORK-01", ReturnsTheId),
    runs_mutant("fork_noted_in_source", "a branch is noted as a child of its source", "FORK-02", NotesItsBranches),
    runs_mutant("fork_cuts_the_source", "the source loses later checkpoints", "FORK-02", CutsTheSource),
    runs_mutant("fork_replaces_taken", "a fork replaces the run that has its id", "FORK-03", ReplacesTaken),
    runs_mutant("fork_newest_for_missing", "for a missing checkpoint the last one", "FORK-03", NewestForMissing),
    runs_mutant("fork_drops_first", "a fork that is refused has deleted a run", "FORK-03", DropsBeforeItLooks),
    runs_mutant("fork_shares", "a family has each checkpoint once, as saved last", "FORK-04", CheckpointsById),
    runs_mutant("fork_linked", "a branch is a link to its source", "FORK-04 FORK-05", Linked),
    runs_mutant("fork_deleted_with_source", "branches are deleted with the source", "FORK-05", DeletesTheFamily),
    runs_mutant("fork_root_is_source", "the root of a branch is its source", "FORK-06", RootIsTheSource),
    runs_mutant("fork_root_is_missing", "a branch of a root has no root", "FORK-06", RootIsMissing),
    runs_mutant("fork_in_memory", "a branch is written when it is saved", "FORK-07", BranchesInMemory),
    runs_mutant("fork_returns_its_object", "returns the object in its cache", "FORK-08", ReturnsItsObject),
    runs_mutant("fork_returns_shared", "what it returns shares lists with the source", "FORK-08", SharesCheckpoints),
]
