"""A simulation of an agent that writes down what it does, and is killed again and again.

Each turn appends a command and its output; at times it keeps a checkpoint of the state that all events fold to, and
compacts. Every event follows from its position: so whoever reads the log knows what must stand there, and the event
that was being appended when the process died may be there, whole, or not.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import signal
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, Any

from conformance.drive import Driver
from conformance.place import place_of
from conformance.recording import raised
from conformance.workers.worker import Bay

#: Lines that a life may write before it is killed, at most.
_LONGEST = 400
#: Events after which a checkpoint is kept, at most; after every second one the log is compacted.
_APART = 60
#: A life that writes nothing for so long hangs.
_HANG_S = 60.0
#: Lives that are lived in any case, and while none was killed inside a call or no checkpoint was kept.
_LIVES, _PATIENCE = 3, 100


@dataclass(frozen=True)
class Order:
    """What is asked for: lives, for so many seconds."""

    seconds: float
    seed: int


@dataclass(frozen=True)
class Wrong:
    """What a life found, or did, that can't be.

    Args:
        what: What was looked at.
        expected: What must be.
        got: What was.
    """

    what: str
    expected: str
    got: str


@dataclass
class Lived:
    """What happened in all lives.

    Args:
        lives: Processes that opened the log.
        inside: Of these, how many were killed inside a call.
        acknowledged: The position up to which appends were acknowledged.
        checkpoints: How many were acknowledged.
        compactions: The same.
        compared: Events and states that were compared.
        wrong: The first thing that can't be.
        story: What happened, life after life.
    """

    lives: int = 0
    inside: int = 0
    acknowledged: int = 0
    checkpoints: int = 0
    compactions: int = 0
    compared: int = 0
    wrong: Wrong | None = None
    story: list[str] = field(default_factory=list)


def event_at(domain: str, position: int) -> Any:
    """Return the event that has a position: odd ones are commands, even ones the output of the command before."""
    turn, kind = (position + 1) // 2, "command" if position % 2 else "output"
    event = {"turn": turn, "kind": kind, "text": f"{kind} of turn {turn}\n" * (position % 7)}
    return json.dumps(event).encode() if domain == "bytes" else event


def folded(state: Any, event: Any) -> Any:
    """Return the state after one more event: how many there were, and a digest of all, in their order."""
    count, digest = _opened(state)
    text = event if isinstance(event, bytes) else json.dumps(event, sort_keys=True, default=repr).encode()
    found = {"events": count + 1, "digest": hashlib.sha256(digest.encode() + text).hexdigest()}
    return json.dumps(found).encode() if isinstance(event, bytes) else found


def _opened(state: Any) -> tuple[int, str]:
    if state is None:
        return 0, ""
    found = json.loads(state) if isinstance(state, bytes) else state
    return found["events"], found["digest"]


def simulated(bay: Bay, order: Order) -> Lived:
    """Live, be killed, look at what is left, and live on, for the time asked for; runs in a worker."""
    draw, lived = random.Random(order.seed), Lived()
    bay.cleared().mkdir()
    folds: list[Any] = [None]
    end = time.monotonic() + order.seconds
    while lived.wrong is None and (lived.lives < _fewest(lived) or time.monotonic() < end):
        _life(bay, draw, lived, folds)
    if lived.wrong is None:
        _life(bay, draw, lived, folds, last=True)
    bay.cleared()
    return lived


def _fewest(lived: Lived) -> int:
    return _LIVES if lived.inside and lived.checkpoints else _PATIENCE


def _life(bay: Bay, draw: random.Random, lived: Lived, folds: list[Any], *, last: bool = False) -> None:
    """Fork a process that opens the log and goes on where it ends, and kill it at a moment that is drawn."""
    lived.lives += 1
    lines_left = 1 if last else draw.randint(1, _LONGEST)
    reader, writer = os.pipe()
    seed = draw.random()
    process = os.fork()
    if process == 0:
        os.close(reader)
        try:
            _live(bay, random.Random(seed), writer)
        finally:
            os._exit(0)
    os.close(writer)
    calling = ""
    try:
        with closing(_lines(reader)) as lines:
            for line in lines:
                calling = _heard(bay, line, lived, folds)
                lines_left -= 1
                if lived.wrong is not None or lines_left <= 0:
                    break
            else:
                what = f"{_turn(lived)}: {calling or 'between calls'}"
                lived.wrong = Wrong(what, "an answer", f"none within {_HANG_S:.0f} s, or the process ended itself")
            os.kill(process, signal.SIGKILL)
            # What it told before it died counts as well.
            for line in lines if lived.wrong is None and not last else ():
                calling = _heard(bay, line, lived, folds)
    finally:
        os.kill(process, signal.SIGKILL)  # a process that is not waited for can be killed twice
        os.waitpid(process, 0)
    lived.inside += bool(calling)
    lived.story.append(f"life {lived.lives}: killed {calling or 'between calls'}, {lived.acknowledged:,} acknowledged")


def _lines(reader: int) -> Generator[dict[str, Any], None, None]:
    """Give what a life tells, until it is dead or hangs."""
    with open(reader, "rb", buffering=0) as pipe:
        rest = b""
        while select.select([pipe], [], [], _HANG_S)[0] and (more := _some(pipe)):
            *whole, rest = (rest + more).split(b"\n")
            yield from map(json.loads, whole)


def _some(pipe: IO[bytes]) -> bytes:
    return pipe.read(1 << 16) or b""


def _turn(lived: Lived) -> str:
    return f"life {lived.lives} of an agent, {lived.acknowledged:,} events acknowledged"


def _heard(bay: Bay, line: dict[str, Any], lived: Lived, folds: list[Any]) -> str:
    """Take in one line, and return which call is under way, if any."""
    match line["told"]:
        case "begin":
            return f"inside {line['call']}"
        case "appended":
            lived.acknowledged = line["expected"]
            if line["position"] != line["expected"]:
                lived.wrong = Wrong(f"{_turn(lived)}: appending", str(line["expected"]), str(line["position"]))
        case "kept":
            lived.checkpoints += 1
        case "compacted":
            lived.compactions += 1
        case "raised":
            lived.wrong = Wrong(_turn(lived), "no exception", line["error"])
        case "found":
            lived.compared += line["count"]
            lived.wrong = _judged(bay, line, lived, folds)
            lived.acknowledged = max(lived.acknowledged, line["head"])
    return ""


def _judged(bay: Bay, found: dict[str, Any], lived: Lived, folds: list[Any]) -> Wrong | None:
    """Compare what a life found with what must be there."""
    what, acknowledged = f"{_turn(lived)}: opening the log after a kill", lived.acknowledged
    head, upto = found["head"], found["upto"]
    if head not in (acknowledged, acknowledged + 1):
        return Wrong(f"{what}: the head", f"{acknowledged:,}, or one more", f"{head:,}")
    while len(folds) <= head:
        folds.append(folded(folds[-1], event_at(bay.backend.values, len(folds))))
    if not 0 <= upto <= head or found["state"] != _opened(folds[upto])[1]:
        return Wrong(f"{what}: the checkpoint at {upto:,}", _opened(folds[upto])[1], found["state"])
    if found["wrong"]:
        return Wrong(f"{what}: the events after the checkpoint at {upto:,}", *found["wrong"])
    if found["folded"] != _opened(folds[head])[1]:
        return Wrong(f"{what}: the fold of checkpoint and tail", _opened(folds[head])[1], found["folded"])
    return None


def _live(bay: Bay, draw: random.Random, writer: int) -> None:
    def tell(told: str, **more: Any) -> None:
        os.write(writer, json.dumps({"told": told, **more}).encode() + b"\n")

    try:
        with closing(Driver()) as driver:
            log = driver.open(getattr(bay.backend, bay.contract), place_of(bay.backend, bay.place))
            state, position = _restored(bay, driver, log, tell)
            while True:
                for _ in range(draw.randint(1, _APART)):
                    position += 1
                    event = event_at(bay.backend.values, position)
                    tell("begin", call=f"append at {position:,}")
                    given = driver.call(log.append, event)
                    if bay.backend.flush is not None:
                        driver.call(bay.backend.flush, log)
                    tell("appended", position=given, expected=position)
                    state = folded(state, event)
                _keep(driver, log, draw, tell, state, position)
    except Exception as error:  # noqa: BLE001 - a store may raise anything
        tell("raised", error=raised(error))


def _keep(driver: Driver, log: Any, draw: random.Random, tell: Any, state: Any, position: int) -> None:
    """Keep a checkpoint, and at times compact what it covers, or less."""
    tell("begin", call=f"checkpoint at {position:,}")
    driver.call(log.checkpoint, state, position)
    tell("kept")
    upto = position - draw.choice([0, 0, 3])
    if draw.random() < 0.5 and upto >= driver.attribute(log, "first"):
        tell("begin", call=f"compact up to {upto:,}")
        driver.call(log.compact, upto)
        tell("compacted")


def _restored(bay: Bay, driver: Driver, log: Any, tell: Any) -> tuple[Any, int]:
    """Fold what is left, as an agent does that starts again, and tell what was found."""
    kept = driver.call(log.latest_checkpoint)
    state, upto = (None, 0) if kept is None else kept
    before = _opened(state)[1]
    wrong: tuple[str, str] | None = None
    expected = upto
    for position, event in driver.items(log.read, upto + 1):
        expected += 1
        due = event_at(bay.backend.values, expected)
        if wrong is None and (position, event) != (expected, due):
            wrong = (repr((expected, due))[:200], repr((position, event))[:200])
        state = folded(state, event)
    head = driver.attribute(log, "head")
    if wrong is None and expected != head:
        wrong = (f"events up to the head, {head:,}", f"none after {expected:,}")
    found = {"head": head, "upto": upto, "state": before, "folded": _opened(state)[1], "wrong": wrong}
    tell("found", **found, count=expected - upto + 2)
    return state, head
