"""How long entries of the `layers` contract live, and who sees them: reopening, other handles and other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.layers_steps import (
    absent,
    holds,
    layers_of,
    listed,
    lists,
    offers,
    require_durable,
    some,
)
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("LAYERS-BASIC-01",)
_DURABLE = "durability:clean-close"
_SHARED = "sharing:processes"


@check("LAYERS-REOPEN-01", sources="MEM-15, MEM-21; KV-40", promise=_DURABLE, needs=_GATE)
def test_entries_survive_reopening(trial: Trial) -> None:
    """Acknowledged entries, overwrites and deletes are there after the store was closed and opened again.

    Why: a memory that is lost at the restart, or that comes back as it was a while ago, is worse than none: the agent
    acts on what its user has corrected since.

    Breaks it:

        def close(self):
            pass                           # what was set since the last save is gone
    """
    with trial.fresh() as session:
        store = session.open()
        expected = {}
        for number, key in enumerate(("a", "b", "c", "a", "d")):
            store.set(key, some(trial, number))
            expected[key] = some(trial, number)
        store.delete("b")
        del expected["b"]
        store = session.reopen(store)
        holds(trial, store, expected, "after the store was closed and opened again")
        absent(trial, store, "b", "reading a key that was deleted before the store was reopened")
        store.set("e", some(trial, 9))
        store.delete("a")
        store = session.reopen(store)
        expected = {**expected, "e": some(trial, 9)}
        del expected["a"]
        holds(trial, store, expected, "after the store was closed and opened for the second time")


@check("LAYERS-REOPEN-02", sources="MEM-21; the state contract on other processes", promise=_DURABLE, needs=_GATE)
def test_entries_survive_in_a_new_process(trial: Trial) -> None:
    """Acknowledged entries are read by another process that opens the store after it was closed.

    Why: a memory that lives in a variable of the process passes every test that runs in one process.

    Breaks it:

        _MEMORIES: dict[str, dict] = {}    # found again by this process alone
    """
    with trial.fresh() as session:
        store = session.open()
        expected = {key: some(trial, number) for number, key in enumerate("abc")}
        for key, value in expected.items():
            store.set(key, value)
        store.acknowledge()
        store.close()
        trial.equal(dict(session.read_in_new_process()), expected, "listing in a new process")


@check("LAYERS-REOPEN-03", sources="KV-01, KV-40", promise=_DURABLE, needs=(*_GATE, "LAYERS-VALUE-01"))
def test_values_are_equal_after_reopening(trial: Trial) -> None:
    """Every value of the promised domain is equal, in type and content, after the store was reopened.

    Why: a store that answers from what it kept in memory looks exact until the next start.

    Breaks it:

        self._cache[key] = value           # exact
        self._write(key, str(value))       # read only after a restart
    """
    table = dict(domain.accepted(trial.backend.values))
    with trial.fresh() as session:
        store = session.open()
        for name, value in table.items():
            store.set(name, value)
        store = session.reopen(store)
        found = listed(trial, store, "listing after reopening")
        trial.equal(sorted(found), sorted(table), "listing the keys after reopening")
        for name, value in table.items():
            trial.equal(found[name], value, f"listing {name!r} after reopening")
            trial.equal(store.get(name), value, f"reading {name!r} after reopening")


@check("LAYERS-REOPEN-04", sources="MEM-13, MEM-14", promise=_DURABLE, needs=(*_GATE, "LAYERS-CLEAR-01"))
def test_cleared_store_stays_empty(trial: Trial) -> None:
    """What was cleared is not there after reopening either.

    Why: erasure that lasts until the next restart is none.

    Breaks it:

        def clear(self):
            self._cache.clear()            # the file has it all
    """
    with trial.fresh() as session:
        store = session.open()
        for number, key in enumerate("abc"):
            store.set(key, some(trial, number))
        store = session.reopen(store)
        store.clear()
        store = session.reopen(store)
        lists(trial, store, {}, "listing a cleared store after reopening")
        for key in "abc":
            absent(trial, store, key, "reading a cleared key after reopening")
        store.set("b", some(trial, 9))
        store = session.reopen(store)
        holds(trial, store, {"b": some(trial, 9)}, "after clear, a set and a reopening")


@check(
    "LAYERS-REOPEN-05",
    sources="MEM-06; KV-40",
    capability="precedence",
    promise=_DURABLE,
    needs=("LAYERS-REOPEN-01", "LAYERS-LAYER-01"),
)
def test_layers_survive_reopening(trial: Trial) -> None:
    """Each layer has its own entries after reopening, and the precedence is the same.

    Why: a policy that comes back as working memory is cleared with it.

    Breaks it:

        self._file.write(json.dumps(self._merged()))     # what get() gives, without the layers
    """
    with trial.fresh() as session:
        store = session.open()
        names = layers_of(trial, store)
        for number, name in enumerate(names):
            store.set("shared", some(trial, number), layer=name)
            store.set(f"of {name}", some(trial, 10 + number), layer=name)
        store = session.reopen(store)
        trial.equal(layers_of(trial, store), names, "asking for the precedence after reopening")
        for number, name in enumerate(names):
            expected = {"shared": some(trial, number), f"of {name}": some(trial, 10 + number)}
            holds(trial, store, expected, f"in the layer {name!r} after reopening", layer=name)
        merged = {f"of {name}": some(trial, 10 + number) for number, name in enumerate(names)}
        holds(trial, store, {**merged, "shared": some(trial, 0)}, "of all layers after reopening")


@check(
    "LAYERS-REOPEN-06",
    sources="MEM-01, MEM-03; KV-40",
    capability="scopes",
    promise=_DURABLE,
    needs=("LAYERS-REOPEN-01", "LAYERS-SCOPE-01"),
)
def test_scopes_survive_reopening(trial: Trial) -> None:
    """Each scope has its own entries after reopening.

    Why: isolation that is kept in memory alone ends with the first restart: everybody reads what everybody wrote.

    Breaks it:

        for key, value in self._rows():
            self._index[key] = value       # the scope is a column that nobody reads
    """
    with trial.fresh() as session:
        store = session.open()
        scopes = ("", "one", "two", "a:b")
        for number, scope in enumerate(scopes):
            store.set("shared", some(trial, number), scope=scope)
            store.set(f"of {scope}", some(trial, 10 + number), scope=scope)
        store = session.reopen(store)
        for number, scope in enumerate(scopes):
            expected = {"shared": some(trial, number), f"of {scope}": some(trial, 10 + number)}
            holds(trial, store, expected, f"in the scope {scope!r} after reopening", scope=scope)


@check("LAYERS-SHARED-01", sources="MEM-21; KV-38", promise=_SHARED, needs=_GATE)
def test_other_handle_sees_entries_at_once(trial: Trial) -> None:
    """Acknowledged changes are seen at once by every other handle, one that was opened before them included.

    Why: two workers of one agent share its memory. The one that read it at its start goes on without what the other has
    learnt, and writes it over.

    Breaks it:

        def __init__(self, path):
            self._data = load(path)        # never looked at again
    """
    require_durable(trial)
    with trial.fresh() as session:
        one, other = session.open(), session.open()
        lists(trial, other, {}, "listing an empty store through a second handle")
        expected: dict[str, Any] = {}
        for number, key in enumerate("abab"):
            writer, reader = (one, other) if number % 2 == 0 else (other, one)
            writer.set(key, some(trial, number))
            writer.acknowledge()
            expected[key] = some(trial, number)
            holds(trial, reader, expected, "through the handle that did not write")
        one.delete("a")
        one.acknowledge()
        absent(trial, other, "a", "reading through one handle what the other has deleted")
        holds(trial, other, {"b": expected["b"]}, "through a handle, the other one having deleted a key")
        other.clear()
        other.acknowledge()
        lists(trial, one, {}, "listing through one handle what the other has cleared")
        if offers(trial, "precedence"):
            names = layers_of(trial, one)
            one.set("a", some(trial, 1), layer=names[-1])
            one.acknowledge()
            trial.equal(other.get("a", layer=names[-1]), some(trial, 1), "reading a layer through a second handle")
            trial.equal(other.get("a"), some(trial, 1), "reading a key of the last layer through a second handle")


@check("LAYERS-SHARED-02", sources="MEM-21; KV-38", promise=_SHARED, needs=_GATE)
def test_other_process_sees_entries_at_once(trial: Trial) -> None:
    """Acknowledged entries are there at once for another process, while the store is still open here.

    Why: what waits in a buffer of this process until the store is closed is invisible to every other worker, and gone
    when this process is.

    Breaks it:

        self._file.write(line)             # no flush: in the buffer of this process
    """
    require_durable(trial)
    with trial.fresh() as session:
        store = session.open()
        expected = {key: some(trial, number) for number, key in enumerate("abc")}
        for key, value in expected.items():
            store.set(key, value)
        store.acknowledge()
        found = session.read_in_new_process()
        trial.equal(dict(found), expected, "listing in a new process, the store being open in this one")
        store.set("a", some(trial, 9))
        holds(trial, store, {**expected, "a": some(trial, 9)}, "after another process has read")
