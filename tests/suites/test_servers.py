"""The references over real servers pass every check of every suite; what depends on the configuration is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.address import load
from conformance.check import DIFFERENTIAL, catalogue, suite_names
from conformance.effort import EFFORTS
from tests.benches import bench, judge_all

#: PostgreSQL takes a tenth of a second to open, so that less of what is searched by chance has to do.
FEW = replace(
    EFFORTS["quick"],
    crash_states=12,
    kills=1,
    faults=1,
    rounds=4,
    round_seconds=0.02,
    damages=6,
    examples=6,
    operations=100,
)
REFERENCES = ("redis:backend", "postgres:backend")


@pytest.mark.parametrize("suite", [name for name in suite_names() if name != DIFFERENTIAL])
@pytest.mark.parametrize("name", REFERENCES)
def test_references_pass_every_check(name: str, suite: str, tmp_path: Path) -> None:
    """Of each suite something applies, and has seen something."""
    results = judge_all(load(f"reference_backends.{name}"), tmp_path, effort=FEW, suites=[suite])
    assert [
        one for one in results.values() if one.outcome not in ("pass", "not applicable") and one.level == "must"
    ] == []
    passed = [one for one in results.values() if one.outcome == "pass"]
    assert passed
    assert all(one.evidence["comparisons"] for one in passed)


def test_an_async_store_in_a_server(tmp_path: Path) -> None:
    """The twin for event loops does the same."""
    results = judge_all(load("reference_backends.redis:async_backend"), tmp_path, effort=FEW, suites=["round-trip"])
    assert [one for one in results.values() if one.outcome not in ("pass", "not applicable")] == []


@pytest.mark.parametrize(
    ("address", "durability", "code", "outcome"),
    [
        ("redis:backend", "power-loss", "STATE-CRASH-21", "pass"),
        ("redis:everysec", "prefix", "STATE-CRASH-11", "pass"),
        ("redis:volatile", "volatile", "STATE-CRASH-01", "not applicable"),
        ("postgres:backend", "power-loss", "LOG-CRASH-21", "pass"),
        ("postgres:unsynced", "process-crash", "LOG-CRASH-11", "not applicable"),
    ],
)
def test_promises_follow_the_configuration(
    address: str, durability: str, code: str, outcome: str, tmp_path: Path
) -> None:
    """The server was asked: what it can't keep is not promised, and what is promised is seen."""
    one = bench(load(f"reference_backends.{address}"), tmp_path, effort=FEW)
    assert one.profile.backend.durability == durability
    assert one.judge(catalogue()[code]).outcome == outcome
