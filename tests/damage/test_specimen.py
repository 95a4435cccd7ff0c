"""Specimens on real files: what is known of them."""

from __future__ import annotations

import os

import pytest

from conformance.damage.specimen import within
from tests.damage import stores
from tests.damage.conftest import Benches

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork(2) here")


def test_a_specimen_knows_its_past(benches: Benches) -> None:
    """Earlier versions of its files, newest first, and where its values stand."""
    _, (closed, recovered, killed) = benches.of(stores.LINES)
    (line,) = (line for line in (closed.tree["lines"] or b"").splitlines() if b'"k5"' in line)
    assert len(line) > 5_000
    assert [name for name, _ in closed.older][:2] == ["after call 10 of 10", "after call 9 of 10"]
    assert closed.older[0][1] == closed.tree
    assert (closed.older[1][1]["lines"] or b"").count(b"\n") == 8
    assert recovered.tree == closed.tree == killed.tree
    assert sorted(closed.truth.records) == sorted(name for name, places in closed.regions.items() if len(places) == 1)
    for name, value in closed.truth.records.items():
        ((path, offset, length),) = closed.regions[name]
        assert (closed.tree[path] or b"")[offset : offset + length].decode() == value
    shared = {id(content) for _, tree in closed.older for content in tree.values() if content == closed.tree["lines"]}
    assert len(shared) == 1  # however many versions have it
    first = list(within(closed, list(closed.truth.records)))
    assert [name for name, *_ in first] == list(closed.truth.records)
