"""The `layers` contract against its oracle, in random sequences of all that the store offers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.layers_steps import absent, delete_missing, layers_of, lists, offers, some

if TYPE_CHECKING:
    from conformance.trial import Trial

_SCOPES = ("", "a", "a:b", "A")


@check(
    "LAYERS-MODEL-01",
    sources="MEM-01 to MEM-08, MEM-12, MEM-21; Hypothesis stateful testing",
    needs=("LAYERS-BASIC-01", "LAYERS-MISSING-01"),
)
def test_random_sequences_agree_with_the_model(trial: Trial) -> None:
    """Any sequence of sets, deletes, clears, reads, listings and reopenings gives what dicts would give.

    Why: bugs live between the rules: a delete without a layer after a clear of one scope after a reopening. The
    shortest such sequence is shown.

    Breaks it:

        def clear(self, layer=None, scope=""):
            self._keys.difference_update(self._keys_of(scope))           # of all layers; entries() asks this set
    """
    from hypothesis.strategies import fixed_dictionaries, integers, sampled_from

    from conformance.models.layers import LayersModel
    from conformance.random_examples import PlacedMachine, rule, run_machine

    # A place is drawn as numbers: which layers there are is known when the store is open.
    # None of them is drawn most often: that is where they meet.
    layers, scopes = sampled_from((0, 0, 0, 1, 2, 3)), sampled_from((0, 0, 0, 0, *range(1, len(_SCOPES) + 1)))
    places = fixed_dictionaries({"layer": layers, "scope": scopes})
    keys, numbers = sampled_from(("a", "b")), integers(0, 9)

    class LayersMachine(PlacedMachine):
        def __init__(self) -> None:
            super().__init__(trial)
            self.layers = layers_of(trial, self.store) if offers(trial, "precedence") else ("",)
            self.model = LayersModel(self.layers)

        def at(self, place: dict[str, int]) -> dict[str, Any]:
            found: dict[str, Any] = {}
            if place["layer"] and offers(trial, "precedence"):
                found["layer"] = self.layers[place["layer"] % len(self.layers)]
            if place["scope"] and offers(trial, "scopes"):
                found["scope"] = _SCOPES[place["scope"] - 1]
            return found

        @rule(key=keys, number=numbers, place=places)
        def put(self, key: str, number: int, place: dict[str, int]) -> None:
            self.store.set(key, some(trial, number), **self.at(place))
            self.model.set(key, some(trial, number), **self.at(place))
            self.look(key=key, place=place)

        @rule(key=keys, place=places)
        def delete(self, key: str, place: dict[str, int]) -> None:
            delete_missing(trial, self.store, key, **self.at(place))
            self.model.delete(key, **self.at(place))
            self.look(key=key, place=place)

        @rule(place=places, often=sampled_from((False, False, True)))
        def clear(self, place: dict[str, int], often: bool) -> None:  # noqa: FBT001 - drawn
            if often:
                self.store.clear(**self.at(place))
                self.model.clear(**self.at(place))
            self.listing(place=place)

        @rule(key=keys, place=places)
        def look(self, key: str, place: dict[str, int]) -> None:
            expected = self.model.entries(**self.at(place))
            if key in expected:
                trial.equal(self.store.get(key, **self.at(place)), expected[key], f"reading {key!r}")
            else:
                absent(trial, self.store, key, f"reading {key!r}", **self.at(place))

        @rule(place=places)
        def listing(self, place: dict[str, int]) -> None:
            lists(trial, self.store, self.model.entries(**self.at(place)), "listing", **self.at(place))

        @rule(lambda _: trial.backend.durability != "volatile", place=places)
        def reopen(self, place: dict[str, int]) -> None:
            self.store = self.session.reopen(self.store)
            self.listing(place=place)

        def teardown(self) -> None:
            try:
                if sys.exc_info()[0] is None:
                    for layer in range(len(self.layers) + 1):
                        for scope in range(len(_SCOPES) + 1):
                            self.listing(place={"layer": layer, "scope": scope})
            finally:
                super().teardown()

    run_machine(trial, LayersMachine)
