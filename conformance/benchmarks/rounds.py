"""Rounds in turns: each who takes part does a batch, one after the other, again and again (ABAB)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

#: Operations of a batch, at most.
MOST = 20_000
#: A batch grows by so much at once while it is calibrated.
_FACTOR = 8


@dataclass(frozen=True)
class Contestant:
    """One who takes part.

    Args:
        name: Of a backend, or of what the bare disk does.
        perform: Carries out a batch of so many operations and returns the nanoseconds that they took; what it needs
            to prepare is not among them.
        batch: The operations of a batch, where that is fixed; 0 to calibrate.
    """

    name: str
    perform: Callable[[int], int]
    batch: int = 0


@dataclass
class Outcome:
    """What became of one who took part.

    Args:
        batch: The operations of each round.
        totals: Nanoseconds of each round; the first, which warms up, is not among them.
        error: What it raised; it took no further part then.
    """

    batch: int = 0
    totals: list[int] = field(default_factory=list)
    error: Exception | None = None

    def samples(self, parts: int = 1) -> list[float]:
        """Return the seconds of one operation in each round, or of one of its parts: all workers, or all records."""
        return [total / self.batch / parts / 1e9 for total in self.totals]


def interleaved(
    contestants: Sequence[Contestant], rounds: int, target_ns: int, progress: Callable[[int], None] = lambda _: None
) -> dict[str, Outcome]:
    """Measure all contestants in turns, and return what became of each, by name.

    A batch is calibrated once, so that it takes about `target_ns`. Then everyone does one batch to warm up, and then
    one in each round, always in the same order.

    Args:
        contestants: In their order.
        rounds: That count.
        target_ns: Nanoseconds that a batch should take.
        progress: Called with the number of each round.
    """
    outcomes = {contestant.name: Outcome(contestant.batch) for contestant in contestants}
    for contestant in contestants:
        outcome = outcomes[contestant.name]
        try:
            outcome.batch = outcome.batch or calibrated(contestant.perform, target_ns)
        except Exception as error:  # noqa: BLE001 - a store may raise anything; the others go on
            outcome.error = error
    for number in range(rounds + 1):
        progress(number)
        for contestant in contestants:
            outcome = outcomes[contestant.name]
            if outcome.error is not None:
                continue
            try:
                outcome.totals.append(_timed(contestant, outcome.batch))
            except Exception as error:  # noqa: BLE001 - as above
                outcome.error = error
        if number == 0:
            for outcome in outcomes.values():
                outcome.totals.clear()
    return outcomes


def _timed(contestant: Contestant, batch: int) -> int:
    enabled = gc.isenabled()
    gc.disable()  # or a collection falls into whoever's turn it is
    try:
        return contestant.perform(batch)
    finally:
        if enabled:
            gc.enable()


def calibrated(perform: Callable[[int], int], target_ns: int) -> int:
    """Return how many operations take about `target_ns`, at least one and at most `MOST`."""
    perform(1)  # what is done at the first call only must not look like what each call costs
    batch = 1
    while True:
        took = max(1, min(perform(batch), perform(batch)))  # the quicker: a pause of the machine says nothing
        if took * 2 >= target_ns or batch == MOST:
            return max(1, min(MOST, round(batch * target_ns / took)))
        batch = min(MOST, batch * max(2, min(_FACTOR, target_ns // took)))
