"""State stores that say wrong things about themselves, and whose maintenance changes what is stored."""

from __future__ import annotations

import pickle
from typing import Any

from tests.mutants.capable_base import CapableState, capable_mutant, marked


@capable_mutant("ping() says yes after close", "STATE-HEALTH-01")
class PingLies(CapableState):
    def ping(self) -> Any:
        return True


@capable_mutant("ping() answers nothing", "STATE-HEALTH-01")
class PingIsSilent(CapableState):
    def ping(self) -> Any:
        self.refuse_closed()


@capable_mutant("stats() counts the writes, not the keys", "STATE-HEALTH-02")
class StatsCountWrites(CapableState):
    def stats(self) -> dict[str, Any]:
        return {"keys": self.kept.writes}


@capable_mutant("stats() holds what is not JSON", "STATE-HEALTH-02")
class StatsAreNotJson(CapableState):
    def stats(self) -> dict[str, Any]:
        return {"keys": len(self), "path": self.path}


@capable_mutant("stats() counts from the opening on", "STATE-HEALTH-03")
class StatsStartAnew(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.before = len(self.kept.entries)

    def stats(self) -> dict[str, Any]:
        return {"keys": len(self) - self.before}


@capable_mutant("ping() leaves a key behind", "STATE-HEALTH-04")
class PingWrites(CapableState):
    def ping(self) -> Any:
        if not self.closed:
            self["__ping__"] = True
        return not self.closed


@capable_mutant("stats() moves all versions on", "STATE-HEALTH-04")
class StatsMoveVersions(CapableState):
    def stats(self) -> dict[str, Any]:
        for entry in self.kept.entries.values():
            entry.version += 1
        return super().stats()


@capable_mutant("a flush drops what was written last", "STATE-MAINT-01")
class FlushDropsTheLast(CapableState):
    def flush(self) -> None:
        if len(self.kept.entries) > 1:
            self.kept.entries.popitem()
        super().flush()


@capable_mutant("a flush gives every key a new version", "STATE-MAINT-01")
class FlushMovesVersions(CapableState):
    def flush(self) -> None:
        for key, text in self.texts().items():
            self.put(key, text, self.kept.entries[key].expires_at)


@capable_mutant("a flush writes only batches of ten", "STATE-MAINT-02")
class FlushWritesFullBatches(CapableState):
    waiting = 0

    def save(self) -> None:
        self.waiting += 1
        if self.waiting % 10 == 0:
            super().save()

    def flush(self) -> None:
        pass


@capable_mutant("a compaction keeps the newest two keys", "STATE-MAINT-03")
class CompactDropsOldKeys(CapableState):
    def compact(self) -> None:
        for key in list(self.kept.entries)[:-2]:
            self.remove(key)
        super().compact()


@capable_mutant("a compaction drops the expiry of all keys", "STATE-MAINT-03")
class CompactDropsExpiry(CapableState):
    def compact(self) -> None:
        for entry in self.kept.entries.values():
            entry.expires_at = None
        super().compact()


@capable_mutant("a compaction drops the history of deleted keys", "STATE-MAINT-03")
class CompactDropsHistory(CapableState):
    def compact(self) -> None:
        self.kept.history = {key: kept for key, kept in self.kept.history.items() if key in self.kept.entries}
        super().compact()


@capable_mutant("a compaction drops the oldest version of each key", "STATE-MAINT-03")
class CompactThinsHistory(CapableState):
    def compact(self) -> None:
        for history in self.kept.history.values():
            if len(history) > 1:
                del history[next(iter(history))]
        super().compact()


@capable_mutant("a compaction drops snapshots", "STATE-MAINT-03")
class CompactDropsSnapshots(CapableState):
    def compact(self) -> None:
        self.kept.snapshots.clear()
        super().compact()


@capable_mutant("a compaction forgets which keys of an older file are deleted", "STATE-MAINT-04", "STATE-MAINT-05")
class TombstonesAreDropped(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        self.older = path.with_suffix(".older")
        super().__init__(path, clock)
        if self.older.exists():
            entries, tombstones = pickle.loads(self.older.read_bytes())
            back = {key: entry for key, entry in entries.items() if key not in tombstones}
            self.kept.entries = {**back, **self.kept.entries}

    def remove(self, key: str) -> None:
        super().remove(key)
        if self.older.exists():
            entries, tombstones = pickle.loads(self.older.read_bytes())
            self.older.write_bytes(pickle.dumps((entries, tombstones | {key})))

    def compact(self) -> None:
        super().compact()
        if self.older.exists():
            entries, _ = pickle.loads(self.older.read_bytes())
            self.older.write_bytes(pickle.dumps((entries, set())))

    def close(self) -> None:
        if not self.older.exists() and self.kept.entries:
            self.older.write_bytes(pickle.dumps((self.kept.entries, set())))
        super().close()


@capable_mutant("a compaction drops keys that were deleted in a former life", "STATE-MAINT-03")
class TombstonesOutliveTheirKeys(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.tombstones: set[str] = set()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.tombstones.add(key)

    def compact(self) -> None:
        for key in self.tombstones:
            self.remove(key)
        super().compact()


@capable_mutant("verify() takes deleted keys for damaged", "STATE-MAINT-06")
class VerifyCriesWolf(CapableState):
    def verify(self) -> Any:
        return {"healthy": len(self), "damaged": [key for key in self.kept.history if key not in self]}


@capable_mutant("verify() says True", "STATE-MAINT-06")
class VerifyGivesNoReport(CapableState):
    def verify(self) -> Any:
        return True


@capable_mutant("verify() finds nothing healthy", "STATE-MAINT-06")
class VerifyCountsNothing(CapableState):
    def verify(self) -> Any:
        return {"healthy": 0, "damaged": ()}


@capable_mutant("verify() removes the history that it does not need", "STATE-MAINT-07")
class VerifyRepairs(CapableState):
    def verify(self) -> Any:
        for key in set(self.kept.history) - set(self.kept.entries):
            del self.kept.history[key]
        return super().verify()


MUTANTS = marked(globals())
