"""What the engine knows of the contracts: contents, what steps make of them, and which are the same for a reader."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from conformance.crash.subjects import LOG, STATE, SUBJECTS, Content, Step, canonical
from conformance.drive import Driver

DIFFERENT: tuple[Any, ...] = (
    1,
    True,
    1.0,
    "1",
    b"1",
    0,
    False,
    0.0,
    -0.0,
    "",
    None,
    [],
    {},
    [1],
    [[1]],
    "b'1'",
    float("inf"),
    1j,
    {1},
)


def test_what_differs_in_type_or_value_differs_in_its_canonical_text() -> None:
    """Python holds 1, True and 1.0 for equal; a store that mixes them up does not keep what it was given."""
    assert not [(one, two) for one, two in combinations(DIFFERENT, 2) if canonical(one) == canonical(two)]


def test_what_is_equal_has_the_same_canonical_text() -> None:
    """The order of a dict's keys is no content; a tuple stands for a list."""
    assert canonical({"a": 1, "b": [b"x"]}) == canonical({"b": [b"x"], "a": 1})
    assert canonical((1, 2)) == canonical([1, 2])
    assert canonical(float("nan")) == canonical(float("nan"))


def state(**entries: Any) -> Content:
    """Return the content of a state."""
    return {"entries": [[key, value] for key, value in sorted(entries.items())], "length": len(entries)}


STATE_STEPS = [
    (Step("set", ("b", 2)), state(a=1, b=2)),
    (Step("set", ("a", 2)), state(a=2)),
    (Step("delete", ("a",)), state()),
    (Step("delete", ("missing",)), state(a=1)),
    (Step("transaction", (Step("set", ("b", 2)), Step("delete", ("a",)))), state(b=2)),
    (Step("flush"), state(a=1)),
    (Step("compact"), state(a=1)),
    (Step("reopen"), state(a=1)),
]


@pytest.mark.parametrize(("step", "after"), STATE_STEPS, ids=[f"{one.verb} {one.args[:1]}" for one, _ in STATE_STEPS])
def test_what_steps_make_of_a_state(step: Step, after: Content) -> None:
    """Writes change it, upkeep does not; the content before stays as it was."""
    before = state(a=1)
    assert STATE.apply(before, step) == after
    assert before == state(a=1)


def test_states_agree_only_when_equal() -> None:
    """An entry of another type, twice, or a length that does not fit are no agreement."""
    assert STATE.agrees(state(a=1), state(a=1))
    assert not STATE.agrees(state(a=True), state(a=1))
    assert not STATE.agrees({"entries": [["a", 1], ["a", 1]], "length": 1}, state(a=1))
    assert not STATE.agrees({"entries": [["a", 1]], "length": 2}, state(a=1))


class Doubled(dict[str, int]):
    """Lists every key twice."""

    def __iter__(self) -> Any:
        return iter([*super().__iter__(), *super().__iter__()])


def test_a_key_that_is_listed_twice_is_read_twice() -> None:
    """A dict of what was read would hide it."""
    assert STATE.read(Driver(), Doubled(b=2, a=1)) == {"entries": [["a", 1], ["a", 1], ["b", 2], ["b", 2]], "length": 2}


def log(first: int, *events: Any, checkpoint: Content = None, head: int | None = None) -> Content:
    """Return the content of a log whose first event has a position."""
    entries = [[position, event] for position, event in enumerate(events, first)]
    return {"events": entries, "head": first + len(events) - 1 if head is None else head, "checkpoint": checkpoint}


LOG_STEPS = [
    (Step("append", ("c",)), log(1, "a", "b", "c")),
    (Step("append", ("c", 2)), log(1, "a", "b", "c")),
    (Step("append_batch", (["c", "d"],)), log(1, "a", "b", "c", "d")),
    (Step("append_batch", ([],)), log(1, "a", "b")),
    (Step("checkpoint", ("s", 1)), log(1, "a", "b", checkpoint=["s", 1])),
    (Step("compact", (1,)), log(2, "b")),
    (Step("compact", (2,)), log(3)),
    (Step("flush"), log(1, "a", "b")),
    (Step("reopen"), log(1, "a", "b")),
]


@pytest.mark.parametrize(("step", "after"), LOG_STEPS, ids=[f"{one.verb} {one.args}" for one, _ in LOG_STEPS])
def test_what_steps_make_of_a_log(step: Step, after: Content) -> None:
    """Positions go on from the head, and stay when what is before them goes."""
    before = log(1, "a", "b")
    assert LOG.apply(before, step) == after
    assert before == log(1, "a", "b")


COVERED = log(1, "a", "b", "c", "d", checkpoint=["s", 2])

SAME_FOR_READERS = {
    "nothing is compacted": COVERED,
    "a part of what is covered is compacted": log(2, "b", "c", "d", checkpoint=["s", 2]),
    "all that is covered is compacted": log(3, "c", "d", checkpoint=["s", 2]),
}
ANOTHER_LOG = {
    "an event is lost that nothing covers": log(4, "d", checkpoint=["s", 2]),
    "all events are lost": {**COVERED, "events": []},
    "the last event is lost": log(1, "a", "b", "c", checkpoint=["s", 2], head=4),
    "the head is another": log(1, "a", "b", "c", "d", checkpoint=["s", 2], head=5),
    "the checkpoint is gone": log(3, "c", "d"),
    "the checkpoint is another": log(3, "c", "d", checkpoint=["t", 2]),
    "a covered event is another": log(1, "a", "X", "c", "d", checkpoint=["s", 2]),
    "an uncovered event is another": log(1, "a", "b", "X", "d", checkpoint=["s", 2]),
    "a covered event is lost behind one that is left": {**COVERED, "events": [[1, "a"], [3, "c"], [4, "d"]]},
    "an event is there twice": {**COVERED, "events": [[1, "a"], [2, "b"], [2, "b"], [3, "c"], [4, "d"]]},
}


@pytest.mark.parametrize("observed", SAME_FOR_READERS.values(), ids=SAME_FOR_READERS)
def test_a_log_may_be_compacted_further_than_asked(observed: Content) -> None:
    """What the checkpoint covers may be dropped at any time, oldest first."""
    assert LOG.agrees(observed, COVERED)


@pytest.mark.parametrize("observed", ANOTHER_LOG.values(), ids=ANOTHER_LOG)
def test_a_log_that_lost_an_event_agrees_with_nothing(observed: Content) -> None:
    """What no checkpoint covers must be there, in order and as it was."""
    assert not LOG.agrees(observed, COVERED)


def test_compaction_that_is_not_done_yet_agrees() -> None:
    """A log may keep what it was told it may drop; without a checkpoint nothing may go."""
    assert LOG.agrees(COVERED, log(3, "c", "d", checkpoint=["s", 2]))
    assert LOG.agrees(log(5, checkpoint=["s", 4], head=4), log(1, "a", "b", "c", "d", checkpoint=["s", 4]))
    assert not LOG.agrees(log(2, "b"), log(1, "a", "b"))


def test_logs_are_read_with_what_they_offer() -> None:
    """A head may be a method, and a log need not have checkpoints."""

    class Plain:
        def read(self) -> Any:
            return iter([(1, "a")])

        def head(self) -> int:
            return 1

    class Full(Plain):
        def latest_checkpoint(self) -> Any:
            return ("s", 1)

    assert LOG.read(Driver(), Plain()) == log(1, "a")
    assert LOG.read(Driver(), Full()) == log(1, "a", checkpoint=["s", 1])


def test_parts_and_how_they_are_told() -> None:
    """Parts are entries with their keys, and events without their positions."""
    assert [STATE.tell(part) for part in STATE.parts(state(a=1, b="x" * 20))] == ["'a': 1", f"'b': '{'x' * 20}'"]
    assert [LOG.tell(part) for part in LOG.parts(log(3, "a", b"b"))] == ["'a'", "b'b'"]
    long = "".join(map(str, range(40)))
    assert LOG.tell(long) == f"'{long[:39]}… (70 long)"


SOURCES = [
    (STATE, Step("set", ("a", 1)), "store['a'] = 1"),
    (STATE, Step("delete", ("a",)), "del store['a']"),
    (STATE, Step("compact"), "store.compact()"),
    (STATE, Step("reopen"), "store.close(); store = session.open()"),
    (
        STATE,
        Step("transaction", (Step("set", ("a", "store[")), Step("delete", ("b",)))),
        "with store.transaction() as t: t['a'] = 'store['; del t['b']",
    ),
    (LOG, Step("append", ("a",)), "store.append('a')"),
    (LOG, Step("append_batch", (["a", b"b"],)), "store.append_batch(['a', b'b'])"),
    (LOG, Step("checkpoint", ("s", 2)), "store.checkpoint('s', 2)"),
    (LOG, Step("reopen"), "store.close(); store = session.open()"),
]


@pytest.mark.parametrize(("subject", "step", "source"), SOURCES, ids=[source for _, _, source in SOURCES])
def test_steps_as_source(subject: Any, step: Step, source: str) -> None:
    """A step is shown as the call that it stands for."""
    assert subject.source(step) == source


@pytest.mark.parametrize("contract", SUBJECTS)
def test_the_probe_is_of_the_promised_domain(contract: str) -> None:
    """A store of bytes is not asked to keep a text; and the probe changes what is there. Records are JSON in any."""
    records = {dict, list}  # of runs and jobs, of vectors
    subject = SUBJECTS[contract]
    assert subject.contract == contract
    for domain, kind in (("json", str), ("pickle", str), ("bytes", bytes)):
        probe = subject.probe(domain)
        assert {type(arg) for arg in probe.args} & {kind, *records}
        assert subject.apply(subject.empty, probe) != subject.empty


def test_what_no_text_can_be_sorted_or_written_of_has_a_canonical_text() -> None:
    """Damage may leave keys of several types in one dict, keys that no JSON has, or a dict that is in itself."""
    itself: dict[str, Any] = {}
    itself["a"] = itself
    strange: list[Any] = [{"a": 1, 2: 3}, {b"a": 1}, {(1, 2): 3}, itself, {"a": {"b": 1, None: 2}}]
    texts = [canonical(one) for one in strange]
    assert len(set(texts)) == len(strange)
    assert texts == [canonical(one) for one in strange]
    assert canonical({"a": 1, 2: 3}) not in (canonical({"a": 1, "2": 3}), canonical({"a": 1}))
