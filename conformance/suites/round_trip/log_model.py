"""The `log` contract against its oracle, in random sequences of all that the log offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check

if TYPE_CHECKING:
    from conformance.trial import Trial


@check(
    "LOG-MODEL-01",
    sources="LOG-01 to LOG-19, LOG-44 to LOG-47; Hypothesis stateful testing",
    needs=("LOG-BASIC-01", "LOG-POSITION-01", "LOG-HEAD-01", "LOG-READ-01"),
)
def test_random_sequences_agree_with_the_model(trial: Trial) -> None:
    """Any sequence of appends, batches, reads, checkpoints, compactions and reopenings gives what a list would give.

    Why: bugs live between the rules: a batch after a refused append after a reopening. The shortest is shown.

    Breaks it:

        def append_batch(self, events):
            if self._head is None:            # not known since the reopening
                self._head = self._count()    # of the events left, not of all
    """
    # Here, because Hypothesis is slow to import.
    from conformance.models.log_machine import LogMachine
    from conformance.random_examples import run_machine

    class Machine(LogMachine):
        def __init__(self) -> None:
            super().__init__(trial)

    run_machine(trial, Machine)
