"""LangChain's LocalFileStore: a file of bytes for each key, with verbs that take several keys."""

from __future__ import annotations

from typing import Any

from langchain_classic.storage import LocalFileStore

from conformance import Backend, Where, adapt


def open_state(where: Where) -> Any:
    """Open the directory."""
    store = LocalFileStore(where.path / "store")
    return adapt(
        store,
        get=lambda key: store.mget([key])[0],
        set=lambda key, value: store.mset([(key, value)]),
        delete=lambda key: store.mdelete([key]),
        keys="yield_keys",
        missing=None,
        close=None,
    )


backend = Backend("langchain-local-file-store", state=open_state, values="bytes")
