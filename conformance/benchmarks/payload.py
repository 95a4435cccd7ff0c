"""What is written and read: keys, values and records, of one size, and of the domain that is promised."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from conformance.values.vectors import random_vectors

#: Letters of the text in a value.
LETTERS = 200
#: Texts that differ; what is written over and over is not always the same.
_TEXTS = 64
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
#: All numbers that are written have so many digits: records of one length.
_FIRST = 1_000_000_000


@dataclass(frozen=True)
class Payload:
    """Records of a domain of values.

    Args:
        domain: What the backend promises to keep: `bytes` keeps nothing else; all others keep JSON.
        seed: Of the texts, which are random, so that nothing is won by compressing them.
        keys: How many records the store is filled with; what writes over and over writes these.
        dimension: Of vectors; 0 for none.
    """

    domain: str
    seed: int
    keys: int
    dimension: int = 0
    texts: list[str] = field(init=False, repr=False, compare=False)
    vectors: list[list[float]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        drawn = random.Random(self.seed)
        texts = ["".join(drawn.choices(_ALPHABET, k=LETTERS)) for _ in range(_TEXTS)]
        object.__setattr__(self, "texts", texts)
        vectors = random_vectors(self.seed, _TEXTS, self.dimension) if self.dimension else []
        object.__setattr__(self, "vectors", vectors)

    def key(self, number: int) -> str:
        """Return the key of a number."""
        return f"key-{_FIRST + number}"

    def known(self, number: int) -> str:
        """Return the key of one of the records that the store was filled with."""
        return self.key(number % self.keys)

    def vector(self, number: int) -> list[float]:
        """Return the vector of a number."""
        return self.vectors[number % _TEXTS]

    def value(self, number: int) -> Any:
        """Return the value of a number; a log takes the same for an event."""
        if self.domain == "bytes":
            return f"{_FIRST + number} {self.texts[number % _TEXTS]}".encode()
        return {"n": _FIRST + number, "text": self.texts[number % _TEXTS]}

    def size(self, record: Any) -> int:
        """Return the bytes of a record: its own, or those of its shortest JSON."""
        if isinstance(record, bytes):
            return len(record)
        return len(record if isinstance(record, str) else json.dumps(record, separators=(",", ":")))
