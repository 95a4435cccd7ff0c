"""A worker: a process of its own that is asked to do things with a store, in children that it forks.

It never opens a store itself: what a store leaves in a process (threads, locks, handles) must not reach the next child.
It is a new interpreter, so it has one thread and may fork.
"""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from conformance.backend import Backend
from conformance.workers.shelf import Shelf


@dataclass(frozen=True)
class Bay:
    """What a worker works with.

    Args:
        backend: The backend, as found at its address.
        contract: The contract that is opened, e.g. `state`.
        folder: A directory of this worker alone.
        kept: What an engine keeps in this worker from one request to the next, by a key of its own.
        shelf: What it and those that it talks to have anyway.
    """

    backend: Backend
    contract: str
    folder: Path
    kept: dict[Any, Any] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def place(self) -> Path:
        """Where every store is opened: always the same path, for stores that write down where they are."""
        return self.folder / "place"

    def cleared(self) -> Path:
        """Return the place, with nothing there."""
        shutil.rmtree(self.place, ignore_errors=True)
        return self.place


def serve(requests: Connection) -> None:
    """Carry out requests, `(function, arguments)`, until the other side is gone; answer `(ok, result or text)`."""
    found, contract, folder, shelf = requests.recv()
    try:
        bay = Bay(found(), contract, Path(folder), shelf=shelf)
    except Exception:  # noqa: BLE001 - told to the other side
        requests.send_bytes(shelf.dumps((False, traceback.format_exc())))
        return
    requests.send_bytes(shelf.dumps((True, None)))
    try:
        while True:
            function, arguments = shelf.loads(requests.recv_bytes())
            try:
                answer = (True, _called(function, bay, arguments))
            except Exception:  # noqa: BLE001 - as above
                answer = (False, traceback.format_exc())
            requests.send_bytes(shelf.dumps(answer))
    except (EOFError, OSError):
        # The other side removes all that is left, unless it was killed, perhaps while it waited for an answer.
        shutil.rmtree(bay.folder, ignore_errors=True)
        with suppress(OSError):
            bay.folder.parent.rmdir()


def _called(function: Callable[..., Any], bay: Bay, arguments: tuple[Any, ...]) -> Any:
    return function(bay, *arguments)
