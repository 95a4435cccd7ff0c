"""Folds: from events to a state. A backend may give its own; this one takes its place where it gives none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from conformance.backend import Backend
from conformance.values.canonical import digest

Fold = Callable[[Any, Any], Any]


class FoldError(Exception):
    """The fold raised, or gave a state that can't be compared: it is not the log that is to blame."""


def fold_of(backend: Backend) -> Fold:
    """Return the fold that a backend gives, else the kit's."""
    return backend.fold or (fold_bytes if backend.values == "bytes" else fold_events)


def fold_events(state: Any, event: Any) -> dict[str, Any]:
    """Fold an event in: counts, the last value of each key, and a digest that tells every loss and every order."""
    state = state or {"count": 0, "types": {}, "last": {}, "digest": ""}
    kind, fields = type(event).__name__, event if isinstance(event, dict) else {}
    return {
        "count": state["count"] + 1,
        "types": {**state["types"], kind: state["types"].get(kind, 0) + 1},
        "last": {**state["last"], str(fields.get("key", kind)): fields.get("value", event)},
        "digest": digest([state["digest"], event]),
    }


def fold_bytes(state: Any, event: Any) -> bytes:
    """Fold an event of a log of bytes in: such a log can keep no other state than bytes."""
    return hashlib.sha256((state or b"") + digest(event).encode()).digest()


def folded(fold: Fold, state: Any, event: Any) -> Any:
    """Return the state after an event.

    Raises:
        FoldError: The fold raised.
    """
    try:
        return fold(state, event)
    except Exception as error:
        raise FoldError(f"the fold raised {type(error).__name__}: {error}") from error
