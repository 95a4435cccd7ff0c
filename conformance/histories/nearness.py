"""Workers who add, delete and search in one vector store at the same time: what each does, and what of it can't be.

Each worker writes under ids of its own. So of each id it is known what is there at the end, and what may be there at
some moment of a search. All searches ask for the same vector, and for more records than there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.histories.claims import Client, Deed, Finding, Kind
from conformance.values.vectors import Vector, belongs, close, random_vectors

#: How often each worker does what it does, and how many ids it has for that.
TIMES, OWN = 5, 3
#: Records that are there before the others come, and are left alone.
STAY = ("stays-0", "stays-1")
_MORE_THAN_ALL = 200
#: No record has this number: its vector is that of all searches.
_ASKED = 0
#: A record by the number of its vector, None where there is none, and the call that made it so.
_Write = tuple[int | None, Deed]


def vector_of(number: int, dimension: int) -> Vector:
    """Return the vector of a number."""
    return random_vectors(number, 1, dimension)[0]


def prepare(_kind: Kind, client: Client) -> None:
    """Add the records that stay."""
    _add(client, {key: 1 + place for place, key in enumerate(STAY)})


def act(kind: Kind, client: Client, _left: Sequence[tuple[str, int]]) -> None:
    """Add records; of `searches` replace, search for and delete some as well."""
    for turn in range(TIMES):
        first = 1_000 * (client.worker + 1) + 2 * turn
        if kind == "additions":
            _add(client, {f"w{client.worker}-{2 * turn + place}": first + place for place in (0, 1)})
            continue
        keys = [f"w{client.worker}-{(turn + place) % OWN}" for place in (0, 1)]
        _add(client, {key: first + place for place, key in enumerate(keys)})
        _search(client)
        _delete(client, keys[turn % 2])
        _search(client)


def finish(_kind: Kind, client: Client) -> dict[str, Any]:
    """Return what is got and what is found at the end, and what is near here; nobody else is there any more."""
    dimension = _dimension(client)
    keys = [*STAY, *(f"w{worker}-{number}" for worker in range(client.worker) for number in range(2 * TIMES))]
    got = zip(keys, client.driver.call(client.store.get, keys), strict=True)
    return {
        "dimension": dimension,
        "metric": str(client.driver.attribute(client.store, "metric")),
        "got": {key: _number(item, dimension) for key, item in got if item is not None},
        "found": list(_found(client)),
    }


def judged(_kind: Kind, before: Sequence[Deed], deeds: Sequence[Deed], end: Mapping[str, Any]) -> Finding | None:
    """Return what can't be, if anything: of the calls of a round, and what it left behind.

    Args:
        _kind: Of the round.
        before: What was done before the others came.
        deeds: What all workers did.
        end: What `finish` returned.
    """
    writes = _writes([*before, *deeds])
    for deed in deeds:
        if deed.verb == "search":
            wrong = f"a search raised {deed.error} while others wrote" if deed.error else ""
            found = Finding(wrong, (deed,)) if wrong else _wrong(deed, deed.told, writes, end)
            if found is not None:
                return found
    last = Deed(_latest(deeds), _latest(deeds), -1, "search", tuple(end["found"]))
    return _lost(writes, end, last) or _wrong(last, last.told, writes, end)


def _lost(writes: Mapping[str, Sequence[_Write]], end: Mapping[str, Any], last: Deed) -> Finding | None:
    """What is got at the end is what was written last, or one of those of which nobody knows."""
    for key, written in writes.items():
        may = _may_be(written, last)
        if end["got"].get(key) not in may:
            there = "is not there" if key not in end["got"] else f"has the vector of {end['got'][key]}"
            why = f"{key!r} {there} at the end; it must have that of {_told(may)}"
            return Finding(why, tuple(deed for _, deed in written))
    return None


def _wrong(
    search: Deed, told: Sequence[tuple[str, Any]], writes: Mapping[str, Sequence[_Write]], end: Mapping[str, Any]
) -> Finding | None:
    """Of what a search gave, each id comes once and was there meanwhile, with this vector; what stayed is found."""
    when = "at the end" if search.worker < 0 else f"by worker {search.worker}"
    asked = vector_of(_ASKED, end["dimension"])
    for place, (key, score) in enumerate(told):
        if key in [other for other, _ in told[:place]]:
            return Finding(f"a search {when} gives {key!r} twice", (search,))
        may = _may_be(writes.get(key, ()), search)
        vectors = [vector_of(number, end["dimension"]) for number in may if number is not None]
        beside = tuple(deed for _, deed in writes.get(key, ()))
        if not vectors:
            return Finding(f"a search {when} gives {key!r}, which is not there", (*beside, search))
        if not any(belongs(end["metric"], score, asked, vector) for vector in vectors):
            why = f"a search {when} gives {key!r} the score {score}, which is that of no vector it had"
            return Finding(why, (*beside, search))
    known = {key for key, _ in told}
    for key, written in writes.items():
        if key not in known and _stays(written, search):
            why = f"a search {when} does not give {key!r}, which is there all the time"
            return Finding(why, (*(deed for _, deed in written), search))
    return None


def _may_be(written: Sequence[_Write], search: Deed) -> set[int | None]:
    """Return what of a record may be there at some moment of a search."""
    begun = [(number, deed) for number, deed in written if deed.call < search.end]
    over = [place for place, (_, deed) in enumerate(begun) if deed.outcome == "ok" and deed.end < search.call]
    left = begun[over[-1] :] if over else begun
    return {number for number, _ in left} | (set() if over else {None})


def _stays(written: Sequence[_Write], search: Deed) -> bool:
    """Tell whether a record is there all the time; one that is being replaced may be gone for a moment."""
    may = _may_be(written, search)
    return None not in may and len(may) == 1


def _writes(deeds: Sequence[Deed]) -> dict[str, list[_Write]]:
    """Return what was written under each id; each has one writer, so that its calls have an order."""
    found: dict[str, list[_Write]] = {}
    for deed in sorted(deeds):
        if deed.verb in ("add", "delete") and deed.outcome != "fail":
            for key, number in deed.told:
                found.setdefault(key, []).append((number or None, deed))
    return found


def _latest(deeds: Sequence[Deed]) -> int:
    return 1 + max((deed.end for deed in deeds), default=0)


def _told(may: set[int | None]) -> str:
    return " or ".join("nothing" if number is None else str(number) for number in sorted(may, key=str))


def _number(item: Any, dimension: int) -> Any:
    """Return the number of a record whose vector is that of its number, or what it has instead."""
    number = item["metadata"].get("n")
    given = [float(one) for one in item["vector"]]
    return number if type(number) is int and close(given, vector_of(number, dimension)) else given


# What clients do.


def _add(client: Client, numbers: Mapping[str, int]) -> None:
    def call() -> list[tuple[str, int]]:
        vectors = [vector_of(number, _dimension(client)) for number in numbers.values()]
        client.driver.call(client.store.add, list(numbers), vectors, [{"n": number} for number in numbers.values()])
        return list(numbers.items())

    client.noted("add", tuple(numbers.items()), call)


def _delete(client: Client, key: str) -> None:
    def call() -> list[tuple[str, int]]:
        client.driver.call(client.store.delete, [key])
        return [(key, 0)]

    client.noted("delete", ((key, 0),), call)


def _search(client: Client) -> None:
    client.noted("search", (), lambda: list(_found(client)))


def _found(client: Client) -> Iterator[tuple[str, Any]]:
    asked = vector_of(_ASKED, _dimension(client))
    for key, score in client.driver.items(client.store.query, asked, _MORE_THAN_ALL):
        # A NaN is the score of no vector.
        yield key, float(score) if math.isfinite(score) else math.inf


def _dimension(client: Client) -> int:
    return int(client.driver.attribute(client.store, "dimension"))
