"""A specimen: the files of a store that is closed, or was recovered, and what they must say; damage is done to copies.

It is recorded like a workload that crashes, so that earlier versions of its files are known.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from conformance.crash.recorded import Order, Recorded, Unmeasured, record_order, recorded
from conformance.crash.subjects import SUBJECTS, Content, Step
from conformance.crash.trace import Mark, Volume
from conformance.crash.tree import Tree
from conformance.crash.workloads import value_of
from conformance.damage.damage import files_of
from conformance.damage.judge import Truth
from conformance.damage.records import RECORDS, Name, records_of
from conformance.workers import Crew

#: Bytes of the values: most are short, so that few bytes of the files say nothing; one is above a page.
_SIZES = (40, 25, 700, 60, 30, 5_005, 90, 45)
#: Bytes of the beginning of a value by which it is found in a file.
_NEEDLE = 20


@dataclass(frozen=True)
class Specimen:
    """A store's files, and the truth about them.

    Args:
        name: `closed`, `recovered` or `killed`.
        tree: The files.
        truth: What they must say.
        older: Earlier states of the files, each with what it is called, newest first.
        regions: For each record, where its value stands in the files as it was written: path, offset and length.
    """

    name: str
    tree: Tree
    truth: Truth
    older: tuple[tuple[str, Tree], ...]
    regions: Mapping[Name, tuple[tuple[str, int, int], ...]]


def steps_of(contract: str, seed: int, domain: str, offers: Collection[str] = ()) -> list[Step]:
    """Return what a specimen's store was asked to do.

    Args:
        contract: Its contract.
        seed: Keys are drawn with it.
        domain: Of the values, e.g. `json`.
        offers: The capabilities that count: a store of runs may be unable to delete.
    """
    draw = random.Random(seed)
    records = RECORDS[contract]
    if contract == "log":
        return [records.put("", value_of("ev", number, size, domain)) for number, size in enumerate(_SIZES, 1)]
    keys = [f"k{number}" for number in range(len(_SIZES))]
    puts = [records.put(key, value_of(key, 0, size, domain)) for key, size in zip(keys, _SIZES, strict=True)]
    again, gone = draw.sample(keys[:5], 2)
    # Of the same length as before: in many a store it takes the same place, and an old block fits.
    size = _SIZES[keys.index(again)]
    steps = [*puts, records.put(again, value_of(again, 1, size, domain))]
    if contract in ("runs", "jobs") and records.delete not in offers:
        return steps
    named = {"layers": (gone, None, None), "vectors": ([gone],)}
    return [*steps, Step(records.delete, named.get(contract, (gone,)))]


def specimens(crew: Crew, seed: int, domain: str, offers: Collection[str] = ()) -> list[Specimen]:
    """Return a closed store, one that was killed, opened again and closed, and one that was only killed.

    Args:
        crew: Of the store.
        seed: Keys are drawn with it.
        domain: Of the values, e.g. `json`.
        offers: The capabilities of the store.

    Raises:
        Unmeasured: The store could not be recorded, or its files do not say what it was told.
    """
    one = recorded(crew, steps_of(crew.contract, seed, domain, offers))
    closed = _specimen("closed", crew.contract, one, one.recording.real, _versions(one))
    killed = closed.older[0][1] if closed.older else {}
    found = crew.call(record_order, Order((), killed))
    if isinstance(found, str) or found.ended != "returned":
        raise Unmeasured(
            f"the store could not be opened after a kill: {found if isinstance(found, str) else found.detail}"
        )
    return [
        closed,
        _specimen("recovered", crew.contract, one, found.real, closed.older),
        _specimen("killed", crew.contract, one, killed, closed.older[1:]),
    ]


def within(specimen: Specimen, names: Collection[Name]) -> Iterator[tuple[Name, str, int, int]]:
    """Give the places at which the values of some records stand in the files, the records in turn."""
    places = {name: list(specimen.regions[name]) for name in names}
    while any(places.values()):
        for name, left in places.items():
            if left:
                yield (name, *left.pop(0))


def _specimen(name: str, contract: str, one: Recorded, tree: Tree, older: tuple[tuple[str, Tree], ...]) -> Specimen:
    contents = list(_contents(contract, one.steps))
    truth = Truth(contract, contents[-1], tuple(reversed(contents[:-1])))
    return Specimen(name, tree, truth, older, _regions(tree, truth))


def _contents(contract: str, steps: Iterable[Step]) -> Iterator[Content]:
    subject = SUBJECTS[contract]
    content = subject.empty
    for step in steps:
        content = subject.apply(content, step)
        yield content


def _versions(one: Recorded) -> tuple[tuple[str, Tree], ...]:
    """Return the files as they were after each call, newest first; the first of them is what a kill leaves."""
    volume = Volume()
    reduce(lambda _, operation: volume.apply(operation), one.recording.trace.initial, None)
    found: list[tuple[str, Tree]] = []
    known: dict[bytes, bytes] = {}  # one version differs from the next in few files, which may be large
    for operation in one.recording.trace.operations:
        volume.apply(operation)
        if isinstance(operation, Mark) and operation.text.startswith("done "):
            tree = {
                path: None if content is None else known.setdefault(content, content)
                for path, content in volume.tree().items()
            }
            found.append((f"after call {len(found) + 1} of {len(one.steps)}", tree))
    return tuple(reversed(found))


def _regions(tree: Tree, truth: Truth) -> dict[Name, tuple[tuple[str, int, int], ...]]:
    found: dict[Name, tuple[tuple[str, int, int], ...]] = {}
    for name, value in records_of(truth.contract, truth.content):
        text = RECORDS[truth.contract].text(value)
        data = text if isinstance(text, bytes) else str(text).encode()
        found[name] = tuple(_places(files_of(tree), data))
    return found


def _places(files: Mapping[str, bytes], data: bytes) -> Iterator[tuple[str, int, int]]:
    for path, content in files.items():
        at = content.find(data[:_NEEDLE])
        while at >= 0:
            yield path, at, _same(content[at : at + len(data)], data)
            at = content.find(data[:_NEEDLE], at + 1)


def _same(one: bytes, other: bytes) -> int:
    """Return how many bytes are the same from the beginning on."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
