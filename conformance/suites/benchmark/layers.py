"""What is measured of a `layers` store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from conformance.benchmarks.contracts import GET_LAYERED, SET
from conformance.benchmarks.items import Findings, measures

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.benchmarks.laboratory import Laboratory

_CONTRACT = "layers"


@measures()
def test_set(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A value is set under a key that is there, and acknowledged: the time of a set."""
    return laboratory.alone(_CONTRACT, SET, backends)


@measures()
def test_get(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A value is got by its key: the time of a get."""
    return laboratory.alone(_CONTRACT, GET_LAYERED, backends)
