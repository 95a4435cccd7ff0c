"""What people see of runs: summaries, the report of an incident, a trace. Pure functions of the records.

A run may have anything under any name but `id`, so that nothing here relies on a form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Run = Mapping[str, Any]

_COUNTED = ("messages", "steps", "toolCalls", "toolResults", "checkpoints", "events", "errors")
_RELATIVES = ("rootRunId", "parentRunId", "branchOriginRunId")


def lineage_of(run: Run) -> Mapping[str, Any]:
    """Return `metadata.lineage` of a run, empty where it has none."""
    return _mapping(_mapping(run.get("metadata")).get("lineage"))


def relatives(run: Run) -> list[str]:
    """Return the ids of the runs that a run's lineage names, each once."""
    lineage = lineage_of(run)
    named = [lineage.get(name) for name in _RELATIVES] + _items(lineage.get("childRunIds"))
    return list(dict.fromkeys(one for one in named if isinstance(one, str) and one))


def run_summary(run: Run) -> dict[str, Any]:
    """Return what a list of runs shows of one: status, times, how much there is of everything, what it cost."""
    return {
        "id": run.get("id"),
        "status": run.get("status"),
        "timestamps": run.get("timestamps"),
        "counts": {name: len(_items(run.get(name))) for name in _COUNTED},
        "metrics": run.get("metrics"),
        "waiting": {name: run.get(name) for name in ("pendingApproval", "pendingPause")},
        "lineage": dict(lineage_of(run)),
    }


def incident_report(run: Run, find: Callable[[str], Run | None]) -> dict[str, Any]:
    """Return what is read after something went wrong: errors, checkpoints and events in order, and the runs around it.

    Args:
        run: The run that it is about.
        find: Returns another run of the same store, None when it is not there.
    """
    around = {other: find(other) for other in relatives(run)}
    return {
        "id": run.get("id"),
        "status": run.get("status"),
        "errors": run.get("errors"),
        "checkpoints": run.get("checkpoints"),
        "events": run.get("events"),
        "lineage": dict(lineage_of(run)),
        "around": {name: None if other is None else run_summary(other) for name, other in around.items()},
    }


def trace_export(run: Run) -> list[dict[str, Any]]:
    """Return a run as spans, each with its parent: the run, its steps, its tool calls with their results."""
    return list(_spans(run))


def _spans(run: Run) -> Iterator[dict[str, Any]]:
    trace = lineage_of(run).get("rootRunId") or run.get("id")
    results = {
        _mapping(one).get("callId", _mapping(one).get("id")): one
        for one in _items(run.get("toolResults"))
        if isinstance(_mapping(one).get("callId", _mapping(one).get("id")), str)
    }
    root = f"{run.get('id')}"
    parent = lineage_of(run).get("parentRunId")
    yield {"trace": trace, "span": root, "parent": parent, "kind": "run", "status": run.get("status")}
    for number, step in enumerate(_items(run.get("steps"))):
        yield {"trace": trace, "span": f"{root}/step/{number}", "parent": root, "kind": "step", "content": step}
    for number, call in enumerate(_items(run.get("toolCalls"))):
        name = _mapping(call).get("id")
        result = results.get(name) if isinstance(name, str) else None
        span = {"trace": trace, "span": f"{root}/tool/{number}", "parent": root, "kind": "tool"}
        yield {**span, "content": call, "result": result}


def views_of(run: Run, find: Callable[[str], Run | None]) -> dict[str, Any]:
    """Return every view of a run, by its name."""
    return {
        "summary": run_summary(run),
        "incident report": incident_report(run, find),
        "trace": trace_export(run),
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
