"""The capability `precedence` of the `layers` contract: layers that are kept apart, and one that wins."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.layers_steps import (
    absent,
    delete_missing,
    holds,
    layers_of,
    lists,
    must_refuse,
    several_layers,
    some,
)
from conformance.values import domain

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.session import Handle
    from conformance.trial import Trial

_CAPABILITY = "precedence"
_GATE = ("LAYERS-BASIC-01",)
_APART = (*_GATE, "LAYERS-LAYER-01")


@check("LAYERS-LAYER-01", sources="MEM-01, MEM-02, MEM-06", capability=_CAPABILITY, needs=_GATE)
def test_entry_is_in_its_layer_alone(trial: Trial) -> None:
    """An entry that was set in a layer is read and listed there, and in no other layer.

    Why: what the user said goes into working memory, what the operator demands into the policy. A layer that shows the
    other's entries makes a remark of the user an order. That nothing is seen elsewhere means something only because
    the entry is seen where it belongs.

    Breaks it:

        def get(self, key, layer=None):
            return self._data[key]         # the layer is accepted, and ignored
    """
    with trial.fresh() as session:
        store = session.open()
        names = layers_of(trial, store)
        for number, name in enumerate(names):
            key = f"of {name}"
            store.set(key, some(trial, number), layer=name)
            trial.equal(store.get(key, layer=name), some(trial, number), f"reading {key!r} in its layer {name!r}")
            trial.equal(store.get(key), some(trial, number), f"reading {key!r} without a layer")
            for other in names:
                if other != name:
                    absent(trial, store, key, f"reading {key!r} in the layer {other!r}", layer=other)
        for number, name in enumerate(names):
            expected = {f"of {name}": some(trial, number)}
            lists(trial, store, expected, f"listing the layer {name!r}", layer=name)


@check("LAYERS-LAYER-02", sources="MEM-03, MEM-08", capability=_CAPABILITY, needs=_APART)
def test_one_key_lives_in_each_layer_by_itself(trial: Trial) -> None:
    """A key that is in several layers has a value in each; setting or deleting it in one leaves the others as they are.

    Why: a preference of the user and the rule of the operator have the same name. Correcting the one must not change
    the other.

    Breaks it:

        def delete(self, key, layer=None):
            for entries in self._layers.values():
                entries.pop(key, None)
    """
    with trial.fresh() as session:
        store = session.open()
        names = layers_of(trial, store)
        expected = {name: {"k": some(trial, number)} for number, name in enumerate(names)}
        for name in names:
            store.set("k", expected[name]["k"], layer=name)
        _each(trial, store, expected, "the key having been set in every layer")
        for number, name in enumerate(names, 10):
            store.set("k", some(trial, number), layer=name)
            expected[name] = {"k": some(trial, number)}
            _each(trial, store, expected, f"the key having been set again in {name!r}")
        for name in names:
            store.delete("k", layer=name)
            expected[name] = {}
            absent(trial, store, "k", f"reading the key in {name!r} after it was deleted there", layer=name)
            _each(trial, store, expected, f"the key having been deleted in {name!r}")
            delete_missing(trial, store, "k", layer=name)
            _each(trial, store, expected, f"the key having been deleted in {name!r} twice")


def _each(trial: Trial, store: Handle, expected: dict[str, dict[str, Any]], when: str) -> None:
    for name, entries in expected.items():
        holds(trial, store, entries, f"in the layer {name!r}, {when}", layer=name)


@check("LAYERS-LAYER-03", sources="MEM-12, MEM-13", capability=_CAPABILITY, needs=_APART)
def test_clear_of_a_layer_leaves_the_others(trial: Trial) -> None:
    """`clear(layer=...)` empties this layer and no other; `clear()` empties all.

    Why: working memory is cleared at the end of a task. A policy that goes with it is not missed until it is needed.

    Breaks it:

        def clear(self, layer=None):
            self._data.clear()
    """
    with trial.fresh() as session:
        store = session.open()
        names = layers_of(trial, store)
        expected = {}
        for number, name in enumerate(names):
            expected[name] = {"k": some(trial, number), f"of {name}": some(trial, 10 + number)}
            for key, value in expected[name].items():
                store.set(key, value, layer=name)
        for name in names[:-1]:
            store.clear(layer=name)
            expected[name] = {}
            _each(trial, store, expected, f"the layer {name!r} having been cleared")
        for number, name in enumerate(names):
            store.set("k", some(trial, number), layer=name)
        store.clear()
        _each(trial, store, {name: {} for name in names}, "all having been cleared")
        lists(trial, store, {}, "listing after all layers were cleared")


@check("LAYERS-LAYER-04", sources="MEM-04; opendal#8205", capability=_CAPABILITY, needs=_APART)
def test_unknown_layer_is_refused(trial: Trial) -> None:
    """A layer that is not in the precedence is refused by every verb, readers included, and nothing changes.

    Why: a name that is misspelt reads as "no policy", or as all layers at once. Nobody sees which.

    Breaks it:

        def entries(self, layer=None):
            return self._layers.get(layer, {}).items()
    """
    types = (*trial.errors("missing"), ValueError)
    with trial.fresh() as session:
        store = session.open()
        names = layers_of(trial, store)
        for number, name in enumerate(names):
            store.set("k", some(trial, number), layer=name)
        for other in (f"{names[0]}x", names[0].swapcase(), f" {names[-1]}", "", "*", "default"):
            if other in names:
                continue
            calls: dict[str, Callable[[], Any]] = {
                "get": lambda other=other: store.get("k", layer=other),  # type: ignore[misc]
                "entries": lambda other=other: store.entries(layer=other),  # type: ignore[misc]
                "set": lambda other=other: store.set("k", some(trial, 99), layer=other),  # type: ignore[misc]
                "delete": lambda other=other: store.delete("k", layer=other),  # type: ignore[misc]
                "clear": lambda other=other: store.clear(layer=other),  # type: ignore[misc]
            }
            for verb, call in calls.items():
                must_refuse(trial, call, types, f"calling {verb} with the unknown layer {other!r}")
        for number, name in enumerate(names):
            holds(trial, store, {"k": some(trial, number)}, f"in the layer {name!r} after refusals", layer=name)
        lists(trial, store, {"k": some(trial, 0)}, "listing all layers after refusals")


@check("LAYERS-PRECEDENCE-01", sources="MEM-06", capability=_CAPABILITY, needs=_APART)
def test_first_layer_that_has_the_key_wins(trial: Trial) -> None:
    """Without a layer, `get` gives the value of the first layer of the precedence that has the key.

    Why: the order of the layers is the policy. Reversed, whatever the user says overrides what the operator demands, or
    what was learnt today is hidden by what was known last year.

    Breaks it:

        for name in reversed(self.precedence):
    """
    with trial.fresh() as session:
        store = session.open()
        names = several_layers(trial, store)
        # Set in this order and in the other one: not the newest may win, nor the oldest.
        for direction in (1, -1):
            for size in range(1, len(names) + 1):
                for having in combinations(names, size):
                    key = f"{direction} {having}"
                    for name in having[::direction]:
                        store.set(key, some(trial, names.index(name)), layer=name)
                    expected = some(trial, names.index(having[0]))
                    trial.equal(store.get(key), expected, f"reading a key of the layers {', '.join(having)}")


@check("LAYERS-PRECEDENCE-02", sources="MEM-06, MEM-08", capability=_CAPABILITY, needs=_APART)
def test_writes_without_a_layer_go_to_the_first(trial: Trial) -> None:
    """Without a layer, `set` writes to the first layer and `delete` deletes from it, so that what is below shows again.

    Why: an override is temporary. A delete that goes through to the layers below takes the user's profile away with it;
    one that leaves a mark behind hides it for ever.

    Breaks it:

        def delete(self, key, layer=None):
            for name in [layer] if layer else self.precedence: ...
    """
    with trial.fresh() as session:
        store = session.open()
        names = several_layers(trial, store)
        below = {name: {"k": some(trial, number)} for number, name in enumerate(names) if number}
        for name, entries in below.items():
            store.set("k", entries["k"], layer=name)
        trial.equal(store.get("k"), some(trial, 1), "reading a key that the first layer has not")
        for number in (10, 11):
            store.set("k", some(trial, number))
            trial.equal(store.get("k"), some(trial, number), "reading a key that was set without a layer")
            _each(trial, store, {**below, names[0]: {"k": some(trial, number)}}, "the key having been set without one")
            store.delete("k")
            trial.equal(store.get("k"), some(trial, 1), "reading the key after it was deleted without a layer")
            _each(trial, store, {**below, names[0]: {}}, "the key having been deleted without one")
        # The first layer has not got it any more: this delete finds nothing, and goes no further.
        delete_missing(trial, store, "k")
        _each(trial, store, {**below, names[0]: {}}, "the key having been deleted without one, the first not having it")
        for number, name in enumerate(names[1:], 1):
            trial.equal(store.get("k"), some(trial, number), f"reading the key, {name!r} being the first that has it")
            store.delete("k", layer=name)
        absent(trial, store, "k", "reading the key after every layer has lost it")


@check("LAYERS-PRECEDENCE-03", sources="MEM-07; KV-15", capability=_CAPABILITY, needs=_APART)
def test_listing_is_of_the_layer_that_wins(trial: Trial) -> None:
    """Without a layer, `entries()` gives each key once, with the value that `get` gives.

    Why: the prompt is made of the listing, decisions of `get`. Where they differ, the model reads one rule and the
    program follows another.

    Breaks it:

        for name in self.precedence:
            yield from self._layers[name].items()        # a key of two layers comes twice
    """
    with trial.fresh() as session:
        store = session.open()
        names = several_layers(trial, store)
        wins: dict[str, tuple[str, ...]] = {}
        for direction in (1, -1):
            for size in range(1, len(names) + 1):
                for having in combinations(names, size):
                    key = f"{direction} {having}"
                    wins[key] = having
                    for name in having[::direction]:
                        store.set(key, some(trial, names.index(name)), layer=name)
        for gone in range(len(names)):
            left = {key: [name for name in having if name in names[gone:]] for key, having in wins.items()}
            expected = {key: some(trial, names.index(having[0])) for key, having in left.items() if having}
            holds(trial, store, expected, f"of all layers, the first {gone} being empty")
            store.clear(layer=names[gone])
        lists(trial, store, {}, "listing after each layer was cleared")


@check("LAYERS-PRECEDENCE-04", sources="KV-02; MEM-06", capability=_CAPABILITY, needs=_APART)
def test_empty_values_win_too(trial: Trial) -> None:
    """An empty or false value in the layer that wins is the value; what is below stays hidden.

    Why: "no notifications" is stored as False, "no allergies" as an empty list. A store that asks whether the value is
    true goes on to the layer below, and finds the opposite.

    Breaks it:

        return self._working.get(key) or self._profile.get(key)
    """
    wanted = ("null", "false", "zero", "zero as a float", "empty text", "empty list", "empty dict", "empty bytes")
    table = {name: value for name, value in domain.accepted(trial.backend.values).items() if name in wanted}
    with trial.fresh() as session:
        store = session.open()
        names = several_layers(trial, store)
        for name, value in table.items():
            store.set(name, some(trial, 1), layer=names[1])
            store.set(name, value, layer=names[0])
            trial.equal(store.get(name), value, "reading a key whose value in the first layer is empty")
        lists(trial, store, table, "listing keys whose values in the first layer are empty")
