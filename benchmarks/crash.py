"""How fast the crash engine is: recording, and recovering crash states.

Run it from the root of the repository, on a machine that does nothing else:

    python benchmarks/crash.py

Two tables are printed, each with the median of several rounds.

The first is the time of recording a workload of 200 operations. Half a second is the limit.

The second compares the engine with a bare loop. The engine forks, works out which states there are, skips what is
alike and judges what it finds, with a worker on every core. The bare loop only writes out the same trees one after
another in this process, and opens and reads the store on each. The observing loop asks of the store all that the engine
does: after reading, one more write, and opening and reading it again. The rounds of the three alternate. A ratio is the
wall time of the engine by that of a loop; up to 1.5 of the bare loop is well.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

# Stores for tests are among those that are measured.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformance.address import load
from conformance.backend import Backend
from conformance.crash.explore import Budget, Explorer
from conformance.crash.observe import observe
from conformance.crash.perform import place_of
from conformance.crash.recorded import recorded
from conformance.crash.scratch import scratch_files
from conformance.crash.subjects import SUBJECTS, Step
from conformance.crash.tree import Tree, write_tree
from conformance.crash.workloads import value_of, workload
from conformance.session import Session
from conformance.workers import Crew

#: Stores that are recorded: files that are renamed into place, a log of checked records, and a database.
RECORDED = {
    "atomic files": "tests.odd.crash:ODD_CRASH_FILES",
    "log with checksums": "tests.odd.crash:ODD_CRASH_JOURNAL_STATE",
    "SQLite": "tests.odd.crash:ODD_CRASH_SQLITE_WAL_FULL",
}
#: Stores whose crash states are recovered.
EXPLORED = {name: f"reference_backends.{name}:backend" for name in ("file", "wal", "sqlite")}
RECORDING_S_MAX = 0.5
RATIO_MAX = 1.5
_MODELS = ("kill", "ext4", "posix")
_CONTRACT = "state"


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Args:
        operations: Recorded, in the first table.
        states: Recovered at most, under each model, in the second.
        rounds: Of each measurement.
    """

    operations: int
    states: int
    rounds: int


def seconds(body: Callable[[], object]) -> float:
    """Return the wall time that a call takes."""
    begun = time.perf_counter()
    body()
    return time.perf_counter() - begun


def recording(backend: Backend, size: Size) -> float:
    """Return the median time of recording a workload, gates included."""
    steps = [
        Step("set", (f"k{number % 10}", value_of("k", number, 200, backend.values)))
        for number in range(size.operations)
    ]
    with closing(Crew(backend, _CONTRACT, 1)) as crew:
        recorded(crew, steps[:1])  # the first one chooses a recorder
        return statistics.median(seconds(lambda: recorded(crew, steps)) for _ in range(size.rounds))


@dataclass(frozen=True)
class Compared:
    """The engine beside the bare loop.

    Args:
        trees: Distinct trees that both recover.
        engine_s: The median time of the engine.
        bare_s: That of the bare loop.
        observing_s: That of the observing loop.
        to_bare: The median of the rounds' ratios of the engine to the bare loop.
        to_observing: The same to the observing loop.
    """

    trees: int
    engine_s: float
    bare_s: float
    observing_s: float
    to_bare: float
    to_observing: float


def compared(backend: Backend, size: Size) -> Compared:
    """Measure all three, in turns."""
    steps = workload(_CONTRACT, "puts and deletes", domain=backend.values, seed=0).steps
    budget = Budget(size.states, seconds=600.0, representatives=None)
    with closing(Crew(backend, _CONTRACT)) as crew:
        base = Explorer(crew, recorded(crew, steps))
        base.scratch = scratch_files(base)
        trees = _trees(base, budget)
        rounds: list[tuple[float, float, float]] = []
        for _ in range(size.rounds):
            fresh = replace(base, observations={})
            rounds.append(
                (
                    seconds(partial(_explore, fresh, budget)),
                    seconds(lambda: _on_each(trees, partial(_read, backend))),
                    seconds(lambda: _on_each(trees, partial(observe, backend, _CONTRACT))),
                )
            )
    medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
    ratios = [statistics.median(engine / loop[place] for engine, *loop in rounds) for place in (0, 1)]
    return Compared(len(trees), *medians, *ratios)


def _explore(explorer: Explorer, budget: Budget) -> None:
    explorer.explore_all(_MODELS, budget, 0)


def _trees(base: Explorer, budget: Budget) -> list[Tree]:
    """Return the trees that the engine recovers, each once."""
    found: dict[bytes, Tree] = {}
    for model in _MODELS:
        disk = base.disk(model)
        met: set[bytes] = set()
        for state in disk.states(0, budget.representatives):
            if len(met) >= budget.states:
                break
            name = disk.fingerprint(state.kept)
            met.add(name)
            if name not in found:
                found[name] = disk.tree(state.kept)
    return list(found.values())


def _on_each(trees: Sequence[Tree], body: Callable[[Path], object]) -> None:
    """Write out each tree, and do something there."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # where the engine has its files too
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        place = Path(folder, "place")
        for tree in trees:
            shutil.rmtree(place, ignore_errors=True)
            write_tree(tree, place)
            body(place)


def _read(backend: Backend, place: Path) -> None:
    """Open the store, read it, and close it."""
    session = Session(backend, _CONTRACT, place_of(place))
    SUBJECTS[_CONTRACT].read(*session.open().reach())
    session.close()


def report(size: Size) -> list[str]:
    """Measure everything, and return the lines of both tables."""
    load_now = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    lines = [f"{os.cpu_count()} cores{load_now}; medians of {size.rounds} rounds", ""]
    lines.append(f"{f'recording {size.operations} operations':<28}{'seconds':>9}{'limit':>8}")
    for name, address in RECORDED.items():
        lines.append(f"{name:<28}{recording(load(address), size):>9.3f}{RECORDING_S_MAX:>8.1f}")
    heads = ("trees", "engine/s", "bare/s", "ratio", "limit", "observing/s", "ratio")
    lines += ["", f"{'recovering crash states':<28}" + "".join(f"{head:>12}" for head in heads)]
    for name, address in EXPLORED.items():
        one = compared(load(address), size)
        speeds = [f"{one.trees / time_s:,.0f}" for time_s in (one.engine_s, one.bare_s, one.observing_s)]
        cells = (
            f"{one.trees:,}",
            *speeds[:2],
            f"{one.to_bare:.2f}",
            str(RATIO_MAX),
            speeds[2],
            f"{one.to_observing:.2f}",
        )
        lines.append(f"{name:<28}" + "".join(f"{cell:>12}" for cell in cells))
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="How fast the crash engine is.")
    parser.add_argument("--rounds", type=int, default=7, help="of each measurement (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help="a few operations and states only: does it run?")
    options = parser.parse_args(arguments)
    size = Size(10, 10, options.rounds) if options.small else Size(200, 400, options.rounds)
    print("\n".join(report(size)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
