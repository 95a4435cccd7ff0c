"""The state of a run: what was asked for, what each backend was found to be, and what the checks came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.check import Check, catalogue
from conformance.options import Options
from conformance.profile import Profile
from conformance.result import Result

if TYPE_CHECKING:
    from conformance.crash.case import Case
    from conformance.histories.replay import Repeat


@dataclass
class Run:
    """The state of a conformance run.

    Args:
        options: The effective options.
        profiles: What each backend was found to be, by its name.
        case: The one saved state that is met again, or the one round; None to search.
        results: What the checks came to, in the order in which they ended; filled in where reports are made.
    """

    options: Options
    profiles: dict[str, Profile]
    case: Case | Repeat | None = None
    results: list[Result] = field(default_factory=list)

    def applies(self, check: Check, profile: Profile) -> bool:
        """Tell whether `check` is part of this run for a backend, but for what a case leaves out."""
        if check.suite == "open":
            return True
        wanted = check.suite in self.options.suites or self._is_of_case(check)
        return wanted and not profile.error and check.contract in profile.missing

    def carries_out(self, check: Check, profile: Profile) -> bool:
        """Tell whether `check` is carried out for a backend; with a case only its own is, where the backend opens."""
        if self.case is not None and not profile.error and not self._is_of_case(check):
            return False
        return self.applies(check, profile)

    def expected(self, profile: Profile) -> list[Check]:
        """Return the checks that a full run of this selection of suites carries out for a backend."""
        return [check for check in catalogue().values() if self.applies(check, profile)]

    def _is_of_case(self, check: Check) -> bool:
        return self.case is not None and check.code == self.case.code
