"""A backend that takes part, by one contract: its store, filled once, and what is measured of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from conformance.backend import Backend, Where
from conformance.benchmarks import processes
from conformance.benchmarks.acts import Act
from conformance.benchmarks.contracts import FILLS
from conformance.benchmarks.guest import Batch, Guest
from conformance.benchmarks.payload import Payload
from conformance.benchmarks.plan import Plan
from conformance.place import place_of
from conformance.workers.crew import Crew


class Entrant:
    """A backend that takes part, by one contract.

    Args:
        backend: Which.
        contract: What it opens.
        folder: For its places; exists.
        plan: The budget.
        seed: Of what is written.
        crew: Gives the worker that forks the processes.
    """

    def __init__(
        self, backend: Backend, contract: str, folder: Path, plan: Plan, seed: int, crew: Callable[[], Crew]
    ) -> None:
        self.backend = backend
        self.contract = contract
        self.folder = folder
        self.payload = Payload(backend.values, seed, plan.keys)
        self.plan = plan
        self._places = 0
        self._next = plan.keys
        self._guest: Guest | None = None
        self._where: Where | None = None
        self._crew = crew
        self._shared = False

    def place(self) -> Where:
        """Return a fresh place."""
        self._places += 1
        folder = self.folder / str(self._places)
        folder.mkdir(parents=True)
        return place_of(self.backend, folder)

    def guest(self) -> Guest:
        """Return the store that operations are measured on: opened, and filled, when it is first asked for."""
        if self._guest is None:
            self._where = self.place()
            self._guest = guest = Guest(self.backend, self.contract, self._where)
            if hasattr(guest.store, "dimension"):
                dimension = guest.ask("__getattribute__", "dimension")
                self.payload = Payload(self.backend.values, self.payload.seed, self.plan.keys, int(dimension))
            fill = FILLS[self.contract]
            guest.perform(fill, [fill.arguments(self.payload, number) for number in range(self.plan.keys)])
        return self._guest

    def perform(self, act: Act, count: int) -> int:
        """Carry out a batch of operations, and return its nanoseconds."""
        guest, numbers = self.guest(), self._numbers(count)
        if act.before is not None:
            guest.perform(act.before, self._batch(act.before, numbers))
        return guest.perform(act, self._batch(act, numbers))

    def perform_by_threads(self, act: Act, count: int) -> int:
        """Carry out a batch in each of the threads that share the handle, and return the nanoseconds of all."""
        guest = self.guest()
        batches = [self._batch(act, self._numbers(count)) for _ in range(self.plan.writers)]
        return guest.perform_at_once(act, batches)

    def perform_by_processes(self, act: Act, count: int) -> int:
        """Carry out a batch in each of the processes that have a handle each, and return the nanoseconds of all."""
        self.guest()
        crew = self._crew()
        if not self._shared:
            crew.call(processes.open_handles, self.contract, self._where, self.plan.writers)
            self._shared = True
        batches = [self._batch(act, self._numbers(count)) for _ in range(self.plan.writers)]
        taken: int = crew.call(processes.perform, act, batches)
        return taken

    def dismiss_processes(self) -> None:
        """Let the processes go."""
        if self._shared:
            self._shared = False
            self._crew().call(processes.close_handles)

    def start_anew(self) -> None:
        """Forget the store, after a failure: what goes wrong now is of no interest any more."""
        with suppress(Exception):
            self.dismiss_processes()
        guest, self._guest = self._guest, None
        with suppress(Exception):
            if guest is not None:
                guest.close()

    def close(self) -> None:
        """Close the store, and let the processes go."""
        try:
            self.dismiss_processes()
        finally:
            guest, self._guest = self._guest, None
            if guest is not None:
                guest.close()

    def _numbers(self, count: int) -> range:
        numbers = range(self._next, self._next + count)
        self._next += count
        return numbers

    def _batch(self, act: Act, numbers: Sequence[int]) -> Batch:
        made: list[tuple[Any, ...]] = [act.arguments(self.payload, number) for number in numbers]
        return made
