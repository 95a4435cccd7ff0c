"""The oracle of the `jobs` contract: what a correct store knows of one job, and what it must do with it when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class JobModel:
    """A job that is in a store.

    Args:
        job: Its record, as it was saved and as it is changed since.
        token: Of its claim; None while nobody has it.
        until: When the claim expires.
        attempts: How often it was claimed since it was last completed.
    """

    job: dict[str, Any]
    token: int | None = None
    until: int = 0
    attempts: int = 0

    def is_due(self, now: int) -> bool:
        """Tell whether it is due and nobody's."""
        if self.job["runAt"] > now or (self.token is not None and self.until > now):
            return False
        return self.job["status"] == "ready" or (self.job["status"] == "running" and self.token is not None)

    def is_poison(self) -> bool:
        """Tell whether it was claimed as often as it may be."""
        most = self.job.get("maxAttempts")
        return most is not None and self.attempts >= most

    def is_missed(self, now: int) -> bool:
        """Tell whether it is not run for its time, but waits for the next."""
        job = self.job
        if job.get("misfire") != "skip" or not job["intervalMs"] or now - job["runAt"] < job["intervalMs"]:
            return False
        return bool((now - job["runAt"]) % job["intervalMs"])

    def next_after(self, now: int) -> int:
        """Return the first time of its grid that is not before `now`."""
        interval = self.job["intervalMs"]
        return int(self.job["runAt"] + interval * -(-(now - self.job["runAt"]) // interval))

    def next_after_completion(self, now: int) -> int:
        """Return when it is due again, completed at `now`: at the next time of its grid, with `all` also a past one."""
        interval, late = self.job["intervalMs"], now - self.job["runAt"]
        passed = 1 if self.job.get("misfire") == "all" else max(1, late // interval + 1)
        return int(self.job["runAt"] + interval * passed)
