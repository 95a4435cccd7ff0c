"""Real kills: at system calls that the seed draws, and at any moment."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, cast

import pytest

from conformance.crash import kills as module
from conformance.crash.kills import Kill, killed_at_calls, killed_at_moments, time_of
from conformance.crash.perform import Attempt
from conformance.crash.recorded import Unmeasured
from conformance.crash.subjects import Step
from conformance.crash.workloads import workload
from conformance.workers import Bay, Crew
from tests.crash import stores as s
from tests.crash.conftest import CrewOf

STEPS = workload("state", "puts and deletes", domain="json", seed=0).steps
APPENDS = workload("log", "appends", domain="json", seed=0).steps


def children(bay: Bay) -> bool:
    """Tell whether the worker has dead children that it has not waited for; its living one is in use."""
    with suppress(ChildProcessError):
        return os.waitpid(-1, os.WNOHANG)[0] > 0
    return False


def at_calls(crew: Crew, count: int = 4, seed: int = 0) -> list[Kill]:
    """Kill the workload at calls."""
    return killed_at_calls(crew, STEPS if crew.contract == "state" else APPENDS, count, seed)


@pytest.mark.parametrize(("address", "contract"), [(s.DOCUMENT, "state"), (s.JOURNAL_LOG, "log")])
def test_an_honest_store_survives_kills_at_calls(
    puts_faults: str, address: str, contract: str, crew_of: CrewOf
) -> None:
    """Each is killed inside a call, and a fresh process finds what was acknowledged."""
    kills = at_calls(crew_of(address, contract))
    assert len(kills) == 4
    assert {kill.verdict for kill in kills} == {"fine"}
    for kill in kills:
        assert kill.how.startswith("before system call ")
        assert kill.moment.settled <= len(kill.attempts) <= kill.moment.settled + 1
        assert kill.observation.usable == "usable"
    assert any(kill.moment.running and kill.moment.acknowledged for kill in kills)
    assert crew_of(address, contract).call(children) is False


def test_the_seed_draws_the_calls(puts_faults: str, crew_of: CrewOf) -> None:
    """The same seed kills at the same calls and finds the same; another one at others."""

    def drawn(seed: int) -> set[tuple[str, str, int]]:
        return {(kill.how, kill.verdict, kill.moment.settled) for kill in at_calls(crew_of(s.DOCUMENT), seed=seed)}

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_calls_are_drawn_until_one_is_inside_a_call_to_the_store(puts_faults: str, crew_of: CrewOf) -> None:
    """A kill before the first acknowledgement tells little."""
    for steps in (STEPS[:2], STEPS[:3]):
        drawn = [killed_at_calls(crew_of(s.DOCUMENT), steps, 1, seed) for seed in range(6)]
        for kills in drawn:
            inside = [kill.moment.running and kill.moment.acknowledged > 0 for kill in kills]
            assert inside == [*[False] * (len(kills) - 1), True]
        assert max(map(len, drawn)) > 1


def test_kills_at_more_calls_than_there_are(puts_faults: str, crew_of: CrewOf) -> None:
    """Each call once."""
    kills = killed_at_calls(crew_of(s.DOCUMENT), (Step("set", ("a", 1)),), 1_000, 0)
    numbers = [kill.how for kill in kills]
    assert len(set(numbers)) == len(numbers) == int(numbers[0].split()[-1])
    assert {kill.verdict for kill in kills} == {"fine"}


def test_a_broken_store_is_found_by_kills(puts_faults: str, crew_of: CrewOf) -> None:
    """What it leaves is kept for the case."""
    kills = killed_at_calls(crew_of(s.mutant("truncate_in_place")), STEPS, 1_000, 0)
    wrong = [kill for kill in kills if kill.verdict != "fine"]
    assert "cannot open" in {kill.verdict for kill in wrong}
    assert any(b"" in kill.files.values() for kill in wrong)


def test_where_no_call_can_be_counted() -> None:
    """The recorder's own reason is told."""

    class Mute:
        """Records nothing."""

        contract = "state"

        def call(self, *question: Any) -> str:
            """Answer."""
            return "strace: it can put no fault on a call"

    with pytest.raises(Unmeasured, match="no process can be stopped at a system call here: strace"):
        killed_at_calls(cast("Crew", Mute()), STEPS, 3, 0)


def test_kills_at_any_moment(crew_of: CrewOf) -> None:
    """They need no recorder; tried until enough land inside a call, but not for ever."""
    crew = crew_of(s.DOCUMENT)
    kills = killed_at_moments(crew, STEPS, 3, 0)
    inside = [kill for kill in kills if kill.moment.running and kill.moment.acknowledged]
    assert len(inside) <= 3
    assert len(kills) <= 3 * module._TRIES
    assert len(inside) == 3 or len(kills) == 3 * module._TRIES
    assert {kill.verdict for kill in kills} == {"fine"}
    assert all(kill.how.startswith("after ") and kill.how.endswith(" ms") for kill in kills)
    for kill in kills:
        assert [attempt.step for attempt in kill.attempts] == list(range(len(kill.attempts)))
        assert len(kill.attempts) == kill.moment.settled + kill.moment.running
        assert kill.steps == STEPS
    assert crew.call(children) is False


def test_a_store_that_dies_by_itself(crew_of: CrewOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing left to kill, and that is no error of the kit."""
    monkeypatch.setattr(module, "_TRIES", 3)
    kills = killed_at_moments(crew_of(s.DIES_OPENING.address), STEPS, 1, 0)
    assert len(kills) == 3
    assert {kill.verdict for kill in kills} == {"died"}
    assert not any(kill.attempts for kill in kills)


def test_the_time_of_a_workload(crew_of: CrewOf) -> None:
    """It is that of the whole of it."""
    crew = crew_of(s.DOCUMENT)
    assert 0 < crew.call(time_of, STEPS) < 60
    assert Attempt(0) == Attempt(0, "", "")
