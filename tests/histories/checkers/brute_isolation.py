"""Oracles for the weaker isolation levels: every order of commits is tried, and every moment to read from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from conformance.histories.operation import Operation

Lists = dict[Any, tuple[Any, ...]]
#: Whether a transaction may commit now, after what was there at each commit so far, and who wrote what since.
Commits = Callable[[Operation, Sequence[Lists], Sequence[set[Any]]], bool]


def keeps(history: Sequence[Operation], commits: Commits) -> bool:
    """Return whether all that was acknowledged, and some of what crashed, can commit in some order."""
    numbers = [number for number, one in enumerate(history) if one.outcome != "fail"]
    must = {number for number in numbers if history[number].outcome == "ok"}

    def goes_on(left: frozenset[int], past: list[Lists], written: list[set[Any]]) -> bool:
        if not left & must:
            return True
        for number in left:
            one = history[number]
            if one.outcome == "ok" and not commits(one, past, written):
                continue
            appended = [step for step in steps_of(one) if step[0] == "append"]
            after = dict(past[-1])
            for _, key, value in appended:
                after[key] = (*after.get(key, ()), value)
            if goes_on(left - {number}, [*past, after], [*written, {key for _, key, _ in appended}]):
                return True
        return False

    return goes_on(frozenset(numbers), [{}], [])


def steps_of(one: Operation) -> Sequence[tuple[str, Any, Any]]:
    """Return what a transaction did."""
    steps: Sequence[tuple[str, Any, Any]] = one.answer if one.outcome == "ok" else one.value
    return steps


def from_snapshot(one: Operation, past: Sequence[Lists], written: Sequence[set[Any]]) -> bool:
    """Return whether all was read at one moment, since when nobody has written the same keys."""
    mine = {key for verb, key, _ in steps_of(one) if verb == "append"}
    return any(
        _reads(one, lambda key, known, seen=seen: past[seen].get(key, ()) == known)  # type: ignore[misc]
        and not any(mine & keys for keys in written[seen:])
        for seen in range(len(past))
    )


def from_commits(one: Operation, past: Sequence[Lists], _: Sequence[set[Any]]) -> bool:
    """Return whether each read is of what was committed at some moment, with what the transaction itself had done."""
    return _reads(one, lambda key, known: any(lists.get(key, ()) == known for lists in past))


def _reads(one: Operation, there: Callable[[Any, tuple[Any, ...]], bool]) -> bool:
    own: Lists = {}
    for verb, key, value in steps_of(one):
        mine = own.get(key, ())
        if verb == "append":
            own[key] = (*mine, value)
        elif value[len(value) - len(mine) :] != mine or not there(key, value[: len(value) - len(mine)]):
            return False
    return True
