"""Errors of the disk: each place in turn, each kind once and from then on; and what is wrong already is left out."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any, cast

import pytest

from conformance.crash.errors import Tried, counted, places, tried
from conformance.crash.explore import Budget, Explorer
from conformance.crash.fault import CallClass, Fault
from conformance.crash.observe import Observation
from conformance.crash.perform import Attempt
from conformance.crash.recorded import Unmeasured, assembled, record_order
from conformance.crash.recorder.recording import Recording
from conformance.crash.trace import Mark, Trace
from conformance.workers import Crew
from tests.crash import stores as s
from tests.crash.conftest import ExplorerOf

SOME = Budget(states=20, seconds=60.0)
KINDS: list[tuple[CallClass, int]] = [
    ("sync", errno.EIO),
    ("write", errno.EIO),
    ("write", errno.ENOSPC),
    ("create", errno.EACCES),
    ("rename", errno.EIO),
    ("truncate", errno.EIO),
    ("open", errno.EMFILE),
    ("any", errno.EIO),
]
EMPTY = Observation("usable", {"entries": [], "length": 0})
pytestmark = pytest.mark.usefixtures("puts_faults")


def run(explorer: Explorer, *faults: Fault) -> list[Tried]:
    """Carry out a workload with each of some faults."""
    return list(tried(explorer, faults, SOME, 0))


def test_calls_are_counted_by_class(explorer_of: ExplorerOf) -> None:
    """One recording tells all counts; a run that counts for a fault comes to the same."""
    explorer = explorer_of(s.JOURNAL)
    counts = counted(explorer)
    assert counts["sync"] >= len(explorer.recorded.steps)
    assert counts["any"] > counts["sync"] + counts["write"] - 1
    untold = replace(explorer.recorded, recording=replace(explorer.recorded.recording, counts=None))
    assert counted(replace(explorer, recorded=untold)) == counts


def test_places_are_all_calls_or_spread_evenly() -> None:
    """The first and the last are among them; a single one is in the middle."""
    assert places(0, 5) == []
    assert places(6, 100) == places(6, 6) == [1, 2, 3, 4, 5, 6]
    assert places(7, 3) == [1, 4, 7]
    assert places(7, 1) == [4]


def test_where_no_fault_can_be_put(explorer_of: ExplorerOf) -> None:
    """The recorder's own reason is told."""

    class Mute:
        """Records nothing."""

        contract = "state"

        def call(self, *question: Any) -> str:
            """Answer."""
            return "strace: it can put no fault on a call"

    explorer = explorer_of(s.JOURNAL)
    untold = replace(explorer.recorded, recording=replace(explorer.recorded.recording, counts=None))
    with pytest.raises(Unmeasured, match="no fault can be put on a system call here: strace"):
        counted(replace(explorer, crew=cast("Crew", Mute()), recorded=untold))


@pytest.mark.parametrize("sticky", [False, True], ids=["once", "sticky"])
@pytest.mark.parametrize(("call", "error"), KINDS, ids=[f"{call} {errno.errorcode[error]}" for call, error in KINDS])
def test_an_honest_store_survives_each_kind(call: CallClass, error: int, sticky: bool, explorer_of: ExplorerOf) -> None:  # noqa: FBT001
    """It raises what it meets, and keeps what it has acknowledged."""
    explorer = explorer_of(s.DOCUMENT, "state", "some puts and deletes")
    found = run(explorer, Fault(call, 2, error=error, sticky=sticky))
    if call == "truncate":
        assert found == []  # it makes no such call, so nothing was tried
        return
    (one,) = found
    assert one.findings == ()
    assert one.recorded.recording.fired > 1 if sticky else one.recorded.recording.fired == 1
    assert one.judged >= 1
    raised = [attempt for attempt in one.recorded.history.attempts if attempt.raised]
    if raised:  # later ones may say that the store could not be opened again
        assert f"[Errno {error}]" in raised[0].raised
    assert bool(one.states) == (call == "sync")


def test_short_writes(explorer_of: ExplorerOf) -> None:
    """A store that looks at how much was written writes the rest."""
    (one,) = run(explorer_of(s.DOCUMENT, "state", "some puts and deletes"), Fault("write", 1, "short"))
    assert one.findings == ()
    assert not any(attempt.raised for attempt in one.recorded.history.attempts)


BROKEN: list[tuple[str, Fault, str]] = [
    ("write_error_ignored", Fault("write", 3, error=errno.EIO), ""),
    ("full_disk_ignored", Fault("write", 3, error=errno.ENOSPC), ""),
    ("short_write_acknowledged", Fault("write", 3, "short"), ""),
    ("fsync_error_ignored", Fault("sync", 5, error=errno.EIO), "ext4"),
    ("failed_sync_repeated", Fault("sync", 5, error=errno.EIO), "ext4"),
]


@pytest.mark.parametrize(("name", "fault", "model"), BROKEN, ids=[name for name, _, _ in BROKEN])
def test_a_broken_store_is_found(name: str, fault: Fault, model: str, explorer_of: ExplorerOf) -> None:
    """Without a crash where the data are wrong; with power loss where a failed sync was taken for a sync."""
    explorer = explorer_of(s.mutant(name), "state", "some puts and deletes")
    found = [finding for one in run(explorer, fault) for finding in one.findings]
    assert found
    assert {finding.model for finding in found} == {model}


def test_what_is_wrong_without_an_error_is_known(explorer_of: ExplorerOf) -> None:
    """A store that never syncs loses to power what it acknowledged, whether a sync fails or not."""
    explorer = explorer_of(s.mutant("no_dir_fsync"), "state", "some puts and deletes")
    without = {one.verdict for one in explorer.explore("ext4", SOME, 0).findings}
    (one,) = run(explorer, Fault("sync", 2, error=errno.EIO))
    assert {finding.verdict for finding in one.findings} == without == {"lost"}


def test_faults_are_judged_in_their_order(explorer_of: ExplorerOf) -> None:
    """However the workers get through them; those that meet no call are left out."""
    explorer = explorer_of(s.DOCUMENT, "state", "some puts and deletes")
    faults = [Fault("sync", number, error=errno.EIO) for number in (3, 1, 1_000, 2)]
    assert [one.fault.number for one in run(explorer, *faults)] == [1, 2, 3]


def judged(explorer: Explorer, recording: Recording) -> list[Tried]:
    """Return what is made of a recording, on a crew that answers it."""

    class Told:
        """Answers one recording to each order."""

        contract = "state"

        def __len__(self) -> int:
            return 1

        def spread(self, function: object, jobs: Any) -> Any:
            """Answer."""
            if function is record_order:
                return ((order, recording) for order in jobs)
            return ((trees, dict.fromkeys(trees, EMPTY)) for trees in jobs)

    base = Explorer(cast("Crew", Told()), explorer.recorded, explorer.scratch)
    return list(tried(base, [Fault("sync", 1), Fault("sync", 2)], SOME, 0))


@pytest.mark.parametrize("ended", ["died", "hung"])
def test_a_process_that_dies_or_hangs_of_an_error(ended: str, explorer_of: ExplorerOf) -> None:
    """It is a finding of its own; after one that hung no more are tried."""
    words = ("opening", "open", "armed", "start 0 0")
    recording = Recording(Trace((), tuple(map(Mark, words))), {}, ended, "SIGABRT", fired=1)
    found = judged(explorer_of(s.DOCUMENT, "state", "some puts and deletes"), recording)
    assert len(found) == (2 if ended == "died" else 1)
    (finding,) = found[0].findings
    assert (finding.verdict, finding.model, finding.observation.detail) == (ended, "", "SIGABRT")


def test_what_is_shown_right_after_an_error_is_judged(explorer_of: ExplorerOf) -> None:
    """A store that shows a mixture at the time is wrong, even where a new process finds nothing wrong."""
    explorer = explorer_of(s.DOCUMENT, "state", "some puts and deletes")
    words = ("opening", "open", "armed", "start 0 0", "raised 0", "start 1 0", "raised 1")
    made_up = '{"entries": [["k0", "made up"]], "length": 1}'
    attempts = [Attempt(0, "OSError: no", made_up), Attempt(0, "OSError: no")]
    recording = Recording(Trace((), tuple(map(Mark, words))), {}, "returned", returned=attempts, fired=1)
    found = judged(explorer, recording)[0]
    assert [(finding.verdict, finding.state.label) for finding in found.findings] == [("torn", "right after the error")]
    assert found.judged == 2
    assert assembled(explorer.crew, explorer.recorded.steps, recording).moments[-1].settled == 2


def test_power_losses_that_cannot_be_worked_out_are_no_pass(explorer_of: ExplorerOf) -> None:
    """A failed sync in a run of which the recorder missed something tells nothing of power loss."""
    words = ("opening", "open", "armed", "start 0 0", "raised 0")
    attempts = [Attempt(0, "OSError: no")]
    trace = Trace((), tuple(map(Mark, words)))
    unseen = Recording(trace, {"store": b"{}"}, "returned", returned=attempts, recorder="python", fired=1)
    with pytest.raises(Unmeasured, match="the python recorder missed something of the run in which a sync failed"):
        judged(explorer_of(s.DOCUMENT, "state", "some puts and deletes"), unseen)
