"""Lifetime of the `state` contract: closing, reopening, other handles, other processes."""

from __future__ import annotations

from typing import Any

from conformance.check import check
from conformance.result import NotApplicable
from conformance.session import Handle, Session
from conformance.trial import Trial
from conformance.values import domain

BASIC = ("STATE-BASIC-01",)


def _filled(trial: Trial, store: Handle) -> dict[str, Any]:
    """Write, overwrite and delete, and return what is left."""
    kept = {f"k{number}": domain.numbered(trial.backend.values, number) for number in range(20)}
    for key, value in kept.items():
        store[key] = value
    kept["k3"] = domain.numbered(trial.backend.values, 300)
    store["k3"] = kept["k3"]
    for key in ("k5", "k6"):
        del store[key]
        del kept[key]
    kept["k6"] = domain.numbered(trial.backend.values, 600)
    store["k6"] = kept["k6"]
    return kept


def _holds(trial: Trial, store: Handle | dict[str, Any], kept: dict[str, Any], when: str) -> None:
    trial.equal(sorted(store.keys()), sorted(kept), f"listing {when}")
    for key, value in kept.items():
        trial.equal(store[key], value, f"reading {key!r} {when}")


@check("STATE-REOPEN-01", sources="KV-40; mutant atexit_only_flush", needs=BASIC, promise="durability:clean-close")
def test_everything_is_there_after_reopening(trial: Trial) -> None:
    """Writes, overwrites and deletes are all in effect after the store was closed and opened again, time after time.

    Why: what is kept until the process ends, or until a buffer is full, is gone at the next deployment.

    Breaks it:

        def close(self):
            pass                           # the last batch was never written
    """
    with trial.fresh() as session:
        store = session.open()
        kept = _filled(trial, store)
        for life in range(1, 5):
            store = session.reopen(store)
            _holds(trial, store, kept, f"after reopening {life} times")
            new, key = f"life{life}", f"k{life * 2 + 8}"
            kept[new] = domain.numbered(trial.backend.values, life)
            store[new] = kept[new]
            del store[key]
            del kept[key]


@check(
    "STATE-REOPEN-02",
    sources="KV-40; mutant atexit_only_flush",
    needs=("STATE-REOPEN-01",),
    promise="durability:clean-close",
)
def test_everything_is_there_in_a_new_process(trial: Trial) -> None:
    """A new process that opens the closed store finds exactly what was acknowledged.

    Why: state kept in a module, a cache or a server inside the process survives a reopen, but not a restart.

    Breaks it:

        _CACHE = {}                        # shared by all handles of the process
    """
    with trial.fresh() as session:
        store = session.open()
        kept = _filled(trial, store)
        store.acknowledge()
        store.close()
        _holds(trial, session.read_in_new_process(), kept, "in a new process")


@check(
    "STATE-SHARE-01",
    sources="KV-38; mutant stale_read_cache",
    needs=("STATE-REOPEN-02",),
    promise="sharing:processes consistency:linearizable",
)
def test_another_process_sees_acknowledged_writes(trial: Trial) -> None:
    """While the store is open here, another process opens it and finds exactly what was acknowledged.

    Why: workers share a store. One that sees the other's writes only after a close repeats its work, or undoes it.

    Breaks it:

        def __setitem__(self, key, value):
            self._buffer[key] = value      # written out by close()
    """
    _lasting(trial)
    with trial.fresh() as session:
        store = session.open()
        first = {"first": domain.numbered(trial.backend.values, -1)}
        store["first"] = first["first"]
        store.acknowledge()
        _holds(trial, session.read_in_new_process(), first, "in another process")
        kept = first | _filled(trial, store)
        # Longer than the old value: a store that writes in place, and its directory of places later, is torn here.
        store["k1"] = kept["k1"] = domain.sized(trial.backend.values, 3_000)
        store.acknowledge()
        _holds(trial, session.read_in_new_process(), kept, "in another process after more writes")
        trial.equal(sorted(store.keys()), sorted(kept), "listing here, after others had the store open")


@check(
    "STATE-SHARE-02",
    sources="KV-38; mutant stale_read_cache; tinydb 179",
    needs=("STATE-SHARE-01",),
    promise="sharing:processes consistency:linearizable",
)
def test_two_handles_see_each_other(trial: Trial) -> None:
    """Two handles on one place see each other's acknowledged writes, overwrites and deletes at once.

    Why: a handle that answers from its own cache serves yesterday's state, and writes it back.

    Breaks it:

        def __getitem__(self, key):
            if key not in self._cache: ...     # never looks again
    """
    _lasting(trial)
    with trial.fresh() as session:
        one = session.open()
        other = session.open()
        present: dict[str, Any] = {}
        for number in range(24):
            writer, reader = (one, other) if number % 2 else (other, one)
            key = f"k{number % 5}"
            if number % 6 == 5 and key in present:
                del writer[key]
                del present[key]
            else:
                present[key] = domain.numbered(trial.backend.values, number)
                writer[key] = present[key]
            writer.acknowledge()
            _agrees(trial, reader, present, key)
        _holds(trial, one, present, "through the first handle")
        _holds(trial, other, present, "through the second handle")


def _agrees(trial: Trial, reader: Handle, present: dict[str, Any], key: str) -> None:
    if key in present:
        trial.equal(reader[key], present[key], f"reading {key!r} through the other handle")
    else:
        trial.raises(lambda: reader[key], "missing", f"reading {key!r} through the other handle, after it was deleted")
    trial.equal(sorted(reader.keys()), sorted(present), "listing through the other handle")
    trial.equal(len(reader), len(present), "the length through the other handle")


def _lasting(trial: Trial) -> None:
    if trial.backend.durability == "volatile":
        raise NotApplicable("durability is promised at 'volatile' only: two handles have no place to meet in")


@check("STATE-CLOSE-01", sources="KV-61; mutant close_raises_twice", needs=BASIC, methods=("close",))
def test_closing_twice_is_harmless(trial: Trial) -> None:
    """Closing a closed store does nothing: it raises nothing, and what was stored stays.

    Why: `with` blocks, exit handlers and tests close what is closed. An exception there hides the one that mattered.

    Breaks it:

        def close(self):
            self._file.flush()             # ValueError: I/O operation on closed file
            self._file.close()
    """
    with trial.fresh() as session:
        store = session.open()
        store["a"] = domain.numbered(trial.backend.values, 1)
        store.acknowledge()
        store.close()
        store.close()
        store.close()
        trial.count("comparisons")
        if trial.backend.durability != "volatile":
            store = session.open()
            trial.equal(
                store["a"], domain.numbered(trial.backend.values, 1), "reading after the store was closed three times"
            )


@check("STATE-CLOSE-02", sources="KV-61", needs=BASIC, methods=("close",))
def test_a_closed_store_refuses_or_does_what_is_asked(trial: Trial) -> None:
    """A closed store raises, or does in full what is asked of it; it never acknowledges a write that is lost.

    Why: a task that outlives the shut-down writes its result into nothing, and is told that all went well.

    Breaks it:

        def __setitem__(self, key, value):
            self._buffer[key] = value      # after close() nobody writes the buffer out
    """
    before, after = domain.numbered(trial.backend.values, 1), domain.numbered(trial.backend.values, 2)
    with trial.fresh() as session:
        store = session.open()
        store["a"] = before
        store.acknowledge()
        store.close()
        read = _quietly(lambda: store["a"])
        if read is not None:
            trial.equal(read, before, "reading from a closed store that did not refuse")
        written = not trial.refused(lambda: store.__setitem__("a", after))
        if trial.backend.durability == "volatile":
            if written:
                trial.equal(_quietly(lambda: store["a"]), after, "reading what the closed store accepted")
            trial.count("comparisons")
            return
        if written and trial.refused(store.acknowledge):
            trial.count("comparisons")
            return  # accepted, but never acknowledged: it may be there or not
        # The handle may have opened itself again for the write; it is closed once more before others look.
        trial.refused(store.close)
        _expect_after(trial, session, after if written else before, written=written)


def _quietly(read: Any) -> Any:
    try:
        return read()
    except Exception:  # noqa: BLE001 - a refusal, of whatever kind
        return None


def _expect_after(trial: Trial, session: Session, expected: Any, *, written: bool) -> None:
    store = session.open()
    what = "reading what the closed store acknowledged" if written else "reading what was written before the close"
    trial.equal(store["a"], expected, what)
