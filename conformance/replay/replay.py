"""A replay: what a log gave, and what it folds to; and where two of them part, with whose fault it is."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from conformance.literal import literal
from conformance.replay.difference import difference
from conformance.replay.folds import Fold, FoldError, folded
from conformance.values.canonical import canonical, digest

Entry = tuple[int, Any]


@dataclass(frozen=True)
class Replay:
    """Events, and the states that they fold to.

    Args:
        entries: Positions and events, as they were read.
        digests: Of the state after each event.
        state: The last one, as plain data that any process can be sent.
    """

    entries: Sequence[Entry]
    digests: Sequence[str]
    state: Any


@dataclass(frozen=True)
class Parting:
    """Where two replays part.

    Args:
        whose: `log`: it gave other events. `fold`: the events are the same, and the states are not.
        position: The first position at which they differ.
        path: Where in the event, or in the last state, with both values.
    """

    whose: Literal["log", "fold"]
    position: int
    path: str


def replayed(entries: Iterable[Entry], fold: Fold, state: Any = None) -> Replay:
    """Fold the entries of a log, one after the other.

    Args:
        entries: Positions and events.
        fold: From a state and an event to a state.
        state: The state before.

    Raises:
        FoldError: The fold raised, or gave a state that has no canonical form.
    """
    read = list(entries)
    digests: list[str] = []
    state = copy.deepcopy(state)
    for _, event in read:
        # A fold may change what it is given; what was read is still to be compared.
        state = folded(fold, state, copy.deepcopy(event))
        digests.append(_digest(state))
    return Replay(read, digests, plain(state))


def with_last_state(replay: Replay, state: Any) -> Replay:
    """Return a replay that ends in another state, e.g. in that of a checkpoint.

    Raises:
        FoldError: The state has no canonical form.
    """
    return Replay(replay.entries, [*replay.digests[:-1], _digest(state)], plain(state))


def parting(one: Replay, other: Replay, names: tuple[str, str]) -> Parting | None:
    """Return where two replays part; None where they agree.

    Args:
        one: A replay.
        other: Another.
        names: What they are called in the path.
    """
    for mine, theirs in zip(one.entries, other.entries, strict=False):
        if canonical(list(mine)) != canonical(list(theirs)):
            where = difference(mine[1], theirs[1], names)
            positions = f"position {mine[0]} {names[0]}, position {theirs[0]} {names[1]}"
            return Parting("log", min(mine[0], theirs[0]), where if mine[0] == theirs[0] else positions)
    if len(one.entries) != len(other.entries):
        longer, whose = (one, names[0]) if len(one.entries) > len(other.entries) else (other, names[1])
        position, event = longer.entries[min(len(one.entries), len(other.entries))]
        return Parting("log", position, f"{literal(event, 60)} {whose} only")
    for (position, _), before, after in zip(one.entries, one.digests, other.digests, strict=True):
        if before != after:
            return Parting("fold", position, difference(one.state, other.state, names) or "the last states are equal")
    return None


def plain(state: Any) -> Any:
    """Return a state as data that can be sent and shown: dicts of any kind as dicts, other objects by their `repr`."""
    match state:
        case None | bool() | int() | float() | str() | bytes():
            return state
        case dict():
            return {_key(key): plain(value) for key, value in state.items()}
        case list():
            return [plain(one) for one in state]
        case tuple():
            return tuple(plain(one) for one in state)
        case set() | frozenset():
            return sorted((plain(one) for one in state), key=canonical)
    return repr(state)


def _key(key: Any) -> Any:
    return key if isinstance(key, (str, int, float, bytes, type(None))) else repr(key)


def _digest(state: Any) -> str:
    try:
        return digest(state)
    except TypeError as error:
        raise FoldError(f"the state that the fold gives can't be compared: {error}") from error
