"""Folds that hang on more than the events: the log is honest, and the program that reads it is not."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from typing import Any

from tests.mutants.base import Mutant
from tests.mutants.log_base import PlainLog, backend


def with_the_time(state: Any, event: Any) -> Any:
    """Note when the event was folded in."""
    return {"count": (state or {"count": 0})["count"] + 1, "seen": time.time()}


def with_the_day(state: Any, event: Any) -> Any:
    """Count by day, where the program runs."""
    day = time.strftime("%Y-%m-%d %H", time.localtime(event["at"]))
    return {**(state or {}), day: (state or {}).get(day, 0) + 1}


def with_random(state: Any, event: Any) -> Any:
    """Keep a sample."""
    return event["n"] if state is None or random.random() < 0.5 else state


def with_uuid(state: Any, event: Any) -> Any:
    """Give each key an id when it is met."""
    return {event["key"]: str(uuid.uuid4()), **(state or {})}


def with_a_set(state: Any, event: Any) -> Any:
    """List the keys that are known, in the order of a set."""
    return list({*(state or []), event["key"]})


def with_a_sum(state: Any, event: Any) -> Any:
    """Add up amounts in the order of a set: the last digit hangs on it."""
    amounts = {**(state or {"amounts": {}})["amounts"], event["key"]: event["n"] * 0.1}
    return {"amounts": amounts, "total": sum(amounts[key] for key in set(amounts))}


_SEEN: list[Any] = []


def with_a_global(state: Any, event: Any) -> Any:
    """Number the events in a variable of the module."""
    _SEEN.append(event["n"])
    return {"last": len(_SEEN)}


def _mutant(name: str, bug: str, fold: Callable[[Any, Any], Any]) -> Mutant:
    return Mutant(name, bug, ("LOG-REPLAY-01",), backend(name, PlainLog, fold=fold))


MUTANTS = [
    _mutant("replay_wall_clock", "the fold asks for the time", with_the_time),
    _mutant("replay_local_day", "the fold counts by the day of the zone", with_the_day),
    _mutant("replay_random", "the fold draws at random", with_random),
    _mutant("replay_uuid4", "the fold makes ids", with_uuid),
    _mutant("replay_set_order", "the fold lists a set", with_a_set),
    _mutant("float_sum_order", "the fold adds floats in the order of a set", with_a_sum),
    _mutant("replay_global", "the fold counts in a variable of its module", with_a_global),
]
