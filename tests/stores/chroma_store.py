"""Chroma's persistent client: one collection with vectors of eight dimensions; metadata that are empty are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import chromadb
from chromadb.config import Settings

from conformance import Backend, Where, adapt

if TYPE_CHECKING:
    from collections.abc import Sequence

DIMENSION, METRIC = 8, "l2"
#: Its index finds by approximation; the share is what its users may expect of HNSW with few records.
RECALL = 0.95


def open_vectors(where: Where) -> Any:
    """Open the collection."""
    client = chromadb.PersistentClient(str(where.path / "store"), Settings(anonymized_telemetry=False))
    records = client.get_or_create_collection(
        "records", configuration={"hnsw": {"space": METRIC}}, embedding_function=None
    )

    def add(ids: Sequence[str], vectors: Any, metadata: Any) -> None:
        records.upsert(list(ids), vectors, [about or None for about in metadata])

    def get(ids: Sequence[str]) -> list[dict[str, Any] | None]:
        found = records.get(list(ids), include=["embeddings", "metadatas"])
        rows = {
            key: {"id": key, "vector": [float(number) for number in vector], "metadata": dict(about or {})}
            for key, vector, about in zip(found["ids"], found["embeddings"], found["metadatas"], strict=True)
        }
        return [rows.get(key) for key in ids]

    def query(vector: Any, k: int, where: Any = None) -> list[tuple[str, float]]:
        having = [{key: value} for key, value in (where or {}).items()]
        wanted = having[0] if len(having) == 1 else {"$and": having} if having else None
        found = records.query(query_embeddings=[vector], n_results=k, where=wanted, include=["distances"])
        return list(zip(found["ids"][0], found["distances"][0], strict=True))

    return adapt(
        client,
        add=add,
        query=query,
        get=get,
        delete=lambda ids: records.delete(list(ids)),
        length=records.count,
        dimension=lambda: DIMENSION,
        metric=lambda: METRIC,
        recall=lambda: RECALL,
    )


backend = Backend("chroma", vectors=open_vectors)
