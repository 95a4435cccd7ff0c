"""The command `conformance`: tells what the checks are, which pytest runs, judges histories, and moves data."""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
import textwrap
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

from conformance.address import nearest
from conformance.backend import DISK_ERRORS, PROMISES, SERVER
from conformance.check import DIFFERENTIAL, Check, catalogue
from conformance.contracts import Capability, contracts
from conformance.histories.command import EXIT_UNUSABLE, FORMATS, UnusableError, check_history
from conformance.histories.judge import MODELS
from conformance.migrate import command as migrating

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DISTRIBUTION = "pytest-backend-conformance"
#: Raised when a field of `conformance list --json` changes its meaning or goes away.
SCHEMA = 1
_WIDTH_MOST, _ALIKE_MOST = 100, 12


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv`, the process's own arguments unless given, and return its exit code."""
    arguments = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # an ASCII terminal must not end in a traceback
    try:
        for line in arguments.lines(arguments):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # `conformance list | head` has all it wants. What is still buffered has to go somewhere when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(arguments.exit_code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--version", action="version", version=f"conformance {version(DISTRIBUTION)}")
    parser.set_defaults(exit_code=0)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    explain = commands.add_parser("explain", help="explain a check: rule, reason, an example that breaks it")
    explain.add_argument("code", metavar="CODE", help="as in a report, e.g. STATE-VALUE-01; upper or lower case")
    explain.set_defaults(lines=_explain, parser=explain)
    listing = commands.add_parser("list", help="list the checks, one a line")
    listing.add_argument("--suite", metavar="NAME", help="of this suite only, e.g. round-trip")
    listing.add_argument("--contract", metavar="NAME", help="of this contract only, e.g. state")
    listing.add_argument("--level", choices=("must", "should"), help="of this level only")
    listing.add_argument("--json", action="store_true", help="as JSON, with all that `explain` tells")
    listing.set_defaults(lines=_list, parser=listing)
    history = commands.add_parser(
        "check-history",
        help="judge a recorded history of concurrent operations",
        epilog=f"Exit codes: 0 linearizable, 1 not linearizable, 2 unknown, {EXIT_UNUSABLE} no usable history.",
    )
    history.add_argument("path", metavar="FILE", help="the history; - is standard input")
    history.add_argument("--format", choices=FORMATS, default="jsonl", help="how it is written; else jsonl")
    history.add_argument("--model", choices=MODELS, help="of what it is; kv for porcupine-kv and else register")
    history.set_defaults(lines=_check_history, parser=history)
    moving = commands.add_parser("migrate", help="move what a store holds into another one", epilog=migrating.EPILOG)
    migrating.add_arguments(moving)
    moving.set_defaults(lines=_migrate, parser=moving)
    return parser


def _explain(arguments: argparse.Namespace) -> Iterator[str]:
    code: str = arguments.code.upper()
    check = catalogue().get(code)
    if check is None:
        alike = [known for known in catalogue() if known.startswith(code)]
        shown = ", ".join(alike[:_ALIKE_MOST]) + (", ..." if len(alike) > _ALIKE_MOST else "")
        hint = f" {len(alike)} begin so: {shown}." if alike else nearest(code, catalogue())
        _refuse(arguments, f"unknown check {arguments.code!r}.{hint} `conformance list` lists all.")
    yield from _wrapped(f"{check.code}  {check.sentence}")
    yield f"  level {check.level.upper()}   suite {check.contract}/{check.suite}"
    yield from ["", *_wrapped(f"Why: {check.why}")]
    yield from ["", "An example that breaks it:", "", textwrap.indent(check.breaks, "    "), ""]
    facts = {
        "applies to": "; ".join(applies_to(check)),
        "needs": ", ".join(check.needs) or "no other check",
        "sources": check.sources,
        "run it": f"pytest --backend=NAME{' --backend=OTHER' * (check.suite == DIFFERENTIAL)} -k {check.code}",
    }
    for label, text in facts.items():
        yield from _wrapped(f"{label:<12}{text}", indent=12)


def _refuse(arguments: argparse.Namespace, text: str) -> NoReturn:
    parser: argparse.ArgumentParser = arguments.parser
    parser.error(text)  # exit code 2


def _wrapped(text: str, *, indent: int = 0) -> list[str]:
    width = min(shutil.get_terminal_size().columns, _WIDTH_MOST)
    # Codes, addresses and levels have hyphens; none is cut in two.
    return textwrap.wrap(text, width, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False)


def applies_to(check: Check) -> list[str]:
    """Return the conditions under which a check applies to a backend, each as a phrase."""
    contract = contracts().get(check.contract)
    if contract is None:
        return ["every backend"]
    phrases = [
        f"stores with the capability `{capability.name}` ({_methods(capability)})"
        for capability in contract.capabilities
        if capability.name == check.capability
    ]
    if check.suite == DIFFERENTIAL:
        phrases.append(f"two backends of one run that both have a `{contract.name}` store")
    if check.capability == SERVER:
        phrases.append("stores that talk to a `server` (`Backend(server=...)`)")
    if check.capability in DISK_ERRORS:
        phrases.append(f"backends that do not lack `{check.capability}`")
    if check.methods:
        phrases.append(f"stores that have {' and '.join(f'`{name}`' for name in check.methods)}")
    for promise, level in check.promises.items():
        if level:
            stricter = " or a stricter level" if PROMISES[promise].index(level) else ""
            phrases.append(f"backends that promise the {promise} `{level}`{stricter}")
    return phrases or [f"every `{contract.name}` store"]


def _methods(capability: Capability) -> str:
    parts = [f"`{name}`" for name in capability.methods]
    if capability.any_of:
        parts.append(" or ".join(f"`{name}`" for name in capability.any_of))
    if capability.parameter:
        parts.append("`{}(..., {}=)`".format(*capability.parameter.split(":")))
    return ", ".join(parts)


def _list(arguments: argparse.Namespace) -> Iterator[str]:
    for name in ("suite", "contract"):
        wanted, known = getattr(arguments, name), dict.fromkeys(getattr(check, name) for check in catalogue().values())
        if wanted and wanted not in known:
            _refuse(arguments, f"unknown {name} {wanted!r}.{nearest(wanted, known)} Known: {', '.join(known)}.")
    filters = {name: wanted for name in ("suite", "contract", "level") if (wanted := getattr(arguments, name))}
    chosen = [c for c in catalogue().values() if all(getattr(c, name) == wanted for name, wanted in filters.items())]
    yield from (_as_json(chosen) if arguments.json else _as_text(chosen))


def _check_history(arguments: argparse.Namespace) -> Iterator[str]:
    try:
        arguments.exit_code, lines = check_history(arguments.path, arguments.format, arguments.model)
    except UnusableError as error:
        parser: argparse.ArgumentParser = arguments.parser
        parser.exit(EXIT_UNUSABLE, f"{parser.prog}: {error}\n")
    yield from lines


def _migrate(arguments: argparse.Namespace) -> Iterator[str]:
    arguments.exit_code, lines = migrating.run_migrate(arguments)
    yield from lines


def _as_json(checks: Sequence[Check]) -> Iterator[str]:
    records = [{name: value for name, value in asdict(check).items() if name != "function"} for check in checks]
    kit = {"name": DISTRIBUTION, "version": version(DISTRIBUTION)}
    yield json.dumps({"schema": SCHEMA, "kit": kit, "checks": records}, indent=2)


def _as_text(checks: Sequence[Check]) -> Iterator[str]:
    groups: dict[str, list[Check]] = {}
    for check in checks:
        groups.setdefault(f"{check.contract}/{check.suite}", []).append(check)
    for group, members in groups.items():
        yield f"{group}  ({len(members)})"
        for check in members:
            yield f"  {check.code:<20} {check.level:<6} {check.sentence}"
        yield ""
    musts = sum(check.level == "must" for check in checks)
    yield f"{len(checks)} checks: {musts} must, {len(checks) - musts} should"
