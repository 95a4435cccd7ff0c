"""Places: where a store is opened, and how one in a server is kept apart from the others there."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from conformance.backend import Backend, Where
from conformance.serving import served

#: Where a place keeps its namespace.
_NAMESPACE = "namespace"


@dataclass
class ManualClock:
    """A clock that stands still until it is moved; given to stores as `where.clock`.

    Args:
        now: POSIX seconds. The start, in November 2023, is far from the true time, so that a store that ignores
            `where.clock` is noticed.
    """

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def place_of(backend: Backend, folder: Path, *, namespace: str = "conformance") -> Where:
    """Return the place of a store in a folder that exists, with a clock of its own.

    Stores in a server share it, whatever their folder: each gets a namespace that was never used, which is kept in its
    folder. So it is the same on a reopen, in any process, and a new one when the folder was emptied.

    Args:
        backend: What is opened there.
        folder: All files of the store are below it, if it has any.
        namespace: That of a store that has no server; it may name its files after it.
    """
    if backend.server is None:
        return Where(folder, namespace, ManualClock())
    here = served(backend.server)
    return Where(folder, _kept(folder / _NAMESPACE, here.prefix), ManualClock(), here.url)


def _kept(file: Path, prefix: str) -> str:
    if not file.exists():
        fresh = file.with_name(f"{_NAMESPACE}-{uuid.uuid4().hex}")
        fresh.write_text(f"{prefix}-{uuid.uuid4().hex[:12]}")
        try:
            os.link(fresh, file)  # of several that open it first, one names it
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_text()
