"""What is kept of a run on a public store: plain data, small enough to be read and committed."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: How much of a text is kept, and how many of the first and the last calls and lines of a story.
TEXT, CALLS, STORY = 400, (3, 6), (4, 20)
#: What differs from run to run and says nothing: addresses in memory, names of temporary files.
_CHANGING = (
    (re.compile(r" at 0x[0-9a-f]+"), ""),
    (re.compile(r"/(?:tmp|var|private|dev/shm)/(?:[^\s'\"<>/]+/)*"), "…/"),
)


def summary(record: Mapping[str, Any], place: str = "") -> dict[str, Any]:
    """Return what is kept of a result record with one backend.

    Args:
        record: As `--conformance-json` writes it.
        place: The directory in which the stores were opened; it is left out of all texts.
    """
    (backend,) = record["backends"]
    judged = [
        (contract["name"], suite["name"], check)
        for contract in backend["contracts"]
        for suite in contract["suites"]
        for check in suite["checks"]
    ]
    return {
        "kit": record["kit"]["version"],
        "effort": record["effort"],
        "seed": record["seed"],
        "python": record["machine"]["python"],
        "system": record["machine"]["system"],
        "server": backend["server"],
        "verdict": backend["verdict"],
        "lacks": backend["lacks"],
        "suites": [
            {
                "contract": contract,
                "suite": suite,
                **_counted(c for *place_, c in judged if place_ == [contract, suite]),
            }
            for contract, suite in dict.fromkeys((contract, suite) for contract, suite, _ in judged)
            if suite != "open"
        ],
        "findings": [_finding(check, place) for _, _, check in judged if check["outcome"] == "fail"],
        "blocked": dict(
            Counter(check["reason"].rpartition(" ")[2] for *_, check in judged if check["outcome"] == "blocked")
        ),
        "inconclusive": {
            check["code"]: _text(check["reason"], place) for *_, check in judged if check["outcome"] == "inconclusive"
        },
    }


def _counted(checks: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many rules of a suite apply, and how many of them hold."""
    found = {"must": 0, "must_passed": 0, "should": 0, "should_passed": 0, "not_applicable": 0}
    for check in checks:
        if check["outcome"] == "not applicable":
            found["not_applicable"] += 1
            continue
        found[check["level"]] += 1
        found[f"{check['level']}_passed"] += check["outcome"] == "pass"
    return found


def _finding(check: Mapping[str, Any], place: str) -> dict[str, Any]:
    example = check["counterexample"] or {}
    calls = [
        _text(f"{'    ' * call['depth']}{call['source']} {call['outcome']}".rstrip(), place)
        for call in example.get("calls", ())
    ]
    kept = {
        "code": check["code"],
        "level": check["level"],
        "sentence": check["sentence"],
        "what": _text(example.get("what", check["reason"]), place),
        "expected": _text(example.get("expected", ""), place),
        "got": _text(example.get("got", ""), place),
        "note": _text(example.get("note", ""), place),
        "calls": _ends(calls, "calls", *CALLS),
        "story": _ends([_text(line, place).rstrip() for line in example.get("story", ())], "lines", *STORY),
    }
    return {name: value for name, value in kept.items() if value}


def _ends(lines: list[str], what: str, first: int, last: int) -> list[str]:
    """Return the first and the last of many lines, and between them how many were left out."""
    hidden = len(lines) - first - last
    return lines if hidden <= 1 else [*lines[:first], f"... {hidden} more {what}", *lines[-last:]]


def _text(text: str, place: str) -> str:
    """Return a text without what changes from run to run, and not too long."""
    if place:
        text = text.replace(f"{place}/", "…/").replace(place, "…")
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    # Surrogates of their own are no Unicode text, of which files are made.
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= TEXT else f"{text[:TEXT]}…"
