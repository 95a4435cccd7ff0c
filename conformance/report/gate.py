"""What the summary says of the gate: provisional checks, what was required, gaps and their last day, the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.report.rows import checks_of

_MET = {True: ("met: ", ""), False: ("NOT MET: ", "red"), None: ("", "red")}


def gap_words(check: Mapping[str, Any]) -> str:
    """Return until when a known gap is accepted, to stand behind its reason; empty where there is no such day."""
    gap = check["gap"]
    if gap is None or gap["expires"] is None:
        return ""
    left = gap["days_left"]
    when = "expires today" if left == 0 else f"expires in {left} day{'' if left == 1 else 's'}"
    return f" ({when}, the last day is {gap['expires']})"


def provisional_lines(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the lines about checks that are newer than the edition: what did not pass, and how many did."""
    found = [check for check in checks_of(backend) if check["provisional"]]
    for check in found:
        if check["outcome"] not in ("pass", "not applicable"):
            text = check["sentence"] if check["outcome"] == "fail" else check["reason"].partition("\n")[0]
            yield f"  provisional  {check['code']:<18} {check['outcome']}, and gates nothing yet: {text}", "yellow"
    passed = sum(check["outcome"] == "pass" for check in found)
    if passed:
        newer = f"newer than edition {backend['edition']}"
        yield f"  provisional  {passed} check{'' if passed == 1 else 's'} {newer} passed", ""


def required_lines(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give a line for each level and contract that was required."""
    for one in backend.get("required", ()):
        word, colour = _MET[one["met"]]
        yield f"  required     {one['level']:<18} {word}{one['why']}", colour


def baseline_lines(report: Mapping[str, Any], error: str) -> Iterator[tuple[str, str]]:
    """Give the lines about a baseline that the run wrote.

    Args:
        report: The record.
        error: Why it could not be written; empty where it was.
    """
    told = report.get("baseline")  # a merged record has none
    if told is None or not told["updated"]:
        return
    if error:
        yield f"  the baseline {told['source']} could not be written: {error}", "red"
        return
    counts = ", ".join(f"{len(told[name])} {name}" for name in ("added", "removed"))
    yield f"  baseline {told['source']}: {counts}", ""
    for name in ("added", "removed"):
        for entry in told[name]:
            yield f"    {name:<8} {entry['backend']}  {entry['check']}", ""
    for entry in told["kept"]:
        yield (
            f"    kept     {entry['backend']}  {entry['check']}: it passed, but not all checks were carried out",
            "yellow",
        )
