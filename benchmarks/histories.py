"""How fast histories are judged: of registers with unique values, and of transactions.

Run it from the root of the repository, on a machine that does nothing else:

    python benchmarks/histories.py

A simulated store is used by clients; each history is judged several times, key by key. The table has the median
processor time, and the operations that are judged in a second. At least 500,000 are well where there are only puts and
gets, and 100,000 where there are deletes, or swaps that are refused, and 8 clients; and 50,000 transactions of four
steps. A history of which the checker says `unknown` is a failure.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

# The simulated store is one of the tests'.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformance.histories.checkers.transactions import check_transactions
from conformance.histories.checkers.unique import check_unique
from conformance.histories.operation import Operation, by_key
from conformance.histories.verdict import Verdict
from tests.histories.random_histories import Simulation, simulate

_PUTS = Simulation(10_000)
_DELETES = replace(_PUTS, deletes=0.15)
_SWAPS = replace(_PUTS, swaps=0.3, reads=0.4)
_ALL = replace(_PUTS, deletes=0.1, swaps=0.3, reads=0.35)
HISTORIES = {
    "puts, 4 clients": replace(_PUTS, clients=4),
    "puts, 8 clients": _PUTS,
    "puts, 50 clients": replace(_PUTS, clients=50),
    "puts, 100,000": replace(_PUTS, operations=100_000),
    "puts, 100,000, 1,000 keys": replace(_PUTS, operations=100_000, keys=1000),
    "puts, crashes": replace(_PUTS, crash=0.02),
    "puts, crashes, 50 keys": replace(_PUTS, crash=0.02, keys=50),
    "deletes, 8 clients": _DELETES,
    "deletes, 50 clients": replace(_DELETES, clients=50),
    "deletes, crashes": replace(_DELETES, crash=0.02),
    "swaps, 8 clients": _SWAPS,
    "swaps, 16 clients, crashes": replace(_SWAPS, clients=16, crash=0.02),
    "swaps of 5 values": replace(_SWAPS, values=5),
    "deletes and swaps, 8 clients": _ALL,
    "deletes and swaps, crashes": replace(_ALL, crash=0.02),
    "stale reads": replace(_PUTS, bug="stale", rate=0.02),
    "lost writes, 50 keys, crashes": replace(_PUTS, bug="lost", rate=0.02, crash=0.02, keys=50),
    "stale reads, deletes": replace(_DELETES, bug="stale", rate=0.02),
}
#: Transactions by so many clients, of so many steps, on so many keys at a time; a key takes so many appends.
_CLIENTS, _STEPS, _KEYS, _APPENDS = 8, 4, 10, 32
_WORST_FIRST = ("not linearizable", "unknown", "linearizable")


def judged(parts: Sequence[Sequence[Operation]]) -> tuple[float, list[Verdict]]:
    """Return the processor time of judging the histories of some keys, and the verdicts."""
    begun = time.process_time()
    verdicts = [check_unique(part) for part in parts]
    return time.process_time() - begun, verdicts


def transactions(count: int) -> list[Operation]:
    """Return transactions that read lists and append to them, each taking effect at one moment within its time."""
    draw = random.Random(0)
    lists: dict[str, tuple[int, ...]] = {f"k{number}": () for number in range(_KEYS)}
    history: list[Operation] = []
    for number in range(count):
        steps: list[tuple[str, str, object]] = []
        for _ in range(_STEPS):
            key = draw.choice(list(lists))
            if draw.random() < 0.5:
                steps.append(("read", key, lists[key]))
                continue
            value = _STEPS * number + len(steps)
            steps.append(("append", key, value))
            lists[key] = (*lists[key], value)
            if len(lists[key]) == _APPENDS:
                del lists[key]
                lists[f"k{_KEYS + value}"] = ()
        # The moments are a hundred apart, and those of one client eight times that: its calls do not overlap.
        call, end = (100 * number + side * draw.randrange(1, 400) for side in (-1, 1))
        asked = tuple(steps)
        history.append(Operation(call, end, number % _CLIENTS, "transaction", None, asked, None, asked, "ok"))
    return sorted(history)


def row_of_transactions(count: int, rounds: int) -> str:
    """Return the line of the transactions."""
    history = transactions(count)
    verdict = check_transactions(history, "strict serializable")
    seconds = []
    for _ in range(rounds):
        begun = time.process_time()
        check_transactions(history, "strict serializable")
        seconds.append(time.process_time() - begun)
    middle = statistics.median(seconds)
    cells = (f"{count:,}", f"{1000 * middle:.1f}", f"{count / middle:,.0f}")
    name = f"transactions, {_CLIENTS} clients"
    return f"{name:<32}" + "".join(f"{cell:>12}" for cell in cells) + f"  {verdict.answer} ({verdict.checker})"


def row(name: str, simulation: Simulation, rounds: int) -> str:
    """Return the line of one history."""
    parts = list(by_key(simulate(simulation)).values())
    runs = [judged(parts) for _ in range(rounds)]
    seconds = statistics.median(took for took, _ in runs)
    verdicts = runs[0][1]
    told = min(verdicts, key=lambda one: _WORST_FIRST.index(one.answer))
    cells = (f"{simulation.operations:,}", f"{1000 * seconds:.1f}", f"{simulation.operations / seconds:,.0f}")
    return f"{name:<32}" + "".join(f"{cell:>12}" for cell in cells) + f"  {told.answer} ({told.checker})"


def report(*, rounds: int, small: bool) -> list[str]:
    """Measure everything, and return the lines of the table."""
    load_now = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    lines = [f"{os.cpu_count()} cores{load_now}; medians of {rounds} rounds", ""]
    lines.append(f"{'history':<32}" + "".join(f"{head:>12}" for head in ("operations", "ms", "a second")) + "  verdict")
    for name, simulation in HISTORIES.items():
        lines.append(row(name, replace(simulation, operations=200) if small else simulation, rounds))
    lines.append(row_of_transactions(200 if small else 10_000, rounds))
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="How fast histories are judged.")
    parser.add_argument("--rounds", type=int, default=7, help="of each measurement (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help="short histories only: does it run?")
    options = parser.parse_args(arguments)
    print("\n".join(report(rounds=options.rounds, small=options.small)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
