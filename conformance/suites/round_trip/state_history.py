"""The capability `history` of the `state` contract: every version that a key ever had, for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.models.capabilities import HistoryModel
from conformance.models.observation import observed, refused_value, state_of, unchanged, unstorable, works
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

LISTS = ("STATE-HIST-01",)


def _holds(trial: Trial, store: Handle, key: str, expected: list[Any], when: str) -> list[Any]:
    """Require that a key's versions, newest first, have these values, and return their ids."""
    versions = store.versions(key)
    trial.equal(len(versions), len(expected), f"the number of versions of {key!r} {when}")
    trial.true(_distinct(versions), f"the versions of {key!r} {when}", expected="an id for each", got=literal(versions))
    for place, (version, value) in enumerate(zip(versions, expected, strict=True)):
        trial.equal(store.get_version(key, version), value, f"the value of version {place} (0 is the newest) {when}")
    return versions


def _distinct(versions: list[Any]) -> bool:
    return all(one != other for place, one in enumerate(versions) for other in versions[:place])


@check("STATE-HIST-01", sources="VS-01, VS-13", capability="history", needs=("STATE-BASIC-01",))
def test_versions_are_listed_newest_first(trial: Trial) -> None:
    """The versions of a key are listed newest first, each with the value that was written; the newest is the present.

    Why: "undo" takes the second of the list. In another order it takes something else.

    Breaks it:

        SELECT version FROM history WHERE key = ?     -- no ORDER BY: any order, for example the right one in tests
    """
    values = [domain.numbered(trial.backend.values, number) for number in range(12)]
    with trial.fresh() as session:
        store = session.open()
        for number, value in enumerate(values):
            store["a"] = value
            if number in (0, 1, 11):
                versions = _holds(trial, store, "a", values[number::-1], f"after {number + 1} writes")
                trial.equal(store.get_version("a", versions[0]), store["a"], "the newest version and the present value")


@check("STATE-HIST-02", sources="VS-03", capability="history", needs=LISTS)
def test_key_never_written_has_no_versions(trial: Trial) -> None:
    """A key that was never written has no versions, and asking for them makes no key.

    Why: looking must not write. A listing full of keys that somebody once asked for is a slow leak.

    Breaks it:

        self._history = collections.defaultdict(list)     # and `list(store)` is list(self._history)
    """
    with trial.fresh() as session:
        store = session.open()
        trial.equal(store.versions("a"), [], "the versions of a key, on an empty store")
        store["b"] = domain.numbered(trial.backend.values, 1)
        trial.equal(store.versions("a"), [], "the versions of a key that was never written")
        trial.equal("a" in store, expected=False, what="asking for the key whose versions were listed")
        trial.equal(store.keys(), ["b"], "listing after the versions of a key that was never written were listed")
        trial.equal(len(store), 1, "the length after that")


@check("STATE-HIST-03", sources="VS-10; mutant alias_on_get", capability="history", needs=LISTS)
def test_old_versions_never_change(trial: Trial) -> None:
    """A version keeps its id and its value for ever, whatever is written later and whatever is done with what was read.

    Why: a history that can be changed is no evidence of anything.

    Breaks it:

        self._history[key][-1] = value     # versions are merged when they come quickly one after another
    """
    kind = trial.backend.values
    written: list[Any] = []
    known: list[Any] = []
    with trial.fresh() as session:
        store = session.open()
        for number in range(8):
            written.insert(0, domain.numbered(kind, number))
            store["a"] = domain.numbered(kind, number)
            versions = _holds(trial, store, "a", written, f"after {number + 1} writes")
            same_ids = versions[1:] == known
            trial.true(same_ids, "the ids of the older versions", expected=literal(known), got=literal(versions[1:]))
            known = versions
            read = store.get_version("a", versions[-1])
            if isinstance(read, dict):
                read["changed"] = "by the reader"
        _holds(trial, store, "a", written, "after the reader changed what it had read")
        trial.equal(store["a"], written[0], "the present value after that")
        for number in range(120):
            store["a"] = domain.numbered(kind, 1_000 + number)
        trial.equal(len(store.versions("a")), 128, "the number of versions after 128 writes")
        for version, value in zip(known, written, strict=True):
            trial.equal(
                store.get_version("a", version), value, "the value of one of the first versions, 120 writes later"
            )


@check("STATE-HIST-04", sources="VS-11", capability="history", needs=LISTS)
def test_versions_outlive_a_delete(trial: Trial) -> None:
    """The versions of a deleted key can still be listed and read; written again, the key adds to them.

    Why: what was deleted by mistake is what the history is needed for.

    Breaks it:

        DELETE FROM history WHERE key = ?     -- in the delete of the key
    """
    kind = trial.backend.values
    with trial.fresh() as session:
        store = session.open()
        written: dict[int, Any] = {}
        order: list[Any] = []
        for life in range(3):
            for number in (2 * life, 2 * life + 1):
                store["a"] = domain.numbered(kind, number)
                version = store.versions("a")[0]
                trial.true(
                    all(version != old for old in order),
                    "the id of a new version",
                    expected=f"none of {literal(order)}",
                    got=literal(version),
                )
                written[len(order)] = domain.numbered(kind, number)
                order.append(version)
            del store["a"]
            # A store may list the delete itself too; of the others none may be missing, nor in another place.
            found = [one for one in store.versions("a") if any(one == old for old in order)]
            trial.true(
                found == order[::-1],
                "the versions of a deleted key",
                expected=literal(order[::-1]),
                got=literal(found),
            )
            for place, old in enumerate(order):
                trial.equal(
                    store.get_version("a", old), written[place], f"the value of write {place + 1} after a delete"
                )
            trial.raises(lambda: store["a"], "missing", "reading a deleted key that has versions")


@check("STATE-HIST-05", sources="VS-13; mutant unordered_limit", capability="history", needs=LISTS)
def test_limit_gives_the_newest(trial: Trial) -> None:
    """`versions(key, limit=n)` lists the newest n versions, or all when there are fewer.

    Why: the newest ones are asked for by everybody. The oldest n look right until there are more than n.

    Breaks it:

        SELECT version FROM history WHERE key = ? LIMIT ?     -- no ORDER BY: the oldest
    """
    with trial.fresh() as session:
        store = session.open()
        for number in range(6):
            store["a"] = domain.numbered(trial.backend.values, number)
        versions = store.versions("a")
        trial.equal(len(versions), 6, "the number of versions after 6 writes")
        for limit in (1, 2, 5, 6, 7, 1_000):
            found = store.versions("a", limit=limit)
            expected = versions[:limit]
            trial.true(found == expected, f"listing {limit} versions", expected=literal(expected), got=literal(found))
        trial.equal(store.versions("never", limit=3), [], "listing 3 versions of a key never written")


@check("STATE-HIST-06", sources="VS-03, VS-12", capability="history", needs=LISTS)
def test_unknown_version_raises_key_error(trial: Trial) -> None:
    """Reading a version that the key never had raises KeyError.

    Why: the nearest version, or the present one, in the place of a missing one is a wrong answer that looks right.

    Breaks it:

        SELECT value FROM history WHERE version <= ? ORDER BY version DESC LIMIT 1     -- and whose key is it?
    """
    kind = trial.backend.values
    with trial.fresh() as session:
        store = session.open()
        store["before"] = domain.numbered(kind, 1)
        store["a"] = domain.numbered(kind, 2)
        for number in range(3, 7):
            store["b"] = domain.numbered(kind, number)
        (own,) = store.versions("a")
        others = store.versions("b") + store.versions("before")
        for version in others:
            if version != own:  # stores that count per key give some ids to several keys
                trial.raises(lambda: store.get_version("a", version), "missing", "reading a version of another key")  # noqa: B023
        trial.raises(lambda: store.get_version("never", own), "missing", "reading a version of a key never written")
        trial.equal(store.get_version("a", own), domain.numbered(kind, 2), "reading the key's only version")


@check("STATE-HIST-07", sources="VS-10, KV-40", capability="history", needs=LISTS, promise="durability:clean-close")
def test_history_survives_reopening(trial: Trial) -> None:
    """The versions of present and of deleted keys are the same after reopening, and new ones get ids of their own.

    Why: a history that lasts as long as the process shows nothing of what happened before the failure.

    Breaks it:

        self._next = 1                     # when the store is opened: new ids overwrite old versions
    """
    kind = trial.backend.values
    with trial.fresh() as session:
        store = session.open()
        for number in range(4):
            store["a"] = domain.numbered(kind, number)
            store["deleted"] = domain.numbered(kind, 10 + number)
        written = [domain.numbered(kind, number) for number in (3, 2, 1, 0)]
        written_then_deleted = [domain.numbered(kind, number) for number in (13, 12, 11, 10)]
        known = _holds(trial, store, "deleted", written_then_deleted, "before it was deleted")
        del store["deleted"]
        before = {key: store.versions(key) for key in ("a", "deleted")}
        store = session.reopen(store)
        for key, expected in before.items():
            found = store.versions(key)
            what = f"the versions of {key!r} after reopening"
            trial.true(found == expected, what, expected=literal(expected), got=literal(found))
        _holds(trial, store, "a", written, "after reopening")
        store["a"] = domain.numbered(kind, 4)
        store["deleted"] = domain.numbered(kind, 5)
        _holds(trial, store, "a", [domain.numbered(kind, 4), *written], "after reopening and a write")
        newest = store.versions("deleted")[0]
        old = any(newest == version for version in before["deleted"])
        trial.true(not old, "the id of a new version", expected=f"none of {literal(known)}", got=literal(newest))
        for version, value in zip(known, written_then_deleted, strict=True):
            trial.equal(store.get_version("deleted", version), value, "a version from before delete and reopening")


@check("STATE-HIST-08", sources="KV-28", capability="history", needs=LISTS)
def test_each_write_adds_one_version(trial: Trial) -> None:
    """Each successful write adds one version, however it was made, equal values included; nothing else adds any.

    Why: who changed what, and when, is asked after the damage. A write that left no version is the one that did it.

    Breaks it:

        if value != self.get(key):         # equal values leave no trace
            self._history[key].append(value)
    """
    kind = trial.backend.values
    one, two = domain.numbered(kind, 1), domain.numbered(kind, 2)
    with trial.fresh() as session:
        store = session.open()
        written = [one, one, two, one]
        for value in written:
            store["a"] = value
        if works(trial, "cas"):
            store.compare_and_set("a", two, store.version("a"))
            written.append(two)
        if works(trial, "ttl"):
            store.set("a", one)
            written.append(one)
        if works(trial, "transactions"):
            with store.transaction() as t:
                t["a"] = two
            written.append(two)
        _holds(trial, store, "a", written[::-1], "after writes of every kind")
        trial.equal(state_of(store), {"a": written[-1]}, "the state after writes of every kind")
        _holds(trial, store, "a", written[::-1], "after the store was read")


@check("STATE-HIST-09", sources="VS-10; mutant prefix_boundary", capability="history", needs=LISTS)
def test_histories_of_keys_are_apart(trial: Trial) -> None:
    """Each key has a history of its own, whatever its neighbours are called and whenever they are written.

    Why: one table for all keys and one wrong WHERE, and a run is rolled back to the state of another.

    Breaks it:

        SELECT version FROM history WHERE key LIKE ? || '%'
    """
    kind = trial.backend.values
    keys = ("a", "aa", "a/b", "A", "a%", "a_", "ab", "b")
    written: dict[str, list[Any]] = {key: [] for key in keys}
    with trial.fresh() as session:
        store = session.open()
        for number in range(24):
            key = keys[number * 5 % len(keys)]
            written[key].insert(0, domain.numbered(kind, number))
            store[key] = domain.numbered(kind, number)
        for key in keys:
            _holds(trial, store, key, written[key], "after all keys were written in turn")


@check("STATE-HIST-10", sources="KV-52, TX-05", capability="history", needs=LISTS)
def test_refused_write_adds_no_version(trial: Trial) -> None:
    """A write that was refused adds no version.

    Why: a version that was never the value of its key is a piece of history that did not happen.

    Breaks it:

        self._history[key].append(value)
        self._data[key] = json.dumps(value)     # raises
    """
    kind = trial.backend.values
    bad = unstorable(trial)
    with trial.fresh() as session:
        store = session.open()
        store["a"] = domain.numbered(kind, 1)
        before = observed(trial, store, "new")
        for key in ("a", "new"):
            refused_value(trial, lambda: store.__setitem__(key, bad))  # noqa: B023 - called at once
        unchanged(trial, store, before, "after a write was refused", "new")
        store["a"] = domain.numbered(kind, 2)
        _holds(trial, store, "a", [domain.numbered(kind, 2), domain.numbered(kind, 1)], "after the next write")


@check("STATE-HIST-11", sources="VS-10 to VS-13", capability="history", needs=LISTS)
def test_random_calls_agree_with_the_model(trial: Trial) -> None:
    """After any sequence of writes and deletes each key's versions are the values written to it, newest first.

    Why: deletes, reopening and keys that come back are where a history loses its place.

    Breaks it:

        version = len(self._history[key])     # given twice, once old versions have been thinned out
    """
    from hypothesis import strategies as st

    from conformance.values.strategies import few_keys, sequences

    kind = trial.backend.values
    verbs = st.sampled_from(["write", "write", "delete", "reopen"])

    @trial.examples(sequences(st.tuples(verbs, few_keys(), st.integers(0, 3)), trial.effort.steps))
    def _(calls: list[tuple[str, str, int]]) -> None:
        model = HistoryModel()
        # Marks that a store may put into a history for a delete; they have no value.
        marks: dict[str, list[Any]] = {}
        with trial.fresh() as session:
            store = session.open()
            for verb, key, number in calls:
                if verb == "write":
                    store[key] = domain.numbered(kind, number)
                    model.write(key, domain.numbered(kind, number))
                elif verb == "delete" and key in model.state:
                    before = store.versions(key)
                    del store[key]
                    model.delete(key)
                    now = store.versions(key)
                    marks.setdefault(key, []).extend(one for one in now if all(one != old for old in before))
                elif verb == "reopen" and trial.backend.durability != "volatile":
                    store = session.reopen(store)
            trial.equal(state_of(store), model.state, "the state at the end")
            for key in sorted({key for _, key, _ in calls}):
                versions = [v for v in store.versions(key) if all(v != mark for mark in marks.get(key, ()))]
                found = [store.get_version(key, version) for version in versions]
                trial.equal(found, model.values(key), f"the values of all versions of {key!r}")
