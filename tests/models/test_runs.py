"""The oracle of the runs contract refuses what the rule book says, and keeps copies."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.models.runs import RefusedError, RunModel


def run(run_id: str, parent: str | None = None) -> dict[str, Any]:
    """Return a run with a parent."""
    return {"id": run_id, "events": [], "metadata": {"lineage": {"parentRunId": parent}}}


def test_it_keeps_copies() -> None:
    """What is changed after it was saved, or appended, is as it was."""
    model, one, event = RunModel(), run("a"), {"n": [1]}
    model.save(one)
    one["events"].append("changed")
    model.append_event("a", event)
    event["n"].append(2)
    assert model.runs["a"]["events"] == [{"n": [1]}]


def test_it_refuses_superseded_tokens() -> None:
    """Only the newest token saves."""
    model = RunModel(tokens={"a": [1, 2]})
    with pytest.raises(RefusedError, match="superseded"):
        model.save(run("a"), 1)
    model.save(run("a"), 2)


def test_it_keeps_lineage_closed() -> None:
    """Unknown parents, circles and the delete of parents are refused; ancestors come from the root on."""
    model = RunModel(lineage=True)
    with pytest.raises(RefusedError, match="not there"):
        model.save(run("b", "a"))
    for one in (run("a"), run("b", "a"), run("c", "b")):
        model.save(one)
    assert model.ancestors("c") == ["a", "b", "c"]
    with pytest.raises(RefusedError, match="own ancestor"):
        model.save(run("a", "c"))
    with pytest.raises(RefusedError, match="children"):
        model.delete("b")
    model.delete("c")
    model.delete("b")
    assert list(model.runs) == ["a"]


def test_it_refuses_events_of_nobody() -> None:
    """An event needs its run."""
    with pytest.raises(RefusedError, match="not there"):
        RunModel().append_event("a", 1)
