"""Stores of runs, jobs and layers in which listing and getting answer damage each in a way of its own."""

from __future__ import annotations

import json
from typing import Any

from tests.mutants.corruption_base import CorruptError
from tests.mutants.crash_marks import marked
from tests.mutants.records_corruption_base import Folder, broken


@broken("the listing has the text of a record that can't be read, in its place", "02")
class ListsWhatCannotBeRead(Folder):
    def all(self) -> list[Any]:
        found: list[Any] = []
        for name in self.names():
            try:
                found.append((name, self.get(name)))
            except CorruptError:
                found.append((name, self.path(name).read_bytes().decode("latin-1")))
        return found


@broken("what is listed is not checked, what is got is", "01")
class ListsUnchecked(Folder):
    def all(self) -> list[Any]:
        found = []
        for name in self.names():
            _, _, body = self.path(name).read_bytes().partition(b"\n")
            found.append(tuple(json.loads(body)))
        return found


#: A store of vectors lists nothing.
MUTANTS = [mutant for mutant in marked(globals()) if not mutant.name.startswith("vectors")]
