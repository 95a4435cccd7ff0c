"""The command `conformance migrate`."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from conformance.address import AddressError, find
from conformance.backend import Where
from conformance.migrate.errors import Stopped, Unfit
from conformance.migrate.journal import write_whole
from conformance.migrate.moving import ORDER, migrate
from conformance.migrate.progress import ProgressLine
from conformance.migrate.side import Side
from conformance.project import ProjectError, read_table
from conformance.registered import named_backends

EXIT_EQUAL, EXIT_STOPPED, EXIT_UNFIT = 0, 1, 2
_EPILOG = f"Exit codes: {EXIT_EQUAL} moved and equal, {EXIT_STOPPED} stopped or not equal, {EXIT_UNFIT} not begun."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    for side, what in (("from", "the source, which is only read"), ("to", "the target")):
        group = parser.add_argument_group(what)
        group.add_argument(f"--{side}", required=True, metavar="BACKEND", help="a name or an address, as in --backend")
        group.add_argument(f"--{side}-path", type=Path, metavar="DIR", help="the directory of its stores")
        group.add_argument(f"--{side}-url", default="", metavar="URL", help="of a store in a server: its address")
        group.add_argument(f"--{side}-namespace", default="conformance", metavar="NAME", help="and the name there")
    parser.add_argument("--contract", action="append", default=[], choices=ORDER, help="move only this; repeatable")
    parser.add_argument("--scope", action="append", default=[], metavar="NAME", help="a scope of layers; repeatable")
    parser.add_argument("--proof", type=Path, metavar="FILE", help="a result that speaks for the target")
    parser.add_argument("--unproven", action="store_true", help="go on without such a result")
    parser.add_argument("--dry-run", action="store_true", help="look at both sides, and write nothing")
    parser.add_argument("--backup", type=Path, metavar="PATH", help="where the backup of the target goes")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="what a killed migration goes on from")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what came of it as JSON")
    parser.epilog = _EPILOG


def run(arguments: argparse.Namespace) -> tuple[int, list[str]]:
    """Carry the command out, and return its exit code and what it has to say."""
    with ExitStack() as stack:
        try:
            source, target = (_side(arguments, side, stack) for side in ("from", "to"))
            journal = arguments.journal or _journal(target)
            for path in (journal, arguments.backup, arguments.report):
                if path is not None and not path.absolute().parent.is_dir():
                    raise Unfit(f"there is no directory {path.absolute().parent} for {path.name}")
        except (AddressError, ProjectError, Unfit) as error:
            return EXIT_UNFIT, [_told(error)]
        line = ProgressLine(sys.stderr, shutil.get_terminal_size().columns)
        stack.callback(line.erase)
        try:
            report = migrate(
                source,
                target,
                journal=journal,
                contracts=arguments.contract,
                scopes=arguments.scope,
                backup=arguments.backup,
                proof=arguments.proof,
                unproven=arguments.unproven,
                dry_run=arguments.dry_run,
                progress=line.show,
            )
            if arguments.report is not None:
                write_whole(arguments.report, json.dumps(report.to_dict(), indent=2) + "\n")
        except Unfit as error:
            return EXIT_UNFIT, [_told(error)]
        except (Stopped, OSError) as error:
            return EXIT_STOPPED, [_told(error), *_on_again(journal)]
        except KeyboardInterrupt:
            return EXIT_STOPPED, ["conformance migrate: stopped", *_on_again(journal)]
    return EXIT_EQUAL if report.equal else EXIT_STOPPED, list(report.lines())


def _told(error: Exception) -> str:
    return f"conformance migrate: {str(error).rstrip('.')}."


def _on_again(journal: Path) -> Iterator[str]:
    if journal.exists():
        yield f"The same command goes on from here; what was done is in {journal}."


def _side(arguments: argparse.Namespace, side: str, stack: ExitStack) -> Side:
    path, url, namespace = (getattr(arguments, f"{side}_{name}") for name in ("path", "url", "namespace"))
    base = Path.cwd()
    table = read_table(base / "pyproject.toml").get("backends", {})
    spec = getattr(arguments, side)
    named = {**named_backends([spec]), **{name: f"{base / 'pyproject.toml'}:{name}" for name in table}}
    backend = find(spec, base=base, named=named)
    if backend.server is not None and not url:
        raise Unfit(f"{backend.name} keeps its data in a server: give its address with --{side}-url=URL")
    if backend.server is None and path is None:
        raise Unfit(f"give the directory of {backend.name} with --{side}-path=DIR")
    if path is None:  # a store in a server may want a directory all the same
        path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conformance-")))
    path = path.absolute()
    if side == "from" and not path.is_dir():
        raise Unfit(f"there is no directory {path}: nothing to move")
    if path.exists() and not path.is_dir():
        raise Unfit(f"{path} is no directory")
    now = time.time()
    # Nothing expires on its way: both sides have the time at which the migration began.
    return Side(backend, Where(path, namespace, lambda: now, url))


def _journal(target: Side) -> Path:
    if target.backend.server is not None:
        return Path.cwd() / f"{re.sub(r'[^a-zA-Z0-9-]+', '-', target.where.namespace)}.migration.json"
    return target.where.path.with_name(f"{target.where.path.name}.migration.json")
