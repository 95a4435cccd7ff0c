"""Hypothesis, set up for stores: no deadline, its own database, one seed, a fresh place for each example."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import hypothesis
import hypothesis.strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

if TYPE_CHECKING:
    from conformance.trial import Trial


def settings_for(trial: Trial) -> hypothesis.settings:
    """Return settings that depend on the trial alone, not on a profile that the user's project may have loaded."""
    database = trial.bench.database
    return hypothesis.settings(
        max_examples=trial.effort.examples,
        stateful_step_count=trial.effort.steps,
        deadline=None,  # disks are slow now and then
        database=DirectoryBasedExampleDatabase(database) if database else None,
        derandomize=False,
        suppress_health_check=[check for check in hypothesis.HealthCheck if isinstance(check, hypothesis.HealthCheck)],
        phases=[p for p in hypothesis.Phase if p is not hypothesis.Phase.explain],
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
    )


def run_examples(trial: Trial, body: Callable[..., None], strategies: tuple[Any, ...]) -> None:
    """Run `body` on random examples of `strategies`; the smallest failing one is run last, and raises."""

    def example(drawn: tuple[Any, ...]) -> None:
        trial.count("examples")
        body(*drawn)

    # Hypothesis keys its database by source and name of the function; without this all checks would share one key.
    example.__name__ = f"{trial.check.code}_{body.__name__}".replace("-", "_")
    given = hypothesis.given(st.tuples(*strategies))(example)
    hypothesis.seed(trial.seed)(settings_for(trial)(given))()


class PlacedMachine(RuleBasedStateMachine):
    """A state machine on a store in a fresh place, which is left with the exception that ends the run."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self._fresh = trial.fresh()
        self.session = self._fresh.__enter__()
        self.store = self.session.open()

    def teardown(self) -> None:
        """Leave the place."""
        # Hypothesis tears down in a `finally`, so the exception that ended the sequence is the current one.
        self._fresh.__exit__(*sys.exc_info())


def run_machine(trial: Trial, machine: type[RuleBasedStateMachine]) -> None:
    """Run a state machine; the smallest failing sequence is run last, and raises."""

    def factory() -> RuleBasedStateMachine:
        trial.count("sequences")
        return machine()

    # As above: the database is keyed by this function.
    factory.__name__ = trial.check.code.replace("-", "_")
    hypothesis.seed(trial.seed)(factory)
    # Any callable that makes a machine will do, whatever the annotation says (documented in Hypothesis's stateful.py).
    run_state_machine_as_test(factory, settings=settings_for(trial))  # type: ignore[arg-type]
