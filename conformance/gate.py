"""The gate: which results fail a run. Editions, promises that are required, known gaps and baselines, strictness."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance import editions
from conformance.address import nearest
from conformance.backend import CONTRACTS, PROMISES
from conformance.baseline import UPDATE, Baseline, read_baseline
from conformance.check import Check, catalogue
from conformance.gaps import Gap, GateError, Rules, known_gaps, refuse_twice, shown
from conformance.result import Result

#: The levels that promise nothing, which nobody can observe.
_NOTHING = ("volatile", "single", "silent")
#: What may be required: levels of promises, and contracts. No word is both.
REQUIRED = (*(level for levels in PROMISES.values() for level in levels if level not in _NOTHING), *CONTRACTS)
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Gate:
    """Which results fail a run.

    Args:
        edition: Checks that are newer gate nothing.
        require: Levels of promises and contracts, each of which must be observed of every backend.
        strict: A broken `should` gates too.
        gaps: The failures that are accepted, those of the baseline among them.
        baseline: The file with failures that are accepted as of a day; None for none.
        updates: The run writes that file.
        today: The day of the run.
    """

    edition: str
    require: tuple[str, ...]
    strict: bool
    gaps: tuple[Gap, ...]
    baseline: Baseline | None
    updates: bool
    today: datetime.date

    def gap(self, code: str, backend: str) -> Gap | None:
        """Return the gap that is known of a check of a backend; None for none."""
        return next((gap for gap in self.gaps if gap.check == code and gap.concerns(backend)), None)

    def placed(self, result: Result, check: Check) -> Result:
        """Return a result that knows whether its failure gates."""
        return replace(result, strict=self.strict, provisional=editions.is_newer(check.since, self.edition))

    def weighed(self, result: Result, *, blocker: Result | None = None, whole: bool, update: str) -> Result:
        """Return a placed result in the light of what is accepted: a failure is known, a pass is stale.

        A run that writes the baseline is judged as the next one will be, by what it writes.

        Args:
            result: What the check came to.
            blocker: The placed result of the check that makes this one meaningless; None for none.
            whole: The run carries out all checks of the backend, so that entries may be removed.
            update: The command that removes entries of the baseline.
        """
        if blocker is not None:  # what is accepted covers what it makes meaningless
            return replace(result, gap=self.weighed(blocker, whole=whole, update=update).gap)
        gap = self.gap(result.code, result.backend)
        if gap is None and self.updates and self.baseline is not None and result.outcome == "fail" and result.gates:
            gap = self.baseline.accepted(result.code, result.backend, self.today)
        if gap is None or result.outcome not in ("fail", "pass"):
            return result
        if result.outcome == "fail":
            return replace(result, outcome="known gap", reason=gap.reason, gap=gap.to_dict(self.today))
        of_baseline = self.baseline is not None and gap in self.baseline.gaps
        if of_baseline and self.updates and whole:
            return result
        by_hand = f"{result.code} is listed in {gap.source} ({gap.reason}) but passes now: delete the entry"
        by_command = (
            "only part of the checks were carried out; that takes all:" if self.updates else "or let this do it:"
        )
        reason = f"{by_hand}, {by_command} {update}" if of_baseline else by_hand
        return replace(result, outcome="stale gap", reason=reason, gap=gap.to_dict(self.today))


def gate_of(
    value: Callable[[str, Any], Any], entries: Any, path: Path, origins: Mapping[str, str], today: datetime.date
) -> Gate:
    """Return the gate of a run.

    Args:
        value: Returns the effective value of an option, by its name and default.
        entries: The known gaps of the project, as they stand in its file.
        path: The pyproject.toml.
        origins: For each option where its value came from.
        today: The day by which gaps expire.

    Raises:
        GateError: Something can't be used.
    """
    edition = _edition(value("edition", editions.newest()), origins)
    require = required_words(value("require", ()), origins.get("require", ""))
    strict = _flag("strict", value("strict", None), origins)
    file, updates = value("baseline", ""), bool(value("update-baseline", None))
    rules = Rules(today, catalogue(), edition)
    gaps = known_gaps(entries, path, rules)
    if not file:
        if updates:
            raise GateError(f"{UPDATE} writes a baseline, and none is named: give --conformance-baseline=FILE.")
        return Gate(edition, require, strict, gaps, None, updates, today)
    if not isinstance(file, (str, Path)):
        raise GateError(f"baseline={file!r} ({origins['baseline']}) is not the name of a file.")
    # What stands in a file is relative to that file; what was typed is relative to where it was typed.
    place = (path.parent / file if origins["baseline"] == path.name else Path(file)).absolute()
    baseline = read_baseline(place, shown(place, path.parent.absolute()), rules, updates=updates)
    for gap in baseline.gaps:
        refuse_twice(gap, gaps, f"baseline {place}: {gap.backend}")
    return Gate(edition, require, strict, (*gaps, *baseline.gaps), baseline, updates, today)


def _edition(name: Any, origins: Mapping[str, str]) -> str:
    if not isinstance(name, str):
        raise GateError(f'edition={name!r} ({origins["edition"]}) is not a text. Write edition = "{name}".')
    if name not in editions.EDITIONS:
        known = ", ".join(editions.EDITIONS)
        raise GateError(
            f"unknown edition {name!r} ({origins['edition']}).{nearest(name, editions.EDITIONS)} This kit knows: "
            f"{known}. A later edition needs a newer kit."
        )
    return name


def required_words(given: Any, origin: str) -> tuple[str, ...]:
    """Return what is required, each word once and without its promise.

    Args:
        given: A text of words, or several, joined by commas or spaces.
        origin: Where it was given.

    Raises:
        GateError: A word is neither a level of a promise nor a contract, or it promises nothing.
    """
    parts = [given] if isinstance(given, str) else given
    if not isinstance(parts, (list, tuple)) or not all(isinstance(part, str) for part in parts):
        raise GateError(f'require={given!r} ({origin}) is no list of words. Write require = ["power-loss", "log"].')
    words = [word for part in parts for word in part.replace(",", " ").split()]
    return tuple(dict.fromkeys(_required(word, origin) for word in words))


def _required(word: str, origin: str) -> str:
    promise, _, level = word.rpartition(":")
    heading = f"require={word!r} ({origin})"
    if promise and level not in PROMISES.get(promise, ()):
        written = [f"{name}:{one}" for name, levels in PROMISES.items() for one in levels if one in REQUIRED]
        raise GateError(f"{heading} is no level of a promise.{nearest(word, written)}")
    if level in _NOTHING:
        raise GateError(f"{heading} promises nothing: there is nothing to observe. Known: {', '.join(REQUIRED)}.")
    if level not in REQUIRED:
        raise GateError(
            f"{heading} is neither a level of a promise nor a contract.{nearest(word, REQUIRED)} "
            f"Known: {', '.join(REQUIRED)}."
        )
    return level


def _flag(name: str, given: Any, origins: Mapping[str, str]) -> bool:
    if given is None:
        return False
    if isinstance(given, str) and given.lower() in (*_TRUE, *_FALSE):
        return given.lower() in _TRUE
    if not isinstance(given, bool):
        raise GateError(f"{name}={given!r} ({origins[name]}) is neither true nor false.")
    return given
