"""Carrying out checks in tests, without pytest in between."""

from __future__ import annotations

import weakref
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from conformance.backend import Backend
from conformance.bench import Bench
from conformance.check import catalogue
from conformance.effort import EFFORTS, Effort
from conformance.profile import probe
from conformance.result import Result
from conformance.serving import is_served, serve_until_exit

#: What is reached in a time depends on the machine, and `quick` looks for a moment only. What is found within a second
#: on a machine that does nothing else is measured in benchmarks/detection.py.
LONG_ENOUGH = replace(
    EFFORTS["quick"], rounds=5_000, round_seconds=5.0, crash_seconds=60.0, agent_seconds=5.0, patience_s=3.0
)


#: Those that tests have made. A bench has a dozen workers in the end, and is collected long after its test.
_MADE: list[weakref.ref[Bench]] = []


def ends_with_the_test(one: Bench) -> Bench:
    """Return a bench, of which the workers and the rest are gone when the test is over."""
    _MADE.append(weakref.ref(one))
    return one


def close_all() -> None:
    """Close the benches of the test that is over."""
    while _MADE:
        one = _MADE.pop()()
        if one is not None:
            one.close()


def bench(backend: Backend, root: Path, *, effort: str | Effort = "quick", seed: int = 0) -> Bench:
    """Return a bench for a backend; nothing is remembered between runs. Its server is started, and left for others."""
    if backend.server is not None and not is_served(backend.server):
        serve_until_exit(backend.server)
    effort = effort if isinstance(effort, Effort) else EFFORTS[effort]
    return ends_with_the_test(Bench(probe(backend), effort, seed, root))


def judge_all(
    backend: Backend,
    root: Path,
    *,
    effort: str | Effort = "quick",
    seed: int = 0,
    suites: Collection[str] | None = None,
) -> dict[str, Result]:
    """Carry out every check of every contract that the backend opens, or of some suites; return the results by code."""
    one = bench(backend, root, effort=effort, seed=seed)
    contracts = ("backend", *one.profile.missing)
    return {
        code: one.judge(check)
        for code, check in catalogue().items()
        if check.contract in contracts and (suites is None or check.suite in suites)
    }
