"""The command `conformance`: explains checks, shows and compares results, judges histories, and moves data."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING

from conformance.commands import Refusal
from conformance.versions import kit_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: For each command its module, and what its help says in a line. A module has `add_arguments(parser)`, and
#: `run(arguments)`, which returns the exit code and the lines to print, or raises `Refusal`.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "explain": ("conformance.commands.explain", "explain a check: rule, reason, an example that breaks it"),
    "list": ("conformance.commands.listing", "list the checks, one a line"),
    "report": ("conformance.report.command", "show a result: HTML, Markdown, JUnit, a badge, or the summary"),
    "compare": ("conformance.report.compare_command", "tell what is new, fixed or lost between two results"),
    "init": ("conformance.commands.init", "write an adapter for a store, the configuration, and a job of CI"),
    "doctor": ("conformance.commands.doctor", "tell what can and can not be measured on this machine"),
    "check-history": ("conformance.histories.command", "judge a recorded history of concurrent operations"),
    "migrate": ("conformance.migrate.command", "move what a store holds into another one"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv`, the process's own arguments unless given, and return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser(words).parse_args(words)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # an ASCII terminal must not end in a traceback
    exit_code = 0
    try:
        exit_code, lines = arguments.run(arguments)
        for line in lines:
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except Refusal as refusal:
        parser: argparse.ArgumentParser = arguments.parser
        parser.exit(refusal.exit_code, f"{parser.prog}: {refusal}\n")
    except BrokenPipeError:
        # `conformance list | head` has all it wants. What is still buffered has to go somewhere when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(exit_code)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser, which knows the arguments of the one command that is named; the others are not imported."""
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--version", action="version", version=f"conformance {kit_version()}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    named = next((word for word in words if not word.startswith("-")), "")
    for name, (module, text) in COMMANDS.items():
        command = subparsers.add_parser(name, help=text)
        if name == named:
            code = importlib.import_module(module)
            code.add_arguments(command)
            command.set_defaults(run=code.run, parser=command)
    return parser
