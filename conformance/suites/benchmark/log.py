"""What is measured of a `log` store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from conformance.benchmarks.contracts import APPEND, READ
from conformance.benchmarks.items import Findings, measures

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.benchmarks.laboratory import Laboratory

_CONTRACT = "log"


@measures()
def test_append(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """An event is appended, and acknowledged, by one caller: the time of an append."""
    return laboratory.alone(_CONTRACT, APPEND, backends)


@measures()
def test_append_by_threads(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """8 threads, or tasks of an async store, share a handle and append at once: the time divided by all appends."""
    return laboratory.at_once(_CONTRACT, APPEND, backends, "threads")


@measures()
def test_append_by_processes(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """8 processes append at once, each with a handle of its own: the time divided by all appends."""
    return laboratory.at_once(_CONTRACT, APPEND, backends, "processes")


@measures()
def test_read(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """The first events are read, in one window: the time divided by the events."""
    return laboratory.alone(_CONTRACT, READ, backends)


@measures()
def test_open(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A closed log is opened from files that are not in memory, and its last event is read: the time of both."""
    return laboratory.openings.opened(_CONTRACT, backends)


@measures()
def test_recovery(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """A log is opened from the files that a killed process leaves, and its last event is read, at five lengths."""
    return laboratory.openings.recovered(_CONTRACT, backends)


@measures(timed=False)
def test_space(laboratory: Laboratory, backends: Sequence[Backend]) -> Findings:
    """The bytes that a closed log takes on the disk for each event, less those of an empty one and of the event."""
    return laboratory.openings.space(_CONTRACT, backends)
