"""Records of the `vectors` contract: added, replaced, got and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.vectors_steps import add, dimension_of, holds, ids_of, query, record, some
from conformance.values.cases import ACCEPTED_KEYS, NEIGHBOURS
from conformance.values.vectors import random_vectors

if TYPE_CHECKING:
    from conformance.trial import Trial
    from conformance.values.vectors import Vector

_GATE = ("VECTORS-BASIC-01",)


@check("VECTORS-BASIC-01", sources="VEC-01, VEC-08; Semantic Kernel BasicModel")
def test_records_are_got_and_found(trial: Trial) -> None:
    """Records that were added are got by their ids and found by their vectors; an empty store has and finds nothing.

    Why: it is the least that a vector store does. Whatever else is checked rests on it.

    Breaks it:

        def add(self, ids, vectors, metadata):
            self._records.update(zip(ids, vectors))      # the index is built by a job, later
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 3)
        trial.equal(len(store), 0, "the length of an empty store")
        trial.equal(query(trial, store, records["v0"], 3), [], "a search in an empty store")
        for number, (key, vector) in enumerate(records.items(), 1):
            add(store, {key: vector})
            trial.equal(len(store), number, f"the length after {number} were added")
            (one,) = store.get([key])
            got = one["id"] if isinstance(one, dict) and "id" in one else one
            trial.equal(got, key, f"the id of what get of {key!r} gave")
            found = sorted(ids_of(query(trial, store, vector, number)))
            trial.equal(found, sorted(records)[:number], f"a search for all {number}")


@check("VECTORS-GET-01", sources="VEC-03; KV-24", needs=_GATE)
def test_get_answers_in_the_order_of_the_ids(trial: Trial) -> None:
    """`get` gives a record or None for each id, in the order in which the ids were asked; nothing for none.

    Why: the caller zips the ids with the answer. Left out or sorted, every record behind goes to the wrong id.

    Breaks it:

        SELECT id, vector FROM records WHERE id IN (?, ?, ?)       -- in the order of the table, and without the missing
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 5)
        add(store, records)
        asked = ["v3", "absent", "v0", "v4", "gone", "v1", "v2"]
        found = list(store.get(asked))
        got = [one and one["id"] for one in found]
        trial.equal(got, [key if key in records else None for key in asked], "the ids of what get gave")
        for key, one in zip(asked, found, strict=True):
            if key in records:
                record(trial, one, key, records[key], {}, f"get of {key!r} among others")
        trial.equal(list(store.get([])), [], "get of no id")
        trial.equal(list(store.get(["absent"])), [None], "get of an id that is not there")


@check("VECTORS-GET-02", sources="VEC-01, VEC-07; Semantic Kernel VectorsComparable", needs=_GATE)
def test_vectors_come_back_exactly_enough(trial: Trial) -> None:
    """A vector comes back within the precision of a 32-bit float, whatever its length.

    Why: vectors are moved to other stores, averaged and compared. One that was normalised or packed into 8 bits comes
    back as another one, and the original is gone.

    Breaks it:

        self._rows[id] = vector / norm(vector)           # what the index wants
    """
    with trial.fresh() as session:
        store = session.open()
        (base,) = random_vectors(trial.seed, 1, dimension_of(trial, store))
        factors = (1.0, 1 / 3, 0.1, 1e-3, 1e-5, 1e3, 12345.678)
        records = {f"times {factor}": [factor * number for number in base] for factor in factors}
        add(store, records)
        for (key, vector), one in zip(records.items(), store.get(list(records)), strict=True):
            record(trial, one, key, vector, {}, f"get of {key!r}")


@check("VECTORS-GET-03", sources="VEC-19; Semantic Kernel DataTypeTests", needs=_GATE)
def test_metadata_keep_their_types(trial: Trial) -> None:
    """Metadata come back equal, in type and content: text, int, float, bool and None, under any name.

    Why: a price that comes back as a text, or True as 1, is compared wrongly by the program that reads it, and by the
    filter.

    Breaks it:

        metadata = {key: str(value) for key, value in metadata.items()}
    """
    metadata = {
        "texts": {"a": "text", "b": "", "c": "1", "d": "null", "e": "é\U0001f600", "f": "a\nb", "g": "'; --"},
        "numbers": {"zero": 0, "one": 1, "minus": -7, "large": 2**53, "half": 0.5, "whole": 1.0, "third": 1 / 3},
        "others": {"yes": True, "no": False, "nothing": None},
        "names": {"with space": 1, "with.dot": 2, "$set": 3, "id": "x", "vector": "y", "Case": 4, "case": 5},
        "none": {},
    }
    with trial.fresh() as session:
        store = session.open()
        records = dict(zip(metadata, some(trial, store, len(metadata)).values(), strict=True))
        add(store, records, metadata)
        holds(trial, store, records, "with metadata", metadata=metadata)


@check("VECTORS-ADD-01", sources="VEC-02; Semantic Kernel upsert", needs=_GATE)
def test_adding_again_replaces_the_record(trial: Trial) -> None:
    """Adding an id again replaces its vector and its metadata; there is one record, and no search meets the old vector.

    Why: a document that was changed is embedded anew. An index that keeps the old vector too answers with text that is
    not in it any more.

    Breaks it:

        self._index.add(vector, label)                   # the old one stays beside it
    """
    with trial.fresh() as session:
        store = session.open()
        old, new = some(trial, store, 4), list(some(trial, store, 2, first=4).values())
        add(store, old, {"v0": {"a": 1, "b": 2}, "v1": {"a": 1}})
        records = {**old, "v0": new[0]}
        add(store, {"v0": new[0]}, {"v0": {"b": 3}})
        holds(trial, store, records, "after one was replaced", metadata={"v0": {"b": 3}, "v1": {"a": 1}})
        add(store, {"v0": old["v0"]})
        holds(trial, store, old, "after it was replaced by what it was", metadata={"v1": {"a": 1}})


@check("VECTORS-ADD-02", sources="VEC-02; KV-25; Semantic Kernel Insert_and_update_in_same_batch", needs=_GATE)
def test_one_call_adds_and_replaces(trial: Trial) -> None:
    """One call may add some records and replace others; a call with none changes nothing.

    Why: a batch is what happened to change. Split by whoever calls, it is not one step any more.

    Breaks it:

        INSERT INTO records VALUES (?, ?, ?)             -- refuses the batch, or what is there stays
    """
    with trial.fresh() as session:
        store = session.open()
        add(store, {})
        holds(trial, store, {}, "after nothing was added")
        first, others = some(trial, store, 3), some(trial, store, 4, first=3)
        add(store, first)
        changes: dict[str, Vector] = dict(zip(("v1", "new", "v0", "other"), others.values(), strict=True))
        add(store, changes)
        holds(trial, store, {**first, **changes}, "after a call that added and replaced")
        add(store, {})
        holds(trial, store, {**first, **changes}, "after a call that added nothing")


@check("VECTORS-ID-01", sources="KV-09, KV-10; VEC-15, VEC-22", needs=_GATE)
def test_ids_are_any_text_compared_exactly(trial: Trial) -> None:
    """Every ordinary text is an id, given back as it is, and ids that are like each other are different records.

    Why: ids are paths, addresses and titles. Hashed into the number that the index wants, or put into a query as they
    are, two of them become one.

    Breaks it:

        label = zlib.crc32(id.lower().encode())
    """
    alike = [
        key for name in ("case", "normal forms", "spaces around", "separators", "numbers") for key in NEIGHBOURS[name]
    ]
    ids = list(dict.fromkeys([*ACCEPTED_KEYS.values(), *alike]))
    with trial.fresh() as session:
        store = session.open()
        records = dict(zip(ids, some(trial, store, len(ids)).values(), strict=True))
        add(store, records)
        trial.equal(len(store), len(ids), "the length, each id being different")
        found = store.get(ids)
        for key, one in zip(ids, found, strict=True):
            record(trial, one, key, records[key], {}, f"get of {key!r}")
        near = query(trial, store, records[ids[0]], len(ids))
        trial.equal(sorted(ids_of(near)), sorted(ids), "the ids of a search for all")
        half = ids[::2]
        store.delete(half)
        kept = {key: vector for key, vector in records.items() if key not in half}
        trial.equal(sorted(ids_of(query(trial, store, records[ids[0]], len(ids)))), sorted(kept), "what a delete left")


@check("VECTORS-ALIAS-01", sources="KV-08", needs=_GATE)
def test_records_are_copies(trial: Trial) -> None:
    """Changing what was added, or what `get` gave, does not change the store.

    Why: embeddings are normalised in place, metadata are marked as seen. In one process the store changes with them, in
    two it does not.

    Breaks it:

        def get(self, ids):
            return [self._records[id] for id in ids]     # everybody gets the same dict
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 2)
        metadata = {"v0": {"a": 1}, "v1": {"a": 2}}
        given, about = [list(vector) for vector in records.values()], [dict(one) for one in metadata.values()]
        store.add(list(records), given, about)
        for vector, one in zip(given, about, strict=True):
            vector[0] += 5.0
            one["b"] = 3
        holds(trial, store, records, "after the caller changed what it had added", metadata=metadata)
        for one in store.get(list(records)):
            one["metadata"]["c"] = 4
            one["id"] = "other"
            if isinstance(one["vector"], list):
                one["vector"][0] += 5.0
        holds(trial, store, records, "after the caller changed what it had got", metadata=metadata)


@check("VECTORS-DELETE-01", sources="VEC-04; langchain4j removal", needs=_GATE)
def test_deleted_records_are_gone_everywhere(trial: Trial) -> None:
    """A deleted record is in no `get`, no search and not in `len`; the others are all there.

    Why: deleted text that is still found is quoted. One that is skipped after the search leaves holes in the answer.

    Breaks it:

        def delete(self, ids):
            for id in ids:
                self._records.pop(id)                    # the index still has it
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 8)
        add(store, records)
        gone: list[str] = []
        for ids in (["v3"], ["v0", "v7"]):
            store.delete(ids)
            gone += ids
            records = {key: vector for key, vector in records.items() if key not in gone}
            holds(trial, store, records, f"after {', '.join(gone)} were deleted", gone=gone)
        store.delete(list(records))
        holds(trial, store, {}, "after all were deleted", gone=list(records))


@check("VECTORS-DELETE-02", sources="VEC-04; KV-05, KV-25", needs=(*_GATE, "VECTORS-DELETE-01"))
def test_deleting_what_is_not_there_changes_nothing(trial: Trial) -> None:
    """Ids that are not there are passed over; those beside them in the call are deleted.

    Why: two clean-ups that meet must not fail, and one that stops half-way leaves what it was to remove.

    Breaks it:

        for id in ids:
            del self._records[id]                        # KeyError at the first that is missing
    """
    with trial.fresh() as session:
        store = session.open()
        store.delete(["absent"])
        records = some(trial, store, 4)
        add(store, records)
        store.delete(["absent", "V0", "v", "v00", "*"])
        holds(trial, store, records, "after ids that are not there were deleted")
        store.delete([])
        holds(trial, store, records, "after none were deleted")
        store.delete(["absent", "v1", "gone", "v1"])
        kept = {key: vector for key, vector in records.items() if key != "v1"}
        holds(trial, store, kept, "after one was deleted beside ids that are not there", gone=["v1"])
        store.delete(["v1"])
        holds(trial, store, kept, "after it was deleted again", gone=["v1"])


@check("VECTORS-DELETE-03", sources="VEC-02, VEC-04; KV-06", needs=(*_GATE, "VECTORS-DELETE-01"))
def test_deleted_id_can_be_added_again(trial: Trial) -> None:
    """A deleted id can be added again: it is found by its new vector, has its new metadata, and counts once.

    Why: a document that was moved away and back. A mark of the delete that stays hides it from every search.

    Breaks it:

        self._deleted.add(id)                            # never taken out; hnswlib's mark_deleted
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 5)
        add(store, records, {"v2": {"a": 1}})
        for new in some(trial, store, 3, first=5).values():
            store.delete(["v2"])
            add(store, {"v2": new}, {"v2": {"b": 2}})
            records = {**records, "v2": new}
            holds(trial, store, records, "after one was deleted and added again", metadata={"v2": {"b": 2}})
