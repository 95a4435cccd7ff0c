"""The `postgres` backend: a state store and a log store in a PostgreSQL database, with every capability.

Each place is a schema of its own. Transactions are serializable: where two of them got in each other's way, the server
rolls one back. A single verb is then done again; the block of a transaction is not, because only who wrote it can.

| module | what it holds |
|---|---|
| `session` | a connection: its settings and time limits, and the errors of the server as those of this backend |
| `database` | a handle: connections for threads, transactions, and what is tried again |
| `place` | a schema: its name, how it is made by the first of many, and migrated |
| `records` | the records of a state store, and the SQL of each verb |
| `verbs`, `state` | the state store |
| `inspection` | what its `verify` does |
| `log` | the log store |
| `declared` | what the server's configuration lets this backend promise |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance import Backend, PostgresServer
from reference_backends._errors import ConflictError, CorruptRecord, Damage, NewerSchemaError, Report
from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from reference_backends.postgres.declared import CACHED, UNNOTICED, declare
from reference_backends.postgres.errors import AmbiguousCommitError, RolledBackError
from reference_backends.postgres.log import PostgresLog
from reference_backends.postgres.state import PostgresState
from reference_backends.runs import RunStore

if TYPE_CHECKING:
    from conformance import Where

__all__ = [
    "AmbiguousCommitError",
    "ConflictError",
    "CorruptRecord",
    "Damage",
    "NewerSchemaError",
    "PostgresLog",
    "PostgresState",
    "Report",
    "RolledBackError",
    "asynchronous",
    "backend",
    "declare",
    "open_jobs",
    "open_layers",
    "open_log",
    "open_runs",
    "open_state",
    "unsynced",
]


#: Seconds that a call may take: the stores of a run are small, and some checks wait until a call gives up.
_TIMEOUT_SECONDS = 10.0


def open_state(where: Where) -> PostgresState:
    """Open the state store at a place of the server of `where`, whose clock is its time."""
    return PostgresState(where.url, where.namespace, clock=where.clock, timeout=_TIMEOUT_SECONDS)


def open_log(where: Where) -> PostgresLog:
    """Open the log at a place of the server of `where`."""
    return PostgresLog(where.url, where.namespace, timeout=_TIMEOUT_SECONDS)


def open_runs(where: Where) -> RunStore:
    """Open the run store at a place of the server of `where`."""
    return RunStore(_state(where, "runs"))


def open_jobs(where: Where) -> JobStore:
    """Open the job store at a place of the server of `where`."""
    return JobStore(_state(where, "jobs"))


def open_layers(where: Where) -> LayerStore:
    """Open the layered store at a place of the server of `where`."""
    return LayerStore(_state(where, "layers"))


def _state(where: Where, kind: str) -> PostgresState:
    return PostgresState(where.url, f"{where.namespace}-{kind}", clock=where.clock, timeout=_TIMEOUT_SECONDS)


def _backend(name: str, **settings: str) -> Backend:
    return Backend(
        name,
        state=open_state,
        log=open_log,
        runs=open_runs,
        jobs=open_jobs,
        layers=open_layers,
        lacks={"detects": UNNOTICED, "failed-sync": CACHED},
        server=PostgresServer(**settings),
        declare=declare,
        errors={"conflict": ConflictError, "corrupt": CorruptRecord},
    )


backend = _backend("postgres")
#: The same stores on servers that are configured for less: `declare` says what is left.
unsynced = _backend("postgres-unsynced", fsync="off")
asynchronous = _backend("postgres-asynchronous", synchronous_commit="off")
