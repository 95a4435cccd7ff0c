"""Runs as values: JSON, with every field, and different where they must be."""

from __future__ import annotations

import json

from hypothesis import given

from conformance.values.equality import same
from conformance.values.runs import LISTS, full_run, random_runs, small_run
from reference_backends._json import check_value, dumps, loads

FIELDS = {
    *("id", "input", "state", "messages", "steps", "toolCalls", "toolResults", "checkpoints", "errors", "events"),
    *("timestamps", "status", "output", "pendingApproval", "pendingPause", "metrics", "metadata"),
}
LINEAGE = {"rootRunId", "parentRunId", "childRunIds", "branchOriginRunId", "branchCheckpointId"}


def test_a_full_run_has_every_field() -> None:
    """A full run has every field that a runtime keeps, and some that nobody knows; equal for equal ids."""
    run = full_run("a")
    assert run.keys() > FIELDS
    assert run["metadata"]["lineage"].keys() == LINEAGE
    assert {"tokenUsage", "cost", "timings", "childRuns"} <= run["metrics"].keys()
    assert same(run, full_run("a"))
    assert run["metadata"]["lineage"]["parentRunId"] is None


def test_a_full_run_survives_exact_json() -> None:
    """A full run is JSON: it comes back the same from a text."""
    run = full_run("a", parent="b")
    assert same(loads(dumps(run)), run)
    assert run["metadata"]["lineage"]["parentRunId"] == run["metadata"]["lineage"]["rootRunId"] == "b"


def test_every_list_of_a_full_run_would_be_noticed() -> None:
    """Each list of a full run has an order that sorting would change, and one message comes twice."""
    run = full_run("a")
    for name in LISTS:
        entries = [json.dumps(entry) for entry in run[name]]
        assert entries != sorted(entries), name
    assert len({json.dumps(message) for message in run["messages"]}) < len(run["messages"])


def test_small_runs_differ() -> None:
    """Small runs of one id differ for every number."""
    assert len({json.dumps(small_run("a", number)) for number in range(100)}) == 100
    assert small_run("b", 1)["id"] == "b"


@given(run=random_runs("a"))
def test_random_runs_are_runs(run: dict[str, object]) -> None:
    """A random run has the id, and is JSON."""
    assert run["id"] == "a"
    check_value(run)
