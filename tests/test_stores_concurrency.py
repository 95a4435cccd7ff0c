"""Public stores in two processes at once: what each is known to keep, and to lose; see docs/stores.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.check import catalogue
from tests.test_stores import bench, installed

#: Module, address, check, and what comes of it.
CASES: list[tuple[str, str, str, str]] = [
    ("tinydb", "tests.stores.tinydb_store:backend", "STATE-CONC-11", "fail"),
    ("tinydb", "tests.stores.tinydb_store:backend", "STATE-CONC-13", "fail"),
    ("dbm.dumb", "tests.stores.dbm_dumb_store:backend", "STATE-CONC-11", "fail"),
    ("dbm.dumb", "tests.stores.dbm_dumb_store:backend", "STATE-CONC-13", "fail"),
    ("sqlitedict", "tests.stores.sqlitedict_store:backend", "STATE-CONC-13", "pass"),
    ("diskcache", "diskcache:Cache", "STATE-CONC-11", "pass"),
    ("diskcache", "diskcache:Cache", "STATE-CONC-13", "pass"),
]


@pytest.mark.parametrize(("module", "address", "code", "outcome"), CASES)
def test_store_in_two_processes(module: str, address: str, code: str, outcome: str, tmp_path: Path) -> None:
    """A public store keeps, or loses, what it is known to; what is lost is shown by the calls that contradict."""
    installed(module)
    result = bench(address, tmp_path).judge(catalogue()[code])
    assert result.outcome == outcome, result
    if outcome == "fail":
        assert result.counterexample is not None
        assert 1 <= len(result.counterexample.story) <= 12
