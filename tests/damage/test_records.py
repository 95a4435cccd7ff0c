"""Records of each contract: what a specimen is asked, how one is asked for, and which class answers are of."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance.crash.subjects import SUBJECTS, Step
from conformance.damage.ask import Seen
from conformance.damage.judge import Truth, judge, lost
from conformance.damage.records import MISSING, RECORDS, Answer, records_of
from conformance.damage.specimen import steps_of
from conformance.drive import Driver
from conformance.values.vectors import random_vectors
from tests.mutants.records_concurrency_base import Layers, MemoryBox, Runs
from tests.mutants.vectors_crash import FileVectors


def content(contract: str, *steps: Step) -> Any:
    """Return what steps make of an empty store."""
    found = SUBJECTS[contract].empty
    for step in steps:
        found = SUBJECTS[contract].apply(found, step)
    return found


@pytest.mark.parametrize("contract", ["state", "runs", "jobs", "layers", "vectors"])
def test_a_specimen_is_written_again_and_deleted_from(contract: str) -> None:
    """One of eight records is written twice, with as long a text, and one is deleted where that can be done."""
    steps = steps_of(contract, 0, "json", (RECORDS[contract].delete,))
    assert len(steps) == 10
    after = [dict(records_of(contract, content(contract, *steps[:count]))) for count in (8, 9, 10)]
    (again,) = (name for name in after[0] if after[0][name] != after[1][name])
    text = RECORDS[contract].text
    assert len(text(after[0][again])) == len(text(after[1][again]))
    assert after[1].keys() - after[2].keys() == after[0].keys() - after[2].keys()
    assert len(after[2]) == 7
    left = steps_of(contract, 0, "json")
    assert left == (steps[:9] if contract in ("runs", "jobs") else steps)


@pytest.mark.parametrize("contract", list(RECORDS))
def test_texts_of_bytes_are_found_again(contract: str) -> None:
    """Of a store that keeps bytes only, documents have text all the same."""
    step = RECORDS[contract].put("a", b"abc")
    ((_, record),) = records_of(contract, content(contract, step))
    assert RECORDS[contract].text(record) in ("abc", b"abc")


class Jobs:
    """Notes more in a job than was saved."""

    def __init__(self) -> None:
        self.jobs: dict[str, Any] = {}

    def save_job(self, job: dict[str, Any]) -> None:
        """Save a job."""
        self.jobs[job["id"]] = {**job, "savedBy": "me"}

    def get_job(self, job_id: str) -> Any:
        """Return a job."""
        return self.jobs.get(job_id)

    def list_jobs(self) -> list[Any]:
        """Return all jobs."""
        return list(self.jobs.values())


@pytest.mark.parametrize(
    ("contract", "store"), [("runs", Runs(MemoryBox())), ("jobs", Jobs()), ("layers", Layers(MemoryBox()))]
)
def test_one_record_is_asked_for(contract: str, store: Any) -> None:
    """What was saved is a value; None says that there is no such record."""
    records = RECORDS[contract]
    step = records.put("a", "text")
    with closing(Driver()) as driver:
        getattr(store, step.verb)(*step.args[: 2 if contract == "layers" else 1])
        assert records.asked(driver, store, "a") == Answer(
            "value", dict(records_of(contract, content(contract, step)))["a"]
        )
        assert records.asked(driver, store, "b") == MISSING


def test_runs_are_of_a_class() -> None:
    """Missing from the listing or from getting, old, another one, listed otherwise than got: each is told."""
    put = RECORDS["runs"].put
    truth = Truth("runs", content("runs", put("a", "new"), put("b", "x")), (content("runs", put("a", "old")),))
    run, old, other = (put("a", text).args[0] for text in ("new", "old", "?"))
    right = truth.records
    for whole, answers, kind in [
        (truth.content, right, "harmless"),
        (content("runs", put("b", "x")), right, "silent missing"),
        ({**truth.content, "otherwise": [["listed otherwise", "a"]]}, right, "silent wrong"),
        (None, {**right, "a": old}, "silent stale"),
        (None, {**right, "a": other}, "silent wrong"),
        (None, {**right, "a": {**run, "output": 0.0}}, "silent wrong"),
    ]:
        seen = Seen(whole=whole, answers={name: Answer("value", value) for name, value in answers.items()})
        assert judge(truth, seen).kind == kind
    one_gone = Seen(answers={"a": Answer("raised", "Corrupt: a"), "b": Answer("value", right["b"])})
    assert judge(truth, one_gone).kind == "detected"
    assert lost(truth, one_gone, ["b"]) is None


def test_entries_of_other_layers_and_scopes_have_names_of_their_own() -> None:
    """An entry that damage puts into another scope is no entry that was written."""
    truth = Truth("layers", content("layers", Step("set", ("a", "x", None, None))))
    moved = content("layers", Step("set", ("a", "x", None, "ada")))
    assert [name for name, _ in records_of("layers", moved)] == ['[0, "ada", "a"]']
    assert judge(truth, Seen(whole=moved)).kind == "silent wrong"


def test_a_vector_is_asked_for_in_both_ways(tmp_path: Path) -> None:
    """A record is a value; what no search gives is missing, also where it can be got."""
    records = RECORDS["vectors"]
    step = records.put("a", "text")
    ((key, number, text),) = step.args[0]
    store = FileVectors(tmp_path / "vectors")
    store.add([key], random_vectors(number, 1, 3), [{"n": number, "text": text}])
    with closing(Driver()) as driver:
        expected = dict(records_of("vectors", content("vectors", step)))["a"]
        assert records.asked(driver, store, "a") == Answer("value", expected)
        assert records.asked(driver, store, "b") == MISSING
        store.index = {}
        assert records.asked(driver, store, "a") == MISSING
