"""Which crash states of a recorded workload are recovered, under which disk models, and what is said of them.

Nothing is recovered here, so it does not matter by whom that is done, and in which order.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from conformance.crash.disk import MODELS, CrashState, Disk
from conformance.crash.history import Moment, Verdict
from conformance.crash.observe import Observation
from conformance.crash.recorded import Recorded


@dataclass(frozen=True)
class Budget:
    """How much is tried in one exploration.

    Args:
        states: Distinct trees that are recovered.
        seconds: No further tree is begun after so long.
        least: Trees that are begun however long they take, so that a slow store is looked at, too.
        representatives: States kept of each kind of behaviour; None for all.
        counted: States beyond the budget are counted, up to this many: it takes nearly as long as to make them.
    """

    states: int
    seconds: float
    representatives: int | None = 2
    counted: int = 0
    least: int = 1


@dataclass(frozen=True)
class Finding:
    """A crash state that is not judged fine.

    Args:
        verdict: What is wrong.
        model: The disk model that allows it.
        state: What of the trace is on disk.
        moment: How far the workload was.
        observation: What the store showed.
    """

    verdict: Verdict
    model: str
    state: CrashState
    moment: Moment
    observation: Observation

    @property
    def in_creation(self) -> bool:
        """Whether nothing had been acknowledged yet."""
        return self.moment.acknowledged == 0


@dataclass(frozen=True)
class Explored:
    """What came of an exploration.

    Args:
        model: The name of the disk model.
        trees: Distinct trees that were recovered.
        judged: Judgements: a tree may be met at several moments.
        left: States that were left out: by the budget, as far as it counts them, or because the store hung.
        findings: What is not fine, in the order of discovery.
    """

    model: str
    trees: int
    judged: int
    left: int
    findings: tuple[Finding, ...]


def disk_of(recorded: Recorded, model: str, scratch: frozenset[int]) -> Disk:
    """Return a trace under a model. A kill leaves scratch files as they are; power loss may leave anything."""
    immaterial = frozenset[int]() if MODELS[model].kill else scratch
    return Disk(recorded.recording.trace, MODELS[model], immaterial)


@dataclass
class Exploration:
    """One exploration of a recorded workload, under several models; the budget is that of each.

    Args:
        recorded: The workload.
        scratch: Nodes whose content is immaterial.
        budget: How much is tried.
        seed: For what is drawn.
    """

    recorded: Recorded
    scratch: frozenset[int]
    budget: Budget
    seed: int
    _runs: list[_Run] = field(default_factory=list)

    def new(
        self, models: Sequence[str], size: int, known: Collection[bytes] = ()
    ) -> Iterator[tuple[Disk, dict[bytes, frozenset[int]]]]:
        """Give the states whose trees are to be recovered, each tree once, some at a time, as they are asked for.

        Args:
            models: The disk models, one after the other.
            size: How many are given at once.
            known: Names of trees that have been recovered already.
        """
        given: set[bytes] = set()  # by an earlier model, and perhaps not recovered yet
        for model in models:
            disk = disk_of(self.recorded, model, self.scratch)
            states = disk.states(self.seed, self.budget.representatives)
            run = _Run(model, states, time.monotonic() + self.budget.seconds, self.budget.least)
            self._runs.append(run)
            new: dict[bytes, frozenset[int]] = {}
            for state in states:
                name = disk.fingerprint(state.kept)
                if run.meets(name, state, self.recorded.moments[state.point]) and name not in given:
                    given.add(name)
                    if name not in known:
                        new[name] = state.kept
                if len(new) >= size:
                    yield disk, new
                    new = {}
                if self._over(run):
                    break
            if new:
                yield disk, new

    def _over(self, run: _Run) -> bool:
        met = len(run.cases)
        return met >= self.budget.states or (met >= run.least and time.monotonic() > run.until)

    def stop(self) -> None:
        """Give no further state."""
        for run in self._runs:
            run.until = run.least = 0

    def judged(self, observations: Mapping[bytes, Observation]) -> list[Explored]:
        """Return what is found under each model, by what the store showed on each tree."""
        return [self._judged(run, observations) for run in self._runs]

    def _judged(self, run: _Run, observations: Mapping[bytes, Observation]) -> Explored:
        judged = 0
        findings: list[Finding] = []
        recovered = {name: cases for name, cases in run.cases.items() if name in observations}
        for name, cases in recovered.items():
            observation = observations[name]
            verdicts = self.recorded.history.judge_at(observation, [moment for _, moment in cases])
            judged += len(cases)
            findings += [
                Finding(verdict, run.model, state, moment, observation)
                for (state, moment), verdict in zip(cases, verdicts, strict=True)
                if verdict != "fine"
            ]
        run.left += sum(1 for _ in islice(run.states, self.budget.counted - run.left))
        left = run.left + len(run.cases) - len(recovered)  # after one that hung, the rest may not have been recovered
        return Explored(run.model, len(recovered), judged, left, tuple(findings))


@dataclass
class _Run:
    """An exploration that is under way.

    Args:
        model: The disk model.
        states: Those that have not been looked at yet.
        until: When to stop, by the monotonic clock.
        least: How many trees to meet before that.
        cases: The trees that were met, each with the first state that led to it at each moment.
        left: States beyond the budget that have been counted.
    """

    model: str
    states: Iterator[CrashState]
    until: float
    least: int
    cases: dict[bytes, list[tuple[CrashState, Moment]]] = field(default_factory=dict)
    left: int = 0

    def meets(self, name: bytes, state: CrashState, moment: Moment) -> bool:
        """Note a state; tell whether its tree is new."""
        new = name not in self.cases
        cases = self.cases.setdefault(name, [])
        if all(moment is not known and moment != known for _, known in cases):
            cases.append((state, moment))
        return new
