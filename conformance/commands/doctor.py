"""The command `conformance doctor`: what can be measured on this machine, and what can't."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.commands import Refusal
from conformance.versions import kit_version

if TYPE_CHECKING:
    import argparse

    from conformance.profile import Profile

EXIT_FINE, EXIT_UNMEASURABLE = 0, 1
_EPILOG = (
    f"Each answer comes from a trial. Exit codes: {EXIT_FINE}; {EXIT_UNMEASURABLE} where something that --require "
    "names can't be observed here; 2 not begun."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("--backend", metavar="SPEC", help="open this backend once, and tell what is measured of it")
    parser.add_argument(
        "--require",
        metavar="WORD,...",
        action="append",
        default=[],
        help="levels and contracts that must be measurable",
    )
    parser.epilog = _EPILOG


def run(arguments: argparse.Namespace) -> tuple[int, Iterator[str]]:
    """Try everything, and return the exit code and a line for each finding.

    Raises:
        Refusal: A word or the backend is unknown.
    """
    from conformance.address import AddressError
    from conformance.doctor.machine import machine_findings
    from conformance.doctor.packages import package_findings, server_findings
    from conformance.doctor.project import backend_findings, profile_of, project_findings
    from conformance.gaps import GateError
    from conformance.gate import required_words
    from conformance.options import OptionError

    base = Path.cwd()
    with ExitStack() as stack:
        try:
            words = required_words(arguments.require, "command line")
            profile = profile_of(arguments.backend, base, stack) if arguments.backend else None
        except (AddressError, GateError, OptionError) as error:
            raise Refusal(str(error)) from None
        findings = [*machine_findings(), *package_findings(), *server_findings(), *project_findings(base)]
        lacking = {level: f"{finding.name}: {finding.found}" for finding in findings for level in finding.levels}
        if profile is not None:
            findings += backend_findings(profile, lacking)
    unmet = dict(_unmet(words, lacking, profile))
    lines = [f"conformance {kit_version()}", *(finding.line() for finding in findings)]
    lines += [
        f"{'missing' if word in unmet else 'ok':<8}{'required':<18} {word} {unmet.get(word, 'can be measured here')}"
        for word in words
    ]
    return EXIT_UNMEASURABLE if unmet else EXIT_FINE, iter(lines)


def _unmet(words: tuple[str, ...], lacking: dict[str, str], profile: Profile | None) -> Iterator[tuple[str, str]]:
    from conformance.doctor.project import against

    for word in words:
        if word in lacking:
            yield word, f"can't be measured here: {lacking[word]}"
        elif profile is not None and (why := against(word, profile)):
            yield word, f"will not be observed: {why}"
