"""Several writers at once: threads of this process, tasks of a loop, or processes with a handle each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import perf_counter_ns

#: Seconds after which a writer counts as stuck.
STUCK_S = 60.0


class StuckError(Exception):
    """A writer gave no answer in time."""


def together(turns: Sequence[Callable[[], object]]) -> int:
    """Call all functions at the same time, each in a thread, and return the nanoseconds until the last one returned.

    The threads wait for each other before they begin; that they were started is not measured.

    Raises:
        Exception: What the first of them raised.
        StuckError: One did not return.
    """
    gate = threading.Barrier(len(turns))
    begun, ended = [0] * len(turns), [0] * len(turns)
    errors: list[Exception] = []

    def run(number: int) -> None:
        try:
            gate.wait(STUCK_S)
            begun[number] = perf_counter_ns()
            turns[number]()
            ended[number] = perf_counter_ns()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(turns))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(STUCK_S)
    if errors:
        raise errors[0]
    if any(thread.is_alive() for thread in threads):
        raise StuckError(f"one of {len(turns)} threads that write at once did not return within {STUCK_S:.0f} s")
    return max(ended) - min(begun)
