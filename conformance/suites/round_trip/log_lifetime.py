"""How long events of the `log` contract live: reopening, in this process and in another, and closing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.suites.round_trip.log_steps import (
    UNSTORABLE,
    agree,
    append_all,
    entries,
    holds,
    is_durable,
    pairs,
    positioned,
    some_events,
)
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.trial import Trial

_GATE = ("LOG-BASIC-01",)
_POSITIONS = (*_GATE, "LOG-POSITION-01", "LOG-HEAD-01")
_DURABLE = "durability:clean-close"


@check("LOG-REOPEN-01", sources="LOG-01, LOG-05, LOG-39; Kafka KIP-101", promise=_DURABLE, needs=_POSITIONS)
def test_events_survive_reopening(trial: Trial) -> None:
    """Acknowledged events are there after the log was closed and opened again, and the positions go on behind them.

    Why: it is what the log was written for. A log that recovers from a mark that it wrote too rarely cuts off what it
    had acknowledged since; one that begins to count anew writes over the past.

    Breaks it:

        def __init__(self, path):
            self._truncate_to(self._read_high_watermark())   # saved every tenth append
    """
    events: list[Any] = []
    with trial.fresh() as session:
        store = session.open()
        for more in (0, 1, 0, 3, 7, 0, 2):
            new = some_events(trial, more, after=len(events))
            append_all(trial, store, new)
            events += new
            store = session.reopen(store)
            holds(trial, store, events, "reading the log after it was closed and opened again")
            trial.equal(store.head, len(events), "the head after the log was closed and opened again")
        (last,) = some_events(trial, 1, after=len(events))
        trial.equal(store.append(last), len(events) + 1, "appending to a log that was closed and opened again")
        holds(trial, store, [*events, last], "reading the log after an append to the reopened log")


@check("LOG-REOPEN-02", sources="LOG-39; the state contract on other processes", promise=_DURABLE, needs=_GATE)
def test_events_survive_in_a_new_process(trial: Trial) -> None:
    """Acknowledged events are read by another process that opens the log after it was closed.

    Why: a log that lives in a module's memory, in a cache of the process or in a file without a name passes every test
    that runs in one process.

    Breaks it:

        _LOGS: dict[str, list] = {}           # found again by this process alone
    """
    events = some_events(trial, 3)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        store.close()
        found = pairs(trial, session.read_in_new_process())
        agree(trial, found, positioned(events), "reading the log in a new process")


@check("LOG-REOPEN-03", sources="LOG-56; KV-01", promise=_DURABLE, needs=(*_POSITIONS, "LOG-READ-01"))
def test_every_kind_of_event_survives_reopening(trial: Trial) -> None:
    """Every kind of event that was accepted reads the same, in type and content, before closing and after reopening.

    Why: before it is closed, a log may answer from memory. What is on the disk shows only now.

    Breaks it:

        self._cache[position] = event         # exact
        self._file.write(json.dumps(event))   # NaN, tuples and dict keys that are no str are lost
    """
    kind = trial.backend.values
    kept: list[str] = []
    with trial.fresh() as session:
        store = session.open()
        for name, event in {**domain.accepted(kind), **domain.exact_or_refused(kind)}.items():
            if trial.refused(partial(store.append, event)):
                trial.count("refusals")
            else:
                kept.append(name)
        before = entries(trial, store)
        store = session.reopen(store)
        trial.equal(store.head, len(kept), "the head of the reopened log, which counts what was not refused")
        for name, entry in zip(kept, before, strict=True):
            found = entries(trial, store, entry[0], entry[0] + 1)
            agree(trial, found, [entry], f"reading, after reopening, an event of the kind '{name}'")


@check("LOG-REOPEN-04", sources="LOG-08, LOG-41", promise=_DURABLE, needs=("LOG-POSITION-02", "LOG-REOPEN-01"))
def test_refused_events_do_not_come_back(trial: Trial) -> None:
    """What was refused is not there after reopening either, and the positions go on as if it had never been.

    Why: what was written of a refused event is taken back in memory only. The next start finds it in the file.

    Breaks it:

        json.dump(event, self._file)          # raises in the middle; the first half is in the file
    """
    events: list[Any] = []
    with trial.fresh() as session:
        store = session.open()
        for number, unstorable in enumerate((UNSTORABLE, ["x" * 5000, UNSTORABLE], {"a": [1, UNSTORABLE]}), 1):
            trial.true(
                trial.refused(partial(store.append, unstorable)),
                "appending an event that has no stored form",
                expected="an exception",
                got="no exception",
            )
            store = session.reopen(store)
            holds(trial, store, events, "reading the log reopened after an event was refused")
            events += some_events(trial, 1, after=number)
            trial.equal(store.append(events[-1]), number, "appending to the log reopened after an event was refused")
        store = session.reopen(store)
        holds(trial, store, events, "reading the log reopened at the end")


@check("LOG-CLOSE-01", sources="MEM-22; the state contract on closing", methods=("close",), needs=_GATE)
def test_closing_twice_is_harmless(trial: Trial) -> None:
    """Closing a log that is closed already does nothing.

    Why: a `finally` and a context manager both close. The second time must neither raise, which hides the error that
    came before it, nor write anything.

    Breaks it:

        def close(self):
            self._file.close()
            self._file = None                 # the second time: AttributeError
    """
    events = some_events(trial, 3)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        for _ in range(3):
            store.close()
        trial.count("comparisons")  # an exception would have ended the check
        if is_durable(trial):
            holds(trial, session.open(), events, "reading the reopened log, which was closed three times")


@check("LOG-CLOSE-02", sources="the state contract on closing", promise=_DURABLE, methods=("close",), needs=_POSITIONS)
def test_closed_log_loses_no_append(trial: Trial) -> None:
    """A closed log refuses to append, or appends so that the event is there after reopening.

    Why: an append that comes late, from a thread that was not told, is acknowledged into an object that nobody will
    ever write to the disk.

    Breaks it:

        def append(self, event):
            self._pending.append(event)       # written by close(), which is over
            return self._head + len(self._pending)
    """
    events = some_events(trial, 3)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events[:2])
        store.close()
        got: list[Any] = []
        if trial.refused(lambda: got.append(store.append(events[2]))):
            trial.count("refusals")
            kept = [2]
        else:
            trial.equal(got, [3], "the position that a closed log gave")
            # An append whose acknowledgement was refused may be there or not.
            kept = [2, 3] if trial.refused(store.acknowledge) else [3]
        again = session.open()
        head = again.head
        trial.true(
            head in kept,
            "the head of the reopened log, after an append to the closed one",
            expected=" or ".join(map(str, kept)),
            got=repr(head),
        )
        holds(trial, again, events[:head], "reading the reopened log, after an append to the closed one")


@check("LOG-CLOSE-03", sources="the state contract on closing", methods=("close",), needs=_POSITIONS)
def test_closed_log_is_not_empty(trial: Trial) -> None:
    """A closed log refuses to be read, or gives all that it holds; it never looks empty, or shorter.

    Why: a reader that outlives the log by a moment takes the empty answer for the truth, and starts from the beginning.

    Breaks it:

        def close(self):
            self._entries.clear()             # and read() goes on to work
    """
    events = some_events(trial, 3)
    with trial.fresh() as session:
        store = session.open()
        append_all(trial, store, events)
        store.close()
        found: list[Any] = []
        if trial.refused(lambda: found.extend(entries(trial, store))):
            trial.count("refusals")
        else:
            agree(trial, found, positioned(events), "reading a closed log")
        heads: list[Any] = []
        if trial.refused(lambda: heads.append(store.head)):
            trial.count("refusals")
        else:
            trial.equal(heads, [len(events)], "the head of a closed log")
        trial.count("comparisons")  # both refused is a result as well
