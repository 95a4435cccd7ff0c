"""The trial: what counts as evidence, and how an end is judged."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.backend import Backend
from conformance.check import Check, catalogue
from conformance.result import Inconclusive, NotApplicable, Result
from conformance.trial import Trial
from reference_backends import file
from tests.benches import bench
from tests.mutants.base import HONEST, PlainState, state_mutant


def judged(function: Callable[[Trial], None], root: Path, backend: Backend = HONEST, **fields: Any) -> Result:
    """Return the result of a check with the given body."""
    check: Check = replace(catalogue()["STATE-BASIC-01"], function=function, code="STATE-TEST-01", **fields)
    return bench(backend, root).trial(check).judge()


def test_no_comparison_is_inconclusive(tmp_path: Path) -> None:
    """A check that compares nothing does not pass."""

    def nothing(trial: Trial) -> None:
        with trial.fresh() as session:
            session.open()["a"] = 1

    result = judged(nothing, tmp_path)
    assert (result.outcome, result.reason) == ("inconclusive", "the check compared nothing")


def test_a_bug_of_the_kit_is_not_blamed_on_the_store(tmp_path: Path) -> None:
    """An exception that the store did not raise is inconclusive, with a traceback to report."""

    def broken(trial: Trial) -> None:
        with trial.fresh() as session:
            session.open()
            raise ZeroDivisionError("ours")

    result = judged(broken, tmp_path)
    assert result.outcome == "inconclusive"
    assert "ZeroDivisionError: ours" in result.reason


def test_a_bug_of_the_kit_is_not_a_refusal(tmp_path: Path) -> None:
    """An exception of the kit inside `refused` is not taken for the store's refusal."""

    def broken(trial: Trial) -> None:
        with trial.fresh() as session:
            session.open()
            trial.refused(lambda: [][0])

    assert judged(broken, tmp_path).outcome == "inconclusive"


def test_an_exception_of_the_store_is_a_failure(tmp_path: Path) -> None:
    """A store that raises where it should not fails, and the call and the line of the store are shown."""

    class Raising(PlainState):
        def __getitem__(self, key: str) -> Any:
            raise OSError("disk gone")

    def read(trial: Trial) -> None:
        with trial.fresh() as session:
            store = session.open()
            store["a"] = 1
            trial.equal(store["a"], 1, "reading")

    result = judged(read, tmp_path, state_mutant("raising", "", (), Raising).backend)
    assert result.outcome == "fail"
    assert result.counterexample is not None
    assert result.counterexample.got == "OSError: disk gone"
    assert result.counterexample.calls[-1].source == "store['a']"
    assert 'in __getitem__: raise OSError("disk gone")' in result.counterexample.frame


def test_an_error_at_close_is_a_failure(tmp_path: Path) -> None:
    """A store that raises when the check's place is left fails."""

    class Raising(PlainState):
        def close(self) -> None:
            super().close()
            raise OSError("at close")

    def write(trial: Trial) -> None:
        with trial.fresh() as session:
            store = session.open()
            store["a"] = 1
            trial.equal(store["a"], 1, "reading")

    one = bench(HONEST, tmp_path)
    one.profile = replace(one.profile, backend=state_mutant("raising", "", (), Raising).backend)
    check = replace(catalogue()["STATE-BASIC-01"], function=write)
    result = one.trial(check).judge()
    assert result.outcome == "fail"
    assert result.counterexample is not None
    assert result.counterexample.got == "OSError: at close"


def test_a_failure_that_comes_and_goes_is_still_a_failure(tmp_path: Path) -> None:
    """A store that fails on some tries only is reported with its calls, and with that fact."""
    counter = itertools.count()

    class Sometimes(PlainState):
        def __getitem__(self, key: str) -> Any:
            return "wrong" if next(counter) == 10 else super().__getitem__(key)

    def read(trial: Trial) -> None:
        from hypothesis import strategies as st

        @trial.examples(st.integers())
        def _(value: int) -> None:
            with trial.fresh() as session:
                store = session.open()
                store["a"] = value
                trial.equal(store["a"], value, "reading")

    result = judged(read, tmp_path, state_mutant("sometimes", "", (), Sometimes).backend)
    assert result.outcome == "fail"
    assert result.counterexample is not None
    assert result.counterexample.got == "'wrong'"
    assert "do not always give the same answer" in result.counterexample.note


def test_random_failures_are_shrunk(tmp_path: Path) -> None:
    """The calls shown are those of the smallest example."""

    class NoBig(PlainState):
        def __getitem__(self, key: str) -> Any:
            value = super().__getitem__(key)
            return value if value < 1000 else 0

    def read(trial: Trial) -> None:
        from hypothesis import strategies as st

        @trial.examples(st.integers(0, 100_000))
        def _(value: int) -> None:
            with trial.fresh() as session:
                store = session.open()
                store["a"] = value
                trial.equal(store["a"], value, "reading")

    result = judged(read, tmp_path, state_mutant("nobig", "", (), NoBig).backend)
    assert result.counterexample is not None
    assert [call.source for call in result.counterexample.calls][1:] == ["store['a'] = 1000", "store['a']"]


def test_a_table_names_all_that_fails_and_shows_the_first_alone(tmp_path: Path) -> None:
    """Of a table the first failing case is repeated in a fresh place; the others are named."""

    class NoLists(PlainState):
        def __getitem__(self, key: str) -> Any:
            value = super().__getitem__(key)
            return None if isinstance(value, list) else value

    def table(trial: Trial) -> None:
        @trial.cases({"one": 1, "list": [1], "two": 2, "lists": [[]]})
        def _(store: Any, value: Any) -> None:
            store["k"] = value
            trial.equal(store["k"], value, "reading")

    result = judged(table, tmp_path, state_mutant("nolists", "", (), NoLists).backend)
    assert result.counterexample is not None
    assert result.counterexample.note == "2 of 4 cases fail: list, lists."
    assert [call.source for call in result.counterexample.calls][1:] == ["store['k'] = [1]", "store['k']"]


def test_a_case_that_needs_others_before_it_says_so(tmp_path: Path) -> None:
    """A case that fails only in a store where others ran is reported as that."""

    class ThirdWrite(PlainState):
        writes = 0

        def __setitem__(self, key: str, value: Any) -> None:
            self.writes += 1
            super().__setitem__(key, value if self.writes != 3 else 0)

    def table(trial: Trial) -> None:
        @trial.cases({"a": 1, "b": 2, "c": 3})
        def _(store: Any, value: Any) -> None:
            store["k"] = value
            trial.equal(store["k"], value, "reading")

    result = judged(table, tmp_path, state_mutant("third", "", (), ThirdWrite).backend)
    assert result.outcome == "fail"
    assert result.counterexample is not None
    assert result.counterexample.note.startswith("Fails only after other cases")
    assert len([call for call in result.counterexample.calls if "=" in call.source]) >= 3


@pytest.mark.parametrize("error", [KeyError, RuntimeError])
def test_the_first_of_several_cases_that_need_others_is_shown(tmp_path: Path, error: type[Exception]) -> None:
    """What the store raised in it is the store's, and its calls are shown, though others raised after it."""

    class SecondRead(PlainState):
        reads = 0

        def __getitem__(self, key: str) -> Any:
            self.reads += 1
            if self.reads == 2:
                raise error(f"no {self.reads}")
            return super().__getitem__(key)

    def table(trial: Trial) -> None:
        @trial.cases({"a": 1, "b": 2, "c": 3, "d": 4})
        def _(store: Any, value: Any) -> None:
            store["k"] = value
            trial.equal(store["k"], value, "reading")

    result = judged(table, tmp_path, state_mutant("second", "", (), SecondRead).backend)
    assert result.outcome == "fail", result.reason
    assert result.counterexample is not None
    assert result.counterexample.got.startswith(error.__name__)
    assert result.counterexample.note == "Fails only after other cases ran in the same store. 2 of 4 cases fail: b, d."
    assert [call.source for call in result.counterexample.calls if "=" in call.source][1:] == [
        "store['k'] = 1",
        "store['k'] = 2",
    ]


@pytest.mark.parametrize(
    ("error", "outcome"), [(NotApplicable("why"), "not applicable"), (Inconclusive("why"), "inconclusive")]
)
def test_a_check_may_end_itself(error: Exception, outcome: str, tmp_path: Path) -> None:
    """A check that finds that it does not apply, or can't tell, says so."""

    def end(trial: Trial) -> None:
        raise error

    result = judged(end, tmp_path)
    assert (result.outcome, result.reason) == (outcome, "why")


def test_gates_come_first(tmp_path: Path) -> None:
    """A check whose gate fails is blocked by it, through other gates too."""
    broken = state_mutant("none", "", (), lambda path: {"a": 1}, durability="volatile").backend
    one = bench(replace(broken), tmp_path)
    for code in ("STATE-VALUE-01", "STATE-SHARE-02"):
        result = one.judge(catalogue()[code])
        assert result.outcome in ("blocked", "not applicable")
        if result.outcome == "blocked":
            assert result.reason == "blocked by STATE-BASIC-01"


def test_a_result_survives_the_way_between_processes(tmp_path: Path) -> None:
    """A result made of plain dicts again is the same result."""

    def wrong(trial: Trial) -> None:
        with trial.fresh() as session:
            session.open()["a"] = 1
            trial.equal(1, 2, "comparing")

    result = judged(wrong, tmp_path)
    assert Result.from_dict(result.to_dict()) == result


def test_seeds_decide_the_examples(tmp_path: Path) -> None:
    """The same seed gives the same examples, another seed others."""
    seen: dict[int, list[int]] = {}

    def collect(seed: int) -> list[int]:
        values: list[int] = []

        def draw(trial: Trial) -> None:
            from hypothesis import strategies as st

            @trial.examples(st.integers())
            def _(value: int) -> None:
                values.append(value)
                trial.equal(value, value, "itself")

        check = replace(catalogue()["STATE-BASIC-01"], function=draw)
        bench(HONEST, tmp_path, seed=seed).trial(check).judge()
        return values

    seen = {1: collect(1), 2: collect(2)}
    assert seen[1] == collect(1)
    assert seen[1] != seen[2]


def test_a_case_is_met_in_place_of_its_check_and_without_gates(tmp_path: Path) -> None:
    """With a case, its check is not carried out, and neither are its gates; other checks are as ever."""
    checks = catalogue()
    code = "STATE-VALUE-01"
    assert checks[code].needs
    one = bench(HONEST, tmp_path)
    met = []

    def replay(trial: Trial) -> None:
        met.append(trial.check.code)
        trial.count("comparisons")

    one.case, one.replay = SimpleNamespace(code=code), replay
    assert one.judge(checks[code]).outcome == "pass"
    assert met == [code]
    assert list(one.results) == [code]
    assert one.judge(checks["STATE-BASIC-01"]).evidence["comparisons"] > 1
    assert met == [code]


@pytest.mark.parametrize("code", ["STATE-CONC-01", "STATE-CONC-21", "STATE-CRASH-01", "STATE-REPLAY-53"])
def test_what_a_bench_keeps_does_not_keep_the_bench(code: str, tmp_path: Path) -> None:
    """When nobody has it any more, its processes end."""
    one = bench(file.backend, tmp_path)
    one.judge(catalogue()[code])
    assert one.rooms
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None
