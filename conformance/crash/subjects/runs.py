"""The `runs` contract for the crash engine: runs are saved again and again, grow by events, are forked and deleted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.crash.subjects.records import (
    PROBE_ID,
    Kind,
    content_of,
    mislisted_records,
    read_records,
    record_parts,
    record_source,
    record_teller,
    records_agree,
)
from conformance.crash.subjects.subject import Content, Step, Subject

if TYPE_CHECKING:
    from conformance.drive import Driver
    from conformance.session import Handle

#: The ids that workloads use.
RUN_IDS = ("r0", "r1", "r2", "r3", "branch-0", "branch-1")
#: What the contract says of the lineage of a branch, and so what is compared of it; the rest is the store's.
_OF_A_BRANCH = ("rootRunId", "branchOriginRunId", "branchCheckpointId")


def _seen(run: Any) -> Any:
    """Return what of a run is compared: all of one that was saved, and of a branch what the contract settles."""
    lineage = _lineage(run)
    if lineage.get("branchOriginRunId") is None:
        return run
    return {
        **{name: run.get(name) for name in ("id", "checkpoints", "state")},
        "metadata": {"lineage": {name: lineage.get(name) for name in _OF_A_BRANCH}},
    }


def _lineage(run: Any) -> dict[str, Any]:
    metadata = run.get("metadata") if isinstance(run, dict) else None
    lineage = metadata.get("lineage") if isinstance(metadata, dict) else None
    return lineage if isinstance(lineage, dict) else {}


_RUN = Kind("run", "get_run", "list_runs", (*RUN_IDS, PROBE_ID), _seen)


def _perform(store: Handle, step: Step) -> None:
    getattr(store, step.verb)(*step.args)


def _read(driver: Driver, store: Any) -> Content:
    return read_records(driver, store, _RUN)


def _listed(driver: Driver, store: Any) -> list[Any]:
    return driver.items(getattr(store, _RUN.lister))


def _apply(content: Content, step: Step) -> Content:
    runs = dict(content["records"])
    match step.verb, step.args:
        case "save_run", (run,):
            runs[run["id"]] = _seen(run)
        case "append_event", (run_id, event) if run_id in runs:
            runs[run_id] = {**runs[run_id], "events": [*runs[run_id]["events"], event]}
        case "delete_run", (run_id,):
            runs.pop(run_id, None)
        case "fork_run", (run_id, new_id, checkpoint_id) if run_id in runs:
            runs[new_id] = _branch(runs[run_id], new_id, checkpoint_id)
    return content_of(runs, content["otherwise"])


def _branch(source: dict[str, Any], new_id: str, checkpoint_id: str) -> Any:
    checkpoints = source["checkpoints"]
    place = [checkpoint["id"] for checkpoint in checkpoints].index(checkpoint_id)
    lineage = {
        "rootRunId": _lineage(source).get("rootRunId") or source["id"],
        "branchOriginRunId": source["id"],
        "branchCheckpointId": checkpoint_id,
    }
    branch = {"id": new_id, "checkpoints": checkpoints[: place + 1], "state": checkpoints[place]["state"]}
    return _seen({**branch, "metadata": {"lineage": lineage}})


def _probe(_domain: str) -> Step:
    return Step("save_run", ({"id": PROBE_ID, "status": "queued", "messages": [], "events": []},))


RUNS = Subject(
    contract="runs",
    empty=content_of({}),
    perform=_perform,
    read=_read,
    apply=_apply,
    agrees=records_agree,
    parts=record_parts,
    probe=_probe,
    source=record_source,
    listed=_listed,
    mislisted=partial(mislisted_records, _RUN),
    tell=record_teller(("status",), ("messages", "steps", "checkpoints", "events")),
)
