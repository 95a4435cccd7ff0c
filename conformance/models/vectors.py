"""The oracle of the `vectors` contract: what a correct store holds after any sequence of calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.values.vectors import Vector


@dataclass
class VectorsModel:
    """A dict of vectors, and one of their metadata."""

    vectors: dict[str, Vector] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, vectors: Mapping[str, Vector], metadata: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep copies, instead of what is there."""
        for key, vector in vectors.items():
            self.vectors[key] = list(vector)
            self.metadata[key] = dict(metadata.get(key, {}))

    def delete(self, keys: Iterable[str]) -> None:
        """Forget what is there of some ids."""
        for key in keys:
            self.vectors.pop(key, None)
            self.metadata.pop(key, None)

    def having(self, where: Mapping[str, Any]) -> dict[str, Vector]:
        """Return the vectors of the records whose metadata have all of some values."""
        return {key: vector for key, vector in self.vectors.items() if where.items() <= self.metadata[key].items()}
