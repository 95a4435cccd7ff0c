"""Faults: put on the right call, once or from then on, and nothing is logged that did not happen."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.crash.fault import CallClass, Fault
from conformance.crash.recorder.faults import Faults, Killed
from conformance.crash.trace import Mark, Sync, Write, replayed
from tests.crash.recorder import workloads as w
from tests.crash.recorder.server import Server


@pytest.fixture(params=["seccomp", "python"])
def using(request: pytest.FixtureRequest) -> str:
    """Each recorder that can put faults on calls."""
    if request.param == "seccomp":
        request.getfixturevalue("seccomp")
    found: str = request.param
    return found


def tries(root: str, mark: Callable[[str], None]) -> list[str]:
    """Make one call of each class, and return how each ended. Each is made before and after the fault is armed too."""
    ends: list[str] = []
    for word in ("before", "armed", "disarmed"):
        mark(word)
        os.mkdir(f"{root}/{word}")
        ends += _tries_in(f"{root}/{word}")
    return ends


def _tries_in(folder: str) -> list[str]:
    file = os.open(f"{folder}/a", os.O_CREAT | os.O_RDWR)
    ends = []
    for call in (
        lambda: os.write(file, b"12345"),
        lambda: os.fsync(file),
        lambda: os.ftruncate(file, 2),
        lambda: os.rename(f"{folder}/a", f"{folder}/b"),
        lambda: os.open(f"{folder}/b", os.O_RDONLY) and "opened",
        lambda: os.unlink(f"{folder}/b"),
    ):
        try:
            ends.append(str(call()))
        except OSError as error:
            ends.append(errno.errorcode[error.errno or 0])
    return ends


CLEAN = ["5", "None", "None", "None", "opened", "None"]


@pytest.mark.parametrize(
    ("call", "number", "place"),
    [("open", 2, 4), ("write", 1, 0), ("sync", 1, 1), ("truncate", 1, 2), ("rename", 1, 3), ("any", 8, 5)],
)
def test_an_error(server: Server, root: Path, using: str, call: CallClass, number: int, place: int) -> None:
    """The call fails with the errno, and only it; the rest is as without a fault."""
    fault = Fault(call, number, error=errno.ENOSPC)
    recording = server.record(tries, root, using=using, fault=fault)
    expected = CLEAN.copy()
    expected[place] = "ENOSPC"
    if call == "rename":
        expected[4:] = ["ENOENT", "ENOENT"]
    assert recording.returned == CLEAN + expected + CLEAN
    assert recording.fired == 1
    assert replayed(recording.trace) == recording.real
    syncs = [operation for operation in recording.trace.operations if isinstance(operation, Sync)]
    assert [sync.failed for sync in syncs] == [False, call == "sync", False]


def test_a_directory_that_can_not_be_made(server: Server, root: Path, using: str) -> None:
    """Mkdir makes a name, so it is of the class `create`, and by default it fails with EIO."""
    recording = server.record(tries, root, using=using, fault=Fault("create", 1))
    assert (recording.ended, recording.fired) == ("raised", 1)
    assert recording.detail.startswith("OSError: [Errno 5]")
    assert sorted(recording.real) == ["before/"]


@pytest.mark.parametrize(("call", "count"), [("open", 2), ("create", 2), ("write", 1), ("truncate", 1), ("any", 8)])
def test_a_number_beyond_the_last(server: Server, root: Path, using: str, call: CallClass, count: int) -> None:
    """A fault that is never due does nothing; the calls of its class have been counted."""
    recording = server.record(tries, root, using=using, fault=Fault(call, count + 1))
    assert recording.returned == CLEAN * 3
    assert recording.fired == 0
    assert recording.counts is not None
    assert recording.counts.get(call, 0) == count


def writes_in_a_row(root: str, mark: Callable[[str], None]) -> list[str]:
    """Write five times, and return how much was written each time."""
    file = os.open(f"{root}/a", os.O_CREAT | os.O_WRONLY)
    mark("armed")
    ends = []
    for number in range(5):
        try:
            ends.append(str(os.write(file, b"%d" % number * 7)))
        except OSError as error:
            ends.append(errno.errorcode[error.errno or 0])
    mark("disarmed")
    ends.append(str(os.write(file, b"last")))
    return ends


@pytest.mark.parametrize(
    ("sticky", "ends"),
    [(False, ["7", "7", "EDQUOT", "7", "7", "4"]), (True, ["7", "7", "EDQUOT", "EDQUOT", "EDQUOT", "4"])],
)
def test_once_or_from_then_on(server: Server, root: Path, using: str, sticky: bool, ends: list[str]) -> None:  # noqa: FBT001
    """A sticky fault lasts until the workload says that it is over."""
    fault = Fault("write", 3, error=errno.EDQUOT, sticky=sticky)
    recording = server.record(writes_in_a_row, root, using=using, fault=fault)
    assert recording.returned == ends
    assert recording.fired == ends.count("EDQUOT")
    assert replayed(recording.trace) == recording.real


def test_a_short_write(server: Server, root: Path, using: str) -> None:
    """The first half is really written, the next write goes behind it, and that is what is logged."""
    recording = server.record(writes_in_a_row, root, using=using, fault=Fault("write", 2, "short"))
    assert recording.returned == ["7", "3", "7", "7", "7", "4"]
    assert recording.real == {"a": b"0000000" + b"111" + b"2222222" + b"3333333" + b"4444444" + b"last"}
    assert replayed(recording.trace) == recording.real
    assert Write(1, 7, b"111") in recording.trace.operations


def writes_of_all_kinds(root: str, mark: Callable[[str], None]) -> list[int]:
    """Write in each way, and return how much was written."""
    mark("armed")
    file = os.open(f"{root}/a", os.O_CREAT | os.O_RDWR)
    appended = os.open(f"{root}/a", os.O_RDWR | os.O_APPEND)
    return [
        os.write(file, b"1"),
        os.pwrite(file, b"1234", 10),
        os.writev(file, [b"12", b"3", b"45678"]),
        os.write(appended, b"12"),
        os.pwritev(file, [b"ab", b"cdef"], 3),
    ]


def test_short_writes_of_all_kinds(server: Server, root: Path, using: str) -> None:
    """Each kind of write can be short; one byte has no half, and is not counted."""
    fault = Fault("write", 1, "short", sticky=True)
    recording = server.record(writes_of_all_kinds, root, using=using, fault=fault)
    assert recording.returned == [1, 2, 4, 1, 3]
    assert recording.fired == 4
    assert recording.counts == {"any": 7, "open": 2, "create": 1, "write": 5, "short write": 4}
    assert replayed(recording.trace) == recording.real


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_kill(server: Server, root: Path, using: str, number: int) -> None:
    """The process is dead before the call takes effect; the directory is as it was left."""
    recording = server.record(w.append_log, root, 10, using=using, fault=Fault("write", number, "kill"))
    assert (recording.ended, recording.detail, recording.fired) == ("died", "SIGKILL (the fault)", 1)
    assert recording.returned is None
    assert recording.real["log"] == b"".join(b"record %d\n" % n for n in range(number - 1))
    assert replayed(recording.trace) == recording.real


def kills_with_a_helper(root: str, mark: Callable[[str], None]) -> None:
    """Have another process of ours run, and write."""
    import subprocess

    process = subprocess.Popen(["sh", "-c", f"echo $$ > {root}/pid; while :; do :; done"])
    while not (os.path.exists(f"{root}/pid") and os.path.getsize(f"{root}/pid")):
        os.sched_yield()
    mark("armed")
    w.put(f"{root}/a")
    process.wait()


def test_a_kill_takes_all_processes(server: Server, root: Path, seccomp: str) -> None:
    """The whole group dies, as in a crash."""
    recording = server.record(kills_with_a_helper, root, using=seccomp, fault=Fault("any", 1, "kill"))
    assert recording.ended == "died"
    assert recording.real["pid"] is not None
    assert not os.path.exists(f"/proc/{int(recording.real['pid'])}/exe")


def test_a_failed_sync_of_everything(server: Server, root: Path, seccomp: str) -> None:
    """All files are as after a failed sync of each."""
    recording = server.record(syncs_everything, root, using=seccomp, fault=Fault("sync", 1, error=errno.EIO))
    assert recording.returned == "EIO"
    assert recording.trace.operations[-2:] == (Sync(1, failed=True), Sync(2, failed=True))


def syncs_everything(root: str, mark: Callable[[str], None]) -> str:
    """Sync the file system, and return how that ended."""
    w.put(f"{root}/a")
    w.put(f"{root}/b")
    mark("armed")
    try:
        w.c_call("syncfs", os.open(root, os.O_RDONLY))
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "ok"


def truncations(root: str, mark: Callable[[str], None]) -> list[str]:
    """Open with O_TRUNC an empty and a full file, and return how that ended."""
    w.put(f"{root}/full")
    w.put(f"{root}/empty", b"")
    mark("armed")
    ends = []
    for name in ("empty", "full"):
        try:
            os.open(f"{root}/{name}", os.O_WRONLY | os.O_TRUNC)
        except OSError as error:
            ends.append(errno.errorcode[error.errno or 0])
        else:
            ends.append("ok")
    return ends


def test_o_trunc_of_a_full_file_is_a_truncation(server: Server, root: Path, using: str) -> None:
    """To truncate an empty file is none."""
    recording = server.record(truncations, root, using=using, fault=Fault("truncate", 1))
    assert recording.returned == ["ok", "EIO"]
    assert recording.real["full"] == b"x"


def test_sqlite_meets_errors(server: Server, root: Path, seccomp: str) -> None:
    """A C extension is told of the error as well."""
    fault = Fault("sync", 3, error=errno.EIO)
    recording = server.record(w.sqlite, root, using=seccomp, fault=fault)
    assert (recording.ended, recording.fired) == ("raised", 1)
    assert recording.detail.startswith("OperationalError: disk I/O error")
    assert replayed(recording.trace) == recording.real


def test_a_fault_in_an_append_log(server: Server, root: Path, using: str) -> None:
    """Between the marks of what went before and after, nothing is logged of a write that failed."""
    recording = server.record(w.append_log, root, 3, using=using, fault=Fault("write", 2, error=errno.EIO))
    assert recording.ended == "raised"
    assert recording.trace.operations[-1] == Mark("ok 0")


class TestFaults:
    """The count, by itself."""

    def test_nothing_before_it_is_armed(self) -> None:
        """And nothing after it is disarmed."""
        faults = Faults(Fault("write", 1))
        assert faults.meet(("write",), length=9) is False
        faults.mark("armed")
        faults.mark("other words change nothing")
        with pytest.raises(OSError, match="Input/output error"):
            faults.meet(("write",), length=9)
        faults.mark("disarmed")
        assert faults.meet(("write",), length=9) is False
        assert (faults.fired, faults.counts) == (1, {"write": 1, "short write": 1, "any": 1})

    def test_without_a_fault_calls_are_counted_all_the_same(self) -> None:
        """So that one run tells which faults there may be."""
        faults = Faults(None)
        faults.mark("armed")
        assert faults.meet(("write",), length=9) is False
        assert faults.meet(("create", "open")) is False
        assert faults.counts == {"write": 1, "short write": 1, "create": 1, "open": 1, "any": 2}

    def test_a_kill_is_raised_so_that_nothing_catches_it(self) -> None:
        """It is no Exception."""
        faults = Faults(Fault("any", 1, "kill"))
        faults.mark("armed")
        with pytest.raises(Killed):
            faults.meet(("rename",))
