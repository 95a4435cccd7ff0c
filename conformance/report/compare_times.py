"""The benchmarks of two results: what became slower, by more than chance, on the same hardware."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.benchmarks.machine import comparable

#: So many times slower is told, unless another ratio is asked for.
RATIO = 1.3
#: What a figure is measured in: the ratio and the name of what it is a ratio to, the best first.
_YARDSTICKS = (("ratio_to_limit", "limit"), ("ratio_to_reference", "reference"))
#: What must be the same for two figures to be of the same thing.
_SAME = ("durability_claimed", "payload_bytes", "workers")
#: How exact a figure about space says it is.
_WITHIN = re.compile(r"\+-(\d[\d,]*(?:\.\d+)?)")


def compare_times(
    before: Mapping[str, Any], after: Mapping[str, Any], pairs: Sequence[tuple[str, str]], ratio: float = RATIO
) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Return by later backend what is slower, faster, not measured any more, or was compared; and notes.

    Times themselves are never compared, as another load or kernel changes them all: only their ratios to what was
    measured in the same run, the physical limit or else the reference. A ratio counts as changed where it is `ratio`
    times another and the two intervals have nothing in common. Bytes are no matter of chance; where a store takes none
    beside the record's own, or fewer, there is no ratio, and what was gained or lost is told in bytes.

    Args:
        before: The first record.
        after: The second.
        pairs: The names of the backends that are compared.
        ratio: Above one.
    """
    was, now = (record.get("benchmarks") or [] for record in (before, after))
    if not was and not now:
        return {}, []
    if not was or not now:
        return {}, [f"benchmarks: only in the {'second' if now else 'first'} result, so there is nothing to compare"]
    found: dict[str, list[dict[str, Any]]] = {}
    notes: list[str] = []
    other = comparable(before["machine"], after["machine"])
    if other:
        notes.append(f"benchmarks: other hardware, {other}")
    for one, name in pairs:
        figures = {_key(figure): figure for figure in now if figure["backend"] == name}
        for figure in (figure for figure in was if figure["backend"] == one):
            for difference in _differences(figure, figures.get(_key(figure)), ratio, timed=not other):
                if difference["kind"] == "note":
                    notes.append(f"benchmarks: {name}, {difference['text']}")
                else:
                    found.setdefault(name, []).append(difference)
    return found, notes


def _key(figure: Mapping[str, Any]) -> tuple[str, str]:
    return figure["contract"], figure["operation"]


def _differences(
    was: Mapping[str, Any], now: Mapping[str, Any] | None, ratio: float, *, timed: bool
) -> Iterator[dict[str, Any]]:
    what = f"{was['contract']} {was['operation']}"
    if was.get("median") is None:
        return
    if now is None or now.get("median") is None:
        why = "not in the record" if now is None else now.get("error") or now.get("not_measured") or "carried out once"
        yield {"kind": "unmeasured", "what": what, "text": f"was measured, and is not any more: {why}"}
        return
    changed = [f"{name} {was.get(name)}, now {now.get(name)}" for name in _SAME if was.get(name) != now.get(name)]
    if changed:
        yield {"kind": "note", "text": f"{what}: not comparable: {'; '.join(changed)}"}
        return
    if was.get("unit") == "bytes":
        yield {"kind": "compared"}
        yield from _space(what, was, now, ratio)
    elif timed:
        yield from _times(what, was, now, ratio)


def _space(what: str, was: Mapping[str, Any], now: Mapping[str, Any], ratio: float) -> Iterator[dict[str, Any]]:
    """Give what became of the bytes beside a record's own: their ratio, or where one has none of them, how many."""
    before, after, unit = was["median"], now["median"], "bytes more than the record itself"
    if before > 0 and after > 0:
        yield from _told(what, before, after, ratio, unit)
        return
    more = after - before
    if abs(more) <= _within(was) + _within(now):
        return
    text = f"{_shown(before)} {unit}, now {_shown(after)}: {_shown(abs(more))} {'more' if more > 0 else 'less'}"
    kind = "slower" if more > 0 else "faster"
    yield {"kind": kind, "what": what, "was": before, "now": after, "times": None, "text": text}


def _within(figure: Mapping[str, Any]) -> float:
    """Return by how many bytes a figure about space may be off, as a block that is not full counts whole."""
    conditions = figure.get("conditions")
    told = conditions.get("within") if isinstance(conditions, Mapping) else None
    found = _WITHIN.match(str(told))
    return float(found[1].replace(",", "")) if found else 0.0


def _shown(number: float) -> str:
    """Return a number with four digits, or with all that are before the point."""
    return f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:.4g}"


def _times(what: str, was: Mapping[str, Any], now: Mapping[str, Any], ratio: float) -> Iterator[dict[str, Any]]:
    for field, yardstick in _YARDSTICKS:
        if not (was.get(field) and now.get(field) and was.get(yardstick) == now.get(yardstick)):
            continue
        yield {"kind": "compared"}
        one, other = (figure.get("interval", {}).get(yardstick) for figure in (was, now))
        if _apart(one, other):
            for told in _told(what, was[field], now[field], ratio, f"times {was[yardstick]}"):
                yield {**told, "text": f"{told['text']} ({_durability(was, now)})"}
        return
    if not any(was.get(field) for field, _ in _YARDSTICKS):
        return  # the reference itself, where there is no limit
    yield {"kind": "note", "text": f"{what}: not comparable: no limit and no reference that both were measured beside"}


def _durability(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return at which durability both were measured: no two times are compared without it."""
    one, other = (figure.get("durability", f"claims {figure['durability_claimed']}") for figure in (was, now))
    return str(one) if one == other else f"{one}, now {other}"


def _apart(one: Sequence[float | None] | None, other: Sequence[float | None] | None) -> bool:
    """Tell whether two intervals have nothing in common; one that is not known has everything."""
    ends = [[end for end in interval or () if end is not None] for interval in (one, other)]
    if any(len(known) < 2 for known in ends):
        return False
    first, second = ends
    return max(first) < min(second) or max(second) < min(first)


def _told(what: str, was: float, now: float, ratio: float, unit: str) -> Iterator[dict[str, Any]]:
    times = now / was
    kind = "slower" if times >= ratio else "faster" if times <= 1 / ratio else ""
    if kind:
        text = f"{_shown(was)} {unit}, now {_shown(now)}: {times:.2f} times"
        yield {"kind": kind, "what": what, "was": was, "now": now, "times": round(times, 4), "text": text}
