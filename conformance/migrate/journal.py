"""The journal of a migration: a small file, always whole, from which it goes on after it was killed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.literal import literal
from conformance.migrate.errors import Unfit

#: Raised when a field changes its meaning or goes away.
SCHEMA = 1
_SHOWN = 100


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
            schema = _field(found, "schema")
            kept = _checked(found) if schema == SCHEMA else {}
        except FileNotFoundError:
            return cls(path, of)
        except _OddError as odd:
            raise Unfit(f"{path} is no journal of a migration: {odd}; name another file with --journal=FILE") from None
        except (ValueError, OSError, RecursionError) as error:
            raise Unfit(
                f"{path} is no journal of a migration ({type(error).__name__}): name another file with --journal=FILE"
            ) from None
        if schema != SCHEMA:
            raise Unfit(
                f"{path} is a journal with the schema {literal(schema, _SHOWN)}; this version of the kit writes "
                f"{SCHEMA}. Finish that migration with the version that began it, or delete the file if it is given up"
            )
        of_found = kept.pop("of")
        if of_found != of:
            raise Unfit(
                f"{path} is the journal of another migration, {of_found['source']} to {of_found['target']}. Finish "
                f"that one with its own command, or delete the file if it is given up."
            )
        return cls(path, of, **kept, resumed=True)

    def save(self) -> None:
        """Write the journal, in one step, so that a crash leaves the old one or the new one."""
        names = ("of", "backup", "is_backed_up", "cursors", "done")
        write_whole(self.path, json.dumps({"schema": SCHEMA, **{name: getattr(self, name) for name in names}}))

    def remove(self) -> None:
        """Delete the file: the migration is done."""
        self.path.unlink(missing_ok=True)


class _OddError(Exception):
    """A field that a journal can't have; the text names it."""


def _field(found: Any, name: str) -> Any:
    if not isinstance(found, dict):
        raise _OddError(f"it is {literal(found, _SHOWN)}, and no object with names")
    if name not in found:
        raise _OddError(f"it has no `{name}`")
    return found[name]


def _checked(found: Any) -> dict[str, Any]:
    """Return the fields of a journal, each of which is what it must be, so that nothing ends in a traceback later."""
    rules: Mapping[str, tuple[Callable[[Any], bool], str]] = {
        "of": (_names_both, "names no source and target"),
        "backup": (lambda value: isinstance(value, str), "is no path"),
        "is_backed_up": (lambda value: isinstance(value, bool), "is neither true nor false"),
        "cursors": (
            lambda value: isinstance(value, dict) and all(map(_are_texts, value.values())),
            "is no list of texts by contract",
        ),
        "done": (_are_texts, "is no list of contracts"),
    }
    for name, (is_good, broken) in rules.items():
        if not is_good(_field(found, name)):
            raise _OddError(f"`{name}` is {literal(found[name], _SHOWN)}, which {broken}")
    return {name: found[name] for name in rules}


def _names_both(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(side), str) for side in ("source", "target"))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


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
