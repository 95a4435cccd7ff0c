"""langchain-tests: `BaseStoreSyncTests` on a byte store over the planted one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from langchain_core.stores import BaseStore
from langchain_tests.integration_tests.base_store import BaseStoreSyncTests
from planted import Planted, open_planted


class ByteStore(BaseStore[str, bytes]):
    """The planted store by the verbs of langchain."""

    def __init__(self, store: Planted) -> None:
        self.store = store

    def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self.store.get(key) for key in keys]

    def mset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        for key, value in key_value_pairs:
            self.store[key] = value

    def mdelete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.store.pop(key, None)

    def yield_keys(self, *, prefix: str | None = None) -> Iterator[str]:
        return (key for key in list(self.store) if key.startswith(prefix or ""))


class TestPlanted(BaseStoreSyncTests[bytes]):
    @pytest.fixture
    def kv_store(self, tmp_path, monkeypatch):
        store = open_planted(tmp_path / "store")
        yield ByteStore(store)
        store.close()

    @pytest.fixture
    def three_values(self):
        return b"foo", b"bar", b"buzz"
