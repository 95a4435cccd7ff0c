"""State stores whose history or snapshots are not what was."""

from __future__ import annotations

from typing import Any

from tests.mutants.capable_base import CapableState, Draft, capable_mutant, marked


@capable_mutant("versions are listed oldest first", "STATE-HIST-01")
class OldestVersionFirst(CapableState):
    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        return super().versions(key)[::-1][:limit]


@capable_mutant("the present version is not listed", "STATE-HIST-01")
class NewestVersionIsMissing(CapableState):
    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        return super().versions(key)[1:][:limit]


@capable_mutant("from the tenth version on they are sorted as texts", "STATE-HIST-01")
class VersionsSortedAsTexts(CapableState):
    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        return sorted(super().versions(key), key=str, reverse=True)[:limit]


@capable_mutant("listing the versions of a key makes it", "STATE-HIST-02")
class ListingVersionsMakesKey(CapableState):
    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        found = super().versions(key, limit)
        if key not in self and not found:
            self.put(key, "null")
            self.kept.history[key].clear()
        return found


@capable_mutant("the versions of a key never written raise KeyError", "STATE-HIST-02")
class NeverWrittenRaises(CapableState):
    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        if key not in self.kept.history:
            raise KeyError(key)
        return super().versions(key, limit)


@capable_mutant("everybody who reads a version gets the same object", "STATE-HIST-03")
class VersionsAreShared(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.read: dict[tuple[str, Any], Any] = {}

    def get_version(self, key: str, version: Any) -> Any:
        return self.read.setdefault((key, version), super().get_version(key, version))


@capable_mutant("only the newest hundred versions are kept", "STATE-HIST-03")
class HistoryHasAnEnd(CapableState):
    def put(self, key: str, text: str, expires_at: float | None = None) -> Any:
        version = super().put(key, text, expires_at)
        for old in self.versions(key)[100:]:
            del self.kept.history[key][old]
        return version


@capable_mutant("versions are numbered from the newest", "STATE-HIST-03")
class VersionsAreRenumbered(CapableState):
    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        return list(range(len(super().versions(key))))[:limit]

    def get_version(self, key: str, version: Any) -> Any:
        versions = super().versions(key)
        if version not in range(len(versions)):
            raise KeyError(version)
        return super().get_version(key, versions[version])


@capable_mutant("a delete takes the versions along", "STATE-HIST-04", "STATE-HIST-11")
class DeleteTakesHistory(CapableState):
    def remove(self, key: str) -> None:
        super().remove(key)
        self.kept.history.pop(key, None)


@capable_mutant("a delete takes the newest version along", "STATE-HIST-04", "STATE-HIST-11")
class DeleteTakesNewestVersion(CapableState):
    def remove(self, key: str) -> None:
        super().remove(key)
        self.kept.history[key].popitem()


@capable_mutant("the versions of a deleted key can't be read", "STATE-HIST-04")
class DeletedVersionsAreUnreadable(CapableState):
    def get_version(self, key: str, version: Any) -> Any:
        self.entry(key)
        return super().get_version(key, version)


@capable_mutant("a limit gives the oldest versions", "STATE-HIST-05")
class LimitGivesOldest(CapableState):
    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        found = super().versions(key)
        return found if limit is None else found[-limit:]


@capable_mutant("a limit gives one more", "STATE-HIST-05")
class LimitGivesOneMore(CapableState):
    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        return super().versions(key, None if limit is None else limit + 1)


@capable_mutant("an unknown version gives the newest one before it", "STATE-HIST-06")
class UnknownVersionGivesNearest(CapableState):
    def get_version(self, key: str, version: Any) -> Any:
        older = [one for one in self.versions(key) if one <= version]
        return super().get_version(key, older[0] if older else version)


@capable_mutant("a version is looked for in all keys", "STATE-HIST-06")
class VersionOfAnyKey(CapableState):
    def get_version(self, key: str, version: Any) -> Any:
        for history in self.kept.history.values():
            if version in history:
                return self.decode(history[version])
        return super().get_version(key, version)


@capable_mutant("history is not saved", "STATE-HIST-07", "STATE-HIST-11")
class HistoryIsNotSaved(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.kept.history = {key: {entry.version: entry.text} for key, entry in self.kept.entries.items()}


@capable_mutant("ids start anew when the store is opened", "STATE-HIST-07")
class IdsStartAnew(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.kept.writes = 0


@capable_mutant("a write of an equal value makes no version", "STATE-HIST-08", "STATE-HIST-11")
class EqualWriteMakesNoVersion(CapableState):
    def put(self, key: str, text: str, expires_at: float | None = None) -> Any:
        old = self.kept.entries.get(key)
        version = super().put(key, text, expires_at)
        if old is not None and old.text == text:
            del self.kept.history[key][version]
        return version


@capable_mutant("a transaction makes no versions", "STATE-HIST-08")
class TransactionMakesNoVersions(CapableState):
    def commit(self, draft: Draft) -> None:
        super().commit(draft)
        for key, _ in draft.operations:
            if key in self:
                self.kept.history[key].pop(self.version(key), None)


@capable_mutant("reading makes a version", "STATE-HIST-01")
class ReadingMakesVersions(CapableState):
    def __getitem__(self, key: str) -> Any:
        entry = self.entry(key)
        self.put(key, entry.text, entry.expires_at)
        return self.decode(entry.text)


@capable_mutant("the versions of all keys that begin alike are one history", "STATE-HIST-09")
class HistoryByPrefix(CapableState):
    def versions(self, key: str, limit: int | None = None) -> list[Any]:
        found = [version for one, history in self.kept.history.items() if one.startswith(key) for version in history]
        return sorted(found, reverse=True)[:limit]

    def get_version(self, key: str, version: Any) -> Any:
        for one, history in self.kept.history.items():
            if one.startswith(key) and version in history:
                return self.decode(history[version])
        raise KeyError(version)


@capable_mutant("a refused write is in the history", "STATE-HIST-10")
class RefusedWriteIsHistory(CapableState):
    def __setitem__(self, key: str, value: Any) -> None:
        try:
            super().__setitem__(key, value)
        except TypeError:
            self.kept.writes += 1
            self.kept.history.setdefault(key, {})[self.kept.writes] = '"?"'
            raise


@capable_mutant("only what changed since the last snapshot is in the next", "STATE-SNAP-01")
class SnapshotOfChanges(CapableState):
    def save_snapshot(self, name: str) -> None:
        known = [item for texts in self.kept.snapshots.values() for item in texts.items()]
        super().save_snapshot(name)
        self.kept.snapshots[name] = {k: t for k, t in self.kept.snapshots[name].items() if (k, t) not in known}


@capable_mutant("a snapshot is the live state", "STATE-SNAP-02", "STATE-SNAP-10")
class SnapshotIsLive(CapableState):
    def load_snapshot(self, name: str) -> Any:
        return super().load_snapshot(name) and dict(self)


class _View(dict[str, Any]):
    """What a snapshot holds, as far as the live state does not know better."""

    def __init__(self, store: CapableState, texts: dict[str, Any]) -> None:
        super().__init__(texts)
        self.store = store

    def __getitem__(self, key: str) -> Any:
        return self.store.get(key, super().__getitem__(key))


@capable_mutant("a loaded snapshot follows the live state", "STATE-SNAP-02")
class LoadedSnapshotIsLive(CapableState):
    def load_snapshot(self, name: str) -> Any:
        live = dict(self)
        texts = super().load_snapshot(name)
        return _View(self, texts) if live == texts else texts


@capable_mutant("loading a snapshot restores it", "STATE-SNAP-03", "STATE-SNAP-10")
class LoadRestores(CapableState):
    def load_snapshot(self, name: str) -> Any:
        found = super().load_snapshot(name)
        for key in set(self.kept.entries) - set(found):
            self.remove(key)
        for key, value in found.items():
            self[key] = value
        return found


@capable_mutant("loading a snapshot writes its keys once more", "STATE-SNAP-03")
class LoadMovesVersions(CapableState):
    def load_snapshot(self, name: str) -> Any:
        for key, text in self.texts().items():
            self.put(key, text)
        return super().load_snapshot(name)


@capable_mutant("the first snapshot of a name stays", "STATE-SNAP-04", "STATE-SNAP-10")
class FirstSnapshotStays(CapableState):
    def save_snapshot(self, name: str) -> None:
        if name not in self.kept.snapshots:
            super().save_snapshot(name)


@capable_mutant("a snapshot that replaces one keeps its keys", "STATE-SNAP-04", "STATE-SNAP-10")
class ReplacedSnapshotIsMerged(CapableState):
    def save_snapshot(self, name: str) -> None:
        old = self.kept.snapshots.get(name, {})
        super().save_snapshot(name)
        self.kept.snapshots[name] = {**old, **self.kept.snapshots[name]}


@capable_mutant("a name is listed as often as it was saved", "STATE-SNAP-04")
class NamesAreListedTwice(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.names: list[str] = []

    def save_snapshot(self, name: str) -> None:
        super().save_snapshot(name)
        self.names.append(name)

    def list_snapshots(self) -> list[str]:
        return self.names


@capable_mutant("an unknown snapshot is empty", "STATE-SNAP-05")
class UnknownSnapshotIsEmpty(CapableState):
    def load_snapshot(self, name: str) -> Any:
        return super().load_snapshot(name) if name in self.kept.snapshots else {}


@capable_mutant("everybody who loads a snapshot gets the same objects", "STATE-SNAP-06")
class SnapshotsAreShared(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.loaded: dict[str, Any] = {}

    def save_snapshot(self, name: str) -> None:
        super().save_snapshot(name)
        self.loaded.pop(name, None)

    def load_snapshot(self, name: str) -> Any:
        return self.loaded.setdefault(name, super().load_snapshot(name))


@capable_mutant("snapshots are not saved", "STATE-SNAP-07")
class SnapshotsAreNotSaved(CapableState):
    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.kept.snapshots.clear()


@capable_mutant("an empty snapshot is no snapshot", "STATE-SNAP-08")
class EmptySnapshotIsMissing(CapableState):
    def load_snapshot(self, name: str) -> Any:
        found = super().load_snapshot(name)
        if not found:
            raise KeyError(name)
        return found


@capable_mutant("slashes in names become underscores", "STATE-SNAP-09")
class NamesAreSanitised(CapableState):
    def save_snapshot(self, name: str) -> None:
        super().save_snapshot(name.replace("/", "_"))

    def load_snapshot(self, name: str) -> Any:
        return super().load_snapshot(name.replace("/", "_"))


@capable_mutant("names are compared without case", "STATE-SNAP-09")
class NamesHaveNoCase(CapableState):
    def save_snapshot(self, name: str) -> None:
        super().save_snapshot(name.lower() if name == name.upper() else name)

    def load_snapshot(self, name: str) -> Any:
        return super().load_snapshot(name.lower() if name not in self.kept.snapshots else name)


MUTANTS = marked(globals())
