"""What the checks of the `vectors` contract share: records, what is found, and what near is."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

from conformance.literal import literal
from conformance.recording import raised
from conformance.result import NotApplicable
from conformance.values.vectors import close, random_vectors, ranked, score, tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.session import Handle
    from conformance.trial import Trial
    from conformance.values.vectors import Vector

METRICS = ("l2", "cosine", "dot")
Found = list[tuple[str, float]]


def require_durable(trial: Trial) -> None:
    """Make the check not applicable to a store that lives in one handle only; for checks of another promise."""
    if trial.backend.durability == "volatile":
        raise NotApplicable("durability is promised at 'volatile' only; a second handle is another store then")


def told(store: Handle, name: str, default: Any = None) -> Any:
    """Return what the store tells under a name: an attribute, or a method to be called."""
    driver, reached = store.reach()
    return driver.attribute(reached, name) if getattr(reached, name, None) is not None else default


def dimension_of(trial: Trial, store: Handle) -> int:
    """Return how many numbers a vector of the store has."""
    found = told(store, "dimension")
    good = isinstance(found, int) and not isinstance(found, bool) and found > 0
    if not good:
        trial.violated("asking for the dimension", expected="a positive int", got=literal(found))
    return int(found)


def metric_of(trial: Trial, store: Handle) -> str:
    """Return what near means in the store."""
    found = told(store, "metric")
    if found not in METRICS:
        trial.violated("asking for the metric", expected=" or ".join(map(repr, METRICS)), got=literal(found))
    return str(found)


def recall_of(store: Handle) -> float:
    """Return the share of the nearest that the store finds on average; 1.0 for an exact one."""
    return float(told(store, "recall", 1.0))


def some(trial: Trial, store: Handle, count: int, *, first: int = 0) -> dict[str, Vector]:
    """Return vectors in all directions under ids of their own; the same ones for the same numbers."""
    drawn = random_vectors(trial.seed, first + count, dimension_of(trial, store))
    return {f"v{number}": drawn[number] for number in range(first, first + count)}


def add(store: Handle, records: Mapping[str, Sequence[float]], metadata: Mapping[str, Any] | None = None) -> None:
    """Add records in one call, with metadata of their own or none."""
    told_of = metadata or {}
    vectors = [list(vector) for vector in records.values()]
    store.add(list(records), vectors, [dict(told_of.get(key, {})) for key in records])


def query(trial: Trial, store: Handle, vector: Sequence[float], k: int, where: Any = None) -> Found:
    """Return what is found, as plain pairs; each must be one of an id and a number, and no id may come twice."""
    args = (list(vector), k) if where is None else (list(vector), k, where)
    found: Found = []
    for item in store.query(*args):
        pair = isinstance(item, (tuple, list)) and len(item) == 2
        if not (pair and type(item[0]) is str and isinstance(item[1], Real) and math.isfinite(item[1])):
            trial.violated("a query", expected="pairs of an id and a score", got=literal(item))
        found.append((item[0], float(item[1])))
    ids = [key for key, _ in found]
    if len(set(ids)) != len(ids):
        trial.violated("a query", expected="each id once", got=literal(ids))
    return found


def ids_of(found: Found) -> list[str]:
    """Return the ids that were found."""
    return [key for key, _ in found]


def nearest(
    trial: Trial,
    store: Handle,
    vector: Sequence[float],
    k: int,
    among: Mapping[str, Sequence[float]],
    what: str,
    **of: Any,
) -> Found:
    """Require that a query finds the `k` nearest of some records; those that are equally near in any order.

    An approximate store must find as many, all of them of these records, but not the nearest.
    """
    found = query(trial, store, vector, k, **of)
    metric = metric_of(trial, store)
    expected = ranked(metric, vector, among)[:k]
    strangers = [key for key, _ in found if key not in among]
    trial.true(not strangers, what, expected="none but records that match", got=f"also {strangers}")
    trial.true(len(found) == len(expected), what, expected=f"{len(expected)} of them", got=literal(ids_of(found)))
    if recall_of(store) >= 1.0:
        for rank, ((key, _), (best, wanted)) in enumerate(zip(found, expected, strict=True), 1):
            off = abs(score(metric, vector, among[key]) - wanted)
            near = off <= 2 * tolerance(metric, vector, among[key])
            shown = f"{key!r}, whose score is {score(metric, vector, among[key])!r}"
            trial.true(near, f"{what}: number {rank}", expected=f"{best!r}, whose score is {wanted!r}", got=shown)
    return found


def record(trial: Trial, found: Any, key: str, vector: Sequence[float], metadata: Mapping[str, Any], what: str) -> None:
    """Require that `get` gave a record: its id, its vector within the precision of 32 bits, its metadata."""
    if not isinstance(found, dict) or not {"id", "vector", "metadata"} <= set(found):
        trial.violated(what, expected="a dict with id, vector and metadata", got=literal(found))
    trial.equal(found["id"], key, f"{what}: the id")
    got = [float(number) for number in found["vector"]]
    trial.true(close(got, vector), f"{what}: the vector", expected=literal(list(vector)), got=literal(got))
    trial.equal(dict(found["metadata"] or {}), dict(metadata), f"{what}: the metadata")


def holds(
    trial: Trial,
    store: Handle,
    records: Mapping[str, Sequence[float]],
    what: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    gone: Sequence[str] = (),
) -> None:
    """Require that records and index agree on what there is: `len`, `get` and a search for each vector.

    Args:
        trial: The check's.
        store: The store that is asked.
        records: All that it must have.
        what: When, for the failure.
        metadata: That of the records, where they have some.
        gone: Ids that it must not have.
    """
    trial.equal(len(store), len(records), f"the length {what}")
    keys = [*records, *gone]
    found = store.get(keys) if keys else []  # that none may be asked for is the rule of another check
    if not isinstance(found, (list, tuple)) or len(found) != len(keys):
        trial.violated(f"get {what}", expected=f"a list of {len(keys)}", got=literal(found))
    for key, one in zip(keys, found, strict=True):
        if key in records:
            record(trial, one, key, records[key], (metadata or {}).get(key, {}), f"get of {key!r} {what}")
        else:
            trial.equal(one, None, f"get of {key!r} {what}")
    for key, vector in records.items():
        near = nearest(trial, store, vector, len(records) + 3, records, f"a search for the vector of {key!r} {what}")
        trial.true(
            key in ids_of(near), f"a search for the vector of {key!r} {what}", expected=repr(key), got="not found"
        )


def must_refuse(
    trial: Trial, call: Callable[[], Any], what: str, types: tuple[type[BaseException], ...] = (TypeError, ValueError)
) -> None:
    """Require that a call is refused with one of some exceptions."""
    trial.count("comparisons")
    trial.count("refusals")
    expected = f"{' or '.join(one.__name__ for one in types)} to be raised"
    try:
        got = call()
    except types:
        return
    except Exception as error:  # noqa: BLE001 - judged here
        trial.violated(what, expected=expected, got=raised(error))
    trial.violated(what, expected=expected, got=literal(got))
