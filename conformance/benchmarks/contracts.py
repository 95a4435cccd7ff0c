"""What is measured of each contract: the operations, and what a store is filled with before."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from conformance.benchmarks.acts import Act
from conformance.benchmarks.payload import Payload
from conformance.values.jobs import small_job
from conformance.values.runs import small_run

#: The nearest that a search asks for.
NEAREST = 10
#: Milliseconds between two claims, and of a lease: each job is due again at the next one.
_TICK = 1_000


def _entry(payload: Payload, number: int) -> tuple[Any, ...]:
    return payload.known(number), payload.value(number)


def _new_entry(payload: Payload, number: int) -> tuple[Any, ...]:
    return payload.key(number), payload.value(number)


def _known_key(payload: Payload, number: int) -> tuple[Any, ...]:
    return (payload.known(number),)


def _new_key(payload: Payload, number: int) -> tuple[Any, ...]:
    return (payload.key(number),)


def _nothing(_payload: Payload, _number: int) -> tuple[Any, ...]:
    return ()


def _event(payload: Payload, number: int) -> tuple[Any, ...]:
    return (payload.value(number),)


def _window(payload: Payload, _number: int) -> tuple[Any, ...]:
    return 1, 1 + payload.keys


def _run(payload: Payload, number: int) -> tuple[Any, ...]:
    return ({**small_run(payload.known(number), number), "output": payload.texts[number % len(payload.texts)]},)


def _job(payload: Payload, number: int) -> tuple[Any, ...]:
    return (small_job(payload.known(number), number % payload.keys, intervalMs=_TICK),)


def _when(_payload: Payload, number: int) -> tuple[Any, ...]:
    return ((number + 1_000) * _TICK,)


def _vector(payload: Payload, number: int) -> tuple[Any, ...]:
    return [payload.known(number)], [payload.vector(number)], [{"n": number % payload.keys}]


def _search(payload: Payload, number: int) -> tuple[Any, ...]:
    return payload.vector(number), NEAREST


def _one_key(payload: Payload, number: int) -> tuple[Any, ...]:
    return ([payload.known(number)],)


def _scan(store: Any) -> Generator[Any, Any, None]:
    """Read every entry: by `items` where the store has it, else by key."""
    items = getattr(store, "items", None)
    if callable(items):
        found: Any = yield items()
        for _ in found:
            pass
        return
    iterate = getattr(store, "__aiter__", None) or store.__iter__
    keys: Any = yield iterate()
    for key in keys:
        yield store.__getitem__(key)


def _claim_and_complete(store: Any, now: int) -> Generator[Any, Any, None]:
    claims = yield store.claim_due(now, "benchmark", _TICK, 1)
    (claim,) = claims
    yield store.complete(claim["job"]["id"], claim["token"], now, {"ok": True})


def _entry_size(payload: Payload) -> int:
    return sum(payload.size(part) for part in _entry(payload, 0))


def _key_size(payload: Payload) -> int:
    return payload.size(payload.key(0))


def _event_size(payload: Payload) -> int:
    return payload.size(payload.value(0))


def _run_size(payload: Payload) -> int:
    return payload.size(_run(payload, 0)[0])


def _job_size(payload: Payload) -> int:
    return payload.size(_job(payload, 0)[0])


def _vector_size(payload: Payload) -> int:
    return payload.dimension * 4 + _key_size(payload)  # of 32-bit floats, which is what has to be kept


def _all_vectors(payload: Payload) -> int:
    return payload.dimension * 4 * payload.keys  # a search that is exact has to look at all of them


PUT = Act("put", _entry, _entry_size, method="__setitem__")
_PUT_NEW = Act("put new", _new_entry, _entry_size, method="__setitem__")
GET = Act("get", _known_key, _entry_size, method="__getitem__", reads=True)
DELETE = Act("delete", _new_key, _key_size, method="__delitem__", before=_PUT_NEW)
SCAN = Act("scan", _nothing, _entry_size, steps=_scan, reads=True, records=0)

APPEND = Act("append", _event, _event_size, method="append")
READ = Act("read", _window, _event_size, method="read", reads=True, consumes=True, records=0)

SAVE_RUN = Act("save", _run, _run_size, method="save_run")
GET_RUN = Act("get", _known_key, _run_size, method="get_run", reads=True)

SAVE_JOB = Act("save", _job, _job_size, method="save_job")
CLAIM = Act("claim and complete", _when, _job_size, steps=_claim_and_complete)

SET = Act("set", _entry, _entry_size, method="set")
GET_LAYERED = Act("get", _known_key, _entry_size, method="get", reads=True)

ADD = Act("add", _vector, _vector_size, method="add")
QUERY = Act("query", _search, _all_vectors, method="query", reads=True)
GET_VECTOR = Act("get", _one_key, _vector_size, method="get", reads=True)

#: What a store is filled with, by contract: each record with a key, or at a position, of its own.
FILLS: Mapping[str, Act] = {
    "state": PUT,
    "log": APPEND,
    "runs": SAVE_RUN,
    "jobs": SAVE_JOB,
    "layers": SET,
    "vectors": ADD,
}
