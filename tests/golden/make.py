"""Writes the golden files: stores as this release writes them, and beside each, as JSON, what must be read of it.

    python -m tests.golden.make v2

Run it once for each release that changes a format, with the next number, and keep all that are there: what an older
release wrote has to be read for ever.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from shutil import copytree
from typing import Any

from conformance.address import load
from conformance.backend import Where
from conformance.session import ManualClock
from tests.golden.read import GOLDEN, read_log, read_state

#: What is written: each kind of JSON value, and keys and texts that formats get wrong.
VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "one": 1,
    "large": 2**70,
    "float": 0.1,
    "minus zero": -0.0,
    "huge": 1e300,
    "text": "naïve \N{SNOWMAN} \N{GRINNING FACE} \x00\n\"'",
    "list": [1, [2, []], {"a": None}],
    "dict": {"b": 1, "a": {"": [True, False]}},
    "": "the empty key",
    "a/b": "a slash",
    "clé": "an accent",
    "x" * 60: "x" * 3_000,  # not longer: a file is named after it, and some systems have short paths
}


def write_state(store: Any) -> None:
    """Write a state: keys that stay, that are overwritten, that are deleted, and what else the store offers."""
    store["deleted"] = 1
    for key, value in VALUES.items():
        store[key] = value
    for number in range(3):
        store["overwritten"] = number
    del store["deleted"]
    if hasattr(store, "save_snapshot"):
        store.save_snapshot("first")
    if hasattr(store, "compact"):
        store.compact()
    if hasattr(store, "transaction"):
        with store.transaction() as inside:
            inside["in a transaction"] = [1]
            inside["overwritten"] = 3
    if hasattr(store, "expires_at"):
        store.set("expires", "in a year", ttl=365 * 86_400)
    store["written last"] = True


def write_log(log: Any) -> None:
    """Write a log: events alone and in batches, a checkpoint, what compaction left, and more."""
    for key, value in VALUES.items():
        log.append({"name": key, "value": value})
    log.checkpoint({"names": list(VALUES)}, log.head - 2)
    log.compact(log.head - 5)
    log.append_batch([1, "two", [3]])
    log.append(None)


def make(release: str) -> None:
    """Write all golden files of a release."""
    for name in ("file", "sqlite", "wal"):
        backend = load(f"reference_backends.{name}:backend")
        for contract, write, read in (("state", write_state, read_state), ("log", write_log, read_log)):
            opener = getattr(backend, contract)
            if opener is None:
                continue
            with tempfile.TemporaryDirectory() as folder:
                where = Where(Path(folder), clock=ManualClock())
                store = opener(where)
                write(store)
                content = read(store)
                store.close()
                target = GOLDEN / f"{name}-{contract}-{release}"
                copytree(folder, target)
            text = json.dumps(content, indent=1, ensure_ascii=True)
            target.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(sys.argv[1])
