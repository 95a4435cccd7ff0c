"""The `Backend` record: what is tested, what it promises, and what it openly lacks.

A backend is an importable *address*, never a live object: engines open it again in child processes. Nothing heavy is
imported here, because the pytest plugin loads this module in every pytest run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.servers import Server

#: The levels of each promise, strictest first. What a backend does not declare, it is held to at the first level.
PROMISES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "durability": ("power-loss", "prefix", "process-crash", "clean-close", "volatile"),
        "sharing": ("processes", "threads", "single"),
        "corruption": ("complete", "isolates", "detects", "silent"),
        "values": ("pickle", "json+bytes", "json", "bytes"),
        "consistency": ("linearizable", "sessions"),
        "isolation": ("serializable", "snapshot-isolation", "read-committed"),
    }
)

#: What is expected of a backend that declares nothing.
STRICTEST: Mapping[str, str] = MappingProxyType(
    {
        "durability": "power-loss",
        "sharing": "processes",
        "corruption": "detects",
        "values": "json",
        "consistency": "linearizable",
        "isolation": "serializable",
    }
)

#: A disclaimed level, and the promise and level that is left when it is disclaimed. Lacking `power-loss` gives up
#: `prefix` as well: a prefix is a guarantee about power loss too.
LACKED_LEVELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "power-loss": ("durability", "process-crash"),
        "prefix": ("durability", "process-crash"),
        "process-crash": ("durability", "clean-close"),
        "clean-close": ("durability", "volatile"),
        "processes": ("sharing", "threads"),
        "threads": ("sharing", "single"),
        "detects": ("corruption", "silent"),
        "linearizable": ("consistency", "sessions"),
        "serializable": ("isolation", "snapshot-isolation"),
        "snapshot-isolation": ("isolation", "read-committed"),
    }
)

#: What a backend may disclaim beside levels and capabilities: to be as durable as it promises after errors of the disk.
DISK_ERRORS = ("failed-sync", "too-many-files")

#: What a check needs, as its capability, when it is about stores that talk to a server.
SERVER = "server"

#: The failures that a backend may name its own exception types for.
ERRORS = ("conflict", "corrupt", "missing")

ErrorTypes = type[BaseException] | tuple[type[BaseException], ...]


@dataclass(frozen=True)
class Where:
    """The place that a store is opened in: fresh for each example, the same again on a reopen.

    Attributes:
        path: A directory that exists and belongs to this example alone.
        namespace: A short unique name ([a-z0-9-]), for stores that share a server; the same on a reopen.
        clock: Returns the time as POSIX seconds. A store with `ttl` takes its time from here, so that expiry is
            tested without waiting.
        url: The address of the server, for a backend that names one; empty for the others.
    """

    path: Path
    namespace: str = "conformance"
    clock: Callable[[], float] = time.time
    url: str = ""


Opener = Callable[[Where], Any]


@dataclass(frozen=True)
class Backend:
    """A storage backend under test. Give at least one contract.

    Args:
        name: Shown in reports and test ids.
        state: Opens a `state` store (a mutable mapping) at a `Where`; sync or async.
        log: Opens a `log` store (append, read, head) at a `Where`; sync or async.
        runs: Opens a `runs` store (save_run, get_run, list_runs) at a `Where`; sync or async.
        jobs: Opens a `jobs` store (save_job, get_job, list_jobs) at a `Where`; sync or async.
        layers: Opens a `layers` store (get, set, delete, entries, clear) at a `Where`; sync or async.
        vectors: Opens a `vectors` store (add, query, get, delete, len) at a `Where`; sync or async.
        lacks: What the backend openly disclaims, each with its reason: a promise level (`"power-loss"`), a capability
            (`"ttl"`), or durability after an error of the disk (`"failed-sync"`). Printed in every report.
        durability: `power-loss`, `prefix`, `process-crash`, `clean-close` or `volatile`.
        sharing: `processes` (any number of handles in any process), `threads` (one handle, many threads) or `single`.
        corruption: `complete`, `isolates`, `detects` or `silent`.
        values: The values that are accepted and come back equal: `json`, `json+bytes`, `pickle` or `bytes`.
        consistency: What those who share a `state` see of each other: `linearizable` (one order of all calls) or
            `sessions` (each reads its own writes, and nothing older than it has read).
        isolation: Of transactions: `serializable`, `snapshot-isolation` or `read-committed`.
        errors: The store's own exception types for `conflict`, `corrupt` and `missing` (which is KeyError unless
            named). Nobody has to import the kit's.
        flush: Called with the open store; where given, a write counts as acknowledged when the next flush returned
            instead of when the write itself returned.
        fold: What a program makes of the events of a `log`: `fold(state, event)` returns the state after an event; the
            first state is None. It is given the kit's events, which are dicts with `n`, `key`, `at` and `value`, or
            bytes where the values are `bytes`. The suite `replay` folds with it; unless given, with one of its own.
        server: The engine that the store talks to: `RedisServer()` or `PostgresServer()`. The kit starts a private one,
            whose address is `where.url`.
        declare: What is promised depends on how the server is configured: called once, with a place in it, it returns
            the fields of this record that it settles, such as `{"durability": "prefix", "lacks": {...}}`.
        address: Where the record was found; filled in when a `--backend=...` is resolved.

    Raises:
        ValueError: A promise level, a lack or an error name is unknown, or a reason is missing.
        TypeError: No contract is given, or an opener or the fold is not callable.

    Example:
        >>> Backend("cache", state=dict, durability="volatile", lacks={"processes": "lives in one process"}).sharing
        'threads'
    """

    name: str
    state: Opener | None = None
    log: Opener | None = None
    runs: Opener | None = None
    jobs: Opener | None = None
    layers: Opener | None = None
    vectors: Opener | None = None
    lacks: Mapping[str, str] = field(default_factory=dict)
    durability: str = ""
    sharing: str = ""
    corruption: str = ""
    values: str = ""
    consistency: str = ""
    isolation: str = ""
    errors: Mapping[str, ErrorTypes] = field(default_factory=dict)
    flush: Callable[[Any], Any] | None = None
    fold: Callable[[Any, Any], Any] | None = None
    server: Server | None = None
    declare: Callable[[Where], Mapping[str, Any]] | None = None
    address: str = ""

    def __post_init__(self) -> None:
        _check_openers(self)
        _check_lacks(self)
        _check_errors(self)
        for promise in PROMISES:
            object.__setattr__(self, promise, _promised(self, promise))

    @property
    def contracts(self) -> tuple[str, ...]:
        """The names of the contracts that this backend opens."""
        return tuple(name for name in CONTRACTS if getattr(self, name) is not None)


#: The contracts that a backend can open, in the order of every report.
CONTRACTS = ("state", "log", "runs", "jobs", "layers", "vectors")


def _check_openers(backend: Backend) -> None:
    for contract in CONTRACTS:
        opener = getattr(backend, contract)
        if opener is not None and not callable(opener):
            raise TypeError(
                f"Backend({backend.name!r}): {contract}={opener!r} is not callable. Give the function that opens the "
                f"store, not the store: engines open it again in other processes."
            )
    if not backend.contracts:
        raise TypeError(
            f"Backend({backend.name!r}) opens nothing: give at least one of {', '.join(f'{c}=' for c in CONTRACTS)} "
            f"(a function that takes a `where` and returns the open store)."
        )
    if backend.fold is not None and not callable(backend.fold):
        raise TypeError(
            f"Backend({backend.name!r}): fold={backend.fold!r} is not callable. Give a function of a state and an "
            f"event that returns the state after the event; the first state is None."
        )


def _check_lacks(backend: Backend) -> None:
    from conformance.contracts import capability_names  # here, because contracts are not needed to load the plugin

    known = {*LACKED_LEVELS, *capability_names(), *DISK_ERRORS}
    for lack, reason in backend.lacks.items():
        if lack not in known:
            raise ValueError(
                f"Backend({backend.name!r}): lacks={{{lack!r}: ...}} names neither a promise level nor a capability. "
                f"Known: {', '.join(sorted(known))}."
            )
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(
                f"Backend({backend.name!r}): lacks={{{lack!r}: {reason!r}}} has no reason. Say in a sentence why, it "
                f"is printed in every report."
            )


def _check_errors(backend: Backend) -> None:
    for kind, types in backend.errors.items():
        if kind not in ERRORS:
            raise ValueError(
                f"Backend({backend.name!r}): errors={{{kind!r}: ...}} is unknown. Known: {', '.join(ERRORS)}."
            )
        for one in types if isinstance(types, tuple) else (types,):
            if not (isinstance(one, type) and issubclass(one, BaseException)):
                raise ValueError(
                    f"Backend({backend.name!r}): errors={{{kind!r}: {one!r}}} is not an exception type. Give the class "
                    f"that the store raises, or a tuple of classes."
                )


def _promised(backend: Backend, promise: str) -> str:
    levels, declared = PROMISES[promise], getattr(backend, promise)
    if declared and declared not in levels:
        raise ValueError(
            f"Backend({backend.name!r}): {promise}={declared!r} is unknown. "
            f"Known, strictest first: {', '.join(levels)}."
        )
    level: str = declared or STRICTEST[promise]
    for lack in backend.lacks:
        lacked_promise, left = LACKED_LEVELS.get(lack, ("", ""))
        if lacked_promise == promise and levels.index(left) > levels.index(level):
            level = left
    return level
