"""One honest store, and the same store with one bug each: what every kit is run against.

The honest one keeps all entries in one file, sealed by a checksum, replaced as a whole, synced, and locked among
threads and processes. `open_planted(folder, bug)` opens it; keys are texts, values bytes, the least that each kit's
kind of store can be built upon.
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Lock

#: What each bug does, in the words of the table.
BUGS = {
    "delete_keeps": "a delete returns, and nothing is deleted",
    "overwrite_ignored": "a second put of a key is passed over",
    "empty_is_missing": "an empty value is taken for no value",
    "zeros_stripped": "zero bytes at the end of a value are lost",
    "keys_folded": "keys that differ in case only are one",
    "delete_takes_prefix": "deleting `a` deletes `ab` too",
    "listing_misses_last": "a list leaves out the newest key of several",
    "reopen_loses_last": "the newest write is gone after reopening",
    "kept_until_close": "nothing is written before the store is closed",
    "stale_handle": "a handle never looks at the file again",
    "written_in_place": "the file is rewritten in place",
    "no_sync": "the new file is renamed into place unsynced",
    "no_directory_sync": "the directory of the renamed file is not synced",
    "failed_sync_ignored": "an error of fsync is swallowed",
    "no_lock": "read, change and write without a lock",
    "thread_lock_only": "the lock holds among threads, not among processes",
    "no_checksum": "a damaged file is believed",
}
_LOCKS: dict[str, Lock] = {}


class Planted(MutableMapping[str, bytes]):
    """The store, with one bug or, where `bug` is empty, none.

    Args:
        folder: Its directory, made when missing.
        bug: A key of `BUGS`, or empty.
    """

    def __init__(self, folder: Path, bug: str = "") -> None:
        if bug and bug not in BUGS:
            raise ValueError(f"unknown bug {bug!r}. Known: {', '.join(BUGS)}.")
        self.folder, self.bug = Path(folder), bug
        self.folder.mkdir(parents=True, exist_ok=True)
        self._threads = _LOCKS.setdefault(str(self.folder), Lock())
        self._kept: dict[str, bytes] | None = None
        if bug == "reopen_loses_last":
            entries = self._load()
            if len(entries) > 1:
                entries.popitem()
                self._save(entries)

    def __getitem__(self, key: str) -> bytes:
        return self._read()[self._named(key)]

    def __setitem__(self, key: str, value: bytes) -> None:
        if type(key) is not str or type(value) is not bytes:
            raise TypeError(f"{key!r}: {value!r} is not a str with bytes")
        key.encode()  # a lone surrogate is refused before anything is changed
        with self._locked():
            entries = self._read()
            if self.bug == "overwrite_ignored" and key in entries:
                return
            if self.bug == "empty_is_missing" and not value:
                return
            entries[self._named(key)] = value.rstrip(b"\0") if self.bug == "zeros_stripped" else value
            self._write(entries)

    def __delitem__(self, key: str) -> None:
        with self._locked():
            entries = self._read()
            del entries[self._named(key)]
            if self.bug == "delete_keeps":
                return
            if self.bug == "delete_takes_prefix":
                entries = {other: value for other, value in entries.items() if not other.startswith(key)}
            self._write(entries)

    def __iter__(self) -> Iterator[str]:
        keys = list(self._read())
        return iter(keys[:-1] if self.bug == "listing_misses_last" and len(keys) > 1 else keys)

    def __len__(self) -> int:
        return len(list(iter(self)))

    def close(self) -> None:
        """Close the store."""
        if self.bug == "kept_until_close" and self._kept is not None:
            self._save(self._kept)

    def _named(self, key: str) -> str:
        return key.lower() if self.bug == "keys_folded" else key

    def _read(self) -> dict[str, bytes]:
        if self.bug in ("kept_until_close", "stale_handle"):
            if self._kept is None:
                self._kept = self._load()
            return self._kept
        return self._load()

    def _write(self, entries: dict[str, bytes]) -> None:
        if self.bug != "kept_until_close":
            self._save(entries)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self.bug == "no_lock":
            yield
            return
        with self._threads:
            if self.bug == "thread_lock_only":
                yield
                return
            with open(self.folder / "lock", "a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield

    def _load(self) -> dict[str, bytes]:
        try:
            sealed = (self.folder / "data").read_bytes()
        except FileNotFoundError:
            return {}
        checksum, _, text = sealed.partition(b"\n")
        if checksum != b"%08x" % zlib.crc32(text) and self.bug != "no_checksum":
            raise ValueError("the file is damaged")
        return {key: b64decode(value) for key, value in json.loads(text).items()}

    def _save(self, entries: dict[str, bytes]) -> None:
        text = json.dumps({key: b64encode(value).decode() for key, value in entries.items()}).encode()
        data = b"%08x\n" % zlib.crc32(text) + text
        if self.bug == "written_in_place":
            with open(self.folder / "data", "wb") as file:
                self._put(file, data)
            return
        # A name of its own, so that without the lock what is lost is an update, not the program.
        new = self.folder / f"new-{os.getpid()}-{id(self)}"
        with open(new, "wb") as file:
            self._put(file, data)
        os.replace(new, self.folder / "data")
        if self.bug != "no_directory_sync":
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                self._sync(folder)
            finally:
                os.close(folder)

    def _put(self, file: object, data: bytes) -> None:
        file.write(data)  # type: ignore[attr-defined]
        file.flush()  # type: ignore[attr-defined]
        if self.bug != "no_sync":
            self._sync(file.fileno())  # type: ignore[attr-defined]

    def _sync(self, descriptor: int) -> None:
        if self.bug == "failed_sync_ignored":
            with suppress(OSError):
                os.fsync(descriptor)
        else:
            os.fsync(descriptor)


def open_planted(folder: Path | None = None, bug: str | None = None) -> Planted:
    """Open the store; without arguments the one of the environment: `PLANTED_FOLDER` and `PLANTED_BUG`."""
    return Planted(
        Path(os.environ["PLANTED_FOLDER"]) if folder is None else folder,
        os.environ.get("PLANTED_BUG", "") if bug is None else bug,
    )


def _opened(where: object, *, bug: str) -> Planted:
    return Planted(where.path / "store", bug)  # type: ignore[attr-defined]


def __getattr__(name: str) -> object:
    """Give the `Backend` of a bug, or `honest`: `pytest --backend=./planted.py:no_lock`."""
    if name != "honest" and name not in BUGS:
        raise AttributeError(name)
    from conformance import Backend  # only this kit needs it; the others run without it

    return Backend(name, state=partial(_opened, bug="" if name == "honest" else name), values="bytes")
