"""Benchmarks in the record and on the terminal: what is compared with what, at which durability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from conformance.backend import CONTRACTS
from conformance.benchmarks.machine import IN_MEMORY
from conformance.report.text import plural

#: The suite whose checks show which durability holds; without it a durability is claimed, and not observed.
_OBSERVES = "crash-recovery"
#: The bare disk is so uneven between its quartiles that the machine was busy, or the disk is shared.
_UNEVEN = 2.0
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def is_measured(one: Mapping[str, Any]) -> bool:
    """Tell whether an entry has figures: others raised, were left out, or were carried out once."""
    return "median" in one


def measured_of(benchmarks: Sequence[Mapping[str, Any]]) -> tuple[int, int, int]:
    """Return how many operations were measured, how many were carried out once, and how many failed."""
    measured = sum(map(is_measured, benchmarks))
    return measured, sum("tried" in one for one in benchmarks), sum("error" in one for one in benchmarks)


def with_durability(
    benchmarks: Sequence[Mapping[str, Any]], backends: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the entries with what is known of the durability that they were measured at.

    `durability_observed` is what the checks of crash recovery saw in the same run, empty where they did not run;
    `durability` says both in words; `not_the_same` says with what a comparison is not one of equals, where that is so.

    Args:
        benchmarks: The entries.
        backends: Of the record, with their promises and checks.
    """
    known = {backend["name"]: _observed(backend) for backend in backends}
    told = sorted(map(dict, benchmarks), key=lambda one: CONTRACTS.index(one["contract"]))
    claims = {one["backend"]: one["durability_claimed"] for one in told if is_measured(one)}
    for one in told:
        if not is_measured(one):
            continue
        name, other = one["backend"], one["reference"]
        seen = known.get(name)
        one["durability_observed"] = seen or ""
        one["durability"] = _in_words(claims[name], seen)
        one["not_the_same"] = _not_the_same(one, seen, other, claims.get(other, ""), known.get(other))
    return told


def _observed(backend: Mapping[str, Any]) -> str | None:
    """Return the durability that was observed of a backend, empty for none; None where it was not looked for."""
    suites = (suite for contract in backend["contracts"] for suite in contract["suites"])
    if not any(suite["name"] == _OBSERVES and suite["checks"] for suite in suites):
        return None
    return next((str(p["observed"]) for p in backend["promises"] if p["name"] == "durability"), "")


def _in_words(claimed: str, seen: str | None) -> str:
    if claimed == "volatile":
        return "claims volatile"
    if seen is None:
        return f"claims {claimed}, not observed"
    if seen == claimed:
        return f"observed {claimed}"
    return f"claims {claimed}, observed {seen or 'none'}"


def _not_the_same(one: Mapping[str, Any], seen: str | None, other: str, claimed: str, seen_there: str | None) -> str:
    claims = one["durability_claimed"]
    own, there = claims if seen is None else seen, claimed if seen_there is None else seen_there
    told = []
    if other and own != there:
        told.append(f"not the same durability as {other}")
    if one["limit"] and own != claims and claims != "volatile":
        told.append(f"the bare disk is that of {claims}")
    if one["limit"] and "disk" in one["conditions"]:
        told.append(one["conditions"]["disk"])
    if "connects" in one["conditions"]:
        told.append(f"connects {one['conditions']['connects']}")
    return "; ".join(told)


def benchmark_lines(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the lines of the section about benchmarks, each with its colour.

    Args:
        report: The record.
    """
    benchmarks: Sequence[Mapping[str, Any]] = report["benchmarks"]
    measured = [one for one in benchmarks if is_measured(one)]
    if measured:
        yield from _how(report, measured)
        yield from _table(measured)
    yield from _rest(benchmarks)
    if measured:
        yield "", ""
        yield "  no earlier run is compared here; `conformance compare A.json B.json` compares two", ""


def _how(report: Mapping[str, Any], measured: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    machine = report["machine"]
    where = f"{machine.get('cpu_count', '?')} cores, {machine.get('cpu') or 'unknown processor'}"
    filesystem = machine.get("filesystem") or "unknown file system"
    rounds = max(one["rounds"] for one in measured)
    yield f"  on {where}, {filesystem}; medians of up to {rounds} rounds, in turns; q1..q3", ""
    yield (
        "  x: times as long as the bare disk or the first backend, above 1 is slower; [95% by bootstrap of rounds]",
        "",
    )
    if filesystem in IN_MEMORY:
        yield f"  {filesystem} lies in memory: a sync costs nothing there. --basetemp=DIR chooses a disk", "yellow"
    beside = [one for one in measured if one["limits"]]
    uneven = [one for one in beside if any(limit["q3"] > _UNEVEN * limit["q1"] for limit in one["limits"])]
    load, cores = machine.get("load", 0.0), machine.get("cpu_count", 1)
    busy = f"the load was {load:g} on {plural(cores, 'core')}" if load > cores else "the disk may be shared"
    if uneven:
        told = f"varied by more than {_UNEVEN:g}x between quartiles in {len(uneven)} of {len(beside)} rows: {busy};"
        yield f"  the bare disk itself {told} measure again on a machine that does nothing else", "yellow"


_HEAD = ("operation", "backend", "time", "q1..q3", "x bare disk", "{first}", "durability")


def _table(measured: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    rows: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
    for operation in dict.fromkeys((one["contract"], one["operation"]) for one in measured):
        group = [one for one in measured if (one["contract"], one["operation"]) == operation]
        rows += [(_cells(one, " ".join(operation) if n == 0 else ""), one) for n, one in enumerate(group)]
    references = {one["reference"] for one in measured} - {""}
    first = "x first" if references else ""  # alone there is nothing to be beside
    if len(references) == 1:
        first = f"x {references.pop()}"
    head = tuple(cell.format(first=first) for cell in _HEAD)
    widths = [max(len(cells[n]) for cells in (head, *(cells for cells, _ in rows))) for n in range(len(head))]
    yield "", ""
    yield _aligned(head, widths), ""
    for place, (cells, one) in enumerate(rows):
        yield _aligned(cells, widths), "yellow" if one["not_the_same"] else ""
        if "growth" in one:
            yield f"  {' ' * widths[0]}  {_grows(one)}", ""
        last = place + 1 == len(rows) or rows[place + 1][0][0]
        if last:
            group = [other for _, other in rows if _operation(other) == _operation(one)]
            for line in _limits(group):
                yield f"  {' ' * widths[0]}  {line}", ""


def _operation(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["contract"], one["operation"]


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cells(one: Mapping[str, Any], operation: str) -> tuple[str, ...]:
    is_space = one["unit"] == "bytes"
    return (
        operation,
        one["backend"],
        f"{one['median']:g} bytes" if is_space else time_text(one["median"]),
        one["conditions"].get("within", "") if is_space else _range(one["q1"], one["q3"]),
        _ratio(one["ratio_to_limit"], one["interval"].get("limit")),
        _ratio(one["ratio_to_reference"], one["interval"].get("reference")),
        one["durability"] + (f": {one['not_the_same']}" if one["not_the_same"] else ""),
    )


def _ratio(ratio: float | None, ends: Sequence[float | None] | None) -> str:
    if ratio is None:
        return ""
    low, high = (_number(end, 2) for end in ends or (None, None))
    return f"{_number(ratio, 3)}x [{low}..{high}]"


def _number(number: float | None, digits: int) -> str:
    """Return a number with a few digits, never as a power of ten; a question mark for none."""
    if number is None:
        return "?"
    if number >= 10 ** (digits - 1):
        return f"{number:,.0f}"
    return f"{Decimal(repr(float(f'{number:.{digits}g}'))):f}"


def _grows(one: Mapping[str, Any]) -> str:
    growth = one["growth"]
    low, high = growth["slope_interval"]
    lengths = f"{growth['lengths'][0]:,} to {growth['lengths'][-1]:,} records"
    if growth["word"] == "shrinking":
        less = f"{time_text(-growth['slope'])} a record [{_range(-high, -low)}]"
        return f"{one['backend']}: shrinks by {less} over {lengths}"
    if growth["word"] == "flat":
        return f"{one['backend']}: does not grow over {lengths} (at most {time_text(high)} a record)"
    words = {"unsettled": f"whether that is {'linear' if low > 0 else 'growth at all'} these rounds do not settle"}
    word = words.get(growth["word"], growth["word"])
    return (
        f"{one['backend']}: grows by {time_text(growth['slope'])} a record [{_range(low, high)}] over {lengths}: {word}"
    )


def _limits(group: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the line about the bare disk of an operation: the same rounds, the same bytes."""
    names = dict.fromkeys(limit["name"] for one in group for limit in one["limits"])
    told = []
    for name in names:
        times = [(one["backend"], b["median"]) for one in group for b in one["limits"] if b["name"] == name]
        if len({time for _, time in times}) == 1:
            told.append(f"{name}: {time_text(times[0][1])}")
        else:  # each has files of its own
            told.append(f"{name}: {', '.join(f'{time_text(time)} ({backend})' for backend, time in times)}")
    return [f"bare disk: {'; '.join(told)}"] if told else []


def _rest(benchmarks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for one in benchmarks:
        if "error" in one:
            yield f"  failed       {one['backend']}: {one['contract']} {one['operation']}: {one['error']}", "red"
    tried: dict[str, int] = {}
    left: dict[tuple[str, str], list[str]] = {}
    for one in benchmarks:
        if "tried" in one:
            tried[one["backend"]] = tried.get(one["backend"], 0) + 1
        if "not_measured" in one:
            left.setdefault((one["backend"], one["not_measured"]), []).append(f"{one['contract']} {one['operation']}")
    for backend, number in tried.items():
        yield (
            f"  not measured {backend}: {plural(number, 'operation')} carried out once (--benchmark-disable)",
            "yellow",
        )
    for (backend, reason), operations in left.items():
        yield f"  not measured {backend}: {', '.join(operations)}: {reason}", ""


def _range(low: float, high: float) -> str:
    """Return two times as a range, in the unit of the greater one."""
    factor, unit = _unit(max(abs(low), abs(high)))
    return f"{_three(low / factor)}..{_three(high / factor)} {unit}"


def _three(number: float) -> str:
    """Return a number with three digits, or with all that are before the point."""
    return f"{number:,.0f}" if abs(number) >= 999.5 else f"{number:.3g}"


def _unit(size: float) -> tuple[float, str]:
    return next(((factor, unit) for factor, unit in _UNITS if size >= factor), _UNITS[-1])


def time_text(seconds: float) -> str:
    """Return seconds with three digits, in a unit that people read easily."""
    factor, unit = _unit(abs(seconds))
    return f"{_three(seconds / factor)} {unit}"
