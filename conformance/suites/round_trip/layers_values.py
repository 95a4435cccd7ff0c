"""Keys and values of the `layers` contract: each comes back as it was, or was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.result import NotApplicable
from conformance.suites.round_trip.layers_steps import absent, holds, listed, lists, must_refuse, some
from conformance.values import domain
from conformance.values.cases import ACCEPTED_KEYS, EXACT_OR_REFUSED_KEYS, NEIGHBOURS

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_GATE = ("LAYERS-BASIC-01",)


@check("LAYERS-VALUE-01", sources="KV-01, KV-02; MEM-23", promise="values", needs=_GATE)
def test_every_value_comes_back_equal(trial: Trial) -> None:
    """Every value of the promised domain comes back equal, in type and content, from `get` and from `entries`.

    Why: memories are merged, compared and counted by programs before a model reads them: `1` that became `"1"`, or an
    empty list that became nothing, is another memory.

    Breaks it:

        def entries(self):
            return [(key, str(value)) for key, value in self._rows()]     # get() is exact
    """

    @trial.cases(domain.accepted(trial.backend.values))
    def _(store: Handle, value: Any) -> None:
        store.set("k", value)
        trial.equal(store.get("k"), value, "reading a value back")
        lists(trial, store, {"k": value}, "listing a value")


@check("LAYERS-VALUE-02", sources="KV-01; RFC 8259; the state contract on values", needs=_GATE)
def test_other_values_are_exact_or_refused(trial: Trial) -> None:
    """A value outside the promised domain comes back as it is, or is refused and the old value stays.

    Why: a tuple that comes back as a list, a NaN as None, or an int as a key that is now a text, is altered without an
    error.

    Breaks it:

        json.dumps(value, default=str)     # a date becomes a text
    """
    before = some(trial, 0)
    # A store of bytes takes any buffer, as files and databases do, and gives its content back as bytes.
    taken = "byte array" if trial.backend.values == "bytes" else ""
    table = {name: value for name, value in domain.exact_or_refused(trial.backend.values).items() if name != taken}

    @trial.cases(table)
    def _(store: Handle, value: Any) -> None:
        store.set("k", before)
        if trial.refused(lambda: store.set("k", value)):
            trial.count("refusals")
            lists(trial, store, {"k": before}, "listing the old value after another one was refused")
            trial.equal(store.get("k"), before, "reading the old value after another one was refused")
        else:
            trial.equal(store.get("k"), value, "reading a value that was accepted")


@check("LAYERS-VALUE-03", sources="KV-14; mutant dump_fail_destroys", needs=_GATE)
def test_a_refused_value_changes_nothing(trial: Trial) -> None:
    """A value that can't be stored is refused with TypeError or ValueError, and every entry stays as it was.

    Why: a store that serialises while it writes has destroyed the old entries when the serialiser gives up.

    Breaks it:

        with open(path, "w") as file:
            json.dump(everything, file)    # raises half-way: the file is cut off there
    """
    bad = domain.unstorable(trial.backend.values)
    expected = {key: some(trial, number) for number, key in enumerate("abc")}
    with trial.fresh() as session:
        store = session.open()
        for key, value in expected.items():
            store.set(key, value)
        for key in ("b", "new"):
            what = f"setting {key!r} to a value that has no stored form"
            must_refuse(trial, lambda key=key: store.set(key, bad), (TypeError, ValueError), what)  # type: ignore[misc]
        absent(trial, store, "new", "reading a key whose first value was refused")
        holds(trial, store, expected, "after values were refused")
        store.set("b", some(trial, 9))
        trial.equal(store.get("b"), some(trial, 9), "setting the key to a good value")


@check("LAYERS-KEY-01", sources="KV-09, KV-60; go-cloud WeirdStrings", needs=_GATE)
def test_every_ordinary_key_works(trial: Trial) -> None:
    """Every key of 1 to 200 characters without NUL and surrogates is set, read, listed as it is, and deleted.

    Why: a model chooses the keys of its memory: with quotes, slashes, line ends and emoji.

    Breaks it:

        f"UPDATE entries SET value = '{text}' WHERE key = '{key}'"
    """

    @trial.cases({**ACCEPTED_KEYS, **EXACT_OR_REFUSED_KEYS})
    def _(store: Handle, key: str) -> None:
        if key in EXACT_OR_REFUSED_KEYS.values() and trial.refused(lambda: store.set(key, some(trial, 1))):
            lists(trial, store, {}, "listing after the only key was refused")
            return
        store.set(key, some(trial, 1))
        holds(trial, store, {key: some(trial, 1)}, "the only key being there")
        store.delete(key)
        lists(trial, store, {}, "listing after deleting the only key")


@check("LAYERS-KEY-02", sources="KV-10, KV-11; mutant sanitiser_collision", needs=_GATE)
def test_similar_keys_are_different_keys(trial: Trial) -> None:
    """Keys that differ in case, normal form, space around, a separator or one late character are different.

    Why: two facts that share a key overwrite each other.

    Breaks it:

        key = key.strip().lower()
    """

    @trial.cases(NEIGHBOURS)
    def _(store: Handle, group: tuple[str, ...]) -> None:
        stored: dict[str, Any] = {}
        for number, key in enumerate(group):
            value = some(trial, number)
            if not trial.refused(lambda key=key, value=value: store.set(key, value)):  # type: ignore[misc]
                stored[key] = value
        holds(trial, store, stored, "keys like it having been set too")
        for key in list(stored)[:-1]:
            store.delete(key)
        last = dict(list(stored.items())[-1:])
        holds(trial, store, last, "after the keys like it were deleted")
        store.clear()


@check("LAYERS-ALIAS-01", sources="KV-08; mutants alias_on_put, alias_on_get", needs=_GATE)
def test_entries_are_copies(trial: Trial) -> None:
    """Changing what was set, what was read or what was listed does not change the store.

    Why: the agent goes on with the list that it has just stored. The store then holds a memory that was never set, and
    the next restart takes it away again.

    Breaks it:

        def get(self, key):
            return self._data[key]         # everybody gets the same object
    """
    if trial.backend.values == "bytes":
        raise NotApplicable("bytes can't be changed, so they can't be shared by mistake")
    expected = {"facts": ["one"]}
    with trial.fresh() as session:
        store = session.open()
        facts: list[Any] = ["one"]
        value = {"facts": facts}
        store.set("a", value)
        facts.append("two")
        value["more"] = ["three"]
        trial.equal(store.get("a"), expected, "reading after the caller changed the object that it had set")
        for verb in ("get", "entries"):
            read = store.get("a") if verb == "get" else listed(trial, store, "listing")["a"]
            trial.equal(read, expected, "reading before the caller changes what it has read")
            read["facts"].append("two")
            read["more"] = 1
            trial.equal(store.get("a"), expected, "reading after the caller changed what it had read")
        lists(trial, store, {"a": expected}, "listing after the caller changed what it had read")
