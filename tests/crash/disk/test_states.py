"""Which states come, and in which order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import islice

import pytest

from conformance.crash.disk import MODELS, CrashState, Disk
from conformance.crash.disk.candidates import PAIRS_MAX, SUBSETS_MAX
from conformance.crash.disk.windows import spread
from conformance.crash.trace import ROOT, Create, Mark, Operation, Remove, Rename, Sync, Trace, Write

POWER_LOSS = pytest.mark.parametrize("name", ["ext4", "xfs", "posix", "paranoid"])
EACH_MODEL = pytest.mark.parametrize("name", list(MODELS))


def replacing(times: int) -> Trace:
    """Return the trace of a store that replaces its file so many times, each time in the same way."""
    operations: list[Operation] = []
    for number in range(times):
        node = number + 1
        operations += [
            Mark(f"started {number}"),
            Create(ROOT, f"data.{number:04d}.tmp", node),
            Write(node, 0, bytes([number + 1]) * 1500),
            Sync(node),
            Rename(ROOT, f"data.{number:04d}.tmp", ROOT, "data"),
            Sync(ROOT),
            Mark(f"acknowledged {number}"),
        ]
    return Trace((), tuple(operations))


def test_beginnings_of_a_spread_are_spread() -> None:
    """The last comes first, the first second, then what is between, each number once."""
    assert spread(0) == []
    assert spread(1) == [0]
    assert spread(8) == [7, 3, 5, 1, 6, 2, 4, 0]
    assert all(sorted(spread(count)) == list(range(count)) for count in range(20))


@POWER_LOSS
def test_the_worst_of_each_window_comes_first(name: str) -> None:
    """A budget that is cut short has still lost everything once in each window, the last first."""
    trace = replacing(5)
    states = list(Disk(trace, MODELS[name]).states(0, None))
    windows = {state.point for state in states}
    first = states[: len(windows)]
    assert {state.point for state in first} == windows
    assert {state.label for state in first} == {"all that was not synced is lost"}
    assert first[0].point == len(trace.operations)
    second = [state.label for state in states[len(windows) : 2 * len(windows) - 1]]
    assert set(second) == {"nothing is lost"}


@EACH_MODEL
def test_like_windows_are_examined_twice(name: str) -> None:
    """Of states that differ only in the number in a name, `representatives` are taken, however long the trace is."""

    def taken(times: int) -> int:
        states = Disk(replacing(times), MODELS[name]).states(0, 2)
        return len([state for state in states if "random" not in state.label])

    assert taken(8) == taken(30)
    once, twice, all_of_them = (len(list(Disk(replacing(30), MODELS[name]).states(0, count))) for count in (1, 2, None))
    assert once < twice < all_of_them


def test_a_file_of_another_role_is_another_window() -> None:
    """Numbers and hexadecimal digits in names are masked, other words are not."""

    def states(*names: str) -> int:
        operations = [one for node, name in enumerate(names, 1) for one in (Create(ROOT, name, node), Sync(node))]
        return len([one for one in Disk(Trace((), tuple(operations)), MODELS["posix"]).states(0, 1) if one.point])

    assert states("x1", "x22", "x333") == states("0a1b", "99", "cafe1234") == 3
    assert states("x", "y", "z") == 7


@EACH_MODEL
def test_a_seed_gives_the_same_states(name: str) -> None:
    """The same seed gives the same states in the same order; another one gives other random subsets of many pieces."""
    names = tuple(Create(ROOT, f"f{number}", number + 100) for number in range(10))
    trace = Trace((), (*replacing(3).operations, *names))
    one, same, other = (list(Disk(trace, MODELS[name]).states(seed, None)) for seed in (1, 1, 2))
    assert one == same
    if name in ("posix", "paranoid"):
        assert {(state.point, state.kept) for state in one} != {(state.point, state.kept) for state in other}


SCRIPT = """
from tests.crash.disk.test_states import replacing
from conformance.crash.disk import MODELS, Disk
for model in MODELS.values():
    disk = Disk(replacing(3), model)
    for state in disk.states(7):
        print(state.point, sorted(state.kept), state.label, disk.fingerprint(state.kept).hex())
"""


def test_hash_seeds_make_no_difference() -> None:
    """The states and their order do not depend on the order of sets, which differs between processes."""
    found = []
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        found.append(run.stdout)
    assert found[0] == found[1] != ""


def test_a_killed_process_leaves_what_it_asked_for() -> None:
    """Between any two operations, also between marks, and inside writes of several pages; the end comes first."""
    operations = (Mark("started"), Create(ROOT, "f", 1), Write(1, 0, b"n" * 20000), Sync(1), Mark("acknowledged"))
    disk = Disk(Trace((), operations), MODELS["kill"])
    states = list(disk.states(0))
    assert Counter(state.point for state in states) == {0: 1, 1: 1, 2: 4, 3: 1, 5: 1}
    assert states[0] == CrashState(5, frozenset(range(6)), "killed before: the end")
    sizes = {len(disk.tree(state.kept).get("f") or b"") for state in states}
    assert sizes == {0, 4096, 8192, 16384, 20000}
    assert disk.durable(2) == {0}
    assert disk.pending(2) == {1, 2, 3, 4, 5}
    assert not disk.legal(2, frozenset({0, 2}))
    assert [state.label for state in states if state.point == 2 and len(state.kept) == 2] == [
        "killed in: write f [0..20000), after 1 of 5 pages"
    ]


def test_a_killed_process_may_be_in_a_write_after_a_sync() -> None:
    """Nothing changes by a sync, so no state is between it and what comes next; inside that there are some."""
    before = (Create(ROOT, "f", 1),)
    for size, sizes in ((4096, {0, 4096}), (8192, {0, 4096, 8192})):
        disk = Disk(Trace(before, (Sync(1), Write(1, 0, b"n" * size))), MODELS["kill"])
        assert {len(disk.tree(state.kept)["f"] or b"") for state in disk.states(0)} == sizes


def test_short_windows_give_every_legal_subset() -> None:
    """Five names that wait for no other may each be lost or not: 32 states at the end, and no state twice."""
    names = tuple(Create(ROOT, f"f{number}", number + 1) for number in range(5))
    states = list(Disk(Trace((), names), MODELS["posix"]).states(0))
    assert len({state.kept for state in states}) == len(states) == 32


def test_long_windows_give_a_bounded_number_of_pairs_and_random_subsets() -> None:
    """A store that never syncs has one window; what is random in it is bounded, and it can be cut short at once."""
    names = [Create(ROOT, f"f{number}", number + 1) for number in range(300)]
    disk = Disk(Trace((), tuple(names)), MODELS["posix"])
    states = list(disk.states(0))
    kinds = Counter(state.label.split(":")[0].split("(")[0].strip() for state in states)
    assert kinds["a random part is lost"] <= SUBSETS_MAX
    assert sum(" and create" in state.label for state in states) == PAIRS_MAX
    assert len(list(islice(disk.states(0), 5))) == 5


def test_labels_tell_what_became_of_the_operations() -> None:
    """A label names the operations by what they do, and tells the part of one that is torn."""
    before = (Create(ROOT, "g", 2), Create(ROOT, "h", 3))
    operations = (Create(ROOT, "f", 1), Write(1, 0, b"n" * 2100), Write(2, 0, b"n" * 600), Remove(ROOT, "h"))
    labels = {state.label for state in Disk(Trace(before, operations), MODELS["posix"]).states(0)}
    expected = {
        "all that was not synced is lost",
        "nothing is lost",
        "names and sizes are on the disk, bytes are lost",
        "lost: create f",
        "all lost but: create f",
        "lost: all after write f [0..2100)",
        "torn: of write f [0..2100) only the new size is on the disk",
        "torn: of write f [0..2100) only the first half is on the disk; lost: all after it",
        "lost: write f [0..2100), and remove h",
        "lost: all changes of names",
    }
    assert expected - labels == set()
