"""All mutants: every module of this package that has a list `MUTANTS` adds to it."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.mutants.base import Mutant


def mutants() -> list[Mutant]:
    """Return every mutant, in the order of the modules."""
    found: list[Mutant] = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        module = importlib.import_module(f"tests.mutants.{path.stem}")
        found += getattr(module, "MUTANTS", [])
    return found
