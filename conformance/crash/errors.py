"""I/O errors: one call of a class fails, at each place in turn; what was acknowledged must be there all the same.

Each call that raised is tried once more, as callers do. After the workload the disk is sound again: a new process must
open the store, find everything that was acknowledged, and go on. After a failed sync power loss is explored as well.

Sources: SQLite's I/O-error loop (test6.c: fail the n-th call until it no longer fires); Rebello et al., Can
Applications Recover from fsync Failures?, USENIX ATC 2020; CuttleFS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from conformance.crash.disk import CrashState
from conformance.crash.explore import Budget, Explorer, Finding, observed
from conformance.crash.fault import Fault
from conformance.crash.observe import Observation
from conformance.crash.recorded import Order, Recorded, Unmeasured, assembled, record_order
from conformance.crash.recorder.recording import Recording
from conformance.crash.scratch import scratch_of_the_same_names
from conformance.crash.trace import Mark, replayed
from conformance.crash.tree import digest


@dataclass(frozen=True)
class Tried:
    """A workload that was carried out with one fault.

    Args:
        fault: What went wrong with the disk.
        recorded: The workload, with its oracle.
        explorer: Of it.
        findings: What is wrong: with what the store showed at the time, at the end, or after power loss.
        judged: How many observations were judged.
        states: How many crash states were recovered.
    """

    fault: Fault
    recorded: Recorded
    explorer: Explorer
    findings: tuple[Finding, ...]
    judged: int
    states: int = 0


def counted(base: Explorer) -> Mapping[str, int]:
    """Return how many calls of each class a workload makes on which a fault can be put.

    Raises:
        Unmeasured: Faults can't be put on calls here.
    """
    recording = base.recorded.recording
    if recording.counts is None:  # another recorder puts them, which may see other calls
        never = Fault("any", 1 << 60)
        order = Order(base.recorded.steps, {}, never, retry=True)
        recording = _recording(base.crew.call(record_order, order))
    return recording.counts or {}


def places(total: int, limit: int) -> list[int]:
    """Return the numbers of the calls that a fault is tried on: all, or `limit` of them, spread evenly."""
    if total <= limit:
        return list(range(1, total + 1))
    if limit == 1:
        return [(total + 1) // 2]
    return sorted({1 + round(place * (total - 1) / (limit - 1)) for place in range(limit)})


def tried(base: Explorer, faults: Sequence[Fault], budget: Budget, seed: int) -> Iterator[Tried]:
    """Carry out a workload with each of some faults, and judge it.

    Args:
        base: Of the workload without a fault; what is wrong with it already is not counted again.
        faults: One is put on each run.
        budget: Of the power losses that are explored after a failed sync.
        seed: For these.
    """
    crew, steps = base.crew, base.recorded.steps
    orders = (Order(steps, {}, fault, retry=True) for fault in faults)
    recordings: list[tuple[Fault | None, Recording]] = []
    for order, found in crew.spread(record_order, orders):
        recordings.append((order.fault, _recording(found)))
        if recordings[-1][1].ended == "hung":  # one is enough to tell, and each takes as long as the limit
            break
    met = [(fault, recording) for fault, recording in recordings if fault is not None and recording.fired]
    after = observed(crew, {digest(recording.real): recording.real for _, recording in met})
    for fault, recording in sorted(met, key=lambda one: one[0].number):
        scratch = scratch_of_the_same_names(base, recording.trace)
        explorer = Explorer(crew, assembled(crew, steps, recording), scratch, observations=dict(after))
        yield _judged(explorer, fault, budget, seed)


def _recording(found: object) -> Recording:
    if not isinstance(found, Recording):
        raise Unmeasured(f"no fault can be put on a system call here: {found}")
    return found


def _judged(explorer: Explorer, fault: Fault, budget: Budget, seed: int) -> Tried:
    one = explorer.recorded
    findings = [*_at_the_time(one)]
    judged = sum(bool(attempt.seen) for attempt in one.history.attempts)
    end = len(one.recording.trace.operations)
    state = CrashState(end, frozenset(), "no crash: the process ended, and the disk is sound again")
    if one.recording.ended in ("died", "hung"):
        ended: Literal["died", "hung"] = "died" if one.recording.ended == "died" else "hung"
        findings.append(Finding(ended, "", state, one.moments[-1], Observation(ended, None, one.recording.detail)))
    observation = explorer.observe(one.recording.real)
    verdict = one.history.judge(observation, one.moments[-1])
    judged += 1
    if verdict != "fine":
        findings.append(Finding(verdict, "", state, one.moments[-1], observation))
    states = 0
    if fault.call == "sync" and not findings:
        if replayed(one.recording.trace) != one.recording.real:
            raise Unmeasured(
                f"the {one.recording.recorder} recorder missed something of the run in which a sync failed, so the "
                f"power losses after it could not be worked out"
            )
        explored = explorer.explore("ext4", budget, seed)
        findings += explored.findings
        judged += explored.judged
        states = explored.trees
    return Tried(fault, one, explorer, tuple(findings), judged, states)


def _at_the_time(one: Recorded) -> Iterator[Finding]:
    """Give what the store showed wrongly right after an error; a store that then refuses to be read is honest."""
    for number, attempt in enumerate(one.history.attempts):
        if not attempt.seen:
            continue
        observation = Observation("usable", json.loads(attempt.seen))
        point = next(
            place
            for place, operation in enumerate(one.recording.trace.operations)
            if isinstance(operation, Mark) and operation.text == f"raised {number}"
        )
        moment = one.moments[point + 1]
        verdict = one.history.judge(observation, moment)
        if verdict != "fine":
            yield Finding(verdict, "", CrashState(point + 1, frozenset(), "right after the error"), moment, observation)
