"""A round that is carried out again: its name, what of its switches matters, and where to look for it."""

from __future__ import annotations

import itertools
import linecache
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from conformance.frames import shown_path
from conformance.histories.drivers.schedule import Switch, fewer_switches
from conformance.histories.rounds.round import Round

#: Replays that may be made to find out which switches matter, and seconds after which no more are made.
REPLAYS, REPLAYS_S = 150, 5.0
#: Switches that are shown at most.
SHOWN = 12
#: What `named` is told, for those who type it.
FORM = "CODE:scheduled:ROUND:SWITCHES, such as STATE-CONC-01:scheduled:17:0w2,40w1"
_SWITCH = re.compile(r"(\d+)w([1-9]\d*)")


class RepeatError(ValueError):
    """A text that names no round; it says what to write instead."""


@dataclass(frozen=True)
class Repeat:
    """A round of scheduled threads, to be carried out again and alone.

    Args:
        code: Of the check.
        number: Of the round.
        switches: Where another thread goes on.
    """

    code: str
    number: int
    switches: tuple[Switch, ...]

    def __str__(self) -> str:
        """Return the text that `repeat_of` reads."""
        switches = ",".join(f"{switch.step}w{switch.worker + 1}" for switch in self.switches)
        return f"{self.code}:scheduled:{self.number}:{switches}"


def repeat_of(text: str) -> Repeat:
    """Return the round that a text names.

    Raises:
        RepeatError: It names none.
    """
    parts = text.split(":")
    if len(parts) != 4 or not parts[0]:
        raise RepeatError(f"{text!r} names no round. Write {FORM}, as a failed check prints it.")
    code, way, number, listed = parts
    if way != "scheduled":
        raise RepeatError(f"{text!r}: only rounds of scheduled threads can be repeated. Write {FORM}.")
    found = [_SWITCH.fullmatch(one) for one in listed.split(",") if one]
    if not number.isdecimal() or None in found:
        raise RepeatError(
            f"{text!r} has no number of a round, or a switch that is none: '40w1' lets worker 1 go on at step 40. "
            f"Write {FORM}."
        )
    return Repeat(code, int(number), tuple(Switch(int(one[1]), int(one[2]) - 1) for one in found if one))


def switch_lines(switches: Sequence[Switch]) -> list[str]:
    """Return where the threads change turns, a sentence first, then a line for each switch with the code there."""
    if not switches:
        return ["No turn is taken from a thread: it is enough that they run one after the other."]
    many = len(switches)
    lines = [f"{'One switch makes' if many == 1 else f'{many} switches make'} it happen; the threads run as follows:"]
    for switch in switches[:SHOWN]:
        code = linecache.getline(switch.file, switch.line).strip()
        place = f" at {shown_path(switch.file)}:{switch.line}   {code}".rstrip() if switch.line else ""
        verb = "begins" if not switch.step else f"goes on, and the other stays{place}"
        lines.append(f"⇢ w{switch.worker + 1} {verb}")
    return [*lines, *([f"… and {many - SHOWN} more"] if many > SHOWN else [])]


def only_asked(one: Round, switches: Sequence[Switch]) -> Round:
    """Return a replay with the switches that were asked for, at their places; others follow from who could run."""
    steps = {switch.step for switch in switches}
    return replace(one, switches=tuple(switch for switch in one.switches if switch.step in steps))


def fewest(one: Round, again: Callable[[Sequence[Switch]], Round | None]) -> Round:
    """Return a round that is broken too, and needs no more switches than those that it has.

    It is the round itself where a replay of its switches is not broken: then the store does something that the switches
    do not decide.

    Args:
        one: A broken round.
        again: Carries it out again with some switches; returns it if it is broken.
    """
    best = one
    replays = itertools.count()
    until = time.monotonic() + REPLAYS_S

    def fails(switches: tuple[Switch, ...]) -> bool:
        nonlocal best
        if next(replays) >= REPLAYS or time.monotonic() > until:
            return False
        found = again(switches)
        if found is None:
            return False
        best = found
        return True

    if fails(tuple(one.switches)):
        fewer_switches(fails, best.switches)
    return best
