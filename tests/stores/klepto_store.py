"""klepto's dir_archive: a directory for each key, in which the value is pickled."""

from __future__ import annotations

from typing import Any

from klepto.archives import dir_archive

from conformance import Backend, Where


def open_state(where: Where) -> Any:
    """Open the archive itself, without a cache in memory."""
    return dir_archive(str(where.path / "store"), cached=False)


backend = Backend("klepto", state=open_state)
