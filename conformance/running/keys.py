"""What the hooks share through pytest's config. Imported in every pytest run, so it imports nothing else of the kit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.run import Run

#: The short options that a conftest of the user, or another plugin, owns.
ALIASES_TAKEN = pytest.StashKey[list[str]]()
#: The run; absent unless one was asked for.
RUN: pytest.StashKey[Run] = pytest.StashKey()
#: The result record, once it is made.
REPORT = pytest.StashKey[dict[str, Any]]()


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this process is a pytest-xdist worker: those don't report."""
    return hasattr(config, "workerinput")


def cache_folder(config: pytest.Config) -> Path | None:
    """Return pytest's cache directory for the kit; None when the cache is switched off."""
    cache = getattr(config, "cache", None)
    return Path(cache.mkdir("conformance")) if cache is not None else None
