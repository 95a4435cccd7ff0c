"""Stores of many designs that damage can't fool, or that promise no more than they keep; none must be accused."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256, shake_256
from pathlib import Path
from typing import Any

from conformance import Backend
from tests.mutants.corruption_base import CheckedJournal, CorruptError, checked, unchecked
from tests.mutants.corruption_logs import EventFiles, EventFilesLog
from tests.mutants.corruption_states import CheckedFiles
from tests.mutants.corruption_stores import PROMISES, CheckedLog, CheckedState
from tests.mutants.crash_base import Changes, TextState
from tests.mutants.crash_files import Document, replace_file
from tests.mutants.crash_log_base import log_on, state_on
from tests.mutants.crash_marks import Opener
from tests.odd.state import AsyncState


class ZippedJournal(CheckedJournal):
    """Keeps texts compressed, so that none is found in its files."""

    def pack(self, text: str) -> bytes:
        """Compress."""
        return zlib.compress(text.encode())

    def unpack(self, body: bytes) -> str:
        """Decompress."""
        return zlib.decompress(body).decode()


class ArmouredJournal(CheckedJournal):
    """Keeps texts in letters and digits, as those do who send them by mail."""

    def pack(self, text: str) -> bytes:
        """Armour."""
        return base64.b64encode(text.encode())

    def unpack(self, body: bytes) -> str:
        """Take the armour off."""
        return base64.b64decode(body).decode()


class SecretJournal(CheckedJournal):
    """Keeps texts that look like noise."""

    def pack(self, text: str) -> bytes:
        """Mix with the noise of a key."""
        data = text.encode()
        return bytes(one ^ noise for one, noise in zip(data, shake_256(b"key").digest(len(data)), strict=True))

    def unpack(self, body: bytes) -> str:
        """Mix once more."""
        return bytes(one ^ noise for one, noise in zip(body, shake_256(b"key").digest(len(body)), strict=True)).decode()


class RefusingDocument(Document):
    """One file under one checksum: whatever is damaged, it refuses to open."""

    def load(self) -> dict[str, str]:
        """Return what is in the file; raise when anything in it is another."""
        if not self.path.exists():
            return {}
        texts: dict[str, str] = json.loads(unchecked(self.path.read_bytes()))
        return texts

    def save(self, texts: dict[str, str]) -> None:
        """Replace the file."""
        replace_file(self.path, checked(json.dumps(texts).encode()))


class TwoCopies(TextState):
    """Keeps everything twice, and reads the newer of the copies that are sound: no damage to one file does harm."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.paths = (path.with_suffix(".1"), path.with_suffix(".2"))
        self.number = 0
        there = [path for path in self.paths if path.exists()]
        found = [copy for path in there if (copy := self.copy(path))]
        if there and not found:
            raise CorruptError("no copy is sound")
        for number, texts in sorted(found, key=lambda copy: copy[0]):
            self.number, self.kept = number, texts

    def copy(self, path: Path) -> tuple[int, dict[str, str]] | None:
        """Return what a copy says; None when it is damaged."""
        with suppress(CorruptError):
            number, texts = json.loads(unchecked(path.read_bytes()))
            return number, texts
        return None

    def write(self, changes: Changes) -> None:
        """Write one copy after the other."""
        texts = {key: text for key, text in {**self.kept, **changes}.items() if text is not None}
        self.number += 1
        for path in self.paths:
            replace_file(path, checked(json.dumps([self.number, texts]).encode()))


class VerifyAlone(Document):
    """Serves what can be parsed; only `verify()` compares it with the digest that was written beside it."""

    def __init__(self, path: Path) -> None:
        self.digest = path.with_suffix(".sha256")
        super().__init__(path)

    def save(self, texts: dict[str, str]) -> None:
        """Replace both files."""
        super().save(texts)
        replace_file(self.digest, self.digest_of(self.path.read_bytes()))

    def digest_of(self, data: bytes) -> bytes:
        """Return the digest of a file."""
        return sha256(data).hexdigest().encode()

    def verify(self) -> dict[str, Any]:
        """Compare the file with its digest."""
        self.refuse_closed()
        data = self.path.read_bytes() if self.path.exists() else b""
        due = self.digest.read_bytes() if self.digest.exists() else b""
        sound = self.digest_of(data) == due if data or due else True
        return {"healthy": len(self.kept) if sound else 0, "damaged": [] if sound else [self.path.name]}


class SavedAtClose(TwoCopies):
    """Writes nothing before it is closed, and promises no more: a kill leaves an empty store."""

    def write(self, changes: Changes) -> None:
        """Keep changes in memory."""

    def close(self) -> None:
        """Save everything."""
        if not self.closed:
            super().write({})
        super().close()


def _state(name: str, store: Callable[[Path], Any], **promises: Any) -> Backend:
    return Backend(name, state=Opener(store), sharing="single", **promises)


#: They keep more; but what a crash does to their like is tried in crash.py.
QUICK: dict[str, Any] = {"durability": "clean-close"}

_HONEST = [
    state_on(CheckedJournal, "odd_damage_checked_state", CheckedState, **PROMISES),
    log_on(CheckedJournal, "odd_damage_checked_log", CheckedLog, **PROMISES),
    state_on(ZippedJournal, "odd_damage_zipped_state", CheckedState, **PROMISES, **QUICK),
    log_on(ArmouredJournal, "odd_damage_armoured_log", CheckedLog, **PROMISES, **QUICK),
    state_on(SecretJournal, "odd_damage_secret_state", CheckedState, **PROMISES, **QUICK),
    _state(
        "odd_damage_async", lambda path: AsyncState(CheckedState(CheckedJournal(path))), corruption="complete", **QUICK
    ),
    _state("odd_damage_files", CheckedFiles, corruption="isolates", durability="process-crash"),
    log_on(EventFiles, "odd_damage_event_files", EventFilesLog, corruption="isolates", durability="process-crash"),
    _state("odd_damage_refusing", RefusingDocument, durability="process-crash"),
    _state("odd_damage_two_copies", TwoCopies, corruption="complete", durability="clean-close"),
    _state("odd_damage_verify_alone", VerifyAlone, durability="clean-close"),
    _state("odd_damage_saved_at_close", SavedAtClose, corruption="isolates", durability="clean-close"),
    _state("odd_damage_silent", Document, corruption="silent", **QUICK),
]
#: They are as plain as any in all else.
SUITES = ("corruption",)
#: By their addresses, so that other processes open them too.
ODD = [replace(backend, address=f"{__name__}:{backend.name.upper()}") for backend in _HONEST]
globals().update({backend.name.upper(): backend for backend in ODD})
