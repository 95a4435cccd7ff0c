"""The capability `maintenance` of the `state` contract: flush, compact and verify; none changes what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.models.observation import observed, state_of, unchanged, works
from conformance.values import domain
from conformance.values.equality import same

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

BASIC = ("STATE-BASIC-01",)
FLUSHES = ("STATE-MAINT-01",)
COMPACTS = ("STATE-MAINT-03",)
VERIFIES = ("STATE-MAINT-06",)


def _used(trial: Trial, store: Handle) -> dict[str, Any]:
    """Write, overwrite and delete many times, and return the state that is left."""
    kind = trial.backend.values
    state: dict[str, Any] = {}
    for number in range(24):
        key = f"k{number % 4}"
        store[key] = state[key] = domain.numbered(kind, number)
        if number % 3 == 0:
            del store[key]
            del state[key]
    for key in ("deleted 1", "deleted 2"):
        store[key] = domain.numbered(kind, 0)
    for key in ("deleted 1", "deleted 2"):
        del store[key]
    if works(trial, "ttl"):
        store.set("expiring", domain.numbered(kind, 1), ttl=1_000_000)
        state["expiring"] = domain.numbered(kind, 1)
    if works(trial, "snapshots"):
        store.save_snapshot("before")
    return state


@check("STATE-MAINT-01", sources="KV-40", capability="maintenance", methods=("flush",), needs=BASIC)
def test_flush_changes_nothing(trial: Trial) -> None:
    """`flush()` changes nothing that any verb shows, on an empty store and on a used one, once or often.

    Why: a flush that empties its buffer before it was written loses what it was called to save.

    Breaks it:

        batch, self._buffer = self._buffer, {}
        if len(batch) > 1:
            self._write(batch)
    """
    with trial.fresh() as session:
        store = session.open()
        store.flush()
        trial.equal(state_of(store), {}, "the state of a new store after a flush")
        store["a"] = domain.numbered(trial.backend.values, 1)
        store.flush()
        trial.equal(state_of(store), {"a": domain.numbered(trial.backend.values, 1)}, "the state after write and flush")
        _used(trial, store)
        before = observed(trial, store, "deleted 1")
        for _ in range(2):
            store.flush()
            unchanged(trial, store, before, "after a flush", "deleted 1")


@check(
    "STATE-MAINT-02",
    sources="KV-38, KV-40",
    capability="maintenance",
    methods=("flush",),
    needs=FLUSHES,
    promise="durability:clean-close",
)
def test_flushed_writes_are_acknowledged(trial: Trial) -> None:
    """What was written before a flush is there after reopening and, where handles are shared, at once for another one.

    Why: flush is the line behind which work counts as done. A store that buffers has nothing else to offer.

    Breaks it:

        def flush(self):
            self._file.flush()             # Python's buffer; the batch that waits for its 100th entry is not in it
    """
    kind = trial.backend.values
    with trial.fresh() as session:
        store = session.open()
        state: dict[str, Any] = {}
        for number in range(7):
            store[f"k{number}"] = state[f"k{number}"] = domain.numbered(kind, number)
        del store["k3"]
        del state["k3"]
        store.flush()
        if trial.backend.sharing == "processes":
            second = session.open()
            trial.equal(state_of(second), state, "the state in a second handle after a flush in the first")
            second.close()
        store.close()
        store = session.open()
        trial.equal(state_of(store), state, "the state after flush, close and opening again")


@check("STATE-MAINT-03", sources="KV-44, LOG-44", capability="maintenance", methods=("compact",), needs=BASIC)
def test_compact_is_invisible(trial: Trial) -> None:
    """`compact()` changes nothing that any other verb shows, after many overwrites and deletes, once or often.

    Why: compaction runs at night. What it loses is missed in the morning, and the old file is gone.

    Breaks it:

        for record in self._records[-1000:]:     # keys written before that are dropped
            new_file.write(record)
    """
    kind = trial.backend.values
    with trial.fresh() as session:
        store = session.open()
        store.compact()
        trial.equal(state_of(store), {}, "the state of a new store after a compaction")
        state = _used(trial, store)
        asked = ("deleted 1", "deleted 2", "k0")
        before = observed(trial, store, *asked)
        for _ in range(2):
            store.compact()
            unchanged(trial, store, before, "after a compaction", *asked)
        store["new"] = state["new"] = domain.numbered(kind, 100)
        store["k1"] = state["k1"] = domain.numbered(kind, 101)
        del store["k2"]
        del state["k2"]
        trial.equal(state_of(store), state, "the state after a compaction and more writes")


@check(
    "STATE-MAINT-04",
    sources="KV-43; mutant tombstone_dropped; leveldb#184, rocksdb#2722",
    capability="maintenance",
    methods=("compact",),
    needs=COMPACTS,
    promise="durability:clean-close",
)
def test_compacted_store_is_the_same_after_reopening(trial: Trial) -> None:
    """After compaction and reopening everything is as it was, also the second time; deleted keys don't come back.

    Why: a tombstone dropped too early brings back what was deleted; over a million keys, in one database that did it.

    Breaks it:

        for key, record in merged:
            if not record.deleted:         # but an older file still has the key
                new_file.write(record)
    """
    with trial.fresh() as session:
        store = session.open()
        _used(trial, store)
        # Present on the disk, and deleted after that, as far as reopening puts it there.
        store["old"] = domain.numbered(trial.backend.values, 1)
        store = session.reopen(store)
        del store["old"]
        asked = ("deleted 1", "deleted 2", "old")
        before = observed(trial, store, *asked)
        store = session.reopen(store)
        # What reopening alone changes is not the fault of the compaction; other checks are about it.
        reopened = observed(trial, store, *asked)
        before = {about: seen for about, seen in before.items() if same(seen, reopened.get(about))}
        for time in ("first", "second"):
            store.compact()
            store = session.reopen(store)
            unchanged(trial, store, before, f"after the {time} compaction and reopening", *asked)


@check("STATE-MAINT-05", sources="KV-43, KV-44", capability="maintenance", methods=("compact",), needs=COMPACTS)
def test_random_calls_agree_with_a_dict(trial: Trial) -> None:
    """In any sequence of writes, deletes, compactions and reopenings the state is that of a plain dict.

    Why: what compaction drops depends on what was overwritten, deleted and written again before and after the last one.

    Breaks it:

        self._live = {key for key in self._live if key not in self._tombstones}     # tombstones of a former life
    """
    from hypothesis import strategies as st

    from conformance.values.strategies import sequences

    kind = trial.backend.values
    verbs = st.sampled_from(["write", "delete", "compact", "reopen"])

    @trial.examples(sequences(st.tuples(verbs, st.sampled_from(["a", "a", "b"])), trial.effort.steps))
    def _(calls: list[tuple[str, str]]) -> None:
        state: dict[str, Any] = {}
        with trial.fresh() as session:
            store = session.open()
            for number, (verb, key) in enumerate(calls):
                if verb == "write":
                    store[key] = state[key] = domain.numbered(kind, number)
                elif verb == "delete" and key in state:
                    del store[key]
                    del state[key]
                elif verb == "compact":
                    store.compact()
                    trial.equal(state_of(store), state, "the state after a compaction")
                elif verb == "reopen" and trial.backend.durability != "volatile":
                    store = session.reopen(store)
            trial.equal(state_of(store), state, "the state at the end")
            store.compact()
            if trial.backend.durability != "volatile":
                store = session.reopen(store)
            trial.equal(state_of(store), state, "the state after a last compaction")
            trial.equal(len(store), len(state), "the length after that")


@check("STATE-MAINT-06", sources="KV-49, VS-24", capability="maintenance", methods=("verify",), needs=BASIC)
def test_verify_finds_a_sound_store_sound(trial: Trial) -> None:
    """`verify()` reports no damage in a sound store, and counts what is healthy.

    Why: a check that cries wolf is switched off, and then the wolf comes.

    Breaks it:

        damaged = [key for key, record in self._records if record.deleted]     # a tombstone is no damage
    """
    with trial.fresh() as session:
        store = session.open()
        _sound(trial, store, "of a new store", at_least=0)
        _used(trial, store)
        _sound(trial, store, "of a store with many overwrites and deletes")
        if trial.backend.durability != "volatile":
            store = session.reopen(store)
            _sound(trial, store, "of a store that was reopened")
        for key in store:
            del store[key]
        _sound(trial, store, "of a store from which everything was deleted", at_least=0)


def _sound(trial: Trial, store: Handle, which: str, at_least: int = 1) -> None:
    """Require a report of no damage, with at least so many healthy."""
    report = store.verify()
    what = f"the report of verify() {which}"
    found = {name: _part(report, name) for name in ("healthy", "damaged")}
    absent = [name for name, part in found.items() if part is None]
    trial.true(not absent, what, expected="`healthy` and `damaged`, as attributes or keys", got=literal(report))
    healthy = found["healthy"]
    counts = isinstance(healthy, int) and not isinstance(healthy, bool) and healthy >= at_least
    trial.true(counts, f"`healthy` in {what}", expected=f"a count, {at_least} or more", got=literal(healthy))
    damaged = found["damaged"]
    trial.true(isinstance(damaged, Sized), f"`damaged` in {what}", expected="a sequence", got=literal(damaged))
    trial.equal(len(damaged), 0, f"the number of `damaged` in {what}")


def _part(report: Any, name: str) -> Any:
    return report.get(name) if isinstance(report, Mapping) else getattr(report, name, None)


@check("STATE-MAINT-07", sources="KV-53", capability="maintenance", methods=("verify",), needs=VERIFIES)
def test_verify_changes_nothing(trial: Trial) -> None:
    """`verify()` changes nothing that any other verb shows.

    Why: looking for damage must not be what does it.

    Breaks it:

        def verify(self):
            return self._repair()          # drops what it can't read, and what it does not know
    """
    with trial.fresh() as session:
        store = session.open()
        _used(trial, store)
        asked = ("deleted 1", "deleted 2")
        before = observed(trial, store, *asked)
        for _ in range(2):
            store.verify()
            unchanged(trial, store, before, "after verify()", *asked)
        store["new"] = domain.numbered(trial.backend.values, 100)
        trial.equal(store["new"], domain.numbered(trial.backend.values, 100), "reading a key written after verify()")
