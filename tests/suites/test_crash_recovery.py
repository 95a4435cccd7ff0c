"""The checks of crashes pass every honest store at any seed, and pass none of which they have seen nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.bench import Bench
from conformance.check import Check, catalogue
from conformance.crash.fakedisk import Fake
from conformance.crash.history import History, moments
from conformance.crash.kills import Kill
from conformance.crash.observe import Observation
from conformance.crash.recorded import chosen, record_order
from conformance.crash.subjects import SUBJECTS, Step
from conformance.crash.trace import Mark, Trace
from conformance.effort import EFFORTS, Effort
from conformance.profile import Profile, probe
from conformance.result import Result
from conformance.suites.crash_recovery import rules
from conformance.suites.crash_recovery.laboratory import Laboratory
from conformance.workers import Crew
from tests.benches import bench
from tests.odd.crash import ODD

CHECKS = [check for check in catalogue().values() if check.suite == "crash-recovery"]
REFERENCES = [
    f"reference_backends.{name}:backend"
    for name in ("file", "wal", "sqlite")
    if importlib.util.find_spec(f"reference_backends.{name}")
]
#: References as they can be opened in other ways.
VARIANTS = ["reference_backends.file:sharded", "tests.suites.wal_variants:full", "tests.suites.wal_variants:rotating"]
HONEST = [*REFERENCES, *(backend.address for backend in ODD)]
DOCUMENT = "tests.odd.crash:ODD_CRASH_DOCUMENT"
#: Few states for each, so that there is time for many seeds; the clock must not decide how many.
SMALL = replace(EFFORTS["quick"], crash_states=8, crash_seconds=60.0)
#: Tried at many seeds: a store of each design that costs little. The others are tried at a few, so that there is time.
MANY_SEEDS = {
    "file",
    "odd_crash_document",
    "odd_crash_files",
    "odd_crash_group_commit",
    "odd_crash_journal_log",
    "odd_crash_journal_state",
    "odd_crash_mapped",
    "odd_crash_slots",
    "odd_crash_two_files_log",
}

Judge = Callable[[str, Check, int], Result]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Judge a check at a seed with the crew that all seeds of the backend share; the gates are judged at seed 0."""
    crews: dict[tuple[str, str], Crew] = {}
    profiles: dict[str, Profile] = {}
    gates: dict[str, dict[str, Result]] = {}
    root = tmp_path_factory.mktemp("bench")
    with ExitStack() as stack:

        def at(address: str, check: Check, seed: int) -> Result:
            if address not in profiles:
                profiles[address] = probe(load(address))
                gates[address] = {}
            if (address, check.contract) not in crews:
                crew = Crew(profiles[address].backend, check.contract, 1)
                crews[address, check.contract] = stack.enter_context(closing(crew))
            crew = crews[address, check.contract]
            one = Bench(profiles[address], SMALL, seed, root, results=dict(gates[address]))
            one.rooms["crash", check.contract] = Laboratory(crew, crew.call(chosen))
            result = one.judge(check)
            gates[address] |= {code: each for code, each in one.results.items() if "-CRASH-" not in code}
            return result

        yield at


def unsound(results: list[Result]) -> list[Result]:
    """Return the results that an honest store must not have."""
    return [result for result in results if result.outcome not in ("pass", "not applicable")]


def checks_of(contract: str, kinds: str) -> list[Check]:
    """Return the checks whose numbers begin with one of some digits."""
    return [check for check in CHECKS if check.contract == contract and check.code.split("-")[2][0] in kinds]


@pytest.mark.parametrize("address", [*REFERENCES, *VARIANTS])
def test_references_pass_every_check(address: str, tmp_path: Path) -> None:
    """The shipped stores fail no check of the suite, and each that concerns them has seen something."""
    one = bench(load(address), tmp_path)
    results = [one.judge(check) for check in CHECKS if check.contract in load(address).contracts]
    assert unsound(results) == []
    passed = [result for result in results if result.outcome == "pass"]
    assert len(passed) > len(results) / 2
    for result in passed:
        assert result.evidence["comparisons"] > 0, result
        assert result.conditions["recorder"] in ("seccomp", "strace", "python"), result
    by_code = {result.code: result for result in passed}
    contract = load(address).contracts[0].upper()
    assert by_code[f"{contract}-CRASH-01"].conditions["disk models"] == "kill"
    assert by_code[f"{contract}-CRASH-11"].conditions["disk models"] == "ext4 xfs"
    assert by_code[f"{contract}-CRASH-01"].evidence["crash states"] > 0
    assert by_code[f"{contract}-CRASH-42"].evidence["kills inside a call"] > 0


def seeds_of(backend: Backend) -> int:
    """Return how many seeds a store is tried at."""
    if backend.name in MANY_SEEDS:
        return 20
    return 2 if "sqlite" in backend.name else 5  # finding the scratch files of SQLite takes a second for each workload


@pytest.mark.parametrize("address", HONEST)
def test_no_false_alarm_at_any_seed(address: str, judge: Judge) -> None:
    """Kills and power loss take nothing from an honest store: each seed is tried on a workload, in turn."""
    backend = load(address)
    for contract in backend.contracts:
        checks = checks_of(contract, "012")
        workloads = sorted({check.code[-1] for check in checks})
        for seed in range(seeds_of(backend)):
            some = [check for check in checks if check.code[-1] == workloads[seed % len(workloads)]]
            results = [judge(address, check, seed) for check in some]
            assert unsound(results) == [], f"seed {seed}"


def test_the_same_seed_has_the_same_evidence(judge: Judge) -> None:
    """What is reported of a run can be had again; another seed is another run."""
    address = "reference_backends.file:backend"
    checks = checks_of("state", "012")[:8]

    def evidence(seed: int) -> list[dict[str, int]]:
        return [judge(address, check, seed).evidence for check in checks]

    assert evidence(3) == evidence(3)


def without_a_recorder(self: Crew, function: Any, *arguments: Any) -> Any:
    """Answer as a worker does where nothing can be recorded."""
    return "No recorder works here." if function is record_order else CALL(self, function, *arguments)


CALL = Crew.call


def test_what_nobody_has_seen_is_no_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing can be recorded no check that needs it passes; each says why."""
    monkeypatch.setattr(Crew, "call", without_a_recorder)
    one = bench(load(DOCUMENT), tmp_path)
    results = {check.code: one.judge(check) for check in CHECKS if check.contract == "state"}
    needs_none = {"STATE-CRASH-42", "STATE-CRASH-57", "STATE-CRASH-58"}
    recorded = {code: result for code, result in results.items() if code not in needs_none}
    assert {result.outcome for result in recorded.values()} == {"inconclusive", "blocked", "not applicable"}
    assert {result.outcome for code, result in results.items() if code in needs_none} <= {"pass", "blocked"}
    inconclusive = [result for result in recorded.values() if result.outcome == "inconclusive"]
    assert all("No recorder works here." in result.reason for result in inconclusive)
    assert {"STATE-CRASH-01", "STATE-CRASH-11"} <= {result.code for result in inconclusive}


def test_a_fake_disk_that_is_too_small_to_begin_is_no_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the store could not be opened on any of them, nothing was acknowledged that could have been lost."""
    never = Fake("a disk of 1 byte", (), Observation("usable", SUBJECTS["state"].empty), "fine")
    monkeypatch.setattr("conformance.suites.crash_recovery.state_errors.full_disks", lambda *_: [never])
    result = bench(load(DOCUMENT), tmp_path).judge(catalogue()["STATE-CRASH-57"])
    assert (result.outcome, result.evidence["fake disks"]) == ("inconclusive", 1)


def kill(*words: str) -> Kill:
    """Return a kill of a process that had said these words."""
    steps = (Step("set", ("a", 1)),)
    moment = moments(Trace((), tuple(map(Mark, words))))[-1]
    history = History("state", steps, (), SUBJECTS["state"].empty)
    observation = Observation("usable", history.before)
    return Kill("after 1 ms", moment, steps, (), {}, "fine", observation)


BETWEEN = ("open", "start 0 0", "done 0")


@pytest.mark.parametrize(
    ("kills", "outcome"),
    [
        ([], "inconclusive"),
        ([kill(*BETWEEN), kill("open", "start 0 0")], "inconclusive"),
        ([kill(*BETWEEN), kill(*BETWEEN, "start 1 0")], "pass"),
    ],
)
def test_kills_outside_calls_prove_nothing(
    kills: list[Kill], outcome: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only a kill in the middle of a call, after something was acknowledged, is evidence."""
    monkeypatch.setattr(rules, "killed_at_moments", lambda *_: kills)
    result = bench(load(DOCUMENT), tmp_path).judge(catalogue()["STATE-CRASH-42"])
    assert result.outcome == outcome
    if outcome == "inconclusive":
        assert result.reason == f"of {len(kills)} kills none landed inside a call to the store"
        assert result.evidence == {"kills": len(kills), "kills inside a call": 0}
    else:
        assert result.evidence == {"kills": 2, "kills inside a call": 1, "comparisons": 2}


def test_a_store_that_no_process_can_open_is_not_judged(tmp_path: Path) -> None:
    """A backend that only this process has is inconclusive, with the reason."""
    mine = replace(load(DOCUMENT), address="", state=lambda where: load(DOCUMENT).state(where))  # type: ignore[misc]
    result = bench(mine, tmp_path).judge(catalogue()["STATE-CRASH-01"])
    assert result.outcome == "inconclusive"
    assert "can't be opened in another process: it has no address" in result.reason


def test_the_effort_says_how_much(tmp_path: Path) -> None:
    """The states that the budget leaves out are counted."""

    def evidence(effort: Effort) -> dict[str, int]:
        one = replace(bench(load(DOCUMENT), tmp_path / str(effort.crash_states)), effort=effort)
        return one.judge(catalogue()["STATE-CRASH-01"]).evidence

    few = evidence(replace(SMALL, crash_states=3))
    all_of_them = evidence(replace(SMALL, crash_states=1_000))
    assert few["crash states"] == 3
    assert few["states left out"] > 0
    assert all_of_them["crash states"] > 3
    assert "states left out" not in all_of_them
