"""A counter that is read, and then put one higher: increments may be lost and are counted, none may be invented."""

from __future__ import annotations

from conformance.histories.operation import History
from conformance.histories.verdict import Verdict


def check_counts(history: History) -> Verdict:
    """Return whether all that is read of a counter is a count that it may have had.

    Args:
        history: Of one `put` of the first count, of `increment`, and of a `get` when all is quiet.
    """
    first = next((one.value for one in history if one.verb == "put"), 0)
    increments = [one for one in history if one.verb == "increment"]
    for one in history:
        if one.verb == "put" or one.outcome != "ok":
            continue
        if not isinstance(one.answer, int):
            told = "nothing" if one.answer is None else one.answer
            return Verdict("not linearizable", f"the counter is {told}", (one,), checker="counts")
        if not first <= one.answer <= first + len(increments):
            why = f"the counter is {one.answer} after {len(increments)} increments of {first}"
            return Verdict("not linearizable", why, (one,), checker="counts")
    return Verdict("linearizable", checker="counts")


def lost(history: History) -> int:
    """Return how many increments were lost, of those that were acknowledged."""
    first = next((one.value for one in history if one.verb == "put"), 0)
    counted = sum(one.verb == "increment" and one.outcome == "ok" for one in history)
    last = [one.answer for one in history if one.verb == "get" and isinstance(one.answer, int)]
    return max(0, first + counted - last[-1]) if last else 0
