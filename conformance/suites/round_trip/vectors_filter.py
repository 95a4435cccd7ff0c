"""The capability `filter` of the `vectors` contract: only records with these metadata, and the nearest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.suites.round_trip.vectors_steps import add, dimension_of, ids_of, nearest, query, some
from conformance.values.vectors import along, random_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.trial import Trial
    from conformance.values.vectors import Vector

_CAPABILITY = "filter"
_GATE = ("VECTORS-BASIC-01",)
_FILTERS = (*_GATE, "VECTORS-FILTER-01")


def _having(
    records: Mapping[str, Vector], metadata: Mapping[str, Mapping[str, Any]], where: Mapping[str, Any]
) -> dict[str, Vector]:
    return {key: vector for key, vector in records.items() if where.items() <= metadata[key].items()}


@check("VECTORS-FILTER-01", sources="VEC-12, VEC-27; Semantic Kernel FilterTests", capability=_CAPABILITY, needs=_GATE)
def test_only_records_that_match_are_found(trial: Trial) -> None:
    """With `where` only records are found whose metadata have all of its values; an empty `where` is none at all.

    Why: the filter is what keeps the documents of one tenant from another. One that is ignored, or met by any of its
    values, shows them.

    Breaks it:

        if any(metadata.get(key) == value for key, value in where.items()): ...
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 30)
        metadata = {
            key: {"tenant": "abc"[number % 3], "kind": "xy"[number % 2], "page": f"p{number % 5}"}
            for number, key in enumerate(records)
        }
        for one in list(metadata)[::7]:
            del metadata[one]["page"]
        add(store, records, metadata)
        wheres: tuple[dict[str, Any], ...] = (
            {"tenant": "a"},
            {"kind": "y"},
            {"tenant": "b", "kind": "x"},
            {"tenant": "c", "kind": "y", "page": "p3"},
            {"page": "p1"},
            {"tenant": "d"},
            {"tenant": "a", "kind": "z"},
            {"nowhere": "a"},
            {},
        )
        vectors = random_vectors(trial.seed + 1, 2, dimension_of(trial, store))
        for where in wheres:
            matching = _having(records, metadata, where)
            for vector in vectors:
                nearest(trial, store, vector, 40, matching, f"a search for all with {where}", where=where)


@check("VECTORS-FILTER-02", sources="VEC-13; mutant vectors_filter_after_k", capability=_CAPABILITY, needs=_FILTERS)
def test_filter_comes_before_k(trial: Trial) -> None:
    """Records are picked before the nearest `k` are taken: as many are found as match, however far away they are.

    Why: filtered afterwards, the neighbours of another tenant use up `k`, and nothing is left. The fewer documents a
    tenant has, the less it finds.

    Breaks it:

        return [hit for hit in self._index.search(vector, k) if self._matches(hit, where)]
    """
    with trial.fresh() as session:
        store = session.open()
        dimension = dimension_of(trial, store)
        asked = along(dimension, angle=0.0, length=2.0)
        near = {f"near {n}": along(dimension, angle=0.002 * n, length=2.0) for n in range(60)}
        far = {f"far {n}": along(dimension, angle=1.2 + 0.05 * n, length=1.0) for n in range(5)}
        records = {**near, **far}
        metadata = {key: {"tenant": "large" if key in near else "small"} for key in records}
        add(store, records, metadata)
        for k in (1, 3, 5, 10):
            where = {"tenant": "small"}
            nearest(
                trial, store, asked, k, far, f"the {k} nearest of five that match, 60 others being nearer", where=where
            )


@check("VECTORS-FILTER-03", sources="VEC-12, VEC-15, VEC-19", capability=_CAPABILITY, needs=_FILTERS)
def test_values_are_compared_exactly(trial: Trial) -> None:
    """A filter is met by the value that was stored, of whatever type, and by none with another content.

    Why: a text that is met by a part of it, in any case, or as a pattern, opens the documents of `acme-2` to `acme`.
    Put into a query as it is, it opens all of them.

    Breaks it:

        f"metadata ->> '{key}' LIKE '{value}%'"
    """
    texts = ("acme", "ACME", "acme-2", "ac", "%", "a_me", "*", "' OR '1'='1", '"', "", "é", "e", "null")
    numbers: tuple[Any, ...] = (2, 3, 22, -2, 2.5, 2**53)
    names = ("tenant", "Tenant", "te.nant", "$tenant", "te'nant", 'te"nant', "te nant")
    with trial.fresh() as session:
        store = session.open()
        abouts = (
            [{"t": one} for one in (*texts, *numbers)] + [{name: "x"} for name in names] + [{"b": True}, {"b": False}]
        )
        records = some(trial, store, len(abouts))
        metadata = dict(zip(records, abouts, strict=True))
        add(store, records, metadata)
        for key, about in metadata.items():
            found = ids_of(query(trial, store, records["v0"], len(records), about))
            trial.equal(found, [key], f"a search with {literal(about)}")


@check("VECTORS-FILTER-04", sources="VEC-19", capability=_CAPABILITY, needs=_FILTERS)
def test_types_that_look_alike_are_found(trial: Trial) -> None:
    """A record is found by a filter with its own value: by `1`, `1.0`, `True` or `"1"`, whichever was stored.

    Why: whether `1` meets `1.0` is for the store to say. That a value does not meet itself, because the filter made a
    text of it and the record did not, is an empty answer without an error.

    Breaks it:

        where = {key: str(value) for key, value in where.items()}
    """
    values: dict[str, Any] = {"int": 1, "float": 1.0, "bool": True, "text": "1"}
    others: dict[str, Any] = {"other int": 2, "other float": 2.5, "other bool": False, "other text": "2"}
    with trial.fresh() as session:
        store = session.open()
        metadata = {name: {"value": value} for name, value in {**values, **others}.items()}
        records = dict(zip(metadata, some(trial, store, len(metadata)).values(), strict=True))
        add(store, records, metadata)
        for name, value in values.items():
            found = ids_of(query(trial, store, records["text"], len(records), {"value": value}))
            what = f"a search with {literal({'value': value})}"
            trial.true(name in found, what, expected=f"{name!r}, whose value it is", got=literal(found))
            trial.equal([one for one in found if one in others], [], f"{what}: those whose value is another one")


@check(
    "VECTORS-FILTER-05", sources="VEC-02, VEC-04, VEC-12", capability=_CAPABILITY, needs=(*_FILTERS, "VECTORS-ADD-01")
)
def test_filter_follows_the_records(trial: Trial) -> None:
    """A record that was replaced is found by its new metadata, and not by the old ones; a deleted one by none.

    Why: a document that was withdrawn from a tenant must not be found there, whatever the filter's index remembers.

    Breaks it:

        self._by_value[(key, value)].add(id)             # nobody takes it out
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 9)
        metadata: dict[str, dict[str, Any]] = {key: {"tenant": "abc"[n % 3]} for n, key in enumerate(records)}
        add(store, records, metadata)
        changes: dict[str, dict[str, Any]] = {
            "v0": {"tenant": "b"},
            "v1": {},
            "v2": {"other": "c"},
            "v3": {"tenant": "a"},
        }
        add(store, {key: records[key] for key in changes}, changes)
        metadata |= changes
        store.delete(["v4", "v5"])
        for key in ("v4", "v5"):
            del metadata[key], records[key]
        for where in ({"tenant": "a"}, {"tenant": "b"}, {"tenant": "c"}, {"other": "c"}):
            matching = _having(records, metadata, where)
            nearest(trial, store, records["v0"], 20, matching, f"a search with {where}, after changes", where=where)
