"""The text of a failed check: the rule, expected and got, the calls that lead to it, and what to do next."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path

from conformance.check import Check
from conformance.recording import Call
from conformance.result import Counterexample, Result

#: Longer records are shown with their middle left out.
SHOWN_FIRST, SHOWN_LAST = 6, 24
_WIDTH = 100


def failure_text(result: Result, check: Check, *, rerun: str, script: Path | None, base: Path, case: str = "") -> str:
    """Return what a person needs to understand and repeat a failure.

    Args:
        result: Of the check.
        check: Its rule.
        rerun: The command that runs it again.
        script: The reproduction script, where one was written.
        base: The directory that file names are shown relative to.
        case: The command that meets its saved case again, where one was saved.
    """
    lines = [*textwrap.wrap(f"{result.code}  {result.sentence}", _WIDTH)]
    lines.append(f"  level {result.level.upper()}   suite {result.contract}/{result.suite}   backend {result.backend}")
    lines.append("")
    if result.counterexample is not None:
        lines += _counterexample(result.counterexample)
    else:
        lines += [
            f"  {result.outcome}: {line}" if not i else f"  {line}" for i, line in enumerate(result.reason.splitlines())
        ]
    lines.append("")
    if script is not None:
        lines.append(f"  reproduce   python {shown_path(script, base)}")
    if case:
        lines.append(f"  case        {case}")
    lines.append(f"  rerun       {rerun}")
    lines.append(f"  explain     conformance explain {check.code}")
    return "\n".join(lines)


def shown_path(path: Path, base: Path) -> str:
    """Return a path as it is typed in a shell whose directory is `base`."""
    shown = os.path.relpath(path, base)
    return shlex.quote(shown if not shown.startswith("..") else str(path))


def _counterexample(example: Counterexample) -> list[str]:
    lines = [f"  {line}" for line in textwrap.wrap(example.what, _WIDTH - 2)]
    lines += _labelled("expected", example.expected) + _labelled("got", example.got)
    if example.note:
        lines += ["", *(f"  {line}" for line in textwrap.wrap(example.note, _WIDTH - 2))]
    if example.story:
        # Not wrapped: its columns are what is read.
        lines += ["", "  what happened:", *(f"    {line}" for line in example.story)]
    if example.calls:
        lines += ["", "  calls to the store:", *call_lines(example.calls)]
    if example.frame:
        lines += ["", f"  in the store: {example.frame}"]
    return lines


def _labelled(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=f"    {label:<9} ", subsequent_indent=" " * 14) or [
        f"    {label}"
    ]


def call_lines(calls: Sequence[Call]) -> list[str]:
    """Return the numbered calls, one a line, the last one marked; of a long record the middle is left out."""
    hidden = len(calls) - SHOWN_FIRST - SHOWN_LAST
    shown = calls if hidden <= 1 else [*calls[:SHOWN_FIRST], None, *calls[-SHOWN_LAST:]]
    digits = len(str(len(calls)))
    lines = []
    for call in shown:
        if call is None:
            lines.append(f"    {'':>{digits}}  … {hidden:,} more calls …")
            continue
        mark = "    <-- here" if call is calls[-1] else ""
        silent = call.is_statement and call.outcome == "-> None"
        outcome = f"  {call.outcome}" if call.outcome and not silent else ""
        lines.append(f"    {call.number:>{digits}}. {'    ' * call.depth}{call.source}{outcome}{mark}")
    return lines
