"""The logs that the mutants on servers are made of are honest: what breaks them is what they do otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance import Backend
from conformance.effort import EFFORTS
from tests.benches import judge_all
from tests.mutants import servers_postgres, servers_redis

FEW = replace(EFFORTS["quick"], rounds=20, round_seconds=0.2)


@pytest.mark.parametrize("backend", [servers_redis.HONEST, servers_postgres.HONEST], ids=lambda backend: backend.name)
def test_the_honest_log_passes(backend: Backend, tmp_path: Path) -> None:
    """Every check about one user, and those about many."""
    results = judge_all(backend, tmp_path, effort=FEW, suites=["round-trip", "concurrency"])
    assert [one for one in results.values() if one.outcome not in ("pass", "not applicable")] == []
    assert results["LOG-CONC-11"].outcome == "pass"
