"""Hypothesis, set up for stores: no deadline, its own database, one seed, a fresh place for each example."""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import hypothesis
import hypothesis.strategies as st
from hypothesis import stateful
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.errors import HypothesisException

from conformance.result import Blocked, Inconclusive, NotApplicable

if TYPE_CHECKING:
    from conformance.trial import Trial

M = TypeVar("M", bound=Callable[..., None])
#: What ends a sequence and is no failure of the store.
_NO_FAILURE = (HypothesisException, NotApplicable, Blocked, Inconclusive)


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


@dataclass(frozen=True)
class _Step:
    """One step of a sequence, as it was drawn."""

    method: Callable[..., None]
    when: Callable[[Any], object] | None
    drawn: dict[str, Any]


def rule(when: Callable[[Any], object] | None = None, **drawn: st.SearchStrategy[Any]) -> Callable[[M], M]:
    """Make a method of a `PlacedMachine` a step of random sequences.

    Args:
        when: Asked about the machine before each step; when it says no, there is no such step now.
        **drawn: What the arguments are drawn from.
    """

    def decorate(method: M) -> M:
        @functools.wraps(method)
        def step(machine: PlacedMachine, **arguments: Any) -> None:
            # A step may be made of others, which are no steps of the sequence then.
            if not machine.is_inside:
                machine.steps.append(_Step(method, when, copy.deepcopy(arguments)))
            outer, machine.is_inside = machine.is_inside, True
            try:
                method(machine, **arguments)
            finally:
                machine.is_inside = outer

        ruled: Any = cast("Any", stateful.rule)(**drawn)(step)
        return cast("M", ruled if when is None else cast("Any", stateful.precondition)(when)(ruled))

    return decorate


class PlacedMachine(stateful.RuleBasedStateMachine):
    """A state machine on a store in a fresh place, which is left with the exception that ends the run.

    Attributes:
        steps: What was done so far.
        is_inside: Whether a step is being done.
    """

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.steps: list[_Step] = []
        self.is_inside = False
        self._fresh = trial.fresh()
        self.session = self._fresh.__enter__()
        self.store = self.session.open()

    def teardown(self) -> None:
        """Leave the place."""
        # Hypothesis tears down in a `finally`, so the exception that ended the sequence is the current one.
        self._fresh.__exit__(*sys.exc_info())


def run_machine(trial: Trial, machine: Callable[[], PlacedMachine]) -> None:
    """Run a state machine; the smallest failing sequence is run last, and raises.

    Smallest means: without any one of its steps it fails no more. Hypothesis makes the arguments small, but keeps steps
    that nothing depends on: which rules a sequence has it draws with the first use of each, so that a sequence without
    its first steps is read as another one.
    """
    last: list[PlacedMachine] = []

    def factory() -> PlacedMachine:
        trial.count("sequences")
        last[:] = [machine()]
        return last[0]

    # As above: the database is keyed by this function.
    factory.__name__ = trial.check.code.replace("-", "_")
    hypothesis.seed(trial.seed)(factory)
    try:
        # Any callable that makes a machine will do, whatever the annotation says (says Hypothesis's stateful.py).
        stateful.run_state_machine_as_test(factory, settings=settings_for(trial))  # type: ignore[arg-type]
    except _NO_FAILURE:
        raise
    except Exception as error:  # noqa: BLE001 - raised below
        failure = error
    else:
        return
    if last:
        _repeat(factory, _minimised(factory, last[0].steps, type(failure)))
    raise failure  # with the sequence as Hypothesis left it, where it fails only now and then


def _minimised(factory: Callable[[], PlacedMachine], steps: Sequence[_Step], kind: type[Exception]) -> list[_Step]:
    """Return some of the steps, which end in an exception of the same kind; without any of them they do not."""
    found, at = list(steps), len(steps) - 1
    while at >= 0:
        fewer = found[:at] + found[at + 1 :]
        try:
            _repeat(factory, fewer)
        except kind:
            found = fewer
            at = len(found)  # what stands behind it may not be needed any more
        except Exception:  # noqa: BLE001 - another failure: the step belongs to this one
            pass
        at -= 1
    return found


def _repeat(factory: Callable[[], PlacedMachine], steps: Sequence[_Step]) -> None:
    """Do the steps on a fresh store; those that are not possible, now that others are gone, are left out."""
    machine = factory()
    try:
        for step in steps:
            if step.when is None or step.when(machine):
                step.method(machine, **copy.deepcopy(step.drawn))
    finally:
        machine.teardown()
