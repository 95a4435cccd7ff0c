"""Processes that are killed while others go on, or all together, on one log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.laboratory import KILLS, require

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "LOG-CONC-41",
    sources="LOG-42; Jepsen; mutant log_appends_behind_half_a_record",
    promise="sharing:processes durability:process-crash",
    needs=("LOG-CONC-11",),
)
def test_the_log_goes_on_after_a_writer_was_killed(trial: Trial) -> None:
    """When one of several processes is killed in the midst of an append, or all are, every acknowledged event stays.

    The event that was being appended is there, whole, or it is not. Positions stay without a gap, and in one order that
    those who live on and those who come after see.

    Why: half a record at the end of a log is harmless, until the next writer appends behind it.

    Breaks it:

        def append(self, event):
            self._file.write(len(text).to_bytes(8, "big"))       # killed here
            self._file.write(text)                               # the next length is read as this text
    """
    require(trial, "appends", KILLS)
