"""Servers whose files lie on the disk that is measured: those of a run lie in memory, where a sync costs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from conformance.backend import Backend
from conformance.serving import serving_at

#: Said of a store whose server lies anywhere.
ELSEWHERE = "its server lies on a disk of its own"


@contextmanager
def servers_on_disk(backends: Sequence[Backend], folder: Path) -> Iterator[dict[str, str]]:
    """Have the servers of some backends on the file system of a folder for as long as the block takes.

    Args:
        backends: Those without a server are left as they are.
        folder: On the disk that is measured.

    Yields:
        By backend what must be said of its disk, where it is not that of the folder.

    Raises:
        NoServer: A server that could be started before can't be.
    """
    from conformance.servers import folders

    told: dict[str, str] = {}
    done: set[str] = set()
    with ExitStack() as blocks:
        for backend in backends:
            server = backend.server
            if server is None:
                continue
            key = f"{server.name} {sorted(server.settings.items())!r}"
            parent = open_to_all(folder)
            if key not in done and parent is not None:
                place = blocks.enter_context(folders.passing(str(parent)))
                here = blocks.enter_context(serving_at(server, place))
                if here.private and here.local:
                    done.add(key)
            if key not in done:
                told[backend.name] = ELSEWHERE
        yield told


def open_to_all(folder: Path) -> Path | None:
    """Return the nearest folder above, on the same file system, that every user may pass and we may write to.

    A server that runs as another user could not reach its files elsewhere. None where there is none.
    """
    device = folder.stat().st_dev
    for one in folder.parents:
        if one.stat().st_dev != device or one == Path(one.anchor):
            return None
        if all(above.stat().st_mode & 0o001 for above in (one, *one.parents)) and os.access(one, os.W_OK):
            return one
    return None
