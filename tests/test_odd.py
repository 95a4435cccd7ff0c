"""Odd but legal stores pass every check: the checks are not too strict."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.check import catalogue, suite_names
from conformance.effort import EFFORTS
from conformance.result import Result
from tests.benches import bench, judge_all

#: There are many odd stores. Those that concurrency might accuse get their rounds in tests/suites.
FEW_ROUNDS = replace(EFFORTS["quick"], rounds=20, round_seconds=0.05, damages=40)


def odd_modules() -> list[ModuleType]:
    """Return the modules of tests/odd, each with a list `ODD`, and perhaps `SUITES` in which they are odd."""
    names = sorted(path.stem for path in (Path(__file__).parent / "odd").glob("*.py") if path.stem != "__init__")
    return [importlib.import_module(f"tests.odd.{name}") for name in names]


def odd_backends() -> list[Backend]:
    """Return all odd backends."""
    return [backend for module in odd_modules() for backend in module.ODD]


def suites_of(backend: Backend) -> tuple[str, ...]:
    """Return the suites that an odd backend is judged by: those in which it is odd, and every night all."""
    if "CONFORMANCE_FUZZ" in os.environ:
        return suite_names()
    return next(getattr(module, "SUITES", suite_names()) for module in odd_modules() if backend in module.ODD)


@pytest.mark.parametrize("backend", odd_backends(), ids=lambda backend: backend.name)
def test_odd_backend_passes_every_check(backend: Backend, tmp_path: Path) -> None:
    """An odd but legal store passes, at three seeds, every check that applies to it."""
    results = judge_all(backend, tmp_path, effort=FEW_ROUNDS, suites=suites_of(backend))
    assert unsound(results.values()) == []
    # Only what draws random examples can come out otherwise at another seed.
    random = [code for code, result in results.items() if {"examples", "sequences"} & result.evidence.keys()]
    for seed in (1, 2):
        one = bench(backend, tmp_path / f"seed-{seed}", seed=seed)
        assert unsound(one.judge(catalogue()[code]) for code in random) == []


def unsound(results: Iterable[Result]) -> list[Result]:
    """Return the results that an odd store must not have."""
    return [result for result in results if result.outcome not in ("pass", "not applicable")]


@pytest.mark.parametrize(
    "backend", [backend for backend in odd_backends() if backend.address], ids=lambda backend: backend.name
)
def test_odd_backend_is_found_by_its_address(backend: Backend) -> None:
    """Other processes open an odd store by its address, and get the same one."""
    assert load(backend.address).name == backend.name
