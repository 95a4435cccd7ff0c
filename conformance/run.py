"""The state of a run: what was asked for, what each backend was found to be, and what the checks came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.check import Check, catalogue
from conformance.options import Options
from conformance.profile import Profile
from conformance.result import Result


@dataclass
class Run:
    """The state of a conformance run.

    Args:
        options: The effective options.
        profiles: What each backend was found to be, by its name.
        results: What the checks came to, in the order in which they ended; filled in where reports are made.
    """

    options: Options
    profiles: dict[str, Profile]
    results: list[Result] = field(default_factory=list)

    def applies(self, check: Check, profile: Profile) -> bool:
        """Tell whether `check` is part of this run for a backend."""
        if check.suite == "open":
            return True
        return not profile.error and check.contract in profile.missing and check.suite in self.options.suites

    def expected(self, profile: Profile) -> list[Check]:
        """Return the checks that a full run of this selection of suites carries out for a backend."""
        return [check for check in catalogue().values() if self.applies(check, profile)]
