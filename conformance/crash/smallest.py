"""Making a finding smaller, as long as its verdict stays: fewer steps first, then fewer lost writes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from conformance.crash.explore import Budget, Explorer, Finding
from conformance.crash.recorded import Unmeasured, recorded
from conformance.crash.scratch import names_of_scratch, scratch_files
from conformance.crash.subjects import Step
from conformance.workers import WorkerError

#: Seconds that are spent on fewer steps, what is explored of each shorter workload, and seconds that are spent on fewer
#: lost writes.
STEPS_S = 4.0
_GLANCE = Budget(states=150, seconds=0.6, representatives=1)
MORE_S = 8.0


def smallest(explorer: Explorer, finding: Finding, seed: int) -> tuple[Explorer, Finding]:
    """Return the smallest finding of the same verdict that was found in a few seconds, with the explorer that has it.

    Args:
        explorer: That found it.
        finding: What to make smaller.
        seed: For the shorter explorations.
    """
    until = time.monotonic() + STEPS_S
    explorer, finding = _until_the_crash(explorer, finding, seed, until)
    tried: set[tuple[int, ...]] = set()
    found = True
    while found:
        found = False
        for kept in _shorter(len(explorer.recorded.steps)):
            steps = [explorer.recorded.steps[place] for place in kept]
            if time.monotonic() > until or tuple(map(id, steps)) in tried:
                continue
            tried.add(tuple(map(id, steps)))
            smaller = _found_again(explorer, steps, finding, seed, until)
            if smaller is not None:
                explorer, finding = smaller
                found = True
                break
    return explorer, with_more_on_disk(explorer, finding)


def _until_the_crash(explorer: Explorer, finding: Finding, seed: int, until: float) -> tuple[Explorer, Finding]:
    begun = finding.moment.settled + finding.moment.running
    attempts = explorer.recorded.history.attempts[:begun]
    steps = explorer.recorded.steps[: max((attempt.step for attempt in attempts), default=0) + 1]
    return _found_again(explorer, list(steps), finding, seed, until) or (explorer, finding)


def _shorter(count: int) -> Iterator[list[int]]:
    """Give the places of the steps that are kept: all but a half, a quarter, one."""
    size = count // 2
    while size:
        for first in range(0, count, size):
            if count > size:
                yield [place for place in range(count) if not first <= place < first + size]
        size //= 2


def _found_again(
    explorer: Explorer, steps: Sequence[Step], finding: Finding, seed: int, until: float
) -> tuple[Explorer, Finding] | None:
    try:
        shorter = Explorer(explorer.crew, recorded(explorer.crew, steps))
        shorter.scratch = scratch_files(shorter, names_of_scratch(explorer), until - time.monotonic())
        findings = shorter.explore(finding.model, _GLANCE, seed).findings
    except (Unmeasured, WorkerError):
        return None
    same = [one for one in findings if one.verdict == finding.verdict and one.in_creation == finding.in_creation]
    if not same:
        return None
    return shorter, min(same, key=lambda one: (one.state.point, -len(one.state.kept)))


def with_more_on_disk(explorer: Explorer, finding: Finding) -> Finding:
    """Put back every lost write that the verdict does not need lost, as far as a few seconds go.

    Whole calls come first, then their parts.
    """
    until = time.monotonic() + MORE_S
    disk = explorer.disk(finding.model)
    if disk.model.kill:
        return finding
    point, history = finding.state.point, explorer.recorded.history
    everything = disk.durable(point) | disk.pending(point)
    kept = finding.state.kept
    while True:
        lost = sorted(everything - kept)
        calls: dict[int, list[int]] = {}
        for atom in lost:
            calls.setdefault(disk.atoms[atom].operation, []).append(atom)
        for group in [*calls.values(), *([atom] for atom in lost)]:
            more = disk.close(kept | set(group), point)
            if more == kept:
                continue
            if time.monotonic() > until:
                return finding
            observation = explorer.observe(disk.tree(more))
            if history.judge(observation, finding.moment) == finding.verdict:
                state = replace(finding.state, kept=more)
                finding = replace(finding, state=state, observation=observation)
                kept = more
                break
        else:
            return finding
