"""Job stores that hand jobs out wrongly: what is due, leases, tokens, and fencing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_backends._json import loads
from tests.mutants.jobs_base import ConflictError, Entry, PlainJobs, jobs_mutant


class UntilIsALength(PlainJobs):
    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        return {**super().claim(entry, now, owner, lease), "until": lease}


class ClaimWithoutTrace(PlainJobs):
    """The claim is kept beside the job, whose status stays `ready`."""

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        ready = self.entry(entry["job"]["id"])
        assert ready is not None
        self.write(entry["job"]["id"], {**ready, "job": {**ready["job"], "status": "ready"}})
        return claim


class ClaimDropsUnknown(PlainJobs):
    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        known = {name: claim["job"][name] for name in ("id", "handler", "payload", "runAt", "status", "runCount")}
        return {**claim, "job": known}


class ClaimResets(PlainJobs):
    """A claim forgets the error and the result of before."""

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        job = {name: value for name, value in entry["job"].items() if name not in ("error", "result")}
        return super().claim({**entry, "job": {**job, "error": None, "result": None}}, now, owner, lease)


class NowIsNotDue(PlainJobs):
    def is_due(self, entry: Entry, now: int) -> bool:
        return super().is_due(entry, now) and entry["job"]["runAt"] != now


class DueAhead(PlainJobs):
    def is_due(self, entry: Entry, now: int) -> bool:
        job = entry["job"]
        return super().is_due({**entry, "job": {**job, "runAt": (job.get("runAt") or 0) - 1}}, now)

    def not_skipped(self, job: Any, now: int) -> int:
        return min(super().not_skipped(job, now), now)


class AnyStatusIsDue(PlainJobs):
    def is_due(self, entry: Entry, now: int) -> bool:
        if entry["job"].get("status") in ("created", "stopped", "failed"):
            entry = {**entry, "job": {**entry["job"], "status": "ready"}}
        return super().is_due(entry, now)


class RunningIsTaken(PlainJobs):
    """Takes what was saved as running for a claim that has expired."""

    def is_due(self, entry: Entry, now: int) -> bool:
        if entry["job"].get("status") == "running" and entry["until"] is None:
            entry = {**entry, "until": 0}
        return super().is_due(entry, now)


class OrderOfInsertion(PlainJobs):
    def ordered(self, due: list[Entry]) -> list[Entry]:
        places = {bytes(row[0]): place for place, row in enumerate(self.rows("SELECT id FROM jobs ORDER BY rowid"))}
        return sorted(due, key=lambda entry: places[entry["job"]["id"].encode()])


class OrderOfTexts(PlainJobs):
    def ordered(self, due: list[Entry]) -> list[Entry]:
        return sorted(due, key=lambda entry: str(entry["job"]["runAt"]))


class NoLimit(PlainJobs):
    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        return super().claim_due(now, owner, lease, 1_000)


class ZeroIsNoLimit(PlainJobs):
    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        return super().claim_due(now, owner, lease, limit or 1_000)


class ClaimsAllGivesSome(PlainJobs):
    """Claims whatever is due, and hands out as many as wanted."""

    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        return super().claim_due(now, owner, lease, 1_000)[:limit]


class OldTimes(PlainJobs):
    """Goes by the time at which a job was due when it was new."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.times: dict[str, Any] = {}

    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        self.times.setdefault(job["id"], job.get("runAt"))

    def is_due(self, entry: Entry, now: int) -> bool:
        job = entry["job"]
        return super().is_due({**entry, "job": {**job, "runAt": self.times.get(job["id"], job["runAt"])}}, now)


class NoClaims(PlainJobs):
    """Two schedulers that find a job due both run it."""

    def is_due(self, entry: Entry, now: int) -> bool:
        if entry["job"].get("status") == "running" and entry["until"] is not None:
            entry = {**entry, "until": now}
        return super().is_due(entry, now)


class ShortLease(PlainJobs):
    """Hands a job out again after a time of its own, whatever lease was promised."""

    def is_due(self, entry: Entry, now: int) -> bool:
        if entry["until"] is not None:
            entry = {**entry, "until": entry["until"] - 500}
        return super().is_due(entry, now)


class SameOwnerAgain(PlainJobs):
    def claim_due(self, now: int, owner: str, lease: int, limit: int) -> Any:
        self.asking = owner
        return super().claim_due(now, owner, lease, limit)

    def is_due(self, entry: Entry, now: int) -> bool:
        if entry["until"] is not None and entry["owner"] == self.asking:
            entry = {**entry, "until": now}
        return super().is_due(entry, now)


class LeaseForEver(PlainJobs):
    def is_due(self, entry: Entry, now: int) -> bool:
        return super().is_due(entry, now) and entry["job"]["status"] != "running"


class ExpiresLate(PlainJobs):
    def is_due(self, entry: Entry, now: int) -> bool:
        return super().is_due(entry, now) and entry["until"] != now


class TakenOverTwice(PlainJobs):
    """A job that was taken over keeps the end of its first lease."""

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        if entry["until"] is not None:
            again = self.entry(entry["job"]["id"])
            assert again is not None
            self.write(entry["job"]["id"], {**again, "until": entry["until"]})
        return claim


class Pops(PlainJobs):
    """A claim takes the job out of the store; whoever ends it puts it back."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS popped (id BLOB PRIMARY KEY, entry TEXT)")

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        key = claim["job"]["id"].encode()
        self.rows("INSERT OR REPLACE INTO popped SELECT id, entry FROM jobs WHERE id = ?", key)
        self.rows("DELETE FROM jobs WHERE id = ?", key)
        return claim

    def held(self, job_id: str, token: int, now: int) -> Entry:
        rows = self.rows("SELECT entry FROM popped WHERE id = ?", job_id.encode())
        entry: Entry | None = loads(rows[0][0]) if rows else None
        if entry is None or entry["token"] != token:
            raise ConflictError(job_id)
        self.rows("DELETE FROM popped WHERE id = ?", job_id.encode())
        return entry


class ClaimedIsNotListed(PlainJobs):
    def list_jobs(self) -> Any:
        return [entry["job"] for entry in self.entries() if entry["job"] is not None and entry["until"] is None]


class DropsTheExpired(PlainJobs):
    """Gives up a job whose owner did not come back."""

    def is_due(self, entry: Entry, now: int) -> bool:
        if entry["until"] is not None and entry["until"] <= now and entry["owner"] == "one":
            self.write(entry["job"]["id"], {**entry, "job": {**entry["job"], "status": "stopped"}, "until": None})
            return False
        return super().is_due(entry, now)


class RenewalDoesNotCount(PlainJobs):
    def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        with self.writing():
            if self.held(job_id, token, now)["until"] <= now:
                raise ConflictError(job_id)


class RenewalAdds(PlainJobs):
    """Lets the lease end later by the time of the renewal, not that long after now."""

    def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        with self.writing():
            entry = self.held(job_id, token, now)
            if entry["until"] <= now:
                raise ConflictError(job_id)
            self.write(job_id, {**entry, "until": entry["until"] + lease})


class SaveEndsTheClaim(PlainJobs):
    def save_job(self, job: Any) -> Any:
        super().save_job(job)
        entry = self.entry(job["id"])
        assert entry is not None
        if entry["until"] is not None:
            self.write(job["id"], {**entry, "until": 0})


class SavedStatusCounts(PlainJobs):
    """A claimed job that is saved as it was before the claim is ready again."""

    def is_due(self, entry: Entry, now: int) -> bool:
        if entry["job"].get("status") == "ready":
            entry = {**entry, "until": None}
        return super().is_due(entry, now)


class InMemory(PlainJobs):
    """Keeps a part of the claims in memory."""

    parts: tuple[str, ...] = ()
    least = 0

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.memory: dict[str, dict[str, Any]] = {}

    def write(self, job_id: str, entry: Entry) -> None:
        super().write(job_id, {**entry, **{name: None for name in self.parts if entry[name] is not None}})
        self.memory[job_id] = {name: entry[name] for name in self.parts}

    def remembered(self, entry: Entry) -> Entry:
        job = entry["job"]
        return {**entry, **self.memory.get(job["id"] if job else "", dict.fromkeys(self.parts, self.least))}

    def entry(self, job_id: str) -> Entry | None:
        entry = super().entry(job_id)
        return entry and self.remembered(entry)

    def entries(self) -> list[Entry]:
        return [self.remembered(entry) for entry in super().entries()]


class LeasesInMemory(InMemory):
    parts = ("until",)


class TokensInMemory(InMemory):
    parts = ("token",)


class AttemptsInMemory(InMemory):
    parts = ("attempts",)


class TokensSinceTheStart(PlainJobs):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.given = 0

    def token_after(self, entry: Entry) -> int:
        self.given += 1
        return self.given


class TokensAreAttempts(PlainJobs):
    """Counts from one again after a completion."""

    def token_after(self, entry: Entry) -> int:
        return int(entry["attempts"]) + 1


class NoFencing(PlainJobs):
    """Whoever says that a job is done is believed."""

    def held(self, job_id: str, token: int, now: int) -> Entry:
        entry = self.entry(job_id)
        if entry is None or entry["job"] is None or entry["until"] is None:
            raise ConflictError(job_id)
        return entry


class NoFencingOfFailures(PlainJobs):
    def fail(self, job_id: str, token: int, now: int, error: Any = None) -> None:
        entry = self.entry(job_id)
        super().fail(job_id, entry["token"] if entry else token, now, error)


class SupersededRenews(PlainJobs):
    def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        entry = self.entry(job_id)
        super().renew(job_id, entry["token"] if entry else token, now, lease)


class EndsTwice(PlainJobs):
    """The token of a claim that has ended is as good as ever."""

    def held(self, job_id: str, token: int, now: int) -> Entry:
        entry = self.entry(job_id)
        if entry is None or entry["job"] is None or entry["token"] != token or not token:
            raise ConflictError(job_id)
        return {**entry, "until": entry["until"] or now + 1}


class HigherTokensPass(PlainJobs):
    def held(self, job_id: str, token: int, now: int) -> Entry:
        entry = self.entry(job_id)
        return super().held(job_id, entry["token"] if entry and token > entry["token"] else token, now)


class ExpiredIsRenewed(PlainJobs):
    def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        with self.writing():
            self.write(job_id, {**self.held(job_id, token, now), "until": now + lease})


class RenewedAtTheEnd(PlainJobs):
    """A lease is renewed at the very instant at which it has expired."""

    def renew(self, job_id: str, token: int, now: int, lease: int) -> None:
        with self.writing():
            entry = self.held(job_id, token, now)
            if entry["until"] < now:
                raise ConflictError(job_id)
            self.write(job_id, {**entry, "until": now + lease})


class LateEndIsRefused(PlainJobs):
    def held(self, job_id: str, token: int, now: int) -> Entry:
        entry = super().held(job_id, token, now)
        if entry["until"] <= now:
            raise ConflictError(job_id)
        return entry


class WrongException(PlainJobs):
    def held(self, job_id: str, token: int, now: int) -> Entry:
        try:
            return super().held(job_id, token, now)
        except ConflictError as error:
            raise OSError("the job could not be written") from error


class RefusalEndsTheClaim(PlainJobs):
    """Who is refused takes the job away from its owner."""

    def complete(self, job_id: str, token: int, now: int, result: Any = None) -> None:
        try:
            super().complete(job_id, token, now, result)
        except ConflictError:
            entry = self.entry(job_id)
            if entry is not None and entry["job"] is not None:
                self.write(job_id, {**entry, "job": {**entry["job"], "status": "ready"}, "until": None})
            raise


class OwnMemory(PlainJobs):
    """A handle remembers the tokens that it gave, and compares with those."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.mine: dict[str, int] = {}

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        claim = super().claim(entry, now, owner, lease)
        self.mine[claim["job"]["id"]] = claim["token"]
        return claim

    def held(self, job_id: str, token: int, now: int) -> Entry:
        entry = self.entry(job_id)
        if entry is not None and self.mine.get(job_id) == token and entry["until"] is not None:
            return entry
        return super().held(job_id, token, now)


class ClaimsOfThisHandle(PlainJobs):
    """Knows only of the leases that it gave itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.mine: dict[str, int] = {}

    def claim(self, entry: Entry, now: int, owner: str, lease: int) -> Any:
        self.mine[entry["job"]["id"]] = now + lease
        return super().claim(entry, now, owner, lease)

    def is_due(self, entry: Entry, now: int) -> bool:
        if entry["until"] is not None:
            entry = {**entry, "until": self.mine.get(entry["job"]["id"], now)}
        return super().is_due(entry, now)


def _mutant(name: str, bug: str, killed_by: str, jobs: Callable[[Path], Any]) -> Any:
    return jobs_mutant(f"jobs_{name}", bug, killed_by, jobs)


MUTANTS = [
    _mutant("until_is_a_length", "a claim tells how long it lasts, not when it ends", "CLAIM-01", UntilIsALength),
    _mutant("claim_without_trace", "a claimed job looks ready", "CLAIM-01", ClaimWithoutTrace),
    _mutant(
        "claim_drops_unknown",
        "a job is handed out without the fields that are unknown",
        "CLAIM-01",
        ClaimDropsUnknown,
    ),
    _mutant("claim_resets", "a claim forgets the result and the error of before", "CLAIM-02", ClaimResets),
    _mutant("now_is_not_due", "a job whose runAt is exactly now is not due", "DUE-01", NowIsNotDue),
    _mutant("due_ahead", "a job is due a millisecond early", "DUE-01", DueAhead),
    _mutant("any_status_is_due", "stopped and failed jobs are due", "DUE-02", AnyStatusIsDue),
    _mutant("running_is_taken", "what was saved as running is handed out", "DUE-02", RunningIsTaken),
    _mutant("order_of_insertion", "due jobs come in the order of their saving", "DUE-03", OrderOfInsertion),
    _mutant("order_of_texts", "due jobs are sorted as texts", "DUE-03", OrderOfTexts),
    _mutant("no_limit", "the limit is ignored", "DUE-04 MODEL-01", NoLimit),
    _mutant("zero_is_no_limit", "a limit of 0 gives all", "DUE-04", ZeroIsNoLimit),
    _mutant(
        "claims_all_gives_some",
        "what the limit keeps back is claimed all the same",
        "DUE-03 DUE-04",
        ClaimsAllGivesSome,
    ),
    _mutant("old_times", "a job that was put off is due at its first time", "DUE-05", OldTimes),
    _mutant("two_schedulers_double_run", "there is no claim on a due job", "LEASE-01 LEASE-02", NoClaims),
    _mutant("early_redelivery", "a job is handed out again before its lease ends", "LEASE-01", ShortLease),
    _mutant("same_owner_again", "an owner is given the job that it has", "LEASE-01", SameOwnerAgain),
    _mutant("lease_for_ever", "a job stays with an owner that died", "LEASE-02", LeaseForEver),
    _mutant("expires_late", "a lease lasts at the instant at which it ends", "LEASE-02", ExpiresLate),
    _mutant("taken_over_twice", "a job that was taken over is free at once", "LEASE-02", TakenOverTwice),
    _mutant("pop_then_crash", "a claim takes the job out of the store", "CLAIM-01", Pops),
    _mutant("claimed_is_not_listed", "a claimed job is not listed", "LEASE-03", ClaimedIsNotListed),
    _mutant("drops_the_expired", "a job whose owner died is given up", "LEASE-02 LEASE-03", DropsTheExpired),
    _mutant("renewal_does_not_count", "a renewal is accepted and forgotten", "LEASE-04", RenewalDoesNotCount),
    _mutant("renewal_adds", "a renewal adds to the lease", "LEASE-04", RenewalAdds),
    _mutant("save_ends_the_claim", "a claimed job that is saved is free", "LEASE-05", SaveEndsTheClaim),
    _mutant("saved_status_counts", "a claimed job that is saved as ready is handed out", "LEASE-05", SavedStatusCounts),
    _mutant("leases_in_memory", "leases are forgotten at the next start", "LEASE-06", LeasesInMemory),
    _mutant("claims_of_this_handle", "a handle knows of its own claims only", "LEASE-07", ClaimsOfThisHandle),
    _mutant("tokens_are_attempts", "tokens begin anew after a completion", "TOKEN-01", TokensAreAttempts),
    _mutant("tokens_since_start", "tokens begin anew with the process", "TOKEN-02", TokensSinceTheStart),
    _mutant("tokens_in_memory", "the last token is forgotten at the next start", "TOKEN-02 FENCE-06", TokensInMemory),
    _mutant(
        "no_fencing",
        "a superseded owner completes the job of the new one",
        "FENCE-01 FENCE-05",
        NoFencing,
    ),
    _mutant(
        "no_fencing_of_failures", "a superseded owner fails the job of the new one", "FENCE-01", NoFencingOfFailures
    ),
    _mutant("superseded_renews", "a superseded owner renews the lease of the new one", "FENCE-01", SupersededRenews),
    _mutant("ends_twice", "a claim that was completed is completed again", "FENCE-02 FENCE-06", EndsTwice),
    _mutant("higher_tokens_pass", "a token that was never given is good if it is high", "FENCE-05", HigherTokensPass),
    _mutant("expired_is_renewed", "an expired lease is renewed", "FENCE-03", ExpiredIsRenewed),
    _mutant("renewed_at_the_end", "a lease is renewed at the instant at which it ends", "FENCE-03", RenewedAtTheEnd),
    _mutant(
        "late_end_is_refused",
        "a completion after the lease is refused, nobody having taken over",
        "FENCE-04",
        LateEndIsRefused,
    ),
    _mutant(
        "conflict_of_other_type", "a conflict is told as an error of the disk", "FENCE-01 FENCE-02", WrongException
    ),
    _mutant("refusal_ends_the_claim", "whoever is refused frees the job", "FENCE-01 FENCE-05", RefusalEndsTheClaim),
    _mutant("own_tokens_count", "a handle believes the tokens that it gave, whoever took over", "FENCE-07", OwnMemory),
    _mutant("attempts_in_memory", "attempts are counted since the start", "FAIL-06", AttemptsInMemory),
]
