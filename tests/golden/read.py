"""Reads all of a store into what JSON can say, to be compared with what is kept beside the golden files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent


def read_state(store: Any) -> dict[str, Any]:
    """Return all that a state store shows."""
    keys = sorted(store)
    found: dict[str, Any] = {"entries": {key: store[key] for key in keys}, "length": len(store)}
    if hasattr(store, "version"):
        found["tokens"] = {key: store.version(key) for key in [*keys, "deleted"]}
    if hasattr(store, "versions"):
        found["versions"] = {
            key: [[version, store.get_version(key, version)] for version in store.versions(key)]
            for key in [*keys, "deleted"]
        }
    if hasattr(store, "list_snapshots"):
        found["snapshots"] = {name: dict(store.load_snapshot(name)) for name in store.list_snapshots()}
    if hasattr(store, "expires_at"):
        found["expiries"] = {key: store.expires_at(key) for key in keys}
    return found


def read_log(log: Any) -> dict[str, Any]:
    """Return all that a log shows."""
    return {
        "first": log.first,
        "head": log.head,
        "events": [list(entry) for entry in log.read(log.first)],
        "checkpoint": list(log.latest_checkpoint()),
    }
