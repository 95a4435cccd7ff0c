"""fsspec: the abstract tests of copy, get, put, open and pipe on a file system whose files are in the planted store.

fsspec's memory file system does the paths and directories; only where it keeps the files is replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

import fsspec.tests.abstract as abstract
import pytest
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem
from planted import Planted, open_planted


class Files(MutableMapping):
    """The planted store as the table of files of fsspec's memory file system."""

    def __init__(self, store: Planted, system: MemoryFileSystem) -> None:
        self.store, self.system = store, system

    def __getitem__(self, path: str) -> MemoryFile:
        return Saved(self.system, path, self.store[path])

    def __setitem__(self, path: str, file: MemoryFile) -> None:
        self.store[path] = file.getvalue()

    def __delitem__(self, path: str) -> None:
        del self.store[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.store)

    def __len__(self) -> int:
        return len(self.store)


class Saved(MemoryFile):
    """A file that is put into the store when it is closed."""

    def close(self) -> None:
        if self.getvalue() != self.fs.store.store.get(self.path):
            self.fs.store[self.path] = self


class PlantedFileSystem(MemoryFileSystem):
    """A file system of its own, with its files in the planted store."""

    protocol = "planted"
    cachable = False
    pseudo_dirs = [""]

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.pseudo_dirs = [""]
        self.store = Files(open_planted(folder), self)

    def _open(self, path: str, mode: str = "rb", **rest: object) -> MemoryFile:
        file = super()._open(path, mode, **rest)
        if mode == "rb":
            return file
        saved = Saved(self, file.path, file.getvalue())
        saved.seek(file.tell())
        return saved


class PlantedFixtures(abstract.AbstractFixtures):
    @pytest.fixture(scope="class")
    def fs(self, tmp_path_factory):
        return PlantedFileSystem(str(tmp_path_factory.mktemp("planted")))

    @pytest.fixture
    def fs_join(self):
        return lambda *parts: "/".join(parts)

    @pytest.fixture
    def fs_path(self):
        return ""


class TestPlantedCopy(abstract.AbstractCopyTests, PlantedFixtures):
    pass


class TestPlantedGet(abstract.AbstractGetTests, PlantedFixtures):
    pass


class TestPlantedPut(abstract.AbstractPutTests, PlantedFixtures):
    pass


class TestPlantedOpen(abstract.AbstractOpenTests, PlantedFixtures):
    pass


class TestPlantedPipe(abstract.AbstractPipeTests, PlantedFixtures):
    pass
