"""Stores of runs and of layers, asked as states: by the same clients, with the same notes."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest

from conformance.backend import Backend
from conformance.drive import Driver
from conformance.histories.kinds import KINDS
from conformance.histories.operation import Operation
from conformance.histories.perform import Client
from conformance.histories.plans.plan import Ask
from conformance.histories.records import as_asked, bare, run_of
from conformance.histories.values import number_of, value_of
from tests.mutants.records_concurrency_base import ConflictError, Layers, MemoryBox, Runs


class AsyncRuns:
    """Runs that are awaited, and listed by summaries in an async iterator; a missing one is an exception."""

    def __init__(self) -> None:
        self.runs = Runs(MemoryBox())

    async def save_run(self, run: dict[str, Any]) -> None:
        """Save a run."""
        self.runs.save_run(run)

    async def get_run(self, run_id: str) -> Any:
        """Return a run."""
        found = self.runs.get_run(run_id)
        if found is None:
            raise LookupError(run_id)
        return found

    async def list_runs(self) -> AsyncIterator[dict[str, Any]]:
        """Give the ids."""
        for run in self.runs.list_runs():
            yield {"id": run["id"]}

    async def append_event(self, run_id: str, event: Any) -> int:
        """Add an event; say how many there are."""
        self.runs.append_event(run_id, event)
        return 7


BACKEND = Backend("runs", runs=lambda _: Runs(MemoryBox()), errors={"conflict": ConflictError, "missing": LookupError})


def asked(contract: str, store: Any, *asks: Ask) -> list[Operation]:
    """Return what a client notes of some calls, without its times."""
    with closing(Driver()) as driver:
        opened = as_asked(contract, driver.open(lambda: store))
        one = Client(0, BACKEND, driver, opened, itertools.count().__next__, times=1)
        one.ask_all(asks)
    assert one.raised == []
    return [operation._replace(call=0, end=0) for operation in one.history]


def told(verb: Any, key: Any = "a", **more: Any) -> Operation:
    """Return an operation without times."""
    return Operation(0, 0, 0, verb, key, **more)


@pytest.mark.parametrize("store", [Runs(MemoryBox()), AsyncRuns()], ids=["sync", "async"])
def test_runs_are_entries_under_their_ids(store: Any) -> None:
    """Saved, got, listed and appended to, whether they are awaited or not."""
    asks = [Ask("get", "a"), Ask("put", "a", 7), Ask("get", "a"), Ask("put", "b", 8), Ask("list")]
    assert asked("runs", store, *asks, Ask("append", None, 9), Ask("append", None, 3), Ask("read")) == [
        told("get"),
        told("put", value=7),
        told("get", answer=7),
        told("put", "b", value=8),
        told("list", None, answer=("a", "b")),
        told("append", None, value=9),
        told("append", None, value=3),
        told("read", None, answer=(9, 3)),
    ]


def test_a_save_with_a_token_is_a_swap() -> None:
    """It replaces what was there when the token was given; a refusal is known to have done nothing."""
    store = Runs(MemoryBox())
    assert asked("runs", store, Ask("put", "a", 7), Ask("cas", "a", 8)) == [
        told("put", value=7),
        told("cas", value=8, expected=7, answer=True),
    ]
    view = as_asked("runs", store)
    token = view.version("a")
    assert view.version("a") > token
    with pytest.raises(ConflictError):
        view.compare_and_set("a", value_of(9, "json"), token)


def test_a_refused_save_may_follow_no_other() -> None:
    """Whoever acquires a run supersedes the others, also if he does not save."""
    kind = KINDS["saves with tokens"]
    lost = [told("put", value=7), Operation(1, 2, 1, "cas", "a", 8, expected=7, outcome="fail")]
    assert kind.judge(lost).holds
    both = [told("put", value=7), *(Operation(2, 4, n, "cas", "a", n, expected=7, answer=True) for n in (1, 2))]
    assert kind.judge(both).broken
    assert (kind.counts(lost), kind.counts(both)) == (0, 2)


def test_a_fork_shows_what_its_source_was() -> None:
    """It is noted as a get of the source."""
    store = Runs(MemoryBox())
    assert asked("runs", store, Ask("put", "a", 7), Ask("fork", "a", 1))[1:] == [told("get", answer=7)]
    assert store.get_run("fork-1")["metadata"]["lineage"]["branchOriginRunId"] == "a"


@pytest.mark.parametrize("times", [1, 2_000])
def test_a_mixture_of_two_runs_is_no_value(times: int) -> None:
    """Each field counts: one of another save, one that is missing, one too many, one that is half there."""
    one, other = (run_of("a", value_of(number, "json", times)) for number in (1, 2))
    store = Runs(MemoryBox())
    view = as_asked("runs", store)
    store.save_run(one)
    assert number_of(view["a"]) == 1
    mixtures = [{**one, name: other[name]} for name in ("state", "messages", "checkpoints", "output")]
    less = [{name: value for name, value in one.items() if name != gone} for gone in one if gone != "id"]
    more = [{**one, "more": 1}, {**one, "output": ""}, {**one, "messages": []}]
    for wrong in (*mixtures, *less, *more):
        store.save_run(wrong)
        assert not isinstance(number_of(view["a"]), int), wrong


def test_entries_of_layers_may_be_those_of_a_scope() -> None:
    """A pair is a scope and a key; a scope that is cleared is looked after, and changes nothing for others."""
    store = Layers(MemoryBox())
    key, other = ("used", "a"), ("cleared", "a")
    asks = [Ask("put", key, 7), Ask("put", other, 8), Ask("clear", "cleared"), Ask("get", key), Ask("get", other)]
    assert asked("layers", store, *asks, Ask("put", "a", 9), Ask("list"), Ask("delete", "a"), Ask("get", "a")) == [
        told("put", key, value=7),
        told("put", other, value=8),
        told("clear", "cleared"),
        told("get", key, answer=7),
        told("get", other),
        told("put", value=9),
        told("list", None, answer=("a",)),
        told("delete"),
        told("get"),
    ]


def test_other_stores_are_asked_themselves() -> None:
    """A state, a log, and a store of jobs are no views."""
    store = Runs(MemoryBox())
    assert as_asked("state", store) is store
    assert bare(store) is store
    assert bare(as_asked("runs", store)) is store
