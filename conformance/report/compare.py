"""Two results, one after the other: what is new, fixed, lost, weaker. Made of two records, and plain data itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from conformance.backend import PROMISES
from conformance.commands import Refusal
from conformance.report.compare_times import RATIO, compare_times
from conformance.report.rows import checks_of
from conformance.report.tally import NEW, SHOULD, word
from conformance.report.text import printable, reason_of

#: Raised when a field of `conformance compare --json` changes its meaning or goes away.
SCHEMA = 1
#: The kinds of differences between what two results say of a check, in the order in which they are told.
KINDS: Mapping[str, str] = {
    "new": "fails, and did not before",
    "lost": "was judged and is not any more, or is inconclusive or blocked and was not before",
    "absent": "was judged, and does not apply any more",
    "broken-should": "a should that is broken, and was not before",
    "accepted": "fails and gates nothing, as a known gap or as provisional, and did not before",
    "fixed": "failed, and passes now",
    "gained": "is judged, and was not before",
}
#: Those between benchmarks.
TIMES: Mapping[str, str] = {
    "slower": "an operation takes longer, by more than chance",
    "faster": "an operation takes less time",
    "unmeasured": "an operation was measured, and is not any more",
}
_JUDGED = ("pass", "fail", "known gap", "stale gap")
_FAILS, _PASSES = ("fail", "known gap"), ("pass", "stale gap")
#: Evidence that shrank to this part is told, from so many on.
_SHRUNK, _EVIDENCE_LEAST = 10, 10
#: What a machine is at another time.
_OF_THE_MOMENT = ("load",)
_GONE = "not in the record"


def compare(before: Mapping[str, Any], after: Mapping[str, Any], *, slower: float = RATIO) -> dict[str, Any]:
    """Return the differences between two records as plain data.

    Args:
        before: The first record.
        after: The second.
        slower: So many times slower is told.

    Raises:
        Refusal: Nothing was compared, so that no difference would say nothing.
    """
    pairs = list(_pairs(before["backends"], after["backends"]))
    names = [(one["name"], other["name"]) for one, other in pairs if one is not None and other is not None]
    times, notes = compare_times(before, after, names, slower)
    backends = []
    for one, other in pairs:
        backend = _backend(one, other)
        changes = times.get(backend["name"], ())
        found = {kind: [one for one in changes if one["kind"] == kind] for kind in TIMES}
        backends.append(backend | found | {"operations": sum(one["kind"] == "compared" for one in changes)})
    notes = [*_notes(before, after), *notes]
    if not any(map(_is_compared, backends)):
        whose = " and ".join(dict.fromkeys(name for backend in backends for name in backend["names"] if name))
        because = f" Note: {'; '.join(notes)}." if notes else ""
        told = (
            f"nothing was compared: neither result has a check of {whose or 'any backend'}, and no figure of a "
            f"benchmark that could be compared. Give two results of runs that judged the same store.{because}"
        )
        raise Refusal(printable(told))
    return {
        "schema": SCHEMA,
        "verdicts": [before["verdict"], after["verdict"]],
        "notes": notes,
        "backends": backends,
    }


def count(comparison: Mapping[str, Any], kind: str) -> int:
    """Return how many differences of a kind there are: one of KINDS or TIMES, `weaker`, `stronger`, or `shrunk`."""
    return sum(len(backend[kind]) for backend in comparison["backends"])


def _is_compared(backend: Mapping[str, Any]) -> bool:
    """Tell whether anything of a backend was compared, or differs."""
    told = (*KINDS, *TIMES, "weaker", "stronger", "shrunk")
    return bool(backend["unchanged"] or backend["operations"] or any(backend[kind] for kind in told))


def _notes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Give how the runs themselves differ, so that nobody takes that for a difference of the store."""
    facts: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
        "kit": lambda record: record["kit"]["version"],
        "edition": lambda record: record.get("edition", ""),
        "require": lambda record: " ".join(record.get("require", ())),
        "strict": lambda record: record.get("strict", False),
        "suites": lambda record: " ".join(record.get("suites", ())),
        "interrupted": lambda record: record.get("interrupted", False),
        "effort": lambda record: record["effort"],
        "seed": lambda record: record["seed"],
        "shard": lambda record: record.get("shard", ""),
        "case": lambda record: " ".join(backend["case"] for backend in record["backends"] if backend["case"]),
    }
    for name, fact in facts.items():
        if fact(before) != fact(after):
            one, other = ("none" if fact(record) == "" else fact(record) for record in (before, after))
            yield f"{name}: {one}, now {other}"
    fields = [name for name in dict.fromkeys((*before["machine"], *after["machine"])) if name not in _OF_THE_MOMENT]
    changed = [name for name in fields if before["machine"].get(name) != after["machine"].get(name)]
    if changed:
        told = (f"{name} {before['machine'].get(name)}, now {after['machine'].get(name)}" for name in changed)
        yield f"machine: {'; '.join(told)}"


def _pairs(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]]:
    """Give the backends that are compared; where each record has one alone, its name does not matter."""
    if len(before) == len(after) == 1:
        yield before[0], after[0]
        return
    others = {backend["name"]: backend for backend in after}
    for backend in before:
        yield backend, others.pop(backend["name"], None)
    for backend in others.values():
        yield None, backend


def _backend(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> dict[str, Any]:
    was, now = _checks(one), _checks(other)
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    unchanged = 0
    for code in dict.fromkeys((*now, *was)):
        kind = _kind(was.get(code), now.get(code))
        if kind:
            found[kind].append(_difference(code, was.get(code), now.get(code)))
        else:
            unchanged += 1
    weaker, stronger = _promises(one, other)
    return {
        "name": (other or one or {})["name"],
        "names": [backend["name"] if backend else "" for backend in (one, other)],
        "verdicts": [backend["verdict"] if backend else _GONE for backend in (one, other)],
        **found,
        "weaker": weaker,
        "stronger": stronger,
        "shrunk": list(_shrunk(was, now)),
        "unchanged": unchanged,
    }


def _checks(backend: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    return {check["code"]: check for check in checks_of(backend)} if backend else {}


def _kind(was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    """Return the kind of difference between what became of a check; empty for none worth telling."""
    before, after = (check["outcome"] if check else _GONE for check in (was, now))
    what, what_before = (word(check) if check else "" for check in (now, was))
    if what == NEW:
        return "new" if what_before != NEW else ""
    if what == SHOULD:
        return "broken-should" if what_before not in (SHOULD, NEW) and before not in _FAILS else ""
    if after in _FAILS:
        return "accepted" if before not in _FAILS else ""
    if before in _FAILS and after in _PASSES:
        return "fixed"
    if before in _JUDGED and after not in _JUDGED:
        return "absent" if after == "not applicable" else "lost"
    if _is_unclear(now) and not _is_unclear(was):
        return "lost"
    return "gained" if after in _JUDGED and before not in _JUDGED else ""


def _is_unclear(check: Mapping[str, Any] | None) -> bool:
    """Tell whether a check makes a verdict INCONCLUSIVE.

    What a known gap blocks does not, and neither does what gates nothing yet.
    """
    if check is None or check["provisional"]:
        return False
    return check["outcome"] == "inconclusive" or (check["outcome"] == "blocked" and check["gap"] is None)


def _difference(code: str, was: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> dict[str, Any]:
    latest = now or was or {}
    return {
        "code": code,
        "level": latest["level"],
        "sentence": latest["sentence"],
        "was": word(was) if was else _GONE,
        "now": word(now) if now else _GONE,
        "reason": reason_of(now) if now and word(now) != "pass" else "",
    }


def _promises(
    one: Mapping[str, Any] | None, other: Mapping[str, Any] | None
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return what is weaker than before and what is stronger, of what was claimed and of what was observed."""
    was, now = ({promise["name"]: promise for promise in (b["promises"] if b else ())} for b in (one, other))
    weaker, stronger = [], []
    for name in dict.fromkeys((*was, *now)):
        for what in ("claimed", "observed"):
            before, after = (found.get(name, {}).get(what, "") for found in (was, now))
            change = {"promise": name, "what": what, "was": before or "nothing", "now": after or "nothing"}
            if _rank(name, after) > _rank(name, before):
                weaker.append(change)
            elif _rank(name, after) < _rank(name, before):
                stronger.append(change)
    return weaker, stronger


def _rank(promise: str, level: str) -> int:
    """Return the place of a level, the strictest first; what was not claimed or observed is weaker than all."""
    levels = PROMISES[promise]
    return levels.index(level) if level in levels else len(levels)


def _shrunk(was: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give what was done a tenth as often as before, or less, in a check that was judged both times.

    What a failing check did is no measure: it ended where it failed.
    """
    for code, check in now.items():
        before = was.get(code)
        if before is None or not {before["outcome"], check["outcome"]} <= {*_PASSES}:
            continue
        for kind, number in before["evidence"].items():
            left = check["evidence"].get(kind, 0)
            if number >= _EVIDENCE_LEAST and left * _SHRUNK <= number:
                yield {"code": code, "evidence": kind, "was": number, "now": left}
