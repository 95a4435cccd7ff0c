"""The suite `differential`, carried out without pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import Backend
from conformance.check import DIFFERENTIAL, catalogue
from conformance.profile import probe
from reference_backends import file, memory, sqlite, wal
from tests.benches import bench, judge_all

CODES = [check.code for check in catalogue().values() if check.suite == DIFFERENTIAL]


@pytest.mark.parametrize(
    ("backend", "other"),
    [(sqlite.backend, file.backend), (file.backend, memory.backend), (wal.backend, sqlite.backend)],
    ids=lambda backend: backend.name,
)
def test_honest_stores_do_not_part(backend: Backend, other: Backend, tmp_path: Path) -> None:
    """Stores that both obey the contracts answer the same; what only one of them has is not compared."""
    one = bench(backend, tmp_path)
    one.against = probe(other)
    for code in CODES:
        contract = catalogue()[code].contract
        if contract not in one.profile.missing:
            continue
        result = one.judge(catalogue()[code])
        if contract in one.against.missing:
            assert result.outcome == "pass", result
            assert result.evidence["comparisons"] > 30
            assert result.conditions == {"compared with": other.name}
        else:
            assert result.outcome == "not applicable"


def test_a_backend_alone_is_compared_with_nothing(tmp_path: Path) -> None:
    """Without another backend no check of the suite applies."""
    results = judge_all(memory.backend, tmp_path, suites=(DIFFERENTIAL,))
    assert {code: result.outcome for code, result in results.items()} == dict.fromkeys(CODES, "not applicable")
    assert "give two, --backend=A --backend=B" in results["DIFF-STATE-01"].reason


def test_stores_without_values_in_common_are_not_compared(tmp_path: Path) -> None:
    """One that keeps bytes alone and one that keeps JSON can't be given the same."""
    one = bench(Backend("raw", state=lambda _: {}, values="bytes", durability="volatile"), tmp_path)
    one.against = probe(memory.backend)
    result = one.judge(catalogue()["DIFF-STATE-01"])
    assert result.outcome == "not applicable"
    assert result.reason == "one keeps bytes alone, the other json"
