"""A store that refuses the changes of all threads but one loses none of them, and was not tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import Backend
from conformance.check import catalogue
from tests.benches import bench
from tests.suites.refusing import FIRST, OPENER


@pytest.mark.parametrize(
    ("backend", "code"),
    [
        (OPENER, "STATE-CONC-01"),
        (OPENER, "STATE-CONC-04"),
        (OPENER, "STATE-CONC-61"),
        (OPENER, "STATE-CONC-62"),
        (OPENER, "LOG-CONC-01"),
        (OPENER, "RUNS-CONC-03"),
        (OPENER, "JOBS-CONC-11"),
        (OPENER, "JOBS-CONC-12"),
        (OPENER, "LAYERS-CONC-03"),
        (FIRST, "STATE-CONC-01"),
        (FIRST, "STATE-CONC-61"),
        (FIRST, "LOG-CONC-01"),
        (FIRST, "JOBS-CONC-12"),
    ],
    ids=lambda value: value.name if isinstance(value, Backend) else value,
)
def test_a_store_that_refuses_is_not_judged(backend: Backend, code: str, tmp_path: Path) -> None:
    """The verdict is inconclusive, and says what was raised."""
    result = bench(backend, tmp_path).judge(catalogue()[code])
    assert result.outcome == "inconclusive", result
    assert "at most one worker could change anything" in result.reason
    assert "RuntimeError: another thread may not write" in result.reason
    assert result.evidence["calls that raised"] > 0
