"""Every honest run store passes the checks of the runs contract; what a failure shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.result import Counterexample, Result
from tests.benches import bench
from tests.mutants.registry import mutants
from tests.mutants.runs_base import HONEST

CHECKS = [check for check in catalogue().values() if (check.contract, check.suite) == ("runs", "round-trip")]
REFERENCES = [
    "reference_backends.memory:backend",
    "reference_backends.file:backend",
    "reference_backends.sqlite:backend",
    "reference_backends.wal:backend",
]


def judged(backend: Backend, root: Path, checks: list[Check]) -> dict[str, Result]:
    """Carry out the round-trip checks of the runs contract."""
    one = bench(backend, root)
    return {check.code: one.judge(check) for check in checks}


def test_the_honest_run_store_is_judged_by_every_check(tmp_path: Path) -> None:
    """No check is left out on a run store that offers everything and promises everything."""
    results = judged(HONEST, tmp_path, CHECKS)
    assert [result.code for result in results.values() if result.outcome != "pass"] == []


@pytest.mark.parametrize("address", REFERENCES)
def test_reference_run_stores_pass(address: str, tmp_path: Path) -> None:
    """The shipped run stores fail no check, and offer every capability."""
    results = judged(load(address), tmp_path, CHECKS)
    assert [result for result in results.values() if result.outcome not in ("pass", "not applicable")] == []
    reasons = [result.reason for result in results.values() if result.outcome == "not applicable"]
    assert [reason for reason in reasons if "is promised at" not in reason] == []


def shown(name: str, code: str, root: Path) -> Counterexample:
    """Return what is shown of a mutant that a check fails on."""
    (mutant,) = (one for one in mutants() if one.name == name)
    result = bench(mutant.backend, root).judge(catalogue()[code])
    assert result.outcome == "fail"
    assert result.counterexample is not None
    return result.counterexample


def test_a_reordered_list_is_shown_by_its_place(tmp_path: Path) -> None:
    """Of a run whose checkpoints come back sorted, the first that is out of place is shown, and the smallest run."""
    example = shown("runs_sorts_checkpoints", "RUNS-FIELD-01", tmp_path)
    assert example.what == "getting a run with one of the fields: ['checkpoints'][0]['id']"
    assert (example.expected, example.got) == ("'checkpoint-9'", "'checkpoint-10'")
    assert [call.source.partition("(")[0] for call in example.calls] == [
        "store = session.open",
        "store.save_run",
        "store.get_run",
    ]
    assert example.note == "1 of 19 cases fails: checkpoints."


def test_a_superseded_save_is_shown_with_its_token(tmp_path: Path) -> None:
    """Of a store that ignores tokens, the save that went through is shown, after the two acquires."""
    example = shown("runs_ignores_tokens", "RUNS-FENCE-02", tmp_path)
    assert example.what == "saving with a superseded token before the new owner has saved"
    assert (example.expected, example.got) == ("ConflictError to be raised", "None")
    sources = [call.source for call in example.calls]
    assert sources[-3:-1] == ["store.acquire_run('run-1', 'one')", "store.acquire_run('run-1', 'two')"]
    assert sources[-1].endswith("token=1)")


def test_a_run_that_is_listed_twice_is_shown(tmp_path: Path) -> None:
    """Of a store that lists a run for each save, the ids are shown, one of them twice."""
    example = shown("runs_lists_each_save", "RUNS-LIST-01", tmp_path)
    assert example.what == "the ids that are listed after runs were saved again, one of them unchanged"
    assert example.expected == "['run-1', 'run-2', 'run-3']"
    assert example.got.count("'run-1'") == 2
