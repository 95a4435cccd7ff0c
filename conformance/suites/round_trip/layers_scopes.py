"""The capability `scopes` of the `layers` contract: the memory of one is not the memory of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.result import NotApplicable
from conformance.suites.round_trip.layers_steps import (
    absent,
    delete_missing,
    holds,
    lists,
    must_refuse,
    offers,
    several_layers,
    some,
)
from conformance.values.cases import ACCEPTED_KEYS, NEIGHBOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.session import Handle
    from conformance.trial import Trial

_CAPABILITY = "scopes"
_GATE = ("LAYERS-BASIC-01",)
_APART = (*_GATE, "LAYERS-SCOPE-01")
_NO_TEXTS: tuple[Any, ...] = (None, 0, 1, True, 1.5, b"one", ("one",), ["one"], {"user": "one"})
#: Scopes and keys that one separator or another joins to the same text.
_JOINED: tuple[tuple[str, str], ...] = (
    *(
        (f"a{mark}b", "c")
        for mark in (":", "/", ".", "-", "_", "|", "::", "#", " ", "\t", "\x1f", '","', '", "', "%3A")
    ),
    *(
        ("a", f"b{mark}c")
        for mark in (":", "/", ".", "-", "_", "|", "::", "#", " ", "\t", "\x1f", '","', '", "', "%3A")
    ),
    *(("ab", "c"), ("a", "bc"), ("", "abc"), ("a:", "b"), ("a", ":b"), (":a", "b"), ("", "a:b"), ('["a', 'b"]')),
)


@check(
    "LAYERS-SCOPE-01",
    sources="MEM-01, MEM-02; mem0 #4245; Marten conjoined tenancy",
    capability=_CAPABILITY,
    needs=_GATE,
)
def test_scopes_share_nothing(trial: Trial) -> None:
    """What is set in a scope is read and listed there, and in no other scope, the default one included.

    Why: one user reads what another one told the agent. That nothing is seen elsewhere means something only because
    the entry is seen where it belongs.

    Breaks it:

        def entries(self, scope=""):
            return self._query("SELECT key, value FROM entries")         # WHERE scope = ?
    """
    scopes = ("one", "two", "", "three")
    with trial.fresh() as session:
        store = session.open()
        for number, scope in enumerate(scopes):
            key = f"of {scope or 'nobody'}"
            store.set(key, some(trial, number), scope=scope)
            trial.equal(store.get(key, scope=scope), some(trial, number), f"reading {key!r} in its scope {scope!r}")
            for other in scopes:
                if other != scope:
                    absent(trial, store, key, f"reading {key!r} in the scope {other!r}", scope=other)
        for number, scope in enumerate(scopes):
            lists(
                trial,
                store,
                {f"of {scope or 'nobody'}": some(trial, number)},
                f"listing the scope {scope!r}",
                scope=scope,
            )
        lists(trial, store, {}, "listing a scope that nobody has used", scope="four")


@check("LAYERS-SCOPE-02", sources="MEM-03, MEM-13", capability=_CAPABILITY, needs=_APART)
def test_one_key_lives_in_each_scope_by_itself(trial: Trial) -> None:
    """A key that is in several scopes has a value in each; setting, deleting and clearing in one leaves the others.

    Why: every user has a name, and `forget everything` is said by one of them.

    Breaks it:

        def clear(self, scope=""):
            self._run("DELETE FROM entries")                             # WHERE scope = ?
    """
    with trial.fresh() as session:
        store = session.open()
        scopes = ("one", "two", "", "three")
        expected: dict[str, dict[str, Any]] = {}
        for number, scope in enumerate(scopes):
            expected[scope] = {"k": some(trial, number), "l": some(trial, 10 + number)}
            for key, value in expected[scope].items():
                store.set(key, value, scope=scope)
        _each(trial, store, expected, "the keys having been set in every scope")
        for scope in scopes[:-1]:
            expected[scope]["k"] = some(trial, 20)
            store.set("k", some(trial, 20), scope=scope)
            _each(trial, store, expected, f"the key having been set again in {scope!r}")
            del expected[scope]["k"]
            store.delete("k", scope=scope)
            absent(trial, store, "k", f"reading the key in {scope!r} after it was deleted there", scope=scope)
            delete_missing(trial, store, "k", scope=scope)
            _each(trial, store, expected, f"the key having been deleted in {scope!r}")
            expected[scope] = {}
            store.clear(scope=scope)
            _each(trial, store, expected, f"the scope {scope!r} having been cleared")


def _each(trial: Trial, store: Handle, expected: Mapping[str, Mapping[str, Any]], when: str) -> None:
    for scope, entries in expected.items():
        holds(trial, store, entries, f"in the scope {scope!r}, {when}", scope=scope)


@check("LAYERS-SCOPE-03", sources="MEM-04", capability=_CAPABILITY, needs=_APART)
def test_default_scope_is_the_empty_name(trial: Trial) -> None:
    """Without a scope every verb is about the scope `""`, which is a scope like every other.

    Why: a missing scope must not mean everybody: an adapter that forgets to pass it would list the memory of all users,
    or clear it.

    Breaks it:

        where = "WHERE scope = ?" if scope else ""
    """
    with trial.fresh() as session:
        store = session.open()
        store.set("k", some(trial, 1), scope="one")
        lists(trial, store, {}, "listing without a scope, another one having an entry")
        absent(trial, store, "k", "reading without a scope what another one has")
        store.set("k", some(trial, 2))
        holds(trial, store, {"k": some(trial, 2)}, 'in the scope "", a key having been set without one', scope="")
        store.set("k", some(trial, 3), scope="")
        holds(trial, store, {"k": some(trial, 3)}, 'without a scope, a key having been set in ""')
        store.delete("k", scope="")
        absent(trial, store, "k", 'reading without a scope, the key having been deleted in ""')
        store.set("k", some(trial, 4), scope="")
        store.clear()
        lists(trial, store, {}, 'listing the scope "" after a clear without one', scope="")
        _each(trial, store, {"one": {"k": some(trial, 1)}}, "all calls without a scope being done")


@check("LAYERS-SCOPE-04", sources="MEM-05; KV-11", capability=_CAPABILITY, needs=_APART)
def test_separators_do_not_alias(trial: Trial) -> None:
    """A scope and a key are data: whatever separators are in them, `a:b` with `c` is not `a` with `b:c`.

    Why: names come from outside. A user who may choose a name chooses one that ends where another's key begins.

    Breaks it:

        address = f"{scope}:{key}"
    """
    with trial.fresh() as session:
        store = session.open()
        expected: dict[str, dict[str, Any]] = {}
        for number, (scope, key) in enumerate(_JOINED):
            value = some(trial, number)
            if not trial.refused(lambda s=scope, k=key, v=value: store.set(k, v, scope=s)):  # type: ignore[misc]
                expected.setdefault(scope, {})[key] = value
        _each(trial, store, expected, "scopes and keys with separators having been set")
        for scope in list(expected):
            store.clear(scope=scope)
            del expected[scope]
            _each(trial, store, expected, f"the scope {scope!r} having been cleared")


@check("LAYERS-SCOPE-05", sources="KV-10; MEM-01", capability=_CAPABILITY, needs=_APART)
def test_similar_scopes_are_different_scopes(trial: Trial) -> None:
    """Scopes are compared exactly: names that differ in case, normal form, space around or one late character differ.

    Why: two tenants whose names are folded into one share their memory.

    Breaks it:

        scope = re.sub(r"[^a-z0-9]", "_", scope.lower())
    """

    @trial.cases({**NEIGHBOURS, "one after the other": tuple(ACCEPTED_KEYS.values())})
    def _(store: Handle, group: tuple[str, ...]) -> None:
        expected: dict[str, dict[str, Any]] = {}
        for number, scope in enumerate(group):
            value = some(trial, number)
            if not trial.refused(lambda s=scope, v=value: store.set("k", v, scope=s)):  # type: ignore[misc]
                expected[scope] = {"k": value}
        _each(trial, store, expected, "scopes like it having been used too")
        for scope in list(expected)[:-1]:
            store.clear(scope=scope)
        for scope in list(expected)[-1:]:
            _each(trial, store, {scope: expected[scope]}, "the scopes like it having been cleared")
            store.clear(scope=scope)


@check("LAYERS-SCOPE-06", sources="MEM-04; kaos#286, missing principal", capability=_CAPABILITY, needs=_APART)
def test_scope_that_is_no_text_is_refused(trial: Trial) -> None:
    """A scope that is no text, None included, is refused by every verb with TypeError or ValueError; nothing changes.

    Why: the id of a user who is not logged in is None. Taken for "no scope given", it reads the memory of everybody, or
    clears it.

    Breaks it:

        def clear(self, scope=None):
            if scope is None:
                self._run("DELETE FROM entries")
    """
    with trial.fresh() as session:
        store = session.open()
        expected = {scope: {"k": some(trial, number)} for number, scope in enumerate(("", "one", "None", "1", "True"))}
        for scope, entries in expected.items():
            store.set("k", entries["k"], scope=scope)
        for scope in _NO_TEXTS:
            calls: dict[str, Callable[[], Any]] = {
                "get": lambda scope=scope: store.get("k", scope=scope),  # type: ignore[misc]
                "entries": lambda scope=scope: store.entries(scope=scope),  # type: ignore[misc]
                "set": lambda scope=scope: store.set("k", some(trial, 99), scope=scope),  # type: ignore[misc]
                "delete": lambda scope=scope: store.delete("k", scope=scope),  # type: ignore[misc]
                "clear": lambda scope=scope: store.clear(scope=scope),  # type: ignore[misc]
            }
            for verb, call in calls.items():
                must_refuse(trial, call, (TypeError, ValueError), f"calling {verb} with the scope {scope!r}")
        _each(trial, store, expected, "calls with scopes that are no text having been refused")


@check("LAYERS-SCOPE-07", sources="MEM-01, MEM-06, MEM-13", capability=_CAPABILITY, needs=_APART)
def test_scopes_are_apart_in_every_layer(trial: Trial) -> None:
    """The layers of a scope are its own: no layer of another scope wins, is listed, or is cleared with them.

    Why: isolation is tried in the layer that everybody uses. The policy layer, read by all and written by few, is where
    the scope is forgotten.

    Breaks it:

        def get(self, key, layer=None, scope=""):
            for name in self.precedence:
                owner = scope if name == "working" else ""               # the others are for everybody
    """
    if not offers(trial, "precedence"):
        raise NotApplicable("the store has no layers")
    with trial.fresh() as session:
        store = session.open()
        names = several_layers(trial, store)
        alone = {name: f"only {name}" for name in names}  # a scope for each layer
        for number, name in enumerate(names):
            store.set("k", some(trial, number), layer=name, scope=alone[name])
            store.set("k", some(trial, 10 + number), layer=name, scope="all")
        for number, name in enumerate(names):
            expected = {"k": some(trial, number)}
            holds(trial, store, expected, f"of a scope that has {name!r} only", scope=alone[name])
            for layer in names:
                if layer != name:
                    what = "reading a layer that another scope has"
                    absent(trial, store, "k", what, layer=layer, scope=alone[name])
            absent(trial, store, "k", f"reading {name!r} without a scope", layer=name)
        store.clear(layer=names[0], scope="all")
        store.clear(scope=alone[names[-1]])
        what = "reading after the first layer of the scope was cleared"
        trial.equal(store.get("k", scope="all"), some(trial, 11), what)
        for number, name in enumerate(names[:-1]):
            what = f"reading {name!r} in its scope, others having been cleared"
            trial.equal(store.get("k", layer=name, scope=alone[name]), some(trial, number), what)
        for number, name in enumerate(names[1:], 11):
            what = f"reading {name!r} in a scope that has all, its first layer and another scope having been cleared"
            trial.equal(store.get("k", layer=name, scope="all"), some(trial, number), what)
