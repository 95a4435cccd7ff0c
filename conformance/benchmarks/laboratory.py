"""The laboratory: the backends of a run and the bare disk, measured in turns, operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from conformance.backend import PROMISES, Backend
from conformance.benchmarks import processes
from conformance.benchmarks.acts import Act
from conformance.benchmarks.entrant import Entrant
from conformance.benchmarks.limits import BareDisk, limits_of
from conformance.benchmarks.measured import Measured, NotMeasuredError
from conformance.benchmarks.openings import Openings
from conformance.benchmarks.plan import Plan
from conformance.benchmarks.rounds import Contestant, Outcome, interleaved
from conformance.workers.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What came of an operation of a backend.
Found = Measured | Exception
How = Literal["threads", "processes"]
_Perform = Callable[[Entrant, Act, int], int]


class Laboratory:
    """Measures operations of several backends in turns; close it at the end.

    Args:
        folder: Where all files are; on the disk that is to be measured.
        plan: The budget.
        seed: Of what is written, and of intervals.
        progress: Called with a line about long work.
    """

    def __init__(self, folder: Path, plan: Plan, seed: int, progress: Callable[[str], None] = lambda _: None) -> None:
        self.folder = folder
        self.plan = plan
        self.seed = seed
        #: What must be said of the disk of a backend that is not that of the folder, by its name.
        self.elsewhere: Mapping[str, str] = {}
        self.openings = Openings(folder, plan, seed, progress)
        self._progress = progress
        self._entrants: dict[tuple[str, str], Entrant] = {}
        self._crews: dict[str, Crew] = {}
        self._files = 0

    def alone(self, contract: str, act: Act, backends: Sequence[Backend]) -> dict[str, Found]:
        """Measure an operation of one caller.

        Args:
            contract: Of the stores.
            act: The operation.
            backends: In their order, the reference first.
        """
        return self._measured(contract, act.name, act, backends, Entrant.perform, None)

    def at_once(self, contract: str, act: Act, backends: Sequence[Backend], how: How) -> dict[str, Found]:
        """Measure an operation of several callers at once; its time is that of all, divided by all operations.

        Args:
            contract: Of the stores.
            act: The operation.
            backends: In their order, the reference first.
            how: `threads` that share a handle, or the tasks of an async store; or `processes` with a handle each.
        """
        levels = PROMISES["sharing"]
        unable = {one.name for one in backends if levels.index(one.sharing) > levels.index(how)}
        able = [backend for backend in backends if backend.name not in unable]
        perform = Entrant.perform_by_threads if how == "threads" else Entrant.perform_by_processes
        name = f"{act.name} by {how}"
        try:
            found = self._measured(contract, name, act, able, perform, how)
        finally:
            for backend in able if how == "processes" else ():
                self._entrant(contract, backend).dismiss_processes()
        for backend in backends:
            if backend.name in unable:
                found[backend.name] = NotMeasuredError(f"it promises the sharing {backend.sharing!r}, not {how!r}")
        return found

    def close(self) -> None:
        """Close all stores."""
        with ExitStack() as closing:
            for crew in self._crews.values():
                closing.callback(crew.close)
            for entrant in self._entrants.values():
                closing.callback(entrant.close)
        self._entrants.clear()
        self._crews.clear()

    def _entrant(self, contract: str, backend: Backend) -> Entrant:
        key = contract, backend.name
        if key not in self._entrants:
            folder = self.folder / f"{contract}-{len(self._entrants)}"
            self._entrants[key] = Entrant(backend, contract, folder, self.plan, self.seed, lambda: self._crew(backend))
        return self._entrants[key]

    def _crew(self, backend: Backend) -> Crew:
        """Return the worker of a backend; starting one takes longer than most operations are measured."""
        if backend.name not in self._crews:
            self._crews[backend.name] = Crew(backend, backend.contracts[0], 1)
        return self._crews[backend.name]

    def _measured(
        self,
        contract: str,
        name: str,
        act: Act,
        backends: Sequence[Backend],
        perform: _Perform,
        how: How | None,
    ) -> dict[str, Found]:
        entrants = [self._entrant(contract, backend) for backend in backends]
        found: dict[str, Found] = {}
        for entrant in entrants:
            self._progress(f"{contract} {name}: filling {entrant.backend.name}")
            try:
                entrant.guest()
            except Exception as error:  # noqa: BLE001 - a store may raise anything; the others go on
                found[entrant.backend.name] = error
                entrant.start_anew()
        ready = [entrant for entrant in entrants if entrant.backend.name not in found]
        if not ready:
            return found
        workers = self.plan.writers if how else 1
        outcomes = self._in_turns(f"{contract} {name}", ready, act, perform, how)
        reference = next((one for one in ready if one.backend.name == backends[0].name), None)
        for entrant in ready:
            backend, outcome = entrant.backend, outcomes[entrant.backend.name]
            if outcome.error is not None:
                found[backend.name] = outcome.error
                entrant.start_anew()
                continue
            parts, size = workers * (act.records or entrant.payload.keys), act.size(entrant.payload)
            limits = {
                limit: outcomes[_bare(limit, size)].samples(workers)
                for limit in limits_of(backend.durability, reads=act.reads)
                if outcomes[_bare(limit, size)].error is None
            }
            beside = None
            if reference is not None and reference is not entrant and outcomes[reference.backend.name].error is None:
                beside = (reference.backend.name, outcomes[reference.backend.name].samples(parts))
            found[backend.name] = Measured(
                backend.name,
                contract,
                name,
                outcome.samples(parts),
                outcome.batch,
                parts,
                limits,
                beside,
                size,
                backend.durability,
                workers,
                self._conditions(backend, act),
                seed=self.seed,
            )
        return found

    def _conditions(self, backend: Backend, act: Act) -> dict[str, str]:
        conditions = {"acknowledged": "by a flush after each"} if backend.flush is not None and not act.reads else {}
        return conditions | ({"disk": self.elsewhere[backend.name]} if backend.name in self.elsewhere else {})

    def _in_turns(
        self, title: str, entrants: Sequence[Entrant], act: Act, perform: _Perform, how: How | None
    ) -> Mapping[str, Outcome]:
        def performing(entrant: Entrant) -> Callable[[int], int]:
            return lambda count: perform(entrant, act, count)

        # Of each size of its own: backends of different values do not write the same bytes.
        disks = {
            (limit, act.size(entrant.payload)): entrant
            for entrant in entrants
            for limit in limits_of(entrant.backend.durability, reads=act.reads)
        }
        with ExitStack() as files:
            contestants = [Contestant(entrant.backend.name, performing(entrant)) for entrant in entrants]
            for (limit, size), entrant in disks.items():
                disk = BareDisk(limit, self._file(), size)
                contestants.append(Contestant(_bare(limit, size), files.enter_context(self._disk(disk, entrant, how))))
            return interleaved(
                contestants,
                self.plan.rounds,
                self.plan.round_ns,
                lambda number: self._progress(f"{title}: round {number} of {self.plan.rounds}"),
            )

    @contextmanager
    def _disk(self, disk: BareDisk, entrant: Entrant, how: How | None) -> Iterator[Callable[[int], int]]:
        if how != "processes":
            with disk.opened(self.plan.writers if how else 1) as performing:
                yield performing
            return
        crew = self._crew(entrant.backend)  # of any backend: its store is not opened
        crew.call(processes.open_files, disk, self.plan.writers)
        try:
            yield lambda count: int(crew.call(processes.write, disk, count))
        finally:
            crew.call(processes.close_files, disk)

    def _file(self) -> Path:
        self._files += 1
        return self.folder / f"bare-{self._files}"


def _bare(limit: str, size: int) -> str:
    """Return the name under which the bare disk takes part; no backend is called so."""
    return f"bare disk: {limit} of {size} bytes"
