"""What a store of the `state` contract can't keep: it is refused by name, and what was there before stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.recording import raised
from conformance.values import domain
from conformance.values.equality import same

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

BASIC = ("STATE-BASIC-01",)


@check("STATE-FAIL-01", sources="KV-14; mutants dump_fail_destroys, read_error_then_wipe", needs=BASIC)
def test_a_failing_write_damages_nothing(trial: Trial) -> None:
    """A write that fails leaves the old value of its key, and every other key, as they were; the store goes on working.

    Why: a store that serialises while it writes has destroyed the old text when the serialiser gives up.

    Breaks it:

        with open(path, "w") as file:
            json.dump(everything, file)    # raises half-way: the file is cut off there
    """
    numbered = domain.numbered
    kind = trial.backend.values
    bad = domain.unstorable(kind)
    with trial.fresh() as session:
        store = session.open()
        for number in range(5):
            store[f"k{number}"] = numbered(kind, number)
        for key in ("k2", "new"):
            if not trial.refused(lambda key=key: store.__setitem__(key, bad)):  # type: ignore[misc]
                trial.violated(
                    "storing a value that has no stored form", expected="a TypeError or ValueError", got="no exception"
                )
        trial.true("new" not in store, "asking for the key whose first write failed", expected="False", got="True")
        for number in range(5):
            trial.equal(store[f"k{number}"], numbered(kind, number), f"reading 'k{number}' after a write failed")
        trial.equal(sorted(store.keys()), [f"k{number}" for number in range(5)], "listing after a write failed")
        store["new"] = numbered(kind, 9)
        trial.equal(store["new"], numbered(kind, 9), "writing the key again with a good value")
        if trial.backend.durability != "volatile":
            store = session.reopen(store)
            trial.equal(store["k2"], numbered(kind, 2), "reading the old value after reopening")
            trial.equal(len(store), 6, "the length after reopening")


@check("STATE-FAIL-02", sources="KV-14, KIT-20", level="should", needs=BASIC)
def test_refusals_are_type_or_value_errors(trial: Trial) -> None:
    """A value outside the domain is refused with a TypeError or a ValueError.

    Why: callers can catch what they can name. A database driver's own error says nothing about the value.

    Breaks it:

        connection.execute("INSERT ...", (value,))     # sqlite3.InterfaceError: unsupported type
    """
    with trial.fresh() as session:
        store = session.open()
        try:
            store["k"] = domain.unstorable(trial.backend.values)
        except Exception as error:  # noqa: BLE001 - judged here
            trial.true(
                isinstance(error, (TypeError, ValueError)),
                "storing a value that has no stored form",
                expected="TypeError or ValueError to be raised",
                got=raised(error),
            )
        else:
            trial.violated(
                "storing a value that has no stored form", expected="TypeError or ValueError", got="no exception"
            )


@check("STATE-FAIL-03", sources="mutants int_key_to_str, equal_keys_differ; sqlitedict folds 1 and '1'", needs=BASIC)
def test_keys_that_are_not_texts_are_exact_or_refused(trial: Trial) -> None:
    """A key that is not a text is a key of its own, found by equal ones, or is refused loudly; it is never folded.

    Why: `store[1]` and `store["1"]` become one entry, and which of the two wrote last is a matter of luck. Where the
    pickled bytes are the key, an equal tuple whose parts were made anew is another one.

    Breaks it:

        INSERT INTO state (key TEXT PRIMARY KEY) VALUES (1)    -- SQLite turns 1 into '1'
    """
    text = domain.numbered(trial.backend.values, 1)
    other = domain.numbered(trial.backend.values, 2)
    pairs = {"1": 1, "1.5": 1.5, "None": None, "True": True, "a": b"a", "('a',)": ("a",), "('ab', 'ab')": ("ab", "ab")}

    @trial.cases(dict(pairs))
    def _(store: Handle, key: Any) -> None:
        name = next(name for name, one in pairs.items() if same(one, key))
        if trial.refused(lambda: store.__setitem__(name, text)):
            return  # which texts are keys is the rule of another check
        if not trial.refused(lambda: store.__setitem__(key, other)):
            trial.equal(store[name], text, f"reading the key {name!r} after the key {key!r} was written")
            trial.equal(store[key], other, f"reading the key {key!r}, which was accepted")
            _has_equal(trial, store, key)
            trial.true(
                any(same(one, key) for one in store),
                f"looking for {key!r} in the listing",
                expected=f"{key!r} to be listed",
                got="not there",
            )
            del store[key]
        trial.equal(store[name], text, f"reading the key {name!r} after the key {key!r} was used")

    if trial.backend.durability == "volatile":
        return
    for name, key in pairs.items():
        with trial.fresh() as session:
            store = session.open()
            if trial.refused(lambda name=name, store=store: store.__setitem__(name, text)):  # type: ignore[misc]
                continue
            if not trial.refused(lambda key=key, store=store: store.__setitem__(key, other)):  # type: ignore[misc]
                store = session.reopen(store)
                trial.equal(store[name], text, f"reading the key {name!r}, after the key {key!r} and reopening")
                trial.equal(store[key], other, f"reading the key {key!r}, which was accepted, after reopening")
                _has_equal(trial, store, key)


def _has_equal(trial: Trial, store: Handle, key: Any) -> None:
    """Require that a key which was accepted is found by an equal one that shares no part with it."""
    equal = tuple("".join([*part]) for part in key) if isinstance(key, tuple) else key
    what = f"looking for the key {key!r}, which was accepted, by an equal one that was made anew"
    trial.true(equal in store, what, expected="True", got="False")
