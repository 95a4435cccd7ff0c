"""Baselines: a file with the failures that are accepted as of a day, so that a gate can be switched on at once.

    {
      "schema": 1,
      "kit": "0.1.0",
      "edition": "2026.1",
      "backends": {
        "mystore": {
          "STATE-VALUE-06": {
            "reason": "accepted on 2026-11-22 by baseline"
          }
        }
      }
    }

An entry may be given `"expires": "2027-03-01"` by hand, and a better reason. The file is written sorted, one fact a
line, so that a review sees what was accepted.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.address import nearest
from conformance.gaps import Gap, GateError, Rules, refuse_unfit
from conformance.versions import kit_version

#: Raised when a field changes its meaning or goes away.
SCHEMA = 1
_FIELDS, _KEYS = ("schema", "kit", "edition", "backends"), ("reason", "expires")
#: What writes the file.
UPDATE = "--conformance-update-baseline"


@dataclass(frozen=True)
class Baseline:
    """A baseline file.

    Args:
        path: The file.
        source: How it is named in reports.
        gaps: Its entries, each with its backend.
        exists: Whether there is a file; without one, a run that updates it makes it.
    """

    path: Path
    source: str
    gaps: tuple[Gap, ...] = ()
    exists: bool = False

    def accepted(self, code: str, backend: str, today: datetime.date) -> Gap:
        """Return a new entry."""
        return Gap(code, f"accepted on {today} by baseline", backend=backend, source=self.source)

    def has(self, code: str, backend: str) -> bool:
        """Tell whether there is an entry for a check of a backend."""
        return any(gap.check == code and gap.backend == backend for gap in self.gaps)


def read_baseline(path: Path, source: str, rules: Rules, *, updates: bool) -> Baseline:
    """Return the baseline in a file.

    Args:
        path: The file.
        source: How it is named in reports.
        rules: What its entries are held to.
        updates: The run writes it, so that it need not exist.

    Raises:
        GateError: It can't be used.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except FileNotFoundError:
        if updates and path.parent.is_dir():
            return Baseline(path, source)
        raise GateError(
            f"baseline: there is no file {path}. {UPDATE} writes it, into a directory that exists."
        ) from None
    except OSError as error:
        raise GateError(f"baseline {path}: {error.strerror}.") from error
    except ValueError as error:
        raise GateError(f"baseline {path} is not JSON: {error}. {UPDATE} writes one where there is none.") from error
    except RecursionError:
        raise GateError(
            f"baseline {path} is nested too deep to be a baseline. {UPDATE} writes one where there is none."
        ) from None
    if not isinstance(record, dict) or not isinstance(record.get("backends"), dict):
        raise GateError(f'baseline {path} has no object "backends". {UPDATE} writes one where there is no file.')
    if record.get("schema") != SCHEMA:
        raise GateError(f"baseline {path}: schema {record.get('schema')!r}; this kit, {kit_version()}, reads {SCHEMA}.")
    for field in record:
        if field not in _FIELDS:
            raise GateError(f"baseline {path} has no field {field!r}.{nearest(field, _FIELDS)}")
    writer = (
        f" The file was written by kit {record.get('kit')}, edition {record.get('edition')}; this is {kit_version()}."
    )
    gaps = tuple(
        _entry(entry, code, backend, Baseline(path, source), rules, writer)
        for backend, entries in record["backends"].items()
        for code, entry in _object(entries, f"baseline {path}: {backend}").items()
    )
    return Baseline(path, source, gaps, exists=True)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} stands twice in one object")
    return dict(pairs)


def _object(value: Any, heading: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GateError(f"{heading} is {value!r}, which is no object.")
    return value


def _entry(entry: Any, code: str, backend: str, baseline: Baseline, rules: Rules, writer: str) -> Gap:
    heading = f"baseline {baseline.path}: {backend}"
    for key in _object(entry, f"{heading}: {code}"):
        if key not in _KEYS:
            raise GateError(f"{heading}: {code} has no field {key!r}.{nearest(key, _KEYS)} Known: {', '.join(_KEYS)}.")
    expires = entry.get("expires")
    try:
        day = datetime.date.fromisoformat(expires) if expires is not None else None
    except (TypeError, ValueError):
        raise GateError(f'{heading}: {code}: expires={expires!r} is not a date. Write "2027-03-01".') from None
    gap = Gap(code, entry.get("reason", ""), day, backend, baseline.source)
    refuse_unfit(gap, heading, rules, writer)
    return gap


def baseline_record(
    baseline: Baseline, backends: Sequence[Mapping[str, Any]], *, updates: bool, interrupted: bool
) -> dict[str, Any]:
    """Return what the record says of a baseline, and what a run that writes it makes of it.

    Args:
        baseline: As it was read.
        backends: Of the record of the run.
        updates: The run writes the file: without that nothing is added, removed or kept.
        interrupted: The run was stopped: what passed may be no more than what came first, and nothing is removed.
    """
    found: dict[str, list[dict[str, str]]] = {"added": [], "removed": [], "kept": []}
    for backend in backends if updates else ():
        name, whole = backend["name"], backend["selected"] == backend["of"] and not interrupted
        for check in (c for contract in backend["contracts"] for suite in contract["suites"] for c in suite["checks"]):
            entry = {"backend": name, "check": check["code"]}
            listed = baseline.has(check["code"], name)
            if check["outcome"] == "known gap" and not listed and check["gap"]["source"] == baseline.source:
                found["added"].append(entry)
            elif check["outcome"] in ("pass", "stale gap") and listed:
                found["removed" if whole else "kept"].append(entry)
    return {"source": baseline.source, "updated": updates, **found}


def updated(baseline: Baseline, record: Mapping[str, Any], today: datetime.date) -> Baseline:
    """Return the baseline with what `baseline_record` found."""
    gone = {(entry["check"], entry["backend"]) for entry in record["removed"]}
    kept = tuple(gap for gap in baseline.gaps if (gap.check, gap.backend) not in gone)
    added = (baseline.accepted(entry["check"], entry["backend"], today) for entry in record["added"])
    return Baseline(baseline.path, baseline.source, (*kept, *added), exists=True)


def write_baseline(baseline: Baseline, edition: str) -> None:
    """Write the file, in one step."""
    backends: dict[str, dict[str, dict[str, str]]] = {}
    for gap in sorted(baseline.gaps, key=lambda gap: (gap.backend, gap.check)):
        entry = {"reason": gap.reason} | ({"expires": gap.expires.isoformat()} if gap.expires else {})
        backends.setdefault(gap.backend, {})[gap.check] = entry
    record = {"schema": SCHEMA, "kit": kit_version(), "edition": edition, "backends": backends}
    fresh = baseline.path.with_name(f"{baseline.path.name}.{os.getpid()}.new")
    fresh.write_text(json.dumps(record, indent=2, ensure_ascii=True) + "\n", encoding="utf-8")
    fresh.replace(baseline.path)
