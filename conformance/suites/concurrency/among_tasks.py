"""What the checks about tasks share: they concern async stores, and of those the ones that let others run."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from conformance.drive import is_async
from conformance.histories.records import bare
from conformance.histories.rounds.round import closed, opened
from conformance.histories.rounds.ways import Way
from conformance.result import Inconclusive, NotApplicable
from conformance.suites.concurrency.laboratory import require

if TYPE_CHECKING:
    from conformance.trial import Trial

TASKS: tuple[Way, ...] = ("tasks",)
CANCELLED: tuple[Way, ...] = ("cancelled",)
#: Why a check does not apply to coroutines that a store may rely on.
NEVER_WAITED = "no call of the store ever let another task run"


def require_of_tasks(trial: Trial, plan: str, ways: Sequence[Way]) -> None:
    """Require the same as `require`, of tasks that share an async store.

    Raises:
        NotApplicable: The store has no coroutines, or none that ever lets another task run.
    """
    require_async(trial)
    try:
        require(trial, plan, ways)
    except Inconclusive:
        if trial.evidence.get("comparisons") or not trial.evidence.get("histories"):
            raise
        raise NotApplicable(NEVER_WAITED) from None


def require_async(trial: Trial) -> None:
    """Require a store with async verbs.

    Raises:
        NotApplicable: It has none.
    """
    if not trial.bench.room(("async", trial.check.contract), lambda: nullcontext(_is_async(trial))):
        raise NotApplicable("the store has no async verbs: tasks can't meet in plain functions")


def _is_async(trial: Trial) -> bool:
    """Open a store once, and tell whether it is async."""
    folder = trial.bench.root / f"async-{trial.check.contract}"
    folder.mkdir(parents=True)
    driver, store = opened(trial.backend, trial.check.contract, folder)
    try:
        return is_async(type(bare(store)))
    finally:
        closed(driver, store)
        shutil.rmtree(folder, ignore_errors=True)
