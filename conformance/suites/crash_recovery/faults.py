"""Judging a workload that meets errors of the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from conformance.crash.case import Case
from conformance.crash.errors import Tried, counted, places, tried
from conformance.crash.explore import Explorer
from conformance.crash.fakedisk import Fake, NotOnFakes
from conformance.crash.fault import CALLS, Fault
from conformance.crash.history import MEANING
from conformance.crash.recorded import Unmeasured
from conformance.crash.show import shown_fake, shown_fault
from conformance.crash.subjects import Step
from conformance.result import Inconclusive, NotApplicable, Violation
from conformance.suites.crash_recovery.laboratory import (
    explored,
    explorer_of,
    laboratory,
    share_of,
    told,
    violated,
    workload_of,
)
from conformance.workers import Crew, WorkerError

if TYPE_CHECKING:
    from conformance.trial import Trial


def survives_errors(trial: Trial, name: str, calls: str, error: int) -> None:
    """Require that nothing is lost or made up when calls of a class go wrong, once or from then on, at every place.

    Args:
        trial: The trial.
        name: The workload.
        calls: Classes of system calls.
        error: What they fail with; 0 for writes that write only a part.

    Raises:
        NotApplicable: The workload makes no such call.
        Inconclusive: Faults can't be put on calls here.
        Violation: Something is wrong; the first is shown.
    """
    base = explorer_of(trial, name)
    sound = explored(trial, name, ("ext4",)) if calls == "sync" else ()
    without = {finding.verdict for one in sound for finding in one.findings}
    try:
        faults = list(_faults(trial, base, calls, error))
        budget = share_of(trial, max(1, len(faults)))
        for one in tried(base, faults, budget, trial.bench.seed):
            trial.count("errors")
            trial.count("comparisons", one.judged)
            if one.states:
                trial.count("crash states", one.states)
            if any(finding.verdict not in without for finding in one.findings):
                raise _violation(trial, one)
    except (Unmeasured, WorkerError) as why:
        raise Inconclusive(str(why)) from why
    if not faults:
        raise NotApplicable(f"the store makes no call of the kind {calls.replace(' ', ' or ')} once it is open")


def survives_fake_disks(trial: Trial, play: Callable[[Crew, Sequence[Step]], list[Fake]], name: str) -> None:
    """Require that nothing acknowledged is lost on a simulated disk.

    Args:
        trial: The trial.
        play: Carries out steps on fake disks.
        name: The workload.

    Raises:
        NotApplicable: The store does not work on a fake disk, or is in a server; or pyfakefs is not installed.
        Inconclusive: No process could be started.
        Violation: Something is wrong; the first is shown.
    """
    if trial.backend.server is not None:
        raise NotApplicable("the files are written by a server, not by Python: no fake disk can stand in for theirs")
    steps = workload_of(trial, name).steps
    try:
        found = play(laboratory(trial).crew, steps)
    except (NotOnFakes, Unmeasured) as why:
        raise NotApplicable(str(why)) from why
    except WorkerError as why:
        raise Inconclusive(str(why)) from why
    for one in found:
        trial.count("fake disks")
        if one.attempts:  # where the store could not even be opened, nothing was acknowledged that could be lost
            trial.count("comparisons")
        if one.verdict != "fine":
            text = shown_fake(trial.check.contract, steps, one)
            raise Violation(
                f"on {one.how}: {text.what}",
                expected=text.expected,
                got=text.got,
                story=text.story,
                frame=text.frame,
                picture=text.picture,
            )


def _faults(trial: Trial, base: Explorer, calls: str, error: int) -> Iterator[Fault]:
    kind: Literal["error", "short"] = "error" if error else "short"
    counts = counted(base)
    for call in CALLS:
        if call not in calls.split():
            continue
        once = Fault(call, 1, kind, error)
        total = counts.get(once.counter, 0)
        yield from (replace(once, number=number) for number in places(total, trial.effort.faults))
        yield from (replace(once, number=number, sticky=True) for number in places(total, trial.effort.lasting))


def _violation(trial: Trial, one: Tried) -> Exception:
    finding = min(one.findings, key=lambda each: list(MEANING).index(each.verdict))
    fault = one.fault
    what = os.strerror(fault.error) if fault.kind == "error" else "writes only a part"
    name = f" ({errno.errorcode[fault.error]})" if fault.error else ""
    where = f"{fault.call} number {fault.number}{' and every later one' if fault.sticky else ''}: {what}{name}"
    text = shown_fault(one.explorer, finding)
    if finding.model:
        return told(trial, one.explorer, finding, text, where)
    recording = one.recorded.recording
    case = Case(
        code=trial.check.code,
        contract=trial.check.contract,
        model="I/O error",
        verdict=finding.verdict,
        steps=tuple(one.recorded.steps),
        attempts=tuple(one.recorded.history.attempts),
        moment=finding.moment,
        files=recording.real,
        story=text.story,
    )
    return violated(text, case, where)
