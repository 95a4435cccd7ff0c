"""The `python` recorder: it sees what Python code does by itself."""

from __future__ import annotations

import io
import os
import pathlib
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.crash.recorder import Recording
from conformance.crash.recorder.patched import UNSEEN
from conformance.crash.trace import Create, Mark, Write, replayed
from tests.crash.recorder import workloads as w
from tests.crash.recorder.server import Server
from tests.crash.recorder.test_supervise import plain


def check(recording: Recording, ended: str = "returned") -> Recording:
    """Compare the trace with what is really there, and return the recording."""
    assert (recording.ended, recording.recorder) == (ended, "python"), recording.detail
    assert replayed(recording.trace) == recording.real
    assert recording.unseen[: len(UNSEEN)] == UNSEEN
    return recording


def opens_of_all_kinds(root: str, mark: Callable[[str], None]) -> str:
    """Use open() in all its ways."""
    with open(f"{root}/text", "w", encoding="utf-8", newline="\r\n") as file:
        assert file.mode == "w"
        file.write("ä\n" * 3)
    with open(f"{root}/text", "a+", encoding="utf-8") as file:
        file.write("more")
        file.seek(0)
        assert file.readline() == "ä\n"
    with open(f"{root}/x", "xb") as file:
        assert isinstance(file, io.BufferedWriter)
        file.write(b"x" * 10000)
        file.flush()
        file.truncate(100)
    with pytest.raises(FileExistsError):
        open(f"{root}/x", "x")  # noqa: SIM115
    with open(f"{root}/x", "r+b") as file:
        assert isinstance(file, io.BufferedRandom)
        file.seek(50)
        file.write(b"middle")
        file.seek(-3, os.SEEK_END)
        file.truncate()
    with open(f"{root}/lines", "w", buffering=1) as file:
        file.write("one\ntwo")
        mark("lines")
        file.write("\n")
    with open(f"{root}/raw", "wb", buffering=0) as file:
        assert file.write(memoryview(b"raw")) == 3
    with os.fdopen(os.open(f"{root}/fd", os.O_CREAT | os.O_WRONLY), "wb") as file:
        file.write(b"by descriptor")
    with open(f"{root}/opener", "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(b"by an opener")
    with pytest.raises(ValueError, match="binary mode"):
        open(f"{root}/no", "wb", encoding="utf-8")  # noqa: SIM115
    with pytest.raises(ValueError, match="unbuffered text"):
        open(f"{root}/text", "a", buffering=0)  # noqa: SIM115
    with pytest.raises(FileNotFoundError):
        open(f"{root}/no/no", "w")  # noqa: SIM115
    with open(f"{root}/text", encoding="utf-8") as file:
        return file.read()


def library(root: str, mark: Callable[[str], None]) -> None:
    """Use the parts of the standard library that make files."""
    place = pathlib.Path(root)
    (place / "a").write_bytes(b"1")
    (place / "a").replace(place / "b")
    (place / "d" / "e").mkdir(parents=True)
    (place / "d" / "touched").touch()
    with (place / "d" / "opened").open("w") as file:
        file.write("text")
    shutil.copy(place / "b", place / "c")
    shutil.copytree(place / "d", place / "copy")
    shutil.rmtree(place / "d")
    with tempfile.NamedTemporaryFile(dir=root, delete=False) as file:
        file.write(b"temporary")
    os.replace(file.name, place / "kept")
    (place / "c").unlink()
    os.truncate(place / "kept", 4)


CALLS = [
    w.opens,
    w.writes,
    w.renames,
    w.links,
    w.reuses,
    w.relative,
    w.threads,
    w.dumb,
    w.append_log,
    opens_of_all_kinds,
    library,
]
#: These make some calls by the C library, which is not seen.
BY_THE_C_LIBRARY = {w.opens: ["creat", "at"], w.renames: ["c", "e", "f"]}


@pytest.mark.parametrize("workload", CALLS, ids=lambda workload: workload.__name__)
def test_every_call_is_recorded(server: Server, root: Path, workload: Callable[..., None]) -> None:
    """For all that Python code does with files, nothing is missing."""
    recording = server.record(workload, root, using="python")
    assert recording.ended == "returned", recording.detail
    replay, real = dict(replayed(recording.trace)), dict(recording.real)
    for name in BY_THE_C_LIBRARY.get(workload, []):
        replay.pop(name, None)
        real.pop(name, None)
    assert replay == real


@pytest.mark.parametrize("name", ["file", "wal"])
def test_reference_backends(server: Server, root: Path, name: str) -> None:
    """The stores that come with the kit, but for that of SQLite."""
    check(server.record(w.reference, root, name, using="python"))


def test_the_same_trace_as_by_seccomp(server: Server, seccomp: str, root: Path) -> None:
    """Both see the same operations, marks among them, with buffers of the same size."""
    for workload in (plain, opens_of_all_kinds, library):
        traces = []
        for name in ("python", seccomp):
            place = root / workload.__name__ / name
            place.mkdir(parents=True)
            recording = server.record(workload, place, using=name)
            traces.append([_without_random_names(operation) for operation in recording.trace.operations])
        assert traces[0] == traces[1]


def _without_random_names(operation: object) -> str:
    import re

    return re.sub(r"tmp\w{8}", "tmp", str(operation))


def test_sqlite_is_not_seen(server: Server, root: Path) -> None:
    """It is a C extension; the gate tells."""
    recording = server.record(w.sqlite, root, using="python")
    assert recording.ended == "returned"
    assert replayed(recording.trace) != recording.real
    assert "the system calls of C extensions" in recording.unseen


def test_functions_taken_by_name_are_replaced_too(server: Server, root: Path) -> None:
    """A module that has `from os import open` is recorded as well."""
    recording = check(server.record(by_name, root, using="python"))
    assert recording.trace.operations == (Create(0, "a", 1), Write(1, 0, b"by name"), Mark("end"))


os_open, os_write = os.open, os.write


def by_name(root: str, mark: Callable[[str], None]) -> None:
    """Call functions that this module took out of `os` when it was imported."""
    os_write(os_open(f"{root}/a", os.O_CREAT | os.O_WRONLY), b"by name")
    mark("end")


@pytest.mark.parametrize(
    ("workload", "ended", "detail"),
    [(w.raises, "raised", "KeyError: 'why'"), (w.exits, "died", "exit status 3"), (w.crashes, "died", "SIGSEGV")],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_ends(server: Server, root: Path, workload: object, ended: str, detail: str) -> None:
    """However the child ends is told, with what was recorded until then."""
    assert check(server.record(workload, root, using="python"), ended).detail == detail


def test_a_hung_workload_is_killed(server: Server, root: Path) -> None:
    """After the time that it has, what was recorded is returned."""
    recording = check(server.record(w.hangs, root, using="python", timeout_s=0.3), "hung")
    assert recording.real == {"a": b"x"}


def test_nothing_is_replaced_in_this_process(server: Server, root: Path) -> None:
    """The child alone has other functions."""
    before = (open, io.open, os.open, os.write, threading.active_count())
    server.record(w.append_log, root, 2, using="python")
    assert before == (open, io.open, os.open, os.write, threading.active_count())
