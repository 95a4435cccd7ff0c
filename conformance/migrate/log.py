"""Logs: appended at the same positions, from where the target's ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from conformance.literal import literal
from conformance.migrate.digests import digest_of
from conformance.migrate.errors import Stopped, Unfit
from conformance.migrate.side import Opened

#: Events that are held at once.
WINDOW = 500


def head_of(log: Opened) -> int:
    """Return the position of the last event, 0 when there is none."""
    return int(log.attribute("head"))


def first_of(log: Opened) -> int:
    """Return the first position that was not compacted away."""
    return int(log.attribute("first")) if log.offers("compaction") else 1


def events(log: Opened, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Any]]:
    """Give the positions and events of a log, a window at a time."""
    start, stop = max(start, first_of(log)), head_of(log) + 1 if stop is None else stop
    for begin in range(start, stop, WINDOW):
        end = min(begin + WINDOW, stop)
        found = log.each(tuple, "read", begin, end)
        if [position for position, _ in found] != list(range(begin, end)):
            raise Stopped(f"the log of {log.side} does not give each of the events {begin} to {end - 1} once, in order")
        yield from found


def check_prefix(source: Opened, target: Opened) -> None:
    """Refuse a target whose log is no beginning of the source's, or could not hold it.

    Raises:
        Unfit: As said.
    """
    head, has = head_of(source), head_of(target)
    first = first_of(source)
    if first > 1 and not target.offers("compaction"):
        raise Unfit(
            f"the source's log begins at {first}: what came before was compacted away. {target.side} has no "
            f"compaction, so its log can't begin there"
        )
    if has > head or first_of(target) > first:
        raise Unfit(
            f"the log of {target.side} has events {first_of(target)} to {has}, the source's {first} to {head}: it is "
            f"no beginning of it. Give a place with an empty log"
        )
    if has < first:
        return
    for (position, event), (_, other) in zip(
        events(source, first, has + 1), events(target, first, has + 1), strict=True
    ):
        if event_digest(source, position, event, Unfit) != event_digest(target, position, other, Unfit):
            raise Unfit(
                f"the log of {target.side} is no beginning of the source's. Event {position} is {literal(other, 80)} "
                f"there, {literal(event, 80)} in the source. Give a place with an empty log"
            )


def copy_log(source: Opened, target: Opened, tell: Callable[[int, int], None]) -> None:
    """Append to the target what it has not got of the source's log, then its latest checkpoint.

    A log that begins late gets events of None before, which the checkpoint stands for and compaction takes away: so
    each event keeps its position.

    Raises:
        Stopped: A store fails, or an event got another position.
    """
    head, first = head_of(source), first_of(source)
    while (has := head_of(target)) < head:
        stop = min(has + 1 + WINDOW, head + 1)
        gone = [None] * (min(first, stop) - has - 1)
        _append(target, has + 1, [*gone, *(event for _, event in events(source, has + 1, stop))])
        target.acknowledge()
        tell(stop - 1, head)
    if not (source.offers("compaction") and target.offers("compaction")):
        return
    latest = source.call("latest_checkpoint")
    if latest is None:
        return
    if checkpoint_digest(target) != checkpoint_digest(source):
        target.call("checkpoint", *latest)
    if first_of(target) < first:
        target.call("compact", first - 1)
    target.acknowledge()


def checkpoint_digest(log: Opened, error: type[Stopped | Unfit] = Stopped) -> str:
    """Return the digest of the latest checkpoint and its position; empty where there is none.

    Raises:
        Stopped: The checkpoint has no digest.
        Unfit: The same, where that was asked for as `error`.
    """
    latest = log.call("latest_checkpoint") if log.offers("compaction") else None
    return "" if latest is None else digest_of(list(latest), "the latest checkpoint of the log", log, error)


def event_digest(log: Opened, position: int, event: Any, error: type[Stopped | Unfit] = Stopped) -> str:
    """Return the digest of an event.

    Raises:
        Stopped: It has none.
        Unfit: The same, where that was asked for as `error`.
    """
    return digest_of(event, f"event {position} of the log", log, error)


def _append(target: Opened, start: int, batch: list[Any]) -> None:
    if target.offers("batch"):
        positions = target.each(int, "append_batch", batch)
    else:
        positions = [target.call("append", event) for event in batch]
    if positions != list(range(start, start + len(batch))):
        raise Stopped(f"the log of {target.side} gave an event that belongs at {start} or later another position")
