"""Public stores with several at once: what each is known to keep, and to lose; see docs/stores.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.address import load
from conformance.check import catalogue
from conformance.effort import EFFORTS
from tests.benches import bench
from tests.test_stores import installed

#: How fast processes meet depends on the machine.
A_WHILE = replace(EFFORTS["quick"], rounds=5_000, round_seconds=2.0)

#: Module, address, check, and what comes of it.
CASES: list[tuple[str, str, str, str]] = [
    ("tinydb", "tests.stores.tinydb_store:backend", "STATE-CONC-11", "fail"),
    ("tinydb", "tests.stores.tinydb_store:backend", "STATE-CONC-13", "fail"),
    ("dbm.dumb", "tests.stores.dbm_dumb_store:backend", "STATE-CONC-11", "fail"),
    ("dbm.dumb", "tests.stores.dbm_dumb_store:backend", "STATE-CONC-13", "fail"),
    ("tinydb", "tests.stores.tinydb_store:backend", "STATE-CONC-31", "fail"),
    ("dbm.dumb", "tests.stores.dbm_dumb_store:backend", "STATE-CONC-02", "fail"),
    ("sqlitedict", "tests.stores.sqlitedict_store:backend", "STATE-CONC-13", "pass"),
    ("sqlitedict", "tests.stores.sqlitedict_store:backend", "STATE-CONC-31", "pass"),
    ("sqlitedict", "tests.stores.sqlitedict_store:backend", "STATE-CONC-41", "pass"),
    ("diskcache", "diskcache:Cache", "STATE-CONC-11", "pass"),
    ("diskcache", "diskcache:Cache", "STATE-CONC-13", "pass"),
    ("diskcache", "diskcache:Cache", "STATE-CONC-31", "pass"),
    ("diskcache", "diskcache:Cache", "STATE-CONC-41", "pass"),
]


@pytest.mark.parametrize(("module", "address", "code", "outcome"), CASES)
def test_store_with_several_at_once(module: str, address: str, code: str, outcome: str, tmp_path: Path) -> None:
    """A public store keeps, or loses, what it is known to; what is lost is shown by the calls that contradict."""
    installed(module)
    result = bench(load(address), tmp_path, effort=A_WHILE).judge(catalogue()[code])
    assert result.outcome == outcome, result
    if outcome == "fail":
        assert result.counterexample is not None
        assert 1 <= len(result.counterexample.story) <= 12
