"""Vector stores whose records notice damage, and whose index does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from conformance import Where
from tests.mutants.base import Mutant
from tests.mutants.records_corruption_base import Folder, VectorsOn, records, unpacked


class IndexWithoutChecksum(VectorsOn):
    """Keeps an index beside the records, and believes it."""

    def index(self) -> dict[str, Any]:
        path = self.folder.folder / "index"
        rows = json.loads(path.read_bytes() or b"{}") if path.exists() else {}
        return {one: unpacked({"vector": row}) for one, row in rows.items()}

    def add(self, ids: Any, vectors: Any, metadata: Any) -> None:
        super().add(ids, vectors, metadata)
        self.save()

    def delete(self, ids: Any) -> None:
        super().delete(ids)
        self.save()

    def save(self) -> None:
        """Replace the index."""
        rows = {one: value["vector"] for one, value in self.folder.all()}
        self.folder.replace(self.folder.folder / "index", json.dumps(rows).encode())


def _open(where: Where) -> IndexWithoutChecksum:
    return IndexWithoutChecksum(Folder(where.path / "store"))


_NAME = "vectors_index_without_checksum"
MUTANTS = [
    Mutant(
        _NAME,
        "the records have checksums, and the index has none",
        ("VECTORS-CORR-02",),
        replace(records(_NAME, "vectors", Folder), vectors=_open),
    )
]
