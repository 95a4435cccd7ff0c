"""Job stores with a bug so narrow that one rule of claims notices, or its neighbours: leases, tokens, what is due."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.mutants.jobs_base import ConflictError, Entry, PlainJobs, jobs_mutant


class VisibilityTimeout(PlainJobs):
    """Hands a job out again after a time that the queue was configured with, if the lease is longer than that."""

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        return {**super().claim(entry, now, owner, min(lease, 900)), "until": now + lease}


class SecondTakeoverIsFree(PlainJobs):
    """Writes a new end of the lease where a job is taken over from its first owner, not from the second."""

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        again = self.entry(entry["job"]["id"])
        if again is not None and entry["until"] is not None and entry["attempts"] >= 2:
            self.write(entry["job"]["id"], {**again, "until": entry["until"]})
        return claim


class CompletionDropsTheToken(PlainJobs):
    """Deletes the row of a claim that was completed, in which the last token is."""

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        super().complete(job_id, token, now, result)
        entry = self.entry(job_id)
        assert entry is not None
        self.write(job_id, {**entry, "token": 0})


class StartDropsTokens(PlainJobs):
    """Clears away at its start the claims that are over, and with them the last tokens."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self.writing():
            for entry in self.entries():
                if entry["job"] is not None and entry["until"] is None and entry["token"]:
                    self.write(entry["job"]["id"], {**entry, "token": 0})


class HandedOutAsText(PlainJobs):
    """Hands jobs out through an interface whose texts end at the first NUL."""

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        return {**claim, "job": self.cut(claim["job"])}

    def cut(self, value: Any) -> Any:
        """Return a value with its texts cut off."""
        if isinstance(value, dict):
            return {name: self.cut(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.cut(item) for item in value]
        return value.partition("\x00")[0] if isinstance(value, str) else value


class ZeroIsNoTime(PlainJobs):
    """Looks for what is due at `now or time.time()`."""

    def is_due(self, entry: Entry, now: int) -> bool:
        asked = now or (int(time.time() * 1_000) if entry["until"] is None else 0)
        return super().is_due(entry, asked)

    def not_skipped(self, job: Any, now: int) -> int:
        return super().not_skipped(job, now) if now else 0


class SortsAfterTheLimit(PlainJobs):
    """Takes as many jobs as wanted from the table, and then the earliest of these first."""

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        self.limit = limit
        return super().claim_due(now, owner, lease, limit)

    def ordered(self, due: list[Entry]) -> list[Entry]:
        return super().ordered(due[: self.limit])


class FailedIsNotOver(PlainJobs):
    """A claim that has failed is as good as before, until somebody else has the job."""

    def held(self, job_id: str, token: int, now: int) -> Entry:
        entry = self.entry(job_id)
        if entry is not None and entry["job"] is not None and entry["until"] is None and entry["token"] == token:
            history = entry["job"].get("history")
            if history and history[-1]["status"] == "failed":
                return {**entry, "until": now + 1}
        return super().held(job_id, token, now)


class LateFailureIsRefused(PlainJobs):
    """Takes a late completion, the lease being over, but no late failure."""

    def fail(self, job_id: str, token: int, now: int, error: Any = None) -> None:
        if self.held(job_id, token, now)["until"] <= now:
            raise ConflictError(job_id)
        super().fail(job_id, token, now, error)


class UnknownTokensPass(PlainJobs):
    """Keeps the current tokens in memory, and lets any pass for a job of which it has none."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.given: set[str] = set()

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        self.given.add(entry["job"]["id"])
        return super().claim(entry, now, owner, lease)

    def held(self, job_id: str, token: int, now: int) -> Entry:
        entry = self.entry(job_id)
        if job_id not in self.given and entry is not None and entry["until"] is not None:
            return entry
        return super().held(job_id, token, now)


class LeaseOf32Bits(PlainJobs):
    """Keeps the end of a lease in a column of 32 bits."""

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        again = self.entry(entry["job"]["id"])
        assert again is not None
        self.write(entry["job"]["id"], {**again, "until": again["until"] % 2**32})
        return claim


class ClockBehindFrees(PlainJobs):
    """Takes a lease whose beginning is more than a second ahead for a mistake of some clock, and passes over it."""

    def is_due(self, entry: Entry, now: int) -> bool:
        until = entry["until"]
        if until is not None and now + 1_000 <= until - 100:
            return super().is_due({**entry, "until": now}, now)
        return super().is_due(entry, now)


MUTANTS = [
    jobs_mutant(
        "jobs_visibility_timeout",
        "a job is handed out again after the queue's own time, a lease being longer",
        "LEASE-01",
        VisibilityTimeout,
    ),
    jobs_mutant(
        "jobs_second_takeover_is_free",
        "a job that is taken over from one who took it over is free at once",
        "LEASE-02",
        SecondTakeoverIsFree,
    ),
    jobs_mutant(
        "jobs_completion_drops_the_token",
        "the last token is deleted with the claim that was completed",
        "TOKEN-01",
        CompletionDropsTheToken,
    ),
    jobs_mutant(
        "jobs_start_drops_tokens",
        "a start clears away the claims that are over, and the last tokens with them",
        "TOKEN-02",
        StartDropsTokens,
    ),
    jobs_mutant(
        "jobs_handed_out_up_to_nul", "a job is handed out with its texts cut off at a NUL", "CLAIM-02", HandedOutAsText
    ),
    jobs_mutant(
        "jobs_zero_is_no_time", "what is due at 0 is looked for at the time that it is", "DUE-01", ZeroIsNoTime
    ),
    jobs_mutant(
        "jobs_sorted_after_the_limit",
        "the limit cuts off due jobs before they are put in their order",
        "DUE-03",
        SortsAfterTheLimit,
    ),
    jobs_mutant(
        "jobs_failed_is_not_over", "a claim that has failed is ended a second time", "FENCE-02", FailedIsNotOver
    ),
    jobs_mutant(
        "jobs_late_failure_is_refused",
        "a failure after the lease is refused, nobody having taken over",
        "FENCE-04",
        LateFailureIsRefused,
    ),
    jobs_mutant(
        "jobs_unknown_tokens_pass",
        "after a start any token is good for a job that was claimed before",
        "FENCE-06",
        UnknownTokensPass,
    ),
    jobs_mutant(
        "jobs_lease_of_32_bits", "the end of a lease is kept in 32 bits, which are soon full", "CLOCK-02", LeaseOf32Bits
    ),
    jobs_mutant(
        "jobs_clock_behind_frees",
        "a claim from the future of a clock that is behind is none",
        "CLOCK-02",
        ClockBehindFrees,
    ),
]
