"""What the suite `benchmark` measures: its functions, which are no checks, and have no verdict."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.check import BENCHMARK, SUITES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.backend import Backend
    from conformance.benchmarks.laboratory import Laboratory
    from conformance.benchmarks.measured import Measured

#: What came of an operation by backend: a measurement, data for the record, or what was raised.
Findings = Mapping[str, "Measured | dict[str, Any] | Exception"]
#: Measures an operation of some backends, the reference first.
Measure = Callable[["Laboratory", "Sequence[Backend]"], Findings]

#: The fixtures of such a function: the name of the backend, the laboratory, and that of pytest-benchmark.
ENTRANT, LABORATORY, FIXTURE = "conformance_entrant", "conformance_laboratory", "benchmark"
_ATTRIBUTE = "conformance_measurement"


@dataclass(frozen=True)
class Measurement:
    """One operation that is measured.

    Args:
        contract: e.g. `state`.
        operation: e.g. `put by threads`.
        sentence: What is done, and what the figure is.
        capability: What the store must offer; empty for nothing.
        timed: Whether what is measured is a time; other figures are not shown to pytest-benchmark.
        function: Measures it.
        file: Its file, as in a node id: `benchmark/state.py`.
    """

    contract: str
    operation: str
    sentence: str
    capability: str
    timed: bool
    function: Measure
    file: str


def measures(*, capability: str = "", timed: bool = True) -> Callable[[Measure], Measure]:
    """Declare the decorated function `test_...(laboratory, backends)` to measure an operation of its file's contract.

    Args:
        capability: As for `Measurement`.
        timed: As for `Measurement`.
    """

    def declare(function: Measure) -> Measure:
        code = function.__code__
        file = Path(code.co_filename)
        name = code.co_name.removeprefix("test_").replace("_", " ")
        sentence = " ".join((inspect.getdoc(function) or "").split())
        found = Measurement(file.stem, name, sentence, capability, timed, function, f"{file.parent.name}/{file.name}")
        setattr(function, _ATTRIBUTE, found)
        # pytest takes the fixtures' names from the signature.
        fixtures = (FIXTURE,) if timed else ()
        function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
                for name in (ENTRANT, LABORATORY, *fixtures)
            ]
        )
        return function

    return declare


def measurement_of(function: object) -> Measurement | None:
    """Return what `function` was declared to measure, or None."""
    return getattr(function, _ATTRIBUTE, None)


@cache
def measurements() -> tuple[Measurement, ...]:
    """Return all that ship, in the order in which they run."""
    found = []
    for path in sorted((SUITES / BENCHMARK).glob("*.py")):
        if path.name != "__init__.py":
            module = importlib.import_module(f"conformance.suites.{BENCHMARK}.{path.stem}")
            found += [one for thing in vars(module).values() if (one := measurement_of(thing)) is not None]
    return tuple(found)
