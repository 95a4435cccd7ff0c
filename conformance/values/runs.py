"""Runs: a record with every field that agent runtimes keep, small ones by number, and random ones.

What stores lose is in the record on purpose: messages that come twice, ids and times that would sort otherwise, null
beside an empty list, ints beyond 64 bits, fields that no store knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

#: The fields of a run that are lists; the order of each is part of the record.
LISTS = ("messages", "steps", "toolCalls", "toolResults", "checkpoints", "errors", "events")


def small_run(run_id: str, number: int) -> dict[str, Any]:
    """Return a small run that differs for every number."""
    return {
        "id": run_id,
        "status": ("queued", "running", "completed")[number % 3],
        "input": {"n": number},
        "messages": [{"role": "user", "content": f"message {number}"}],
        "events": [{"type": "run.started", "seq": number}],
        "output": f"output {number}",
    }


def full_run(run_id: str, parent: str | None = None) -> dict[str, Any]:
    """Return a run with every field, the same for the same id.

    Args:
        run_id: Its id.
        parent: The run that it names as its parent, which a store with `lineage` must hold already.
    """
    return {
        "id": run_id,
        "agentId": "agent-1",
        "status": "waiting",
        "input": {"prompt": "Book a table for two.\r\nÉmile said: \U0001f44d", "attachments": [], "locale": None},
        "state": {"step": 3, "draft": {"guests": 2, "when": None}, "seen": [], "notes": {}},
        "messages": [
            {"role": "system", "content": "You book tables."},
            {"role": "user", "content": "Go on."},
            {"role": "assistant", "content": None, "toolCalls": ["call-9"]},
            {"role": "tool", "toolCallId": "call-9", "content": '{"free": [19, 21]}'},
            {"role": "user", "content": "Go on."},
            {"role": "user", "content": "Go on."},
        ],
        "steps": [
            {"index": 0, "kind": "model", "startedAt": 1_795_000_000_000, "endedAt": 1_795_000_000_900},
            {"index": 2, "kind": "tool", "startedAt": 1_795_000_001_000, "endedAt": None},
            {"index": 1, "kind": "model", "startedAt": 1_794_999_999_000, "endedAt": 1_795_000_002_000},
        ],
        "toolCalls": [
            {"id": "call-9", "name": "search", "arguments": {"near": [52.52, 13.405], "limit": 5}},
            {"id": "call-10", "name": "book", "arguments": {}},
        ],
        "toolResults": [
            {"toolCallId": "call-9", "ok": True, "result": {"free": [19, 21], "page": 2**63 - 1, "score": 0.1 + 0.2}},
            {"toolCallId": "call-10", "ok": False, "result": None},
        ],
        "checkpoints": [
            {"id": "checkpoint-9", "state": {"step": 1, "seen": []}, "createdAt": "2026-11-22T02:00:09Z"},
            {"id": "checkpoint-10", "state": {"step": 2, "draft": {"guests": 2}}, "createdAt": "2026-11-22T02:00:07Z"},
            {"id": "checkpoint-11", "state": {"step": 3, "draft": None}, "createdAt": "2026-11-22T02:00:11Z"},
        ],
        "errors": [
            {"message": "timed out\n  at book()", "code": None, "retryable": True, "attempt": 1},
            {"message": "refused", "code": -1, "retryable": False, "attempt": 2},
        ],
        "events": [
            {"type": "run.started", "seq": 1, "at": 1_795_000_000_000},
            {"type": "tool.called", "seq": 3, "at": 1_795_000_001_000},
            {"type": "tool.called", "seq": 2, "at": 1_795_000_001_000},
            {"type": "run.paused", "seq": 4, "at": 1_794_999_999_999, "data": {}},
        ],
        "timestamps": {"createdAt": 1_795_000_000_000, "updatedAt": 1_795_000_002_000.5, "completedAt": None},
        "output": None,
        "pendingApproval": {"toolCallId": "call-10", "requestedBy": "policy", "expiresAt": None, "choices": [True, 1]},
        "pendingPause": {"reason": "", "until": "2026-11-23T00:00:00+01:00"},
        "metrics": {
            "tokenUsage": {"input": 2**53 + 1, "output": 0, "cached": None},
            "cost": {"currency": "EUR", "amount": 0.000_012_3, "total": 10.0, "refund": -0.0},
            "timings": {"queuedMs": 0, "modelMs": 1_900.25, "perStep": [900, 1e22]},
            "childRuns": {"count": 1, "failed": 0, "ids": [f"{run_id}-child"]},
        },
        "metadata": {
            "lineage": {
                "rootRunId": parent or run_id,
                "parentRunId": parent,
                "childRunIds": [f"{run_id}-child"],
                "branchOriginRunId": None,
                "branchCheckpointId": None,
            },
            "tags": ["b", "a", "a", ""],
            "user.defined": {"$set": 1, "__type__": "x", "": None, "1": "one"},
        },
        "x-vendor": {"trace": -(2**63), "flags": [[], {}, None, False, 0, ""]},
        "schemaVersion": 7,
    }


def random_runs(run_id: str) -> SearchStrategy[dict[str, Any]]:
    """Return runs of an id: any of the fields and some that nobody knows, with JSON of any kind in each."""
    # Here, because Hypothesis is slow to import.
    from hypothesis import strategies as st

    from conformance.values.strategies import json_values, texts

    # A store that keeps lineage looks into the metadata; what it must refuse is another rule.
    known = sorted(full_run(run_id).keys() - {"id", "metadata"})
    items = st.dictionaries(texts(), json_values(), max_size=3)
    return st.builds(
        lambda fields, lists, tags: {**fields, **lists, "metadata": {"tags": tags}, "id": run_id},
        st.dictionaries(st.sampled_from(known) | texts(), json_values(), max_size=5),
        st.dictionaries(st.sampled_from(LISTS), st.lists(items, max_size=4), max_size=3),
        json_values(),
    )
