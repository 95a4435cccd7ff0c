"""How long records of the `vectors` contract live, and who finds them: reopening, other handles, other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.vectors_steps import (
    add,
    dimension_of,
    holds,
    ids_of,
    metric_of,
    nearest,
    query,
    require_durable,
    some,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("VECTORS-BASIC-01",)
_DURABLE = "durability:clean-close"
_SHARED = "sharing:processes"


@check("VECTORS-REOPEN-01", sources="VEC-25, VEC-26; KV-40", promise=_DURABLE, needs=_GATE)
def test_records_survive_reopening(trial: Trial) -> None:
    """Acknowledged records are got and found after the store was closed and opened again; metric and dimension stay.

    Why: embedding it all again costs days and money. An index that is saved now and then finds what was there then.

    Breaks it:

        def close(self):
            self._database.close()         # and the index is written by save(), which nobody has called
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 6)
        metadata = {"v0": {"a": 1}, "v4": {"a": "x", "b": 2}}
        form = (dimension_of(trial, store), metric_of(trial, store))
        for keys in (("v0", "v1", "v2"), ("v3",), ("v4", "v5")):
            add(store, {key: records[key] for key in keys}, metadata)
            store = session.reopen(store)
            trial.equal((dimension_of(trial, store), metric_of(trial, store)), form, "dimension and metric, reopened")
        holds(trial, store, records, "after reopening", metadata=metadata)


@check(
    "VECTORS-REOPEN-02",
    sources="VEC-02, VEC-04, VEC-25",
    promise=_DURABLE,
    needs=("VECTORS-REOPEN-01", "VECTORS-ADD-01", "VECTORS-DELETE-01"),
)
def test_records_and_index_agree_after_reopening(trial: Trial) -> None:
    """After reopening, deleted records are gone from every search, and replaced ones are found by their new vectors.

    Why: records and index are two files, and are brought together when the store is opened. What only one of them knows
    is found and can't be got, or is there and never found.

    Breaks it:

        self._index = load(path) or build(records)       # the file is of before the deletes
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 8)
        add(store, records)
        store = session.reopen(store)
        store.delete(["v1", "v6"])
        new = some(trial, store, 2, first=8)
        add(store, {"v2": new["v8"], "v9": new["v9"]}, {"v2": {"a": 1}})
        expected = {key: vector for key, vector in records.items() if key not in ("v1", "v6")}
        expected |= {"v2": new["v8"], "v9": new["v9"]}
        for when in ("after deletes, an update and reopening", "after reopening it again"):
            store = session.reopen(store)
            holds(trial, store, expected, when, metadata={"v2": {"a": 1}}, gone=["v1", "v6"])
        add(store, {"v1": records["v1"]})
        store = session.reopen(store)
        expected["v1"] = records["v1"]
        holds(trial, store, expected, "after one was added again", metadata={"v2": {"a": 1}}, gone=["v6"])


@check("VECTORS-REOPEN-03", sources="VEC-25; the state contract on other processes", promise=_DURABLE, needs=_GATE)
def test_records_survive_in_a_new_process(trial: Trial) -> None:
    """Another process that opens the store after it was closed has as many records.

    Why: an index that lives in the memory of a process, found again by a name, passes every test that runs in one.

    Breaks it:

        client = chromadb.EphemeralClient()
    """
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 5)
        add(store, records)
        store.delete(["v1"])
        store.acknowledge()
        store.close()
        trial.equal(session.read_in_new_process(), 4, "the length in a new process")


@check("VECTORS-SHARED-01", sources="VEC-20, VEC-24; KV-38", promise=_SHARED, needs=_GATE)
def test_other_handle_finds_records_at_once(trial: Trial) -> None:
    """Acknowledged changes are got and found at once by every other handle, one that was opened before them included.

    Why: one worker embeds, another one answers. The index of the second, built at its start, knows nothing of today.

    Breaks it:

        def __init__(self, path):
            self._index = build(self._records())         # get() asks the file, query() this
    """
    require_durable(trial)
    with trial.fresh() as session:
        one, other = session.open(), session.open()
        records = some(trial, one, 6)
        holds(trial, other, {}, "of an empty store through a second handle")
        add(one, {key: records[key] for key in ("v0", "v1", "v2")})
        one.acknowledge()
        expected = {key: records[key] for key in ("v0", "v1", "v2")}
        holds(trial, other, expected, "through a second handle")
        add(other, {"v1": records["v3"], "v4": records["v4"]})
        other.acknowledge()
        expected |= {"v1": records["v3"], "v4": records["v4"]}
        holds(trial, one, expected, "through the first handle, the second having added and replaced")
        one.delete(["v0", "v4"])
        one.acknowledge()
        expected = {key: vector for key, vector in expected.items() if key not in ("v0", "v4")}
        near = nearest(trial, other, records["v0"], 10, expected, "a search for what the first handle has deleted")
        trial.true("v0" not in ids_of(near), "a search for a deleted record", expected="no 'v0'", got="'v0'")
        holds(trial, other, expected, "through the second handle, the first having deleted", gone=["v0", "v4"])
        # Both have written since they have read last.
        add(other, {"v5": records["v5"]})
        other.acknowledge()
        add(one, {"v0": records["v0"]})
        one.acknowledge()
        expected |= {"v5": records["v5"], "v0": records["v0"]}
        for handle in (one, other):
            holds(trial, handle, expected, "after both handles have added", gone=["v4"])


@check("VECTORS-SHARED-02", sources="VEC-20; KV-38", promise=_SHARED, needs=_GATE)
def test_other_process_has_records_at_once(trial: Trial) -> None:
    """Acknowledged records are there at once for another process, while the store is still open here.

    Why: what waits in this process until the store is closed is found by nobody else, and gone when the process is.

    Breaks it:

        def add(self, ids, vectors, metadata):
            self._pending += zip(ids, vectors, metadata) # written by close()
    """
    require_durable(trial)
    with trial.fresh() as session:
        store = session.open()
        records = some(trial, store, 4)
        add(store, records)
        store.acknowledge()
        trial.equal(session.read_in_new_process(), 4, "the length in a new process, the store being open in this one")
        store.delete(["v0"])
        store.acknowledge()
        trial.equal(session.read_in_new_process(), 3, "the length in a new process after a delete")
        trial.true(query(trial, store, records["v1"], 1), "a search after that", expected="a record", got="none")
