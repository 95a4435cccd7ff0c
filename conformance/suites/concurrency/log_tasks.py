"""Tasks of one event loop that append to one async log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.concurrency.among_tasks import CANCELLED, TASKS, require_of_tasks

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "LOG-CONC-21",
    sources="Kafka, NATS JetStream: one order for all readers; mutants position_before_waiting, "
    "position_of_a_cancelled_append",
    promise="sharing:threads",
    needs=("LOG-BASIC-01", "LOG-POSITION-01", "LOG-READ-01"),
)
def test_appends_of_tasks_have_one_order(trial: Trial) -> None:
    """Appends of tasks get positions of their own, without a gap, in one order, also when some of them are cancelled.

    Why: two events at one position mean that one of them is gone. A reader that waits for the position which a
    cancelled append took and never wrote waits for ever.

    Breaks it:

        async def append(self, event):
            position = self.head + 1                   # two tasks get the same
            await self._write(position, event)
            return position
    """
    require_of_tasks(trial, "appends", (*TASKS, *CANCELLED))
