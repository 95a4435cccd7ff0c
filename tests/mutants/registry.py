"""All mutants: every module of this package that has a list `MUTANTS` adds to it."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import cache
from pathlib import Path

from conformance import Backend
from tests.mutants.base import Mutant


@cache
def mutants() -> list[Mutant]:
    """Return every mutant, in the order of the modules."""
    found: list[Mutant] = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        module = importlib.import_module(f"tests.mutants.{path.stem}")
        found += [_addressed(mutant) for mutant in getattr(module, "MUTANTS", [])]
    return found


def _addressed(mutant: Mutant) -> Mutant:
    # A backend is an address: other processes find the mutant by its name.
    return replace(mutant, backend=replace(mutant.backend, address=f"{__name__}:BACKENDS.{mutant.name}"))


class _Backends:
    def __getattr__(self, name: str) -> Backend:
        for mutant in mutants():
            if mutant.name == name:
                return mutant.backend
        raise AttributeError(name)


BACKENDS = _Backends()
