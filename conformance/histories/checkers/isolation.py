"""The isolation level that transactions kept, where a list is one value that is read and written whole."""

from __future__ import annotations

from conformance.histories.checkers.transactions import ANOMALIES, LEVELS, anomalies, level_left
from conformance.histories.operation import History
from conformance.histories.verdict import Verdict


def check_isolation(history: History, level: str) -> Verdict:
    """Return whether a history keeps an isolation level; if not, which one it keeps, and the worst anomaly.

    Args:
        history: Of transactions, as in `transactions`, and of other calls, which say nothing.
        level: One of LEVELS.
    """
    try:
        found = anomalies([one for one in history if one.verb == "transaction"], rewritten=True)
    except ValueError as error:
        return Verdict("unknown", str(error), checker="isolation")
    asked = LEVELS.index(level)
    broken = [name for name in found if LEVELS.index(ANOMALIES[name][0]) <= asked]
    if not broken:
        return Verdict("linearizable", checker="isolation")
    left = level_left(found)
    held = "no isolation level holds" if left == "none" else f"what holds is {left}"
    why = f"{ANOMALIES[broken[0]][1]}: {broken[0]}, so it is not {level}; {held}"
    witness = tuple(sorted(found[broken[0]], key=lambda one: one.call))
    return Verdict("not linearizable", why, witness, checker="isolation")
