"""Workloads of runs: an agent works, and saves its run after each thing it did; others are saved in between."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from typing import Any

from conformance.crash.subjects import Step
from conformance.crash.workloads.values import LARGE, SIZES, value_of

_STATUSES = ("queued", "running", "waiting", "running", "completed")


def _run(run_id: str, *sizes: int, parent: str | None = None, events: int = 0) -> dict[str, Any]:
    """Return a run after so many saves: each has added a message, a step, a checkpoint, or all three.

    Args:
        run_id: Its id.
        sizes: About how many bytes each save has added.
        parent: The run that it names as its parent.
        events: Events that were appended to it before.
    """
    texts = [value_of(run_id, number, size, "json") for number, size in enumerate(sizes)]
    count = len(texts)
    lineage: dict[str, Any] = {"rootRunId": parent or run_id, "parentRunId": parent, "childRunIds": []}
    return {
        "id": run_id,
        "status": _STATUSES[(count - 1) % len(_STATUSES)],
        "input": {"prompt": f"prompt of {run_id}", "attachments": []},
        "state": {"save": count, "last": texts[-1][:40]},
        "messages": [{"role": "assistant", "content": text} for text in texts],
        "steps": [{"index": number, "endedAt": None} for number in range(count // 2)],
        "checkpoints": [
            {"id": f"checkpoint-{number}", "state": {"save": number, "of": run_id}} for number in range(1, count)
        ],
        "events": [_event(run_id, number, 25) for number in range(events)],
        "errors": [],
        "output": texts[-1] if count == len(_STATUSES) else None,
        "metrics": {"tokenUsage": {"input": 2**53 + count, "output": 0}, "cost": 0.1 * count},
        "metadata": {"lineage": {**lineage, "branchOriginRunId": None, "branchCheckpointId": None}},
    }


def _event(run_id: str, number: int, size: int) -> dict[str, Any]:
    return {"seq": number, "type": "noted", "data": value_of(f"{run_id}-event", number, size, "json")}


def _saved(run: dict[str, Any]) -> Step:
    return Step("save_run", (run,))


def _saves(draw: random.Random, _domain: str, offers: Collection[str]) -> list[Step]:
    sizes = [draw.choice(SIZES) for _ in range(4)]
    shrunk = {**_run("r0", *sizes), "messages": [], "checkpoints": [], "status": "completed"}
    deletes = "delete_run" in offers
    return [
        _saved(_run("r0", *sizes[:1])),
        _saved(_run("r1", 5_005)),
        _saved(_run("r0", *sizes[:2])),
        _saved(_run("r2", 25, parent="r0")),
        _saved(_run("r0", *sizes[:3])),
        *([Step("delete_run", ("r1",))] if deletes else []),
        _saved(_run("r0", *sizes, LARGE[0])),
        _saved(_run("r1", 25, 705)),
        _saved(shrunk),
        *([Step("delete_run", ("r2",))] if deletes else []),
        _saved(_run("r3", draw.choice(SIZES))),
    ]


def _events(draw: random.Random, _domain: str, _offers: Collection[str]) -> list[Step]:
    def append(run_id: str, number: int) -> Step:
        return Step("append_event", (run_id, _event(run_id, number, draw.choice(SIZES))))

    return [
        _saved(_run("r0", 705)),
        append("r0", 0),
        append("r0", 1),
        _saved(_run("r1", 25, events=1)),
        append("r1", 1),
        append("r0", 2),
        _saved(_run("r0", 705, 25, events=3)),
        append("r0", 3),
        append("r1", 2),
    ]


def _forks(draw: random.Random, _domain: str, _offers: Collection[str]) -> list[Step]:
    sizes = [draw.choice(SIZES) for _ in range(4)]
    return [
        _saved(_run("r0", *sizes[:3])),
        Step("fork_run", ("r0", "branch-0", "checkpoint-1")),
        _saved(_run("r0", *sizes)),
        Step("fork_run", ("r0", "branch-1", "checkpoint-3")),
        _saved(_run("r1", 25)),
    ]


def _reopening(draw: random.Random, _domain: str, _offers: Collection[str]) -> list[Step]:
    sizes = [draw.choice(SIZES) for _ in range(3)]
    return [
        _saved(_run("r0", *sizes[:1])),
        _saved(_run("r1", 705)),  # not touched again: it tells of a store that took an error for an empty place
        Step("reopen"),
        _saved(_run("r0", *sizes[:2])),
        _saved(_run("r2", 25)),
        Step("reopen"),
        _saved(_run("r0", *sizes)),
        _saved(_run("r2", 25, 705)),
    ]


#: By name; each makes steps from a source of randomness and what the store offers; its records are JSON in any domain.
RUN_WORKLOADS: Mapping[str, Callable[[random.Random, str, Collection[str]], list[Step]]] = {
    "saves of growing runs": _saves,
    "events": _events,
    "forks": _forks,
    "closing and reopening": _reopening,
}
