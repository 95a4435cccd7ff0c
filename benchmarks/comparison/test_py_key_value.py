"""py-key-value: its `BaseStoreTests` on a store over the planted one.

The tests are in the project's repository, not in what it publishes: `run.py --py-key-value CHECKOUT`.
"""

from __future__ import annotations

import pytest
from key_value.aio._utils.compound import compound_key
from key_value.aio._utils.managed_entry import ManagedEntry
from key_value.aio.stores.base import BaseContextManagerStore, BaseStore
from planted import Planted, open_planted
from tests.stores.base import BaseStoreTests, ContextManagerStoreTestMixin


class PlantedStore(BaseContextManagerStore, BaseStore):
    """The planted store by the verbs of py-key-value."""

    def __init__(self, folder: str) -> None:
        self.store: Planted = open_planted(folder)
        super().__init__(client_provided_by_user=False, stable_api=True)

    async def _setup(self) -> None:
        self._exit_stack.callback(self.store.close)

    async def _get_managed_entry(self, *, key: str, collection: str) -> ManagedEntry | None:
        data = self.store.get(compound_key(collection=collection, key=key))
        return None if data is None else self._serialization_adapter.load_json(json_str=data.decode())

    async def _put_managed_entry(self, *, key: str, collection: str, managed_entry: ManagedEntry) -> None:
        text = self._serialization_adapter.dump_json(entry=managed_entry, key=key, collection=collection)
        self.store[compound_key(collection=collection, key=key)] = text.encode()

    async def _delete_managed_entry(self, *, key: str, collection: str) -> bool:
        return self.store.pop(compound_key(collection=collection, key=key), None) is not None


class TestPlanted(ContextManagerStoreTestMixin, BaseStoreTests):
    @pytest.fixture
    async def store(self, tmp_path):
        return PlantedStore(str(tmp_path / "store"))

    @pytest.mark.skip(reason="as the project's own stores on disk do: this store drops nothing to save room")
    async def test_not_unbounded(self, store: BaseStore) -> None: ...
