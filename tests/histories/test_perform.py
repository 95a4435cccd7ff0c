"""A client asks a store, and notes when, and what came back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import pytest

from conformance.backend import Backend
from conformance.drive import Driver
from conformance.histories.checkers.register import check_register
from conformance.histories.operation import NEVER, Operation
from conformance.histories.perform import Client
from conformance.histories.plans.plan import Ask
from conformance.histories.values import value_of
from tests.mutants.concurrency_threads import ConflictError, Memory

BACKEND = Backend("memory", state=lambda _: Memory(), errors={"conflict": ConflictError})


def client(store: Any, backend: Backend = BACKEND) -> Client:
    """Return worker 0 on a store."""
    return Client(0, backend, Driver(), store, itertools.count().__next__, times=2)


def asked(store: Any, *asks: Ask) -> list[Operation]:
    """Return what is noted of some calls."""
    one = client(store)
    one.ask_all(asks)
    return one.history


def test_puts_gets_and_deletes() -> None:
    """Values are noted by their numbers; the time passes with each call and each return."""
    store = Memory()
    history = asked(store, Ask("put", "a", 7), Ask("get", "a"), Ask("delete", "a"), Ask("get", "a"))
    assert history == [
        Operation(0, 1, 0, "put", "a", 7),
        Operation(2, 3, 0, "get", "a", answer=7),
        Operation(4, 5, 0, "delete", "a"),
        Operation(6, 7, 0, "get", "a"),
    ]
    asked(store, Ask("put", "b", 8))
    assert store["b"] == value_of(8, "json", 2)


def test_a_delete_that_finds_nothing_has_seen_that_nothing_is_there() -> None:
    """It is as good as a get."""
    assert asked(Memory(), Ask("delete", "a")) == [Operation(0, 1, 0, "get", "a")]


def test_a_swap_tells_what_it_replaced() -> None:
    """The value was read after the version, so that it is that of the version if the swap succeeds."""
    history = asked(Memory(), Ask("put", "a", 7), Ask("cas", "a", 8), Ask("get", "a"))
    assert history[1:] == [
        Operation(3, 4, 0, "cas", "a", 8, expected=7, answer=True),
        Operation(5, 6, 0, "get", "a", answer=8),
    ]


def test_a_swap_of_nothing_is_not_tried() -> None:
    """There is no value to tell from others."""
    assert asked(Memory(), Ask("cas", "a", 8)) == []


class Contested(Memory):
    """Somebody else is always faster."""

    def compare_and_set(self, key: str, value: Any, expected: int | None) -> int:
        """Refuse."""
        raise ConflictError(key)

    @contextmanager
    def transaction(self) -> Iterator[MutableMapping[str, Any]]:
        """Give a copy, and refuse it."""
        yield dict(self.data)
        raise ConflictError("all")


def test_what_is_refused_did_nothing() -> None:
    """A conflict that the backend names is an answer, and the worker goes on."""
    history = asked(Contested(), Ask("put", "a", 7), Ask("cas", "a", 8), Ask("transaction", "a", 9))
    assert [(one.verb, one.outcome, one.worker) for one in history] == [
        ("put", "ok", 0),
        ("cas", "fail", 0),
        ("cas", "fail", 0),
    ]


def test_a_transaction_is_a_swap_of_what_it_read() -> None:
    """Nobody came in between, if it is what it says."""
    history = asked(Memory(), Ask("put", "a", 7), Ask("transaction", "a", 8), Ask("get", "a"))
    assert history[1:] == [
        Operation(2, 3, 0, "cas", "a", 8, expected=7, answer=True),
        Operation(4, 5, 0, "get", "a", answer=8),
    ]


def test_a_transaction_that_raised_may_have_written() -> None:
    """An exception that the backend does not name may come before the commit or after it: a put that never ended."""
    one = client(Contested(), Backend("unnamed", state=lambda _: Contested()))
    one.ask_all([Ask("put", "a", 7), Ask("transaction", "a", 8), Ask("get", "a")])
    assert [(each.verb, each.value, each.outcome) for each in one.history] == [
        ("put", 7, "ok"),
        ("put", 8, "info"),
        ("get", None, "ok"),
    ]
    assert check_register(one.history).holds


def test_the_steps_of_a_transaction() -> None:
    """What each step saw is noted; what is given up did nothing; a get may take the same step outside of any."""
    steps = (("append", "a", 1), ("append", "a", 2), ("read", "b", None))
    given_up = (("append", "a", 3), ("abort", None, None))
    read = (("read", "a", None),)
    history = asked(
        Memory(),
        Ask("transaction", steps=steps),
        Ask("transaction", steps=given_up),
        Ask("get", steps=read),
    )
    seen = (("read", "a", ()), ("append", "a", 1), ("read", "a", (1,)), ("append", "a", 2), ("read", "b", ()))
    assert history == [
        Operation(0, 1, 0, "transaction", answer=seen),
        Operation(2, 3, 0, "transaction", value=given_up, outcome="fail"),
        Operation(4, 5, 0, "transaction", answer=(("read", "a", (1, 2)),)),
    ]


def test_balances_and_keys_in_a_transaction() -> None:
    """Numbers are added to, keys are listed and replaced; what nobody wrote is noted, and nothing is added to it."""
    store = Memory()
    store["broken"] = "x"
    history = asked(
        store,
        Ask("transaction", steps=(("add", "broken", 1), ("append", "broken", 1), ("get", "none", None))),
        Ask("delete", "broken"),
        Ask("transaction", steps=(("replace", "m", 3),)),
        Ask("put", "a", 10),
        Ask("transaction", steps=(("add", "a", -1), ("replace", "b", 4), ("scan", None, None))),
        Ask("increment", "b"),
        Ask("increment", "c"),
    )
    nobody = "'x', which nobody wrote"
    assert [one.answer for one in history if one.verb in ("transaction", "increment")] == [
        (("get", "broken", nobody), ("read", "broken", (nobody,)), ("get", "none", None)),
        (("list", None, ()),),
        (
            ("get", "a", 10),
            ("add", "a", -1),
            ("list", None, ("a",)),
            ("delete", "a", None),
            ("put", "b", 4),
            ("list", None, ("b",)),
            ("get", "b", 4),
        ),
        5,
        None,
    ]


def test_a_transaction_of_steps_that_raised_is_open() -> None:
    """It may have done what was asked, or nothing."""
    steps = (("append", "a", 1),)
    one = client(Contested(), Backend("unnamed", state=lambda _: Contested()))
    one.ask_all([Ask("transaction", steps=steps)])
    assert one.history == [Operation(0, NEVER, 0, "transaction", value=steps, outcome="info")]


class Failing(Memory):
    """Cannot write, nor read."""

    def __setitem__(self, key: str, value: Any) -> None:
        raise OSError("no space left")

    def __getitem__(self, key: str) -> Any:
        raise OSError("no such device")


def test_what_raised_may_have_happened() -> None:
    """It never ends, and who made the call is not heard of again."""
    one = client(Failing())
    one.ask_all([Ask("put", "a", 7), Ask("get", "a"), Ask("delete", "b")])
    assert [(each.verb, each.end, each.worker, each.outcome) for each in one.history] == [
        ("put", NEVER, 0, "info"),
        ("get", NEVER, 1_000, "info"),
        ("get", 3, 2_000, "ok"),
    ]
    assert one.raised == [(0, "put", "OSError: no space left"), (1_000, "get", "OSError: no such device")]


def test_a_value_that_nobody_wrote_is_no_number() -> None:
    """A mixture of two values becomes a text, which equals nothing that was written."""
    store = Memory()
    store["a"] = value_of(7, "json") + value_of(8, "json")
    assert asked(store, Ask("get", "a"))[0].answer == "a mixture of 7, 8"


class Log:
    """A log in a list, whose positions begin somewhere."""

    def __init__(self, first: int) -> None:
        self.first_position = first
        self.events: list[Any] = []

    def append(self, event: Any) -> int:
        """Append an event."""
        self.events.append(event)
        return len(self.events)

    def read(self) -> list[tuple[int, Any]]:
        """Give all."""
        return list(enumerate(self.events, self.first_position))


@pytest.mark.parametrize(("first", "seen"), [(1, (7, 8)), (2, ("positions [2, 3] instead of 1, 2, 3",))])
def test_a_log(first: int, seen: tuple[Any, ...]) -> None:
    """A read gives the numbers of the events; positions that are not those from 1 on are told."""
    history = asked(Log(first), Ask("append", None, 7), Ask("append", None, 8), Ask("read"))
    assert history == [
        Operation(0, 1, 0, "append", None, 7, answer=1),
        Operation(2, 3, 0, "append", None, 8, answer=2),
        Operation(4, 5, 0, "read", answer=seen),
    ]
