"""A result on its way between processes."""

from __future__ import annotations

import json

import pytest

from conformance.recording import Call
from conformance.result import Counterexample, Result
from tests.report.findings import CRASH, DAMAGE, RACE


@pytest.mark.parametrize("example", [CRASH, DAMAGE, RACE, None], ids=["crash", "damage", "race", "none"])
def test_a_result_comes_back_as_it_was(example: Counterexample | None) -> None:
    """As plain data that JSON can hold, calls and pictures included."""
    result = Result(
        "mystore", "state", "round-trip", "STATE-LIST-01", "must", "It is so.", "fail", counterexample=example
    )
    record = json.loads(json.dumps(result.to_dict()))
    assert Result.from_dict(record) == result


def test_a_case_stays_behind() -> None:
    """It may be large, and is written to a file of its own where it was found."""
    example = Counterexample("a call", "this", "that", (Call(1, "f()", "-> 1"),), case={"files": "x" * 1_000})
    result = Result("mystore", "state", "crash-recovery", "STATE-CRASH-01", "must", "", "fail", counterexample=example)
    assert "case" not in result.to_dict()["counterexample"]
