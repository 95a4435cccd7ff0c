"""A finding as text: what each call came to on the disk, beside what was acknowledged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest

from conformance.crash.disk import MODELS, CrashState, Disk
from conformance.crash.explore import Explorer, Finding
from conformance.crash.fakedisk import Fake
from conformance.crash.history import History, moments
from conformance.crash.kills import Kill
from conformance.crash.observe import Observation
from conformance.crash.perform import Attempt
from conformance.crash.recorded import Recorded
from conformance.crash.recorder.recording import Recording
from conformance.crash.show import SHOWN, brief, difference, shown, shown_fake, shown_fault, shown_kill
from conformance.crash.subjects import SUBJECTS, Content, Step
from conformance.crash.trace import (
    ROOT,
    Create,
    Link,
    Mark,
    Operation,
    Remove,
    Rename,
    Sync,
    SyncAll,
    Trace,
    Truncate,
    Write,
    replayed,
)
from conformance.workers import Crew

DATA, FOLDER, FRESH, LOOSE = 1, 2, 3, 4
STEPS = (Step("set", ("a", 1)), Step("set", ("b", "x" * 2_000)), Step("delete", ("a",)))
OPERATIONS: tuple[Operation, ...] = (
    Mark("opening"),
    Create(ROOT, "data", DATA),
    Mark("open"),
    Mark("armed"),
    Mark("start 0 0"),
    Write(DATA, 0, b"a" * 600),
    Sync(DATA),
    Sync(ROOT),
    Mark("done 0"),
    Mark("start 1 1"),
    Write(DATA, 600, b"b" * 1_500),
    Create(ROOT, "folder", FOLDER, is_directory=True),
    Create(FOLDER, "fresh", FRESH),
    Mark("done 1"),
    Mark("start 2 2"),
    Truncate(FRESH, 10),
)


def state(**entries: Any) -> Content:
    """Return the content of a state."""
    return {"entries": [[key, value] for key, value in sorted(entries.items())], "length": len(entries)}


def explorer(operations: tuple[Operation, ...] = OPERATIONS, attempts: tuple[Attempt, ...] = ()) -> Explorer:
    """Return an explorer of a trace that nobody has recorded."""
    trace = Trace((), operations)
    history = History("state", STEPS, attempts or tuple(map(Attempt, range(3))), SUBJECTS["state"].empty)
    recording = Recording(trace, replayed(trace), "returned")
    return Explorer(cast("Crew", None), Recorded(STEPS, recording, history, moments(trace)))


def finding(base: Explorer, model: str, lost: dict[int, int], observation: Observation) -> Finding:
    """Return a finding at the end, in which of some operations so many of their atoms are lost."""
    trace = base.recorded.recording.trace
    disk = Disk(trace, MODELS[model])
    gone = {atom for place, count in lost.items() for atom in disk.by_operation[place][-count:]}
    kept = frozenset(range(len(disk.atoms))) - gone
    end = len(trace.operations)
    assert disk.legal(end, kept)
    return Finding("lost", model, CrashState(end, kept, ""), base.recorded.moments[-1], observation)


POWER_LOSS_STORY = """\
create   data
          -- the store is open
          -- store['a'] = 1
durable   write    data [0..600)
          sync     data
          sync     the directory
          -- ACKNOWLEDGED
          -- store['b'] = 'x' * 2000
TORN 2/5  write    data [600..2100)
on disk   mkdir    folder
LOST      create   folder/fresh
          -- ACKNOWLEDGED
          -- del store['a']
LOST      truncate folder/fresh to 10
********* POWER LOSS HERE (acknowledged 2 of 3 begun)
left on disk: data (2,100 bytes), folder/
not synced by then: the content of data, the names in folder, the content of folder/fresh"""


def test_the_story_of_a_power_loss() -> None:
    """Beside each call stands what became of it; below, what is left, and what a sync would have kept."""
    base = explorer()
    atoms = Disk(base.recorded.recording.trace, MODELS["posix"]).by_operation
    lost = {10: len(atoms[10]) - 2, 12: len(atoms[12]), 15: len(atoms[15])}
    found = shown(base, finding(base, "posix", lost, Observation("usable", state(a=1))))
    assert found.what == "after a power loss that posix allows, an acknowledged write is lost"
    assert found.expected == "'b': 'x' * 2000"
    assert found.got == "nothing in its place"
    assert "\n".join(found.story).replace("durable   create", "create", 1) == POWER_LOSS_STORY
    assert json.loads(json.dumps(found.picture)) == found.picture
    rows = found.picture["rows"]
    fates = {(row["verb"], row["text"]): row["fate"] for row in rows if row["row"] == "call" and row["fate"]}
    assert fates == {
        ("create", "data"): "durable",
        ("write", "data [0..600)"): "durable",
        ("write", "data [600..2100)"): "torn",
        ("mkdir", "folder"): "survived",
        ("create", "folder/fresh"): "lost",
        ("truncate", "folder/fresh to 10"): "lost",
    }
    assert {(row["kept"], row["of"]) for row in rows if row.get("fate") == "torn"} == {(2, 5)}
    assert [row["text"] for row in rows if row["row"] == "end"] == ["ACKNOWLEDGED", "ACKNOWLEDGED"]
    assert [row["text"] for row in rows if row["row"] == "step"] == [
        "store['a'] = 1",
        "store['b'] = 'x' * 2000",
        "del store['a']",
    ]
    assert rows[-1] == {"row": "crash", "text": "POWER LOSS HERE (acknowledged 2 of 3 begun)"}
    files = {one["path"]: (one["before"], one["after"], one["changed"]) for one in found.picture["files"]}
    assert files == {"data": (2_100, 2_100, True), "folder/fresh": (10, None, True), "folder/": (0, 0, False)}
    assert found.picture["unsynced"] == ["the content of data", "the names in folder", "the content of folder/fresh"]


def test_the_story_of_a_kill() -> None:
    """Nothing is durable or lost: all is on the disk but for a part of the call at which it was killed."""
    base = explorer()
    observation = Observation("cannot open", None, "ValueError: no", "store.py:3 in load")
    found = shown(base, replace(finding(base, "kill", {}, observation), verdict="cannot open"))
    assert found.what == "after a process kill, the store cannot be opened"
    assert (found.expected, found.got) == ("a usable store with 2 entries", "ValueError: no")
    assert found.frame == "store.py:3 in load"
    assert found.story[-2:] == (
        "********* PROCESS KILLED HERE (acknowledged 2 of 3 begun)",
        "left on disk: data (2,100 bytes), folder/, folder/fresh (10 bytes)",
    )
    assert not any(word in line for line in found.story for word in ("durable", "LOST", "not synced"))


EVERY_OPERATION: list[tuple[Operation, str]] = [
    (Create(ROOT, "data", DATA), "create   data"),
    (Create(ROOT, "folder", FOLDER, is_directory=True), "mkdir    folder"),
    (Link(FOLDER, "also", DATA), "link     data -> folder/also"),
    (Write(DATA, 5, b"abc"), "write    folder/also [5..8)"),
    (Rename(ROOT, "folder", ROOT, "moved"), "rename   folder -> moved"),
    (Truncate(DATA, 2), "truncate moved/also to 2"),
    (Sync(DATA), "sync     moved/also"),
    (Sync(FOLDER), "sync     moved"),
    (Sync(ROOT), "sync     the directory"),
    (Sync(DATA, failed=True), "sync     moved/also FAILED"),
    (Remove(FOLDER, "also"), "unlink   moved/also"),
    (SyncAll(), "sync     everything"),
    (Write(LOOSE, 0, b"x"), "write    ? [0..1)"),
    (Mark("raised 0"), "-- RAISED"),
    (Mark("closed"), "-- the store is closed"),
]


def test_every_operation_has_its_line() -> None:
    """By the names that files have at the time."""
    operations = tuple(operation for operation, _ in EVERY_OPERATION)
    sound = tuple(operation for operation in operations if operation != Write(LOOSE, 0, b"x"))
    base = explorer(sound)
    unsound = replace(base.recorded.recording, trace=Trace((), operations), real={})
    base = replace(base, recorded=replace(base.recorded, recording=unsound))
    at_the_end = Finding("lost", "", CrashState(0, frozenset(), "where it was"), moments(Trace((), ()))[0],
                         Observation("usable", state()))  # fmt: skip
    story = shown_fault(base, at_the_end).story
    assert [line.strip() for line in story[: len(operations)]] == [line for _, line in EVERY_OPERATION]
    assert story[len(operations) :] == ("********* where it was", "left on disk: nothing")


def test_an_error_and_a_power_loss() -> None:
    """After a failed sync both are told."""
    base = explorer()
    found = shown_fault(base, finding(base, "ext4", {}, Observation("usable", state())))
    assert found.what == "after an error of the disk, then a power loss that ext4 allows, an acknowledged write is lost"
    alone = replace(finding(base, "ext4", {}, Observation("hung", None, "no answer")), model="", verdict="hung")
    assert shown_fault(base, alone).what == "after an error of the disk, the store hung"


def test_only_the_last_calls_are_shown() -> None:
    """How many came before is said."""
    many = tuple(Write(DATA, place, b"x") for place in range(100))
    base = explorer((Create(ROOT, "data", DATA), *many))
    lines = shown(base, finding(base, "kill", {}, Observation("usable", state()))).story
    assert lines[0].strip() == "… 61 earlier lines …"
    assert len(lines) == 1 + SHOWN + 2
    rows = shown(base, finding(base, "kill", {}, Observation("usable", state()))).picture["rows"]
    assert rows[0] == {"row": "hidden", "count": 61}
    assert [row["row"] for row in rows[1:]] == ["call"] * SHOWN + ["crash"]
    assert lines[1].endswith("write    data [60..61)")


def test_a_real_kill() -> None:
    """The calls to the store, since nobody has seen those to the system."""
    attempts = (Attempt(0), Attempt(1, "OSError: full"), Attempt(1))
    trace = Trace((), tuple(map(Mark, ("open", "start 0 0", "done 0", "start 1 1", "raised 1", "start 2 1"))))
    files = {"store": b"x" * 1_234, "folder/": None}
    kill = Kill("after 1.00 ms", moments(trace)[-1], STEPS, attempts, files, "lost", Observation("usable", state()))
    found = shown_kill("state", kill)
    assert found.what == "after a real kill, an acknowledged write is lost"
    assert found.story == (
        "-- store['a'] = 1  ACKNOWLEDGED",
        "-- store['b'] = 'x' * 2000  raised OSError: full",
        "-- store['b'] = 'x' * 2000",
        "********* KILLED HERE, after 1.00 ms",
        "left on disk: folder/, store (1,234 bytes)",
    )
    assert [row["text"] for row in found.picture["rows"]] == [
        "store['a'] = 1",
        "ACKNOWLEDGED",
        "store['b'] = 'x' * 2000",
        "raised OSError: full",
        "store['b'] = 'x' * 2000",
        "KILLED HERE, after 1.00 ms",
    ]
    assert (found.picture["compared"], found.picture["kill"]) == (False, True)
    assert [(one["path"], one["after"], one["changed"]) for one in found.picture["files"]] == [
        ("folder/", 0, False),
        ("store", 1_234, False),
    ]


def test_a_fake_disk() -> None:
    """There is no crash: the process went on, and closed the store."""
    attempts = (Attempt(0), Attempt(1, "OSError: full"), Attempt(1, "OSError: full"), Attempt(2))
    found = shown_fake("state", STEPS, Fake("a small disk", attempts, Observation("usable", state(a=1)), "lost"))
    assert found.what == "after it, an acknowledged write is lost"
    assert (found.expected, found.got) == ("nothing else", "'a': 1")
    assert (found.picture["files"], found.picture["rows"][-1]["row"]) == ([], "end")
    assert [line.rpartition("  ")[2] for line in found.story] == [
        "ACKNOWLEDGED",
        "raised OSError: full",
        "raised OSError: full",
        "ACKNOWLEDGED",
    ]


def test_the_difference_is_short() -> None:
    """Three parts, and how many more."""
    steps = tuple(Step("set", (f"k{number}", number)) for number in range(5))
    history = History("state", steps, tuple(map(Attempt, range(5))), SUBJECTS["state"].empty)
    words = ("open", *(f"{word} {number} {number}" for number in range(5) for word in ("start", "done")))
    moment = moments(Trace((), tuple(map(Mark, words))))[-1]
    expected, got = difference(history, moment, Observation("usable", state(k4=4, z=True)))
    assert (expected, got) == ("'k0': 0, 'k1': 1, 'k2': 2 and 1 more", "'z': True")
    assert difference(history, replace(moment, settled=1), Observation("died", None, "SIGSEGV")) == (
        "a usable store with 1 entry",
        "SIGSEGV",
    )


@pytest.mark.parametrize(
    ("name", "told"), [("short", "short"), ("x" * 32, "x" * 32), ("0123456789" * 4, "012345678901…23456789")]
)
def test_long_names_are_cut(name: str, told: str) -> None:
    """Such as digests."""
    assert brief(name) == told


def test_many_files_are_counted() -> None:
    """A dozen is enough; long calls are cut."""
    trace = Trace((), (Mark("open"), Mark("start 0 0")))
    files = {f"file{number:02}": b"" for number in range(20)}
    steps = (Step("set", ("key" * 30, 1)),)
    kill = Kill("at once", moments(trace)[-1], steps, (Attempt(0),), files, "torn", Observation("usable", state()))
    story = shown_kill("state", kill).story
    assert story[-1].endswith("file11 (0 bytes) and 8 more")
    assert story[0].endswith("…")
    assert len(story[0]) == len("-- ") + 70 + 1
