"""Verdicts that no check tells, for forms that are lists of checks: read by themselves, these would be green."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.report.record import is_red
from conformance.report.rows import checks_of
from conformance.report.tally import NEW, word

#: What a check came to that fails a run.
FAILED = (NEW, "stale gap", "inconclusive")
#: What such a verdict is called where a check has its code.
CODE = "verdict"


def is_untold(backend: Mapping[str, Any]) -> bool:
    """Tell whether a backend is red for another reason than a check that failed: nothing tested, stopped, required.

    Args:
        backend: Its part of the record.
    """
    return is_red(backend["verdict"]) and not any(word(check) in FAILED for check in checks_of(backend))
