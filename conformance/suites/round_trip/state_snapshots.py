"""The capability `snapshots` of the `state` contract: the whole state of a moment, kept under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.models.capabilities import SnapshotModel
from conformance.models.observation import contents, state_of, works
from conformance.result import NotApplicable
from conformance.values import domain
from conformance.values.equality import same

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

LOADS = ("STATE-SNAP-01",)


def _loaded(trial: Trial, store: Handle, name: str) -> dict[str, Any]:
    return contents(trial, store.load_snapshot(name), f"loading the snapshot {name!r}")


def _states(trial: Trial) -> list[dict[str, Any]]:
    """Return states that differ in keys and values, with one key that they share."""
    one, two, three = (domain.numbered(trial.backend.values, number) for number in range(3))
    return [
        {"same": one, **state} for state in ({"a": one}, {"a": two, "b": two, "a/b": three}, {"b": three, "c": one})
    ]


def _become(store: Handle, state: dict[str, Any]) -> None:
    """Bring a store into a state, by no more writes and deletes than it takes."""
    now = state_of(store)
    for key in [one for one in now if one not in state]:
        del store[key]
    for key, value in state.items():
        if key not in now or not same(now[key], value):
            store[key] = value


@check("STATE-SNAP-01", sources="VS-01", capability="snapshots", needs=("STATE-BASIC-01",))
def test_snapshot_is_the_state_at_its_time(trial: Trial) -> None:
    """A loaded snapshot is the whole state as it was when it was saved: each key, each value, nothing else.

    Why: a snapshot is what a run is restored from. One key less is another run.

    Breaks it:

        self._snapshots[name] = {k: v for k, v in self._data.items() if k in self._changed}
    """
    with trial.fresh() as session:
        store = session.open()
        for number, state in enumerate(_states(trial)):
            _become(store, state)
            store.save_snapshot(f"snapshot{number}")
            trial.equal(_loaded(trial, store, f"snapshot{number}"), state, "loading a snapshot just saved")
            trial.equal(state_of(store), state, "the state after it was saved as a snapshot")


@check("STATE-SNAP-02", sources="VS-10, VS-22", capability="snapshots", needs=LOADS)
def test_later_writes_do_not_change_a_snapshot(trial: Trial) -> None:
    """Writes, overwrites and deletes after a snapshot was saved, and other snapshots, do not change it.

    Why: a snapshot that follows the live state is no way back.

    Breaks it:

        self._snapshots[name] = self._data     # the same dict
    """
    states = _states(trial)
    with trial.fresh() as session:
        store = session.open()
        _become(store, states[0])
        store.save_snapshot("first")
        loaded = store.load_snapshot("first")
        for number, state in enumerate(states[1:], 1):
            _become(store, state)
            trial.equal(_loaded(trial, store, "first"), states[0], "loading the first snapshot after later writes")
            trial.equal(
                contents(trial, loaded, "reading a snapshot"), states[0], "reading one that was loaded before them"
            )
            store.save_snapshot(f"later{number}")
        _become(store, {})
        trial.equal(_loaded(trial, store, "first"), states[0], "loading the first snapshot after all was deleted")
        for number, state in enumerate(states[1:], 1):
            trial.equal(_loaded(trial, store, f"later{number}"), state, "loading another one after all was deleted")


@check("STATE-SNAP-03", sources="VS-21", capability="snapshots", needs=LOADS)
def test_loading_changes_nothing(trial: Trial) -> None:
    """Loading a snapshot gives its state back and changes nothing in the store.

    Why: looking into yesterday must not overwrite today.

    Breaks it:

        def load_snapshot(self, name):
            self._data = dict(self._snapshots[name])     # restores, where only a look was asked for
            return self._data
    """
    states = _states(trial)
    with trial.fresh() as session:
        store = session.open()
        _become(store, states[0])
        store.save_snapshot("old")
        _become(store, states[1])
        asked = sorted({**states[0], **states[1]}) if works(trial, "cas") else []
        versions = [store.version(key) for key in asked]
        for _ in range(2):
            trial.equal(_loaded(trial, store, "old"), states[0], "loading a snapshot")
            trial.equal(state_of(store), states[1], "the state after a snapshot was loaded")
            trial.equal(len(store), len(states[1]), "the length after a snapshot was loaded")
            trial.equal(store.list_snapshots(), ["old"], "the snapshots after one was loaded")
            trial.equal([store.version(key) for key in asked], versions, f"the versions of {asked} after that")
        _become(store, states[2])
        trial.equal(state_of(store), states[2], "the state after more writes")


@check("STATE-SNAP-04", sources="VS-05", capability="snapshots", needs=LOADS)
def test_same_name_replaces(trial: Trial) -> None:
    """Each name is listed once; saving under a name that is taken replaces the older snapshot, and no other.

    Why: "latest" is saved every hour. It must be the latest, and one.

    Breaks it:

        INSERT INTO snapshots (name, state) VALUES (?, ?)     -- a second row; the first one is found
    """
    states = _states(trial)
    with trial.fresh() as session:
        store = session.open()
        trial.equal(sorted(store.list_snapshots()), [], "the snapshots of a new store")
        _become(store, states[1])
        for name in ("latest", "other"):
            store.save_snapshot(name)
        for state in (states[0], states[2], states[0]):
            _become(store, state)
            store.save_snapshot("latest")
            trial.equal(_loaded(trial, store, "latest"), state, "loading a snapshot that replaced one of that name")
            trial.equal(sorted(store.list_snapshots()), ["latest", "other"], "the snapshots after one was replaced")
        trial.equal(_loaded(trial, store, "other"), states[1], "loading the snapshot of another name")


@check("STATE-SNAP-05", sources="VS-03, VS-12", capability="snapshots", needs=LOADS)
def test_unknown_name_raises_key_error(trial: Trial) -> None:
    """Loading a snapshot that was never saved raises KeyError, and makes none.

    Why: an empty state in the place of an unknown one is restored without a question.

    Breaks it:

        return self._snapshots.get(name, {})
    """
    with trial.fresh() as session:
        store = session.open()
        trial.raises(lambda: store.load_snapshot("a"), "missing", "loading a snapshot from an empty store")
        store["a"] = domain.numbered(trial.backend.values, 1)
        trial.raises(lambda: store.load_snapshot("a"), "missing", "loading a snapshot that has the name of a key")
        store.save_snapshot("saved")
        for name in ("save", "saved2", "SAVED", "a"):
            trial.raises(lambda: store.load_snapshot(name), "missing", f"loading a snapshot {name!r}, never saved")  # noqa: B023
        trial.equal(sorted(store.list_snapshots()), ["saved"], "the snapshots after unknown ones were asked for")


@check("STATE-SNAP-06", sources="KV-08; mutants alias_on_put, alias_on_get", capability="snapshots", needs=LOADS)
def test_snapshot_shares_no_objects(trial: Trial) -> None:
    """Changing an object that was stored before, or one that was loaded, changes neither the snapshot nor the store.

    Why: a snapshot is loaded to look around and try things; the second look must see what the first one saw.

    Breaks it:

        return self._snapshots[name]       # everybody gets the same dict
    """
    if trial.backend.values == "bytes":
        raise NotApplicable("bytes can't be changed, so they can't be shared by mistake")
    expected = {"a": {"messages": ["one"]}}
    with trial.fresh() as session:
        store = session.open()
        value = {"messages": ["one"]}
        store["a"] = value
        store.save_snapshot("s")
        value["messages"].append("added to the object that was stored")
        store["a"]["messages"].append("added to an object that was read")
        trial.equal(
            _loaded(trial, store, "s"), expected, "loading a snapshot, stored and read objects having been changed"
        )
        first = store.load_snapshot("s")
        contents(trial, first, "reading a loaded snapshot")["a"]["messages"].append("added to what was loaded")
        if isinstance(first, dict):
            first["b"] = "added to the loaded mapping"
        trial.equal(
            _loaded(trial, store, "s"), expected, "loading a snapshot, what was loaded before having been changed"
        )
        trial.equal(state_of(store), expected, "the state, what was loaded from a snapshot having been changed")


@check("STATE-SNAP-07", sources="VS-17, KV-40", capability="snapshots", needs=LOADS, promise="durability:clean-close")
def test_snapshots_survive_reopening(trial: Trial) -> None:
    """Snapshots are there after reopening, as they were, and replaced ones stay replaced.

    Why: the way back is needed after the process that saved it is gone.

    Breaks it:

        self._snapshots = {}               # in __init__, and nowhere else
    """
    states = _states(trial)
    with trial.fresh() as session:
        store = session.open()
        store.save_snapshot("empty")
        for name, state in (("replaced", states[0]), ("kept", states[1]), ("replaced", states[2])):
            _become(store, state)
            store.save_snapshot(name)
        _become(store, {})
        for _ in range(2):
            store = session.reopen(store)
            trial.equal(sorted(store.list_snapshots()), ["empty", "kept", "replaced"], "the snapshots after reopening")
            trial.equal(_loaded(trial, store, "empty"), {}, "loading a snapshot of the empty state after reopening")
            trial.equal(_loaded(trial, store, "kept"), states[1], "loading a snapshot after reopening")
            trial.equal(_loaded(trial, store, "replaced"), states[2], "loading a replaced snapshot after reopening")
            trial.equal(state_of(store), {}, "the state after reopening")


@check("STATE-SNAP-08", sources="VS-03, KV-02", capability="snapshots", needs=LOADS)
def test_snapshot_of_the_empty_state(trial: Trial) -> None:
    """A snapshot of the empty state is a snapshot: it is listed, and loaded as an empty mapping, also later.

    Why: "there is nothing" and "there is no such snapshot" call for opposite things.

    Breaks it:

        if not self._snapshots.get(name):
            raise KeyError(name)
    """
    state = _states(trial)[1]
    with trial.fresh() as session:
        store = session.open()
        store.save_snapshot("empty")
        trial.equal(sorted(store.list_snapshots()), ["empty"], "the snapshots after the empty state was saved")
        trial.equal(_loaded(trial, store, "empty"), {}, "loading a snapshot of the empty state")
        _become(store, state)
        trial.equal(_loaded(trial, store, "empty"), {}, "loading it after keys were written")
        store.save_snapshot("full")
        _become(store, {})
        store.save_snapshot("full")
        trial.equal(_loaded(trial, store, "full"), {}, "loading a snapshot that was replaced by the empty state")


@check(
    "STATE-SNAP-09",
    sources="KV-09; mutants sanitiser_collision, key_path_traversal",
    capability="snapshots",
    needs=LOADS,
)
def test_names_are_exact_or_refused(trial: Trial) -> None:
    """Names of snapshots are compared exactly; an odd one is a name like any other, or is refused loudly.

    Why: names become file names. "a/b" is then a directory, ".." another one, and "A" is "a" on some systems.

    Breaks it:

        path = directory / name.replace("/", "_")
    """
    kind = trial.backend.values
    names = (
        "a",
        "A",
        "a b",
        "a/b",
        "a_b",
        "a%2Fb",
        "..",
        ".",
        "../up",
        "é",
        "e\u0301",
        "%",
        "'; --",
        "a\nb",
        "x" * 200,
        "",
    )
    saved: dict[str, Any] = {}
    with trial.fresh() as session:
        store = session.open()
        for number, name in enumerate(names):
            store["k"] = domain.numbered(kind, number)
            if not trial.refused(lambda: store.save_snapshot(name)):  # noqa: B023 - called at once
                saved[name] = {"k": domain.numbered(kind, number)}
        trial.true("a" in saved, "saving a snapshot 'a'", expected="no exception", got="an exception")
        trial.equal(sorted(store.list_snapshots()), sorted(saved), "the snapshots of odd names that were accepted")
        for name, state in saved.items():
            trial.equal(_loaded(trial, store, name), state, f"loading the snapshot {name!r}")
        trial.equal(store.keys(), ["k"], "listing the keys after snapshots of odd names were saved")


@check("STATE-SNAP-10", sources="VS-05, VS-10", capability="snapshots", needs=LOADS)
def test_random_calls_agree_with_the_model(trial: Trial) -> None:
    """In any sequence of writes, deletes and snapshots, each snapshot is the state at the time when it was last saved.

    Why: snapshots that keep only differences are right until one in the middle is replaced.

    Breaks it:

        self._snapshots[name] = Difference(self._snapshots[self._latest], self._data)
    """
    from hypothesis import strategies as st

    from conformance.values.strategies import sequences

    kind = trial.backend.values
    verbs = st.sampled_from(["write", "delete", "save", "save", "load", "reopen"])

    @trial.examples(sequences(st.tuples(verbs, st.sampled_from(["a", "b"]), st.integers(0, 1)), trial.effort.steps))
    def _(calls: list[tuple[str, str, int]]) -> None:
        model = SnapshotModel()
        with trial.fresh() as session:
            store = session.open()
            for verb, key, number in calls:
                name = f"snapshot{number}"
                if verb == "write":
                    store[key] = model.state[key] = domain.numbered(kind, number)
                elif verb == "delete" and key in model.state:
                    del store[key]
                    del model.state[key]
                elif verb == "save":
                    store.save_snapshot(name)
                    model.save(name)
                elif verb == "load" and name in model.snapshots:
                    trial.equal(_loaded(trial, store, name), model.snapshots[name], "loading a snapshot in between")
                elif verb == "reopen" and trial.backend.durability != "volatile":
                    store = session.reopen(store)
            trial.equal(state_of(store), model.state, "the state at the end")
            trial.equal(sorted(store.list_snapshots()), sorted(model.snapshots), "the snapshots at the end")
            for name, state in model.snapshots.items():
                trial.equal(_loaded(trial, store, name), state, f"loading {name!r} at the end")
