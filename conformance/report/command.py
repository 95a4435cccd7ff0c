"""The command `conformance report`: the forms of a record, made from its file."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.commands import Refusal
from conformance.report.load import STDIN, LoadError, read_record
from conformance.report.record import is_red
from conformance.report.text import printable

if TYPE_CHECKING:
    import argparse

STDOUT = "-"
EXIT_CONFORMANT, EXIT_NOT = 0, 1
_EPILOG = (
    f"Exit codes: {EXIT_CONFORMANT} CONFORMANT, with or without known gaps, or NOT JUDGED, where only benchmarks ran; "
    f"{EXIT_NOT} NOT CONFORMANT or INCONCLUSIVE; 2 no usable record."
)
#: The codes of a terminal's colours.
_COLOURS = {"red": "31", "green": "32", "yellow": "33"}


class Kind(NamedTuple):
    """A form of a report: the usual name of its file, what it is for, and what makes it."""

    file: str
    what: str
    make: Callable[[Mapping[str, Any]], str]


def _html(report: Mapping[str, Any]) -> str:
    from conformance.report.html import MISSING, can_be_made, html_report

    if not can_be_made():
        raise Refusal(f"{MISSING}.")
    return html_report(report)


def _markdown(report: Mapping[str, Any]) -> str:
    from conformance.report.markdown import markdown

    return markdown(report)


def _junit(report: Mapping[str, Any]) -> str:
    from conformance.report.junit import junit

    return junit(report)


def _badge(report: Mapping[str, Any]) -> str:
    from conformance.report.badge import badge

    return badge(report)


def _code_quality(report: Mapping[str, Any]) -> str:
    from conformance.report.annotations import code_quality

    return code_quality(report, Path.cwd())


KINDS: Mapping[str, Kind] = {
    "html": Kind("report.html", "a page for people, which needs nothing else", _html),
    "md": Kind("summary.md", "Markdown, as for the summary of a step of CI", _markdown),
    "badge": Kind("badge.svg", "the verdict as a small picture", _badge),
    "junit": Kind("junit.xml", "JUnit XML", _junit),
    "codequality": Kind("gl-code-quality-report.json", "the findings as GitLab's Code Quality", _code_quality),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument(
        "results", nargs="+", metavar="RESULT", help="what --conformance-json wrote; several are shards of one run"
    )
    for name, kind in KINDS.items():
        parser.add_argument(
            f"--{name}",
            nargs="?",
            const="",
            metavar="FILE",
            help=f"write {kind.what}; else to {kind.file} beside the result; - is standard output",
        )
    parser.epilog = _EPILOG


def run(arguments: argparse.Namespace) -> tuple[int, Iterator[str]]:
    """Write the forms that are asked for, or else give the summary; the exit code follows the verdict.

    Raises:
        Refusal: The record can't be used, or a file can't be written.
    """
    asked = {name: file for name in KINDS if (file := getattr(arguments, name)) is not None}
    if sum(file == STDOUT for file in asked.values()) > 1:
        raise Refusal("two forms can't go to standard output: give one of them a file.")
    report = one_record(arguments.results)
    beside = Path() if arguments.results[0] == STDIN else Path(arguments.results[0]).parent
    paths = {name: Path(file) if file else beside / KINDS[name].file for name, file in asked.items()}
    for name, path in paths.items():
        if asked[name] != STDOUT:
            _refuse_results(name, path, arguments.results)
    exit_code = EXIT_NOT if is_red(report["verdict"]) else EXIT_CONFORMANT
    if not asked:
        return exit_code, _summary(report)
    told = []
    for name, path in paths.items():
        text = KINDS[name].make(report)
        if asked[name] == STDOUT:
            told.append(text.rstrip("\n"))
            continue
        try:
            path.write_text(text, encoding="utf-8", newline="\n")
        except (OSError, ValueError) as error:
            raise Refusal(f"{path} can't be written: {getattr(error, 'strerror', None) or error}.") from None
        if STDOUT not in asked.values():
            told.append(f"wrote {path}")
    return exit_code, iter(told)


def one_record(files: Sequence[str]) -> dict[str, Any]:
    """Return the record in a file, or that of the whole run whose shards are in several.

    Raises:
        Refusal: One can't be used, or they are not of one run.
    """
    try:
        reports = [read_record(file) for file in files]
    except LoadError as error:
        raise Refusal(str(error)) from None
    # A shard alone goes through the merge too, which says which others are missing: a gate that finds one file of
    # four must not be green.
    if len(reports) == 1 and not reports[0].get("shard"):
        return reports[0]
    from conformance.report.merge import MergeError, merged

    try:
        return merged(reports, files)
    except MergeError as error:
        raise Refusal(str(error)) from None


def _refuse_results(name: str, path: Path, results: Sequence[str]) -> None:
    """Refuse to write over a result: `--html b.json` names the file to write, although a result was meant."""
    given = [Path(result).resolve() for result in results if result != STDIN]
    if path.resolve() in given or (path.suffix == ".json" and not KINDS[name].file.endswith(".json")):
        raise Refusal(
            f"--{name} {path} would write over a result. Name the results first, or write --{name}=FILE with another "
            "file."
        )


def _summary(report: Mapping[str, Any]) -> Iterator[str]:
    from conformance.report.benchmark import benchmark_lines
    from conformance.report.terminal import summary_lines

    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size().columns
    yield f"conformance {report['kit']['version']} | effort {report['effort']} | seed {report['seed']}"
    for backend in report["backends"]:
        yield ""
        yield printable(f" conformance: {backend['name']} ").center(width, "=")
        for line in summary_lines(backend, width):
            yield "".join(_coloured(text, colour if colours else "") for text, colour in line)
    if report["benchmarks"]:
        yield " benchmark ".center(width, "=")
        for text, colour in benchmark_lines(report):
            yield _coloured(text, colour if colours else "")


def _coloured(text: str, colour: str) -> str:
    # What a store has raised must not move the cursor.
    text = printable(text)
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if colour else text
