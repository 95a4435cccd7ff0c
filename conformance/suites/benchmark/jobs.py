"""What is measured of a `jobs` store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from conformance.benchmarks.contracts import CLAIM, SAVE_JOB
from conformance.benchmarks.items import Findings, measures

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.benchmarks.laboratory import Laboratory

_CONTRACT = "jobs"


@measures()
def test_save(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A job that is there is saved again, and acknowledged: the time of a save."""
    return laboratory.alone(_CONTRACT, SAVE_JOB, backends)


@measures(capability="claims")
def test_claim_and_complete(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A due job is claimed and completed: the time of both."""
    return laboratory.alone(_CONTRACT, CLAIM, backends)
