"""The state of a run: what was asked for, what each backend was found to be, and what the checks came to."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.check import DIFFERENTIAL, Check, catalogue
from conformance.options import Options
from conformance.profile import Profile
from conformance.result import Result
from conformance.shard import numbers_of

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
        benchmarks: What was measured, as plain data for the record; filled in as it is measured.
        machine: What is known of the machine that it was measured on; filled in where something is.
        date: When it began, in ISO 8601 with its zone.
    """

    options: Options
    profiles: dict[str, Profile]
    case: Case | Repeat | None = None
    results: list[Result] = field(default_factory=list)
    benchmarks: list[dict[str, Any]] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=dict)
    date: str = field(
        default_factory=lambda: datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    )

    def applies(self, check: Check, profile: Profile) -> bool:
        """Tell whether `check` is part of this run for a backend, but for what a case leaves out."""
        if check.suite == "open":
            return True
        if check.suite == DIFFERENTIAL and not self._is_compared(check, profile):
            return False
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

    def codes_of_shard(self, profile: Profile) -> set[str]:
        """Return the checks of this run's shard for a backend; of a run that has none, all."""
        expected, shard = self.expected(profile), self.options.shard
        if shard is None:
            return {check.code for check in expected}
        return {code for code, number in numbers_of(expected, shard.of).items() if number == shard.number}

    def against(self, profile: Profile) -> Profile | None:
        """Return the backend that one is compared with: the first, and the first with the second; None without."""
        others = [other for other in self.profiles.values() if other.backend.name != profile.backend.name]
        return others[0] if others else None

    def _is_compared(self, check: Check, profile: Profile) -> bool:
        other = self.against(profile)
        return other is not None and not other.error and check.contract in other.missing

    def _is_of_case(self, check: Check) -> bool:
        return self.case is not None and check.code == self.case.code
