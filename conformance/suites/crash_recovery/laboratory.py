"""What the checks of this suite share: workloads recorded once, explored once under each model, and judged by rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from conformance.crash.again import Twice
from conformance.crash.case import Case
from conformance.crash.explore import Budget, Explored, Explorer, Finding
from conformance.crash.history import MEANING
from conformance.crash.recorded import Unmeasured, chosen, recorded
from conformance.crash.recorder import Choice
from conformance.crash.scratch import names_of_scratch, scratch_files
from conformance.crash.show import Shown, shown
from conformance.crash.smallest import smallest, with_more_on_disk
from conformance.crash.workloads import Workload, workload
from conformance.hosting import embedded
from conformance.result import Inconclusive, Violation
from conformance.workers import Crew, WorkerError

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.trial import Trial

#: Power loss on the disks that people have: a violation is a failure.
POWER = ("ext4", "xfs")
#: The search for scratch files, of all workloads, may take so many times the budget of an exploration, and so many
#: seconds at most: where a server does not sync, each of its files may be one.
_SCRATCH, _SCRATCH_S = 4, 20.0
#: Crash states of each workload and model that are recovered in any case.
_LEAST = 6
#: Contracts whose stores are compositions in most backends.
_RECORDS = ("runs", "jobs", "layers")
#: Verdicts, worst first.
_WORST = tuple(MEANING)


@dataclass
class Laboratory:
    """The crew of one backend and contract, and what it has found so far."""

    crew: Crew
    choice: Choice
    scratch: set[str] = field(default_factory=set)
    searched_s: float = 0.0
    explorers: dict[str, Explorer] = field(default_factory=dict)
    explored: dict[tuple[str, str], Explored] = field(default_factory=dict)


@contextmanager
def _laboratory(backend: Backend, contract: str, size: int | None) -> Iterator[Laboratory]:
    # It knows nothing of the bench, which would never end if what it keeps kept it.
    with closing(Crew(backend, contract, size)) as crew:
        yield Laboratory(crew, crew.call(chosen))


def laboratory(trial: Trial) -> Laboratory:
    """Return the laboratory of the trial's backend and contract; its processes are started when first asked for.

    Raises:
        Inconclusive: No process could open the backend.
    """
    contract, backend = trial.check.contract, embedded(trial.backend)
    alone = 1 if trial.bench.case is not None else None  # one saved state needs one process
    try:
        lab = trial.bench.room(("crash", contract), lambda: _laboratory(backend, contract, alone))
    except WorkerError as error:
        raise Inconclusive(str(error)) from error
    if trial.bench.case is not None:
        return lab  # a saved case is opened, and nothing is recorded
    trial.conditions["recorder"] = lab.choice.name
    if lab.choice.refused:
        trial.conditions["fallback"] = " ".join(lab.choice.refused)
    return lab


def workload_of(trial: Trial, name: str) -> Workload:
    """Return a workload by its name, with values of the promised domain."""
    contract, profile = trial.check.contract, trial.bench.profile
    offers = {*profile.methods[contract], *profile.offered(contract)} - profile.disclaimed(contract).keys()
    if contract == "layers" and "precedence" in offers and _layers(trial) < 2:
        offers.remove("precedence")  # a step in a second layer can't be taken; without a layer all are in the first
    return workload(contract, name, domain=trial.backend.values, seed=trial.bench.seed, offers=offers)


def _layers(trial: Trial) -> int:
    """Return how many layers the store has."""
    with trial.fresh() as session:
        driver, store = session.open().reach()
        return len(driver.attribute(store, "precedence"))


def explorer_of(trial: Trial, name: str) -> Explorer:
    """Return the explorer of a workload, which is carried out and recorded when first asked for.

    Raises:
        Inconclusive: It could not be recorded, or a gate is closed; the text says why.
    """
    lab = laboratory(trial)
    if name not in lab.explorers:
        try:
            one = recorded(lab.crew, workload_of(trial, name).steps)
            explorer = Explorer(lab.crew, one)
            begun, seconds = time.monotonic(), min(_SCRATCH * trial.effort.crash_seconds, _SCRATCH_S)
            explorer.scratch = scratch_files(explorer, lab.scratch, seconds - lab.searched_s)
            lab.scratch |= names_of_scratch(explorer)
            lab.searched_s += time.monotonic() - begun
        except (Unmeasured, WorkerError) as error:
            raise Inconclusive(str(error)) from error
        lab.explorers[name] = explorer
    recording = lab.explorers[name].recorded.recording
    trial.conditions["recorder"] = recording.recorder
    if recording.unseen:
        trial.conditions["not seen"] = ", ".join(recording.unseen)
    return lab.explorers[name]


def budget_of(trial: Trial) -> tuple[int, float]:
    """Return the crash states and the seconds of one exploration.

    A backend that opens a state as well keeps its records in the same way as a rule: then half is enough for them.
    """
    share = 2 if trial.check.contract in _RECORDS and trial.backend.state is not None else 1
    return trial.effort.crash_states // share, trial.effort.crash_seconds / share


def share_of(trial: Trial, count: int) -> Budget:
    """Return the budget of each of so many explorations that share that of one; there is a least for each."""
    states, seconds = budget_of(trial)
    least, least_s = min(20, states // 2), min(0.2, 0.4 * seconds)
    return Budget(max(least, states // count), max(least_s, seconds / count), representatives=1, least=3)


def explored(trial: Trial, name: str, models: Sequence[str]) -> list[Explored]:
    """Return what explorations found; a second check of the same workload and model takes what the first found."""
    explorer = explorer_of(trial, name)
    known = laboratory(trial).explored
    new = [model for model in models if (name, model) not in known]
    if new:
        states, seconds = budget_of(trial)
        budget = Budget(states, seconds, counted=states // 2, least=_LEAST)
        explorer.progress = Progress(trial, f"{name}, {' and '.join(new)}")
        known.update(((name, one.model), one) for one in explorer.explore_all(new, budget, trial.bench.seed))
    told = trial.conditions.get("disk models", "").split()
    trial.conditions["disk models"] = " ".join(dict.fromkeys([*told, *models]))
    found = [known[name, model] for model in models]
    trial.count("crash states", sum(one.trees for one in found))
    trial.count("comparisons", sum(one.judged for one in found))
    if left := sum(one.left for one in found):
        trial.count("states left out", left)
    return found


@dataclass
class Progress:
    """Tells how many crash states have been recovered, while it goes on."""

    trial: Trial
    what: str
    count: int = 0

    def __call__(self, more: int) -> None:
        """Count, and tell."""
        self.count += more
        self.trial.bench.progress(f"{self.trial.check.code}: {self.what}: {self.count:,} crash states")


def require(trial: Trial, name: str, models: tuple[str, ...], broken: Callable[[Finding], bool]) -> None:
    """Require that no crash state of a workload is broken, under any of the models.

    Raises:
        Violation: One is; it shows the smallest case that was found.
    """
    for one in explored(trial, name, models):
        findings = [finding for finding in one.findings if broken(finding)]
        sure = confirmed(explorer_of(trial, name), findings, broken)
        if sure is not None:
            raise violation(trial, name, sure, len(findings))


def confirmed(
    explorer: Explorer, findings: Sequence[Finding], broken: Callable[[Finding], bool] = lambda _: True
) -> Finding | None:
    """Return the worst and earliest finding that a process shows too that has opened nothing else.

    A child opens the store on many trees. What it shows on one must not be the fault of what an earlier one left. What
    the process shows that has opened nothing else counts, also where that is broken in another way.
    """
    for finding in sorted(findings, key=_badness):
        tree = explorer.disk(finding.model).tree(finding.state.kept)
        observation = explorer.observe_alone(tree)
        verdict = explorer.recorded.history.judge(observation, finding.moment)
        again = replace(finding, verdict=verdict, observation=observation)
        if verdict != "fine" and broken(again):
            return again
    return None


def violation(trial: Trial, name: str, worst: Finding, count: int) -> Violation:
    """Return what to show of a finding, made as small as it goes, of so many."""
    trial.bench.progress(f"{trial.check.code}: looking for the smallest case")
    explorer, finding = smallest(explorer_of(trial, name), worst, trial.bench.seed)
    note = f"{count:,} of the states tried fail; this is the smallest found"
    return told(trial, explorer, finding, shown(explorer, finding), f"{name}, {note}")


def second_violation(trial: Trial, twice: Twice, worst: Finding) -> Violation:
    """Return what to show of a crash during recovery: the first crash in a line, the second in full."""
    finding = with_more_on_disk(twice.explorer, worst)
    text = shown(twice.explorer, finding)
    first = f"the first crash: {twice.first.label}; what follows is the recovery, which crashes too"
    picture = {**text.picture, "rows": [{"row": "note", "text": first}, *text.picture["rows"]]}
    text = replace(text, story=(first, *text.story), picture=picture)
    return told(trial, twice.explorer, finding, text, "a crash during recovery")


def told(trial: Trial, explorer: Explorer, finding: Finding, text: Shown, where: str) -> Violation:
    """Return a violation with the story of a finding, and the case that meets it again."""
    one = explorer.recorded
    case = Case(
        code=trial.check.code,
        contract=trial.check.contract,
        model=finding.model,
        verdict=finding.verdict,
        steps=tuple(one.steps),
        attempts=tuple(one.history.attempts),
        moment=finding.moment,
        files=explorer.disk(finding.model).tree(finding.state.kept),
        story=text.story,
    )
    return violated(text, case, where)


def violated(text: Shown, case: Case, where: str) -> Violation:
    """Return a violation."""
    return Violation(
        f"{where}: {text.what}",
        expected=text.expected,
        got=text.got,
        story=text.story,
        frame=text.frame,
        case=case.to_dict(),
        picture=text.picture,
    )


def _badness(finding: Finding) -> tuple[int, int, int]:
    return _WORST.index(finding.verdict), finding.state.point, len(finding.state.kept)
