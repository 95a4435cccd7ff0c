"""The layered store over a state: where it keeps what, and what it does that its contract leaves open."""

from __future__ import annotations

import pytest

from reference_backends.layers import PRECEDENCE, LayerStore
from reference_backends.memory import MemoryState


@pytest.fixture
def store() -> LayerStore:
    """Return a store in memory."""
    return LayerStore(MemoryState())


def test_entries_are_kept_under_unambiguous_keys() -> None:
    """Each entry of the state has scope, layer and key as JSON, so that no text in them can be taken for another."""
    state = MemoryState()
    store = LayerStore(state)
    store.set('c"', 1, layer="policy", scope='a","b')
    store.set("é", 2)
    assert sorted(state) == ['["", "working", "é"]', '["a\\",\\"b", "policy", "c\\""]']


def test_what_is_missing_raises_a_key_error(store: LayerStore) -> None:
    """A missing key raises KeyError, and deleting one is no error."""
    store.set("a", 1, layer="policy")
    store.delete("a")
    assert store.get("a") == 1
    with pytest.raises(KeyError):
        store.get("b")


def test_entries_come_in_the_order_of_their_keys(store: LayerStore) -> None:
    """Whatever the layer of an entry, and whenever it was set."""
    for key, layer in (("c", "working"), ("a", "policy"), ("b", "profile"), ("a", "profile")):
        store.set(key, layer, layer=layer)
    assert store.entries() == [("a", "profile"), ("b", "profile"), ("c", "working")]


@pytest.mark.parametrize("verb", ["get", "set", "delete", "entries", "clear"])
def test_unknown_layers_and_scopes_that_are_no_text_are_refused(store: LayerStore, verb: str) -> None:
    """Every verb says which layers there are, and takes no scope that is no text."""
    args = {"get": ("a",), "set": ("a", 1), "delete": ("a",)}.get(verb, ())
    with pytest.raises(ValueError, match="working, profile, policy"):
        getattr(store, verb)(*args, layer="Policy")
    with pytest.raises(TypeError):
        getattr(store, verb)(*args, scope=None)


def test_the_precedence_is_given() -> None:
    """A store has the layers that it is given, the one that wins first; by default those of an agent."""
    assert LayerStore(MemoryState()).precedence == PRECEDENCE
    store = LayerStore(MemoryState(), ("over", "under"))
    store.set("a", 1, layer="under")
    store.set("a", 2)
    assert (store.get("a"), store.entries(layer="over"), store.get("a", layer="under")) == (2, [("a", 2)], 1)
