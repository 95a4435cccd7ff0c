"""A conformance kit for storage backends: `pytest --backend=mystore`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Imported at once: a lazy `adapt` would lose to the module `conformance.adapt`, which its import puts in its place.
from conformance.adapt import adapt
from conformance.backend import Backend, Where

if TYPE_CHECKING:
    from conformance.servers.postgres import PostgresServer
    from conformance.servers.redis import RedisServer

__all__ = ["Backend", "PostgresServer", "RedisServer", "Where", "adapt"]

#: Imported when asked for: a pytest run that asks for no conformance does not pay for them.
_LAZY = {"PostgresServer": "conformance.servers.postgres", "RedisServer": "conformance.servers.redis"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
