"""A conformance kit for storage backends: `pytest --backend=mystore`."""

from __future__ import annotations

# Imported at once: a lazy `adapt` would lose to the module `conformance.adapt`, which its import puts in its place.
from conformance.adapt import adapt
from conformance.backend import Backend, Where

__all__ = ["Backend", "Where", "adapt"]
