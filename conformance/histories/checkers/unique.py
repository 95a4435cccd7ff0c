"""One register whose written values are unique: the cheapest checker that decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.histories.checkers.filters import check_filters
from conformance.histories.checkers.lookahead import check_lookahead
from conformance.histories.checkers.zones import check_zones
from conformance.histories.operation import Operation
from conformance.histories.verdict import Verdict


def values_are_unique(operations: Sequence[Operation], initial: Any = None) -> bool:
    """Return whether each value of one key is written at most once, and neither "missing" nor `initial` is.

    What surely did nothing does not count.
    """
    values = [
        one.value
        for one in operations
        if one.verb in ("put", "cas") and one.outcome != "fail" and (one.verb == "put" or one.answer or _crashed(one))
    ]
    distinct = set(values)
    return len(distinct) == len(values) and None not in distinct and initial not in distinct


def check_unique(operations: Sequence[Operation], initial: Any = None, budget: int = 200_000) -> Verdict:
    """Return whether the history of one key is linearizable.

    The answer is right, and may only take longer, where values are not unique after all.

    Args:
        operations: Gets, puts, deletes and swaps, all of one key.
        initial: What it held at the start.
        budget: How many states a search may remember before it gives up.
    """
    found = check_zones(operations, initial)
    if found is None and values_are_unique(operations, initial):
        found = check_filters(operations, initial)
    return found or check_lookahead(operations, initial, budget)


def _crashed(operation: Operation) -> bool:
    return operation.outcome == "info"
