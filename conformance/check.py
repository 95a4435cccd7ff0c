"""A check: one rule, with a stable code, a level, a sentence, and sources; and the catalogue of all that ship.

A check is a plain function `test_...(trial)` in `conformance/suites/<suite>/<contract>[_part].py`. Its docstring is
the page that `conformance explain` prints: the rule in a sentence, then `Why:`, then `Breaks it:` with an example.
"""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from conformance import editions
from conformance.result import Level

if TYPE_CHECKING:
    from conformance.trial import Trial

SUITES = Path(__file__).parent / "suites"
#: The name of the one fixture that checks get; a prefix, so that no fixture of a user's conftest takes its place.
FIXTURE = "conformance_bench"
#: The suite that compares backends, where there are several.
DIFFERENTIAL = "differential"
#: The suite that judges nothing: what stands in its files are no checks (see `benchmarks.items`).
BENCHMARK = "benchmark"
_ATTRIBUTE = "conformance_check"

CheckFunction = Callable[["Trial"], None]


@dataclass(frozen=True)
class Check:
    """One rule and the function that tests it.

    Args:
        code: Stable for ever: `STATE-VALUE-01`.
        level: `must` gates; `should` is reported.
        suite: The property family, e.g. `round-trip`.
        contract: The contract whose rule it is, e.g. `state`.
        sentence: The rule.
        why: What goes wrong in the field when it is broken.
        breaks: An example that breaks it.
        sources: Where the rule comes from.
        capability: What the store must offer, or the backend must not disclaim, for the check to apply; `server` for
            stores that talk to one.
        methods: Methods that the store must have for the check to apply.
        promise: `promise:level` that the backend must claim for the check to apply, and that its outcome speaks about;
            `promise` alone for whatever level is claimed; several with spaces in between; empty for none.
        needs: Codes of the checks without which this one is meaningless.
        since: The edition that it came in; it gates from then on.
        function: The test.
        file: Its file, as in a node id: `round_trip/state_values.py`.
    """

    code: str
    level: Level
    suite: str
    contract: str
    sentence: str
    why: str
    breaks: str
    sources: str
    capability: str
    methods: tuple[str, ...]
    promise: str
    needs: tuple[str, ...]
    since: str
    function: CheckFunction
    file: str

    @property
    def promises(self) -> Mapping[str, str]:
        """The level of each promise that the check is about; empty for whatever level is claimed."""
        return {promise: level for promise, _, level in (one.partition(":") for one in self.promise.split())}


def check(
    code: str,
    *,
    sources: str,
    level: Level = "must",
    capability: str = "",
    methods: tuple[str, ...] = (),
    promise: str = "",
    needs: tuple[str, ...] = (),
    since: str = editions.FIRST,
) -> Callable[[CheckFunction], CheckFunction]:
    """Declare the decorated test function to be the check `code`; the arguments are those of `Check`."""

    def declare(function: CheckFunction) -> CheckFunction:
        file = Path(function.__code__.co_filename)
        sentence, why, breaks = _sections(inspect.getdoc(function) or "", code)
        record = Check(
            code=code,
            level=level,
            suite=file.parent.name.replace("_", "-"),
            contract=file.stem.split("_")[0],
            sentence=sentence,
            why=why,
            breaks=breaks,
            sources=sources,
            capability=capability,
            methods=methods,
            promise=promise,
            needs=needs,
            since=since,
            function=function,
            file=f"{file.parent.name}/{file.name}",
        )
        setattr(function, _ATTRIBUTE, record)
        # pytest takes the fixture's name from the signature; the author writes the short name.
        parameter = inspect.Parameter(FIXTURE, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        function.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
        return function

    return declare


def check_of(function: object) -> Check | None:
    """Return the check that `function` was declared to be, or None."""
    return getattr(function, _ATTRIBUTE, None)


def _sections(text: str, code: str) -> tuple[str, str, str]:
    head, _, rest = text.partition("\n\nWhy:")
    why, _, breaks = rest.partition("\n\nBreaks it:")
    if not (head and why and breaks):
        raise ValueError(f"the docstring of {code} needs a sentence, 'Why:' and 'Breaks it:', in this order")
    return " ".join(head.split()), " ".join(why.split()), textwrap.dedent(breaks.strip("\n"))


def suite_files() -> Iterator[Path]:
    """Give the files of all shipped suites of checks, in the order in which they run."""
    for folder in sorted(SUITES.iterdir()):
        if folder.is_dir() and folder.name not in ("__pycache__", BENCHMARK):
            yield from sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


@cache
def catalogue() -> dict[str, Check]:
    """Return all shipped checks by code, in the order in which they run.

    Raises:
        ValueError: Two checks have one code, a check needs one that does not exist or came later, or is of no edition.
    """
    found: dict[str, Check] = {}
    for path in suite_files():
        module = importlib.import_module(f"conformance.suites.{path.parent.name}.{path.stem}")
        for thing in vars(module).values():
            one = check_of(thing)
            if one is None or one.function.__module__ != module.__name__:
                continue
            if one.code in found:
                raise ValueError(f"the code {one.code} is taken twice: {found[one.code].file} and {one.file}")
            found[one.code] = one
    for one in found.values():
        if one.since not in editions.EDITIONS:
            raise ValueError(f"{one.code} is of the edition {one.since!r}; there are {', '.join(editions.EDITIONS)}")
        for needed in one.needs:
            if needed not in found:
                raise ValueError(f"{one.code} needs {needed}, which does not exist")
            if editions.is_newer(found[needed].since, one.since):  # what gates nothing would block what gates
                raise ValueError(f"{one.code} needs {needed}, which is of a later edition")
    return found


def check_at(nodeid: str) -> Check | None:
    """Return the check that a pytest node id names: `conformance/<suite>/<file>.py::<function>[<backend>]`."""
    file, _, function = nodeid.partition("::")
    name = function.partition("[")[0]
    for one in catalogue().values():
        if file == f"conformance/{one.file}" and one.function.__name__ == name:
            return one
    return None


def suite_names() -> tuple[str, ...]:
    """Return the names of the shipped suites of checks."""
    return tuple(dict.fromkeys(path.parent.name.replace("_", "-") for path in suite_files()))
