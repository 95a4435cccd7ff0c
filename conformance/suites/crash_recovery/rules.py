"""The rules of this suite, each for a workload by its name; the checks say which workloads there are, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.suites.crash_recovery.laboratory import POWER, require

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
