"""Looking after a store: compaction, and what a log must give all the while, its checkpoint and the events after it.

A log is compacted by one worker alone, and a checkpoint always leaves an event after it. So no checkpoint and no
compaction can be refused, and what is left of the log is never empty.
"""

from __future__ import annotations

from typing import Any

from conformance.drive import Driver
from conformance.histories.values import number_of, value_of

#: Of what the values of a state are joined: as texts, or as bytes.
_EMPTY: tuple[Any, Any] = ("", b"")
_WIDTH = len(value_of(0, "json"))


def compact_log(driver: Driver, log: Any, domain: str) -> None:
    """Keep a checkpoint of all but the last event, and drop what it covers."""
    numbers = restored(driver, log)
    upto = len(numbers) - 1
    if upto < 1 or not all(isinstance(number, int) for number in numbers):
        return
    state = _EMPTY[domain == "bytes"].join(value_of(number, domain) for number in numbers[:upto])
    driver.call(log.checkpoint, state, upto)
    driver.call(log.compact, upto)


def restored(driver: Driver, log: Any) -> tuple[Any, ...]:
    """Return the numbers of all events that a log ever had: those in its latest checkpoint, and those after it.

    A compaction may overtake the reader, who then gets an exception, or the events that are left: what is before them
    is in a later checkpoint. What is wrong otherwise is told by a text in the place of the numbers.
    """
    state, upto = _checkpoint(driver, log)
    while True:
        start = upto + 1
        try:
            events = driver.items(log.read, start)
        except Exception:
            state, upto = _checkpoint(driver, log)
            if upto < start:
                raise
            continue
        positions = [position for position, _ in events]
        if positions[:1] != [start]:
            state, upto = _checkpoint(driver, log)
            if not positions and upto >= start:
                continue
        first = positions[0] if positions else start
        if (
            positions == list(range(first, first + len(positions)))
            and start <= first <= upto + 1
            and (events or not upto)
        ):
            return (*_numbers(state, upto)[: first - 1], *(number_of(event) for _, event in events))
        return (f"positions {positions[:5]} from {start} on, behind a checkpoint of {upto} events",)


def _checkpoint(driver: Driver, log: Any) -> tuple[Any, int]:
    state, upto = driver.call(log.latest_checkpoint) or (None, 0)
    return state, upto


def _numbers(state: Any, upto: int) -> list[Any]:
    """Return the numbers that a state is made of, one for each position that it covers."""
    if not upto:
        return []
    if not isinstance(state, (str, bytes)) or len(state) != upto * _WIDTH:
        return [f"{str(state)[:40]!r} for the state up to {upto}"]
    return [number_of(state[start : start + _WIDTH]) for start in range(0, len(state), _WIDTH)]
