"""A public store of jobs, judged as it is, after crashes and damage; see docs/stores.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.check import catalogue
from tests.test_stores import bench, installed


@pytest.mark.parametrize(("code", "found"), [("JOBS-CRASH-21", ""), ("JOBS-CORR-03", "silent wrong")])
def test_persist_queue_after_crashes_and_damage(code: str, found: str, tmp_path: Path) -> None:
    """The queue survives or loses what it is known to, when it crashes and when its files are damaged."""
    installed("persistqueue")
    result = bench("tests.stores.persistqueue_store:backend", tmp_path).judge(catalogue()[code])
    assert result.outcome == ("fail" if found else "pass"), result
    if found:
        assert result.counterexample is not None
        assert result.counterexample.what.endswith(found)
