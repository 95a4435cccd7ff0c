"""Power loss and the `runs` contract: an earlier state, whole; and nothing that was acknowledged is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import keeps_an_earlier_state, keeps_what_was_acknowledged

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("RUNS-BASIC-01", "RUNS-REOPEN-01")
_PREFIX = "durability:prefix"
_DURABLE = "durability:power-loss"


@check("RUNS-CRASH-11", sources="RUN-26; ALICE, OSDI 2014; mutant records_not_synced", promise=_PREFIX, needs=_NEEDS)
def test_power_loss_leaves_an_earlier_state_of_runs(trial: Trial) -> None:
    """Power loss leaves runs in a state that was: no run is torn, and none is newer beside one that went back.

    Why: what is not synced the disk writes when it likes. A run that is renamed into place before its bytes are on the
    disk comes back empty, and the old record is gone.

    Breaks it:

        with open(temporary, "w") as file:
            json.dump(run, file)                       # not synced
        os.replace(temporary, path)                    # the name may reach the disk before the bytes
    """
    keeps_an_earlier_state(trial, "saves of growing runs")


@check(
    "RUNS-CRASH-12",
    sources="RUN-27; LOG-25; mutant event_line_not_synced",
    capability="append_event",
    promise=_PREFIX,
    needs=(*_NEEDS, "RUNS-EVENT-01"),
)
def test_power_loss_leaves_an_earlier_state_of_events(trial: Trial) -> None:
    """Power loss leaves the events of each run in a state that was: no hole, nothing torn, none twice.

    Why: an event behind a hole is worse than one that is missing: a replay skips a step and goes on.

    Breaks it:

        with open(self._path(run_id), "a") as file:
            file.write(json.dumps(event) + "\\n")       # not synced: what is saved later may be there without it
    """
    keeps_an_earlier_state(trial, "events")


@check(
    "RUNS-CRASH-21",
    sources="RUN-26; ALICE, OSDI 2014; mutant records_name_not_synced",
    promise=_DURABLE,
    needs=(*_NEEDS, "RUNS-CRASH-11"),
)
def test_acknowledged_runs_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged save of a run, and every delete, is there after power loss.

    Why: the agent goes on from its last checkpoint. When that has gone back, it pays and writes and books once more.

    Breaks it:

        os.fsync(file.fileno())
        os.replace(temporary, path)                    # no sync of the directory: the old record may come back
    """
    keeps_what_was_acknowledged(trial, "saves of growing runs")


@check(
    "RUNS-CRASH-22",
    sources="RUN-27; LOG-39; mutant records_name_not_synced",
    capability="append_event",
    promise=_DURABLE,
    needs=(*_NEEDS, "RUNS-EVENT-01", "RUNS-CRASH-12"),
)
def test_acknowledged_events_survive_power_loss(trial: Trial) -> None:
    """Every acknowledged event is there after power loss.

    Why: the event says that the tool was called. When it is lost, the tool is called again.

    Breaks it:

        with open(self._path(run_id), "a") as file:    # the first event makes the file
            file.write(json.dumps(event) + "\\n")
            file.flush()
            os.fsync(file.fileno())                    # and no sync of the directory: the name may be lost
    """
    keeps_what_was_acknowledged(trial, "events")
