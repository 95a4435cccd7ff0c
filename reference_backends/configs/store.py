"""The store of documents: one file each, named in kebab-case, migrated when it is read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from reference_backends._errors import NewerSchemaError
from reference_backends._files import (
    FileLock,
    make_directory,
    remove_file,
    remove_leftovers,
    replace_file,
    sync_directory,
)
from reference_backends._mapping import AtomicMapping
from reference_backends.configs.errors import ConfigNameError, CorruptConfig, MigrationError
from reference_backends.configs.formats import FORMATS, Format, decode, encode
from reference_backends.configs.references import resolved

Document = dict[str, Any]
#: From a document of one version to the same one of the next.
Migration = Callable[[Document], Document]

_KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
#: Most file systems end at 255 bytes, and a backup has a longer name than its document.
_NAME_LENGTH_MAX = 200


class ConfigStore(AtomicMapping):
    """A mapping from names to documents, in a directory, for any number of handles, threads and processes.

    A write has reached the disk when it returns. A document is a dict with a `version`. Reading gives it in the present
    version, with what its references lead to in their place; `raw` leaves references as they stand. Every verb raises
    ConfigNameError for a name that is not kebab-case, and ValueError once the store is closed.

    Args:
        directory: Made when missing.
        form: The extension of new documents: `json`, `yaml`, `yml` or `toml`. A document that is there keeps its own.
        current: The present version.
        migrations: For each older version, what makes the next one of a document.

    Raises:
        ValueError: The format is unknown, or a migration is missing.
    """

    def __init__(
        self,
        directory: Path,
        *,
        form: str = "json",
        current: int = 1,
        migrations: Mapping[int, Migration] | None = None,
    ) -> None:
        self._migrations = dict(migrations or {})
        if form not in FORMATS:
            raise ValueError(f"form={form!r} is unknown. Known: {', '.join(FORMATS)}.")
        if sorted(self._migrations) != list(range(min(self._migrations, default=current), current)):
            raise ValueError(f"The migrations from {sorted(self._migrations)} do not lead to version {current}.")
        self._directory = directory
        self._extension = form
        self._current = current
        self._closed = False
        make_directory(directory)
        self._lock = FileLock(directory / "lock")
        with self._writing():
            remove_leftovers(directory)
            # A writer that was killed may have renamed and not synced: nobody reads what may still go away.
            sync_directory(directory)

    def __getitem__(self, name: str) -> Document:
        return self._read(name, lambda: resolved(name, self._present))

    def __setitem__(self, name: str, document: Document) -> None:
        check_name(name)
        if type(document) is not dict:
            raise TypeError(f"The document {name!r} is a {type(document).__name__}, where a dict has named fields.")
        document = {"version": self._current, **document}
        if document["version"] != self._current or type(document["version"]) is not int:
            raise ValueError(f"The document {name!r} has the version {document['version']!r}, not {self._current}.")
        with self._writing():
            path = self._found(name) or self._directory / f"{name}.{self._extension}"
            replace_file(path, encode(document, _format_of(path)), backups=0)

    def __delitem__(self, name: str) -> None:
        check_name(name)
        with self._writing():
            path = self._found(name)
            if path is None:
                raise KeyError(name)
            remove_file(path, backups=0)

    def __contains__(self, name: object) -> bool:
        check_name(name)
        with self._reading():
            return self._found(str(name)) is not None

    def __iter__(self) -> Iterator[str]:
        with self._reading():
            files = [Path(file) for file in os.listdir(self._directory)]
        names = [file.stem for file in files if file.suffix[1:] in FORMATS and _KEBAB.fullmatch(file.stem)]
        return iter(sorted(set(names)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def raw(self, name: str) -> Document:
        """Return a document in the present version, with its references as they stand: what to change and write."""
        return self._read(name, lambda: self._present(name))

    def close(self) -> None:
        """Refuse every verb from now on. There is nothing left to save; harmless when repeated."""
        self._closed = True
        self._lock.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep everybody else out for a block that reads and writes."""
        with self._lock.held(exclusive=True):
            if self._closed:
                raise ValueError("The store is closed.")
            yield

    _writing = writing

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock.held(exclusive=False):
            if self._closed:
                raise ValueError("The store is closed.")
            yield

    def _read(self, name: str, read: Callable[[], Document]) -> Document:
        check_name(name)
        while True:
            try:
                with self._reading():
                    return read()
            except _OldVersion as old:
                outdated = old.path
            with self._writing():
                self._migrate(outdated)

    def _present(self, name: str) -> Document:
        """Return a document of the present version; the lock is held."""
        check_name(name)
        path = self._found(name)
        if path is None:
            raise KeyError(name)
        document = _document(path)
        if document["version"] > self._current:
            raise NewerSchemaError(f"{path} has version {document['version']}, and only {self._current} is known here.")
        if document["version"] < self._current:
            raise _OldVersion(path)
        return document

    def _migrate(self, path: Path) -> None:
        """Bring a document to the present version, after a backup of its file; the lock is held."""
        if not path.exists():
            return
        data = migrated = path.read_bytes()
        document = _document(path)
        first = document["version"]
        while document["version"] < self._current:
            version = document["version"]
            if version not in self._migrations:
                raise MigrationError(f"{path} has version {version}, from which no migration leads on.")
            try:
                document = {**self._migrations[version](deepcopy(document)), "version": version + 1}
                migrated = encode(document, _format_of(path))  # each step, so that the one that fails is told
            except Exception as error:
                raise MigrationError(f"{path} can't be migrated from version {version}: {error!r}") from error
        if migrated != data:  # or else another handle was faster
            replace_file(path.with_name(f"{path.name}.v{first}"), data, backups=0)
            replace_file(path, migrated, backups=0)

    def _found(self, name: str) -> Path | None:
        paths = [path for extension in FORMATS if (path := self._directory / f"{name}.{extension}").exists()]
        if len(paths) > 1:
            raise CorruptConfig(f"There are {' and '.join(path.name for path in paths)}: remove all but one.")
        return paths[0] if paths else None


class _OldVersion(Exception):
    """A document must be migrated before it can be given."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


def check_name(name: object) -> None:
    """Refuse a name that is not kebab-case, such as `chat-agent-2`.

    Raises:
        TypeError: It is no text.
        ConfigNameError: It is none, or longer than a file's name may be.
    """
    if type(name) is not str:
        raise TypeError(f"The name {name!r} has type {type(name).__name__}, not str.")
    if len(name) > _NAME_LENGTH_MAX:
        raise ConfigNameError(f"The name {name[:20]!r}... has {len(name)} characters; {_NAME_LENGTH_MAX} are possible.")
    if not _KEBAB.fullmatch(name):
        better = kebab(name)
        raise ConfigNameError(
            f"The name {name!r} is not kebab-case: lower-case letters and digits, in words with one hyphen between."
            f"{f' Did you mean {better!r}?' if better else ''}"
        )


def kebab(text: str) -> str:
    """Return the kebab-case name that is nearest to a text; empty where nothing of it can be in one."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", text)
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _format_of(path: Path) -> Format:
    return FORMATS[path.suffix[1:]]


def _document(path: Path) -> Document:
    """Return what a file holds, which must be a document of any version."""
    try:
        document = decode(path.read_bytes(), _format_of(path))
    except ValueError as error:
        raise CorruptConfig(f"{path}: {error}") from error
    if type(document.get("version")) is not int or document["version"] < 1:
        raise CorruptConfig(f"{path}: its version is {document.get('version')!r}, not a number from 1 on.")
    return document
