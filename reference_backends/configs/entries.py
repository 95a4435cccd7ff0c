"""Any key and any value, each in a document of its own: a store of configurations as the `state` contract has it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from reference_backends._json import check_key
from reference_backends._mapping import AtomicMapping
from reference_backends.configs.errors import CorruptConfig
from reference_backends.configs.store import ConfigStore, kebab


class EntryState(AtomicMapping):
    """A `state` store over a store of configurations, which belongs to this one from then on.

    A document holds the key and the value, and has the name that is nearest to the key, with a hash of it. What a value
    holds is never taken for a reference. Every verb raises what the store of configurations does.

    Args:
        configs: Where the documents are kept.
    """

    def __init__(self, configs: ConfigStore) -> None:
        self._configs = configs

    def __getitem__(self, key: str) -> Any:
        name = _name(key)
        try:
            entry = self._configs.raw(name)
        except KeyError:
            raise KeyError(key) from None
        if entry.keys() != {"version", "key", "value"} or entry["key"] != key:
            raise CorruptConfig(f"The document {name!r} is not the entry of {key!r}.")
        return entry["value"]

    def __setitem__(self, key: str, value: Any) -> None:
        self._configs[_name(key)] = {"key": key, "value": value}

    def __delitem__(self, key: str) -> None:
        try:
            del self._configs[_name(key)]
        except KeyError:
            raise KeyError(key) from None

    def __contains__(self, key: object) -> bool:
        return _name(key) in self._configs

    def __iter__(self) -> Iterator[str]:
        for name in self._configs:
            try:
                entry = self._configs.raw(name)
            except KeyError:
                continue  # deleted meanwhile
            key = entry.get("key")
            if type(key) is not str or _name(key) != name:
                raise CorruptConfig(f"The document {name!r} is the entry of no key.")
            yield key

    def __len__(self) -> int:
        return len(self._configs)

    def close(self) -> None:
        """Close the store of configurations."""
        self._configs.close()

    def _writing(self) -> AbstractContextManager[None]:
        return self._configs.writing()


def _name(key: object) -> str:
    check_key(key)
    text = str(key)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    # A name that says nothing of an odd key is as good as any other, and the hash keeps names apart.
    return f"{kebab(text)[:40].strip('-') or 'key'}-{digest[:40]}"
