"""How many damaged copies of a store are opened, read and judged in a second.

Run it from the root of the repository, on a machine that does nothing else:

    python benchmarks/damage.py

The ratio is that to what the same machine manages of `reference_backends.file`, measured in the same run.
"""

from __future__ import annotations

import time
from contextlib import closing

from conformance.address import load
from conformance.damage.damage import DETECTS
from conformance.damage.examine import Case
from conformance.damage.operators import damages
from conformance.damage.specimen import specimens
from conformance.damage.sweep import Budget, sweep
from conformance.workers import Crew

STORES = (("file", "state"), ("wal", "state"), ("wal", "log"), ("sqlite", "state"), ("sqlite", "log"))
#: Copies of each store that are opened before, and while, the time is taken.
WARM, MEASURED = 100, 1_500


def rate(name: str, contract: str) -> float:
    """Return how many damaged copies of a reference are judged in a second."""
    with closing(Crew(load(f"reference_backends.{name}:backend"), contract)) as crew:
        specimen = specimens(crew, seed=0, domain="json")[0]
        cases = [Case(damage) for damage in damages(specimen.tree, DETECTS, seed=0)]
        sweep(crew, specimen, cases[:WARM], Budget(WARM, 60.0), lambda _: None)
        start = time.perf_counter()
        tried = sweep(crew, specimen, cases[WARM:], Budget(MEASURED, 60.0), lambda _: None).tried
        return tried / (time.perf_counter() - start)


def main() -> None:
    """Measure all, and print a line for each."""
    first = 0.0
    for name, contract in STORES:
        found = rate(name, contract)
        first = first or found
        print(f"{name:8} {contract:6} {found:8,.0f} copies/s {found / first:6.2f}")


if __name__ == "__main__":
    main()
