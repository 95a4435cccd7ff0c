"""A conformance kit for storage backends: `pytest --backend=mystore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.backend import Backend, Where

if TYPE_CHECKING:
    from conformance.adapt import adapt

__all__ = ["Backend", "Where", "adapt"]


def __getattr__(name: str) -> Any:
    # adapt pulls in inspect-heavy code that the plugin does not need in a pytest run without --backend.
    if name == "adapt":
        from conformance.adapt import adapt

        return adapt
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
