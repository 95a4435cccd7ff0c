"""What the page shows, as plain data for its templates: one place decides, the templates only lay it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.backend import CONTRACTS, PROMISES
from conformance.report.benchmark import benchmark_lines
from conformance.report.benchmark_svg import benchmark_svg
from conformance.report.html_checks import anchors, differing, matrix, suites
from conformance.report.html_findings import SIZE_MOST, finding
from conformance.report.html_left import damages, left_out
from conformance.report.rows import checks_of
from conformance.report.scope import scope
from conformance.report.tally import NEW, PROVISIONAL, SHOULD, by_word, counted, word
from conformance.report.text import printable

#: The verdicts' signs and classes; colour is never the only difference.
_VERDICTS = {
    "CONFORMANT": ("✓", "good"),
    "INCONCLUSIVE": ("?", "warn"),
    "NOT CONFORMANT": ("✗", "bad"),
    "NOT JUDGED": ("-", "none"),
}
#: Findings that are told in full, worst first: heading and what it means.
_TOLD = {
    NEW: ("New failures", "A rule that this backend must keep is broken, and nobody has accepted that."),
    "stale gap": ("Stale gaps", "Listed as known gaps, but they pass now: delete the entries."),
    "known gap": ("Known gaps", "Broken, known, and accepted for now."),
    SHOULD: ("Broken shoulds", "Rules that a store should keep; they do not decide the verdict."),
    PROVISIONAL: ("Provisional", "Checks newer than the edition, which decide nothing yet."),
    "inconclusive": ("Inconclusive", "These could not be carried out, or tested nothing. That is never a pass."),
}
#: So many findings under a heading are all open when the page is; of more only the first, so that all are seen.
_OPEN = 3


def page(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that the templates need.

    Args:
        report: As `make_report` returns it.
    """
    backends = report["backends"]
    names = anchors(report)
    several = len(backends) > 1
    checks = [check for backend in backends for check in checks_of(backend)]
    told = _findings(report, names)
    return {
        "title": _title(report),
        "several": several,
        "verdict": _verdict(report["verdict"]),
        "run": list(_run_facts(report)),
        "backends": [_backend(backend) for backend in backends],
        "tally": [(counted(name, len(some)), len(some)) for name, some in by_word(checks).items()],
        "total": len(checks),
        "matrix": matrix(report),
        "differing": differing(report, names) if several else None,
        "benchmarks": _benchmarks(report),
        "promises": _promises(backends),
        "required": [{"backend": b["name"], **one} for b in backends for one in b.get("required", ())],
        "findings": told,
        "blocked": [one for backend in backends for one in _grouped(backend, "blocked", names)],
        "absent": [one for backend in backends for one in _grouped(backend, "not applicable", names)],
        "capabilities": list(_capabilities(backends)),
        "lacks": [
            {"backend": b["name"], "name": name, "reason": reason, "there": name in b["contradictions"]}
            for b in backends
            for name, reason in b["lacks"].items()
        ],
        "left_out": left_out(report),
        "damages": damages(report),
        "suites": suites(report, names),
    }


def _promises(backends: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each promise of each backend, those of the same name one below the other."""
    rows = [
        {"backend": backend["name"], **promise}
        for name in PROMISES
        for backend in backends
        for promise in backend["promises"]
        if promise["name"] == name
    ]
    for place, row in enumerate(rows):
        row["first"] = place == 0 or rows[place - 1]["name"] != row["name"]
        row["span"] = sum(other["name"] == row["name"] for other in rows)
    return rows


def _benchmarks(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the drawing of what was measured, and the same as lines; None where nothing was."""
    measured = report.get("benchmarks", ())
    if not measured:
        return None
    lines = [text for text, _ in benchmark_lines(report)]
    return {"svg": printable(benchmark_svg(measured), keep="\n"), "lines": lines}


def _title(report: Mapping[str, Any]) -> str:
    return f"{', '.join(backend['name'] for backend in report['backends'])}: {report['verdict']}"


def _verdict(verdict: str) -> dict[str, str]:
    sign, tone = next((found for name, found in _VERDICTS.items() if verdict.startswith(name)), ("?", "warn"))
    if "known gap" in verdict and tone == "good":
        sign, tone = "✓", "gaps"
    return {"text": verdict, "sign": sign, "tone": tone}


def _run_facts(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    machine = dict(report["machine"])
    yield "kit", f"{report['kit']['name']} {report['kit']['version']}"
    if report.get("edition"):
        yield "edition", str(report["edition"])
    yield "effort", str(report["effort"])
    yield "seed", str(report["seed"])
    if report.get("date"):
        yield "date", str(report["date"]).replace("T", " ").replace("+00:00", " UTC")
    yield "Python", f"{machine.pop('implementation', '')} {machine.pop('python', '')}".strip()
    yield "machine", " ".join(str(machine.pop(name, "")) for name in ("system", "release", "architecture")).strip()
    for name, value in machine.items():  # what a hook of the project has added
        yield name, str(value)
    if report.get("shard"):
        yield "shard", str(report["shard"])


def _backend(backend: Mapping[str, Any]) -> dict[str, Any]:
    where, partly = scope(backend)
    verdict = _verdict(backend["verdict"])
    return {
        "name": backend["name"],
        "verdict": verdict,
        "why": backend["why"] or where,
        "partly": partly and verdict["tone"] in ("good", "gaps"),
        "facts": [
            (label, text)
            for label, text in (
                ("address", backend["address"] if backend["address"] != backend["name"] else ""),
                ("version", _short(backend["version"])),
                ("server", backend["server"]),
                ("checks", f"{backend['selected']:,} of {backend['of']:,}"),
            )
            if text
        ],
    }


def _short(version: str) -> str:
    """Return a version; of a digest its beginning."""
    kind, colon, digest = version.partition(":")
    return f"{kind}:{digest[:12]}…" if colon and len(digest) > 16 else version


def _findings(report: Mapping[str, Any], names: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Return the groups of findings; those for which there is no room have their rule and no more."""
    groups = []
    room = SIZE_MOST
    several = len(report["backends"]) > 1
    for key, (heading, meaning) in _TOLD.items():
        members: list[dict[str, Any]] = []
        for backend in report["backends"]:
            for contract in backend["contracts"]:
                for suite in contract["suites"]:
                    for check in suite["checks"]:
                        if word(check) != key:
                            continue
                        told = finding(
                            check, backend, contract["name"], suite["name"], names[backend["name"], check["code"]], room
                        )
                        room -= told["size"]
                        members.append(told)
        for place, member in enumerate(members):
            member["open"] = key in (NEW, "stale gap") and (place == 0 or len(members) <= _OPEN)
        if members:
            groups.append(
                {
                    "key": key.replace(" ", "-"),
                    "heading": heading,
                    "meaning": meaning,
                    "members": members,
                    "several": several,
                }
            )
    return groups


def _grouped(
    backend: Mapping[str, Any], outcome: str, names: Mapping[tuple[str, str], str]
) -> Iterator[dict[str, Any]]:
    """Give the checks of an outcome by their reason."""
    found: dict[str, list[str]] = {}
    for check in checks_of(backend):
        if word(check) == outcome:
            found.setdefault(str(check["reason"]), []).append(check["code"])
    for reason, codes in sorted(found.items(), key=lambda one: -len(one[1])):
        blocker = reason.removeprefix("blocked by ")
        target = names.get((backend["name"], blocker), "") if outcome == "blocked" else ""
        yield {"backend": backend["name"], "reason": reason, "codes": codes, "target": target}


def _capabilities(backends: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    opened = {c["name"] for b in backends for c in b["contracts"]}
    for contract in (name for name in CONTRACTS if name in opened):
        offered = {
            b["name"]: next((c["capabilities"] for c in b["contracts"] if c["name"] == contract), None)
            for b in backends
        }
        yield {"contract": contract, "offered": list(offered.values())}
