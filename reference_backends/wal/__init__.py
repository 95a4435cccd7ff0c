"""A write-ahead log in checksummed segments, and a state folded from it.

    log = WalLog(path)                  # events, durable when append() returned
    state = WalState(WalLog(path))      # a mapping whose every change is an event

Durability power-loss, sharing processes, corruption complete: docs/backends/wal.md says how, and where that ends.
"""

from __future__ import annotations

from conformance import Backend, Where
from reference_backends._errors import ConflictError
from reference_backends.wal.errors import CorruptLog, Damage, Report
from reference_backends.wal.log import WalLog
from reference_backends.wal.state import WalState

__all__ = ["ConflictError", "CorruptLog", "Damage", "Report", "WalLog", "WalState", "backend", "open_log", "open_state"]


def open_log(where: Where) -> WalLog:
    """Open the log of a place."""
    return WalLog(where.path / "log")


def open_state(where: Where) -> WalState:
    """Open the state of a place."""
    return WalState(WalLog(where.path / "state"))


backend = Backend(
    "wal",
    state=open_state,
    log=open_log,
    corruption="complete",
    errors={"conflict": ConflictError, "corrupt": CorruptLog},
    lacks={
        "ttl": "a log has no clock; put the time into the value",
        "history": "the log is the history, but compaction drops it",
        "snapshots": "copy the directory of a closed store",
    },
)
