"""What the checks came to, in the words of all reports, and how many came to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: The words, worst first. An outcome is its own word, but for `fail`, which is one thing where it gates and another for
#: a `should`, and for whatever a check came to that is newer than the edition and did not pass.
NEW, SHOULD, PROVISIONAL = "new failure", "broken should", "provisional"
WORDS = (NEW, "stale gap", "inconclusive", "blocked", SHOULD, PROVISIONAL, "known gap", "not applicable", "pass")
_MANY = {
    NEW: "new failures",
    SHOULD: "broken shoulds",
    "stale gap": "stale gaps",
    "known gap": "known gaps",
    "pass": "passed",
}


def word(check: Mapping[str, Any]) -> str:
    """Return what a check came to."""
    outcome = str(check["outcome"])
    if check["provisional"] and outcome not in ("pass", "not applicable"):
        return PROVISIONAL
    if outcome != "fail":
        return outcome
    return NEW if check["gates"] else SHOULD


def by_word(checks: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the checks by what they came to, worst first; words that no check came to are left out."""
    found: dict[str, list[Mapping[str, Any]]] = {name: [] for name in WORDS}
    for check in checks:
        found.setdefault(word(check), []).append(check)
    return {name: members for name, members in found.items() if members}


def tally_line(checks: Sequence[Mapping[str, Any]]) -> str:
    """Return how many checks there are and what they came to, as `3 checks: 1 new failure, 2 passed`."""
    parts = [f"{len(some):,} {counted(name, len(some))}" for name, some in by_word(checks).items()]
    return f"{len(checks):,} {'check' if len(checks) == 1 else 'checks'}: {', '.join(parts) or 'none was carried out'}"


def counted(name: str, count: int) -> str:
    """Return the word for what `count` checks came to."""
    return _MANY.get(name, name) if count != 1 or name == "pass" else name
