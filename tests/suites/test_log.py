"""Every honest and odd log passes the checks of the log contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.result import Result
from tests.benches import bench
from tests.mutants.log_base import HONEST
from tests.odd.log import ODD

CHECKS = [check for check in catalogue().values() if (check.contract, check.suite) == ("log", "round-trip")]
REFERENCES = [
    "reference_backends.memory:backend",
    "reference_backends.sqlite:backend",
    "reference_backends.wal:backend",
]


def judged(backend: Backend, root: Path, checks: list[Check], *, effort: str = "quick") -> dict[str, Result]:
    """Carry out the round-trip checks of the log contract."""
    one = bench(backend, root, effort=effort)
    return {check.code: one.judge(check) for check in checks}


@pytest.mark.parametrize("backend", ODD, ids=lambda backend: backend.name)
def test_odd_logs_pass(backend: Backend, tmp_path: Path) -> None:
    """A log that obeys the contract in its own way fails no check."""
    results = judged(backend, tmp_path, CHECKS)
    assert [result for result in results.values() if result.outcome not in ("pass", "not applicable")] == []


def test_the_honest_log_is_judged_by_every_check(tmp_path: Path) -> None:
    """No check is left out on a log that offers everything and promises everything."""
    results = judged(HONEST, tmp_path, CHECKS)
    assert [result.code for result in results.values() if result.outcome != "pass"] == []


@pytest.mark.parametrize("address", REFERENCES)
def test_reference_logs_pass(address: str, tmp_path: Path) -> None:
    """The shipped logs fail no check."""
    results = judged(load(address), tmp_path, CHECKS)
    assert [result for result in results.values() if result.outcome not in ("pass", "not applicable")] == []
