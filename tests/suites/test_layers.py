"""Every honest and odd layered store passes the checks of the layers contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.result import Result
from tests.benches import bench
from tests.mutants.layers_base import HONEST
from tests.odd.layers import ODD

CHECKS = [check for check in catalogue().values() if (check.contract, check.suite) == ("layers", "round-trip")]
REFERENCES = [
    "reference_backends.memory:backend",
    "reference_backends.file:backend",
    "reference_backends.sqlite:backend",
    "reference_backends.wal:backend",
]


def judged(backend: Backend, root: Path, checks: list[Check]) -> dict[str, Result]:
    """Carry out the round-trip checks of the layers contract."""
    one = bench(backend, root)
    return {check.code: one.judge(check) for check in checks}


@pytest.mark.parametrize("backend", ODD, ids=lambda backend: backend.name)
def test_odd_stores_pass(backend: Backend, tmp_path: Path) -> None:
    """A layered store that obeys the contract in its own way fails no check."""
    results = judged(backend, tmp_path, CHECKS)
    assert [result for result in results.values() if result.outcome not in ("pass", "not applicable")] == []


def test_the_honest_store_is_judged_by_every_check(tmp_path: Path) -> None:
    """No check is left out on a store that offers everything and promises everything."""
    results = judged(HONEST, tmp_path, CHECKS)
    assert [result for result in results.values() if result.outcome != "pass"] == []


@pytest.mark.parametrize("address", REFERENCES)
def test_reference_stores_pass(address: str, tmp_path: Path) -> None:
    """The shipped layered stores fail no check."""
    results = judged(load(address), tmp_path, CHECKS)
    assert [result for result in results.values() if result.outcome not in ("pass", "not applicable")] == []
