"""The journal of a migration: a small file, always whole, from which it goes on after it was killed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.migrate.errors import Unfit

#: Raised when a field changes its meaning or goes away.
SCHEMA = 1


@dataclass
class Journal:
    """How far a migration has come.

    Args:
        path: Where it is kept.
        of: What is moved where; a journal of another migration is refused.
        backup: The path of the backup of the target; empty when there was nothing to back up.
        is_backed_up: Whether the backup is whole, or not needed. Before that nothing is written to the target.
        cursors: By contract the last name up to which all records are in the target, in the order of names.
        done: The contracts whose records were all copied.
        resumed: Whether it was found, and not begun.
    """

    path: Path
    of: Mapping[str, Any]
    backup: str = ""
    is_backed_up: bool = False
    cursors: dict[str, list[str]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    resumed: bool = False

    @classmethod
    def at(cls, path: Path, of: Mapping[str, Any]) -> Journal:
        """Return the journal at a path, or a new one, which is written with the first `save`.

        Raises:
            Unfit: There is one of another migration, or something else.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            of_found, schema = found["of"], found["schema"]
        except FileNotFoundError:
            return cls(path, of)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise Unfit(f"{path} is no journal of a migration ({type(error).__name__}): name another file") from None
        if schema != SCHEMA or of_found != of:
            raise Unfit(
                f"{path} is the journal of another migration, {of_found['source']} to {of_found['target']}. Finish "
                f"that one with its own command, or delete the file if it is given up."
            )
        kept = {name: found[name] for name in ("backup", "is_backed_up", "cursors", "done")}
        return cls(path, of, **kept, resumed=True)

    def save(self) -> None:
        """Write the journal, in one step, so that a crash leaves the old one or the new one."""
        names = ("of", "backup", "is_backed_up", "cursors", "done")
        write_whole(self.path, json.dumps({"schema": SCHEMA, **{name: getattr(self, name) for name in names}}))

    def remove(self) -> None:
        """Delete the file: the migration is done."""
        self.path.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step, and have it on the disk when this returns."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
