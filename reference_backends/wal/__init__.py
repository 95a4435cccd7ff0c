"""A write-ahead log in checksummed segments, and a state folded from it.

    log = WalLog(path)                  # events, durable when append() returned
    state = WalState(WalLog(path))      # a mapping whose every change is an event

Durability power-loss, sharing processes, corruption complete: docs/backends/wal.md says how, and where that ends.
"""

from __future__ import annotations

from conformance import Backend, Where
from reference_backends._errors import ConflictError
from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from reference_backends.runs import RunStore
from reference_backends.wal.errors import CorruptLog, Damage, Report
from reference_backends.wal.log import WalLog
from reference_backends.wal.state import WalState

__all__ = [
    "ConflictError",
    "CorruptLog",
    "Damage",
    "Report",
    "WalLog",
    "WalState",
    "backend",
    "open_jobs",
    "open_layers",
    "open_log",
    "open_runs",
    "open_state",
]


def open_log(where: Where) -> WalLog:
    """Open the log of a place."""
    return WalLog(where.path / "log")


def open_state(where: Where) -> WalState:
    """Open the state of a place."""
    return WalState(WalLog(where.path / "state"))


def open_runs(where: Where) -> RunStore:
    """Open the run store of a place."""
    return RunStore(WalState(WalLog(where.path / "runs")))


def open_jobs(where: Where) -> JobStore:
    """Open the job store of a place."""
    return JobStore(WalState(WalLog(where.path / "jobs")))


def open_layers(where: Where) -> LayerStore:
    """Open the layered store of a place."""
    return LayerStore(WalState(WalLog(where.path / "layers")))


backend = Backend(
    "wal",
    state=open_state,
    log=open_log,
    runs=open_runs,
    jobs=open_jobs,
    layers=open_layers,
    corruption="complete",
    errors={"conflict": ConflictError, "corrupt": CorruptLog},
    lacks={
        "ttl": "a log has no clock; put the time into the value",
        "history": "the log is the history, but compaction drops it",
        "snapshots": "copy the directory of a closed store",
    },
)
