"""What the contracts of records share, runs and jobs: documents that are saved whole under an id, got and listed.

A content has the `records` as listing and getting give them, in the order of their ids, and what they do not agree on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.crash.subjects.subject import Content, Mislisted, Step, brief, canonical
from conformance.literal import literal

if TYPE_CHECKING:
    from conformance.drive import Driver

#: The id of the record that is written after recovery.
PROBE_ID = "written-after-recovery"


@dataclass(frozen=True)
class Kind:
    """One kind of record.

    Args:
        noun: What one is called.
        getter: The verb that gets one by its id.
        lister: The verb that lists all.
        ids: Those that workloads use: they are asked for even where they are not listed.
        seen: Returns what of a record is compared; a store may decide on the rest.
    """

    noun: str
    getter: str
    lister: str
    ids: Sequence[str]
    seen: Callable[[Any], Any]


def content_of(records: dict[str, Any], otherwise: Sequence[Any] = ()) -> Content:
    """Return the content with these records, by their ids, and with what listing and getting do not agree on."""
    pairs = sorted(records.items(), key=lambda pair: str(pair[0]))  # a store may give ids of any type after a crash
    return {"records": [list(pair) for pair in pairs], "otherwise": list(otherwise)}


def read_records(driver: Driver, store: Any, kind: Kind) -> Content:
    """Return the content of an open store: what is listed, and of each listed record what is got.

    A record that is got but not listed, one of which the listing says something else, and what is listed and is none,
    are `otherwise`.
    """
    getter = getattr(store, kind.getter)
    items = driver.items(getattr(store, kind.lister))
    listed = [item for item in items if _has_id(item)]
    # Pairs, and not a dict: what is listed twice must not vanish.
    pairs = sorted(((item["id"], driver.call(getter, item["id"])) for item in listed), key=lambda pair: str(pair[0]))
    got = dict(pairs)
    otherwise = [[f"listed, and no {kind.noun}", item] for item in items if not _has_id(item)]
    otherwise += [["listed otherwise", item["id"]] for item in listed if not _repeats(item, got[item["id"]])]
    unlisted = [identity for identity in kind.ids if identity not in got and _is_there(driver, getter, identity)]
    otherwise += [["not listed", identity] for identity in unlisted]
    return {"records": [[identity, kind.seen(record)] for identity, record in pairs], "otherwise": otherwise}


def mislisted_records(kind: Kind, content: Content, listed: Sequence[Any]) -> list[Mislisted]:
    """Return what a listing says otherwise than a content: what is no record, no such record, or has other fields."""
    due = dict(content["records"])
    found: list[Mislisted] = [
        (None, f"{kind.noun}s with their ids", brief(item)) for item in listed if not _has_id(item)
    ]
    there = {item["id"]: item for item in listed if _has_id(item)}
    for identity, item in there.items():
        if identity not in due:
            found.append((identity, f"no such {kind.noun}", brief(item)))
        elif not _repeats(item, due[identity]):
            recorded = {name: due[identity][name] for name in item if name in due[identity]}
            found.append((identity, brief(recorded), brief(item)))
    return found + [(identity, brief(record), "nothing") for identity, record in due.items() if identity not in there]


def _has_id(item: Any) -> bool:
    """Tell whether a listed item is a record, or a summary of one."""
    return isinstance(item, dict) and isinstance(item.get("id"), str)


def _repeats(item: Any, record: Any) -> bool:
    """Tell whether a listed item, the record or a summary of it, says nothing else than the record."""
    if not isinstance(record, dict):
        return False
    return all(canonical(record[name]) == canonical(value) for name, value in item.items() if name in record)


def _is_there(driver: Driver, getter: Any, identity: str) -> bool:
    try:
        return driver.call(getter, identity) is not None
    except Exception:  # noqa: BLE001 - a store has its own exception for what is missing
        return False


def records_agree(observed: Content, expected: Content) -> bool:
    """Tell whether two contents have the same records, and listing and getting agree on them."""
    return all(canonical(observed[name]) == canonical(expected[name]) for name in ("records", "otherwise"))


def record_parts(content: Content) -> Iterable[Any]:
    """Give the records, and what listing and getting do not agree on: nobody wrote that."""
    return [*content["records"], *content["otherwise"]]


def record_source(step: Step) -> str:
    """Return a step as Python source."""
    if step.verb == "reopen":
        return "store.close(); store = session.open()"
    return f"store.{step.verb}({', '.join(literal(arg) for arg in step.args)})"


def record_teller(numbers: Sequence[str], lists: Sequence[str]) -> Callable[[Any], str]:
    """Return what tells a part in a few words: some fields of the record, and how long some of its lists are."""

    def tell(part: Any) -> str:
        identity, record = part
        if not isinstance(record, dict):
            return f"{brief(identity)}: {brief(record)}"
        told = [f"{name} {brief(record[name])}" for name in numbers if name in record]
        told += [f"{len(record[name])} {name}" for name in lists if isinstance(record.get(name), list)]
        return f"{brief(identity)} ({', '.join(told)})"

    return tell
