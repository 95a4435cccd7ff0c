"""What was required of a backend, and whether it was observed. Made of plain data alone, as the rest of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.backend import CONTRACTS, PROMISES

_NOT_MEASURED = "not measured"


def required_records(
    words: Sequence[str],
    facts: Mapping[str, Any],
    promises: Sequence[Mapping[str, Any]],
    checks: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return for each word what became of it.

    `met` is True when it was observed in this run, False when it is not claimed or was found broken, and None when it
    was not measured, which is neither.

    Args:
        words: Levels of promises, and contracts.
        facts: What the record says of the backend before its checks.
        promises: What it says of its promises.
        checks: Those that were judged.
    """
    opened = [contract["name"] for contract in facts["contracts"] if contract["name"] in CONTRACTS]
    found = []
    for word in words:
        name = next((name for name, levels in PROMISES.items() if word in levels), "contract")
        if not opened:
            met, why = None, "not measured: no store was opened"
        elif name == "contract":
            met, why = _contract(word, opened, checks)
        else:
            met, why = _level(name, word, facts["lacks"], promises)
        found.append({"name": name, "level": word, "met": met, "why": why})
    return found


def _contract(word: str, opened: Sequence[str], checks: Sequence[Mapping[str, Any]]) -> tuple[bool | None, str]:
    if word not in opened:
        return False, f"the backend opens {', '.join(opened)}"
    passed = [c for c in checks if (c["contract"], c["level"], c["outcome"]) == (word, "must", "pass")]
    if not any(not check["provisional"] for check in passed):
        return None, _NOT_MEASURED
    return True, f"{len(passed)} must check{'' if len(passed) == 1 else 's'} passed"


def _level(
    name: str, level: str, lacks: Mapping[str, str], promises: Sequence[Mapping[str, Any]]
) -> tuple[bool | None, str]:
    promise = next((promise for promise in promises if promise["name"] == name), None)
    if promise is None:
        return False, f"the backend offers nothing that {name} is about"
    observed, claimed = promise["observed"], promise["claimed"]
    if includes(name, observed, level):
        return True, f"observed {observed}"
    if not includes(name, claimed, level):
        reason = f" (lacks {level}: {lacks[level]})" if level in lacks else ""
        return False, f"claimed {claimed}{reason}"
    if any(includes(name, level, broken) for broken in promise["broken"]):
        return False, f"observed {observed}" if observed else f"{', '.join(promise['broken'])} broken"
    return None, f"{_NOT_MEASURED}, observed {observed}" if observed else _NOT_MEASURED


def includes(name: str, held: str, asked: str) -> bool:
    """Tell whether a level of a promise includes another one, or is it; an empty one includes none."""
    levels = PROMISES[name]
    if not held or (name == "values" and (held, asked) == ("json", "bytes")):  # JSON has no bytes
        return False
    return levels.index(held) <= levels.index(asked)


def unmet(required: Sequence[Mapping[str, Any]], *, met: bool | None) -> list[str]:
    """Return a phrase for each requirement that came to `met`."""
    return [f"requires {one['level']}, {one['why']}" for one in required if one["met"] is met]
