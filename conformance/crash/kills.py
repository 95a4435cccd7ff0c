"""Real kills: no model, a process that is killed with SIGKILL, and a fresh one that opens what is left.

They prove nothing that the `kill` model does not, but they depend on no model and on no recorder: they tell whether the
model is right. Only kills that land inside a call count as evidence.
"""

from __future__ import annotations

import os
import random
import select
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.crash.fault import Fault
from conformance.crash.history import History, Moment, Verdict, moments
from conformance.crash.observe import Observation
from conformance.crash.perform import Attempt, carry_out
from conformance.crash.recorded import Order, Unmeasured, assembled, record_order
from conformance.crash.recorder.recording import Recording
from conformance.crash.reopen import observe_alone
from conformance.crash.subjects import SUBJECTS, Step
from conformance.crash.trace import Mark, Trace
from conformance.crash.tree import Tree, read_tree
from conformance.workers import Bay, Crew

#: Kills are tried until enough land inside a call, but not for ever: on a busy machine many come too late.
_TRIES = 25


@dataclass(frozen=True)
class Kill:
    """A process that was killed, and what was found of its store.

    Args:
        how: At which call, or after how long.
        moment: How far it was.
        steps: What it was doing.
        attempts: What it had tried.
        files: What it left.
        verdict: What is wrong, or `fine`.
        observation: What a fresh process found.
    """

    how: str
    moment: Moment
    steps: Sequence[Step]
    attempts: Sequence[Attempt]
    files: Tree
    verdict: Verdict
    observation: Observation


def killed_at_calls(crew: Crew, steps: Sequence[Step], count: int, seed: int) -> list[Kill]:
    """Kill the workload at system calls that are drawn from all that it makes, and return what came of each.

    Where none of them is inside a call to the store that follows an acknowledged one, more are drawn until one is: a
    server makes most of its calls when it is first used.

    Raises:
        Unmeasured: System calls can't be counted here.
    """
    whole = crew.call(record_order, Order(steps, {}, Fault("any", 1 << 60, "kill")))
    if not isinstance(whole, Recording):
        raise Unmeasured(f"no process can be stopped at a system call here: {whole}")
    total = (whole.counts or {}).get("any", 0)
    drawn = random.Random(seed).sample(range(1, total + 1), min(count * _TRIES, total))
    ended = list(_killed_at(crew, steps, sorted(drawn[:count]), total))
    more = iter(drawn[count:])
    while not any(map(_inside, ended)) and (number := next(more, None)):  # one by one: a seed has the same kills
        ended += _killed_at(crew, steps, [number], total)
    return ended


def _killed_at(crew: Crew, steps: Sequence[Step], numbers: Sequence[int], total: int) -> Iterator[Kill]:
    orders = (Order(steps, {}, Fault("any", number, "kill")) for number in numbers)
    for order, (recording, observation) in crew.spread(kill_at, orders):
        if recording.fired and order.fault is not None:
            one = assembled(crew, steps, recording)
            how = f"before system call {order.fault.number:,} of {total:,}"
            yield _judged(one.history, how, one.moments[-1], recording.real, observation)


def _inside(kill: Kill) -> bool:
    return kill.moment.running and kill.moment.acknowledged > 0


def killed_at_moments(crew: Crew, steps: Sequence[Step], count: int, seed: int) -> list[Kill]:
    """Kill the workload after delays that are drawn from the time that it takes, until `count` kills hit a call."""
    draw = random.Random(seed)
    whole = max(_timed(crew, steps) for _ in range(3))
    delays = (draw.random() * whole for _ in range(count * _TRIES))
    orders = (Delayed(steps, delay) for delay in delays)
    ended: list[Kill] = []
    for order, (marks, files, observation) in crew.spread(kill_after, orders):
        history = History(crew.contract, steps, _attempts(marks), SUBJECTS[crew.contract].empty)
        moment = moments(Trace((), tuple(marks)))[-1]
        ended.append(_judged(history, f"after {order.delay_s * 1000:.2f} ms", moment, files, observation))
        if sum(map(_inside, ended)) >= count:
            break
    return ended


@dataclass(frozen=True)
class Delayed:
    """A workload and the seconds after which it is killed."""

    steps: Sequence[Step]
    delay_s: float


def kill_at(bay: Bay, order: Order) -> tuple[Recording, Observation]:
    """Carry out a workload that is killed at a call, and reopen the store where it is; runs in a worker."""
    recording = record_order(bay, order)
    if isinstance(recording, str):
        raise TypeError(recording)  # the first recording was possible
    return recording, observe_alone(bay, None)


def kill_after(bay: Bay, order: Delayed) -> tuple[list[Mark], Tree, Observation]:
    """Carry out a workload in a forked child, kill it, and reopen the store where it is; runs in a worker.

    Returns:
        The marks of the workload, the files that it left, and what a fresh process found.
    """
    place = bay.cleared()
    place.mkdir()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            carry_out(bay.backend, bay.contract, order.steps, place, lambda text: _write_line(writer, text))
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as lines:
        first = lines.readline()  # the clock starts when the store begins to work, not when the process does
        end = time.monotonic() + order.delay_s
        while (left := end - time.monotonic()) > 0:
            select.select([], [], [], left)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        marks = [Mark(line.decode().strip()) for line in [first, *lines]]
    files = read_tree(place)
    return marks, files, observe_alone(bay, None)


def time_of(bay: Bay, steps: Sequence[Step]) -> float:
    """Return how many seconds a workload takes that nobody kills; runs in a worker."""
    place = bay.cleared()
    place.mkdir()
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            carry_out(bay.backend, bay.contract, steps, place, lambda _: None)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return time.monotonic() - begun


def _write_line(descriptor: int, text: str) -> None:
    os.write(descriptor, f"{text}\n".encode())


def _timed(crew: Crew, steps: Sequence[Step]) -> float:
    seconds: float = crew.call(time_of, steps)
    return seconds


def _attempts(marks: Sequence[Mark]) -> list[Attempt]:
    return [Attempt(int(mark.text.split()[2])) for mark in marks if mark.text.startswith("start ")]


def _judged(history: History, how: str, moment: Moment, files: Tree, observation: Observation) -> Kill:
    verdict = history.judge(observation, moment)
    return Kill(how, moment, history.steps, history.attempts, files, verdict, observation)
