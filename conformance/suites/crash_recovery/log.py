"""Process kills and the `log` contract: the disk keeps what was written, the process loses what it had in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.crash_recovery.rules import survives_a_kill

if TYPE_CHECKING:
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-REOPEN-01")
_PROMISE = "durability:process-crash"


@check("LOG-CRASH-01", sources="LOG-39, LOG-15; mutant ack_before_threshold", promise=_PROMISE, needs=_NEEDS)
def test_appends_survive_a_kill(trial: Trial) -> None:
    """Every acknowledged append survives a kill at any system call, at its position, and the log goes on behind it.

    Why: the log is what everything else is made of again. The append in flight is there whole or not at all, and the
    next append takes the position after the last event that is there.

    Breaks it:

        self._buffer.append(event)
        if len(self._buffer) >= 100:                   # acknowledged at once, written a hundred appends later
            self._write()
    """
    survives_a_kill(trial, "appends")


@check(
    "LOG-CRASH-02",
    sources="LOG-40, LOG-41; valkey #4342",
    promise=_PROMISE,
    capability="batch",
    needs=(*_NEEDS, "LOG-BATCH-01"),
)
def test_batches_survive_a_kill(trial: Trial) -> None:
    """A kill leaves all events of a batch or none of them.

    Why: the events of a batch belong together: the payment and the order. A reader after the crash acts on half of it.

    Breaks it:

        def append_batch(self, events):
            return [self.append(event) for event in events]    # killed between two of them
    """
    survives_a_kill(trial, "batches")


@check("LOG-CRASH-03", sources="LOG-25, LOG-39", promise=_PROMISE, needs=_NEEDS)
def test_large_events_survive_a_kill(trial: Trial) -> None:
    """Events larger than a page, a buffer or a segment are there whole or not at all after a kill.

    Why: a large event takes several writes, or a new segment. Between them the process is killed.

    Breaks it:

        self._file.write(len(data).to_bytes(8, "big"))
        self._file.write(data)                         # killed here: the length is there, the event is not
    """
    survives_a_kill(trial, "events above a page")


@check(
    "LOG-CRASH-04",
    sources="LOG-45, LOG-48, VS-17, VS-19; Prometheus checkpoints",
    promise=_PROMISE,
    capability="compaction",
    needs=(*_NEEDS, "LOG-COMPACT-01"),
)
def test_checkpoints_and_compaction_survive_a_kill(trial: Trial) -> None:
    """A kill during a checkpoint or a compaction leaves the old checkpoint or the new one, and every event behind it.

    Why: compaction drops events because a checkpoint stands for them. A kill between the two must not leave neither.

    Breaks it:

        def checkpoint(self, state, upto):
            with open(self._checkpoint, "w") as file:  # killed here, the old checkpoint is gone
                json.dump([state, upto], file)
    """
    survives_a_kill(trial, "checkpoints and compaction")


@check("LOG-CRASH-05", sources="LOG-15, LOG-25, LOG-37", promise=_PROMISE, needs=_NEEDS)
def test_closing_and_opening_a_log_survive_a_kill(trial: Trial) -> None:
    """A kill while the log is closed or opened again loses nothing, and no position is given twice.

    Why: on opening, a log looks for its end and cuts what is torn. A kill there must not cut more.

    Breaks it:

        self._next = len(list(self._folder.glob("*.event")))   # counts the half-made file of the last life
    """
    survives_a_kill(trial, "closing and reopening")
