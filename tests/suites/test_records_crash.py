"""Checks of crashes of runs, jobs and layers: what they have seen of honest stores, and what they tell of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.bench import Bench
from conformance.check import Check, catalogue
from conformance.crash.subjects import SUBJECTS
from conformance.profile import probe
from conformance.result import Result
from conformance.suites.crash_recovery.laboratory import budget_of
from tests.benches import bench, ends_with_the_test
from tests.mutants.registry import mutants
from tests.odd.records_crash import ODD
from tests.suites.test_crash_recovery import SMALL

RECORDS = ("runs", "jobs", "layers")
CHECKS = [check for check in catalogue().values() if check.suite == "crash-recovery" and check.contract in RECORDS]


def without_gates(backend: Backend, root: Path, seed: int) -> Bench:
    """Return a bench in which everything that is no matter of crashes has passed."""
    results = {
        code: Result(backend.name, check.contract, check.suite, code, check.level, check.sentence, "pass")
        for code, check in catalogue().items()
        if "-CRASH-" not in code
    }
    return ends_with_the_test(Bench(probe(backend), SMALL, seed, root, results=results))


def judged(backend: Backend, code: str, root: Path) -> Result:
    """Return what a check says of a backend."""
    return bench(backend, root, effort=replace(SMALL, crash_states=40)).judge(catalogue()[code])


@pytest.mark.parametrize("contract", RECORDS)
def test_every_rule_has_seen_something(contract: str, tmp_path: Path) -> None:
    """Each check that concerns a store on plain files has compared something, and passed."""
    one = without_gates(load("tests.odd.records_crash:ODD_RECORDS_FILES"), tmp_path, 0)
    results = [one.judge(check) for check in CHECKS if check.contract == contract]
    assert {result.outcome for result in results} == {"pass"}
    assert all(result.evidence["comparisons"] > 0 for result in results)


@pytest.mark.parametrize("backend", ODD, ids=lambda backend: backend.name)
def test_no_false_alarm_at_some_seeds(backend: Backend, tmp_path: Path) -> None:
    """Kills take nothing from an honest store, whatever is drawn."""

    def kills(check: Check) -> bool:
        return check.contract in backend.contracts and check.code.split("-")[2] in ("01", "02", "03")

    for seed in (1, 2):
        one = without_gates(backend, tmp_path / str(seed), seed)
        results = [one.judge(check) for check in CHECKS if kills(check)]
        assert {result.outcome for result in results} <= {"pass", "not applicable"}, results


TOLD = {
    "pop_then_crash": ("JOBS-CRASH-02", "newer writes without older ones", "'c0' (status 'ready'"),
    "run_written_before_its_index": (
        "RUNS-CRASH-01",
        "the store holds something that nobody wrote",
        "'not listed': 'r",
    ),
    "records_rewritten_in_place": ("RUNS-CRASH-01", "the store cannot be opened", "JSONDecodeError"),
    "layers_cleared_then_rewritten": ("LAYERS-CRASH-02", "an acknowledged write is lost", "nothing in its place"),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_a_failure_tells(name: str, tmp_path: Path) -> None:
    """The verdict, what was expected and what was found are told in words of the contract."""
    code, what, shown = TOLD[name]
    (mutant,) = [mutant for mutant in mutants() if mutant.name == name]
    result = judged(mutant.backend, code, tmp_path)
    example = result.counterexample
    assert example is not None, result
    told = "\n".join([example.what, example.expected, example.got, *example.story])
    assert what in told
    assert shown in told


def test_a_lease_that_is_lost_is_told(tmp_path: Path) -> None:
    """A job that is running, with nobody who has it, is never handed out again: the failure says who got none."""
    (mutant,) = [mutant for mutant in mutants() if mutant.name == "lease_beside_the_job"]
    result = judged(mutant.backend, "JOBS-CRASH-02", tmp_path)
    assert result.counterexample is not None, result
    assert "handed out" in result.counterexample.expected + result.counterexample.got


@pytest.mark.parametrize(("address", "share"), [("reference_backends.file:backend", 2), (ODD[0].address, 1)])
def test_a_composition_beside_a_state_gets_half(address: str, share: int, tmp_path: Path) -> None:
    """What a backend keeps in its state is explored half as far, and what it keeps alone as far as a state."""
    one = bench(load(address), tmp_path)
    effort = one.effort
    for contract in one.profile.methods:
        check = next(check for check in catalogue().values() if check.code.endswith("-CRASH-01")
                     and check.contract == contract)  # fmt: skip
        part = share if contract in RECORDS else 1
        assert budget_of(one.trial(check)) == (effort.crash_states // part, effort.crash_seconds / part)


def test_every_contract_of_records_is_a_subject() -> None:
    """The engine knows what the checks are about."""
    assert set(RECORDS) <= set(SUBJECTS)
