"""Workloads are the same at the same seed, of the promised domain, and no two of their values are alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.crash.subjects import SUBJECTS, Step
from conformance.crash.workloads import LARGE, SIZES, value_of, workload

STATE_NAMES = (
    "puts and deletes",
    "overwrites growing and shrinking",
    "values above a page",
    "transactions",
    "some puts and deletes",
    "closing and reopening",
    "maintenance",
)
LOG_NAMES = (
    "appends",
    "batches",
    "events above a page",
    "checkpoints and compaction",
    "some appends",
    "closing and reopening",
)
EACH = pytest.mark.parametrize(
    ("contract", "name"), [*(("state", name) for name in STATE_NAMES), *(("log", name) for name in LOG_NAMES)]
)
OFFERS = ("flush", "compact")


def steps_of(contract: str, name: str, domain: str = "json", seed: int = 0) -> tuple[Step, ...]:
    """Return the steps of a workload."""
    return workload(contract, name, domain=domain, seed=seed, offers=OFFERS).steps


def values(steps: tuple[Step, ...]) -> Iterator[Any]:
    """Give the values that steps write."""
    for step in steps:
        match step.verb, step.args:
            case "set", (_, value):
                yield value
            case "append", (event,):
                yield event
            case "append_batch", (events,):
                yield from events
            case "transaction", inner:
                yield from values(inner)
            case "checkpoint", (state, _):
                yield state


@EACH
def test_the_seed_decides(contract: str, name: str) -> None:
    """The same seed gives the same steps; over some seeds they differ."""
    assert steps_of(contract, name) == steps_of(contract, name)
    assert len({steps_of(contract, name, seed=seed) for seed in range(5)} if name != "batches" else {1, 2}) > 1
    if name == "batches":
        assert steps_of(contract, name, seed=1) != steps_of(contract, name, seed=2)


@EACH
@pytest.mark.parametrize(("domain", "kind"), [("json", str), ("json+bytes", str), ("pickle", str), ("bytes", bytes)])
def test_values_are_of_the_domain(contract: str, name: str, domain: str, kind: type) -> None:
    """A store of bytes gets bytes, every other gets texts."""
    assert {type(value) for value in values(steps_of(contract, name, domain))} == {kind}


@EACH
def test_values_tell_where_they_come_from(contract: str, name: str) -> None:
    """No two writes of a workload write the same value, nor the beginning of another's."""
    for seed in range(5):
        found = list(values(steps_of(contract, name, seed=seed)))
        marks = [".".join(value.split(".")[:2]) for value in found]
        assert len(set(marks)) == len(found)
        assert all(value.startswith(f"{mark}.") for value, mark in zip(found, marks, strict=True))


@EACH
def test_steps_can_be_carried_out(contract: str, name: str) -> None:
    """Nothing is deleted that is not there, and nothing is compacted that no checkpoint covers."""
    subject = SUBJECTS[contract]
    for seed in range(20):
        content = subject.empty
        for step in steps_of(contract, name, seed=seed):
            for one in step.args if step.verb == "transaction" else (step,):
                if one.verb == "delete":
                    assert subject.apply(content, one) != content
                if one.verb == "compact" and contract == "log":
                    assert one.args[0] <= content["checkpoint"][1] <= content["head"]
            content = subject.apply(content, step)


@pytest.mark.parametrize("domain", ["json", "bytes"])
@pytest.mark.parametrize("size", [1, *SIZES, *LARGE])
def test_values_have_about_the_size(size: int, domain: str) -> None:
    """Exactly the size, where the mark of the value leaves room."""
    value = value_of("k1", 3, size, domain)
    assert len(value) == max(size, len("k1.3."))


def test_sizes_are_on_both_sides_of_sectors_and_pages() -> None:
    """Writes that fit into a sector, into a page, and into neither; and above what files are copied with."""
    assert SIZES[0] < 512 < SIZES[1] < 4_096 < SIZES[2]
    assert max(LARGE) > 1 << 17


def test_reopening_is_spread_over_the_workload() -> None:
    """The store is closed and opened again twice, with writes before, between and after."""
    for contract in SUBJECTS:
        verbs = [step.verb for step in steps_of(contract, "closing and reopening")]
        first, second = (place for place, verb in enumerate(verbs) if verb == "reopen")
        assert 0 < first < second - 1 < len(verbs) - 2


def test_maintenance_does_what_the_store_has() -> None:
    """Only verbs that are given are called, each twice, between writes."""
    verbs = [step.verb for step in workload("state", "maintenance", domain="json", seed=0, offers=("compact",)).steps]
    assert verbs.count("compact") == 2
    assert "flush" not in verbs
    assert verbs[0] == "set"


def test_the_names_are_known() -> None:
    """A workload carries its name and contract; another name is refused."""
    one = workload("log", "appends", domain="json", seed=0)
    assert (one.name, one.contract, len(one.steps)) == ("appends", "log", 12)
    with pytest.raises(KeyError):
        workload("log", "transactions", domain="json", seed=0)
