"""fsspec's mapper on the local file system: a file of bytes for each key."""

from __future__ import annotations

from typing import Any

import fsspec

from conformance import Backend, Where


def open_state(where: Where) -> Any:
    """Open the directory."""
    return fsspec.get_mapper(str(where.path / "store"), create=True)


backend = Backend("fsspec", state=open_state, values="bytes")
