"""The `redis` backend: a state store and a log store on a Redis server, with every capability, sync and async.

| module | what it holds |
|---|---|
| `place` | the keys of a store on the server, all in one slot of a cluster |
| `records` | what is stored of a key, a value, an event, each with a digest |
| `state_scripts`, `log_scripts` | what the server does by itself, in Lua: whatever reads, decides and writes |
| `command` | programs of commands, and which of them may be sent twice |
| `state_programs`, `state_verify`, `transactions`, `log_programs` | every verb, as a program, written once |
| `sealing` | what has to be done once in a server's life before anything is written |
| `connections`, `async_connections` | run a program; a connection is handed on only after a whole reply |
| `state`, `log`, `async_state`, `async_log` | the stores: each verb runs its program |
| `durability` | what the server's configuration makes of a write |

Needs Redis 6.2, or Valkey, and redis-py 5.3: `pip install 'pytest-backend-conformance[redis]'`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance import Backend, RedisServer, Where
from reference_backends._errors import ConflictError, CorruptRecord, Damage, Report
from reference_backends.jobs import JobStore
from reference_backends.layers import LayerStore
from reference_backends.redis.async_log import AsyncRedisLog
from reference_backends.redis.async_state import AsyncRedisState
from reference_backends.redis.durability import LACKS, declared
from reference_backends.redis.errors import NotAnsweredError, NotReachedError, NotSealedError
from reference_backends.redis.log import RedisLog
from reference_backends.redis.state import RedisState
from reference_backends.runs import RunStore

__all__ = [
    "AsyncRedisLog",
    "AsyncRedisState",
    "ConflictError",
    "CorruptRecord",
    "Damage",
    "NotAnsweredError",
    "NotReachedError",
    "NotSealedError",
    "RedisLog",
    "RedisState",
    "Report",
    "async_backend",
    "backend",
    "declare",
    "everysec",
    "open_async_log",
    "open_async_state",
    "open_jobs",
    "open_layers",
    "open_log",
    "open_runs",
    "open_state",
    "volatile",
]


def open_state(where: Where) -> RedisState:
    """Open the state store of the namespace of `where`, whose clock is its time, on the server at its URL."""
    return RedisState(where.url, where.namespace, where.clock)


def open_log(where: Where) -> RedisLog:
    """Open the log of the namespace of `where` on the server at its URL."""
    return RedisLog(where.url, where.namespace)


def open_runs(where: Where) -> RunStore:
    """Open the run store of the namespace of `where` on the server at its URL."""
    return RunStore(RedisState(where.url, f"{where.namespace}-runs", where.clock))


def open_jobs(where: Where) -> JobStore:
    """Open the job store of the namespace of `where` on the server at its URL."""
    return JobStore(RedisState(where.url, f"{where.namespace}-jobs", where.clock))


def open_layers(where: Where) -> LayerStore:
    """Open the layered store of the namespace of `where` on the server at its URL."""
    return LayerStore(RedisState(where.url, f"{where.namespace}-layers", where.clock))


async def open_async_state(where: Where) -> AsyncRedisState:
    """Open the state store as `open_state` does, for the running event loop."""
    store = AsyncRedisState(where.url, where.namespace, where.clock)
    await store.ping()  # a wrong URL shows here, and not in the first call that matters
    return store


async def open_async_log(where: Where) -> AsyncRedisLog:
    """Open the log as `open_log` does, for the running event loop."""
    log = AsyncRedisLog(where.url, where.namespace)
    await log.head()
    return log


def declare(where: Where) -> Mapping[str, Any]:
    """Ask the server at the URL of `where` for its configuration, and return the fields that depend on it.

    Returns:
        `durability` and `lacks`, as `Backend` takes them.
    """
    return declared(where.url)


def _backend(name: str, **settings: str) -> Backend:
    return Backend(
        name,
        state=open_state,
        log=open_log,
        runs=open_runs,
        jobs=open_jobs,
        layers=open_layers,
        corruption="silent",
        server=RedisServer(save="", **settings),
        declare=declare,
        lacks=LACKS,
        errors={"conflict": ConflictError, "corrupt": CorruptRecord},
    )


backend = _backend("redis")
async_backend = replace(
    _backend("redis-async"), state=open_async_state, log=open_async_log, runs=None, jobs=None, layers=None
)
#: The same stores on servers that are configured for less: `declare` says what is left.
everysec = _backend("redis-everysec", appendfsync="everysec")
volatile = _backend("redis-volatile", appendonly="no")
