"""The options of a run: command line, environment, `[tool.conformance]`, default; and where each came from.

Nothing but the command line and the environment makes the plugin active; a `backend` in pyproject.toml is only a
default for a run that asks for conformance some other way (`pytest conformance`, `pytest --suite=round-trip`), so that
a plain `pytest` still runs the project's own tests.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from conformance.address import nearest
from conformance.backend import CONTRACTS
from conformance.check import BENCHMARK, DIFFERENTIAL, catalogue, suite_names
from conformance.effort import EFFORTS
from conformance.gaps import GateError
from conformance.gate import Gate, gate_of
from conformance.project import ProjectError, read_table
from conformance.report.html import MISSING, can_be_made
from conformance.shard import Shard, shard_of


class OptionError(Exception):
    """A value that can't be used; the text says where it stands, which rule it breaks, and what to write."""


#: Disk models that can be asked for; those of usual disks count in every run.
DISKS = ("posix", "paranoid")


@dataclass(frozen=True)
class Options:
    """The effective options of a run.

    Args:
        backends: What `--backend=` asked for.
        suites: The suites that run.
        contract: The one contract that is judged; empty for all that the backend opens.
        effort: A key of `EFFORTS`.
        seed: All randomness comes from it.
        json: Where to write the record; None for nowhere.
        report: The directory that the reports are written into; None for none.
        disks: Disk models that power loss is judged by besides those of usual disks.
        case: The file with the one saved state that is met again; None to search.
        shard: The part of the checks that is judged; None for all.
        round: The one round of threads that is carried out again, as a failed check printed it; empty to search.
        gate: Which results fail the run.
        origins: For each option where its value came from.
        base: The directory of the pyproject.toml, which its relative addresses start from.
        named: Address of a backend by name, from `[tool.conformance.backends]`.
    """

    backends: tuple[str, ...]
    suites: tuple[str, ...]
    contract: str
    effort: str
    seed: int
    json: Path | None
    report: Path | None
    disks: tuple[str, ...]
    case: Path | None
    shard: Shard | None
    round: str
    gate: Gate
    origins: Mapping[str, str]
    base: Path
    named: Mapping[str, str]


#: Option name, environment variable, key in [tool.conformance]; "" for none.
_SOURCES = {
    "backend": ("CONFORMANCE_BACKEND", "backend"),
    "suite": ("CONFORMANCE_SUITE", "suites"),
    "contract": ("CONFORMANCE_CONTRACT", "contract"),
    "effort": ("CONFORMANCE_EFFORT", "effort"),
    "seed": ("CONFORMANCE_SEED", "seed"),
    "json": ("CONFORMANCE_JSON", "json"),
    "report": ("CONFORMANCE_REPORT", "report"),
    "disk": ("CONFORMANCE_DISK", "disks"),
    "case": ("", ""),  # one failure of one run: nothing to keep in an environment or a project
    "round": ("", ""),
    "edition": ("CONFORMANCE_EDITION", "edition"),
    "require": ("CONFORMANCE_REQUIRE", "require"),
    "strict": ("CONFORMANCE_STRICT", "strict"),
    "baseline": ("CONFORMANCE_BASELINE", "baseline"),
    "update-baseline": ("", ""),  # it writes a file: nothing that a project does in every run
    "shard": ("CONFORMANCE_SHARD", ""),  # of a job of CI, never of a project
}
_TABLE_KEYS = tuple(sorted({key for _, key in _SOURCES.values() if key} | {"backends", "known-gaps"}))


def settle(given: Mapping[str, Any], environ: Mapping[str, str], base: Path, today: datetime.date) -> Options:
    """Return the effective options.

    Args:
        given: From the command line, by option name; what is absent or None was not given.
        environ: The environment.
        base: The directory where pyproject.toml is looked for.
        today: The day by which gaps expire.

    Raises:
        OptionError: A value can't be used.
    """
    path = base / "pyproject.toml"
    try:
        table = read_table(path)
    except ProjectError as error:
        raise OptionError(str(error)) from error
    for key in table:
        if key not in _TABLE_KEYS:
            raise OptionError(
                f"{path}: [tool.conformance] has no key {key!r}.{nearest(key, _TABLE_KEYS)} "
                f"Known: {', '.join(_TABLE_KEYS)}."
            )
    origins: dict[str, str] = {}

    def value(name: str, default: Any) -> Any:
        variable, key = _SOURCES[name]
        if given.get(name) not in (None, []):
            origins[name] = "command line"
            return given[name]
        if environ.get(variable):
            origins[name] = variable
            return environ[variable]
        if key in table:
            origins[name] = path.name
            return table[key]
        origins[name] = "default"
        return default

    try:
        gate = gate_of(value, table.get("known-gaps", []), path, origins, today)
    except GateError as error:
        raise OptionError(str(error)) from error
    contract = _one_of("contract", value("contract", ""), ("", *CONTRACTS), origins)
    json, report = value("json", ""), value("report", "")
    backends = _words("backend", value("backend", ()), origins)
    return Options(
        backends=backends,
        suites=_suites(_words("suite", value("suite", ()), origins), origins, several=len(backends) > 1),
        contract=contract,
        effort=_one_of("effort", value("effort", "normal"), tuple(EFFORTS), origins),
        seed=_number("seed", value("seed", 0), origins),
        json=_path(json, origins, base) if json else None,
        report=_folder(report, origins, base) if report else None,
        disks=_disks(_words("disk", value("disk", ()), origins), origins),
        case=Path(value("case", "")).absolute() if given.get("case") else None,
        shard=_shard(value("shard", None), origins),
        round=value("round", ""),
        gate=gate,
        origins=origins,
        base=base,
        named={name: f"{path}:{name}" for name in table.get("backends", {})},
    )


#: A word that an option may have which takes several.
_SUCH_AS = {"backend": "mystore", "suite": "round-trip", "disk": "posix"}


def _words(name: str, value: Any, origins: Mapping[str, str]) -> tuple[str, ...]:
    if not isinstance(value, (str, list, tuple)):
        raise OptionError(
            f'{name}={value!r} ({origins[name]}) is no list of texts. Write {_SOURCES[name][1]} = ["{_SUCH_AS[name]}"].'
        )
    words = tuple(value.split()) if isinstance(value, str) else tuple(value)
    for word in words:
        if not isinstance(word, str):
            raise OptionError(f"{name}={word!r} ({origins[name]}) is not a text.")
    return tuple(dict.fromkeys(words))


def _suites(words: tuple[str, ...], origins: Mapping[str, str], *, several: bool) -> tuple[str, ...]:
    known = suite_names()
    for word in words:
        _one_of("suite", word, (*known, BENCHMARK), origins)
    if DIFFERENTIAL in words and not several:
        raise OptionError(
            f"suite {DIFFERENTIAL!r} ({origins['suite']}) compares two backends: name a second one with --backend, or "
            "leave the suite out."
        )
    if not words:
        return tuple(name for name in known if several or name != DIFFERENTIAL)
    # Whether the backend opens is asked in every run: without it nothing else means anything.
    return tuple(dict.fromkeys(("open", *words)))


def _disks(words: tuple[str, ...], origins: Mapping[str, str]) -> tuple[str, ...]:
    for word in words:
        _one_of("disk", word, DISKS, origins)
    return words


def _shard(value: str | None, origins: Mapping[str, str]) -> Shard | None:
    try:
        return shard_of(value, most=len(catalogue())) if value is not None else None
    except ValueError as error:
        raise OptionError(f"shard ({origins['shard']}): {error}.") from None


def _one_of(name: str, value: Any, known: tuple[str, ...], origins: Mapping[str, str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise OptionError(
            f"unknown {name} {value!r} ({origins[name]}).{nearest(str(value), known)} "
            f"Known: {', '.join(word for word in known if word)}."
        )
    return value


def _number(name: str, value: Any, origins: Mapping[str, str]) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):  # the last for `inf`
        raise OptionError(f"{name}={value!r} ({origins[name]}) is not a whole number.") from None
    if isinstance(value, (bool, float)) or number < 0:
        raise OptionError(f"{name}={value!r} ({origins[name]}) is not a whole number from 0 on.")
    return number


def _path(value: Any, origins: Mapping[str, str], base: Path) -> Path:
    if not isinstance(value, (str, Path)):
        raise OptionError(f"json={value!r} ({origins['json']}) is not the name of a file.")
    # What stands in a file is relative to that file; what was typed is relative to where it was typed.
    path = (Path(value) if origins["json"] != "pyproject.toml" else base / value).absolute()
    given = f"json={str(value)!r} ({origins['json']})"
    if not path.parent.is_dir():
        raise OptionError(f"{given}: there is no directory {path.parent}.")
    try:  # now, and not after an hour of checks
        _try_to_write(path)
    except (OSError, ValueError) as error:
        raise OptionError(f"{given}: no record can be written into it: {error}. Name a file, or a new one.") from error
    return path


def _try_to_write(path: Path) -> None:
    """Open a file for writing, and leave it as it was, or none where there was none."""
    there = path.exists()
    if there and not path.is_file() and not path.is_dir():
        return  # a pipe or a device: whoever reads it would take the trial for the record
    with path.open("ab"):
        pass
    if not there:
        path.resolve().unlink(missing_ok=True)  # another worker of the run may have been faster


def _folder(value: Any, origins: Mapping[str, str], base: Path) -> Path:
    given = f"report={str(value)!r} ({origins['report']})"
    if not isinstance(value, (str, Path)):
        raise OptionError(f"report={value!r} ({origins['report']}) is not the name of a directory.")
    if not can_be_made():
        raise OptionError(f"{given}: {MISSING}")
    path = (Path(value) if origins["report"] != "pyproject.toml" else base / value).absolute()
    try:  # now, and not after an hour of checks
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    except (OSError, ValueError) as error:
        raise OptionError(
            f"{given}: no file can be written into it: {error}. Name a directory, or a new one."
        ) from error
    return path
