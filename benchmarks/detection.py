"""How surely, and how fast, the checks of the suite `concurrency` find what they are for, and whom they accuse falsely.

Run it from the root of the repository, on a machine that does nothing else:

    python benchmarks/detection.py

Every mutant meets each check that must kill it at 20 seeds, with at most a second of search for a seed: at least 19 of
20 found is well. Then every store without a known bug, the repaired twins among them, meets all checks until it has had
200 runs of a check: none may be accused, and none undecided. The time of a seed is that of the whole check, up to its
end or to the smallest history that shows the bug.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

# Mutants, and odd stores, are the tests'.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformance.address import load
from conformance.backend import Backend
from conformance.bench import Bench
from conformance.check import catalogue
from conformance.effort import EFFORTS
from conformance.profile import probe
from conformance.result import Result
from tests.mutants.registry import mutants

SUITE = "concurrency"
REFERENCES = ("memory", "file", "sqlite", "wal")


@dataclass(frozen=True)
class Seen:
    """What came of one check on one backend, at some seeds.

    Args:
        outcomes: How often each.
        seconds: How long each took.
    """

    outcomes: Mapping[str, int]
    seconds: tuple[float, ...]


def seen(backend: Backend, code: str, seeds: range, seconds: float, place: Path) -> Seen:
    """Judge a backend by a check at some seeds, with so many seconds of search for each way to meet."""
    effort = replace(EFFORTS["normal"], rounds=100_000, round_seconds=seconds)
    first = Bench(probe(backend), effort, seeds[0], Path(tempfile.mkdtemp(dir=place)))
    for gate in catalogue()[code].needs:
        first.judge(catalogue()[gate])
    outcomes, times = Counter[str](), []
    for seed in seeds:
        # What came of other checks is known; workers are kept, and belong to the first bench.
        one = first if seed == seeds[0] else replace(first, seed=seed, results=_without(first.results, code))
        start = time.perf_counter()
        result = one.judge(catalogue()[code])
        times.append(time.perf_counter() - start)
        outcomes[result.outcome] += 1
    return Seen(outcomes, tuple(times))


def _without(results: Mapping[str, Result], code: str) -> dict[str, Result]:
    return {other: result for other, result in results.items() if other != code}


def to_be_killed() -> Iterator[tuple[str, Backend, str]]:
    """Yield each mutant of the suite with each check that must kill it."""
    for mutant in mutants():
        for code in mutant.killed_by:
            if catalogue()[code].suite == SUITE:
                yield mutant.name, mutant.backend, code


def honest() -> Iterator[Backend]:
    """Yield all stores without a known bug: references, repaired twins, odd stores."""
    for name in REFERENCES:
        yield load(f"reference_backends.{name}:backend")
    tests = Path(__file__).resolve().parents[1] / "tests"
    for path in sorted((*tests.glob("mutants/concurrency*.py"), *tests.glob("odd/*.py"))):
        module = importlib.import_module(f"tests.{path.parent.name}.{path.stem}")
        for name, found in sorted(vars(module).items()):
            if name.startswith(("HONEST", "TWINS", "ODD")):
                several = (
                    found.values() if isinstance(found, Mapping) else (found,) if isinstance(found, Backend) else found
                )
                yield from (one for one in several if isinstance(one, Backend) and one.address)


def main() -> int:
    """Measure, print, and tell by the exit status whether all is well."""
    parser = argparse.ArgumentParser(description="detection and false alarms of the concurrency suite")
    parser.add_argument("--seeds", type=int, default=20, help="seeds for each mutant")
    parser.add_argument("--runs", type=int, default=200, help="runs of checks for each honest store")
    parser.add_argument("-k", default="", help="only names with this in them")
    chosen = parser.parse_args()
    well = True
    print(f"{'mutant':36} {'check':16} {'found':>8} {'median':>9} {'worst':>9}")
    with tempfile.TemporaryDirectory() as place:
        for name, backend, code in to_be_killed():
            if chosen.k in name:
                one = seen(backend, code, range(chosen.seeds), 1.0, Path(place))
                found = one.outcomes.get("fail", 0)
                well &= found >= 0.95 * chosen.seeds
                middle, worst = statistics.median(one.seconds), max(one.seconds)
                print(f"{name:36} {code:16} {found:>5}/{chosen.seeds} {middle:7.3f} s {worst:7.3f} s", flush=True)
        print(f"\n{'store without a bug':36} {'runs':>6}  outcomes")
        for backend in honest():
            if chosen.k in backend.name:
                well &= _is_spared(backend, chosen.runs, Path(place))
    return 0 if well else 1


def _is_spared(backend: Backend, runs: int, place: Path) -> bool:
    codes = [code for code, check in catalogue().items() if check.suite == SUITE and getattr(backend, check.contract)]
    applicable = [code for code in codes if "not applicable" not in seen(backend, code, range(1), 0.01, place).outcomes]
    outcomes = Counter[str]()
    for turn, code in enumerate(applicable):
        share = (runs + turn) // len(applicable)
        outcomes.update(seen(backend, code, range(share), 0.1, place).outcomes if share else {})
    print(f"{backend.name:36} {sum(outcomes.values()):>6}  {dict(outcomes)}", flush=True)
    return not outcomes.keys() - {"pass", "not applicable"}  # a task that seldom waits may not have done so


if __name__ == "__main__":
    raise SystemExit(main())
