"""zarr.testing: `StoreTests` and the state machine of stores, on a zarr store over the planted one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from planted import Planted, open_planted
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, cpu, default_buffer_prototype
from zarr.testing.stateful import ZarrStoreStateMachine
from zarr.testing.store import StoreTests


class ZarrStore(Store):
    """The planted store by the verbs of zarr."""

    supports_writes = supports_deletes = supports_listing = True
    supports_partial_writes = False

    def __init__(self, folder: str, *, read_only: bool = False) -> None:
        super().__init__(read_only=read_only)
        self.folder = folder
        self.store: Planted = open_planted(folder)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ZarrStore) and (other.folder, other.read_only) == (self.folder, self.read_only)

    def __reduce__(self):
        return _again, (self.folder, self.read_only)

    def __repr__(self) -> str:
        return f"ZarrStore({self.folder!r})"

    def with_read_only(self, read_only: bool = False) -> ZarrStore:
        return ZarrStore(self.folder, read_only=read_only)

    async def _ready(self) -> None:
        if not self._is_open:
            await self._open()

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        await self._ready()
        value = self.store.get(key)
        if value is None:
            return None
        match byte_range:
            case RangeByteRequest(start, end):
                value = value[start:end]
            case OffsetByteRequest(offset):
                value = value[offset:]
            case SuffixByteRequest(suffix):
                value = value[max(0, len(value) - suffix) :]
            case None:
                pass
            case _:
                raise TypeError(f"Unexpected byte_range, got {byte_range}.")
        return (prototype or default_buffer_prototype()).buffer.from_bytes(value)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        return key in self.store

    async def set(self, key: str, value: Buffer) -> None:
        self._check_writable()
        await self._ready()
        if not isinstance(value, Buffer):
            raise TypeError(f"ZarrStore.set(): `value` must be a Buffer instance. Got an instance of {type(value)}.")
        self.store[key] = value.to_bytes()

    async def delete(self, key: str) -> None:
        self._check_writable()
        self.store.pop(key, None)

    async def list(self) -> AsyncIterator[str]:
        for key in list(self.store):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        for key in list(self.store):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        start = prefix.rstrip("/") + "/" if prefix.rstrip("/") else ""
        for name in dict.fromkeys(key[len(start) :].partition("/")[0] for key in self.store if key.startswith(start)):
            yield name


def _again(folder: str, read_only: bool) -> ZarrStore:
    return ZarrStore(folder, read_only=read_only)


class TestPlanted(StoreTests[ZarrStore, cpu.Buffer]):
    store_cls = ZarrStore
    buffer_cls = cpu.Buffer

    # What the kit asks for here must not use the store's own verbs: it opens the honest one on the same files.
    async def set(self, store: ZarrStore, key: str, value: Buffer) -> None:
        open_planted(store.folder, "")[key] = value.to_bytes()

    async def get(self, store: ZarrStore, key: str) -> Buffer:
        return self.buffer_cls.from_bytes(open_planted(store.folder, "")[key])

    @pytest.fixture
    def store_kwargs(self, tmp_path):
        return {"folder": str(tmp_path / "store")}

    def test_store_repr(self, store: ZarrStore) -> None:
        assert repr(store) == f"ZarrStore({store.folder!r})"

    def test_store_supports_writes(self, store: ZarrStore) -> None:
        assert store.supports_writes

    def test_store_supports_listing(self, store: ZarrStore) -> None:
        assert store.supports_listing


def test_random_sequences_agree_with_the_model(tmp_path) -> None:
    store = ZarrStore(str(tmp_path / "store"))
    # Its first step clears the store, so that one serves all sequences, as in the project's own tests.
    run_state_machine_as_test(
        lambda: ZarrStoreStateMachine(store),
        settings=settings(
            deadline=None, max_examples=50, derandomize=True, suppress_health_check=list(HealthCheck), database=None
        ),
    )
