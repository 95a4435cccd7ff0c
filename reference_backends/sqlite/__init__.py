"""The `sqlite` backend: a state store and a log store in SQLite files, with every capability.

| module | what it holds |
|---|---|
| `session` | a connection: pragmas that are asked for after they were set, and damage as an exception of our own |
| `database` | a file: how it is born whole, migrated, shared and closed |
| `records` | the records of a state store, their digests, and the sums that tell when one is lost |
| `schema` | the tables of a state store, and how those of older versions become them |
| `state`, `log` | the two stores |
"""

from __future__ import annotations

from conformance import Backend, Where
from reference_backends._errors import ConflictError, CorruptRecord, Damage, NewerSchemaError, Report
from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from reference_backends.runs import RunStore
from reference_backends.sqlite.log import SqliteLog
from reference_backends.sqlite.state import SqliteState

__all__ = [
    "ConflictError",
    "CorruptRecord",
    "Damage",
    "NewerSchemaError",
    "Report",
    "SqliteLog",
    "SqliteState",
    "backend",
    "open_jobs",
    "open_layers",
    "open_log",
    "open_runs",
    "open_state",
]


def open_state(where: Where) -> SqliteState:
    """Open the state store in the directory of `where`, whose clock is its time."""
    return SqliteState(where.path / "state.sqlite3", clock=where.clock)


def open_log(where: Where) -> SqliteLog:
    """Open the log in the directory of `where`."""
    return SqliteLog(where.path / "log.sqlite3")


def open_runs(where: Where) -> RunStore:
    """Open the run store in the directory of `where`."""
    return RunStore(SqliteState(where.path / "runs.sqlite3", clock=where.clock))


def open_jobs(where: Where) -> JobStore:
    """Open the job store in the directory of `where`."""
    return JobStore(SqliteState(where.path / "jobs.sqlite3", clock=where.clock))


def open_layers(where: Where) -> LayerStore:
    """Open the layered store in the directory of `where`."""
    return LayerStore(SqliteState(where.path / "layers.sqlite3", clock=where.clock))


backend = Backend(
    "sqlite",
    state=open_state,
    log=open_log,
    runs=open_runs,
    jobs=open_jobs,
    layers=open_layers,
    corruption="detects",
    errors={"conflict": ConflictError, "corrupt": CorruptRecord},
)
