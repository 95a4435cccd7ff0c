"""Events of the `log` contract: each comes back equal in type and content, or was refused loudly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.result import NotApplicable
from conformance.suites.round_trip.log_steps import agree, append_all, entries, holds, offers, positioned, some_events
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

_GATE = ("LOG-BASIC-01",)
_WINDOWS = (*_GATE, "LOG-POSITION-01", "LOG-READ-01")
#: Around the blocks, pages, pipe buffers and segments that logs are cut into.
_LENGTHS = (4_095, 4_096, 4_097, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 2**20)
#: How many events are appended one by one, whatever else is offered.
_SINGLY = 300


@check("LOG-EVENT-01", sources="LOG-56; the state contract on values; mutant newline_translation", needs=_WINDOWS)
def test_every_event_of_the_domain_comes_back_equal(trial: Trial) -> None:
    r"""Every event of the promised domain comes back equal in type and content, and so does the one after it.

    Why: a line end that is translated, a text with a NUL, an int beyond 64 bits: whatever a log writes its events as,
    there is something that it does not carry. In a log it also decides where the next event begins.

    Breaks it:

        def append(self, event):
            self._file.write(f"{event}\n")    # and read with splitlines(), which splits at more than "\n"
    """
    (following,) = some_events(trial, 1)

    @trial.cases(domain.accepted(trial.backend.values))
    def _(store: Handle, event: Any) -> None:
        position = store.append(event)
        store.append(following)
        agree(trial, entries(trial, store, position), positioned([event, following], position), "reading it back")


@check(
    "LOG-EVENT-02", sources="LOG-08, LOG-56; RFC 8259; the state contract on values", needs=(*_WINDOWS, "LOG-HEAD-01")
)
def test_other_events_are_exact_or_refused(trial: Trial) -> None:
    """An event outside the promised domain is kept exactly, or refused without taking a position.

    Why: NaN that reads as null and a tuple that reads as a list are changes that nobody asked for, and a replay that
    meets them takes another branch than the run that wrote them.

    Breaks it:

        self._file.write(json.dumps(event))   # (1, 2) becomes [1, 2], and {1: "a"} becomes {"1": "a"}
    """
    (following,) = some_events(trial, 1)

    @trial.cases(domain.exact_or_refused(trial.backend.values))
    def _(store: Handle, event: Any) -> None:
        before = store.head
        kept = [event]
        if trial.refused(lambda: store.append(event)):
            trial.count("refusals")
            trial.equal(store.head, before, "the head after an event was refused")
            kept = []
        store.append(following)
        kept.append(following)
        agree(trial, entries(trial, store, before + 1), positioned(kept, before + 1), "reading from there on")


@check("LOG-EVENT-03", sources="LOG-56; property-based testing", needs=_GATE)
def test_random_events_come_back_equal(trial: Trial) -> None:
    """Any events of the promised domain, in any order, come back equal.

    Why: the tables of odd events know the bugs of yesterday. Random events find the next one, and shrink it.

    Breaks it:

        def append(self, event):
            self._events.append(event or None)     # empty texts, zero and False read as None
    """
    from hypothesis.strategies import lists

    from conformance.values.strategies import values

    @trial.examples(lists(values(trial.backend.values), min_size=1, max_size=6))
    def _(events: list[Any]) -> None:
        with trial.fresh() as session:
            store = session.open()
            append_all(trial, store, events)
            holds(trial, store, events, "reading random events")


@check("LOG-EVENT-04", sources="KV-08; the state contract on copies", needs=_GATE)
def test_changing_an_appended_event_changes_nothing(trial: Trial) -> None:
    """An event that is changed after it was appended is read as it was appended.

    Why: programs append a dict and go on filling it. A log that keeps the very object rewrites its own past.

    Breaks it:

        def append(self, event):
            self._events.append(event)        # instead of a copy
    """
    _require_mutable(trial)
    event, batched = _mutable(), _mutable()
    with trial.fresh() as session:
        store = session.open()
        store.append(event)
        _change(event)
        holds(trial, store, [_mutable()], "reading an event that the program changed after it had appended it")
        if offers(trial, "batch"):
            store.append_batch([batched])
            _change(batched)
            what = "reading an event that the program changed after it had appended it in a batch"
            holds(trial, store, [_mutable(), _mutable()], what)


@check("LOG-EVENT-05", sources="KV-08; LOG-52", needs=_GATE)
def test_changing_a_read_event_changes_nothing(trial: Trial) -> None:
    """An event that is changed after it was read is read again as it was appended.

    Why: a fold that works on the event in place, a sort, a `pop`, would change history for every reader after it.

    Breaks it:

        def read(self, start=1, stop=None):
            yield from self._cache            # the objects, not copies
    """
    _require_mutable(trial)
    with trial.fresh() as session:
        store = session.open()
        store.append(_mutable())
        for _, event in entries(trial, store):
            trial.equal(event, _mutable(), "reading the event for the first time")
            _change(event)
        holds(trial, store, [_mutable()], "reading an event again that a reader changed")


def _require_mutable(trial: Trial) -> None:
    if trial.backend.values == "bytes":
        raise NotApplicable("values are promised at 'bytes' only; bytes can't be changed in place")


def _mutable() -> dict[str, Any]:
    return {"list": [1, {"deep": []}], "text": "a"}


def _change(event: Any) -> None:
    event["list"][1]["deep"].append("changed")
    event["list"].pop(0)
    event["text"] = "b"


@check("LOG-EVENT-06", sources="LOG-21, LOG-22, LOG-23", needs=_WINDOWS)
def test_long_events(trial: Trial) -> None:
    """Events of any length up to 1 MiB come back whole; one of 8 MiB comes back whole or is refused.

    Why: logs cut their files into blocks and their reads into buffers. An event that ends exactly at such a border, or
    crosses it, is where they lose bytes.

    Breaks it:

        line = self._file.readline(65_536)    # the rest is taken for the next event
    """
    (following,) = some_events(trial, 1)

    @trial.cases({f"{length:,} characters": domain.sized(trial.backend.values, length) for length in _LENGTHS})
    def _(store: Handle, event: Any) -> None:
        position = store.append(event)
        store.append(following)
        agree(trial, entries(trial, store, position), positioned([event, following], position), "reading it back")

    longest = domain.sized(trial.backend.values, 8 * 2**20)
    with trial.fresh() as session:
        store = session.open()
        kept = [following, longest, following]
        store.append(following)
        if trial.refused(lambda: store.append(longest)):
            trial.count("refusals")
            kept.remove(longest)
        store.append(following)
        holds(trial, store, kept, "reading a log that was given an event of 8 MiB")


@check("LOG-MANY-01", sources="LOG-03, LOG-17, LOG-23; pekko-persistence-jdbc#516; planted bugs: pages", needs=_WINDOWS)
def test_long_log_is_whole(trial: Trial) -> None:
    """A log of many events (10,000; 1,000 at quick effort) is read whole and in order, and so are windows of it.

    Why: most stores fetch in pages. A page limit that nobody asked for, an order that is that of text ("10" before
    "2"), an event lost at the change of a file: none of it shows on ten events.

    Breaks it:

        rows = self._database.execute("SELECT * FROM log ORDER BY position LIMIT 1000")
    """
    milestones = [size for size in (11, 101, 260, 1_001, 5_001) if size < trial.effort.many] + [trial.effort.many]
    events: list[Any] = []
    with trial.fresh() as session:
        store = session.open()
        for size in milestones:
            more = some_events(trial, size - len(events), after=len(events))
            singly = max(_SINGLY - len(events), 0) if offers(trial, "batch") else len(more)
            append_all(trial, store, more[:singly])
            for begin in range(singly, len(more), 100):
                store.append_batch(more[begin : begin + 100])
            store.acknowledge()
            events += more
            holds(trial, store, events, f"reading a log of {size:,} events")
            for start in (size - 1, size // 2, 99):
                expected = positioned(events[start - 1 : start + 6], start)
                what = f"reading a window of a log of {size:,} events"
                agree(trial, entries(trial, store, start, start + 7), expected, what)
