"""The verbs of a log, as programs: what each asks the server, and what it makes of the replies."""

from __future__ import annotations

from typing import Any

from reference_backends._errors import ConflictError, CorruptRecord, Damage, Report
from reference_backends.redis.command import Command, Part, Program, Script, evaluated, plain
from reference_backends.redis.log_scripts import APPEND, CHECKPOINT, COMPACT, ENDS, PAGE
from reference_backends.redis.place import Place
from reference_backends.redis.records import decode_checkpoint, decode_event, encode_checkpoint, encode_event

#: A read fetches events until it has this many bytes: it needs little memory, and the server is busy for a moment only.
PAGE_BYTES = 1024 * 1024

#: Entries of the log, each a position and what is stored there.
Page = list[tuple[int, bytes]]


def ends(place: Place) -> Program[tuple[int, int]]:
    """Return the head and the first position left."""
    head, first = yield _command(place, ENDS)
    return head, first


def append(place: Place, events: list[Any], expected: int | None = None) -> Program[list[int]]:
    """Append events, all or none, and return their positions.

    Raises:
        ConflictError: The head is not the expected one.
    """
    records = [encode_event(event) for event in events]
    # What is no position at all is sent as a head that no log has.
    wanted = "" if expected is None else str(expected) if type(expected) is int else "none"
    if not records:
        return []
    outcome, head = yield _command(place, APPEND, wanted, *records, looks=False)
    if outcome == b"conflict":
        raise ConflictError(
            f"The head is {head}, not {expected!r}: somebody appended, and nothing was changed. Read what is new, and "
            f"decide again."
        )
    return list(range(head + 1, head + 1 + len(records)))


def window(place: Place, start: int, stop: int | None) -> Program[tuple[int, int]]:
    """Return where a read begins, and where it stops, by what is there now."""
    check_position(start)
    check_position(start if stop is None else stop)
    head, first = yield from ends(place)
    return max(start, first), head + 1 if stop is None else min(stop, head + 1)


def page(place: Place, start: int, stop: int) -> Program[list[tuple[int, Any]]]:
    """Return the events from `start` on, at least one and few enough for memory.

    Raises:
        CorruptRecord: The event at `start` is damaged or lost.
        LookupError: It was compacted away.
    """
    first, entries = yield from _entries(place, start, stop)
    if start < first:
        raise LookupError(
            f"Event {start} was compacted away while the log was being read: begin again, with the latest checkpoint."
        )
    found: list[tuple[int, Any]] = []
    for position, record in entries:
        expected = start + len(found)
        try:
            if position != expected:
                raise CorruptRecord(f"event {expected}", "is lost")
            found.append((position, decode_event(f"event {position}", record)))
        except CorruptRecord:
            if not found:
                raise
            break  # the intact ones first
    if not found:
        raise CorruptRecord(f"event {start}", "is lost")
    return found


def checkpoint(place: Place, state: Any, upto: int) -> Program[None]:
    """Keep the state that the events up to and including `upto` fold to.

    Raises:
        ValueError: `upto` is ahead of the head, or so far back that events behind it are missing.
    """
    check_position(upto)
    outcome, least, most = yield _command(place, CHECKPOINT, upto, encode_checkpoint(upto, state), looks=False)
    if outcome == b"refused":
        raise ValueError(f"A checkpoint is possible from {least} to {most}, not at {upto}.")


def latest_checkpoint(place: Place) -> Program[tuple[Any, int] | None]:
    """Return the state and the position of the newest checkpoint; None when there is none."""
    upto, record = yield plain("HMGET", place.log_keys[1], "upto", "state", looks=True)
    return None if upto is None and record is None else decode_checkpoint(upto or b"", record)


def compact(place: Place, upto: int) -> Program[None]:
    """Drop the events up to and including `upto`.

    Raises:
        ValueError: No checkpoint has what would be dropped.
        CorruptRecord: The checkpoint is damaged: it would be all that is left of them.
    """
    check_position(upto)
    yield from latest_checkpoint(place)
    outcome, covered = yield _command(place, COMPACT, upto, looks=False)
    if outcome == b"refused":
        raise ValueError(f"The latest checkpoint is at {covered}: the events after it cannot be dropped.")


def verify(place: Place) -> Program[Report]:
    """Read everything, and return how many events are whole and what is damaged."""
    damaged: list[Damage] = []
    healthy = 0
    head, first = yield from ends(place)
    at = first
    while at <= head:
        left, entries = yield from _entries(place, at, head + 1)
        at = max(at, left)  # compacted away meanwhile
        for position, record in entries or [(head + 1, b"")]:
            if position > at:
                damaged.append(Damage(f"events from {at} to {position - 1}", "are lost"))
            at = position + 1
            if position <= head:
                try:
                    decode_event(f"event {position}", record)
                    healthy += 1
                except CorruptRecord as error:
                    damaged.append(Damage(error.where, error.what))
    try:
        yield from latest_checkpoint(place)
    except CorruptRecord as error:
        damaged.append(Damage(error.where, error.what))
    return Report(healthy, tuple(damaged))


def check_position(position: object) -> None:
    """Refuse what is no position.

    Raises:
        TypeError: It is not an int.
    """
    if type(position) is not int:
        raise TypeError(f"{position!r} is not a position: it has type {type(position).__name__}, not int.")


def _entries(place: Place, start: int, stop: int) -> Program[tuple[int, Page]]:
    first, flat = yield _command(place, PAGE, start, stop, PAGE_BYTES)
    return first, [(int(name.partition(b"-")[0]), record) for name, record in zip(flat[::2], flat[1::2], strict=True)]


def _command(place: Place, script: Script, *arguments: Part, looks: bool = True) -> Command:
    return evaluated(script, place.log_keys, *arguments, looks=looks)
