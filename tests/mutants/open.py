"""Backends that don't open."""

from __future__ import annotations

from typing import Any

from conformance import Backend, Where
from tests.mutants.base import Mutant


def _refuse(where: Where) -> Any:
    raise OSError(f"no server for {where.namespace}")


MUTANTS = [
    Mutant("open_raises", "opening raises", ("BACKEND-OPEN-01",), Backend("open_raises", state=_refuse)),
]
