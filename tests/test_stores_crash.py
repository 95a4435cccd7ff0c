"""Public stores after a crash: what each is known to survive, and what it is known to lose; see docs/stores.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.check import catalogue
from conformance.crash.history import MEANING, Verdict
from tests.test_stores import bench, installed

#: Module, address, check, and what is found; an empty verdict for a store that passes.
CASES: list[tuple[str, str, str, Verdict]] = [
    ("tinydb", "tests.stores.tinydb_store:backend", "STATE-CRASH-01", "cannot read"),
    ("tinydb", "tests.stores.tinydb_store:backend", "STATE-CRASH-11", "cannot read"),
    ("dbm.dumb", "tests.stores.dbm_dumb_store:backend", "STATE-CRASH-01", "torn"),
    ("sqlitedict", "tests.stores.sqlitedict_store:backend", "STATE-CRASH-01", "fine"),
    ("sqlitedict", "tests.stores.sqlitedict_store:backend", "STATE-CRASH-11", "cannot open"),
    ("diskcache", "diskcache:Cache", "STATE-CRASH-01", "fine"),
    ("diskcache", "diskcache:Cache", "STATE-CRASH-03", "fine"),
    ("diskcache", "diskcache:Cache", "STATE-CRASH-21", "lost"),
]


@pytest.mark.parametrize(("module", "address", "code", "verdict"), CASES)
def test_store_after_a_crash(module: str, address: str, code: str, verdict: Verdict, tmp_path: Path) -> None:
    """A public store survives, or loses, what it is known to."""
    installed(module)
    result = bench(address, tmp_path).judge(catalogue()[code])
    if verdict == "fine":
        assert result.outcome == "pass", result
        return
    assert result.counterexample is not None, result
    assert result.counterexample.what.endswith(MEANING[verdict])
