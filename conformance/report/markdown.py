"""The report as Markdown, for the summary of a CI step: the verdict first, and never larger than it may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.recording import Call
from conformance.report.benchmark import benchmark_lines
from conformance.report.failure import call_lines
from conformance.report.gate import gap_words
from conformance.report.matrix import matrix_cells
from conformance.report.rows import MARKS, checks_of
from conformance.report.scope import scope
from conformance.report.tally import NEW, PROVISIONAL, SHOULD, by_word, tally_line
from conformance.report.text import one_line, plural, printable, reason_of

#: Bytes. GitHub drops a summary above one MiB as a whole, and all steps of a job share a page.
SIZE_MOST = 200_000
#: Characters of one value, reason or line: one huge value must not push the others out.
_TEXT_MOST, _LINE_MOST, _BLOCK_LINES_MOST = 2_000, 400, 200
#: What is left out first where there is no room for all, and how it is told; what has no kind is left out last.
_LEFT_OUT = {
    "passes": "{} passed checks",
    "benchmarks": "{} section of benchmarks",
    "absent": "the codes of {} checks that are not applicable",
    "calls": "the calls of {} failures",
    "details": "what {} failures expected and got",
    "gaps": "{} known gaps",
    "findings": "{} findings",
    "": "{} sections",
}
#: What is told in a line, and its heading.
_LISTED = {
    "stale gap": "Stale gaps",
    "inconclusive": "Inconclusive",
    "blocked": "Blocked",
    PROVISIONAL: "Provisional: newer than the edition, gates nothing yet",
}
_MET = {True: "met", False: "NOT MET", None: "not measured"}
_SPECIAL = re.compile(r"[\\`*_\[\]~]|^[#+=-]|^\d+[.)]")
#: What a backslash does not protect everywhere: cells of tables, formulas, names of pictures.
_ENTITIES = re.compile(r"[&<>|$]|:(?=[\w+-]+:)")


@dataclass(frozen=True)
class _Part:
    """A piece of the page.

    Args:
        full: Its lines.
        short: What stands for it where there is no room.
        kind: One of _LEFT_OUT.
        holds: How many things of its kind are left out with it.
    """

    full: str
    short: str = ""
    kind: str = ""
    holds: int = 1


def markdown(report: Mapping[str, Any], size_most: int = SIZE_MOST) -> str:
    """Return the Markdown of a record.

    Where it would be too large, first passes are left out, then the codes of what is not applicable, then calls from
    those of the last failure on, then known gaps and findings from the last on; the end says how much of what.

    Args:
        report: The record, as `make_report` returns it.
        size_most: Of the text in UTF-8, in bytes.
    """
    parts = [_Part(_head(report))]
    for backend in report["backends"]:
        parts += _backend(backend, several=len(report["backends"]) > 1)
    if report["benchmarks"]:
        told = code_block(text for text, _ in benchmark_lines(report))
        parts.append(_Part(f"### Benchmarks\n\n{told}", "", "benchmarks"))
    return _fitted(parts, size_most)


def escaped(text: str) -> str:
    """Return a text that Markdown, and the HTML in it, shows as it is, on one line; of a long one the beginning."""
    # Entities last: their signs are not to be escaped once more.
    protected = _SPECIAL.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", one_line(text, _LINE_MOST))
    return _ENTITIES.sub(lambda found: f"&#{ord(found[0])};", protected)


def code_block(lines: Iterable[str]) -> str:
    """Return lines as a block of code, whose fence is longer than any in it."""
    shown = [_cut(printable(line, keep="\t"), _TEXT_MOST) for text in lines for line in text.split("\n")]
    hidden = len(shown) - _BLOCK_LINES_MOST
    if hidden > 0:
        shown = [*shown[: _BLOCK_LINES_MOST // 2], f"… {hidden:,} more lines …", *shown[-_BLOCK_LINES_MOST // 2 :]]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *shown, fence])


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def _head(report: Mapping[str, Any]) -> str:
    backends = report["backends"]
    names = ", ".join(escaped(backend["name"]) for backend in backends)
    machine = [
        str(report["machine"].get(field, "")) for field in ("implementation", "python", "system", "architecture")
    ]
    facts = [f"{name} {report[name]}" for name in ("edition", "effort", "seed", "shard") if report[name] != ""]
    facts += [f"kit {report['kit']['version']}", *machine, report["date"]]
    lines = [f"## {escaped(report['verdict'])}: {names}"]
    if len(backends) > 1:
        rows = [(one["name"], one["verdict"], _about(one)) for one in backends]
        lines += ["", *_table(("backend", "verdict", ""), rows), ""]
        lines.append(escaped(f"{tally_line([check for one in backends for check in checks_of(one)])}."))
    return "\n".join([*lines, "", f"<sub>{escaped(', '.join(filter(None, facts)))}</sub>"])


def _about(backend: Mapping[str, Any]) -> str:
    return scope(backend)[0] if backend["verdict"].startswith("CONFORMANT") else str(backend["why"])


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    shown = (" | ".join(escaped(cell) for cell in row) for row in rows)
    named = " | ".join(map(escaped, head))  # suites have the names that the record gives them
    return [f"| {named} |", f"|{' --- |' * len(head)}", *(f"| {row} |" for row in shown)]


def _backend(backend: Mapping[str, Any], *, several: bool) -> Iterator[_Part]:
    checks = checks_of(backend)
    found = by_word(checks)
    title = f"## {escaped(backend['name'])}: {escaped(backend['verdict'])}\n\n" if several else ""
    yield _Part(f"{title}{escaped(_upper_first(_about(backend)))}. {escaped(tally_line(checks))}.")
    yield from _matrix(backend)
    yield _promises(backend)
    yield _required(backend)
    for name, heading in ((NEW, "New failures"), (SHOULD, "Broken shoulds, which do not change the verdict")):
        yield from _failures(heading, found.get(name, ()))
    for name, heading in _LISTED.items():
        yield from _listed(heading, found.get(name, ()), "findings")
    yield from _listed("Known gaps", found.get("known gap", ()), "gaps")
    yield from _absent(found.get("not applicable", ()))
    yield from _notes(backend)
    yield from _passes(found.get("pass", ()))


def _matrix(backend: Mapping[str, Any]) -> Iterator[_Part]:
    suites, cells = matrix_cells(backend)
    if not cells:
        return
    rows = [[contract, *(text for text, _ in row)] for contract, row in cells.items()]
    signs = [sign for sign in MARKS if any(text.startswith(f"{sign} ") for row in rows for text in row)]
    meant = ", ".join(f"{sign} {MARKS[sign][0]}" for sign in signs)
    told = "Checks of the level must that passed, of those that apply" + f" ({meant})" * bool(meant)
    yield _Part("\n".join([*_table(("contract", *suites), rows), "", f"<sub>{escaped(told)}.</sub>"]))


def _promises(backend: Mapping[str, Any]) -> _Part:
    rows = [
        (
            promise["name"],
            promise["claimed"],
            promise["observed"] or "-",
            ", ".join(promise["broken"]) or "-",
            ", ".join(promise["not_measured"]) or "-",
        )
        for promise in backend["promises"]
    ]
    return _Part("\n".join(_table(("promise", "claimed", "observed", "broken", "not measured"), rows)) if rows else "")


def _required(backend: Mapping[str, Any]) -> _Part:
    rows = [(one["level"], _MET[one["met"]], one["why"]) for one in backend["required"]]
    return _Part("\n".join(_table(("required", "", ""), rows)) if rows else "")


def _failures(heading: str, checks: Sequence[Mapping[str, Any]]) -> Iterator[_Part]:
    if checks:
        yield _Part(f"### {heading} ({len(checks)})")
    for check in checks:
        example = check["counterexample"]
        title = f"**{escaped(check['code'])}** {escaped(check['sentence'])}"
        if example is None:
            yield _Part(f"{title}: {escaped(reason_of(check))}", "", "findings")
            continue
        lines = [example["what"], f"  expected  {example['expected']}", f"  got       {example['got']}"]
        yield _Part(title, "", "findings")
        yield _Part(code_block(lines), "", "details")
        more = _more(example, str(check["code"]))
        summary = plural(len(example["calls"]), "call") if example["calls"] else "What happened"
        yield _Part(f"<details><summary>{summary}</summary>\n\n{code_block(more)}\n\n</details>", "", "calls")


def _more(example: Mapping[str, Any], code: str) -> list[str]:
    lines = call_lines([Call(**call) for call in example["calls"]])
    if example["story"]:
        lines += ["what happened:", *(f"  {line}" for line in example["story"])]
    if example["note"]:
        lines.append(example["note"])
    if example["frame"]:
        lines.append(f"in the store: {example['frame']}")
    if example.get("rerun"):
        lines.append(f"rerun: {example['rerun']}")
    return [*lines, f"explain: conformance explain {code}"]


def _listed(heading: str, checks: Sequence[Mapping[str, Any]], kind: str) -> Iterator[_Part]:
    if checks:
        yield _Part(f"### {heading} ({len(checks)})")
    for check in checks:
        yield _Part(f"- **{escaped(check['code'])}** {escaped(reason_of(check) + gap_words(check))}", "", kind)


def _absent(checks: Sequence[Mapping[str, Any]]) -> Iterator[_Part]:
    reasons: dict[str, list[str]] = {}
    for check in checks:
        reasons.setdefault(check["reason"], []).append(check["code"])
    if checks:
        yield _Part(f"### Not applicable ({len(checks)})")
    for reason, codes in reasons.items():
        line = f"- {len(codes)}: {escaped(reason)}"
        yield _Part(f"{line} <sub>{escaped(' '.join(codes))}</sub>", line, "absent", len(codes))


def _notes(backend: Mapping[str, Any]) -> Iterator[_Part]:
    rows = [f"- lacks {name}: {reason}" for name, reason in backend["lacks"].items()]
    rows += [f"- lacks {name}, but its methods are there: it was not tested" for name in backend["contradictions"]]
    if rows:
        yield _Part("\n".join(["### Disclaimed", "", *(f"- {escaped(row[2:])}" for row in rows)]))
    left = backend["of"] - backend["selected"]
    unmeasured = [f"{one['name']} {level}" for one in backend["promises"] for level in one["not_measured"]]
    told = [f"- {escaped(name)}" for name in unmeasured]
    if left > 0:
        told.append(f"- {left:,} of {backend['of']:,} checks of these suites, which were not carried out")
    if told:
        yield _Part("\n".join(["### Not measured", "", *told]))


def _passes(checks: Sequence[Mapping[str, Any]]) -> Iterator[_Part]:
    if not checks:
        return
    rows = [(check["code"], check["sentence"], _evidence(check)) for check in checks]
    lines = [f"<details><summary>{len(checks):,} passed</summary>", ""]
    lines += [*_table(("check", "rule", "evidence"), rows), "", "</details>"]
    yield _Part("\n".join(lines), f"{len(checks):,} passed.", "passes", len(checks))


def _evidence(check: Mapping[str, Any]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in check["evidence"].items()) or "none"


def _fitted(parts: Sequence[_Part], size_most: int) -> str:
    """Return the page, with as much left out as it takes to make it no larger than it may be."""
    # From the last on, and what has no kind when nothing else is left. The head stays.
    order = [place for kind in _LEFT_OUT for place in range(len(parts) - 1, 0, -1) if parts[place].kind == kind]
    shown, left = [part.full for part in parts], dict.fromkeys(_LEFT_OUT, 0)
    total = sum(map(_size, shown))
    for place in order:
        if total + _size(_footer(left)) <= size_most:
            break
        part = parts[place]
        total += _size(part.short) - _size(part.full)
        shown[place] = part.short
        left[part.kind] += part.holds
    return "\n\n".join(text for text in (*shown, _footer(left)) if text) + "\n"


def _size(text: str) -> int:
    return len(text.encode()) + len("\n\n") if text else 0


def _footer(left: Mapping[str, int]) -> str:
    told = [_LEFT_OUT[kind].format(f"{count:,}") for kind, count in left.items() if count]
    return f"**Left out, as there is no more room:** {'; '.join(told)}. The record has them." if told else ""
