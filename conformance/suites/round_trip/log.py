"""Positions and reading in the `log` contract."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.round_trip.log_steps import (
    UNSTORABLE,
    agree,
    append_all,
    entries,
    holds,
    positioned,
    smallest,
    some_events,
)
from conformance.values import domain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.trial import Trial

_GATE = ("LOG-BASIC-01",)
_POSITIONS = (*_GATE, "LOG-POSITION-01")


@check("LOG-BASIC-01", sources="LOG-01, LOG-03")
def test_events_are_read_back(trial: Trial) -> None:
    """Events that were appended are read back, in their order; an empty log reads as nothing.

    Why: it is the least that a log does. Whatever else is checked rests on it.

    Breaks it:

        def read(self, start=1, stop=None):
            return reversed(self._entries)     # newest first
    """
    one, other = some_events(trial, 2)
    with trial.fresh() as session:
        store = session.open()
        trial.equal(entries(trial, store), [], "reading an empty log")
        store.append(one)
        trial.equal([event for _, event in entries(trial, store)], [one], "reading a log of one event")
        store.append(other)
        trial.equal([event for _, event in entries(trial, store)], [one, other], "reading a log of two events")


@check("LOG-POSITION-01", sources="LOG-01", needs=_GATE)
def test_positions_are_consecutive(trial: Trial) -> None:
    """The first event has position 1 and every next one the position after, as an int; `append` returns it.

    Why: programs keep the position that `append` gave them, to say how far they have read and what a checkpoint covers.
    A position that is off by one makes them skip an event, or apply one twice.

    Breaks it:

        def append(self, event):
            self._events.append(event)
            return len(self._events) - 1      # counts from 0
    """
    events = some_events(trial, 12)
    with trial.fresh() as session:
        store = session.open()
        for number, event in enumerate(events, 1):
            trial.equal(store.append(event), number, f"appending event number {number}")
        holds(trial, store, events, "reading the positions that append returned")


@check("LOG-POSITION-02", sources="LOG-08, LOG-41, LOG-56", needs=(*_POSITIONS, "LOG-HEAD-01"))
def test_refused_event_takes_no_position(trial: Trial) -> None:
    """An event that is refused takes no position, and leaves the log as it was.

    Why: the position is taken, or the first half of the event written, before the event turns out to be nothing that
    the log can hold. What follows is a hole that stops a reader, or a line that is two events in one.

    Breaks it:

        def append(self, event):
            self._head += 1                   # before json.dumps(event) raises
            self._file.write(json.dumps(event))
    """
    events = some_events(trial, 2)
    unstorable = [UNSTORABLE, ["x" * 5000, UNSTORABLE], {"a": [1, {"b": UNSTORABLE}]}]
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        for number, event in enumerate(unstorable, 3):
            # A store in memory may keep even this, which is as good, if it is the same when it is read.
            if trial.refused(partial(store.append, event)):
                trial.count("refusals")
            else:
                events.append(event)
            trial.equal(store.head, len(events), "the head after an event that can't be stored")
            holds(trial, store, events, "reading after an event that can't be stored")
            events += some_events(trial, 1, after=number)
            trial.equal(store.append(events[-1]), len(events), "appending after an event that can't be stored")
        holds(trial, store, events, "reading after events that can't be stored, and others")


@check(
    "LOG-POSITION-03", sources="LOG-01; not LOG-55, which is for producers that number their events", needs=_POSITIONS
)
def test_equal_event_is_a_new_event(trial: Trial) -> None:
    """An event equal to an earlier one is a new event, with a position of its own.

    Why: two equal deposits are two deposits. A log that recognises an event it has seen loses the second one.

    Breaks it:

        def append(self, event):
            key = hash_of(event)
            if key in self._seen:
                return self._seen[key]        # the earlier position
    """
    one, other = some_events(trial, 2)
    events = [one, one, other, one, one]
    with trial.fresh() as session:
        store = session.open()
        for number, event in enumerate(events, 1):
            trial.equal(store.append(event), number, "appending an event that equals an earlier one, or doesn't")
        holds(trial, store, events, "reading a log in which an event comes four times")


@check("LOG-HEAD-01", sources="LOG-05", needs=_GATE)
def test_head_is_the_last_position(trial: Trial) -> None:
    """The head is 0 when there never was an event, and the position of the last event from then on.

    Why: the head says how far a reader has to go, and what the next `expected` is. A head that lags hides acknowledged
    events; one that runs ahead makes readers wait for ever.

    Breaks it:

        @property
        def head(self):
            return self._next                 # the position to come
    """
    events = some_events(trial, 5)
    with trial.fresh() as session:
        store = session.open()
        trial.equal(store.head, 0, "the head of an empty log")
        for number, event in enumerate(events, 1):
            store.append(event)
            trial.equal(store.head, number, f"the head after {number} appends")
        entries(trial, store)
        trial.equal(store.head, len(events), "the head after the log was read")


@check("LOG-READ-01", sources="LOG-03, LOG-04", needs=_POSITIONS)
def test_windows(trial: Trial) -> None:
    """Reading a window gives the events from `start` on, `stop` excluded, and nothing where the window is empty.

    Why: a reader that goes on where it stopped asks for a window. One event too few and it is lost; one too many and it
    is applied twice. `stop <= start`, and a start beyond the head, come up in every loop that reads a log in pieces.

    Breaks it:

        def read(self, start=1, stop=None):
            stop = stop or self.head + 1      # stop=0 gives everything
    """

    def body(cases: Sequence[tuple[int, tuple[int | None, ...]]]) -> None:
        for size in dict.fromkeys(size for size, _ in cases):
            events = some_events(trial, size)
            with trial.fresh() as session:
                store = session.open()
                append_all(trial, store, events)
                for window in [window for of, window in cases if of == size]:
                    expected = [entry for entry in positioned(events) if _inside(entry[0], *window)]
                    got = entries(trial, store, *window)
                    agree(trial, got, expected, f"reading {_named(*window)}, the head being {size}")

    starts, stops = range(1, 8), (None, *range(9))
    windows = [(start,) for start in starts] + [(start, stop) for start in starts for stop in stops]
    smallest([(size, window) for size in (0, 1, 2, 5) for window in windows], body)


def _named(start: int | None = None, stop: int | None = None) -> str:
    return f"from {start} to the head" if stop is None else f"from {start} up to and without {stop}"


def _inside(position: int, start: int | None = None, stop: int | None = None) -> bool:
    return position >= (start or 1) and (stop is None or position < stop)


@check("LOG-READ-02", sources="LOG-03, LOG-52", needs=(*_POSITIONS, "LOG-READ-01"))
def test_reading_changes_nothing(trial: Trial) -> None:
    """Reading is repeatable: it takes no event away, and starts anew each time.

    Why: a log is read again and again, from many places. A queue that hands out each event once is no log, and a cursor
    that all readers share gives each of them a part.

    Breaks it:

        def read(self, start=1, stop=None):
            return self._cursor               # goes on where the last reader stopped
    """
    events = some_events(trial, 5)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        holds(trial, store, events, "reading the log for the first time")
        holds(trial, store, events, "reading the log for the second time")
        agree(trial, entries(trial, store, 2, 4), positioned(events[1:3], 2), "reading a window after the whole log")
        holds(trial, store, events, "reading the log after a window of it")
        agree(trial, entries(trial, store, 6), [], "reading from behind the head")
        holds(trial, store, events, "reading the log after a window that had nothing")


@check("LOG-READ-03", sources="LOG-04, LOG-49", needs=(*_POSITIONS, "LOG-READ-01"))
def test_window_follows_the_log(trial: Trial) -> None:
    """A window that had nothing has the event as soon as it was appended.

    Why: this is how a reader follows a log: it asks again from where it stopped. An answer that was kept from the last
    time makes it blind.

    Breaks it:

        @functools.cache                      # the first answer, for ever
        def read(self, start=1, stop=None): ...
    """
    events: list[object] = []
    with trial.fresh() as session:
        store = session.open()
        for number in range(1, 6):
            agree(trial, entries(trial, store, number), [], "reading from behind the head")
            agree(trial, entries(trial, store, number, number + 1), [], "reading a window behind the head")
            events.append(domain.numbered(trial.backend.values, number))
            store.append(events[-1])
            agree(trial, entries(trial, store, number), [(number, events[-1])], "reading from there, an event later")
            agree(trial, entries(trial, store, number, number + 1), [(number, events[-1])], "reading that window again")
        holds(trial, store, events, "reading the whole log")
