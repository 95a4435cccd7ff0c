"""Random sequences: what is shown is as short as it can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis.strategies import integers

from conformance.check import Check, catalogue
from conformance.random_examples import PlacedMachine, rule, run_machine
from conformance.result import NotApplicable, Result
from conformance.trial import Trial
from tests.benches import bench
from tests.mutants.base import HONEST


def judged(root: Path, machine: Callable[[Trial], type[PlacedMachine]], seed: int = 0) -> Result:
    """Return what a check comes to that runs a machine."""

    def body(trial: Trial) -> None:
        kind = machine(trial)
        run_machine(trial, lambda: kind(trial))

    check: Check = replace(catalogue()["STATE-BASIC-01"], function=body, code="STATE-TEST-01")
    return bench(HONEST, root, seed=seed).trial(check).judge()


def needs_two(trial: Trial) -> type[PlacedMachine]:
    """Return a machine that fails when it asks after two puts, with much between that changes nothing."""

    class Machine(PlacedMachine):
        @rule(number=integers(0, 3))
        def put(self, number: int) -> None:
            self.store[f"key {number}"] = number

        @rule(number=integers(0, 99))
        def look(self, number: int) -> None:
            list(self.store)
            trial.true(number in range(100), "the number", expected="below 100", got=repr(number))

        @rule()
        def put_twice(self) -> None:
            self.put(number=0)
            self.put(number=1)

        @rule(lambda self: len(self.store) > 1)
        def ask(self) -> None:
            trial.violated("asking", expected="nothing", got="something")

    return Machine


@pytest.mark.parametrize("seed", range(5))
def test_no_step_is_shown_that_is_not_needed(seed: int, tmp_path: Path) -> None:
    """Whatever Hypothesis leaves, only what the failure needs is there in the end; conditions are kept."""
    result = judged(tmp_path, needs_two, seed)
    assert result.outcome == "fail"
    assert result.counterexample is not None
    sources = [call.source for call in result.counterexample.calls]
    assert sources[0] == "store = session.open()"
    assert [source for source in sources if "len(" not in source][1:] in (
        [f"store['key {one}'] = {one}", f"store['key {other}'] = {other}"]
        for one in range(4)
        for other in range(4)
        if one != other
    )


def test_what_fails_once_is_shown_as_it_was(tmp_path: Path) -> None:
    """A failure that does not come again is a failure: a store that is wrong now and then is wrong."""
    failed: list[bool] = []

    def machine(trial: Trial) -> type[PlacedMachine]:
        class Machine(PlacedMachine):
            @rule()
            def ask(self) -> None:
                trial.true(bool(failed) or failed.append(True), "asking", expected="nothing", got="something")  # type: ignore[func-returns-value]

        return Machine

    assert judged(tmp_path, machine).outcome == "fail"


def test_what_is_missed_in_the_midst_is_no_failure(tmp_path: Path) -> None:
    """An end that says that the check does not apply is passed on."""

    def machine(trial: Trial) -> type[PlacedMachine]:
        class Machine(PlacedMachine):
            @rule()
            def ask(self) -> None:
                raise NotApplicable("no such thing here")

        return Machine

    assert judged(tmp_path, machine).outcome == "not applicable"


def test_a_sequence_that_does_not_fail_again_is_shown_as_hypothesis_left_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure was seen; that repeating it by hand shows nothing is no reason to drop it."""
    monkeypatch.setattr("conformance.random_examples._repeat", lambda factory, steps: None)
    result = judged(tmp_path, needs_two)
    assert result.outcome == "fail"
    assert result.counterexample is not None
    assert result.counterexample.expected == "nothing"
