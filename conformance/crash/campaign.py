"""An exploration that outgrows one machine: its states are recovered by any `concurrent.futures.Executor`.

The workload is recorded once, here. A crash state is a few numbers: which writes of the trace are on the disk. They go
out in chunks, what the store showed comes back, and it is judged here; in which order, and from where, does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from conformance.address import load
from conformance.crash.disk import MODELS, Disk
from conformance.crash.exploration import Budget, Exploration, Explored, disk_of
from conformance.crash.explore import Explorer
from conformance.crash.observe import Observation
from conformance.crash.recorded import Recorded, recorded
from conformance.crash.reopen import observe_all, observe_alone
from conformance.crash.scratch import scratch_files
from conformance.crash.subjects import Step
from conformance.crash.trace import Trace
from conformance.hosting import Found, finding, hosted
from conformance.workers import Bay, Crew, WorkerError
from conformance.workers.executors import Task, spread_over

#: States of a chunk: they take longer than to start a worker, and are few enough to keep many workers busy.
CHUNK = 100
#: Trees that are made at once, where they are recovered.
_TREES = 25
#: What a crash on the disks that people have may leave.
USUAL = ("kill", "ext4", "xfs")


@dataclass(frozen=True)
class Prepared:
    """A workload that was recorded, and all that is needed to explore it anywhere; pure data, which can be pickled.

    Args:
        found: How the backend is found again.
        contract: That of the steps.
        recorded: The workload.
        scratch: Nodes whose content is immaterial.
    """

    found: Found
    contract: str
    recorded: Recorded
    scratch: frozenset[int]


@dataclass(frozen=True)
class States:
    """Crash states of a trace, by the names of their trees.

    Args:
        trace: What was asked of the files.
        model: The name of the disk model.
        scratch: Nodes whose content is immaterial under it.
        kept: What of the trace is on the disk.
        alone: Each is opened in a process that opens nothing else.
    """

    trace: Trace
    model: str
    scratch: frozenset[int]
    kept: Mapping[bytes, frozenset[int]]
    alone: bool = False


def explore(
    address: str,
    contract: str,
    steps: Sequence[Step],
    *,
    models: Sequence[str] = USUAL,
    states: int = 2_000,
    representatives: int | None = 2,
    seed: int = 0,
    executor: Executor | None = None,
    base: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Explored]:
    """Record a workload, and return what is found under each of several disk models.

    What is found depends on the seed and the budget, and not on the executor: the budget is one of states, not of
    seconds.

    Args:
        address: Where the backend is found, here and wherever the executor works: `module:attribute`, or a file.
        contract: That of the steps, e.g. `state`.
        steps: The workload; `conformance.crash.workloads` has some.
        models: Names of disk models.
        states: Distinct trees that are recovered under each model, at most.
        representatives: States kept of each kind of behaviour; None for all.
        seed: For what is drawn.
        executor: Recovers the states; None for this process, one after the other.
        base: The directory that relative file names in the address start from; the working directory unless given.
        progress: Called with how many more states have been recovered.

    Raises:
        AddressError: Nothing usable is at the address.
        Unmeasured: The workload could not be recorded.
        WorkerError: A worker died, or failed, again and again: nothing is told of what the others found.
    """
    one = prepared(address, contract, steps, base=base)
    budget = Budget(states, seconds=float("inf"), representatives=representatives)
    return explored(one, models, budget, seed, executor, progress)


def prepared(address: str, contract: str, steps: Sequence[Step], *, base: Path | None = None) -> Prepared:
    """Record a workload and find its scratch files, in processes of this machine; the arguments are as above.

    Raises:
        AddressError: As above.
        Unmeasured: As above.
        WorkerError: No process could open the backend.
    """
    backend = hosted(load(address, base=base))
    with closing(Crew(backend, contract, 1)) as crew:
        explorer = Explorer(crew, recorded(crew, steps))
        return Prepared(finding(backend), contract, explorer.recorded, scratch_files(explorer))


def explored(
    one: Prepared,
    models: Sequence[str],
    budget: Budget,
    seed: int,
    executor: Executor | None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Explored]:
    """Return what is found under each of several disk models.

    After a state at which the store hangs the rest of its chunk is left out, since each may take as long, and counted.

    Args:
        one: The workload.
        models: Names of disk models.
        budget: Of each; where it is one of seconds, what is found depends on how busy the machines are.
        seed: For what is drawn.
        executor: Recovers the states; None for this process, one after the other.
        progress: Called with how many more states have been recovered.

    Raises:
        WorkerError: As above.
    """
    exploration = Exploration(one.recorded, one.scratch, budget, seed)
    observations: dict[bytes, Observation] = {}
    for found in _observed(one, exploration.new(models, CHUNK), executor):
        observations.update(found)
        progress(len(found))
    # A child opens the store on many states: what it shows on one must not be the fault of what an earlier one left.
    suspects = _suspects(one, exploration.judged(observations))
    for found in _observed(one, suspects, executor, alone=True):
        observations.update(found)
    return exploration.judged(observations)


def _observed(
    one: Prepared,
    chunks: Iterable[tuple[Disk, Mapping[bytes, frozenset[int]]]],
    executor: Executor | None,
    *,
    alone: bool = False,
) -> Iterator[Mapping[bytes, Observation]]:
    states = (States(disk.trace, disk.model.name, disk.scratch, kept, alone) for disk, kept in chunks)
    for task, answers in spread_over(executor, _tasks(one, states)):
        for asked, found in zip(task.arguments, answers, strict=True):
            missing = len(asked.kept.keys() - found.keys())
            if missing and not _hung(found):
                raise WorkerError(
                    f"{missing} of {len(asked.kept)} crash states that a worker was given did not come back"
                )
            yield found


def _tasks(one: Prepared, chunks: Iterable[States]) -> Iterator[Task]:
    """Give a task for each whole chunk; small ones go together, as a model adds few states to those of another."""
    some: list[States] = []
    for states in chunks:
        some.append(states)
        if sum(len(each.kept) for each in some) >= CHUNK:
            yield Task(one.found, one.contract, observe_states, tuple(some))
            some = []
    if some:
        yield Task(one.found, one.contract, observe_states, tuple(some))


def _suspects(one: Prepared, found: Iterable[Explored]) -> Iterator[tuple[Disk, dict[bytes, frozenset[int]]]]:
    """Give the states of all findings, but of those that have been tried alone already."""
    given: set[bytes] = set()
    for explored_one in found:
        disk = disk_of(one.recorded, explored_one.model, one.scratch)
        kept = {
            disk.fingerprint(finding.state.kept): finding.state.kept
            for finding in explored_one.findings
            if finding.observation.usable not in ("died", "hung")
        }
        names = iter([name for name in kept if name not in given])
        given.update(kept)
        while some := list(islice(names, CHUNK)):
            yield disk, {name: kept[name] for name in some}


def observe_states(bay: Bay, states: States) -> dict[bytes, Observation]:
    """Reopen the store on each of some crash states; runs in a worker. After one that hangs the rest is left out."""
    disk = Disk(states.trace, MODELS[states.model], states.scratch)
    found: dict[bytes, Observation] = {}
    left = iter(states.kept.items())
    while not _hung(found) and (some := dict(islice(left, _TREES))):
        trees = {name: disk.tree(kept) for name, kept in some.items()}
        if states.alone:
            found.update((name, observe_alone(bay, tree)) for name, tree in trees.items())
        else:
            found.update(observe_all(bay, trees))
    return found


def _hung(found: Mapping[bytes, Observation]) -> bool:
    return any(one.usable == "hung" for one in found.values())
