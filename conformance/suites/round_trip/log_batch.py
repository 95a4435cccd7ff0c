"""The capability `batch` of the `log` contract: all events of a batch are appended side by side, or none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.suites.round_trip.log_steps import UNSTORABLE, append_all, append_batch, holds, some_events

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-POSITION-01", "LOG-HEAD-01")
_CONTIGUOUS = (*_NEEDS, "LOG-BATCH-01")
#: More than fit into one SQL statement (SQLite takes 999 parameters, or 32,766) or one page of a service.
_LARGE = 1_200


@check("LOG-BATCH-01", sources="LOG-07", capability="batch", needs=_NEEDS)
def test_batch_is_contiguous(trial: Trial) -> None:
    """The events of a batch get consecutive positions in their order, right behind the head; they are returned.

    Why: the caller notes the positions of what it has appended. A batch that comes back in another order, or is counted
    as one, makes it note wrong ones.

    Breaks it:

        def append_batch(self, events):
            self._executor.map(self.append, events)     # in whatever order the threads come
    """
    events: list[Any] = []
    with trial.fresh() as session:
        store = session.open()
        for size in (3, 1, 2, 7):
            batch = some_events(trial, size, after=len(events))
            append_batch(trial, store, batch, len(events), f"appending a batch of {size}")
            events += batch
            trial.equal(store.head, len(events), f"the head after a batch of {size}")
            events += some_events(trial, 1, after=len(events))
            trial.equal(store.append(events[-1]), len(events), f"appending one event after a batch of {size}")
        holds(trial, store, events, "reading a log of batches and single events")


@check("LOG-BATCH-02", sources="LOG-06; KV-25", capability="batch", needs=_NEEDS)
def test_empty_batch_does_nothing(trial: Trial) -> None:
    """An empty batch does nothing and gives no positions.

    Why: a step that had nothing to record appends an empty batch. It must not raise, nor put an empty record into the
    log, nor take a position.

    Breaks it:

        def append_batch(self, events):
            first = self._reserve(max(1, len(events)))
    """
    events = some_events(trial, 3)
    with trial.fresh() as session:
        store = session.open()
        _append_nothing(trial, store, 0)
        for number, event in enumerate(events, 1):
            trial.equal(store.append(event), number, "appending after an empty batch")
            _append_nothing(trial, store, number)
        holds(trial, store, events, "reading a log that was given empty batches")


def _append_nothing(trial: Trial, store: Handle, head: int) -> None:
    got = store.append_batch([])
    trial.true(not got, "appending an empty batch", expected="[]", got=literal(got))
    trial.equal(store.head, head, "the head after an empty batch")


@check("LOG-BATCH-03", sources="LOG-07; Pekko AtomicWrite", capability="batch", needs=_CONTIGUOUS)
def test_refused_batch_leaves_nothing(trial: Trial) -> None:
    """A batch in which one event is refused appends none, wherever in the batch that event stands.

    Why: a batch is one decision. Half of it in the log is a decision that nobody took, and the retry appends that half
    a second time.

    Breaks it:

        def append_batch(self, events):
            return [self.append(event) for event in events]
    """
    events = some_events(trial, 2)
    good = some_events(trial, 3, after=len(events))
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        for place in range(len(good) + 1):
            batch = [*good[:place], UNSTORABLE, *good[place:]]
            # A store in memory may keep even this, which is as good, if it is the same when it is read.
            if trial.refused(partial(store.append_batch, batch)):
                trial.count("refusals")
            else:
                events += batch
            what = f"a batch of {len(batch)} whose event number {place + 1} can't be stored"
            trial.equal(store.head, len(events), f"the head after {what}")
            holds(trial, store, events, f"reading after {what}")
        append_batch(trial, store, good, len(events), "appending the batch without the event that can't be stored")
        events += good
        holds(trial, store, events, "reading at the end")


@check(
    "LOG-BATCH-04",
    sources="LOG-07, LOG-39",
    capability="batch",
    promise="durability:clean-close",
    needs=(*_CONTIGUOUS, "LOG-BATCH-03", "LOG-REOPEN-01"),
)
def test_batches_survive_reopening(trial: Trial) -> None:
    """Whole batches are there after reopening, and nothing of a refused one.

    Why: what was rolled back in memory only comes back with the next start.

    Breaks it:

        except TypeError:
            del self._events[before:]         # but the lines before it are in the file
    """
    events: list[Any] = []
    with trial.fresh() as session:
        store = session.open()
        for size in (3, 1, 4):
            batch = some_events(trial, size, after=len(events))
            trial.true(
                trial.refused(partial(store.append_batch, [*batch, UNSTORABLE])),
                "appending a batch whose last event has no stored form",
                expected="an exception",
                got="no exception",
            )
            store = session.reopen(store)
            holds(trial, store, events, "reading the reopened log after a refused batch")
            append_batch(trial, store, batch, len(events), "appending a batch to the reopened log")
            events += batch
            store = session.reopen(store)
            holds(trial, store, events, "reading the reopened log after a batch")
            trial.equal(store.head, len(events), "the head of the reopened log after a batch")


@check("LOG-BATCH-05", sources="LOG-07, LOG-23", capability="batch", needs=_CONTIGUOUS)
def test_large_batch_is_whole(trial: Trial) -> None:
    """A batch of 1,200 events is appended whole.

    Why: batches are cut where a statement, a page or a message of the store beneath is full, and the rest is forgotten.

    Breaks it:

        self._table.insert_many(events[:1000])
    """
    events = some_events(trial, 1 + _LARGE)
    with trial.fresh() as session:
        store = session.open()
        store.append(events[0])
        append_batch(trial, store, events[1:], 1, f"appending a batch of {_LARGE:,}")
        trial.equal(store.head, 1 + _LARGE, f"the head after a batch of {_LARGE:,}")
        holds(trial, store, events, f"reading after a batch of {_LARGE:,}")
