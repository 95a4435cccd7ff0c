"""Known gaps: `[[tool.conformance.known-gaps]]` and baselines, the failures that a project accepts for now."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import editions
from conformance.address import nearest
from conformance.check import Check

_KEYS = ("check", "reason", "backend", "expires")
_ENTRY = re.compile(r"\s*\[\[\s*tool\s*\.\s*conformance\s*\.\s*known-gaps\s*\]\]")


class GateError(Exception):
    """What is to gate a run can't be used; the text names the place, the value, and what to write."""


@dataclass(frozen=True)
class Gap:
    """A check that is known to fail.

    Args:
        check: Its code.
        reason: Why that is accepted.
        expires: The last day on which it is; None for no such day.
        backend: The one backend of which it is accepted; empty for all.
        source: Where it is listed: `pyproject.toml:12`.
    """

    check: str
    reason: str
    expires: datetime.date | None = None
    backend: str = ""
    source: str = ""

    def concerns(self, backend: str) -> bool:
        """Tell whether the gap is one of a backend."""
        return self.backend in ("", backend)

    def to_dict(self, today: datetime.date) -> dict[str, Any]:
        """Return plain data, for the record; `days_left` is 0 on the last day."""
        return {
            "reason": self.reason,
            "expires": self.expires.isoformat() if self.expires else None,
            "days_left": (self.expires - today).days if self.expires else None,
            "source": self.source,
        }


@dataclass(frozen=True)
class Rules:
    """What an entry is held to.

    Args:
        today: The day by which gaps expire.
        checks: All that there are, by code.
        edition: What gates; what is newer needs no entry.
    """

    today: datetime.date
    checks: Mapping[str, Check]
    edition: str


def known_gaps(entries: Any, path: Path, rules: Rules) -> tuple[Gap, ...]:
    """Return the gaps that a pyproject.toml lists.

    Args:
        entries: As they stand in the file.
        path: The file.
        rules: What they are held to.

    Raises:
        GateError: An entry can't be used.
    """
    if not isinstance(entries, list):
        raise GateError(f"{path}: known-gaps is no list. Write [[tool.conformance.known-gaps]] above each entry.")
    lines = _lines(path, len(entries))
    gaps: list[Gap] = []
    for number, (entry, line) in enumerate(zip(entries, lines, strict=True), 1):
        heading = f"{path}{line}: [[tool.conformance.known-gaps]] number {number}"
        gap = _gap(entry, heading, f"{path.name}{line}", rules)
        refuse_twice(gap, gaps, heading)
        gaps.append(gap)
    return tuple(gaps)


def _lines(path: Path, count: int) -> list[str]:
    """Return `:12` for the line of each entry; empty texts where the entries are not written as tables."""
    try:
        text = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        text = []
    found = [f":{number}" for number, line in enumerate(text, 1) if _ENTRY.match(line)]
    return found if len(found) == count else [""] * count


def _gap(entry: Any, heading: str, source: str, rules: Rules) -> Gap:
    if not isinstance(entry, dict):
        raise GateError(f"{heading} is not a table.")
    for key in entry:
        if key not in _KEYS:
            raise GateError(f"{heading} has no key {key!r}.{nearest(key, _KEYS)} Known: {', '.join(_KEYS)}.")
    expires, backend = entry.get("expires"), entry.get("backend", "")
    if expires is not None and type(expires) is not datetime.date:
        code = entry.get("check")
        raise GateError(f"{heading}: {code}: expires={expires!r} is not a date. Write expires = 2027-03-01.")
    if not isinstance(backend, str):
        raise GateError(f'{heading}: backend={backend!r} is not the name of a backend. Write backend = "mystore".')
    gap = Gap(entry.get("check", ""), entry.get("reason", ""), expires, backend, source)
    refuse_unfit(gap, heading, rules)
    return gap


def refuse_unfit(gap: Gap, heading: str, rules: Rules, hint: str = "") -> None:
    """Require that a gap can be used.

    Args:
        gap: What was read; its check and reason may be of any type.
        heading: Where it stands.
        rules: What it is held to.
        hint: Said beside a code that is unknown.

    Raises:
        GateError: It can't be.
    """
    code, reason = gap.check, gap.reason
    if not isinstance(code, str) or code not in rules.checks:
        raise GateError(f"{heading}: unknown check {code!r}.{nearest(str(code), rules.checks)}{hint}")
    since = rules.checks[code].since
    if editions.is_newer(since, rules.edition):
        raise GateError(
            f"{heading}: {code} is of edition {since}, and the run is pinned to {rules.edition}, in which it gates "
            f"nothing: delete the entry, or pin edition {since}."
        )
    if not isinstance(reason, str) or not reason.strip():
        raise GateError(f"{heading}: {code} has no reason. Say in a sentence why the gap is accepted.")
    if gap.expires is not None and gap.expires < rules.today:
        raise GateError(f"{heading}: {code} expired on {gap.expires}. Close the gap, or give it a new date and reason.")


def refuse_twice(gap: Gap, others: Iterable[Gap], heading: str) -> None:
    """Require that no other gap is about the same check of the same backend.

    Raises:
        GateError: One is.
    """
    for other in others:
        if other.check == gap.check and (not gap.backend or other.concerns(gap.backend)):
            place = f" also in {other.source}" if other.source else ""
            of = f" of {gap.backend or other.backend}" if gap.backend or other.backend else ""
            raise GateError(f"{heading}: {gap.check}{of} is listed twice:{place}. Delete one of the two entries.")


def shown(path: Path, base: Path) -> str:
    """Return how a file is named in a record: relative to the project, where it lies in it."""
    return Path(os.path.relpath(path, base)).as_posix() if path.is_relative_to(base) else str(path)
