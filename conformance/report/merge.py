"""Records of the shards of a run, merged into the record that the whole run would have given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from conformance.report.record import SCHEMA, concluded, facts_of
from conformance.shard import missing_from

#: Fields of a record that may differ between shards, or follow from the checks that were judged.
_OWN = ("backends", "baseline", "date", "interrupted", "machine", "shard", "verdict")
#: What a run makes of its baseline.
_CHANGES = ("added", "removed", "kept")


class MergeError(ValueError):
    """Records that can't be merged; the text says which, and what differs."""


def merged(reports: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the record that a whole run would have given, of those of its shards.

    Neither the order of the records matters nor that one is given twice. Verdict and promises are worked out again from
    all checks, by what a run works them out with. Where a shard is missing the verdict is INCONCLUSIVE, also that of a
    single shard: whoever merges asks about the whole.

    Args:
        reports: Records as `make_report` returns them, or as this function does; at least one.
        names: What the records are called in errors, such as their files; empty for their numbers.

    Raises:
        MergeError: The records are not of one run: kit, effort, seed, backends or anything else that judges differs, or
            a check came to different outcomes.
    """
    if not reports:
        raise MergeError("there is no record to merge. Give one or more, such as those of --conformance-json.")
    names = names or [f"record {number}" for number in range(1, len(reports) + 1)]
    for name, report in zip(names, reports, strict=True):
        _require_record(name, report)
    first = reports[0]
    for name, report in zip(names[1:], reports[1:], strict=True):
        different = next(_differences(_common(first), _common(report)), None)
        if different is not None:
            path, one, other = different
            raise MergeError(
                f"{names[0]} and {name} are not of one run: {path} is {_short(one)} in the first and {_short(other)} "
                "in the second. Merge only what was run with the same options on the same backend."
            )
    shards = sorted({word for report in reports for word in report["shard"].split() or [""]})
    missing = missing_from(shards)
    head = {name: value for name, value in first.items() if name not in ("backends", "baseline", "verdict")}
    head["date"] = min(report["date"] for report in reports)
    head["machine"] = _machines([report["machine"] for report in reports])
    head["shard"] = " ".join(shards) if missing else ""
    head["interrupted"] = any(report["interrupted"] for report in reports)
    backends = [
        (facts_of(backend), _checks(names, [report["backends"][place] for report in reports]))
        for place, backend in enumerate(first["backends"])
    ]
    return concluded(head, backends, missing) | {"baseline": _baseline(reports)}


def _machines(machines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is known of the machines; where they differ, all that a field is, in one order."""
    told: dict[str, Any] = {}
    for field in dict.fromkeys(field for machine in machines for field in machine):
        values = [machine[field] for machine in machines if field in machine]
        words = {word for value in values for word in (value.split(", ") if isinstance(value, str) else [str(value)])}
        told[field] = values[0] if all(value == values[0] for value in values) else ", ".join(sorted(words))
    return told


def _require_record(name: str, report: Mapping[str, Any]) -> None:
    if report.get("schema") != SCHEMA:
        raise MergeError(
            f"{name} has the schema {report.get('schema')!r}; this version of the kit merges {SCHEMA}. Give a record "
            "that --conformance-json wrote."
        )
    fields = [field for field in ("backends", "date", "interrupted", "kit", "machine", "shard") if field not in report]
    for backend in report.get("backends", ()):
        fields += [f"backends[].{field}" for field in ("contracts", "expected", "promises") if field not in backend]
    if fields:
        raise MergeError(f"{name} has no {fields[0]}: it is no whole record, or one of an older kit. Run it again.")


def _common(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is the same in all shards of a run."""
    shared = {field: value for field, value in report.items() if field not in _OWN}
    told = report.get("baseline")
    shared["baseline"] = told and {field: told[field] for field in told if field not in _CHANGES}
    return {**shared, "backends": [facts_of(backend) for backend in report["backends"]]}


def _baseline(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return what the shards made of the baseline, in the order of the checks."""
    first = reports[0].get("baseline")
    if first is None:
        return None
    order = [(backend["name"], code) for backend in reports[0]["backends"] for code in backend["expected"]]
    found = {}
    for field in _CHANGES:
        entries = {(one["backend"], one["check"]): one for report in reports for one in report["baseline"][field]}
        found[field] = [entries[place] for place in order if place in entries]
    return {**first, **found}


def _differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Give the paths at which two pieces of JSON differ, with what is there."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in (*one, *(key for key in other if key not in one)):
            yield from _differences(one.get(key), other.get(key), f"{path}.{key}" if path else key)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from _differences(*pair, f"{path}[{place}]")
    elif one != other:
        yield path, one, other


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _checks(names: Sequence[str], backends: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the checks of one backend that some record has; of one that several have, always the same."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for name, backend in zip(names, backends, strict=True):
        for check in _placed(backend["contracts"]):
            other, known = found.setdefault(check["code"], (name, check))
            if known["outcome"] != check["outcome"]:
                raise MergeError(
                    f"{check['code']} on {backend['name']} is {known['outcome']!r} in {other} and "
                    f"{check['outcome']!r} in {name}: one of them is of another run, or the store does not do the same "
                    "each time. Leave one out."
                )
            if _text(check) < _text(known):
                found[check["code"]] = name, check
    return [check for _, check in found.values()]


def _placed(contracts: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for contract in contracts:
        for suite in contract["suites"]:
            for check in suite["checks"]:
                yield {**check, "contract": contract["name"], "suite": suite["name"]}


def _text(check: Mapping[str, Any]) -> str:
    return json.dumps(check, sort_keys=True)
