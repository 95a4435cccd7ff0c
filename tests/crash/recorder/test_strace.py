"""The `strace` recorder, and the reading of its log."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.crash.fault import Fault
from conformance.crash.recorder import Recording, Unable
from conformance.crash.recorder.ledger import Ledger
from conformance.crash.recorder.strace_calls import Calls
from conformance.crash.recorder.strace_lines import Line, read_lines
from conformance.crash.trace import Create, Mark, Rename, Sync, Write, replayed
from tests.crash.recorder import workloads as w
from tests.crash.recorder.server import Server
from tests.crash.recorder.test_supervise import plain

CALLS = [
    w.opens,
    w.opens_by_openat2,
    w.writes,
    w.sizes,
    w.copies,
    w.renames,
    w.links,
    w.reuses,
    w.relative,
    w.syncs,
    w.processes,
    w.dumb,
    w.sqlite,
]


@pytest.mark.parametrize("workload", CALLS, ids=lambda workload: workload.__name__)
def test_every_call_is_recorded(server: Server, strace: str, root: Path, workload: Callable[..., None]) -> None:
    """For all calls that change files, whether they succeed or fail, nothing is missing, or it is said."""
    recording: Recording = server.record(workload, root, using=strace)
    assert (recording.ended, recording.recorder) == ("returned", "strace"), recording.detail
    assert replayed(recording.trace) == recording.real
    assert recording.unseen == ()


def test_the_same_trace_as_by_seccomp(server: Server, strace: str, seccomp: str, root: Path) -> None:
    """Both see the same operations, marks among them."""
    traces = []
    for name in (strace, seccomp):
        (root / name).mkdir()
        traces.append(server.record(plain, root / name, using=name).trace)
    assert traces[0] == traces[1]


def test_threads(server: Server, strace: str, root: Path) -> None:
    """Threads share descriptors. The order of the log is that of the returns, which may be wrong: the gate tells."""
    recording = server.record(w.threads, root, using=strace)
    assert recording.ended == "returned"
    assert set(replayed(recording.trace)) >= {"shared"}


def test_stores_to_maps_are_not_seen(server: Server, strace: str, root: Path) -> None:
    """And it is said that they were not."""
    recording = server.record(w.maps, root, using=strace)
    assert recording.unseen == ("stores to memory maps",)
    assert recording.trace.mapped == {1}


@pytest.mark.parametrize(
    ("workload", "ended", "detail"),
    [(w.raises, "raised", "KeyError: 'why'"), (w.exits, "died", "exit status 3"), (w.crashes, "died", "SIGSEGV")],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_ends(server: Server, strace: str, root: Path, workload: object, ended: str, detail: str) -> None:
    """However the child ends is told."""
    recording = server.record(workload, root, using=strace)
    assert (recording.ended, recording.detail) == (ended, detail)


def test_a_hung_workload_is_killed(server: Server, strace: str, root: Path) -> None:
    """After the time that it has, what was recorded is returned."""
    recording = server.record(w.hangs, root, using=strace, timeout_s=0.5)
    assert (recording.ended, recording.detail) == ("hung", "no end after 0.5 s")
    assert replayed(recording.trace) == recording.real == {"a": b"x"}


def test_faults_are_refused(server: Server, strace: str, root: Path) -> None:
    """It can't put them on calls, and says so."""
    with pytest.raises(Unable, match="strace: it can't put a fault on a call"):
        server.record(w.returns, root, using=strace, fault=Fault("write", 1))


def test_without_the_program(server: Server, root: Path) -> None:
    """It says that there is none."""
    assert server.call(record_without_path, str(root)) == "strace: there is no such program"


def record_without_path(root: str) -> str:
    """Record with nothing on the path, and return what is said."""
    from conformance.crash.recorder import record

    before, os.environ["PATH"] = os.environ["PATH"], "/nowhere"
    try:
        record(lambda mark: None, root, using="strace")
    except Unable as error:
        return str(error)
    finally:
        os.environ["PATH"] = before
    return ""


def hexadecimal(text: str) -> str:
    """Return text as strace -xx writes it."""
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def test_lines() -> None:
    """Results, errors, and calls on two lines."""
    log = [
        f'7 openat(AT_FDCWD<{hexadecimal("/r")}>, "{hexadecimal("a b")}", O_RDWR|O_CREAT, 0600) = 3</r>\n',
        f'7 write(3<{hexadecimal("/r")}>, "{hexadecimal("x,(")}"..., 9 <unfinished ...>\n',
        f'8 mkdir("{hexadecimal("d")}", 0777) = -1 EEXIST (File exists)\n',
        "7 <... write resumed>)           = 9\n",
        f'8 writev(4, [{{iov_base="{hexadecimal("a")}", iov_len=1}}, {{iov_base="{hexadecimal("b")}"}}], 2) = 2\n',
        "8 +++ exited with 0 +++\n",
        "7 exit_group(0) = ?\n",
    ]
    lines = list(read_lines(log))
    assert [(line.tid, line.name, line.result, line.failed, line.begun) for line in lines] == [
        (7, "openat", 3, False, False),
        (7, "write", None, False, True),
        (8, "mkdir", None, True, False),
        (7, "write", 9, False, False),
        (8, "writev", 2, False, False),
        (7, "exit_group", None, False, False),
    ]
    assert lines[0].descriptor(0) == -100
    assert lines[0].texts(1) == (b"a b", True)
    assert lines[3].descriptor(0) == 3
    assert lines[3].texts(1) == (b"x,(", False)
    assert lines[4].texts(1) == (b"ab", True)


def test_a_thread_that_is_faster_than_the_line_that_starts_it(tmp_path: Path) -> None:
    """Its first call is logged before the call that started it returned; it has the descriptors all the same."""
    ledger = Ledger(tmp_path)
    calls = Calls(ledger, 7, str(tmp_path))
    for line in (
        Line(7, "open", (f'"{hexadecimal("a")}"', "O_RDWR|O_CREAT", "0600"), 3),
        Line(7, "clone3", ("{flags=CLONE_VM|CLONE_FS|CLONE_FILES}", "88"), begun=True),
        Line(8, "write", ("3", f'"{hexadecimal("one")}"', "3"), 3),
        Line(7, "clone3", ("{flags=CLONE_VM|CLONE_FS|CLONE_FILES}", "88"), 8),
        Line(7, "write", ("3", f'"{hexadecimal("two")}"', "3"), 3),
        Line(7, "fsync", ("3",), 0),
        Line(8, "write", ("1835102827", f'"{hexadecimal("word")}"', "4"), failed=True),
        Line(8, "rename", (f'"{hexadecimal("a")}"', f'"{hexadecimal("b")}"'), 0),
    ):
        calls.take(line)
    assert ledger.trace().operations == (
        Create(0, "a", 1),
        Write(1, 0, b"one"),
        Write(1, 3, b"two"),
        Sync(1),
        Mark("word"),
        Rename(0, "a", 0, "b"),
    )
