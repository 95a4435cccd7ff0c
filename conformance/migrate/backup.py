"""What the target held before: its directory as a copy beside it, or the records of a server as lines of JSON."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from conformance.migrate.errors import Stopped
from conformance.migrate.journal import sync_folder
from conformance.migrate.kinds import ABSENT, KINDS
from conformance.migrate.log import events
from conformance.migrate.side import Opened, Side, opened


def is_place_empty(side: Side) -> bool:
    """Tell whether the directory of a side holds nothing, or is not there."""
    return not side.where.path.is_dir() or not any(side.where.path.iterdir())


def copy_place(side: Side, backup: Path) -> None:
    """Copy the directory of a side. What an earlier attempt left there is thrown away.

    Raises:
        Stopped: It can't be copied.
    """
    try:
        shutil.rmtree(backup, ignore_errors=True)
        shutil.copytree(side.where.path, backup, symlinks=True)
        for folder, _, names in os.walk(backup):
            for name in names:
                _sync(Path(folder, name))
            sync_folder(Path(folder))
        sync_folder(backup.parent)
    except OSError as error:
        raise Stopped(f"the backup of {side} to {backup} failed: {error}") from error


def export(side: Side, contracts: Iterable[str], scopes: tuple[str, ...], backup: Path) -> None:
    """Write the records of a side to a file: one JSON object a line, with `contract`, `name` and `value`.

    Raises:
        Stopped: A store fails, a record is no JSON, or the file can't be written.
    """
    try:
        with backup.open("w", encoding="utf-8") as file:
            for contract in contracts:
                with opened(side, contract) as store:
                    for name, value in _records(store, scopes):
                        line = {"contract": contract, "name": name, "value": value}
                        file.write(json.dumps(line, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(backup.parent)
    except (OSError, TypeError, ValueError) as error:
        raise Stopped(f"the backup of {side} to {backup} failed: {error}") from error


def _records(store: Opened, scopes: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    if store.contract not in KINDS:
        yield from events(store)
        return
    kind = KINDS[store.contract]
    for name in kind.names(store, store, scopes):
        value = kind.read(store, name)
        if value is not ABSENT:
            yield list(name), value


def _sync(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())
