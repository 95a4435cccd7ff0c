"""What the checks of this suite share: the specimens of a store, damaged in many copies, and judged by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from conformance.crash.recorded import Unmeasured
from conformance.damage.damage import Damage, Operator, Splice
from conformance.damage.examine import Case, Shown
from conformance.damage.judge import Judged, about
from conformance.damage.operators import damages
from conformance.damage.records import Name
from conformance.damage.show import picture, story, title
from conformance.damage.specimen import Specimen, specimens, within
from conformance.damage.sweep import Broken, Budget, Finding, Rule, Swept, intact, sweep
from conformance.hosting import embedded
from conformance.result import Inconclusive, NotApplicable, Violation
from conformance.workers import Crew, WorkerError

if TYPE_CHECKING:
    from conformance.backend import Backend
    from conformance.trial import Trial

#: Places in one value that are damaged at most.
_IN_ONE = 64


@dataclass
class Laboratory:
    """The crew of one backend and contract, and its specimens by name, with what they are without any damage."""

    crew: Crew
    specimens: dict[str, tuple[Specimen, Judged]] = field(default_factory=dict)


@contextmanager
def _laboratory(backend: Backend, contract: str) -> Iterator[Laboratory]:
    # It knows nothing of the bench, which would never end if what it keeps kept it.
    with closing(Crew(backend, contract)) as crew:
        yield Laboratory(crew)


def laboratory(trial: Trial) -> Laboratory:
    """Return the laboratory of the trial's backend and contract.

    Raises:
        NotApplicable: Nothing of the store lasts.
        Inconclusive: No process could open the backend, or it could not be recorded.
    """
    contract = trial.check.contract
    if trial.backend.durability == "volatile":
        raise NotApplicable("durability is promised at 'volatile' only: there is nothing that could be damaged")
    backend = embedded(trial.backend)
    try:
        lab = trial.bench.room(("damage", contract), lambda: _laboratory(backend, contract))
        if not lab.specimens:
            offers = trial.bench.profile.offered(contract)
            found = specimens(lab.crew, trial.bench.seed, trial.backend.values, offers)
            lab.specimens.update({one.name: (one, intact(lab.crew, one)) for one in found})
    except (Unmeasured, WorkerError) as error:
        raise Inconclusive(str(error)) from error
    return lab


def _specimen(trial: Trial, name: str) -> Specimen:
    specimen, judged = laboratory(trial).specimens[name]
    if judged.kind == "harmless":
        return specimen
    why = f"without any damage, the {name} store does not hold what was acknowledged: {judged.kind}, {about(judged)}"
    if name != "closed" and trial.backend.durability == "clean-close":
        raise NotApplicable(f"{why}. It promises that only where it was closed")
    raise Inconclusive(why)


def require(
    trial: Trial,
    operators: Sequence[Operator],
    broken: Rule,
    name: str = "closed",
    *,
    all_of_it: bool = False,
) -> Swept:
    """Require that no damage by some operators is broken.

    Args:
        trial: The trial.
        operators: What is done to the files.
        broken: The rule.
        name: Of the specimen.
        all_of_it: Whether what `verify()` has named damage in is read, too.

    Raises:
        Violation: Some is; it shows the damage, and what was read.
        Inconclusive: Nothing could be damaged.
    """
    specimen = _specimen(trial, name)
    made = damages(specimen.tree, operators, older=specimen.older, seed=trial.seed)
    return _swept(trial, specimen, (Case(damage, all_of_it=all_of_it) for damage in made), broken)


def require_of_values(trial: Trial, name: str = "closed", *, repair: bool = False) -> Swept:
    """Require that damage within the value of one record costs no other.

    The newest record of a log that was killed is left as it is: its end may rightly be taken for an unfinished write.

    Args:
        trial: The trial.
        name: Of the specimen.
        repair: Whether the store repairs itself before it is asked.

    Raises:
        NotApplicable: The values are not found in the files.
        Violation: Another record can't be read, or not any more after one more write.
    """
    specimen = _specimen(trial, name)
    named = [record for record, places in specimen.regions.items() if places]
    if name == "killed" and trial.check.contract == "log":
        named = [record for record in named if record != len(specimen.regions)]
    if len(named) < 2:
        raise NotApplicable(
            "the values do not stand in the files as they were written: nobody can tell whose record a byte belongs to"
        )
    return _swept(trial, specimen, _cases_within(specimen, named, trial.seed, repair=repair), _loses)


def _cases_within(specimen: Specimen, named: Sequence[Name], seed: int, *, repair: bool) -> Iterator[Case]:
    records = tuple(specimen.truth.records)
    made = [_within(specimen, *place, seed) for place in within(specimen, named)]
    while made:
        left = []
        for name, source in made:
            damage = next(source, None)
            if damage is not None:
                yield Case(damage, tuple(other for other in records if other != name), repair)
                left.append((name, source))
        made = left


def _within(
    specimen: Specimen, name: Name, path: str, offset: int, length: int, seed: int
) -> tuple[Name, Iterator[Damage]]:
    content = specimen.tree[path] or b""
    part = {path: content[offset : offset + length]}
    operators: tuple[Operator, ...] = ("bit flipped", "byte changed", "block zeroed")
    found = damages(part, operators, seed=seed)
    moved = (
        Damage(one.operator, path, tuple(Splice(offset + s.offset, s.length, s.data) for s in one.splices), one.note)
        for one in found
        if one.splices
    )
    return name, islice(moved, _IN_ONE)


def _swept(trial: Trial, specimen: Specimen, cases: Iterator[Case], broken: Rule) -> Swept:
    lab, effort = laboratory(trial), trial.effort
    tried = 0

    def progress(more: int) -> None:
        nonlocal tried
        tried += more
        trial.bench.progress(f"{trial.check.code}: {tried:,} damaged copies")

    try:
        found = sweep(lab.crew, specimen, cases, Budget(effort.damages, effort.crash_seconds), broken, progress)
    except WorkerError as error:
        raise Inconclusive(str(error)) from error
    trial.count("damaged stores", found.tried)
    for kind in sorted({kind for _, kind in found.classes}):
        trial.count(kind, sum(count for (_, other), count in found.classes.items() if other == kind))
    if found.left:
        trial.count("damages left out, at least", found.left)
    if found.finding is not None:
        raise _violation(found.finding)
    trial.count("comparisons", found.tried)
    return found


def _loses(shown: Shown) -> Broken | None:
    return None if shown.lost is None else Broken("an undamaged record is lost", shown.lost)


def _violation(finding: Finding) -> Violation:
    judged = finding.broken.judged
    return Violation(
        f"{title(finding.case.damage)}: {finding.broken.what}",
        expected=judged.expected or "the truth, or an error",
        got=about(judged),
        story=story(finding),
        frame=finding.shown.frame,
        picture=picture(finding),
    )
