"""Workloads of layers: keys are set and deleted in layers and scopes, and layers are cleared."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from typing import Any

from conformance.crash.subjects import Step
from conformance.crash.workloads.values import SIZES, value_of

_ADA = "ada"


def _writer(draw: random.Random, domain: str, offers: Collection[str]) -> Callable[..., Step]:
    """Return what makes steps: in the layers and scopes that the store has, with values that no other step writes."""
    numbers = iter(range(100))

    def step(verb: str, *key: str, layer: int | None = None, scope: str | None = None) -> Step:
        value: list[Any] = [value_of(key[0], next(numbers), draw.choice(SIZES), domain)] if verb == "set" else []
        place = layer if "precedence" in offers else None, scope if "scopes" in offers else None
        return Step(verb, (*key, *value, *place))

    return step


def _sets(draw: random.Random, domain: str, offers: Collection[str]) -> list[Step]:
    step = _writer(draw, domain, offers)
    return [
        step("set", "k0"),
        step("set", "k0", layer=1),
        step("set", "k1", layer=1, scope=_ADA),
        step("set", "k0", scope=_ADA),
        step("set", "k1", layer=1, scope=_ADA),
        step("delete", "k0"),
        step("set", "k2"),
        step("set", "k0", layer=1),
        step("delete", "k1", layer=1, scope=_ADA),
        step("set", "k0"),
        step("set", "k2"),
    ]


def _clears(draw: random.Random, domain: str, offers: Collection[str]) -> list[Step]:
    step = _writer(draw, domain, offers)
    return [
        *(step("set", key) for key in ("k0", "k1", "k2")),
        step("set", "k0", layer=1),
        step("set", "k1", layer=1, scope=_ADA),
        step("clear", layer=0),
        step("set", "k1"),
        step("set", "k2", layer=1),
        step("clear"),
        step("set", "k0"),
        step("clear", scope=_ADA),
    ]


def _reopening(draw: random.Random, domain: str, offers: Collection[str]) -> list[Step]:
    step = _writer(draw, domain, offers)
    return [
        step("set", "k0"),
        step("set", "k1"),  # not touched again: it tells of a store that took an error for an empty place
        Step("reopen"),
        step("set", "k0", layer=1),
        step("delete", "k0"),
        Step("reopen"),
        step("set", "k2", scope=_ADA),
        step("set", "k0"),
    ]


#: By name; each makes steps from a source of randomness, a domain of values, and what the store offers.
LAYER_WORKLOADS: Mapping[str, Callable[[random.Random, str, Collection[str]], list[Step]]] = {
    "sets and deletes": _sets,
    "clears": _clears,
    "closing and reopening": _reopening,
}
