"""The `runs` contract against its oracle, in random sequences of all that the store offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "RUNS-MODEL-01",
    sources="RUN-01 to RUN-28; Hypothesis stateful testing",
    needs=("RUNS-BASIC-01", "RUNS-LIST-01", "RUNS-SAVE-01"),
)
def test_random_sequences_of_runs_agree_with_the_model(trial: Trial) -> None:
    """Any sequence of saves, deletes, events, forks, acquires and reopenings gives what a dict of runs would give.

    Why: bugs live between the rules: an event after a fork after a delete after a reopening. The shortest is shown.

    Breaks it:

        def _load(self):
            for record in self._journal:      # a delete is a record, too
                self._runs.setdefault(record["id"], record)
    """
    # Here, because Hypothesis is slow to import.
    from conformance.models.runs_machine import RunsMachine
    from conformance.random_examples import run_machine

    class Machine(RunsMachine):
        def __init__(self) -> None:
            super().__init__(trial)

    run_machine(trial, Machine)
