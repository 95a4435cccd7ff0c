"""The command `conformance compare`: what a second result has that the first had not, and the other way round."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from conformance.address import nearest
from conformance.commands import Refusal
from conformance.report.compare import KINDS, TIMES, compare, count
from conformance.report.compare_times import RATIO
from conformance.report.load import LoadError, read_record
from conformance.report.markdown import escaped
from conformance.report.text import one_line, plural, printable

if TYPE_CHECKING:
    import argparse

EXIT_SAME, EXIT_FAILED = 0, 1
#: What --fail-on may name, and what it is.
FAIL_ON: Mapping[str, str] = {
    **KINDS,
    "weaker": "less is promised, or was observed, than before",
    "stronger": "more is promised, or was observed",
    "shrunk": "a check passes on a tenth of the evidence, or less",
    **TIMES,
}
DEFAULT = "new,lost,weaker"
_TEXT_MOST = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("before", metavar="A", help="the result before, as --conformance-json wrote it")
    parser.add_argument("after", metavar="B", help="the result after")
    parser.add_argument(
        "--fail-on",
        default=DEFAULT,
        metavar="KINDS",
        help=f"end in exit code {EXIT_FAILED} where there is one of these, with commas in between; empty for never; "
        f"slower=1.5 for another ratio than {RATIO}; else {DEFAULT}",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--md", action="store_true", help="as Markdown")
    form.add_argument("--json", action="store_true", help="as JSON")
    kinds = "; ".join(f"{name}: {meaning}" for name, meaning in FAIL_ON.items())
    parser.epilog = (
        f"Kinds: {kinds}. Exit codes: {EXIT_SAME} nothing that --fail-on names, {EXIT_FAILED} something, 2 no usable "
        "record."
    )


def run(arguments: argparse.Namespace) -> tuple[int, Iterator[str]]:
    """Return the exit code and the lines that tell what differs.

    Raises:
        Refusal: A record can't be used, or there is no such kind.
    """
    kinds, slower = _kinds(arguments.fail_on)
    try:
        before, after = read_record(arguments.before), read_record(arguments.after)
    except LoadError as error:
        raise Refusal(str(error)) from None
    found = compare(before, after, slower=slower)
    failed = [kind for kind in kinds if count(found, kind)]
    found["failed_on"] = failed
    lines = _as_json(found) if arguments.json else _as_markdown(found) if arguments.md else _as_text(found)
    return EXIT_FAILED if failed else EXIT_SAME, lines


def _kinds(text: str) -> tuple[list[str], float]:
    """Return the kinds that fail a comparison, and the ratio that counts as slower."""
    kinds, slower = [], RATIO
    for part in (part.strip() for part in text.split(",")):
        kind, given, ratio = part.partition("=")
        if not part:
            continue
        if kind not in FAIL_ON:
            raise Refusal(f"--fail-on: unknown kind {kind!r}.{nearest(kind, FAIL_ON)} Known: {', '.join(FAIL_ON)}.")
        if given:
            slower = _ratio(kind, ratio)
        kinds.append(kind)
    return kinds, slower


def _ratio(kind: str, text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = 0.0
    if kind != "slower" or not 1 < ratio < math.inf:
        raise Refusal(f"--fail-on: {kind}={text} is no ratio above 1. Write slower=1.3, and the other kinds alone.")
    return ratio


def _as_json(found: Mapping[str, Any]) -> Iterator[str]:
    yield json.dumps(found, indent=2)


def _as_text(found: Mapping[str, Any]) -> Iterator[str]:
    for note in found["notes"]:
        yield printable(f"note: {note}")
    for backend in found["backends"]:
        yield printable(f"{_name(backend)}: {_verdicts(backend)}")
        rows = list(_rows(backend))
        for kind, what, text in rows:
            yield f"  {kind:<13} {printable(what):<18} {one_line(text, _TEXT_MOST)}"
        yield f"  {'compared':<13} {_compared(backend)}" if rows else f"  no difference in {_compared(backend)}"
    yield _sum(found)


def _as_markdown(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {escaped(found['verdicts'][0])}, now {escaped(found['verdicts'][1])}"
    yield from ["", escaped(_sum(found))]
    for backend in found["backends"]:
        yield from ["", f"### {escaped(_name(backend))}: {escaped(_verdicts(backend))}", ""]
        rows = list(_rows(backend))
        if rows:
            yield from ["| | | |", "| --- | --- | --- |"]
            for row in rows:
                yield f"| {' | '.join(map(escaped, row))} |"
        else:
            yield f"No difference in {_compared(backend)}."
    if found["notes"]:
        yield ""
        yield from (f"- {escaped(note)}" for note in found["notes"])


def _name(backend: Mapping[str, Any]) -> str:
    one, other = backend["names"]
    return str(backend["name"]) if one == other or not one or not other else f"{one} and {other}"


def _compared(backend: Mapping[str, Any]) -> str:
    """Return how much was compared: where that is nothing, no difference says nothing."""
    counts = [plural(backend["unchanged"] + sum(len(backend[kind]) for kind in KINDS), "check")]
    if backend["operations"]:
        counts.append(plural(backend["operations"], "operation"))
    return " and ".join(counts)


def _verdicts(backend: Mapping[str, Any]) -> str:
    one, other = backend["verdicts"]
    return str(other) if one == other else f"{one}, now {other}"


def _rows(backend: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Give the differences: the kind, what it is about, and what was and is."""
    for kind in KINDS:
        for one in backend[kind]:
            reason = f": {one['reason']}" if one["reason"] else ""
            yield kind, one["code"], f"was {one['was']}, now {one['now']}{reason}"
    for kind in ("weaker", "stronger"):
        for one in backend[kind]:
            yield kind, one["promise"], f"{one['what']} {one['was']}, now {one['now']}"
    for one in backend["shrunk"]:
        yield "shrunk", one["code"], f"{one['evidence']}: {one['was']:,}, now {one['now']:,}"
    for kind in TIMES:
        for one in backend[kind]:
            yield kind, one["what"], one["text"]


def _sum(found: Mapping[str, Any]) -> str:
    counts: Sequence[str] = [f"{number:,} {kind}" for kind in FAIL_ON if (number := count(found, kind))]
    told = ", ".join(counts) or "no difference"
    return f"{told} | fails on {', '.join(found['failed_on'])}" if found["failed_on"] else told
