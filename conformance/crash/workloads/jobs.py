"""Workloads of jobs: a runtime saves them as it runs them, moves them along, or workers claim them."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from typing import Any

from conformance.crash.subjects import Step
from conformance.crash.workloads.values import SIZES, value_of

_START = 1_000_000
_MINUTE = 60_000
#: A lease that a process still has after the crash, and one that has ended before.
_LONG, _SHORT = 10_000_000, 10_000


def _job(job_id: str, size: int, runs: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a job that has run so many times: its schedule, its count and its history go forward together."""
    times = [_START + number * _MINUTE for number in range(runs)]
    return {
        "id": job_id,
        "handler": "handlers:run",
        "payload": value_of(job_id, 0, size, "json"),
        "runAt": _START + runs * _MINUTE,
        "intervalMs": _MINUTE,
        "maxRuns": None,
        "runCount": runs,
        "status": "ready",
        "result": value_of(job_id, runs, 25, "json") if runs else None,
        "error": None,
        "lastRunAt": times[-1] if runs else None,
        "history": [{"at": at, "status": "completed", "note": f"{job_id} at {at}"} for at in times],
        "x-runtime": {"queue": "q", "attempts": []},
        **fields,
    }


def _saved(job: dict[str, Any]) -> Step:
    return Step("save_job", (job,))


def _run(job_id: str, size: int, runs: int) -> list[Step]:
    """Return the saves of one run: it begins, and what it came to is recorded."""
    return [_saved(_job(job_id, size, runs, status="running")), _saved(_job(job_id, size, runs + 1))]


def _saves(draw: random.Random, _domain: str, offers: Collection[str]) -> list[Step]:
    sizes = [draw.choice(SIZES) for _ in range(3)]
    deletes = "delete_job" in offers
    return [
        _saved(_job("j0", sizes[0])),
        _saved(_job("j1", sizes[1])),
        *_run("j0", sizes[0], 0),
        _saved(_job("j2", 5_005, intervalMs=None)),
        *_run("j1", sizes[1], 0),
        *_run("j0", sizes[0], 1),
        *([Step("delete_job", ("j1",))] if deletes else []),
        _saved(_job("j2", 5_005, 1, intervalMs=None, status="stopped")),
        _saved(_job("j0", sizes[2], 2, status="stopped")),
    ]


def _claims(draw: random.Random, _domain: str, _offers: Collection[str]) -> list[Step]:
    def text(job_id: str, number: int) -> str:
        found: str = value_of(job_id, number, draw.choice(SIZES[:2]), "json")
        return found

    def claim(after: int, owner: str, lease: int) -> Step:
        return Step("claim_due", (_START + after, owner, lease, 1))

    return [
        _saved(_job("c0", 25)),
        _saved(_job("c1", draw.choice(SIZES), runAt=_START + 1_000, intervalMs=None)),
        _saved(_job("c2", 705, runAt=_START + 2_000)),
        claim(5_000, "a", _LONG),
        Step("complete", ("c0", _START + 6_000, text("c0", 1))),
        claim(7_000, "b", _SHORT),
        Step("renew", ("c1", _START + 8_000, _LONG)),
        Step("reopen"),
        claim(9_000, "a", _LONG),
        Step("fail", ("c2", _START + 10_000, text("c2", 1))),
        claim(11_000, "a", _SHORT),
        Step("complete", ("c1", _START + 12_000, text("c1", 2))),
        claim(40_000, "b", _LONG),  # c2, whose lease has ended: its owner is taken for dead
        Step("complete", ("c2", _START + 41_000, text("c2", 2))),
        claim(2 * _MINUTE, "a", _LONG),
    ]


def _moves(draw: random.Random, _domain: str, _offers: Collection[str]) -> list[Step]:
    def move(job_id: str, *statuses: str) -> list[Step]:
        return [Step("set_status", (job_id, status)) for status in statuses]

    return [
        _saved(_job("j0", draw.choice(SIZES), status="created")),
        _saved(_job("j1", draw.choice(SIZES), status="created")),
        *move("j0", "initializing", "ready"),
        *move("j1", "stopped", "restarting"),
        *move("j0", "running", "crashed", "restarting", "ready"),
        *move("j1", "ready"),
    ]


def _reopening(draw: random.Random, _domain: str, _offers: Collection[str]) -> list[Step]:
    size = draw.choice(SIZES)
    return [
        _saved(_job("j1", 705)),  # not touched again: it tells of a store that took an error for an empty place
        _saved(_job("j0", size)),
        Step("reopen"),
        *_run("j0", size, 0),
        Step("reopen"),
        _saved(_job("j2", 25)),
        *_run("j0", size, 1),
    ]


#: By name; each makes steps from a source of randomness and what the store offers; its records are JSON in any domain.
JOB_WORKLOADS: Mapping[str, Callable[[random.Random, str, Collection[str]], list[Step]]] = {
    "saves of jobs that run": _saves,
    "claims": _claims,
    "moves from status to status": _moves,
    "closing and reopening": _reopening,
}
