"""The two gates: what was not seen whole, or fails without a crash, is not explored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import pytest

from conformance.address import load
from conformance.crash.fault import Fault
from conformance.crash.history import Moment
from conformance.crash.perform import Attempt
from conformance.crash.recorded import Order, Unmeasured, assembled, chosen, record_order, recorded
from conformance.crash.recorder import Choice
from conformance.crash.recorder.recording import Recording
from conformance.crash.subjects import Step
from conformance.crash.trace import ROOT, Create, Mark, Trace, Write, replayed
from conformance.workers import Crew
from tests.crash import stores as s
from tests.crash.conftest import CrewOf

STEPS = (Step("set", ("a", 1)), Step("set", ("b", 2)))


class Told:
    """A crew that answers one recording, and hands on everything else."""

    contract = "state"

    def __init__(self, answer: Recording | str, crew: Crew | None = None) -> None:
        self.answer = answer
        self.crew = crew

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Answer."""
        if function is record_order:
            return self.answer
        assert self.crew is not None, "the gate before should have been closed"
        return self.crew.call(function, *arguments)


def refused(answer: Recording | str, crew: Crew | None = None) -> str:
    """Return why a recording is not explored."""
    with pytest.raises(Unmeasured) as reason:
        recorded(cast("Crew", Told(answer, crew)), STEPS)
    return str(reason.value)


def test_a_sound_recording(crew_of: CrewOf) -> None:
    """It has its trace, its oracle and its moments; the trace makes the files."""
    one = recorded(crew_of(s.DOCUMENT), STEPS)
    assert one.history.attempts == [Attempt(0), Attempt(1)]
    assert replayed(one.recording.trace) == one.recording.real
    assert one.recording.real["store"] == b'{"a": "1", "b": "2"}'
    assert len(one.moments) == len(one.recording.trace.operations) + 1
    assert one.moments[0] == Moment(0, 0, running=False)
    assert one.moments[-1] == Moment(2, 2, running=False)


def test_where_nothing_records() -> None:
    """The recorder's own reason is told."""
    assert refused("no recorder works here.") == "no system call could be recorded here: no recorder works here."


TRACE = Trace((), (Create(ROOT, "store", 1), Write(1, 0, b"abc")))


def test_the_replay_gate() -> None:
    """Files that the trace does not make are named, with what the recorder can't see."""
    real = {"store": b"abcd", "index": b"", "folder/": None}
    reason = refused(Recording(TRACE, real, "returned", returned=[], recorder="python", unseen=("memory maps",)))
    assert reason == (
        "the python recorder missed something: the recorded writes, replayed, do not make the files that the store "
        "left. Different: folder/, index, store. It can't see memory maps."
    )
    many = {f"file{number}": b"" for number in range(9)}
    assert refused(Recording(TRACE, many, "returned", returned=[])).endswith(
        "Different: file0, file1, file2, file3, file4."
    )


@pytest.mark.parametrize("ended", ["raised", "died", "hung"])
def test_a_workload_that_does_not_return(ended: str) -> None:
    """It has nothing to do with crashes."""
    reason = refused(Recording(TRACE, {"store": b"abc"}, ended, "because"))
    assert reason == f"the workload {ended} without any crash: because"


def test_a_store_that_writes_nothing(crew_of: CrewOf) -> None:
    """There is nothing that a crash could leave in pieces."""
    marks = Recording(Trace((), (Mark("open"),)), {}, "returned", returned=[])
    assert refused(marks).startswith("the store wrote nothing below where.path")
    with (
        closing(Crew(s.OUTSIDE, "state", 1)) as crew,
        pytest.raises(Unmeasured, match=r"wrote nothing below where\.path"),
    ):
        recorded(crew, STEPS)


def test_a_store_that_keeps_its_data_elsewhere() -> None:
    """It is found out although the files of the recording are still where it keeps them."""
    with closing(Crew(s.ELSEWHERE, "state", 1)) as crew, pytest.raises(Unmeasured, match=r"outside where\.path"):
        recorded(crew, STEPS)


def test_a_store_that_fails_without_a_crash() -> None:
    """The adapter is at fault, and it is said what was wrong."""
    with closing(Crew(s.FORGETFUL, "state", 1)) as crew, pytest.raises(Unmeasured) as reason:
        recorded(crew, STEPS)
    assert str(reason.value).startswith("without any crash, the store can be read but breaks after one more write (")


def test_the_exception_of_a_baseline_is_told(crew_of: CrewOf) -> None:
    """It says what to repair."""
    crew = crew_of(s.TRAPPED.address)
    sound = crew.call(record_order, Order(STEPS, {}))
    extra = (*sound.trace.operations, Create(ROOT, "trap", 99), Write(99, 0, b"open"))
    broken = replace(sound, trace=replace(sound.trace, operations=extra), real={**sound.real, "trap": b"open"})
    reason = refused(broken, crew)
    assert reason.startswith("without any crash, the store cannot be opened (OSError: the store is damaged): closed,")


def test_a_store_that_dies_in_its_workload() -> None:
    """It is said what became of it."""
    with closing(Crew(s.DIES_OPENING, "state", 1)) as crew, pytest.raises(Unmeasured, match="the workload died"):
        recorded(crew, STEPS)


def test_what_a_dead_process_tried_is_told_by_its_marks(crew_of: CrewOf) -> None:
    """A process that did not return has no list of attempts."""
    words = ("opening", "open", "armed", "start 0 0", "raised 0", "start 1 0", "done 1", "start 2 1")
    found = Recording(Trace((), tuple(map(Mark, words))), {}, "died", "SIGKILL")
    one = assembled(crew_of(s.DOCUMENT), STEPS, found)
    assert one.history.attempts == [Attempt(0, "an exception"), Attempt(0), Attempt(1)]
    assert one.moments[-1] == Moment(2, 1, running=True)


def test_a_fault_is_carried_out_and_counted(crew_of: CrewOf) -> None:
    """An order with a fault has it put on its call; a retry goes on."""
    crew = crew_of(s.DOCUMENT)
    found = crew.call(record_order, Order(STEPS, {}, Fault("sync", 1), retry=True))
    if isinstance(found, str):
        pytest.skip(found)
    assert (found.ended, found.fired) == ("returned", 1)
    assert [attempt.step for attempt in found.returned] == [0, 0, 1]
    assert found.returned[0].raised.startswith("OSError: [Errno 5]")


def test_the_choice_of_a_recorder_is_told(crew_of: CrewOf) -> None:
    """With the reasons against the better ones."""
    found = crew_of(s.DOCUMENT).call(chosen)
    assert isinstance(found, Choice)
    assert len(found.refused) == ["seccomp", "strace", "python", "none"].index(found.name)
    assert load(s.DOCUMENT).address == s.DOCUMENT
