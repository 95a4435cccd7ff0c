"""Known gaps: `[[tool.conformance.known-gaps]]`, the failures that a project accepts for now."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.address import nearest
from conformance.project import ProjectError

_KEYS = ("check", "reason", "expires")


@dataclass(frozen=True)
class Gap:
    """A check that is known to fail, with the reason and, where given, the last day on which that is accepted."""

    check: str
    reason: str
    expires: datetime.date | None = None


def known_gaps(entries: Any, path: Path, today: datetime.date, checks: Collection[str]) -> dict[str, Gap]:
    """Return the gaps by the codes of their checks.

    Args:
        entries: As they stand in the file.
        path: The file.
        today: The day by which gaps expire.
        checks: The codes that there are.

    Raises:
        ProjectError: An entry can't be used.
    """
    gaps: dict[str, Gap] = {}
    for number, entry in enumerate(entries, 1):
        gap = _gap(entry, f"{path}: [[tool.conformance.known-gaps]] number {number}", today, checks)
        if gap.check in gaps:
            raise ProjectError(f"{path}: [[tool.conformance.known-gaps]] number {number}: {gap.check} is listed twice.")
        gaps[gap.check] = gap
    return gaps


def _gap(entry: Any, heading: str, today: datetime.date, checks: Collection[str]) -> Gap:
    if not isinstance(entry, dict):
        raise ProjectError(f"{heading} is not a table.")
    for key in entry:
        if key not in _KEYS:
            raise ProjectError(f"{heading} has no key {key!r}.{nearest(key, _KEYS)} Known: {', '.join(_KEYS)}.")
    code, reason, expires = entry.get("check"), entry.get("reason"), entry.get("expires")
    if not isinstance(code, str) or code not in checks:
        raise ProjectError(f"{heading}: unknown check {code!r}.{nearest(str(code), checks)}")
    if not isinstance(reason, str) or not reason.strip():
        raise ProjectError(f"{heading}: {code} has no reason. Say in a sentence why the gap is accepted.")
    if expires is not None and type(expires) is not datetime.date:
        raise ProjectError(f"{heading}: {code}: expires={expires!r} is not a date. Write expires = 2027-03-01.")
    if expires is not None and expires < today:
        raise ProjectError(f"{heading}: {code} expired on {expires}. Close the gap, or give it a new date and reason.")
    return Gap(code, reason, expires)
