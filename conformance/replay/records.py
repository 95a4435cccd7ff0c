"""Lives of stores of records: the same calls each time, and all that is read after them; in any process, of any world.

What a look has is what the contract settles: of a branch its checkpoints, its state and where it comes from; of a job
the fields that a job has, and of an entry of its history when and how it ended; of a vector, and of a score, whether it
is the one that it must be, within the precision of 32 bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from conformance.session import Handle, Session
from conformance.values.jobs import full_job, small_job
from conformance.values.runs import full_run, small_run
from conformance.values.vectors import Vector, belongs, close, random_vectors, score

#: Ids that are sorted in one way by their bytes and in another one by languages, and whose files have odd names.
IDS = ("b", "a", "a/b", "é", "I", "\u0131", "Z", "k" * 40)
#: An id that is deleted, and used again.
AGAIN = "again"
_SCOPES = ("", "ada")
#: Beside the capabilities of a store: the values that it keeps in layers are bytes, and nothing else.
BYTES = "bytes"
_BRANCH = "branch"
#: The beginning of the times of claims: after it there are ten years that some clocks have not reached yet.
_START = 1_577_836_800_000
_HOUR = 3_600_000
#: What the contract says of the lineage of a branch, and of an entry of a history.
_OF_A_BRANCH = ("rootRunId", "branchOriginRunId", "branchCheckpointId")
_OF_AN_ENTRY = ("at", "status")
#: Ids of records that are equally near to whatever is asked: they have one vector.
_TIED = tuple(f"tied {number}" for number in range(6))
#: What stands in a look for a vector or a score that is the one of its record.
_ITS_OWN = "its own"

Missing = tuple[type[BaseException], ...]


@dataclass(frozen=True)
class Look:
    """What was read.

    Args:
        records: Each record, by its id; entries by layer, scope and key.
        listed: What was listed, in its order; nothing where no order is promised.
        answers: What calls answered: which jobs were handed out; which vectors were found, with their scores.
    """

    records: dict[str, Any] = field(default_factory=dict)
    listed: Sequence[Any] = ()
    answers: Sequence[Any] = ()


def live_records(store: Handle, contract: str, offers: Collection[str]) -> None:
    """Save records, some again and some after a delete, and do what else the store offers but for claims."""
    _LIVES[contract](store, offers)
    store.acknowledge()


def _live_runs(store: Handle, offers: Collection[str]) -> None:
    for number, run_id in enumerate((*IDS, AGAIN)):
        store.save_run(small_run(run_id, number) if number % 3 else full_run(run_id))
    store.save_run(small_run(IDS[0], 99))
    if "append_event" in offers:
        for number in range(3):
            store.append_event(IDS[1], {"type": "noted", "seq": number, "größe": "naïve"})
    if "fork" in offers:
        store.fork_run(IDS[3], _BRANCH, "checkpoint-10")
    if "delete_run" in offers:
        store.delete_run(AGAIN)
        store.save_run(small_run(AGAIN, 7))


def _live_jobs(store: Handle, offers: Collection[str]) -> None:
    for number, job_id in enumerate((*IDS, AGAIN)):
        store.save_job(small_job(job_id, number) if number % 3 else full_job(job_id))
    store.save_job(small_job(IDS[1], 99, payload={"größe": "naïve"}))
    if "delete_job" in offers:
        store.delete_job(AGAIN)
        store.save_job(small_job(AGAIN, 7))


def _live_layers(store: Handle, offers: Collection[str]) -> None:
    for named in _places(store, offers):
        for number, key in enumerate((*IDS, AGAIN)):
            store.set(key, value_for(offers, f"naïve {number}, of {sorted(named.items())}"), **named)
        store.set(IDS[0], value_for(offers, "again"), **named)
        store.delete(AGAIN, **named)
        store.set(AGAIN, value_for(offers, "anew"), **named)


def _live_vectors(store: Handle, _offers: Collection[str]) -> None:
    numbers = {key: number for number, key in enumerate(_vectors(store))}
    for keys in (IDS[:3], IDS[3:], (AGAIN,), (*_TIED, *IDS[:3])):
        made = _vectors(store, old=keys == IDS[:3])
        store.add(list(keys), [made[key] for key in keys], [{"n": numbers[key], "text": "naïve"} for key in keys])
    store.delete([AGAIN])
    store.add([AGAIN], [_vectors(store)[AGAIN]], [{"n": 99, "text": "naïve"}])


def _vectors(store: Handle, *, old: bool = False) -> dict[str, Vector]:
    """Return the vector of each record; of another dimension in each store."""
    driver, plain = store.reach()
    *made, tied = random_vectors(int(old), len(IDS) + 2, int(driver.attribute(plain, "dimension")))
    return {**dict(zip((*IDS, AGAIN), made, strict=True)), **dict.fromkeys(_TIED, tied)}


def _look_at_vectors(store: Handle, offers: Collection[str]) -> Look:
    driver, plain = store.reach()
    known = _vectors(store)
    metric, exact = str(driver.attribute(plain, "metric")), not _is_approximate(driver, plain)
    records = {
        key: [item["metadata"], _ITS_OWN if close(map(float, item["vector"]), known[key]) else list(item["vector"])]
        for key, item in zip(known, store.get(list(known)), strict=True)
        if item is not None
    }
    answers: list[Any] = []
    for asked in (*random_vectors(2, 3, len(known[AGAIN])), known[_TIED[0]]):
        every = [(key, float(got)) for key, got in store.query(list(asked), 2 * len(known))]
        answers.append(_in_order(metric, asked, every, known) if exact else sorted(key for key, _ in every))
        if "filter" in offers:
            some = store.query(list(asked), 2 * len(known), {"n": 99})
            answers.append([key for key, _ in some])
    return Look(records, (), answers)


def _is_approximate(driver: Any, plain: Any) -> bool:
    return getattr(plain, "recall", None) is not None and float(driver.attribute(plain, "recall")) < 1.0


def _in_order(metric: str, asked: Vector, found: list[tuple[str, float]], known: Mapping[str, Vector]) -> list[Any]:
    """Return what was found; where a last bit decides between records that are as near, in the order of the ids."""
    told: list[Any] = []
    for key, got in found:
        own = key in known and belongs(metric, got, asked, known[key])
        told.append([key, _ITS_OWN if own else got])
    for tied in _ties(metric, asked, found, known):
        if len({got for _, got in found[tied]}) > 1:
            told[tied] = sorted(told[tied])
    return told


def _ties(metric: str, asked: Vector, found: list[tuple[str, float]], known: Mapping[str, Vector]) -> Iterator[slice]:
    """Give the stretches of what was found that are equally near but for the precision of their scores."""
    exact = [score(metric, asked, known[key]) if key in known else got for key, got in found]
    start = 0
    for place in range(1, len(exact) + 1):
        if place == len(exact) or not math.isclose(exact[place], exact[place - 1], rel_tol=1e-5, abs_tol=1e-5):
            yield slice(start, place)
            start = place


def value_for(offers: Collection[str], text: str) -> Any:
    """Return a value of a layer, with a text in it."""
    return text.encode() if BYTES in offers else {"text": text}


def claim_records(store: Handle) -> list[Any]:
    """Save jobs, and claim, complete and fail them at given times; return which were handed out each time."""
    every = {"intervalMs": 24 * _HOUR}
    for number, job_id in enumerate(IDS):
        store.save_job(small_job(job_id, number, runAt=_START + number * _HOUR, **(every if number % 2 else {})))
    answers: list[Any] = []
    held: dict[str, Any] = {}
    for now, limit in ((0, 2), (1, 2), (3, 9), (4, 0), (40, 9), (41, 2), (100, 9)):
        at = _START + now * _HOUR
        claims = store.claim_due(at, "owner", 10 * _HOUR, limit)
        answers.append([claim["job"]["id"] for claim in claims])
        held.update({claim["job"]["id"]: claim["token"] for claim in claims})
        for place, job_id in enumerate(sorted(held)):
            if place % 3 == 0:
                store.complete(job_id, held.pop(job_id), at + 1, {"größe": now})
            elif place % 3 == 1:
                store.fail(job_id, held.pop(job_id), at + 2, {"message": "naïve"})
    store.acknowledge()
    return answers


def look_at_records(store: Handle, contract: str, offers: Collection[str], missing: Missing) -> Look:
    """Read all that the store has."""
    if contract == "vectors":
        return _look_at_vectors(store, offers)
    if contract == "layers":
        return Look({
            repr([sorted(named.items()), key]): value
            for named in _places(store, offers)
            for key, value in store.entries(**named)
        })  # fmt: skip
    listed = store.list_runs() if contract == "runs" else store.list_jobs()
    get = store.get_run if contract == "runs" else store.get_job
    seen = _run if contract == "runs" else _job
    found: dict[str, Any] = {}
    for record_id in dict.fromkeys((*IDS, AGAIN, _BRANCH, *ids_of(listed))):
        with suppress(*missing):
            record = get(record_id)
            if record is not None:
                found[record_id] = seen(record)
    return Look(found, listed)


def ids_of(listed: Sequence[Any]) -> list[Any]:
    """Return the ids of what was listed; what has none is no record."""
    return [item["id"] for item in listed if isinstance(item, dict) and "id" in item]


# Errands.


def look_again(
    session: Session, step: Callable[[], None], contract: str, offers: Collection[str], missing: Missing
) -> tuple[Look, Look]:
    """Open the store and read all that it has, twice."""
    store = session.open()
    step()
    first = look_at_records(store, contract, offers, missing)
    step()
    return first, look_at_records(store, contract, offers, missing)


def live_again(
    session: Session, step: Callable[[], None], contract: str, offers: Collection[str], missing: Missing
) -> Look:
    """Live the whole life in an empty place, and read all."""
    store = session.open()
    step()
    live_records(store, contract, offers)
    step()
    return look_at_records(store, contract, offers, missing)


def claim_again(session: Session, step: Callable[[], None], missing: Missing) -> Look:
    """Claim jobs in an empty place, and read all."""
    store = session.open()
    step()
    answers = claim_records(store)
    step()
    look = look_at_records(store, "jobs", (), missing)
    return Look(look.records, (), answers)


def _places(store: Handle, offers: Collection[str]) -> list[dict[str, str]]:
    """Return how each layer and scope is named in a call."""
    driver, plain = store.reach()
    layers = driver.attribute(plain, "precedence") if "precedence" in offers else (None,)
    scopes = _SCOPES if "scopes" in offers else (None,)
    named = [{"layer": layer, "scope": scope} for layer in layers for scope in scopes]
    return [{name: value for name, value in one.items() if value is not None} for one in named]


def _run(run: Any) -> Any:
    metadata = run.get("metadata") if isinstance(run, dict) else None
    lineage = metadata.get("lineage") if isinstance(metadata, dict) else None
    if not isinstance(lineage, dict) or lineage.get("branchOriginRunId") is None:
        return run
    return {
        **{name: run.get(name) for name in ("id", "checkpoints", "state")},
        "lineage": {name: lineage.get(name) for name in _OF_A_BRANCH},
    }


def _job(job: Any) -> Any:
    if not isinstance(job, dict):
        return job
    known = full_job("")
    seen = {name: value for name, value in job.items() if name in known}
    if isinstance(seen.get("history"), list):
        seen["history"] = [
            {name: one[name] for name in _OF_AN_ENTRY if name in one} if isinstance(one, dict) else one
            for one in seen["history"]
        ]
    return seen


_LIVES: Mapping[str, Callable[[Handle, Collection[str]], None]] = {
    "runs": _live_runs,
    "jobs": _live_jobs,
    "layers": _live_layers,
    "vectors": _live_vectors,
}
