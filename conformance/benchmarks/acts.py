"""What is done with a store in a benchmark: one operation, that is repeated with the arguments of a number."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from conformance.benchmarks.payload import Payload

#: The arguments of the operation with a number.
Arguments = Callable[[Payload, int], tuple[Any, ...]]
#: An operation of several calls: it yields what each call returned, and is sent what came of it when that was awaited.
Steps = Callable[..., Generator[Any, Any, None]]


@dataclass(frozen=True)
class Act:
    """One operation. All functions are importable, as they are sent to other processes.

    Args:
        name: For people: `put`.
        method: Of the store, that is called once; empty where there are steps.
        arguments: Of the method, or of the steps after the store.
        size: Bytes of a record that the operation writes or reads, without what the store adds.
        steps: An operation of several calls.
        reads: Whether it reads only; else it is acknowledged.
        consumes: Whether what the method gives is an iterable that is read to its end.
        before: What is done with the same numbers before, unmeasured.
        records: How many records one operation reads; 0 for all that the store was filled with.
    """

    name: str
    arguments: Arguments
    size: Callable[[Payload], int]
    method: str = ""
    steps: Steps | None = None
    reads: bool = False
    consumes: bool = False
    before: Act | None = None
    records: int = 1
