"""The oracle of the `state` contract: what a correct store holds after any sequence of calls."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any


@dataclass
class StateModel:
    """A mapping that keeps copies."""

    content: dict[str, Any] = field(default_factory=dict)

    def put(self, key: str, value: Any) -> None:
        """Keep a copy of the value."""
        self.content[key] = copy.deepcopy(value)

    def delete(self, key: str) -> None:
        """Remove a key that is there."""
        del self.content[key]

    def keys(self) -> list[str]:
        """Return the keys, sorted."""
        return sorted(self.content)
