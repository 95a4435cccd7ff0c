"""How long stores take to open: as they were closed, with cold files, and as a kill left them, at several lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from conformance.backend import PROMISES, Backend
from conformance.benchmarks.growth import growth
from conformance.benchmarks.lengths import PARTS, Filled, bare_reading, filled, opening, seconds_per_record
from conformance.benchmarks.measured import Measured, NotMeasuredError, space_record
from conformance.benchmarks.payload import Payload
from conformance.benchmarks.plan import Plan
from conformance.benchmarks.rounds import Contestant, Outcome, interleaved

#: What the bare disk does beside: the files of a store are read from the first byte to the last.
READ_COLD, READ_WARM = "pread of all its bytes, cold", "pread of all its bytes, in memory"
_LEVELS = PROMISES["durability"]

#: What came of opening a store, and of measuring its space: data for the record, or an error.
Found = Measured | Exception
Space = dict[str, Any] | Exception


class Openings:
    """Measures openings. A store of each backend is written once; copies of its files are opened.

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
        self._progress = progress
        self._stores: dict[str, dict[str, Filled | Exception]] = {}

    def opened(self, contract: str, backends: Sequence[Backend]) -> dict[str, Found]:
        """Measure how long opening a closed store takes, and reading its last record, from files that are cold.

        Args:
            contract: `state` or `log`.
            backends: In their order, the reference first.
        """
        stores, found = self._able(contract, backends, "clean-close")
        contestants = []
        for name, one in stores.items():
            contestants.append(Contestant(name, opening(one, cold=True), 1))
            if one.closed is not None:
                bare = bare_reading(one.closed, cold=True)
                contestants.append(Contestant(_bare(name), bare, 1))
        outcomes = self._in_turns(f"{contract} open", contestants)
        for name, one in stores.items():
            conditions = {"records": f"{one.length:,}"}
            if one.closed is None:
                conditions["connects"] = "to a server that runs"
            found[name] = self._concluded(
                contract, "open", one, backends[0].name, outcomes, name, READ_COLD, conditions
            )
        return found

    def recovered(self, contract: str, backends: Sequence[Backend]) -> dict[str, Found]:
        """Measure how long opening takes after a kill, and reading the last record, and how that grows.

        Args:
            contract: `state` or `log`.
            backends: In their order, the reference first.
        """
        stores, found = self._able(contract, backends, "process-crash")
        for name in [name for name, one in stores.items() if not one.killed]:
            del stores[name]
            found[name] = NotMeasuredError("its files are a server's, which is not killed here")
        contestants = []
        for name, one in stores.items():
            contestants += [Contestant(_at(name, n), opening(one, killed=n), 1) for n in sorted(one.killed)]
            bare = bare_reading(one.killed[one.length], cold=False)
            contestants.append(Contestant(_bare(name), bare, 1))
        outcomes = self._in_turns(f"{contract} recovery", contestants)
        for name, one in stores.items():
            failed = next((e for n in one.killed if (e := outcomes[_at(name, n)].error) is not None), None)
            outcomes[name] = Outcome(error=failed) if failed else outcomes[_at(name, one.length)]
        for name, one in stores.items():
            grown = None
            if outcomes[name].error is None:
                grown = growth({n: outcomes[_at(name, n)].samples() for n in one.killed}, self.seed)
            conditions = {"records": f"{one.length:,}", "files": "in memory"}
            found[name] = self._concluded(
                contract, "recovery", one, backends[0].name, outcomes, name, READ_WARM, conditions, grown
            )
        return found

    def space(self, contract: str, backends: Sequence[Backend]) -> dict[str, Space]:
        """Return the bytes that the files of a closed store take for each record beside the record's own.

        Args:
            contract: `state` or `log`.
            backends: Whose.
        """
        stores, found = self._able(contract, backends, "clean-close")
        told: dict[str, Space] = dict(found)  # type: ignore[arg-type]
        for name, one in stores.items():
            if one.closed is None:
                told[name] = NotMeasuredError("its files are a server's, shared with others")
                continue
            size = sum(one.payload.size(part) for part in _record(contract, one.payload))
            overhead = (one.bytes_on_disk - one.bytes_empty) / one.length - size
            conditions = {
                "records": f"{one.length:,}",
                "on disk": f"{one.bytes_on_disk:,} bytes",
                "empty": f"{one.bytes_empty:,} bytes",
                "within": _within(one.block / one.length),  # of each file the last block may not be full
            }
            told[name] = space_record(name, contract, overhead, size, one.backend.durability, conditions)
        return told

    def _able(
        self, contract: str, backends: Sequence[Backend], least: str
    ) -> tuple[dict[str, Filled], dict[str, Found]]:
        """Return the written stores of those that promise to have their records after that, and why others have not."""
        stores: dict[str, Filled] = {}
        found: dict[str, Found] = {}
        for name, one in self._written(contract, backends).items():
            backend = next(backend for backend in backends if backend.name == name)
            if _LEVELS.index(backend.durability) > _LEVELS.index(least):
                found[name] = NotMeasuredError(f"it promises the durability {backend.durability!r}, not {least!r}")
            elif isinstance(one, Exception):
                found[name] = one
            else:
                stores[name] = one
        return stores, found

    def _written(self, contract: str, backends: Sequence[Backend]) -> dict[str, Filled | Exception]:
        if contract not in self._stores:
            self._stores[contract] = self._write(contract, backends)
        return self._stores[contract]

    def _write(self, contract: str, backends: Sequence[Backend]) -> dict[str, Filled | Exception]:
        told: dict[str, Filled | Exception] = {}
        slowest = 0.0
        for number, backend in enumerate(backends):
            folder = self.folder / f"{contract}-tried-{number}"
            folder.mkdir(parents=True)
            try:
                taken = seconds_per_record(backend, contract, folder, Payload(backend.values, self.seed, PARTS))
            except Exception as error:  # noqa: BLE001 - a store may raise anything; the others go on
                told[backend.name] = error
            else:
                slowest = max(slowest, taken)
        length = self._length(slowest)
        for number, backend in enumerate(backends):
            if backend.name in told:
                continue
            self._progress(f"{contract}: writing {length:,} records with {backend.name}")
            folder = self.folder / f"{contract}-lengths-{number}"
            folder.mkdir(parents=True)
            payload = Payload(backend.values, self.seed, length)
            try:
                told[backend.name] = filled(backend, contract, folder, payload, length)
            except Exception as error:  # noqa: BLE001 - as above
                told[backend.name] = error
        return told

    def _length(self, seconds: float) -> int:
        """Return how many records are written: the same of all, and so many that the slowest ends in time."""
        fit = int(self.plan.fill_s / seconds) if seconds else self.plan.longest
        return max(self.plan.shortest, min(self.plan.longest, fit)) // PARTS * PARTS

    def _in_turns(self, title: str, contestants: Sequence[Contestant]) -> dict[str, Outcome]:
        rounds = self.plan.openings
        return interleaved(contestants, rounds, 0, lambda n: self._progress(f"{title}: round {n} of {rounds}"))

    def _concluded(
        self,
        contract: str,
        operation: str,
        one: Filled,
        reference: str,
        outcomes: dict[str, Outcome],
        name: str,
        limit: str,
        conditions: dict[str, str],
        grown: Any = None,
    ) -> Found:
        outcome, bare, beside = outcomes[name], outcomes.get(_bare(name)), outcomes.get(reference)
        if outcome.error is not None:
            return outcome.error
        is_compared = reference != name and beside is not None and beside.error is None
        return Measured(
            name,
            contract,
            operation,
            outcome.samples(),
            1,
            1,
            {limit: bare.samples()} if bare is not None and bare.error is None else {},
            (reference, beside.samples()) if is_compared and beside is not None else None,
            sum(one.payload.size(part) for part in _record(contract, one.payload)),
            one.backend.durability,
            conditions=conditions,
            growth=grown,
            seed=self.seed,
        )


def _within(size: float) -> str:
    return f"+-{size:,.0f}" if size >= 10 else f"+-{size:.1f}"


def _record(contract: str, payload: Payload) -> tuple[Any, ...]:
    return (payload.value(0),) if contract == "log" else (payload.key(0), payload.value(0))


def _at(name: str, length: int) -> str:
    return f"{name} at {length}"


def _bare(name: str) -> str:
    return f"bare disk: {name}"
