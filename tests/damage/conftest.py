"""What the tests of the damage engine share: crews, and specimens that were recorded once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from conformance.backend import Backend
from conformance.damage.specimen import Specimen, specimens
from conformance.workers import Crew


class Benches:
    """Crews and specimens of stores, made when first asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.known: dict[str, tuple[Crew, list[Specimen]]] = {}

    def of(self, backend: Backend) -> tuple[Crew, list[Specimen]]:
        """Return those of a store."""
        if backend.name not in self.known:
            crew = self.stack.enter_context(closing(Crew(backend, "state", 1)))
            self.known[backend.name] = (crew, specimens(crew, 0, "json"))
        return self.known[backend.name]


@pytest.fixture(scope="package")
def benches() -> Iterator[Benches]:
    """Crews and specimens for the tests of this folder."""
    with ExitStack() as stack:
        yield Benches(stack)
