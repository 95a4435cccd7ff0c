"""What is measured of a `state` store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from conformance.benchmarks.contracts import DELETE, GET, PUT, SCAN
from conformance.benchmarks.items import Findings, measures

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.benchmarks.laboratory import Laboratory

_CONTRACT = "state"


@measures()
def test_put(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A value is put under a key that is there, and acknowledged, by one caller: the time of a put."""
    return laboratory.alone(_CONTRACT, PUT, backends)


@measures()
def test_put_by_threads(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """8 threads, or tasks of an async store, share a handle and put at once: the time divided by all their puts."""
    return laboratory.at_once(_CONTRACT, PUT, backends, "threads")


@measures()
def test_put_by_processes(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """8 processes put at once, each with a handle of its own: the time divided by all their puts."""
    return laboratory.at_once(_CONTRACT, PUT, backends, "processes")


@measures()
def test_get(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A value is got by its key: the time of a get."""
    return laboratory.alone(_CONTRACT, GET, backends)


@measures()
def test_delete(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A key that was put just before, unmeasured, is deleted, and that is acknowledged: the time of a delete."""
    return laboratory.alone(_CONTRACT, DELETE, backends)


@measures()
def test_scan(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """All keys and values are read, by `items()` where the store has it: the time divided by the entries."""
    return laboratory.alone(_CONTRACT, SCAN, backends)


@measures()
def test_open(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A closed store of many entries is opened from files that are not in memory, and one is got: the time of both."""
    return laboratory.openings.opened(_CONTRACT, backends)


@measures(timed=False)
def test_space(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """The bytes that a closed store takes on the disk for each entry, less those of an empty one and of the entry."""
    return laboratory.openings.space(_CONTRACT, backends)
