"""The `vectors` contract for the crash engine: records are added, replaced and deleted, and searches must agree.

A step names a vector by a number: how long a vector is, is the store's own. The number is in the metadata as well, so
that a record tells which vector it must have. Where a text comes after the number, it is in the metadata, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from conformance.crash.subjects.subject import Content, Step, Subject, brief, canonical
from conformance.literal import literal
from conformance.values.vectors import Vector, belongs, close, random_vectors

if TYPE_CHECKING:
    from conformance.drive import Driver
    from conformance.session import Handle

#: The ids that workloads use, and the one that is written after recovery.
VECTOR_IDS = ("v0", "v1", "v2", "v3", "v4", "v5")
PROBE_ID = "written-after-recovery"
#: Ids that others use who read with this subject.
MORE_IDS = tuple(f"k{number}" for number in range(8))
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
    vectors = [_vector(number, dimension) for _, number, *_ in what]
    store.add([key for key, *_ in what], vectors, [_metadata(*told) for _, *told in what])


def _read(driver: Driver, store: Any) -> Content:
    dimension = int(driver.attribute(store, "dimension"))
    metric = str(driver.attribute(store, "metric"))
    got = [item for item in driver.call(store.get, [*VECTOR_IDS, *MORE_IDS, PROBE_ID]) if item is not None]
    records = [record_told(item, dimension) for item in got]
    vectors = {item["id"]: [float(number) for number in item["vector"]] for item in got}
    many = len(got) + len(VECTOR_IDS)
    found = {key for key, _ in driver.items(store.query, _vector(0, dimension), many)}
    otherwise: list[list[Any]] = []
    for item in got:
        asked = vectors[item["id"]]
        near = dict(driver.items(store.query, asked, many))
        otherwise += [] if item["id"] in near else [["not found", item["id"]]]
        known = {key: score for key, score in near.items() if key in vectors}
        far = [key for key, score in known.items() if not belongs(metric, float(score), asked, vectors[key])]
        otherwise += [["found by another vector", key] for key in far]
        found |= {*near}
    # Whatever else is found was never added: it is a stranger, also where it can be got.
    otherwise += [["found, but not got", key] for key in sorted(found - {*vectors}, key=str)]
    length = driver.call(store.__len__)
    otherwise += [] if length == len(got) else [["counted", length]]
    return {"records": sorted(records, key=lambda record: str(record[0])), "otherwise": otherwise}


def record_told(item: Any, dimension: int) -> list[Any]:
    """Return a record that was got: its id, its metadata, and its vector where that is not the one it must have.

    Raises:
        TypeError, KeyError or ValueError: It is no record.
    """
    metadata, given = item["metadata"], [float(one) for one in item["vector"]]
    number = metadata.get("n") if isinstance(metadata, dict) else None
    own = isinstance(number, int) and close(given, _vector(number, dimension))
    return [item["id"], metadata, _ITS_OWN if own else given]


def _metadata(number: int, *text: str) -> dict[str, Any]:
    return {"n": number, "text": text[0]} if text else {"n": number}


def _apply(content: Content, step: Step) -> Content:
    if step.verb not in ("add", "delete"):
        return content
    records = {record[0]: record for record in content["records"]}
    (what,) = step.args
    for one in what:
        if step.verb == "add":
            key, *told = one
            records[key] = [key, _metadata(*told), _ITS_OWN]
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
    numbers = [number for _, number, *_ in what]
    vectors = ", ".join(f"*random_vectors({number}, 1, store.dimension)" for number in numbers)
    metadata = literal([_metadata(*told) for _, *told in what])
    return f"store.add({literal([key for key, *_ in what])}, [{vectors}], {metadata})"


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
