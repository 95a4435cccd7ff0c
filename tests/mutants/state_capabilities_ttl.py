"""State stores whose keys expire too early, too late, for some verbs, or never."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from tests.mutants.capable_base import CapableState, ConflictError, Entry, capable_mutant, marked


@capable_mutant("expires_at tells how many seconds are left", "STATE-TTL-01")
class ExpiresAtIsSecondsLeft(CapableState):
    def expires_at(self, key: str) -> float | None:
        instant = super().expires_at(key)
        return None if instant is None else instant - self.clock()


@capable_mutant("expires_at tells milliseconds", "STATE-TTL-01")
class ExpiresAtIsMilliseconds(CapableState):
    def expires_at(self, key: str) -> float | None:
        instant = super().expires_at(key)
        return None if instant is None else instant * 1000


@capable_mutant("expires_at is None whatever the ttl", "STATE-TTL-01")
class ExpiresAtIsNone(CapableState):
    def expires_at(self, key: str) -> float | None:
        super().expires_at(key)
        return None


@capable_mutant("keys are compared with the true time, not with the clock that set their expiry", "STATE-TTL-01")
class TtlOnWallClock(CapableState):
    def expired(self, entry: Entry) -> bool:
        return entry.expires_at is not None and time.time() >= entry.expires_at


@capable_mutant("nothing ever expires", "STATE-TTL-02")
class TtlIsIgnored(CapableState):
    def expired(self, entry: Entry) -> bool:
        return False


@capable_mutant("at the instant itself the key is still there", "STATE-TTL-02")
class TtlEndsLate(CapableState):
    def expired(self, entry: Entry) -> bool:
        return entry.expires_at is not None and self.clock() > entry.expires_at


@capable_mutant("the key is missing from a second before its instant on", "STATE-TTL-02")
class TtlEndsEarly(CapableState):
    def expired(self, entry: Entry) -> bool:
        return entry.expires_at is not None and round(self.clock() + 0.5) >= entry.expires_at


@capable_mutant("expired keys are read", "STATE-TTL-02")
class TtlNotEnforcedOnRead(CapableState):
    def __getitem__(self, key: str) -> Any:
        return self.decode(self.kept.entries[key].text)


@capable_mutant("expired keys are counted until they are read", "STATE-TTL-03")
class LengthCountsExpired(CapableState):
    def __len__(self) -> int:
        return len(self.kept.entries)


@capable_mutant("expired keys are listed until they are read", "STATE-TTL-03")
class ListingShowsExpired(CapableState):
    def __iter__(self) -> Iterator[str]:
        return iter(list(self.kept.entries))


@capable_mutant("expired keys are `in` the store until they are read", "STATE-TTL-03")
class ContainsExpired(CapableState):
    def __contains__(self, key: Any) -> bool:
        return key in self.kept.entries


@capable_mutant("expired keys have a version until they are read", "STATE-TTL-03")
class ExpiredHasVersion(CapableState):
    def version(self, key: str) -> Any:
        return self.kept.entries[key].version if key in self.kept.entries else None


@capable_mutant("expired keys are in new snapshots", "STATE-TTL-03")
class SnapshotHoldsExpired(CapableState):
    def save_snapshot(self, name: str) -> None:
        self.kept.snapshots[name] = {key: entry.text for key, entry in self.kept.entries.items()}
        self.save()


@capable_mutant("expired keys are seen inside transactions", "STATE-TTL-03")
class TransactionSeesExpired(CapableState):
    def draft(self) -> Any:
        draft = super().draft()
        draft.texts = {**{key: entry.text for key, entry in self.kept.entries.items()}, **draft.texts}
        return draft

    def texts(self) -> dict[str, str]:
        entries = self.kept.entries
        return {key: entries[key].text for key in list(entries) if not self.expired(entries[key])}


@capable_mutant("a plain write keeps the expiry", "STATE-TTL-04", "STATE-TTL-15")
class PlainWriteKeepsExpiry(CapableState):
    def __setitem__(self, key: str, value: Any) -> None:
        entry = self.present(key)
        self.write(key, self.encode(value), entry.expires_at if entry else None)


@capable_mutant("`set` without a ttl keeps the expiry", "STATE-TTL-04")
class SetKeepsExpiry(CapableState):
    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        entry = self.present(key)
        kept = entry.expires_at if entry else None
        self.write(key, self.encode(value), kept if ttl is None else self.instant(ttl))


@capable_mutant("the first expiry of a key stays", "STATE-TTL-05", "STATE-TTL-15")
class FirstExpiryStays(CapableState):
    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        entry = self.present(key)
        super().set(key, value, ttl)
        if entry and entry.expires_at is not None and ttl is not None:
            self.kept.entries[key].expires_at = entry.expires_at


@capable_mutant("the latest expiry of a key stays", "STATE-TTL-05", "STATE-TTL-15")
class LatestExpiryStays(CapableState):
    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        entry = self.present(key)
        super().set(key, value, ttl)
        new = self.kept.entries[key]
        if entry and entry.expires_at is not None and new.expires_at is not None:
            new.expires_at = max(entry.expires_at, new.expires_at)


@capable_mutant("the sweep removes a key that was written again", "STATE-TTL-06")
class SweepRemovesRewritten(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.due: list[tuple[float, str]] = []

    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        super().set(key, value, ttl)
        if ttl is not None:
            self.due.append((self.instant(ttl), key))

    def texts(self) -> dict[str, str]:
        for instant, key in self.due:
            entry = self.kept.entries.get(key)
            # Looks right as long as the key is not written again after its instant.
            if entry and entry.expires_at != instant and self.clock() > instant + 50:
                self.remove(key)
        return super().texts()


@capable_mutant("an expired key can't be created", "STATE-TTL-06")
class ExpiredCannotBeCreated(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        if expected is None and key in self.kept.entries:
            raise ConflictError(key)
        return super().compare_and_set(key, value, expected)


class _TakesAnyTtl(CapableState):
    def instant(self, ttl: Any) -> float:
        return self.clock() + ttl


@capable_mutant("a ttl of 0 is for ever", "STATE-TTL-07")
class ZeroTtlIsForEver(_TakesAnyTtl):
    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        super().set(key, value, ttl or None)


@capable_mutant("a ttl that is not a number is for ever", "STATE-TTL-07")
class NanTtlIsForEver(_TakesAnyTtl):
    pass  # no time is more than NaN


@capable_mutant("a negative ttl is for ever", "STATE-TTL-07")
class NegativeTtlIsForEver(CapableState):
    def instant(self, ttl: Any) -> float:
        return math.inf if isinstance(ttl, (int, float)) and ttl < 0 else super().instant(ttl)


@capable_mutant("a refused ttl has stored the value already", "STATE-TTL-07")
class RefusedTtlStoresValue(CapableState):
    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        self.write(key, self.encode(value))
        super().set(key, value, ttl)


@capable_mutant("the instant wraps around at 32 bits", "STATE-TTL-08")
class TtlOverflows(CapableState):
    def instant(self, ttl: Any) -> float:
        return (int(super().instant(ttl)) + 2**31) % 2**32 - 2**31


@capable_mutant("milliseconds wrap around at 42 bits", "STATE-TTL-08")
class TtlOverflowsLater(CapableState):
    def instant(self, ttl: Any) -> float:
        return int(super().instant(ttl) * 1000) % 2**42 / 1000


@capable_mutant("there is a default ttl of a year", "STATE-TTL-09")
class DefaultTtl(CapableState):
    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        super().set(key, value, 365 * 86_400 if ttl is None else ttl)


@capable_mutant("expires_at of a missing key is None", "STATE-TTL-09")
class MissingHasNoExpiry(CapableState):
    def expires_at(self, key: str) -> float | None:
        if key not in self.kept.history:
            return None
        return super().expires_at(key)


@capable_mutant("a ttl is cut to whole seconds, and 0 is for ever", "STATE-TTL-10")
class FractionIsCut(CapableState):
    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        super().set(key, value, (int(ttl) or None) if isinstance(ttl, float) and ttl > 0 else ttl)


@capable_mutant("the expiry is set before the value is encoded", "STATE-TTL-11")
class ExpiryIsSetFirst(CapableState):
    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        entry = self.present(key)
        if entry and ttl is not None:
            entry.expires_at = self.instant(ttl)
        super().set(key, value, ttl)


@capable_mutant("expiry is not saved", "STATE-TTL-12", "STATE-TTL-15")
class ExpiryIsNotSaved(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        for entry in self.kept.entries.values():
            entry.expires_at = None


@capable_mutant("what is left of a ttl counts from the opening", "STATE-TTL-12")
class ExpiryStartsAnew(CapableState):
    left: dict[str, float] = {}  # noqa: RUF012 - as in a file of its own, by path and key

    def set(self, key: str, value: Any, ttl: Any = None) -> None:
        super().set(key, value, ttl)
        if ttl is not None:
            self.left[f"{self.path} {key}"] = ttl

    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        for key, entry in self.kept.entries.items():
            if entry.expires_at is not None and not self.expired(entry):
                entry.expires_at = clock() + self.left[f"{path} {key}"]


@capable_mutant("what has expired when the store is opened has no expiry", "STATE-TTL-13")
class ExpiredWhileClosedStays(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        for entry in self.kept.entries.values():
            if self.expired(entry):
                entry.expires_at = None


@capable_mutant("what was seen expired is there again when the clock steps back", "STATE-TTL-14")
class ClockBackRevives(CapableState):
    def present(self, key: Any) -> Entry | None:
        entry = self.kept.entries.get(key)
        return None if entry is None or self.expired(entry) else entry


@capable_mutant("a clock that steps back ends everything", "STATE-TTL-14")
class ClockBackEnds(CapableState):
    latest = 0.0

    def expired(self, entry: Entry) -> bool:
        back = self.clock() < self.latest
        self.latest = max(self.latest, self.clock())
        return entry.expires_at is not None and (back or self.clock() >= entry.expires_at)


MUTANTS = marked(globals())
