"""A property: whatever sequence of calls a program makes, the trace makes the files that are there."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.crash.trace import replayed
from tests.crash.recorder import workloads as w
from tests.crash.recorder.server import Server

NAMES = st.sampled_from(["a", "b", "d", "d/a", "d/e", "d/e/a", "d/../b", "./a", "d/"])
FLAGS = st.sampled_from(
    [0, os.O_CREAT, os.O_CREAT | os.O_EXCL, os.O_TRUNC, os.O_CREAT | os.O_TRUNC, os.O_CREAT | os.O_APPEND]
)
NUMBERS = st.integers(0, 6000) | st.integers(0, 10)


NO_TEXT, NO_NUMBER = st.just(""), st.just(0)


def step(
    name: str,
    first: st.SearchStrategy[str],
    second: st.SearchStrategy[str] = NO_TEXT,
    number: st.SearchStrategy[int] = NO_NUMBER,
) -> st.SearchStrategy[tuple[str, str, str, int]]:
    """Return a strategy for steps with this name."""
    return st.tuples(st.just(name), first, second, number)


STEPS = st.lists(
    st.one_of(
        step("open", NAMES, number=FLAGS),
        step("write", NAMES, st.text("xyz", max_size=3), NUMBERS),
        step("pwrite", NAMES, st.text("xyz", max_size=3), NUMBERS),
        step("truncate", NAMES, number=NUMBERS),
        step("seek", NAMES, number=NUMBERS),
        step("fsync", NAMES),
        step("close", NAMES),
        step("rename", NAMES, NAMES),
        step("link", NAMES, NAMES),
        step("unlink", NAMES),
        step("mkdir", NAMES),
        step("rmdir", NAMES),
        step("chdir", NAMES, number=NUMBERS),
        step("mark", NAMES),
    ),
    max_size=40,
)


@pytest.fixture(params=["seccomp", "strace", "python"])
def using(request: pytest.FixtureRequest) -> str:
    """Each recorder."""
    if request.param != "python":
        request.getfixturevalue(request.param)
    found: str = request.param
    return found


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=1500)
@given(todo=STEPS)
def test_any_sequence_of_calls_replays(server: Server, using: str, todo: list[tuple[str, str, str, int]]) -> None:
    """Each call ends as it does without a recorder, and leaves the same files."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        for name in ("alone", "recorded"):
            os.mkdir(f"{folder}/{name}")
        recording = server.record(w.steps, f"{folder}/recorded", todo, using=using)
        assert recording.ended == "returned", recording.detail
        assert replayed(recording.trace) == recording.real
        expected = server.call(alone, f"{folder}/alone", todo)
    assert (recording.returned, recording.real) == expected


def alone(root: str, todo: list[tuple[str, str, str, int]]) -> object:
    """Carry out the steps without a recorder, in a child as a recorder does."""
    from conformance.crash.recorder import child as children
    from conformance.crash.tree import read_tree

    child = children.start(lambda: w.steps(root, lambda text: None, todo))
    with child.result:
        ended = child.ended(os.waitpid(child.pid, 0)[1])
    found = read_tree(root)
    shutil.rmtree(root)
    return ended.returned, found
