"""The command `conformance list`: the checks, one a line, or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from conformance.address import nearest
from conformance.check import Check, catalogue
from conformance.commands import Refusal
from conformance.registered import DISTRIBUTION
from conformance.versions import kit_version

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

#: Raised when a field of `conformance list --json` changes its meaning or goes away.
SCHEMA = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("--suite", metavar="NAME", help="of this suite only, e.g. round-trip")
    parser.add_argument("--contract", metavar="NAME", help="of this contract only, e.g. state")
    parser.add_argument("--level", choices=("must", "should"), help="of this level only")
    parser.add_argument("--json", action="store_true", help="as JSON, with all that `explain` tells")


def run(arguments: argparse.Namespace) -> tuple[int, Iterator[str]]:
    """Return the exit code and the lines that list the checks.

    Raises:
        Refusal: There is no such suite or contract.
    """
    for name in ("suite", "contract"):
        wanted, known = getattr(arguments, name), dict.fromkeys(getattr(check, name) for check in catalogue().values())
        if wanted and wanted not in known:
            raise Refusal(f"unknown {name} {wanted!r}.{nearest(wanted, known)} Known: {', '.join(known)}.")
    filters = {name: wanted for name in ("suite", "contract", "level") if (wanted := getattr(arguments, name))}
    chosen = [c for c in catalogue().values() if all(getattr(c, name) == wanted for name, wanted in filters.items())]
    return 0, _as_json(chosen) if arguments.json else _as_text(chosen)


def _as_json(checks: Sequence[Check]) -> Iterator[str]:
    records = [{name: value for name, value in asdict(check).items() if name != "function"} for check in checks]
    kit = {"name": DISTRIBUTION, "version": kit_version()}
    yield json.dumps({"schema": SCHEMA, "kit": kit, "checks": records}, indent=2)


def _as_text(checks: Sequence[Check]) -> Iterator[str]:
    groups: dict[str, list[Check]] = {}
    for check in checks:
        groups.setdefault(f"{check.contract}/{check.suite}", []).append(check)
    for group, members in groups.items():
        yield f"{group}  ({len(members)})"
        for check in members:
            yield f"  {check.code:<20} {check.level:<6} {check.sentence}"
        yield ""
    musts = sum(check.level == "must" for check in checks)
    since = ", ".join(dict.fromkeys(check.since for check in checks))
    yield f"{len(checks)} checks: {musts} must, {len(checks) - musts} should; of edition {since or 'none'}"
