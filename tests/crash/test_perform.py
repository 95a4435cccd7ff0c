"""A workload is carried out step by step, and what was begun and acknowledged is marked in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.address import load
from conformance.backend import Backend
from conformance.crash.perform import Attempt, carry_out, place_of
from conformance.crash.subjects import SUBJECTS, Step, canonical
from conformance.session import Session
from tests.crash import stores as s

TWO = (Step("set", ("a", 1)), Step("set", ("b", 2)))


def content_at(backend: Backend, contract: str, folder: Path) -> object:
    """Return what a store that is opened now holds."""
    session = Session(backend, contract, place_of(folder))
    content = SUBJECTS[contract].read(*session.open().reach())
    session.close()
    return content


def state(**entries: object) -> object:
    """Return the content of a state."""
    return {"entries": [[key, value] for key, value in sorted(entries.items())], "length": len(entries)}


def test_marks_in_order(tmp_path: Path) -> None:
    """Opening, each step's start and end with the numbers of its attempt and place, and closing."""
    marks: list[str] = []
    assert carry_out(load(s.DOCUMENT), "state", TWO, tmp_path, marks.append) == [Attempt(0), Attempt(1)]
    steps = ["start 0 0", "done 0", "start 1 1", "done 1"]
    assert marks == ["opening", "open", "armed", *steps, "disarmed", "closed"]
    assert content_at(load(s.DOCUMENT), "state", tmp_path) == state(a=1, b=2)


def test_no_steps_open_and_close(tmp_path: Path) -> None:
    """Recovery alone is a workload too."""
    marks: list[str] = []
    assert carry_out(load(s.DOCUMENT), "state", (), tmp_path, marks.append) == []
    assert marks == ["opening", "open", "armed", "disarmed", "closed"]


def test_a_store_that_raises_ends_the_workload(tmp_path: Path) -> None:
    """Without retries its exception is what comes out, and nothing more is marked."""
    marks: list[str] = []
    with pytest.raises(OSError, match="refused write 1"):
        carry_out(s.REFUSING, "state", TWO, tmp_path, marks.append)
    assert marks == ["opening", "open", "armed", "start 0 0"]


def test_a_retry_is_an_attempt_of_its_own(tmp_path: Path) -> None:
    """A step that raised is tried once more, and what the store showed in between is kept."""
    marks: list[str] = []
    attempts = carry_out(s.REFUSING, "state", TWO, tmp_path, marks.append, retry=True)
    assert attempts == [
        Attempt(0, "OSError: refused write 1", canonical(state())),
        Attempt(0),
        Attempt(1, "OSError: refused write 3", canonical(state(a=1))),
        Attempt(1),
    ]
    ends = ["start 0 0", "raised 0", "start 1 0", "done 1", "start 2 1", "raised 2", "start 3 1", "done 3"]
    assert marks[3:-2] == ends
    assert content_at(s.REFUSING, "state", tmp_path) == state(a=1, b=2)


def test_a_step_is_tried_twice_at_most(tmp_path: Path) -> None:
    """Then the next one is; a store that can't be read after an error shows nothing."""
    attempts = carry_out(s.STUBBORN, "state", TWO, tmp_path, lambda _: None, retry=True)
    assert attempts == [Attempt(place, "OSError: refused") for place in (0, 0, 1, 1)]


def test_reopening_gives_the_store_of_the_next_step(tmp_path: Path) -> None:
    """The store is closed and opened again in the middle, and goes on with what it kept."""
    steps = (TWO[0], Step("reopen"), TWO[1], Step("delete", ("a",)))
    marks: list[str] = []
    carry_out(load(s.JOURNAL), "state", steps, tmp_path, marks.append)
    assert marks[5:7] == ["start 1 1", "done 1"]
    assert content_at(load(s.JOURNAL), "state", tmp_path) == state(b=2)


def test_a_store_is_flushed_before_a_step_is_done(tmp_path: Path) -> None:
    """A backend that acknowledges with `flush` has it called between the call and its mark."""
    backend = load(s.GROUP_COMMIT)
    kept_at_marks: list[tuple[str, object]] = []

    def mark(text: str) -> None:
        if text.startswith(("start", "done")):
            (tmp_path / "copy").mkdir(exist_ok=True)
            (tmp_path / "copy" / "store").write_bytes((tmp_path / "place" / "store").read_bytes())
            kept_at_marks.append((text, content_at(backend, "state", tmp_path / "copy")))

    (tmp_path / "place").mkdir()
    carry_out(backend, "state", TWO, tmp_path / "place", mark)
    assert kept_at_marks == [
        ("start 0 0", state()),
        ("done 0", state(a=1)),
        ("start 1 1", state(a=1)),
        ("done 1", state(a=1, b=2)),
    ]


def test_transactions_and_upkeep(tmp_path: Path) -> None:
    """The steps of a transaction are carried out inside one."""
    steps = (TWO[0], Step("transaction", (TWO[1], Step("delete", ("a",)))), Step("compact"))
    carry_out(load(s.JOURNAL), "state", steps, tmp_path, lambda _: None)
    assert content_at(load(s.JOURNAL), "state", tmp_path) == state(b=2)


def test_logs(tmp_path: Path) -> None:
    """Every verb of a log is carried out."""
    steps = (
        Step("append", ("a",)),
        Step("append_batch", (["b", "c"],)),
        Step("checkpoint", ("s", 2)),
        Step("compact", (1,)),
    )
    carry_out(load(s.JOURNAL_LOG), "log", steps, tmp_path, lambda _: None)
    found = content_at(load(s.JOURNAL_LOG), "log", tmp_path)
    assert found == {"events": [[2, "b"], [3, "c"]], "head": 3, "checkpoint": ["s", 2]}


def test_async_stores(tmp_path: Path) -> None:
    """A store with `async def` verbs is carried out in the same way."""
    carry_out(load(s.ASYNC_FILES), "state", TWO, tmp_path, lambda _: None)
    assert content_at(load(s.ASYNC_FILES), "state", tmp_path) == state(a=1, b=2)


def test_closing_that_raises(tmp_path: Path) -> None:
    """It is an error without retries; with them, the disk may be what is at fault."""
    with pytest.raises(OSError, match="can't be closed"):
        carry_out(s.UNCLOSED, "state", TWO, tmp_path, lambda _: None)
    assert len(carry_out(s.UNCLOSED, "state", TWO, tmp_path, lambda _: None, retry=True)) == 2
