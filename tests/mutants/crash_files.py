"""State stores in plain files, wrong about how a file is replaced; the honest ones replace files as a whole."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

from reference_backends._files import sync_directory
from tests.mutants.crash_base import Changes, TextState, write_all
from tests.mutants.crash_marks import broken_state, marked


def replace_file(path: Path, data: bytes) -> None:
    """Honest: put a synced file in the place of another, and sync the name."""
    fresh = path.with_suffix(".tmp")
    write_synced(fresh, data)
    os.replace(fresh, path)
    sync_directory(path.parent)


def write_synced(path: Path, data: bytes) -> None:
    """Write a file anew, and return when its content is on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class AtomicFiles(TextState):
    """Honest: a file for each key, with the key and the text in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        folder.mkdir(exist_ok=True)
        sync_directory(folder.parent)
        for path in sorted(folder.iterdir()):
            self.load(path)

    def load(self, path: Path) -> None:
        """Read a file; what a crash has left is none."""
        if path.suffix == ".json":
            key, text = json.loads(path.read_bytes())
            self.kept[key] = text

    def path(self, key: str) -> Path:
        """Return the file of a key."""
        return self.folder / f"{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}.json"

    def write(self, changes: Changes) -> None:
        """Replace or remove files."""
        for key, text in changes.items():
            if text is None:
                self.path(key).unlink(missing_ok=True)
                sync_directory(self.folder)
            else:
                self.replace(self.path(key), json.dumps([key, text]).encode())

    def replace(self, path: Path, data: bytes) -> None:
        """Replace a file."""
        replace_file(path, data)


class Document(TextState):
    """Honest: one file with everything, replaced at each change."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.kept.update(self.load())

    def load(self) -> dict[str, str]:
        """Return what is in the file."""
        if not self.path.exists():
            return {}
        texts: dict[str, str] = json.loads(self.path.read_bytes())
        return texts

    def write(self, changes: Changes) -> None:
        """Replace the file by one with the changes."""
        after = {**self.kept, **changes}
        self.save({key: text for key, text in after.items() if text is not None})

    def save(self, texts: dict[str, str]) -> None:
        """Replace the file."""
        replace_file(self.path, json.dumps(texts).encode())


@broken_state("A new file is renamed into place without having been synced.", "11 12 13 16")
class NoFsyncBeforeRename(AtomicFiles):
    def replace(self, path: Path, data: bytes) -> None:
        fresh = path.with_suffix(".tmp")
        fresh.write_bytes(data)
        os.replace(fresh, path)
        sync_directory(path.parent)


@broken_state("A file is renamed into place, and the directory is not synced.", "21 22 23 26")
class NoDirFsync(AtomicFiles):
    def replace(self, path: Path, data: bytes) -> None:
        fresh = path.with_suffix(".tmp")
        write_synced(fresh, data)
        os.replace(fresh, path)


@broken_state("A file is synced while its content is still in the buffer of Python.", "11 12")
class FsyncWithoutFlush(AtomicFiles):
    def replace(self, path: Path, data: bytes) -> None:
        fresh = path.with_suffix(".tmp")
        with fresh.open("wb", buffering=1 << 20) as file:
            file.write(data)
            os.fsync(file.fileno())
        os.replace(fresh, path)
        sync_directory(path.parent)


@broken_state("The live file is cut to nothing and written anew.", "01 02 06")
class TruncateInPlace(AtomicFiles):
    def replace(self, path: Path, data: bytes) -> None:
        write_synced(path, data)
        sync_directory(path.parent)


@broken_state("An old file is removed before the new one is in its place.", "02")
class DeleteThenWrite(AtomicFiles):
    def replace(self, path: Path, data: bytes) -> None:
        path.unlink(missing_ok=True)
        replace_file(path, data)


@broken_state("What a killed process leaves behind, a temporary file, is listed as a key.", "01")
class OrphanTmpListed(AtomicFiles):
    def load(self, path: Path) -> None:
        super().load(path)
        if path.suffix != ".json":
            self.kept[path.name] = "null"


@broken_state("An error of a rename is ignored.", "55")
class RenameErrorIgnored(AtomicFiles):
    def replace(self, path: Path, data: bytes) -> None:
        fresh = path.with_suffix(".tmp")
        write_synced(fresh, data)
        try:
            os.replace(fresh, path)
        except OSError:
            return
        sync_directory(path.parent)


@broken_state(
    "A value that fits into the page of the old one is written over it: half of each may be there after power loss.",
    "12",
)
class TornPageAccepted(AtomicFiles):
    page = 4_096

    def replace(self, path: Path, data: bytes) -> None:
        data = data.ljust(self.page)
        if len(data) > self.page or not path.exists() or path.stat().st_size != self.page:
            super().replace(path, data)
            return
        descriptor = os.open(path, os.O_WRONLY)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@broken_state("A file that can't be parsed is removed, and an empty one is begun.", "01")
class RecoveryDeletesDb(Document):
    def load(self) -> dict[str, str]:
        try:
            return super().load()
        except ValueError:
            self.path.unlink()
            return {}

    def save(self, texts: dict[str, str]) -> None:
        write_synced(self.path, json.dumps(texts).encode())
        sync_directory(self.path.parent)


@broken_state("A file that can't be opened is taken for empty; the next save holds nothing but the new key.", "56")
class ReadErrorThenWipe(Document):
    def load(self) -> dict[str, str]:
        try:
            return super().load()
        except OSError:
            return {}


MUTANTS = marked(globals())
