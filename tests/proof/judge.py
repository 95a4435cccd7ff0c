"""Inside a process of its own: trials, as they are asked for on the standard input, a line of JSON each."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.address import load
from conformance.backend import Backend
from conformance.bench import Bench
from conformance.check import DIFFERENTIAL, catalogue
from conformance.effort import EFFORTS, Effort
from conformance.profile import probe
from reference_backends import memory
from tests.benches import LONG_ENOUGH, bench
from tests.mutants.registry import BACKENDS
from tests.proof.plan import ODD, Job, draws
from tests.test_mutants import FEW_CRASHES
from tests.test_odd import FEW_ROUNDS, odd_backends

#: Stores without a bug are many, and their seeds too. Each seed after the first adds a few other crash states, damages
#: and schedules to those that the seeds before it have met.
_SOUND = FEW_ROUNDS
_AGAIN = replace(
    _SOUND, examples=8, crash_states=10, crash_seconds=0.15, faults=1, damages=10, rounds=6, round_seconds=0.02
)


def main() -> None:
    """Answer each line until there are no more."""
    # What a store prints must not come in between.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    judge: Callable[[Job], dict[str, Any]] | None = None
    with _benches() as made:
        for line in sys.stdin:
            judge = judge or made
            answers.write(json.dumps(judge(Job(**json.loads(line)))) + "\n")
            answers.flush()


@contextmanager
def _benches() -> Iterator[Callable[[Job], dict[str, Any]]]:
    """Give what carries a job out; a bench is kept while the next job has the same store, seed and effort."""
    kept: dict[tuple[str, int, bool], tuple[Bench, Any]] = {}

    def close() -> None:
        for one, folder in kept.values():
            one.close()  # Hypothesis keeps the class of a state machine for long, and with it the bench
            folder.cleanup()
        kept.clear()

    def judge(job: Job) -> dict[str, Any]:
        key = (job.store, job.seed, job.long)
        if key not in kept:
            close()
            folder = tempfile.TemporaryDirectory(prefix="proof-", ignore_cleanup_errors=True)
            backend = backend_of(job.store)
            kept[key] = bench(backend, Path(folder.name), effort=_effort(job, backend), seed=job.seed), folder
        one, check = kept[key][0], catalogue()[job.code]
        one.against = probe(memory.backend) if check.suite == DIFFERENTIAL else None
        start = time.perf_counter()
        result = one.judge(check)
        return {
            "outcome": result.outcome,
            "reason": result.reason[:400],
            "got": result.counterexample.got[:400] if result.counterexample else "",
            "what": result.counterexample.what[:400] if result.counterexample else "",
            "draws": draws(check, result.evidence),
            "seconds": round(time.perf_counter() - start, 3),
        }

    try:
        yield judge
    finally:
        close()


def backend_of(store: str) -> Backend:
    """Return the store of a job: a mutant, an odd store, or one at an address."""
    if ":" in store:
        return load(store)
    if store.startswith(ODD):
        return next(backend for backend in odd_backends() if backend.name == store.removeprefix(ODD))
    found: Backend = getattr(BACKENDS, store)
    return found


def _effort(job: Job, backend: Backend) -> Effort:
    if ":" in job.store or job.store.startswith(ODD):
        return _AGAIN if job.seed else _SOUND
    if not job.long:
        return replace(EFFORTS["quick"], patience_s=LONG_ENOUGH.patience_s)
    return LONG_ENOUGH if backend.server is None else FEW_CRASHES


if __name__ == "__main__":
    main()
