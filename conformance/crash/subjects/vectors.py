"""The `vectors` contract for the crash engine: records are added, replaced and deleted, and searches must agree.

A step names a vector by a number: how long a vector is, is the store's own. The number is in the metadata as well, so
that a record tells which vector it must have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from conformance.crash.subjects.subject import Content, Step, Subject, brief, canonical
from conformance.literal import literal
from conformance.values.vectors import Vector, close, random_vectors

if TYPE_CHECKING:
    from conformance.drive import Driver
    from conformance.session import Handle

#: The ids that workloads use, and the one that is written after recovery.
VECTOR_IDS = ("v0", "v1", "v2", "v3", "v4", "v5")
PROBE_ID = "written-after-recovery"
_PROBE_NUMBER = 999
#: What stands in a content for the vector that belongs to the number of a record.
_ITS_OWN = "its own"


def _vector(number: int, dimension: int) -> Vector:
    return random_vectors(number, 1, dimension)[0]


def _perform(store: Handle, step: Step) -> None:
    (what,) = step.args
    if step.verb == "delete":
        store.delete(list(what))
        return
    driver, plain = store.reach()
    dimension = int(driver.attribute(plain, "dimension"))
    vectors = [_vector(number, dimension) for _, number in what]
    store.add([key for key, _ in what], vectors, [{"n": number} for _, number in what])


def _read(driver: Driver, store: Any) -> Content:
    dimension = int(driver.attribute(store, "dimension"))
    got = [item for item in driver.call(store.get, [*VECTOR_IDS, PROBE_ID]) if item is not None]
    records = [[item["id"], item["metadata"], _told(item, dimension)] for item in got]
    many = len(got) + len(VECTOR_IDS)
    found = {key for key, _ in driver.items(store.query, _vector(0, dimension), many)}
    otherwise: list[list[Any]] = []
    for item in got:
        near = {key for key, _ in driver.items(store.query, list(item["vector"]), many)}
        otherwise += [] if item["id"] in near else [["not found", item["id"]]]
        found |= near
    ids = {item["id"] for item in got}
    # Whatever else is found was never added: it is a stranger, also where it can be got.
    otherwise += [["found, but not got", key] for key in sorted(found - ids, key=str)]
    length = driver.call(store.__len__)
    otherwise += [] if length == len(got) else [["counted", length]]
    return {"records": sorted(records, key=lambda record: str(record[0])), "otherwise": otherwise}


def _told(item: Any, dimension: int) -> Any:
    number = item["metadata"].get("n") if isinstance(item["metadata"], dict) else None
    given = [float(one) for one in item["vector"]]
    return _ITS_OWN if isinstance(number, int) and close(given, _vector(number, dimension)) else given


def _apply(content: Content, step: Step) -> Content:
    if step.verb not in ("add", "delete"):
        return content
    records = {record[0]: record for record in content["records"]}
    (what,) = step.args
    for one in what:
        if step.verb == "add":
            key, number = one
            records[key] = [key, {"n": number}, _ITS_OWN]
        else:
            records.pop(one, None)
    return {**content, "records": sorted(records.values(), key=lambda record: str(record[0]))}


def _agrees(observed: Content, expected: Content) -> bool:
    """Tell whether the records are the same, and part from the index nowhere but where it was expected.

    What a crash has set apart, the next write may bring together.
    """
    apart = {canonical(one) for one in observed["otherwise"]} - {canonical(one) for one in expected["otherwise"]}
    return not apart and canonical(observed["records"]) == canonical(expected["records"])


def _parts(content: Content) -> Iterable[Any]:
    return [*content["records"], *content["otherwise"]]


def _probe(_domain: str) -> Step:
    return Step("add", ([[PROBE_ID, _PROBE_NUMBER]],))


def _source(step: Step) -> str:
    if step.verb == "reopen":
        return "store.close(); store = session.open()"
    (what,) = step.args
    if step.verb == "delete":
        return f"store.delete({literal(list(what))})"
    numbers = [number for _, number in what]
    vectors = ", ".join(f"*random_vectors({number}, 1, store.dimension)" for number in numbers)
    metadata = literal([{"n": number} for number in numbers])
    return f"store.add({literal([key for key, _ in what])}, [{vectors}], {metadata})"


def _tell(part: Sequence[Any]) -> str:
    if len(part) != len(("id", "metadata", "vector")):
        return " ".join(map(str, part))
    key, metadata, vector = part
    told = "" if vector == _ITS_OWN else f" with the vector {brief(vector)}"
    return f"{literal(key)}: {brief(metadata)}{told}"


VECTORS = Subject(
    contract="vectors",
    empty={"records": [], "otherwise": []},
    perform=_perform,
    read=_read,
    apply=_apply,
    agrees=_agrees,
    parts=_parts,
    probe=_probe,
    source=_source,
    tell=_tell,
)
