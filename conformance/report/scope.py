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
    if backend["selected"] < backend["of"]:
        return f"in the {backend['selected']} of {backend['of']} checks that were selected{_edition(backend)}", True
    return f"in {', '.join(tested_suites(backend))}{_edition(backend)}", False


def _edition(backend: Mapping[str, Any]) -> str:
    """Return in words which edition gates, where it is not the newest."""
    return f", edition {backend['edition']}" if backend.get("edition", newest()) != newest() else ""


def _tested_something(suite: Mapping[str, Any]) -> bool:
    return suite["name"] != "open" and any(check["outcome"] != "not applicable" for check in suite["checks"])
