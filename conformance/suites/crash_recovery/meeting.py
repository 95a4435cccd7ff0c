"""Meeting a saved case again: the store is opened on the files of one crash state, and nothing is searched for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from conformance.address import nearest
from conformance.check import catalogue
from conformance.crash.case import Case, CaseError, meet, read_case
from conformance.crash.history import MEANING, History
from conformance.crash.show import difference
from conformance.crash.subjects import SUBJECTS
from conformance.result import Inconclusive, Violation
from conformance.suites.crash_recovery.laboratory import laboratory
from conformance.workers import WorkerError

if TYPE_CHECKING:
    from conformance.trial import Trial

_SUITE = "crash-recovery"


def case_at(path: Path) -> Case:
    """Return the case in a file, of a check of this suite.

    Raises:
        CaseError: The file is no case, or a case of no check that there is.
    """
    case = read_case(path)
    codes = [check.code for check in catalogue().values() if check.suite == _SUITE]
    if case.code not in codes:
        raise CaseError(f"{path}: no check of the suite {_SUITE} is called {case.code!r}.{nearest(case.code, codes)}")
    contract = catalogue()[case.code].contract
    if case.contract != contract:
        raise CaseError(f"{path}: {case.code} is of the contract {contract!r}, the case of {case.contract!r}.")
    return case


def meet_again(trial: Trial) -> None:
    """Require that the store opens on the files of the bench's case as the check's rule asks for.

    Raises:
        Inconclusive: No process could open the backend.
        Violation: Something is wrong still, or something else is wrong now.
    """
    case: Case = trial.bench.case
    try:
        verdict, observation = meet(laboratory(trial).crew, case)
    except WorkerError as error:
        raise Inconclusive(str(error)) from error
    trial.conditions["case"] = "one saved crash state, and no search"
    trial.count("crash states")
    trial.count("comparisons")
    # An earlier state is what a check of `prefix` asks for: that newer writes are gone breaks another rule.
    if verdict == "fine" or (verdict == "lost" and trial.check.promise == "durability:prefix"):
        return
    # Expected and got are those of now; the story is how the files came to be, and that has not changed.
    history = History(case.contract, case.steps, case.attempts, SUBJECTS[case.contract].empty)
    expected, got = difference(history, case.moment, observation)
    raise Violation(
        f"the saved crash state ({case.model}): {MEANING[verdict]}",
        expected=expected,
        got=got,
        story=case.story,
        frame=observation.frame,
        case=case.to_dict(),
    )
