"""What is found is the same whoever looks for it, and wherever it was added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.suites.replay.everywhere import lives_the_same

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "VECTORS-REPLAY-01",
    sources="RUN-31, VEC-09, VEC-25; mutant vectors_ties_by_hash",
    needs=("VECTORS-BASIC-01",),
)
def test_the_same_records_are_found_everywhere(trial: Trial) -> None:
    """The same records, added in the same order, are found in the same order with the same scores, in whatever process.

    Why: what an agent is told depends on what was found. If that depends on the process, no answer can be explained
    later, and no test of one can be repeated.

    The processes differ in PYTHONHASHSEED, TZ, LANG, the working directory and the seed of `random`; and the wall clock
    is wrong by years, steps back, or stands still. What each of them leaves is read here once more. Scores are compared
    within the precision of 32 bits, and the order of what an approximate store finds is not compared.

    Breaks it:

        best = sorted(set(candidates), key=lambda one: one.score)    # equal ones in the order of a set
    """
    lives_the_same(trial)
