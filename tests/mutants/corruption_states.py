"""State stores that serve damaged, old or foreign data, or that repair too much."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from reference_backends._files import sync_directory
from tests.mutants.corruption_base import CorruptError, checked, unchecked
from tests.mutants.corruption_stores import PROMISES, CheckedState, broken_checked
from tests.mutants.crash_base import Changes, TextState, write_all
from tests.mutants.crash_files import AtomicFiles
from tests.mutants.crash_marks import broken_state, marked


class CheckedFiles(AtomicFiles):
    """Honest, below `complete`: a file for each key, with a checksum; a damaged file costs its own key only."""

    def __init__(self, folder: Path) -> None:
        self.damaged: dict[str, str] = {}
        super().__init__(folder)

    def load(self, path: Path) -> None:
        """Read a file; the key of a damaged one is not known."""
        if path.suffix != ".json":
            return
        try:
            key, text = json.loads(unchecked(path.read_bytes()))
        except CorruptError as error:
            self.damaged[path.name] = str(error)
        else:
            self.kept[key] = text
            if path != self.path(key):
                raise CorruptError(f"{path.name} has another name")

    def replace(self, path: Path, data: bytes) -> None:
        """Replace a file."""
        super().replace(path, checked(data))
        self.damaged.pop(path.name, None)

    def __getitem__(self, key: str) -> Any:
        if self.path(key).name in self.damaged:
            raise CorruptError(f"the file of {key!r} is damaged")
        return super().__getitem__(key)

    def texts(self) -> dict[str, str]:
        """Refuse to list what is not all there."""
        if self.damaged:
            raise CorruptError(f"files are damaged: {sorted(self.damaged)}")
        return super().texts()


@broken_state("The files that are there are the store: nobody misses one.", "STATE-CORR-21", **PROMISES)
class MissingFileUnnoticed(CheckedFiles):
    pass


@broken_state("Every file of the directory is a key, whoever wrote it.", "STATE-CORR-06", **PROMISES)
class ForeignFileIsAKey(CheckedFiles):
    def load(self, path: Path) -> None:
        super().load(path)
        if path.suffix != ".json" or path.name in self.damaged:
            self.damaged.pop(path.name, "")
            self.kept[path.name] = json.dumps(path.read_bytes().decode("latin-1"))


@broken_state("A slot is written in place, and its checksum does not tell when.", "STATE-CORR-22", **PROMISES)
class OldSlotUnnoticed(TextState):
    size = 8_192

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.slots: list[str] = []
        if not path.exists():
            path.touch()
            sync_directory(path.parent)
        data = path.read_bytes()
        if len(data) % self.size:
            raise CorruptError("half a slot")
        for at in range(0, len(data), self.size):
            number, key, text = json.loads(unchecked(data[at : at + self.size].rstrip(b" ")))
            if number != len(self.slots):
                raise CorruptError("a slot in the place of another")
            self.slots.append(key)
            self.show({key: text})

    def write(self, changes: Changes) -> None:
        for key, text in changes.items():
            if key not in self.slots:
                self.slots.append(key)
            number = self.slots.index(key)
            slot = checked(json.dumps([number, key, text]).encode())
            if len(slot) > self.size:
                raise ValueError("the value is too long for a slot")
            descriptor = os.open(self.path, os.O_RDWR)
            try:
                os.lseek(descriptor, number * self.size, os.SEEK_SET)
                write_all(descriptor, slot.ljust(self.size))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@broken_checked("What `verify()` calls sound is the index; it does not look at the values.", "state", "32")
class VerifiesTheIndex(CheckedState):
    def verify(self) -> dict[str, Any]:
        self.refuse_closed()
        return {"healthy": len(self.kept), "damaged": []}


@broken_checked("A repair keeps what stands in front of the first damaged value, and reports that one.", "state", "41")
class RepairTruncates(CheckedState):
    def repair(self) -> dict[str, Any]:
        keys = list(self.kept)
        first = next((at for at, key in enumerate(keys) if key in self.damaged), len(keys))
        for key in keys[first:]:
            del self[key]
        return {"dropped": keys[first : first + 1]}


@broken_checked("A repair does not say what it has dropped.", "state", "41")
class RepairSaysNothing(CheckedState):
    def repair(self) -> dict[str, Any]:
        super().repair()
        return {"dropped": []}


MUTANTS = marked(globals())
