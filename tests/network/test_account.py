"""The oracle of a failing network: what a store may answer and hold when calls have raised."""

from __future__ import annotations

from typing import Any

from conformance.crash.subjects import SUBJECTS, Step
from conformance.network.account import Account
from conformance.network.calls import MISSING, Call

PUT, PUT_AGAIN, GET, DELETE = Step("set", ("k", 1)), Step("set", ("k", 2)), Step("get", ("k",)), Step("delete", ("k",))
STATE = (PUT, PUT_AGAIN, GET, DELETE)
LOG = (Step("append", ("a",)), Step("append", ("b",)), Step("head"), Step("append_batch", (("c", "d"),)), Step("read"))


def state(**entries: Any) -> Any:
    """Return the content of a state."""
    return {"entries": [[key, value] for key, value in entries.items()], "length": len(entries)}


def log(*events: str) -> Any:
    """Return the content of a log."""
    content = SUBJECTS["log"].empty
    for event in events:
        content = SUBJECTS["log"].apply(content, Step("append", (event,)))
    return content


def raised(step: int) -> Call:
    """Return a call that raised."""
    return Call(step, raised="ConnectionError")


def test_a_call_that_returned_had_its_effect() -> None:
    """And nothing else is possible behind it."""
    account = Account("state", STATE)
    assert account.take(Call(0))
    assert account.allows(state(k=1))
    assert not account.allows(state())
    assert not account.allows(state(k=2))


def test_a_call_that_raised_had_its_effect_or_not() -> None:
    """Both are possible, until something tells."""
    account = Account("state", STATE)
    assert account.take(Call(0))
    assert account.take(raised(1))
    assert account.allows(state(k=1))
    assert account.allows(state(k=2))
    assert account.answers(GET) == [1, 2]
    assert not account.take(Call(2, answer=MISSING))
    assert account.take(Call(2, answer=2))
    assert not account.allows(state(k=1))


def test_a_call_that_hangs_is_ambiguous() -> None:
    """As one that raised."""
    account = Account("state", STATE)
    assert account.take(Call(0, hung=True))
    assert account.allows(state())
    assert account.allows(state(k=1))


def test_a_delete_that_finds_nothing_tells_that_nothing_was_there() -> None:
    """It is a wrong answer where the key must have been there, and a true one after a delete that raised."""
    account = Account("state", STATE)
    assert account.take(Call(0))
    assert not account.take(Call(3, answer=MISSING))
    assert account.take(raised(3))
    assert account.take(Call(3, answer=MISSING))
    assert account.allows(state())
    assert not account.allows(state(k=1))


def test_a_delete_of_what_is_missing_may_do_nothing() -> None:
    """The contract allows it beside a KeyError; what was there is gone in any case."""
    account = Account("state", STATE)
    assert account.take(Call(3))
    assert account.take(Call(0))
    assert account.take(Call(3))
    assert account.allows(state())
    assert not account.allows(state(k=1))


def test_positions_tell_whether_an_append_had_its_effect() -> None:
    """The position of the next one rules the other possibility out."""
    account = Account("log", LOG)
    assert account.take(raised(0))
    assert account.answers(LOG[1]) == [1, 2]
    assert not account.take(Call(1, answer=3))
    assert account.take(Call(1, answer=2))
    assert account.allows(log("a", "b"))
    assert not account.allows(log("b"))


def test_an_append_that_returned_is_there_once() -> None:
    """What is there twice is shown as too many, and what is missing as missing."""
    account = Account("log", LOG)
    assert account.take(Call(0, answer=1))
    assert account.take(Call(1, answer=2))
    assert not account.allows(log("a", "b", "b"))
    assert account.difference(log("a", "b", "b")) == ([], ["b"])
    assert account.difference(log("a")) == (["b"], [])
    assert account.difference(log("b", "a")) == ([], [])
    assert not account.allows(log("b", "a"))


def test_batches_and_questions_have_one_answer() -> None:
    """Positions, heads and what is read must be those of the content."""
    account = Account("log", LOG)
    assert not account.take(Call(3, answer=[1, 3]))
    assert account.take(Call(3, answer=[1, 2]))
    assert not account.take(Call(2, answer=1))
    assert account.take(Call(2, answer=2))
    assert not account.take(Call(4, answer=[[1, "c"]]))
    assert account.take(Call(4, answer=[[1, "c"], [2, "d"]]))


def test_an_effect_comes_late_only_where_that_is_said() -> None:
    """A write that raised may undo a later one when a server that stood still goes on, and at no other time."""
    late, prompt = Account("state", STATE, late=True), Account("state", STATE)
    for account in (late, prompt):
        assert account.take(raised(0))
        assert account.take(Call(1))
    assert late.allows(state(k=1))
    assert not prompt.allows(state(k=1))
    assert late.take(Call(2, answer=1))
    assert not late.allows(state(k=2)), "its effect came once"


def test_late_effects_come_in_any_order() -> None:
    """Each once, or never."""
    account = Account("log", LOG, late=True)
    assert account.take(raised(0))
    assert account.take(raised(1))
    for events in ((), ("a",), ("b",), ("a", "b"), ("b", "a")):
        assert account.allows(log(*events)), events
    assert not account.allows(log("a", "a"))


def test_what_was_written_is_known() -> None:
    """By any call that was made, and by no other."""
    account = Account("state", STATE)
    account.take(raised(0))
    assert account.written() == {'["k", 1]'}
