"""A crash during recovery: what opening a crash state writes is recorded and explored too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from conformance.crash import again
from conformance.crash.again import Twice, crashed_twice
from conformance.crash.explore import Budget, Explorer
from conformance.crash.recorded import Order, Unmeasured, record_order
from conformance.crash.trace import Mark, Trace
from conformance.workers import Crew
from tests.crash import stores as s
from tests.crash.conftest import ExplorerOf

SOME = Budget(states=60, seconds=60.0)
NAME = "closing and reopening"


def twice(explorer: Explorer, model: str, count: int = 4, seed: int = 0) -> list[Twice]:
    """Return what comes of some second crashes."""
    return list(crashed_twice(explorer, model, count, SOME, seed))


@pytest.mark.parametrize(
    ("address", "contract"),
    [(s.mutant("recovery_moves_the_journal"), "state"), (s.mutant("log_recovery_moves_the_journal"), "log")],
)
def test_a_recovery_that_can_not_be_repeated(address: str, contract: str, explorer_of: ExplorerOf) -> None:
    """One crash takes nothing from this store; the second does."""
    explorer = explorer_of(address, contract, NAME)
    assert not [one for one in explorer.explore("kill", SOME, 0).findings if not one.in_creation]
    found = [finding for one in twice(explorer, "kill") for finding in one.explored.findings]
    assert found
    assert {finding.verdict for finding in found} <= {"lost", "mixed"}
    assert all(finding.moment.acknowledged for finding in found)


@pytest.mark.parametrize("model", ["kill", "ext4", "xfs"])
def test_an_honest_recovery_can_be_repeated(model: str, explorer_of: ExplorerOf) -> None:
    """Each recovery that is explored writes something, and no two do the same."""
    explorer = explorer_of(s.JOURNAL, "state", NAME)
    found = twice(explorer, model)
    assert all(one.explored.findings == () for one in found)
    work = []
    for one in found:
        operations = one.explorer.recorded.recording.trace.operations
        work.append(tuple(type(each).__name__ for each in operations if not isinstance(each, Mark)))
        assert one.explored.trees >= 1
        moment = explorer.recorded.moments[one.first.point]
        assert set(one.explorer.recorded.moments) == {moment}
        assert one.explorer.recorded.history is explorer.recorded.history
    assert all(work)
    assert len(set(work)) == len(work)


def test_the_number_of_first_crashes(explorer_of: ExplorerOf) -> None:
    """As many as asked for, none where none is."""
    explorer = explorer_of(s.mutant("recovery_moves_the_journal"), "state", NAME)
    assert len(twice(explorer, "kill", 1)) == 1
    assert twice(explorer, "kill", 0) == []


def test_the_seed_draws_the_first_crashes(explorer_of: ExplorerOf) -> None:
    """The same seed crashes at the same places."""
    explorer = explorer_of(s.mutant("recovery_moves_the_journal"), "state", NAME)
    first, second = (twice(explorer, "kill", 2, seed=5) for _ in range(2))
    assert [one.first for one in first] == [one.first for one in second]


def test_first_crashes_are_drawn_from_some(explorer_of: ExplorerOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be very many: the first ones are taken, but never fewer than are needed."""
    explorer = explorer_of(s.mutant("recovery_moves_the_journal"), "state", NAME)
    moments = explorer.recorded.moments
    states = [state for state in explorer.disk("ext4").states(0, 1) if moments[state.point].acknowledged]
    monkeypatch.setattr(again, "_DRAWN_FROM", 3)
    monkeypatch.setattr(again, "_TRIES", 2)
    for count, considered in ((1, 3), (4, 8)):
        first = [one.first for one in twice(explorer, "ext4", count)]
        assert first
        assert set(first) <= set(states[:considered])
    assert len(states) > 8


def test_recoveries_are_recorded_as_they_are_needed(explorer_of: ExplorerOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """When enough have been crashed, no more are."""
    explorer = explorer_of(s.mutant("recovery_moves_the_journal"), "state", NAME)
    recorded: list[Order] = []
    spread = Crew.spread

    def noted(self: Crew, function: Any, jobs: Iterable[Any], **given: Any) -> Iterator[tuple[Any, Any]]:
        some = list(jobs)
        recorded.extend(some if function is record_order else [])
        yield from spread(self, function, some, **given)

    monkeypatch.setattr(Crew, "spread", noted)
    assert len(twice(explorer, "kill", 1)) == 1
    few = len(recorded)
    recorded.clear()
    twice(explorer, "kill", 1_000)
    assert 1 <= few < len(recorded)


def test_a_recovery_that_only_reads_is_passed_over(explorer_of: ExplorerOf) -> None:
    """There is nothing in it to be interrupted."""
    assert twice(explorer_of(s.DOCUMENT), "kill") == []


def test_recoveries_that_were_not_seen_whole_tell_nothing(explorer_of: ExplorerOf) -> None:
    """Nor do those that raised, or that could not be recorded: that is not the same as nothing to crash."""
    explorer = explorer_of(s.mutant("recovery_moves_the_journal"), "state", NAME)
    sound = explorer.crew.call(record_order, Order((), {}))
    assert sound.real
    for answer in (
        "no recorder works here",
        replace(sound, ended="raised"),
        replace(sound, real={}),
        replace(sound, trace=Trace((), ()), real={}),
    ):
        asked: list[Any] = []

        class Told:
            """Answers one recording, and hands on everything else."""

            contract = "state"

            def __len__(self) -> int:
                return 1

            def call(self, function: Any, *arguments: Any) -> Any:
                """Hand on."""
                return explorer.crew.call(function, *arguments)

            def spread(
                self, function: Any, jobs: Iterable[Any], answer: Any = answer, asked: list[Any] = asked
            ) -> Iterator[tuple[Any, Any]]:
                """Answer."""
                if function is not record_order:
                    yield from explorer.crew.spread(function, jobs)
                    return
                for job in jobs:
                    asked.append(job)
                    yield job, answer

        other = replace(explorer, crew=cast("Crew", Told()))
        if isinstance(answer, str) or answer.ended == "raised" or answer.trace.operations:
            with pytest.raises(Unmeasured, match="recoveries none could be recorded whole"):
                list(crashed_twice(other, "kill", 1, SOME, 0))
        else:  # seen whole, and nothing was written
            assert list(crashed_twice(other, "kill", 1, SOME, 0)) == []
        assert 0 < len(asked) <= 6
