"""A sweep of damages that outgrows one machine: they are done, and judged, by any `concurrent.futures.Executor`.

The specimen is recorded once, here. A damage is a few numbers; what the store shows on the damaged copy comes back, and
is counted, in whatever order it comes.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from conformance.address import load
from conformance.crash.recorded import Unmeasured
from conformance.damage.damage import DETECTS, Operator
from conformance.damage.examine import Case, Shown, examine_all, examine_alone
from conformance.damage.judge import NEVER, SILENT
from conformance.damage.operators import damages
from conformance.damage.specimen import Specimen, specimens
from conformance.damage.sweep import Broken, Finding, Rule, Swept, intact
from conformance.hosting import Found, finding, hosted
from conformance.workers import Bay, Crew, WorkerError
from conformance.workers.executors import Task, spread_over

#: Damages of a task: they take longer than to start a worker.
CHUNK = 60


@dataclass(frozen=True)
class Damages:
    """Damages to a specimen, as pure data.

    Args:
        specimen: What is damaged, a copy for each.
        cases: The damages.
        alone: Each copy is opened in a process that opens nothing else.
    """

    specimen: Specimen
    cases: tuple[Case, ...]
    alone: bool = False


def silent(shown: Shown) -> Broken | None:
    """Tell whether damage is served as the truth, or ends or hangs the process: what no promise allows."""
    kind = shown.judged.kind
    return Broken(kind, shown.judged) if kind in (*SILENT, *NEVER) else None


def sweep_damages(
    address: str,
    contract: str,
    *,
    operators: Sequence[Operator] = DETECTS,
    count: int = 600,
    seed: int = 0,
    offers: Collection[str] = (),
    broken: Rule = silent,
    executor: Executor | None = None,
    base: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Swept:
    """Damage the files of a closed store in so many ways; return what came of it, with the smallest that breaks a rule.

    All of them are tried, also after one that breaks the rule. What breaks it is tried again in a process that has
    opened nothing else, and counts only if it is so again.

    Args:
        address: Where the backend is found, here and wherever the executor works: `module:attribute`, or a file.
        contract: What is opened, e.g. `state`.
        operators: What is done to the files.
        count: Damages that are tried, at most.
        seed: Places and values are drawn with it.
        offers: Capabilities that the store offers, for what it is asked to do before.
        broken: The rule.
        executor: Opens the damaged copies; None for this process, one after the other.
        base: The directory that relative file names in the address start from; the working directory unless given.
        progress: Called with how many more have been tried.

    Raises:
        AddressError: Nothing usable is at the address.
        Unmeasured: The store could not be recorded, or its files do not hold what was written, without any damage.
        WorkerError: A worker died, or failed, again and again: nothing is told of what the others found.
    """
    backend = hosted(load(address, base=base))
    with closing(Crew(backend, contract, 1)) as crew:
        specimen = specimens(crew, seed, backend.values, offers)[0]
        sound = intact(crew, specimen)
    if sound.kind != "harmless":
        raise Unmeasured(f"without any damage, the store does not hold what was acknowledged: {sound.kind}")
    found = finding(backend)
    made = [
        Case(damage) for damage in islice(damages(specimen.tree, operators, older=specimen.older, seed=seed), count)
    ]
    place = {case: number for number, case in enumerate(made)}
    swept = Swept()
    suspects: list[Case] = []
    for case, shown in _shown(found, contract, specimen, made, executor, alone=False):
        if shown is None:
            swept.left += 1
            continue
        progress(1)
        swept.note(case, shown)
        if broken(shown) is not None:
            suspects.append(case)
    again = dict(
        _shown(found, contract, specimen, sorted(suspects, key=lambda case: place[case]), executor, alone=True)
    )
    for case in sorted(suspects, key=lambda case: (case.damage.length, place[case])):
        shown = again[case]
        sure = broken(shown) if shown is not None else None
        if shown is not None and sure is not None:
            swept.finding = Finding(specimen, case, shown, sure)
            break
    return swept


def _shown(
    found: Found, contract: str, specimen: Specimen, cases: Iterable[Case], executor: Executor | None, *, alone: bool
) -> Iterator[tuple[Case, Shown | None]]:
    """Give each case with what is shown; None where the store hung before its turn came."""
    left = iter(cases)
    chunks = iter(lambda: tuple(islice(left, CHUNK)), ())
    tasks = (Task(found, contract, examine_damages, (Damages(specimen, some, alone),)) for some in chunks)
    for task, (shown,) in spread_over(executor, tasks):
        asked = task.arguments[0].cases
        if len(shown) < len(asked) and not any(one.judged.kind == "hung" for one in shown):
            lost = f"{len(asked) - len(shown)} of {len(asked)}"
            raise WorkerError(f"{lost} damages that a worker was given did not come back")
        yield from zip(asked, [*shown, *[None] * (len(asked) - len(shown))], strict=True)


def examine_damages(bay: Bay, asked: Damages) -> list[Shown]:
    """Do each damage to a copy, and return what is shown, up to one that hangs; runs in a worker."""
    path = bay.folder / f"specimen-{asked.specimen.name}"
    path.write_bytes(pickle.dumps(asked.specimen))
    if asked.alone:
        return [examine_alone(bay, str(path), case) for case in asked.cases]
    return examine_all(bay, (str(path), list(asked.cases)))
