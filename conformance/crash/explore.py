"""Exploring: every crash state of a recorded workload under a disk model, as far as the budget goes, worst first.

Each distinct tree is recovered once, whatever states lead to it, and judged for each moment that it may be met at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from conformance.crash.disk import MODELS, CrashState, Disk
from conformance.crash.history import Moment, Verdict
from conformance.crash.observe import Observation
from conformance.crash.recorded import Recorded
from conformance.crash.reopen import Batch, observe_all, observe_alone, observe_batch
from conformance.crash.tree import Tree, at_once, digest
from conformance.workers import Crew

#: Trees that a worker is given at once: few, so that all begin soon, and none has much left when the others are done.
BATCH = 8
#: Batches that a worker has at hand: a model that adds few trees to those of the one before takes long to make one.
AHEAD = 3


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
        left: States that the budget left out, as far as the budget counts them.
        findings: What is not fine, in the order of discovery.
    """

    model: str
    trees: int
    judged: int
    left: int
    findings: tuple[Finding, ...]


@dataclass
class Explorer:
    """Explores one recorded workload under several models; a tree that two of them allow is recovered once.

    Args:
        crew: Of the store.
        recorded: The workload.
        scratch: Nodes whose content is immaterial.
        progress: Called with how many trees have been recovered.
    """

    crew: Crew
    recorded: Recorded
    scratch: frozenset[int] = frozenset()
    progress: Callable[[int], None] = lambda _: None
    observations: dict[bytes, Observation] = field(default_factory=dict)

    def explore(self, model: str, budget: Budget, seed: int) -> Explored:
        """Return what is found under a model."""
        return self.explore_all([model], budget, seed)[0]

    def explore_all(self, models: Sequence[str], budget: Budget, seed: int) -> list[Explored]:
        """Return what is found under each of several models; the budget is that of each.

        States of the next model are worked out while the workers recover those of the one before.
        """
        runs: list[_Run] = []
        for batch, found in self.crew.spread(observe_batch, self._batches(models, runs, budget, seed), ahead=AHEAD):
            self.observations.update(found)
            self.progress(len(batch.trees))
            if any(one.usable == "hung" for one in found.values()):  # the rest may hang too: that is finding enough
                for run in runs:
                    run.until = run.least = 0
        return [self._judged(run, budget) for run in runs]

    def _judged(self, run: _Run, budget: Budget) -> Explored:
        judged = 0
        findings: list[Finding] = []
        recovered = {name: cases for name, cases in run.cases.items() if name in self.observations}
        for name, cases in recovered.items():
            observation = self.observations[name]
            verdicts = self.recorded.history.judge_at(observation, [moment for _, moment in cases])
            judged += len(cases)
            findings += [
                Finding(verdict, run.model, state, moment, observation)
                for (state, moment), verdict in zip(cases, verdicts, strict=True)
                if verdict != "fine"
            ]
        left = sum(1 for _ in islice(run.states, budget.counted))
        return Explored(run.model, len(recovered), judged, left, tuple(findings))

    def disk(self, model: str) -> Disk:
        """Return the trace under a model. A kill leaves scratch files as they are; power loss may leave anything."""
        scratch = frozenset[int]() if MODELS[model].kill else self.scratch
        return Disk(self.recorded.recording.trace, MODELS[model], scratch)

    def observe(self, tree: Tree) -> Observation:
        """Return what the store shows on one tree."""
        name = digest(tree)
        if name not in self.observations:
            self.observations.update(self.crew.call(observe_all, {name: tree}))
        return self.observations[name]

    def observe_alone(self, tree: Tree) -> Observation:
        """Return what the store shows on a tree in a process that has opened nothing else."""
        found: Observation = self.crew.call(observe_alone, tree)
        return found

    def observe_all(self, trees: Sequence[Tree]) -> None:
        """Observe trees, all workers taking part, so that `observe` knows them."""
        named = {digest(tree): tree for tree in trees}
        self.observations.update(
            observed(self.crew, {name: tree for name, tree in named.items() if name not in self.observations})
        )

    def _batches(self, models: Sequence[str], runs: list[_Run], budget: Budget, seed: int) -> Iterator[Batch]:
        number = time.monotonic_ns()
        size = min(at_once(self.recorded.recording.real, BATCH), budget.states // (4 * len(self.crew)))
        given: set[bytes] = set()  # by an earlier model, and perhaps not observed yet
        for model in models:
            disk = self.disk(model)
            states = disk.states(seed, budget.representatives)
            run = _Run(model, states, time.monotonic() + budget.seconds, budget.least)
            runs.append(run)
            new: dict[bytes, frozenset[int]] = {}
            for state in states:
                name = disk.fingerprint(state.kept)
                if run.meets(name, state, self.recorded.moments[state.point]) and name not in given:
                    given.add(name)
                    if name not in self.observations:
                        new[name] = state.kept
                if len(new) >= size:
                    yield Batch(number, {each: disk.tree(kept) for each, kept in new.items()})
                    new = {}
                if len(run.cases) >= budget.states or (len(run.cases) >= run.least and time.monotonic() > run.until):
                    break
            if new:
                yield Batch(number, {each: disk.tree(kept) for each, kept in new.items()})


@dataclass
class _Run:
    """An exploration that is under way.

    Args:
        model: The disk model.
        states: Those that have not been looked at yet.
        until: When to stop, by the monotonic clock.
        least: How many trees to meet before that.
        cases: The trees that were met, each with the first state that led to it at each moment.
    """

    model: str
    states: Iterator[CrashState]
    until: float
    least: int
    cases: dict[bytes, list[tuple[CrashState, Moment]]] = field(default_factory=dict)

    def meets(self, name: bytes, state: CrashState, moment: Moment) -> bool:
        """Note a state; tell whether its tree is new."""
        new = name not in self.cases
        cases = self.cases.setdefault(name, [])
        if all(moment is not known and moment != known for _, known in cases):
            cases.append((state, moment))
        return new


def observed(crew: Crew, trees: Mapping[bytes, Tree]) -> dict[bytes, Observation]:
    """Return what the store shows on each of some trees, by the same names; all workers take part."""
    names = list(trees)
    size = min([-(-len(names) // len(crew)), *(at_once(tree, BATCH) for tree in trees.values())]) or 1
    batches = [{name: trees[name] for name in names[start : start + size]} for start in range(0, len(names), size)]
    found: dict[bytes, Observation] = {}
    for _, some in crew.spread(observe_all, batches):
        found.update(some)
    return found
