"""Compaction of the `log` contract: what a checkpoint covers is dropped, and no fold notices."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.log_steps import (
    agree,
    append_all,
    entries,
    fold,
    latest,
    must_refuse,
    positioned,
    restored,
    some_events,
)

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

# A log may compact more than it was asked to, up to its latest checkpoint, at any time: no fold can tell. So the checks
# say exactly what is left only where `compact` goes as far as the checkpoint.
_NEEDS = ("LOG-BASIC-01", "LOG-POSITION-01", "LOG-HEAD-01", "LOG-READ-01", "LOG-CHECKPOINT-01")
_REOPENED = (*_NEEDS, "LOG-REOPEN-01", "LOG-CHECKPOINT-06")
_DURABLE = "durability:clean-close"


@check("LOG-COMPACT-01", sources="LOG-44, LOG-60; JasperFx StreamCompacting", capability="compaction", needs=_NEEDS)
def test_compaction_is_invisible_to_folds(trial: Trial) -> None:
    """The latest checkpoint and the events after it give the state that all events gave: before compaction and after.

    Why: this is the whole bargain. One event too many dropped, or a tail that begins in another place, and every start
    from now on comes to a state that never was.

    Breaks it:

        def compact(self, upto):
            self._execute("DELETE FROM log WHERE position <= ?", upto + 1)
    """
    events: list[Any] = []
    with trial.fresh() as session:
        store = session.open()
        for size, upto, dropped in ((3, 2, 2), (6, 7, 5), (3, 12, 12), (4, 14, 13)):
            append_all(trial, store, some_events(trial, size, after=len(events)))
            events += some_events(trial, size, after=len(events))
            trial.equal(restored(trial, store), fold(trial, events), "restoring the state after more appends")
            store.checkpoint(fold(trial, events[:upto]), upto)
            what = f"restoring the state after a checkpoint at {upto} of {len(events)} events"
            trial.equal(restored(trial, store), fold(trial, events), what)
            if dropped >= store.first:
                store.compact(dropped)
            what = f"restoring the state after compacting up to {dropped}, the checkpoint being at {upto}"
            trial.equal(restored(trial, store), fold(trial, events), what)


@check("LOG-COMPACT-02", sources="LOG-16, LOG-47; Pekko replay alignments", capability="compaction", needs=_NEEDS)
def test_events_left_keep_their_positions(trial: Trial) -> None:
    """After compaction the events that are left have the positions that they had, in every window.

    Why: positions are written down elsewhere: in checkpoints, in other logs, by readers. A log that numbers its events
    anew makes all of those point at something else.

    Breaks it:

        def read(self, start=1, stop=None):
            return list(enumerate(self._events_left, 1))[start - 1 : stop and stop - 1]
    """
    events = some_events(trial, 8)
    left = positioned(events)[5:]
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        store.checkpoint(fold(trial, events[:5]), 5)
        store.compact(5)
        trial.equal(store.head, 8, "the head after compacting up to 5 of 8 events")
        for start in (6, 7, 8, 9, 10):
            agree(
                trial, entries(trial, store, start), left[start - 6 :], f"reading from {start}, 1 to 5 being compacted"
            )
            for stop in range(5, 11):
                expected = [entry for entry in left if start <= entry[0] < stop]
                what = f"reading from {start} up to and without {stop}, 1 to 5 being compacted"
                agree(trial, entries(trial, store, start, stop), expected, what)
        for window in ((), (1,), (5,), (1, 4), (5, 6), (1, 6), (5, 7), (3, 8), (1, 20)):
            _reads_below(trial, store, left, *window)


def _reads_below(trial: Trial, store: Handle, left: list[tuple[int, Any]], *window: int) -> None:
    """Read a window that starts below the first event left: it is refused, or gives the events left."""
    found: list[tuple[int, Any]] = []
    if trial.refused(lambda: found.extend(entries(trial, store, *window))):
        trial.count("refusals")
        return
    stop = window[1] if len(window) > 1 else None
    expected = [entry for entry in left if stop is None or entry[0] < stop]
    what = f"reading{f' from {window[0]}' if window else ''}{f' up to and without {stop}' if stop else ''}"
    agree(trial, found, expected, f"{what}, 1 to 5 being compacted")


@check("LOG-COMPACT-03", sources="LOG-04, LOG-44", capability="compaction", needs=_NEEDS)
def test_first_is_the_first_event_left(trial: Trial) -> None:
    """`first` is the position of the first event left, or head + 1 where there is none.

    Why: a reader asks for it to know where it can begin, and whether what it has not read yet is gone.

    Breaks it:

        @property
        def first(self):
            return min(self._positions, default=0)      # 0 where everything was compacted
    """
    events = some_events(trial, 8)
    with trial.fresh() as session:
        store = session.open()
        trial.equal(store.first, 1, "`first` of an empty log")
        append_all(trial, store, events)
        trial.equal(store.first, 1, "`first` of a log that was never compacted")
        for upto in (3, 4, 8):
            store.checkpoint(fold(trial, events[:upto]), upto)
            first = store.first
            trial.true(
                type(first) is int and 1 <= first <= upto + 1,
                f"`first` after a checkpoint at {upto}",
                expected=f"an int from 1 to {upto + 1}",
                got=repr(first),
            )
            store.compact(upto)
            trial.equal(store.first, upto + 1, f"`first` after compacting up to {upto} of 8 events")
            expected = positioned(events[upto:], upto + 1)
            agree(trial, entries(trial, store, store.first), expected, "reading from `first` on")
        append_all(trial, store, some_events(trial, 1, after=8))
        trial.equal(store.first, 9, "`first` after compacting everything and one more append")


@check("LOG-COMPACT-04", sources="LOG-18, LOG-44", capability="compaction", needs=_NEEDS)
def test_compacting_twice_changes_nothing(trial: Trial) -> None:
    """Compacting up to the same position a second time changes nothing.

    Why: a job that compacts every night, and one that is repeated because its answer was lost, ask for what is done.

    Breaks it:

        def compact(self, upto):
            del self._events[:upto]           # the second time, other events stand there
    """
    events = some_events(trial, 9)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        store.checkpoint(fold(trial, events[:4]), 4)
        for times in ("once", "twice", "three times"):
            store.compact(4)
            what = f"after compacting up to 4 {times}"
            trial.equal(store.first, 5, f"`first` {what}")
            trial.equal(store.head, 9, f"the head {what}")
            agree(trial, entries(trial, store, 5), positioned(events[4:], 5), f"reading from `first` on {what}")
        # A position that was compacted before is done as well; a log that says so loudly is right, too.
        trial.refused(partial(store.compact, 2))
        trial.equal(restored(trial, store), fold(trial, events), "restoring the state after compacting up to 2 as well")
        trial.equal(store.first, 5, "`first` after compacting up to 2 as well")


@check("LOG-COMPACT-05", sources="LOG-47; LOG-48", capability="compaction", needs=_NEEDS)
def test_compacting_beyond_the_checkpoint_is_refused(trial: Trial) -> None:
    """Compacting beyond the latest checkpoint is refused, and drops nothing.

    Why: no state has those events folded in. Once dropped, they are lost for ever.

    Breaks it:

        def compact(self, upto):
            self._execute("DELETE FROM log WHERE position <= ?", upto)     # no checkpoint is asked for
    """
    events = some_events(trial, 7)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        for upto in (1, 6, 7):
            must_refuse(trial, partial(store.compact, upto), f"compacting up to {upto} without any checkpoint")
        agree(trial, entries(trial, store, 1), positioned(events), "reading after compacting was refused")
        store.checkpoint(fold(trial, events[:4]), 4)
        for upto in (5, 7, 8):
            must_refuse(trial, partial(store.compact, upto), f"compacting up to {upto}, the checkpoint being at 4")
            agree(trial, entries(trial, store, 5), positioned(events[4:], 5), "reading after compacting was refused")
            trial.equal(store.head, 7, "the head after compacting was refused")
        trial.equal(restored(trial, store), fold(trial, events), "restoring the state after compacting was refused")
        trial.equal(latest(trial, store), (fold(trial, events[:4]), 4), "asking for the latest checkpoint after that")


@check(
    "LOG-COMPACT-06",
    sources="LOG-13, LOG-14; SQLite rowid without AUTOINCREMENT",
    capability="compaction",
    needs=_NEEDS,
)
def test_positions_are_never_given_twice(trial: Trial) -> None:
    """After everything was compacted, the head stays where it is and the next event gets the position after it.

    Why: "the highest position there is, plus one" is 1 again when nothing is left. Readers that have seen position 1
    skip the event, and checkpoints count it as folded in.

    Breaks it:

        def append(self, event):
            position = max(self._positions, default=0) + 1
    """
    events = some_events(trial, 6)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events[:3])
        for head in range(3, 6):
            store.checkpoint(fold(trial, events[:head]), head)
            store.compact(head)
            trial.equal(store.head, head, "the head after everything was compacted")
            agree(trial, entries(trial, store, head + 1), [], "reading after everything was compacted")
            trial.equal(store.append(events[head]), head + 1, "appending after everything was compacted")
            found = entries(trial, store, head + 1)
            agree(trial, found, [(head + 1, events[head])], "reading the event appended after that")


@check(
    "LOG-COMPACT-07",
    sources="LOG-15; NATS ReloadAndLoseLastSequence",
    capability="compaction",
    promise=_DURABLE,
    needs=_REOPENED,
)
def test_positions_are_never_given_twice_after_reopening(trial: Trial) -> None:
    """After everything was compacted and the log reopened, the next event gets the position after the head.

    Why: the position lived in memory only, or was worked out from the last event. Now there is none.

    Breaks it:

        def __init__(self, path):
            self._head = self._one("SELECT coalesce(max(position), 0) FROM log")
    """
    events = some_events(trial, 6)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events[:3])
        for head in range(3, 6):
            store.checkpoint(fold(trial, events[:head]), head)
            store.compact(head)
            store = session.reopen(store)
            trial.equal(store.head, head, "the head after everything was compacted and the log reopened")
            trial.equal(store.first, head + 1, "`first` after everything was compacted and the log reopened")
            what = "appending after everything was compacted and the log reopened"
            trial.equal(store.append(events[head]), head + 1, what)
            found = entries(trial, store, head + 1)
            agree(trial, found, [(head + 1, events[head])], "reading the event appended after that")
            trial.equal(restored(trial, store), fold(trial, events[: head + 1]), "restoring the state after that")


@check("LOG-COMPACT-08", sources="LOG-15, LOG-44", capability="compaction", promise=_DURABLE, needs=_REOPENED)
def test_compaction_survives_reopening(trial: Trial) -> None:
    """A compacted log is the same after reopening: the checkpoint, `first`, and the events left at their positions.

    Why: compaction rewrites files. What it forgets to carry over, or to remove, is noticed by the next start: dropped
    events come back, or events are read under new positions.

    Breaks it:

        def _load(self):
            for position, line in enumerate(self._file, 1):   # the file begins with event 6 now
                self._entries[position] = json.loads(line)
    """
    events = some_events(trial, 10)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events[:8])
        store.checkpoint(fold(trial, events[:5]), 5)
        store.compact(5)
        for size in (8, 9, 10):
            store = session.reopen(store)
            trial.equal(
                latest(trial, store), (fold(trial, events[:5]), 5), "asking the reopened log for its checkpoint"
            )
            trial.equal(store.first, 6, "`first` of the compacted log, reopened")
            trial.equal(store.head, size, "the head of the compacted log, reopened")
            what = "reading from `first` on, the compacted log being reopened"
            agree(trial, entries(trial, store, 6), positioned(events[5:size], 6), what)
            for window in ((), (1,), (5, 7)):
                _reads_below(trial, store, positioned(events[5:size], 6), *window)
            what = "restoring the state, the compacted log being reopened"
            trial.equal(restored(trial, store), fold(trial, events[:size]), what)
            if size < len(events):
                trial.equal(store.append(events[size]), size + 1, "appending to the compacted log, reopened")
