"""What people see of runs."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.migrate.views import incident_report, relatives, run_summary, trace_export, views_of
from tests.migrate.sides import run


def test_a_summary_counts_and_keeps_the_lineage() -> None:
    """A summary tells how much there is of everything, and where the run comes from."""
    summary = run_summary(run(3))
    assert summary["id"] == "run 00008"
    assert summary["status"] == "failed"
    assert summary["counts"]["events"] == 2
    assert summary["counts"]["messages"] == 0
    assert summary["lineage"]["parentRunId"] == "run 00009"


def test_an_incident_report_has_the_runs_around_it() -> None:
    """Errors, checkpoints and events are there in order, and a summary of each relative; who is missing is told."""
    child = {"id": "child", "metadata": {"lineage": {"parentRunId": "run 00008"}}}
    one = run(3)
    one["metadata"]["lineage"]["childRunIds"] = ["child", "gone"]
    report = incident_report(one, {"child": child, "run 00009": run(2)}.get)
    assert report["errors"] == ["it failed"]
    assert report["checkpoints"] == [{"id": "c1", "state": {"a": 1}}]
    assert report["events"] == [{"at": 1}, {"at": 2}]
    assert report["around"]["child"]["id"] == "child"
    assert report["around"]["run 00009"]["status"] == "failed"
    assert report["around"]["gone"] is None


def test_a_trace_has_a_span_for_each_step_and_call() -> None:
    """The run is the root, steps and tool calls are its children, and a call has its result."""
    spans = trace_export(run(3))
    assert [(span["kind"], span["parent"]) for span in spans] == [
        ("run", "run 00009"),
        ("step", "run 00008"),
        ("tool", "run 00008"),
    ]
    assert spans[2]["result"] == {"callId": "call-1", "result": [1, 1.0]}


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, [1, "x", None], {"lineage": [1]}, {"lineage": {"a": 1}}])
def test_any_form_of_a_run_has_views(odd: Any) -> None:
    """A run may have anything under these names."""
    names = ("metadata", "steps", "events", "toolCalls", "toolResults", "checkpoints", "errors", "metrics")
    views = views_of({"id": "a", **dict.fromkeys(names, odd)}, lambda _: None)
    assert views["summary"]["id"] == "a"
    assert relatives({"id": "a", "metadata": odd}) == []


def test_relatives_that_are_no_ids_are_left_out() -> None:
    """Only texts are ids; each is named once."""
    lineage = {"rootRunId": "r", "parentRunId": "r", "branchOriginRunId": 5, "childRunIds": ["c", None, "r"]}
    assert relatives({"id": "a", "metadata": {"lineage": lineage}}) == ["r", "c"]
