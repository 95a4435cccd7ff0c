"""Who sees the events of the `log` contract, and when: other handles, and other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.log_steps import (
    agree,
    append_all,
    append_batch,
    holds,
    offers,
    pairs,
    positioned,
    require_durable,
    some_events,
)

if TYPE_CHECKING:
    from conformance.trial import Trial

_SHARED = "sharing:processes"
_POSITIONS = ("LOG-BASIC-01", "LOG-POSITION-01", "LOG-HEAD-01")


@check("LOG-SHARED-01", sources="LOG-05, LOG-51, LOG-52", promise=_SHARED, needs=_POSITIONS)
def test_other_handle_sees_events_at_once(trial: Trial) -> None:
    """Acknowledged events are there at once for every other handle, one that was opened before them included.

    Why: a worker that follows the log of another one sees nothing, or sees its end late, when its handle answers from
    what it read at its opening.

    Breaks it:

        def __init__(self, path):
            self._events = load(path)         # never looked at again
    """
    require_durable(trial)
    events: list[Any] = []
    with trial.fresh() as session:
        writer, reader = session.open(), session.open()
        holds(trial, reader, events, "reading an empty log through a second handle")
        for number in range(3):
            new = some_events(trial, 2, after=2 * number)
            append_all(trial, writer, new)
            events += new
            trial.equal(reader.head, len(events), "the head as a second handle sees it")
            holds(trial, reader, events, "reading through a second handle what the first has appended")
        third = session.open()
        holds(trial, third, events, "reading through a third handle, opened last")


@check("LOG-SHARED-02", sources="LOG-01, LOG-52, LOG-62", promise=_SHARED, needs=_POSITIONS)
def test_appends_of_two_handles_take_turns(trial: Trial) -> None:
    """Two handles that append in turn get consecutive positions, and both read the events of both.

    Why: a handle that counts for itself gives a position that the other one has given already. One of the two events is
    overwritten, and both were acknowledged.

    Breaks it:

        def append(self, event):
            self._head += 1                   # of this handle
            self._write(self._head, event)
    """
    require_durable(trial)
    events = some_events(trial, 9)
    with trial.fresh() as session:
        handles = [session.open(), session.open()]
        for position, event in enumerate(events, 1):
            handle = handles[position // 2 % 2]  # 1, 2, 2, 1, 1, 2, 2, 1, 1: in turn, and twice in a row
            trial.equal(handle.append(event), position, "appending after the other handle has appended")
            handle.acknowledge()
        if offers(trial, "batch"):
            batch = some_events(trial, 3, after=len(events))
            append_batch(trial, handles[1], batch, 9, "appending a batch after the other handle has appended")
            handles[1].acknowledge()
            events += batch
        for handle in handles:
            trial.equal(handle.head, len(events), "the head after appends through both handles")
            holds(trial, handle, events, "reading what both handles have appended")


@check("LOG-SHARED-03", sources="LOG-51, LOG-62", promise=_SHARED, needs=_POSITIONS)
def test_other_process_sees_events_at_once(trial: Trial) -> None:
    """Acknowledged events are there at once for another process, while the log is still open here.

    Why: an append that waits in a buffer of this process until the log is closed is invisible to every other worker,
    and gone when this process is.

    Breaks it:

        self._file.write(line)                # no flush: in the buffer of this process
    """
    require_durable(trial)
    events = some_events(trial, 3)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        found = pairs(trial, session.read_in_new_process())
        agree(trial, found, positioned(events), "reading in a new process, the log being open in this one")
        events += some_events(trial, 1, after=len(events))
        trial.equal(store.append(events[-1]), len(events), "appending after another process has read the log")
        holds(trial, store, events, "reading after another process has read the log")
