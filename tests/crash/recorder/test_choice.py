"""Which recorder is chosen, and what is said of those that don't work here."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.crash.fault import Fault
from conformance.crash.recorder import Choice, Unable, choice, choose
from conformance.crash.trace import replayed
from tests.crash.recorder import workloads as w
from tests.crash.recorder.server import Server


def choose_here() -> Choice:
    """Choose in this process, which has one thread."""
    return choose()


def test_the_best_one_is_chosen(server: Server, seccomp: str) -> None:
    """Where seccomp works, nothing is better."""
    assert server.call(choose_here) == Choice("seccomp")


def test_a_process_with_threads_chooses_the_same(server: Server, seccomp: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not fork, so it has another process try."""
    monkeypatch.setattr(choice.threading, "active_count", lambda: 2)
    assert choose.__wrapped__() == Choice("seccomp")


def test_without_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no recorder, and it is said why."""
    monkeypatch.delattr(os, "fork", raising=False)
    assert choose.__wrapped__() == Choice(
        "none", ("No recorder works without fork(2), which this platform doesn't have.",)
    )


def nested(root: str, mark: Callable[[str], None]) -> tuple[Choice, str]:
    """Choose under a filter that has a listener already, and try to record all the same."""
    from conformance.crash.recorder import record

    os.mkdir(f"{root}/inner")
    try:
        record(lambda inner: w.returns(root, inner), f"{root}/inner", using="seccomp")
    except Unable as error:
        return choose.__wrapped__(), str(error)
    return choose.__wrapped__(), ""


def test_under_another_listener(server: Server, seccomp: str, root: Path) -> None:
    """A process has one listener at most, so inside a recording the next best recorder is taken."""
    recording = server.record(nested, root, using=seccomp)
    assert recording.ended == "returned", recording.detail
    found, reason = recording.returned
    assert found.name in ("strace", "python")
    assert found.refused[0].startswith("seccomp: EBUSY: another listener")
    assert reason == found.refused[0].rstrip(".")


def refuse_filters(number: int) -> tuple[Choice, str]:
    """Choose where seccomp(2) fails with an errno."""
    from conformance.crash.recorder import seccomp

    def refused(architecture: object) -> int:
        raise OSError(number, os.strerror(number))

    before, seccomp.install = seccomp.install, refused
    try:
        found: Choice = choose.__wrapped__()
        return found, found.refused[0]
    finally:
        seccomp.install = before


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.EPERM, "seccomp: EPERM: this process may not install a filter."),
        (errno.EINVAL, "seccomp: EINVAL: this kernel can't notify a listener."),
        (errno.ENOMEM, "seccomp: ENOMEM: Cannot allocate memory."),
    ],
)
def test_where_filters_are_refused(server: Server, seccomp: str, number: int, why: str) -> None:
    """The reason is told in words, and another recorder is chosen."""
    found, reason = server.call(refuse_filters, number)
    assert found.name in ("strace", "python")
    assert reason == why


def as_nobody(root: str) -> tuple[str, ...]:
    """Become nobody in a child process, record there, and return what the recordings are like."""
    from conformance.crash.recorder import child as children
    from conformance.crash.recorder import record, supervise
    from conformance.crash.recorder.seccomp import c_library

    assert supervise  # imported while the files of the package can be read

    def body() -> tuple[str, ...]:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        # Who changes its user can't be looked into, until it starts another program or says that it can.
        c_library().prctl(4, 1, 0, 0, 0)
        return (choose.__wrapped__().name, *(one(*what) for what in todo))

    def one(workload: Callable[[str, Callable[[str], None]], None], fault: Fault | None) -> str:
        place = f"{root}/{workload.__name__}"
        os.mkdir(place)
        recording = record(lambda mark: workload(place, mark), place, fault=fault, using="seccomp")
        right = replayed(recording.trace) == recording.real
        return f"{recording.ended} {right} {recording.fired} {recording.unseen} {recording.detail}".strip()

    todo = ((w.sqlite, None), (w.append_log, Fault("write", 3, "short")), (w.links, None), (w.maps, None))
    child = children.start(body)
    with child.result:
        ended = child.ended(os.waitpid(child.pid, 0)[1])
    return ended.returned if ended.how == "returned" else (ended.detail,)


def test_without_privileges(server: Server, seccomp: str) -> None:
    """Nobody can record too, short writes included: neither root nor a capability is needed."""
    if os.getuid() != 0:
        pytest.skip("only root can become nobody")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        os.chown(folder, 65534, 65534)
        found = server.call(as_nobody, folder)
    assert found == ("seccomp", "returned True 0 ()", "returned True 1 ()", "returned True 0 ()", "returned True 0 ()")


def test_a_trial_that_fails_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorder that raises, or misses something, is not chosen."""

    def broken(*arguments: object, **options: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(choice, "recorder", lambda name: broken)
    assert choice.trial("seccomp") == "seccomp: [Errno 24] Too many open files"


def test_a_recorder_that_misses_something(server: Server) -> None:
    """The trial compares what was recorded with what is there."""
    assert server.call(choice.trial, "python") == ""
    assert server.call(trial_with_an_empty_trace) == "python: it missed something of a small workload"


def trial_with_an_empty_trace() -> str:
    """Try a recorder that sees nothing."""
    from conformance.crash.recorder import Recording
    from conformance.crash.trace import Trace
    from conformance.crash.tree import read_tree

    def blind(workload: Callable[[Callable[[str], None]], None], root: str, **options: object) -> Recording:
        workload(lambda text: None)
        return Recording(Trace((), ()), read_tree(root), "returned")

    before, choice.recorder = choice.recorder, lambda name: blind
    try:
        return choice.trial("python")
    finally:
        choice.recorder = before


def test_replayed_is_what_the_trial_uses() -> None:
    """The gate is the one of the trace module."""
    assert choice.replayed is replayed
