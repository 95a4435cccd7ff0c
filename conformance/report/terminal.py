"""The terminal summary, made from the result record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.report.gate import gap_words, provisional_lines, required_lines
from conformance.report.matrix import Line, contracts_run, matrix_lines
from conformance.report.partings import parting_lines
from conformance.report.record import NOT_JUDGED
from conformance.report.rows import checks_of, contract_rows, suite_rows
from conformance.report.scope import scope

#: Up to so many contracts have a row for each of their suites; more have a matrix.
_MOST_ROWS = 2
#: How long calls waited for a network that swallowed what they sent.
_WAIT = "longest wait"
#: Conditions that are lists, and what stands between their words.
_LISTS = {"disk models": " ", "not seen": ", "}
#: Conditions that are said in words, after a colon.
_SAID = ("case", "not seen")
_LEFT_OUT = "states left out"
#: What becomes of damage, and is told whatever is promised.
CLASSES = ("harmless", "detected", "silent wrong", "silent stale", "silent missing", "died", "hung")


def header_lines(
    origins: Mapping[str, str], effort: str, seed: int, version: str, backends: Sequence[str]
) -> list[str]:
    """Return the header: the effective values, and where each came from."""
    values = f"effort {effort} ({origins['effort']}) | seed {seed} ({origins['seed']})"
    return [f"conformance {version} | {values}", *backends]


def summary_lines(backend: Mapping[str, Any], width: int = 80) -> Iterator[Line]:
    """Give the lines of the summary of one backend.

    Args:
        backend: Its part of the record.
        width: Of the terminal, in columns.
    """
    if len(contracts_run(backend)) > _MOST_ROWS:
        yield from matrix_lines(backend, width)
        yield (("", ""),)
        lines = suite_rows(backend, width)
    else:
        lines = contract_rows(backend)
    for rest in (lines, _told(backend)):
        for line in rest:
            yield (line,)


def _told(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _conditions(backend)
    yield from _damage(backend)
    yield from _findings(backend)
    yield from parting_lines(backend)
    yield from _notes(backend)
    yield from required_lines(backend)
    yield "", ""
    yield from _verdict_line(backend)


_SHOWN = {
    "fail": ("new failure", "red"),
    "stale gap": ("stale gap", "red"),
    "inconclusive": ("inconclusive", "red"),
    "known gap": ("known gap", "yellow"),
}


def _findings(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    checks = [check for check in checks_of(backend) if not check["provisional"]]
    blocked: dict[str, list[str]] = {}
    absent: dict[str, list[str]] = {}
    for outcome, (word, colour) in _SHOWN.items():
        for check in checks:
            if check["outcome"] == outcome:
                word_now = "should" if outcome == "fail" and not check["gates"] else word
                yield (
                    f"  {word_now:<12} {check['code']:<18} {_first_line(check)}{gap_words(check)}",
                    "yellow" if word_now == "should" else colour,
                )
    for check in checks:
        if check["outcome"] == "blocked":
            blocked.setdefault(check["reason"].removeprefix("blocked by "), []).append(check["code"])
        elif check["outcome"] == "not applicable":
            absent.setdefault(check["reason"], []).append(check["code"])
    yield from provisional_lines(backend)
    for code, codes in blocked.items():
        yield f"  blocked by {code} (not run): {_few(codes)}", "yellow"
    for reason, codes in absent.items():
        yield f"  n/a {len(codes)}: {reason}", ""


def _first_line(check: Mapping[str, Any]) -> str:
    if check["outcome"] in ("known gap", "stale gap", "inconclusive") and check["reason"]:
        return str(check["reason"]).splitlines()[0]
    return str(check["sentence"])


def _few(codes: Sequence[str], most: int = 6) -> str:
    more = f" and {len(codes) - most} more" if len(codes) > most else ""
    return " ".join(codes[:most]) + more


def _damage(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give a line for each contract whose files were damaged: what came of it, and which damage passed in silence."""
    for contract in backend["contracts"]:
        suites = [suite for suite in contract["suites"] if suite["name"] == "corruption"]
        for check in (check for suite in suites for check in suite["checks"]):
            if any(counts_classes(text) for text in check["conditions"].values()):
                yield f"  damage       {contract['name']}: {_classes(check)}", ""


def counts_classes(condition: str) -> bool:
    """Tell whether a condition says how often a kind of damage ended in which class, as in `2 detected, 1 died`."""
    return all(part.partition(" ")[2] in CLASSES for part in condition.split(", "))


def _classes(check: Mapping[str, Any]) -> str:
    told = []
    for kind in CLASSES:
        named = [name for name, text in check["conditions"].items() if kind.startswith("silent") and kind in text]
        if count := check["evidence"].get(kind):
            told.append(f"{count:,} {kind}" + f" ({', '.join(named)})" * bool(named))
    return ", ".join(told)


def _conditions(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give a line of each engine that tells how it worked: by what was recorded and judged, and what was left out."""
    found: dict[str, dict[str, None]] = {}
    for check in checks_of(backend, "crash-recovery"):
        for name, text in check["conditions"].items():
            separator = _LISTS.get(name)
            found.setdefault(name, {}).update(dict.fromkeys(text.split(separator) if separator else [text]))
    waits = found.pop(_WAIT, {})
    last = sorted(found, key=lambda name: name == "not seen")
    parts = [f"{name}{':' * (name in _SAID)} {_LISTS.get(name, ', ').join(found[name])}" for name in last]
    left = sum(check["evidence"].get(_LEFT_OUT, 0) for check in checks_of(backend, "crash-recovery"))
    if left:
        parts.append(f"at least {left:,} {_LEFT_OUT} (budget)")
    if parts:
        yield f"  crash engine {' | '.join(parts)}", ""
    if waits:
        yield f"  network      longest wait for an answer that never came {' and '.join(waits)}", ""


def _notes(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, reason in backend["lacks"].items():
        yield f"  lacks {name}: {reason}", ""
    for name in backend["contradictions"]:
        yield f"  lacks {name}, but its methods are there: it was not tested", "yellow"
    for promise in backend["promises"]:
        parts = [f"claimed {promise['claimed']}"]
        if promise["observed"]:
            parts.append(f"observed {promise['observed']}")
        if promise["broken"]:
            parts.append(f"BROKEN {', '.join(promise['broken'])}")
        if promise["not_measured"]:
            parts.append(f"not measured: {', '.join(promise['not_measured'])}")
        yield f"  {promise['name']:<12} {'   '.join(parts)}", "red" if promise["broken"] else ""


def _verdict_line(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    verdict = backend["verdict"]
    if verdict.startswith("CONFORMANT"):
        where, partly = scope(backend)
        yield f"  {verdict} {where}", "yellow" if partly else "green"
    else:
        yield f"  {verdict}   {backend['why']}", "yellow" if verdict == NOT_JUDGED else "red"
