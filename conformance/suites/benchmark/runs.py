"""What is measured of a `runs` store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from conformance.benchmarks.contracts import GET_RUN, SAVE_RUN
from conformance.benchmarks.items import Findings, measures

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.benchmarks.laboratory import Laboratory

_CONTRACT = "runs"


@measures()
def test_save(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A run that is there is saved with another content, and acknowledged: the time of a save."""
    return laboratory.alone(_CONTRACT, SAVE_RUN, backends)


@measures()
def test_get(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A run is got by its id: the time of a get."""
    return laboratory.alone(_CONTRACT, GET_RUN, backends)
