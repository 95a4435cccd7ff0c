"""State stores whose compare-and-set compares something else, or sets anyway."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.mutants.capable_base import CapableState, ConflictError, capable_mutant, marked


@capable_mutant("the version before the write is returned", "STATE-CAS-01")
class CasReturnsOldVersion(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        super().compare_and_set(key, value, expected)
        return 0 if expected is None else expected


@capable_mutant("what is expected is not looked at", "STATE-CAS-02")
class CasIgnoresExpected(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        return self.write(key, self.encode(value))


@capable_mutant("the value is written before the versions are compared", "STATE-CAS-02")
class CasWritesThenRefuses(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        found = self.version(key)
        version = self.write(key, self.encode(value))
        if found != expected:
            raise ConflictError(key)
        return version


@capable_mutant("a refusal moves the version on", "STATE-CAS-02")
class CasRefusalMovesVersion(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        if key in self and self.version(key) != expected:
            self.kept.entries[key].version += 1
        return super().compare_and_set(key, value, expected)


@capable_mutant("a refusal is the answer None", "STATE-CAS-02")
class CasRefusalIsNone(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        try:
            return super().compare_and_set(key, value, expected)
        except ConflictError:
            return None


@capable_mutant("a refusal is another exception than the one that is named", "STATE-CAS-02")
class CasRefusalHasAnotherType(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        try:
            return super().compare_and_set(key, value, expected)
        except ConflictError as error:
            raise LookupError(key) from error


@capable_mutant("a false value counts as missing", "STATE-CAS-03")
class CasCreatesOverFalse(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        if expected is None and not self.get(key):
            return self.write(key, self.encode(value))
        return super().compare_and_set(key, value, expected)


@capable_mutant("the version of a missing key is 0", "STATE-CAS-04")
class VersionOfMissingIsZero(CapableState):
    def version(self, key: str) -> Any:
        return super().version(key) or 0

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        return super().compare_and_set(key, value, expected or 0)


@capable_mutant("the version of a deleted key is still told", "STATE-CAS-04")
class VersionOutlivesDelete(CapableState):
    def version(self, key: str) -> Any:
        versions = self.versions(key)
        return versions[0] if versions and key not in self else super().version(key)

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        if key not in self and expected is None:
            return self.write(key, self.encode(value))
        return super().compare_and_set(key, value, expected)


@capable_mutant("an update of a missing key creates it", "STATE-CAS-05")
class CasUpdateCreates(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        return super().compare_and_set(key, value, expected if key in self else None)


@capable_mutant("the version is a digest of the value", "STATE-CAS-06", "STATE-CAS-07")
class VersionIsADigest(CapableState):
    def next_version(self, key: str, text: str) -> Any:
        return hashlib.sha256(text.encode()).hexdigest()


@capable_mutant("a plain write does not change the version", "STATE-CAS-06")
class PlainWriteKeepsVersion(CapableState):
    def __setitem__(self, key: str, value: Any) -> None:
        version = self.version(key)
        super().__setitem__(key, value)
        self.kept.entries[key].version = version or self.kept.entries[key].version


@capable_mutant("the version wraps around after four writes of a key", "STATE-CAS-06", "STATE-CAS-12")
class VersionWrapsAround(CapableState):
    def next_version(self, key: str, text: str) -> Any:
        entry = self.present(key)
        return (entry.version + 1) % 4 if entry else 0


@capable_mutant("the versions of a key count from 1 again after a delete", "STATE-CAS-07", "STATE-CAS-12")
class TokenRepeatsAfterDelete(CapableState):
    def next_version(self, key: str, text: str) -> Any:
        entry = self.present(key)
        return entry.version + 1 if entry else 1


@capable_mutant("all versions are 1 after opening", "STATE-CAS-08")
class VersionsAreNotKept(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        for entry in self.kept.entries.values():
            entry.version = 1


@capable_mutant("the counter starts at the highest version of the present keys", "STATE-CAS-09")
class CounterForgetsDeletedKeys(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.kept.writes = max((entry.version for entry in self.kept.entries.values()), default=0)


@capable_mutant("the version moves on before the value is encoded", "STATE-CAS-10")
class RefusedValueMovesVersion(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        if key in self and self.version(key) == expected:
            self.kept.entries[key].version += 1
            expected += 1
        return super().compare_and_set(key, value, expected)


@capable_mutant("a key is created with null before its value is encoded", "STATE-CAS-10")
class RefusedValueCreates(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        if expected is None and key not in self:
            expected = self.write(key, "null")
        return super().compare_and_set(key, value, expected)


@capable_mutant("a refusal is the present version", "STATE-CAS-02")
class CasLosesUpdate(CapableState):
    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        if self.version(key) != expected:
            return self.version(key)
        return super().compare_and_set(key, value, expected)


@capable_mutant("after a refusal the next compare-and-set of the key is refused too", "STATE-CAS-11", "STATE-CAS-12")
class RefusalRefusesTheNext(CapableState):
    refused: str | None = None

    def compare_and_set(self, key: str, value: Any, expected: Any) -> Any:
        refused, self.refused = self.refused, key
        if refused == key and self.version(key) == expected:
            raise ConflictError(key)
        version = super().compare_and_set(key, value, expected)
        self.refused = None
        return version


MUTANTS = marked(globals())
