"""The capabilities `verify` and `flush` of the `log` contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.suites.round_trip.log_steps import (
    append_all,
    entries,
    fold,
    holds,
    is_durable,
    latest,
    offers,
    some_events,
)

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_NEEDS = ("LOG-BASIC-01", "LOG-POSITION-01", "LOG-HEAD-01", "LOG-READ-01")
_ABSENT = object()


@check("LOG-VERIFY-01", sources="LOG-29; the state contract on verify", capability="verify", needs=_NEEDS)
def test_sound_log_is_healthy(trial: Trial) -> None:
    """`verify` of a sound log, empty, filled, compacted or reopened, counts what is healthy and reports no damage.

    Why: an alarm that rings on a sound log is switched off, and is silent on the day of the damage.

    Breaks it:

        damaged = [p for p in range(1, self.head + 1) if p not in self._positions]   # compacted ones as well
    """
    events = some_events(trial, 6)
    with trial.fresh() as session:
        store = session.open()
        _must_be_sound(trial, store, "an empty log")
        append_all(trial, store, events)
        _must_be_sound(trial, store, "a log of six events")
        if is_durable(trial):
            store = session.reopen(store)
            _must_be_sound(trial, store, "a reopened log of six events")
        if offers(trial, "compaction"):
            for upto in (4, 6):
                store.checkpoint(fold(trial, events[:upto]), upto)
                store.compact(upto)
                _must_be_sound(trial, store, f"a log of six events, compacted up to {upto}")
            if is_durable(trial):
                _must_be_sound(trial, session.reopen(store), "a log of which everything was compacted, reopened")


def _must_be_sound(trial: Trial, store: Handle, what: str) -> None:
    report = store.verify()
    healthy, damaged = _part(trial, report, "healthy"), _part(trial, report, "damaged")
    trial.true(
        type(healthy) is int and healthy >= 0,
        f"verifying {what}: `healthy`",
        expected="a count",
        got=literal(healthy),
    )
    trial.true(
        isinstance(damaged, Sequence) and not isinstance(damaged, (str, bytes)) and len(damaged) == 0,
        f"verifying {what}: `damaged`",
        expected="an empty sequence",
        got=literal(damaged),
    )


def _part(trial: Trial, report: Any, name: str) -> Any:
    found = report.get(name, _ABSENT) if isinstance(report, Mapping) else getattr(report, name, _ABSENT)
    trial.true(
        found is not _ABSENT,
        "verifying the log",
        expected=f"a report with `{name}` as an attribute or a key",
        got=literal(report),
    )
    return found


@check("LOG-VERIFY-02", sources="LOG-38; the state contract on verify", capability="verify", needs=_NEEDS)
def test_verifying_changes_nothing(trial: Trial) -> None:
    """`verify` looks and changes nothing.

    Why: it is called when something is wrong, by somebody who wants to know what. A check that repairs on its way
    destroys the evidence, and on a sound log the last event.

    Breaks it:

        def verify(self):
            self._truncate(self._last_newline())        # "torn tail", where the last line has no end yet
    """
    _changes_nothing(trial, "verify")


@check("LOG-FLUSH-01", sources="MEM-15", capability="flush", needs=_NEEDS)
def test_flushing_shows_nowhere(trial: Trial) -> None:
    """`flush` changes nothing that can be read: no event more or less, no position taken.

    Why: it is called between any two appends, and on an empty log too.

    Breaks it:

        def flush(self):
            self.append({"type": "flush"})    # a marker that every reader meets
    """
    _changes_nothing(trial, "flush")


def _changes_nothing(trial: Trial, method: str) -> None:
    """Call a method in between everything, and require that nothing shows it."""
    events = some_events(trial, 7)
    with trial.fresh() as session:
        store = session.open()
        getattr(store, method)()
        for number, event in enumerate(events, 1):
            trial.equal(store.head, number - 1, f"the head after {method}()")
            trial.equal(store.append(event), number, f"appending after {method}()")
            getattr(store, method)()
            getattr(store, method)()
            holds(trial, store, events[:number], f"reading after {method}()")
        if is_durable(trial):
            store = session.reopen(store)
            holds(trial, store, events, f"reading the log reopened after {method}()")
        if offers(trial, "compaction"):
            store.checkpoint(fold(trial, events[:5]), 5)
            store.compact(5)
            before = (store.first, latest(trial, store), entries(trial, store, 6))
            getattr(store, method)()
            what = f"`first`, the latest checkpoint and the events from 6 on, of a compacted log after {method}()"
            trial.equal((store.first, latest(trial, store), entries(trial, store, 6)), before, what)


@check(
    "LOG-FLUSH-02",
    sources="MEM-15; LOG-39",
    capability="flush",
    promise="durability:clean-close",
    needs=(*_NEEDS, "LOG-REOPEN-01"),
)
def test_flushed_events_survive_reopening(trial: Trial) -> None:
    """What was appended before a `flush` is there after the log was closed and opened again.

    Why: `flush` is the promise that everything so far is kept. A buffer that it empties before, or instead of, writing
    it makes the promise a loss.

    Breaks it:

        def flush(self):
            batch, self._pending = self._pending, []
            self._file.writelines(batch[:-1])
    """
    events: list[Any] = []
    with trial.fresh() as session:
        store = session.open()
        for size in (1, 3, 5):
            for event in some_events(trial, size, after=len(events)):
                store.append(event)
                events.append(event)
            store.flush()
            store.close()
            store = session.open()
            trial.equal(store.head, len(events), "the head of the log that was flushed, closed and reopened")
            holds(trial, store, events, "reading the log that was flushed, closed and reopened")
