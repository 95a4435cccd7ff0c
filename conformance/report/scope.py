"""What a verdict of conformance is about: all that was asked for, or a part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.editions import newest


def tested_suites(backend: Mapping[str, Any]) -> list[str]:
    """Return the suites of which something was tested, but for `open`, which is about the backend as a whole."""
    return list(dict.fromkeys(s["name"] for c in backend["contracts"] for s in c["suites"] if _tested_something(s)))


def scope(backend: Mapping[str, Any]) -> tuple[str, bool]:
    """Return in words where a backend conforms, and whether that is only a part of what was asked for."""
    if backend["case"]:
        what = "round" if backend.get("round") else "saved state"
        return f"in the one {what} of {backend['case']}, and nothing else was tried", True
    without = _without(backend)
    if backend["selected"] < backend["of"]:
        of = f"in the {backend['selected']} of {backend['of']} checks that were selected"
        return f"{of}{without}{_edition(backend)}", True
    return f"in {', '.join(tested_suites(backend))}{without}{_edition(backend)}", bool(without)


def _without(backend: Mapping[str, Any]) -> str:
    """Return in words how many checks were not carried out because a known gap makes them meaningless."""
    suites = (suite for contract in backend["contracts"] for suite in contract["suites"])
    count = sum(check["outcome"] == "blocked" for suite in suites for check in suite["checks"])
    return f", without {count} that known gaps block" if count else ""


def _edition(backend: Mapping[str, Any]) -> str:
    """Return in words which edition gates, where it is not the newest."""
    return f", edition {backend['edition']}" if backend.get("edition", newest()) != newest() else ""


def _tested_something(suite: Mapping[str, Any]) -> bool:
    return suite["name"] != "open" and any(check["outcome"] != "not applicable" for check in suite["checks"])
