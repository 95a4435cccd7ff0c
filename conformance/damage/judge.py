"""What became of damage: which class it is of, by what the store showed and what it had acknowledged.

The classes are those of IRON File Systems (Prabhakaran et al., SOSP 2005) and of Ganesan et al. (FAST 2017), told
apart by what a reader is given: the truth, an error, or something else and no error.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from conformance.crash.subjects import SUBJECTS, Content, canonical
from conformance.crash.subjects.subject import brief
from conformance.damage.ask import Seen
from conformance.damage.records import MISSING, RECORDS, Answer, Name, records_of
from conformance.literal import literal

Class = Literal[
    "harmless",
    "detected",
    "silent wrong",
    "silent stale",
    "silent missing",
    "died",
    "hung",
]
#: Characters before and after the first that differs.
_AROUND = 12
#: Classes in which a reader is given something that is not so, and no error.
SILENT: tuple[Class, ...] = ("silent wrong", "silent stale", "silent missing")
#: Nobody may do that, whatever is promised.
NEVER: tuple[Class, ...] = ("died", "hung")


@dataclass(frozen=True)
class Truth:
    """What was acknowledged.

    Args:
        contract: Its contract, e.g. `state`.
        content: What the store must hold.
        older: Earlier contents, newest first.
    """

    contract: str
    content: Content
    older: tuple[Content, ...] = field(default=(), compare=False)

    @property
    def records(self) -> dict[Name, Any]:
        """The records by name."""
        return dict(records_of(self.contract, self.content))

    def once(self) -> Mapping[Name, Collection[str]]:
        """Return the values that each record had earlier, as canonical text."""
        found: dict[Name, set[str]] = {}
        for content in self.older:
            for name, value in records_of(self.contract, content):
                found.setdefault(name, set()).add(canonical(value))
        return found


@dataclass(frozen=True)
class Judged:
    """A judgement.

    Args:
        kind: The class.
        record: The record that it is about; None for none, or for all.
        expected: What was acknowledged.
        got: What was given.
    """

    kind: Class
    record: Name | None = None
    expected: str = ""
    got: str = ""


def about(judged: Judged) -> str:
    """Return what was given to whoever asked, and for which record."""
    record = "" if judged.record is None else f"{literal(judged.record)}: "
    return f"{record}{judged.got}"


def judge(truth: Truth, seen: Seen) -> Judged:
    """Return the class of what a store showed on damaged files.

    That `verify()` names damage counts as detected, whatever is read: whoever asks is told. An error that one way of
    reading raises does not excuse a wrong value that another way gives.
    """
    if seen.refused:
        return Judged("detected", got=f"opening raised {seen.refused}")
    if seen.report:
        return Judged("detected", got=f"verify() names {seen.report[0]}")
    silent = _silent(truth, seen)
    if silent is not None:
        return silent
    if seen.unreadable:
        return Judged("detected", got=f"reading raised {seen.unreadable}")
    refused = next((answer for answer in seen.answers.values() if answer.kind == "raised"), None)
    return Judged("detected", got=f"reading raised {refused.value}") if refused else Judged("harmless")


def lost(truth: Truth, seen: Seen, undamaged: Collection[Name]) -> Judged | None:
    """Return the first undamaged record that can't be read as it was; None where all can.

    Args:
        truth: What was acknowledged.
        seen: What the store showed.
        undamaged: The records whose bytes are as they were.
    """
    if seen.refused:
        return Judged("silent missing", next(iter(undamaged), None), "the record", f"opening raised {seen.refused}")
    for name in undamaged:
        wrong = _wrong(truth, {}, name, seen.answers.get(name, MISSING))
        answer = seen.answers.get(name, MISSING)
        if wrong is not None or answer.kind == "raised":
            got = wrong.got if wrong is not None else str(answer.value)
            return Judged("silent missing", name, brief(truth.records[name]), got)
    return None


def unnamed(truth: Truth, seen: Seen) -> Judged | None:
    """Return what reading shows to be damaged while `verify()` names nothing; None where it does, or is not offered."""
    if seen.refused or seen.report != ():
        return None
    found = judge(truth, seen)
    told = "`verify()` names the damage"
    return None if found.kind == "harmless" else replace(found, expected=told, got=f"no damage, but {about(found)}")


def _silent(truth: Truth, seen: Seen) -> Judged | None:
    once = truth.once()
    found = [_wrong(truth, once, name, answer) for name, answer in seen.answers.items()]
    if seen.whole is not None and not SUBJECTS[truth.contract].agrees(seen.whole, truth.content):
        found += _strange(truth, once, seen.whole)
    if seen.listed is not None:
        found += [
            Judged("silent missing" if got == "nothing" else "silent wrong", name, due, f"{got}, listed")
            for name, due, got in SUBJECTS[truth.contract].mislisted(truth.content, seen.listed)
        ]
    return min((one for one in found if one is not None), key=lambda one: SILENT.index(one.kind), default=None)


def _wrong(truth: Truth, once: Mapping[Name, Collection[str]], name: Name, answer: Answer) -> Judged | None:
    """Return what is wrong with an answer; an exception is never wrong."""
    value = truth.records[name]
    if answer.kind == "raised" or (answer.kind == "value" and canonical(answer.value) == canonical(value)):
        return None
    if answer.kind == "missing":
        return Judged("silent missing", name, brief(value), "nothing, and no error")
    stale = canonical(answer.value) in once.get(name, ())
    return Judged("silent stale" if stale else "silent wrong", name, *_apart(value, answer.value))


def _strange(truth: Truth, once: Mapping[Name, Collection[str]], whole: Content) -> list[Judged | None]:
    """Return what is wrong with all that was read at once."""
    known = truth.records
    # What damage made of a key may be of any type.
    records = [
        (name if type(name) in (str, int) else canonical(name), value)
        for name, value in records_of(truth.contract, whole)
    ]
    found: list[Judged | None] = []
    for name, value in records:
        if name in known:
            found.append(_wrong(truth, once, name, Answer("value", value)))
        else:
            stale = canonical(value) in once.get(name, ())
            what = "no such record"
            found.append(Judged("silent stale" if stale else "silent wrong", name, what, brief(value)))
    names = [name for name, _ in records]
    found += [_wrong(truth, once, name, MISSING) for name in known if name not in names]
    if not any(found):
        # Every record is right, and still it is another store: one twice, another order, length, head or checkpoint.
        names_of_rest = RECORDS[truth.contract].rest
        rest, due = ({name: content[name] for name in names_of_rest} for content in (whole, truth.content))
        if SUBJECTS[truth.contract].listed is not None and rest["otherwise"]:
            told = SUBJECTS[truth.contract].tell(rest["otherwise"][0])
            return [Judged("silent wrong", None, "a listing of what is got, and of nothing else", told)]
        earlier = any(SUBJECTS[truth.contract].agrees(whole, older) for older in truth.older)
        if rest == due:
            return [Judged("silent wrong", None, f"{len(known)} records", f"{len(names)}: {names}")]
        return [Judged("silent stale" if earlier else "silent wrong", None, canonical(due), canonical(rest))]
    return found


def _apart(expected: Any, got: Any) -> tuple[str, str]:
    """Return two values in a few words each; of long texts the part in which they are not the same."""
    if type(expected) is type(got) and isinstance(expected, (str, bytes)) and brief(expected) != literal(expected):
        pairs = enumerate(zip(expected, got, strict=False))
        at = next((place for place, (one, other) in pairs if one != other), min(len(expected), len(got)))
        start, end = max(0, at - _AROUND), at + _AROUND
        return (
            f"{literal(expected[start:end])} from {start:,} on ({len(expected):,} long)",
            f"{literal(got[start:end])} from {start:,} on ({len(got):,} long)",
        )
    return brief(expected), brief(got)
