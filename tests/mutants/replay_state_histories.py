"""State stores that show another past, or another present, to those who come later or from elsewhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.mutants.capable_base import CapableState, Kept, capable_mutant, marked


@capable_mutant("keys are found by their hash, which is another one in each process", "STATE-REPLAY-01")
class KeysByHash(CapableState):
    def save(self) -> None:
        self.kept.entries = {str(hash(key)): entry for key, entry in self.kept.entries.items()}
        super().save()
        self.kept.entries = self.read_file().entries

    def read_file(self) -> Kept:
        kept = super().read_file()
        known = {str(hash(key)): key for key in kept.history}
        kept.entries = {known[name]: entry for name, entry in kept.entries.items() if name in known}
        return kept


@capable_mutant("entries from the future, by local time, are taken for damage", "STATE-REPLAY-01")
class LocalTimeOfWriting(CapableState):
    def save(self) -> None:
        super().save()
        self.path.with_name("written").write_text(time.strftime("%Y-%m-%d %H:%M", time.localtime(self.clock())))

    def read_file(self) -> Kept:
        written = time.mktime(time.strptime(self.path.with_name("written").read_text(), "%Y-%m-%d %H:%M"))
        return super().read_file() if written <= self.clock() else Kept()


@capable_mutant("compaction gives old versions the value of the newest", "STATE-REPLAY-02")
class CompactionMergesVersions(CapableState):
    def compact(self) -> None:
        for history in self.kept.history.values():
            newest = list(history.values())[-1:]
            for version in list(history)[:-1]:
                history[version] = newest[0]
        super().compact()


@capable_mutant("a key that was deleted and comes back overwrites its versions", "STATE-REPLAY-02")
class OverwritingChangesVersions(CapableState):
    def put(self, key: str, text: str, expires_at: float | None = None) -> Any:
        reborn = key not in self.kept.entries
        version = super().put(key, text, expires_at)
        if reborn:
            for one in self.kept.history[key]:
                self.kept.history[key][one] = text
        return version


@capable_mutant("the versions of a store that was opened again come in the order of a set", "STATE-REPLAY-02")
class VersionsFromASet(CapableState):
    def __init__(self, path: Path, clock: Any) -> None:
        self.opened_again = path.exists()
        super().__init__(path, clock)

    def next_version(self, key: str, text: str) -> Any:
        return f"version {super().next_version(key, text)}"

    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        found = super().versions(key)
        known = [int(one.split()[1]) for one in found]
        ordered = [found[known.index(number)] for number in sorted(known, reverse=True)]
        return (list(set(ordered)) if self.opened_again else ordered)[:limit]


@capable_mutant("a snapshot has the keys of its time and the values of now", "STATE-REPLAY-03")
class SnapshotIsAView(CapableState):
    def compact(self) -> None:
        for texts in self.kept.snapshots.values():
            texts.update({key: entry.text for key, entry in self.kept.entries.items() if key in texts})
        super().compact()


@capable_mutant("compaction drops what no present key has from the snapshots", "STATE-REPLAY-03")
class CompactionThinsSnapshots(CapableState):
    def compact(self) -> None:
        for name, texts in self.kept.snapshots.items():
            self.kept.snapshots[name] = {key: text for key, text in texts.items() if key in self.kept.entries}
        super().compact()


@capable_mutant("compaction forgets the ids of what was deleted, and gives them again", "STATE-REPLAY-04")
class IdsComeAgain(CapableState):
    def compact(self) -> None:
        self.kept.writes = max((entry.version for entry in self.kept.entries.values()), default=0)
        super().compact()


@capable_mutant("tokens have a salt that is another one in each process", "STATE-REPLAY-04")
class TokensOfAProcess(CapableState):
    salt = hash("salt")

    def next_version(self, key: str, text: str) -> Any:
        return (super().next_version(key, text), self.salt)

    def version(self, key: str) -> Any:
        found = super().version(key)
        return None if found is None else (found[0], self.salt)


MUTANTS = marked(globals())
