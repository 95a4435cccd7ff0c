"""Worlds: where a program runs, as far as neither a log nor a fold may depend on it.

Source: what workflow engines forbid in code that is replayed (Temporal: time, random, environment, iteration of sets).
"""

from __future__ import annotations

import importlib.util
import locale
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class World:
    """A world. That of this process is `World("here")`.

    Args:
        name: Shown in findings.
        environment: Variables of the process, from its start.
        shift: Seconds by which the wall clock is wrong; None for the true time.
        step: Seconds by which it steps, now and then; 0 for a clock that stands still.
        seed: Of the module `random`; None to leave it.
        moved: Whether the working directory is another one.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    shift: float | None = None
    step: float = 0.0
    seed: int | None = None
    moved: bool = False


_DAY = 86_400.0
_WITHOUT_UTF8 = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
#: Zones are given as POSIX texts, which need no database of zones; a language that is not installed changes nothing.
WORLDS = (
    World(
        "east, in a year",
        {"PYTHONHASHSEED": "1", "TZ": "EST-14", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"},
        shift=400 * _DAY,
        step=-3_600.0,
        seed=1,
        moved=True,
    ),
    World(
        "west, ten years ago, without UTF-8",
        {"PYTHONHASHSEED": "2", "TZ": "WST11", "LANG": "C", "LC_ALL": "C", **_WITHOUT_UTF8},
        shift=-3_650 * _DAY,
        step=-60.0,
        seed=2,
        moved=True,
    ),
)

#: The variables that belong together.
_VARIABLES = (("PYTHONHASHSEED",), ("TZ",), ("LANG", "LC_ALL", *_WITHOUT_UTF8))


#: A process like any other, but for its hash seed: that of the process here is not known, so it can't be the same.
PLAIN = World("a new process", {"PYTHONHASHSEED": "0"})


def parts(world: World) -> list[World]:
    """Return worlds that differ from `PLAIN` in one point only, which is one of this world's; it names them."""
    found: list[World] = []
    for variables in _VARIABLES:
        chosen = {each: world.environment[each] for each in variables if each in world.environment}
        shown = " ".join(f"{each}={value}" for each, value in chosen.items())
        found.append(replace(PLAIN, name=shown, environment={**PLAIN.environment, **chosen}))
    found.append(replace(PLAIN, name="the wall clock", shift=world.shift, step=world.step))
    found.append(replace(PLAIN, name="the seed of `random`", seed=world.seed))
    found.append(replace(PLAIN, name="the working directory", moved=world.moved))
    return found


def can_travel() -> bool:
    """Tell whether the wall clock can be moved: by the library `time-machine`, which is an extra."""
    return importlib.util.find_spec("time_machine") is not None


@contextmanager
def inside(world: World, folder: Path) -> Iterator[Callable[[], None]]:
    """Make this process, whose variables are set already, part of a world; gives what lets its clock step.

    Args:
        world: The world.
        folder: A working directory of its own.
    """
    if world.moved:
        os.chdir(folder)
    if world.seed is not None:
        random.seed(world.seed)
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")  # as programs do that sort for people
    if world.shift is None or not can_travel():
        yield lambda: None
        return
    import time_machine  # here, because it is an extra

    with time_machine.travel(time.time() + world.shift, tick=bool(world.step)) as traveller:
        yield lambda: traveller.shift(world.step)
