"""The events that are appended: in them is what logs and folds stumble over."""

from __future__ import annotations

import random
from typing import Any

#: Few, so that they meet again; sorted without regard to case, to the language or to normal forms they lie otherwise.
KEYS = ("b", "B", "a", "ä", "A", "z", "Z", "a/b", "10", "9", "i", "I")
#: Values whose type, sign or last digit is easily lost.
VALUES: tuple[Any, ...] = (
    *(0.1, 0.2, 0.3, 1e16, 1.0, 1, True, False, None, -0.0, 0.0, 2**53 + 1, -(2**70)),
    *("", "ä", "x\x00y", "1", [1, 1.0, True], [], {}, {"b": [None], "a": {"": -0.0}}),
)


def some_events(domain: str, count: int, seed: int) -> list[Any]:
    """Return events of a domain: dicts with `n`, `key`, `at` and `value`, or bytes where nothing else is taken.

    Some are equal to the one before; many share their time `at`, which runs forward and back.
    """
    draw = random.Random(seed)
    events: list[Any] = []
    for number in range(1, count + 1):
        if events and draw.random() < 0.1:
            events.append(events[-1])
            continue
        at = 1_700_000_000 + draw.randint(-3, 3) * 3_600
        event = {"n": number, "key": draw.choice(KEYS), "at": at, "value": draw.choice(VALUES)}
        events.append(repr(event).encode() if domain == "bytes" else event)
    return events


def event_of(domain: str, worker: int, number: int) -> Any:
    """Return an event that no other worker appends, nor this one twice."""
    event = {"n": number, "key": f"worker {worker}", "at": 1_700_000_000, "value": number}
    return repr(event).encode() if domain == "bytes" else event
