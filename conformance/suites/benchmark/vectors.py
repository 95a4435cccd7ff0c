"""What is measured of a `vectors` store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from conformance.benchmarks.contracts import ADD, GET_VECTOR, QUERY
from conformance.benchmarks.items import Findings, measures

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.benchmarks.laboratory import Laboratory

_CONTRACT = "vectors"


@measures()
def test_add(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A record that is there is added with another vector, and acknowledged: the time of an add."""
    return laboratory.alone(_CONTRACT, ADD, backends)


@measures()
def test_get(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A record is got by its id: the time of a get."""
    return laboratory.alone(_CONTRACT, GET_VECTOR, backends)


@measures()
def test_query(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """The 10 nearest records to a vector are searched: the time of a search."""
    return laboratory.alone(_CONTRACT, QUERY, backends)
