"""Jobs for the checks of the `jobs` contract: one with every field, and small ones that all differ."""

from __future__ import annotations

from typing import Any


def full_job(job_id: str) -> dict[str, Any]:
    """Return a job that has every field of the contract, each with something in it, and fields that no contract has."""
    return {
        "id": job_id,
        "handler": "reports.weekly:send",
        "payload": {
            "to": ["ada@example.org", "grace@example.org"],
            "dryRun": False,
            "limit": 0,
            "ratio": 1.0,
            "note": "",
            "nested": [[], {}, [None]],
            "größe": "naïve \u2028 \U0001f600",
        },
        "runAt": 1_767_225_600_000,
        "intervalMs": 604_800_000,
        "maxRuns": 52,
        "maxAttempts": 5,
        "misfire": "skip",
        "runCount": 2,
        "status": "ready",
        "result": {"sent": 2, "cost": 0.1 + 0.2, "tokens": 2**53 + 1},
        "error": {"type": "TimeoutError", "message": "no answer\r\n", "retriable": True},
        "lastRunAt": 1_766_620_800_123,
        "history": [
            {"at": 1_766_016_000_000, "status": "completed"},
            {"at": 1_766_619_000_000, "status": "failed", "error": {"message": "no answer"}},
            {"at": 1_766_620_800_123, "status": "completed", "durationMs": 812.5},
        ],
        "queue": "reports",
        "labels": ["weekly", "weekly", ""],
        "x-trace": {"z": 1, "a": None, "m": [True, 1, 1.0, -0.0]},
    }


def small_job(job_id: str, number: int, **fields: Any) -> dict[str, Any]:
    """Return a small job that never ran and is due at `1_000 + number`; jobs of different numbers differ.

    Args:
        job_id: Its id.
        number: Any number.
        fields: What is to be otherwise in it, or beside.
    """
    return {
        "id": job_id,
        "handler": "handlers:run",
        "payload": {"number": number},
        "runAt": 1_000 + number,
        "intervalMs": None,
        "maxRuns": None,
        "runCount": 0,
        "status": "ready",
        "result": None,
        "error": None,
        "lastRunAt": None,
        "history": [],
        **fields,
    }
