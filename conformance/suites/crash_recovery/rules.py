"""The rules of this suite, each for a workload by its name; the checks say which workloads there are, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.crash.again import crashed_twice
from conformance.crash.kills import killed_at_calls, killed_at_moments
from conformance.crash.recorded import Unmeasured
from conformance.result import Inconclusive, NotApplicable
from conformance.suites.crash_recovery.killing import judge_kills
from conformance.suites.crash_recovery.laboratory import (
    POWER,
    confirmed,
    explorer_of,
    require,
    second_violation,
    share_of,
    workload_of,
)
from conformance.workers import WorkerError

if TYPE_CHECKING:
    from conformance.trial import Trial


def survives_a_kill(trial: Trial, name: str) -> None:
    """Require that every state after a kill is that of the acknowledged calls, with or without the one in flight."""
    require(trial, name, ("kill",), lambda finding: not finding.in_creation)


def keeps_an_earlier_state(trial: Trial, name: str) -> None:
    """Require that power loss leaves a state that was: newest writes may be gone, nothing else is wrong."""
    models = (*POWER, *trial.bench.disks)
    require(trial, name, models, lambda finding: finding.verdict != "lost" and not finding.in_creation)


def keeps_what_was_acknowledged(trial: Trial, name: str) -> None:
    """Require that power loss takes no acknowledged write."""
    require(trial, name, (*POWER, *trial.bench.disks), lambda finding: finding.verdict == "lost")


def keeps_all_on_any_disk(trial: Trial, names: tuple[str, ...]) -> None:
    """Require the same of a disk that writes what was not synced in any order, and tears it anywhere."""
    for name in names:
        require(trial, name, ("posix",), lambda finding: not finding.in_creation)


def is_created_whole(trial: Trial, name: str) -> None:
    """Require that a crash before the first acknowledgement leaves a place where the store opens and works."""
    require(trial, name, ("kill", *POWER), lambda finding: finding.in_creation)


def recovers_from_a_crash_of_the_recovery(trial: Trial, name: str) -> None:
    """Require that a crash while the store recovers takes nothing that the first crash left."""
    explorer = explorer_of(trial, name)
    budget = share_of(trial, 3 * trial.effort.second_crashes)
    models = ("kill", *POWER) if trial.backend.durability == "power-loss" else ("kill",)
    try:
        for model in models:
            for twice in crashed_twice(explorer, model, trial.effort.second_crashes, budget, trial.bench.seed):
                trial.count("first crashes")
                trial.count("crash states", twice.explored.trees)
                trial.count("comparisons", twice.explored.judged)
                worst = confirmed(twice.explorer, twice.explored.findings)
                if worst is not None:
                    raise second_violation(trial, twice, worst)
    except (Unmeasured, WorkerError) as why:
        raise Inconclusive(str(why)) from why
    if not trial.evidence.get("first crashes"):
        raise NotApplicable("in no crash state that was tried did opening the store write: nothing can be interrupted")


def survives_real_kills_at_calls(trial: Trial, name: str) -> None:
    """Require that a process killed at system calls leaves what it acknowledged."""
    steps = workload_of(trial, name).steps
    judge_kills(trial, lambda crew: killed_at_calls(crew, steps, trial.effort.kills, trial.seed))


def survives_real_kills_at_moments(trial: Trial, name: str) -> None:
    """Require that a process killed at any moment leaves what it acknowledged."""
    steps = workload_of(trial, name).steps
    judge_kills(trial, lambda crew: killed_at_moments(crew, steps, trial.effort.kills, trial.seed))
