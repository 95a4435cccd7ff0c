"""Findings at the lines of the user's own code: workflow commands of GitHub, and the Code Quality file of GitLab."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.report.rows import checks_of
from conformance.report.tally import NEW, SHOULD, word
from conformance.report.text import one_line, printable, reason_of
from conformance.report.verdict import CODE, is_untold

#: GitHub shows ten errors and ten warnings of a step; the tenth says how many more there are.
MOST = 9
#: What becomes of a check that is told at a line, and how loud; a run that is INCONCLUSIVE is as red as a failed one.
_LOUDNESS = {NEW: "error", "inconclusive": "error", "stale gap": "warning", SHOULD: "warning"}
#: The same for GitLab.
_SEVERITY = {NEW: "major", "inconclusive": "major", "stale gap": "minor", SHOULD: "info"}
#: And of a verdict that no check tells, which is red.
_LOUDEST, _SEVEREST = "error", "major"
_TEXT_MOST = 1_000
_FRAME = re.compile(r"(?P<path>.+?):(?P<line>\d+) in ")
_ENTRY = re.compile(r"(?P<path>.+):(?P<line>\d+)")
#: Folders of code that is installed, also where they are inside the project.
_INSTALLED = {"site-packages", "dist-packages"}


@dataclass(frozen=True)
class Finding:
    """What a reader is told at a line.

    Args:
        backend: The name of the store.
        code: Of the check, or `verdict`.
        word: What it came to.
        found: Why, and of a check the rule.
        file: Relative to the root, with slashes; empty where no code of the project's own is known.
        line: From 1; 0 without a file.
    """

    backend: str
    code: str
    word: str
    found: str
    file: str = ""
    line: int = 0

    @property
    def text(self) -> str:
        """What is told."""
        return one_line(f"{self.backend}: {self.found}", _TEXT_MOST)


def findings(report: Mapping[str, Any], root: Path, base: Path | None = None) -> Iterator[Finding]:
    """Give the checks that must be told at a line: new failures, what could not be judged, stale gaps, broken shoulds.

    Args:
        report: The record.
        root: Of the project; only its own code is pointed at.
        base: The directory that names of files in the record are relative to; the root when None.
    """
    for backend in report["backends"]:
        for check in checks_of(backend):
            if word(check) in _LOUDNESS:
                file, line = place_of(check, root, base or root)
                found = f"{_found(check)} ({check['sentence']})"
                yield Finding(backend["name"], check["code"], word(check), found, file, line)


def _verdicts(report: Mapping[str, Any]) -> Iterator[Finding]:
    """Give the verdicts that no check tells: without them a red run would have no finding that says so."""
    for backend in report["backends"]:
        if is_untold(backend):
            yield Finding(backend["name"], CODE, backend["verdict"], backend["why"] or backend["verdict"])


def place_of(check: Mapping[str, Any], root: Path, base: Path) -> tuple[str, int]:
    """Return what a finding is pointed at, relative to `root`: the store's own code, or the entry of a stale gap.

    There is no file where that is no code of the project.
    """
    if check["outcome"] == "stale gap" and check["gap"] is not None:
        entry = _ENTRY.fullmatch(check["gap"]["source"])
        places = (_inside(entry, root, folder) for folder in (base, root))
        return next((place for place in places if place[0]), ("", 0))
    return _inside(_FRAME.match(check["counterexample"]["frame"] if check["counterexample"] else ""), root, base)


def _inside(found: re.Match[str] | None, root: Path, base: Path) -> tuple[str, int]:
    """Return file and line of what was matched, where they are in the project and not installed in it."""
    if found is None:
        return "", 0
    try:
        path = (base / found["path"]).resolve()
        inside = path.is_relative_to(root.resolve()) and path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return "", 0
    if not inside or _INSTALLED & set(path.parts):
        return "", 0
    return path.relative_to(root.resolve()).as_posix(), int(found["line"])


def workflow_commands(report: Mapping[str, Any], root: Path, base: Path | None = None) -> Iterator[str]:
    """Give the lines that make GitHub annotate a change, as many as it shows.

    Args:
        report: The record.
        root: Of the repository.
        base: The directory that names of files in the record are relative to; the root when None.
    """
    told = [*findings(report, root, base), *_verdicts(report)]
    for loudness in ("error", "warning"):
        chosen = [one for one in told if _LOUDNESS.get(one.word, _LOUDEST) == loudness]
        for one in chosen[:MOST]:
            where = f"file={_escaped(one.file, more=':,')},line={one.line}," if one.file else ""
            yield _command(f"{loudness} {where}", f"{one.code} {one.word}", one.text)
        if len(chosen) > MOST:
            yield _command(f"{loudness} ", "conformance", f"{len(chosen) - MOST} more in the summary")


def code_quality(report: Mapping[str, Any], root: Path, base: Path | None = None) -> str:
    """Return the findings as a Code Quality report of GitLab, which wants a file for each.

    Args:
        report: The record.
        root: Of the repository.
        base: The directory that names of files in the record are relative to; the root when None.
    """
    addresses = {backend["name"]: backend["address"] for backend in report["backends"]}
    told = [*findings(report, root, base), *_verdicts(report)]
    return json.dumps([_issue(one, addresses[one.backend], root) for one in told], indent=2)


def _issue(one: Finding, address: str, root: Path) -> dict[str, Any]:
    # Where no line is known, the adapter is what is left to point at.
    path = one.file or _adapter(address, root) or "pyproject.toml"
    # The same finding must have the same fingerprint in the next run, whatever line the code has moved to.
    digest = hashlib.sha256(json.dumps([one.backend, one.code, one.word]).encode()).hexdigest()
    return {
        "description": f"{one.code} {one.word}: {one.text}",
        "check_name": printable(one.code),
        "fingerprint": digest,
        "severity": _SEVERITY.get(one.word, _SEVEREST),
        "location": {"path": path, "lines": {"begin": one.line or 1}},
    }


def _adapter(address: str, root: Path) -> str:
    module = address.rpartition(":")[0]
    names = [module] if module.endswith(".py") else [f"{module.replace('.', '/')}.py"]
    try:
        paths = [(root / name).resolve() for name in names if module]
        return next((p.relative_to(root.resolve()).as_posix() for p in paths if p.is_file()), "")
    except (OSError, ValueError):  # no such name, or outside of the root
        return ""


def _found(check: Mapping[str, Any]) -> str:
    return reason_of(check) if check["reason"] or check["counterexample"] else str(check["outcome"])


def _command(begun: str, title: str, text: str) -> str:
    return f"::{begun}title={_escaped(title, more=':,')}::{_escaped(text)}"


def _escaped(text: str, more: Sequence[str] = "") -> str:
    """Return a text as a workflow command wants it; the percent sign first, as the others become one."""
    for sign in ("%", "\r", "\n", *more):
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text
