"""Replays: what they note, and whose fault it is when two of them part."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import pytest

from conformance import Backend
from conformance.replay.events import KEYS, event_of, some_events
from conformance.replay.folds import FoldError, fold_bytes, fold_events, fold_of
from conformance.replay.replay import Parting, parting, plain, replayed, with_last_state
from conformance.values.canonical import digest
from tests.odd.log import changing_its_state

NAMES = ("here", "there")


def entries(*events: Any) -> list[tuple[int, Any]]:
    """Return the entries of a log of these events."""
    return list(enumerate(events, 1))


def test_equal_replays_do_not_part() -> None:
    """Two replays of the same events agree, whatever the fold does to its state and to the events it is given."""
    events = some_events("json", 20, 0)
    for fold in (fold_events, changing_its_state):
        assert parting(replayed(entries(*events), fold), replayed(entries(*events), fold), NAMES) is None
    assert events == some_events("json", 20, 0)


@pytest.mark.parametrize(
    ("other", "position", "path"),
    [
        (entries({"a": 1}, {"a": 3}), 2, "$.a: 2 here, 3 there"),
        (entries({"a": 1}, {"a": True}), 2, "$.a: 2 here, True there"),
        (entries({"a": 1}), 2, "{'a': 2} here only"),
        (entries({"a": 1}, {"a": 2}, {"a": 9}), 3, "{'a': 9} there only"),
        ([(1, {"a": 1}), (3, {"a": 2})], 2, "position 2 here, position 3 there"),
        ([], 1, "{'a': 1} here only"),
    ],
)
def test_other_events_are_the_fault_of_the_log(other: list[tuple[int, Any]], position: int, path: str) -> None:
    """Where events or positions differ, the log is to blame, at the first of them."""
    one = replayed(entries({"a": 1}, {"a": 2}), fold_events)
    assert parting(one, replayed(other, fold_events), NAMES) == Parting("log", position, path)


def test_other_states_of_the_same_events_are_the_fault_of_the_fold() -> None:
    """Where the events are the same, the fold is to blame, from the first position at which the states differ."""
    counts = iter(range(100))

    def fold(state: Any, event: Any) -> Any:
        return {"total": event if event < 3 else next(counts)}

    one, other = (replayed(entries(1, 2, 3, 4), fold) for _ in range(2))
    assert parting(one, other, NAMES) == Parting("fold", 3, "$.total: 1 here, 3 there")


def test_a_replay_goes_on_from_a_state() -> None:
    """The tail of a log, folded into the state that its beginning folds to, gives the states of the whole."""
    events = some_events("json", 12, 3)
    whole = replayed(entries(*events), fold_events)
    state = None
    for event in events[:5]:
        state = fold_events(state, event)
    tail = replayed(entries(*events)[5:], fold_events, state)
    assert (tail.digests, tail.state) == (whole.digests[5:], whole.state)
    assert parting(with_last_state(whole, whole.state), whole, NAMES) is None
    found = parting(with_last_state(whole, {**whole.state, "count": 12.0}), whole, NAMES)
    assert found == Parting("fold", 12, "$.count: 12.0 here, 12 there")


@pytest.mark.parametrize("fold", [lambda state, event: event["missing"], lambda state, event: object()])
def test_a_fold_that_can_not_be_used_is_told(fold: Any) -> None:
    """A fold that raises, or gives what can't be compared, is no fault of the log."""
    with pytest.raises(FoldError, match="the fold"):
        replayed(entries({"a": 1}), fold)


@pytest.mark.parametrize("domain", ["json", "bytes"])
def test_the_default_fold_notices_order_content_types_and_loss(domain: str) -> None:
    """No other order, no loss, no repetition and no other type leaves the state of the kit's fold as it was."""
    backend = Backend("mine", log=list, values=domain)
    fold = fold_of(backend)
    assert fold is {"json": fold_events, "bytes": fold_bytes}[domain]
    events = [event_of(domain, 0, number) for number in range(4)]
    changes = [events, events[::-1], events[1:], events[:-1], [*events, events[-1]], [events[0], *events]]
    if domain == "json":
        changes.append([{**event, "value": float(event["value"])} for event in events])
    assert len({replayed(entries(*change), fold).digests[-1] for change in changes}) == len(changes)


def test_the_fold_of_a_backend_comes_first() -> None:
    """Where a backend gives a fold, that one is used."""
    assert fold_of(Backend("mine", log=list, fold=changing_its_state)) is changing_its_state


def test_events_are_drawn_from_the_seed() -> None:
    """The same seed gives the same events, of which fewer are the beginning of more; some come twice, times go back."""
    events = some_events("json", 200, 7)
    assert events[:30] == some_events("json", 30, 7)
    assert digest(events) != digest(some_events("json", 200, 8))
    assert any(one == other for one, other in itertools.pairwise(events))
    assert any(one["at"] > other["at"] for one, other in itertools.pairwise(events))
    assert {event["key"] for event in events} == set(KEYS)
    assert all(type(event) is bytes for event in some_events("bytes", 5, 7))


def test_states_travel_as_plain_data() -> None:
    """A state that no other process could be sent is sent as what it holds."""
    state = defaultdict(lambda: 0, {"a": ({"y", "x"}, [object])})
    assert plain(state) == {"a": (["x", "y"], ["<class 'object'>"])}
    assert type(plain(state)) is dict
