"""A workload that was carried out and recorded, behind two gates that keep the kit honest.

The *replay gate*: the trace, replayed, must make the very files that the store really left; else something went past
the recorder, and no crash state made of the trace means anything. The *baseline gate*: the files as they are without a
crash must pass the whole oracle; else not a crash is at fault, but the store or its adapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from conformance.crash.fault import Fault
from conformance.crash.history import MEANING, History, Moment, moments
from conformance.crash.observe import Observation
from conformance.crash.perform import Attempt, carry_out
from conformance.crash.recorder import Choice, Unable, choose, record
from conformance.crash.recorder.recording import Recording
from conformance.crash.reopen import observe_all
from conformance.crash.subjects import SUBJECTS, Step
from conformance.crash.trace import Mark, replayed
from conformance.crash.tree import Tree, digest, write_tree
from conformance.hosting import furnished
from conformance.workers import Bay, Crew
from conformance.workers.forked import hangs_after


class Unmeasured(Exception):
    """Crashes could not be explored; the text says why. It is nothing against the store, and nothing for it."""


@dataclass(frozen=True)
class Recorded:
    """A workload, what was seen of it, and what it may have come to.

    Args:
        steps: What was to be done.
        recording: What was seen.
        history: The oracle.
        moments: How far the workload was before each operation of the trace, and at its end.
    """

    steps: Sequence[Step]
    recording: Recording
    history: History
    moments: Sequence[Moment]


@dataclass(frozen=True)
class Order:
    """What a worker is asked to record.

    Args:
        steps: The workload.
        before: The files to start from.
        fault: What goes wrong with the disk, if anything does.
        retry: A step that raises is tried once more, and the rest is carried out.
    """

    steps: Sequence[Step]
    before: Tree
    fault: Fault | None = None
    retry: bool = False


def chosen(_bay: Bay) -> Choice:
    """Return which recorder is used, and why no better one; runs in a worker."""
    return choose()


def record_order(bay: Bay, order: Order) -> Recording | str:
    """Carry out and record a workload; runs in a worker. A text says why nothing can be recorded here.

    A recorder that can put no fault on a call gives way to the one in Python, as long as that misses nothing.
    """
    try:
        return _recording(bay, order, "")
    except Unable as reason:
        if order.fault is None:
            return str(reason)
        missed = f"{reason}; python: it can't see the calls of this store"
    try:
        found = _recording(bay, order, "python")
    except Unable as reason:
        return str(reason)
    return found if replayed(found.trace) == found.real else missed


def _recording(bay: Bay, order: Order, using: str) -> Recording:
    place = bay.cleared()
    write_tree(order.before, place)
    furnished(bay.backend, bay.contract, place)
    return record(partial(_workload, bay, order), place, fault=order.fault, timeout_s=hangs_after(bay), using=using)


def _workload(bay: Bay, order: Order, mark: object) -> list[Attempt]:
    return carry_out(bay.backend, bay.contract, order.steps, bay.place, mark, retry=order.retry)  # type: ignore[arg-type]


def recorded(crew: Crew, steps: Sequence[Step]) -> Recorded:
    """Carry out a workload without a fault, and pass both gates.

    Args:
        crew: Of the store.
        steps: The workload.

    Raises:
        Unmeasured: A gate is closed, or the workload could not be carried out.
    """
    found = crew.call(record_order, Order(steps, {}))
    if isinstance(found, str):
        raise Unmeasured(f"no system call could be recorded here: {found}")
    one = assembled(crew, steps, found)
    if found.ended != "returned":
        raise Unmeasured(f"the workload {found.ended} without any crash: {found.detail}")
    _replay_gate(found)
    _baseline_gate(crew, one)
    return one


def assembled(crew: Crew, steps: Sequence[Step], recording: Recording) -> Recorded:
    """Return a recording with its oracle; of a process that died, what it tried is known from its marks."""
    attempts = recording.returned if recording.ended == "returned" else _from_marks(recording)
    history = History(crew.contract, steps, attempts, SUBJECTS[crew.contract].empty)
    return Recorded(steps, recording, history, moments(recording.trace))


def _from_marks(recording: Recording) -> list[Attempt]:
    attempts: list[Attempt] = []
    for operation in recording.trace.operations:
        word, *rest = operation.text.split() if isinstance(operation, Mark) else ("",)
        if word == "start":
            attempts.append(Attempt(int(rest[1])))
        elif word == "raised":
            attempts[-1] = Attempt(attempts[-1].step, "an exception")
    return attempts


def _replay_gate(recording: Recording) -> None:
    real, made = recording.real, replayed(recording.trace)
    if made == real:
        return
    wrong = sorted(path for path in {*real, *made} if real.get(path, b"?") != made.get(path, b"?"))
    unseen = f" It can't see {', '.join(recording.unseen)}." if recording.unseen else ""
    raise Unmeasured(
        f"the {recording.recorder} recorder missed something: the recorded writes, replayed, do not make the files "
        f"that the store left. Different: {', '.join(wrong[:5])}.{unseen}"
    )


def _baseline_gate(crew: Crew, one: Recorded) -> None:
    if not one.recording.trace.initial and all(isinstance(each, Mark) for each in one.recording.trace.operations):
        raise Unmeasured(
            "the store wrote nothing below where.path, so there is no file that a crash could leave in pieces. A store "
            "that keeps its files elsewhere, or in a server, is not explored yet"
        )
    name = digest(one.recording.real)
    # Twice: what a store keeps elsewhere is still there the first time, and holds one more write the second time.
    for _ in range(2):
        observation: Observation = crew.call(observe_all, {name: one.recording.real})[name]
        verdict = one.history.judge(observation, one.moments[-1])
        if verdict != "fine":
            detail = f" ({observation.detail})" if observation.detail else ""
            raise Unmeasured(
                f"without any crash, {MEANING[verdict]}{detail}: closed, copied away and back, and opened in another "
                f"process. The adapter is at fault, not a crash: does the store keep something outside where.path?"
            )
