"""One register whose written values are unique: the cheapest checker that decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.histories.checkers.filters import check_filters
from conformance.histories.checkers.lookahead import check_lookahead
from conformance.histories.checkers.zones import check_zones
from conformance.histories.operation import Operation
from conformance.histories.verdict import Verdict

#: States after which look-ahead asks the filters first.
STATES_EACH, STATES_MORE = 2, 100


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
    if found is not None or not values_are_unique(operations, initial):
        return found or check_lookahead(operations, initial, budget)
    # Most histories are fine, and look-ahead sees it in about as many states as there are operations. Where it does
    # not, filters know best what is wrong.
    first = min(budget, STATES_EACH * len(operations) + STATES_MORE)
    found = check_lookahead(operations, initial, first)
    if found.holds:
        return found
    filtered = check_filters(operations, initial)
    if filtered or found.broken or first == budget:
        return filtered or found
    return check_lookahead(operations, initial, budget)


def _crashed(operation: Operation) -> bool:
    return operation.outcome == "info"
