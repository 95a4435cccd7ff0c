"""The command: `python -m tests.proof kills|sound|pages`."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from conformance.address import load
from conformance.check import catalogue
from conformance.project import read_toml
from tests.mutants.registry import mutants
from tests.proof import sound as sounds
from tests.proof.crew import ROOT, carried_out
from tests.proof.findings import late
from tests.proof.kills import KILLED, LETTERS, Kills, Row, read, to_text, write
from tests.proof.pages import Proof, pages
from tests.proof.plan import ODD, PHASES, Job, anew, digest, drop, forget, wanted
from tests.proof.sound import Honest
from tests.test_odd import odd_modules

DOCS = ROOT / "docs"
KILLS = DOCS / "kill-matrix.json"
SOUND = DOCS / "kill-matrix-sound.json"
#: Seconds between two times that what was measured is written.
SAVED = 20.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    kills = commands.add_parser("kills", help="judge mutants by checks")
    kills.add_argument("--only", action="append", default=[], help="a check or a mutant, anew; may be repeated")
    kills.add_argument("--late", action="store_true", help="also what was given up because it took too long")
    sound = commands.add_parser("sound", help="judge honest and odd stores at many seeds")
    sound.add_argument("--only", action="append", default=[], help="a store, anew; may be repeated")
    for one in (kills, sound):
        one.add_argument("--processes", type=int, default=1, help="at a time")
        one.add_argument("--minutes", type=float, default=1e9, help="nothing is begun after so many")
    written = commands.add_parser("pages", help="write the pages")
    written.add_argument("--check", action="store_true", help="write nothing; exit 1 if something would be written")
    chosen = parser.parse_args(arguments)
    if chosen.command == "kills":
        return measure_kills(chosen.only, chosen.processes, chosen.minutes, again=chosen.late)
    if chosen.command == "sound":
        return measure_sound(chosen.only, chosen.processes, chosen.minutes)
    return write_pages(only_check=chosen.check)


def homes() -> dict[str, Path]:
    """Return the module that has each mutant."""
    found: dict[str, Path] = {}
    for path in sorted((ROOT / "tests" / "mutants").glob("*.py")):
        module = importlib.import_module(f"tests.mutants.{path.stem}")
        found |= {mutant.name: path for mutant in getattr(module, "MUTANTS", [])}
    return found


def measure_kills(only: Sequence[str], processes: int, minutes: float, *, again: bool) -> int:
    """Measure what is missing, and what is asked for; `again` what was given up before, too."""
    kills, until = read(KILLS), time.monotonic() + minutes * 60
    where = homes()
    unknown = [one for one in only if one not in catalogue() and one not in where]
    if unknown:
        sys.stdout.write(f"no check and no mutant: {', '.join(unknown)}; `conformance list` has the codes\n")
        return 2
    dropped = 0 if only else forget(kills, mutants(), catalogue(), where)
    if dropped:
        sys.stdout.write(f"{dropped} results are of modules that have changed since, and are measured anew\n")
    for name, code in late(kills) if again else ():
        drop(kills.rows[name], [code])
    for one in only:
        kills.rows.pop(one, None)
        for row in kills.rows.values():
            drop(row, [one])
    kills.files |= anew(only, catalogue())
    written = time.monotonic()
    for job, answer in _answers(kills, only, processes, until):
        row = kills.rows.setdefault(job.store, Row(digest(where[job.store])))
        letter = LETTERS[answer["outcome"]]
        if (job.code, answer["outcome"]) == ("BACKEND-OPEN-01", "inconclusive"):
            letter = KILLED  # a store that can't be opened is never judged; this is how it is told
        if answer["draws"]:
            kills.drawing.add(job.code)
        if job.long:
            row.trials[job.code] = row.trials.get(job.code, "") + letter
        else:
            row.others[job.code] = letter
        sys.stdout.write(
            f"{answer['seconds']:8.2f} {letter} {job.store} {job.code} {job.seed} {'long' if job.long else 'quick'}"
            f"{'' if letter != '?' else ' ' + repr(answer.get('reason', '')[-200:])}\n"
        )
        if time.monotonic() - written > SAVED:
            write(KILLS, to_text(kills))
            written = time.monotonic()
            sys.stdout.flush()
    write(KILLS, to_text(kills))
    return 0


def _answers(kills: Kills, only: Sequence[str], processes: int, until: float) -> Iterator[tuple[Job, dict[str, Any]]]:
    for phase in PHASES:  # what is missing of a phase is known when the one before has ended
        batches = (
            [job for job in batch if not only or job.store in only or job.code in only]
            for batch in wanted(phase, kills, mutants(), catalogue())
        )
        yield from carried_out(batches, processes, lambda: time.monotonic() < until)


def honest_stores() -> list[Honest]:
    """Return the references that can be named after `--backend=`, and the odd stores."""
    found = []
    every = tuple(dict.fromkeys(check.suite for check in catalogue().values()))
    for name, address in sorted(shipped().items()):
        place = ROOT.joinpath(*address.partition(":")[0].split("."))
        home = place if place.is_dir() else place.with_suffix(".py")
        backend = load(address)
        found.append(Honest(name, address, backend.contracts, every, home, backend.server is not None))
    for module in odd_modules():
        suites = tuple(getattr(module, "SUITES", every))
        found += [
            Honest(
                one.name, f"{ODD}{one.name}", one.contracts, suites, Path(str(module.__file__)), one.server is not None
            )
            for one in module.ODD
        ]
    return found


def shipped() -> dict[str, str]:
    """Return the addresses of the reference backends, by name."""
    return dict(read_toml(ROOT / "pyproject.toml")["project"]["entry-points"]["conformance.backends"])


def measure_sound(only: Sequence[str], processes: int, minutes: float) -> int:
    """Judge stores without a bug at the seeds that are missing; exit code 1 when one was accused."""
    sound, until = sounds.read(SOUND), time.monotonic() + minutes * 60
    stores = honest_stores()
    names = {one.name for one in stores}
    unknown = [one for one in only if one not in names]
    if unknown:
        sys.stdout.write(f"no store of tests/odd and no reference: {', '.join(unknown)}\n")
        return 2
    for name in only:
        sound.rows.pop(name, None)
    sounds.begin(sound, stores, digest)
    chosen = [one for one in stores if not only or one.name in only]
    names_of = {one.store: one.name for one in stores}
    for first in (True, False):
        batches = list(sounds.wanted(sound, chosen, catalogue(), first=first))
        answers = carried_out(iter(batches), processes, lambda: time.monotonic() < until)
        for name, seed, found in sounds.learned(sound, names_of, batches, answers):
            for code, answer in found:
                if answer["outcome"] not in sounds.WELL:
                    sys.stdout.write(f"{name} {code} at seed {seed}: {answer}\n")
            took = sum(answer["seconds"] for _, answer in found)
            sys.stdout.write(f"{name} at seed {seed}: {len(found)} trials, {took:.1f} s\n")
            sys.stdout.flush()
            write(SOUND, sounds.to_text(sound))
    write(SOUND, sounds.to_text(sound))
    return int(bool(sounds.accused(sound, [code for code, one in catalogue().items() if one.level == "should"])))


def proof() -> Proof:
    """Return all that the pages are made of, as it is in the repository."""
    return Proof(read(KILLS), sounds.read(SOUND), mutants(), catalogue(), [one.name for one in honest_stores()])


def write_pages(*, only_check: bool) -> int:
    """Write the pages that are not as they should be; exit code 1 when they are only compared, and differ."""
    wanted_pages = {DOCS / name: text for name, text in pages(proof()).items()}
    there = {DOCS / "kill-matrix.md", *(DOCS / "kill-matrix").glob("*.md")}
    changes = 0
    for path in sorted(there | wanted_pages.keys()):
        text = wanted_pages.get(path)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if text is None and not path.exists():
            continue
        changes += 1
        sys.stdout.write(f"{'superfluous' if text is None else 'stale'} {path.relative_to(ROOT)}\n")
        if only_check:
            continue
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            write(path, text)
    if only_check and changes:
        sys.stdout.write("Run python -m tests.proof pages, and commit what it writes.\n")
    return int(only_check and changes > 0)


if __name__ == "__main__":
    sys.exit(main())
