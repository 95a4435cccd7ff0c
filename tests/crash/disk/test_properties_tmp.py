"""What holds of every trace under every model, tried on random traces."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conformance.crash.disk import MODELS, Disk
from conformance.crash.trace import Trace, replayed
from tests.crash.disk.traces import POWER_LOSS, crash_points, found_after, legal_sets, rebuilt, traces

EACH_MODEL = pytest.mark.parametrize("name", list(MODELS))
#: Traces so small that all their crash states can be gone through.
SMALL = traces(steps_max=6, lengths=(1, 600))
#: The same with pages in them, for what a journal and a killed process have as a unit.
PAGES = traces(steps_max=4, lengths=(30, 4200))
PENDING_MAX = 9
SOME = settings(max_examples=1500, deadline=None)


@EACH_MODEL
@SOME
@given(trace=traces(), seed=st.integers(0, 3), representatives=st.sampled_from((None, 1, 2)))
def test_every_state_is_legal(name: str, trace: Trace, seed: int, representatives: int | None) -> None:
    """Every state has all that is durable, nothing of what comes later, and all that its atoms wait for."""
    disk = Disk(trace, MODELS[name])
    seen = set()
    for state in disk.states(seed, representatives):
        assert disk.legal(state.point, state.kept)
        assert disk.durable(state.point) <= state.kept
        assert (state.point, state.kept) not in seen
        seen.add((state.point, state.kept))


@EACH_MODEL
@SOME
@given(trace=traces())
def test_all_kept_is_what_the_trace_makes(name: str, trace: Trace) -> None:
    """Nothing lost at the end: the files are those of the trace; it is among the states. Nor is anything invented."""
    disk = Disk(trace, MODELS[name])
    end = len(trace.operations)
    everything = frozenset(range(len(disk.atoms)))
    assert disk.legal(end, everything)
    assert disk.durable(end) | disk.pending(end) == everything
    assert disk.tree(everything) == replayed(trace)
    assert (end, everything) in {(state.point, state.kept) for state in disk.states(0, None)}


@EACH_MODEL
@SOME
@given(trace=traces(), data=st.data())
def test_a_tree_is_what_its_atoms_make(name: str, trace: Trace, data: st.DataObject) -> None:
    """`tree` makes what a plain replay of the atoms makes, and `fingerprint` tells trees apart as `==` does."""
    disk, other = Disk(trace, MODELS[name]), Disk(trace, MODELS[name])
    some = st.frozensets(st.integers(0, max(len(disk.atoms) - 1, 0))) if disk.atoms else st.just(frozenset[int]())
    one, two = data.draw(some), data.draw(some)
    for kept in (one, two, one | two):
        assert disk.tree(kept) == rebuilt(disk, kept)
        assert disk.fingerprint(kept) == other.fingerprint(kept)
    assert (disk.fingerprint(one) == disk.fingerprint(two)) == (disk.tree(one) == disk.tree(two))


@EACH_MODEL
@SOME
@given(trace=traces(), data=st.data())
def test_close_gives_the_largest_legal_part(name: str, trace: Trace, data: st.DataObject) -> None:
    """What `close` gives is legal and a part of what it was given; with any one atom more it is not."""
    disk = Disk(trace, MODELS[name])
    point = data.draw(st.sampled_from(crash_points(disk)))
    pending = sorted(disk.pending(point))
    some = data.draw(st.frozensets(st.sampled_from(pending)) if pending else st.just(frozenset[int]()))
    kept = disk.durable(point) | some
    closed = disk.close(kept, point)
    assert closed <= kept
    assert disk.legal(point, closed)
    assert all(not disk.legal(point, closed | {atom}) for atom in kept - closed)


@EACH_MODEL
@SOME
@given(trace=traces(failing=False), data=st.data())
def test_close_needs_no_point_without_failed_syncs(name: str, trace: Trace, data: st.DataObject) -> None:
    """Which parts are legal depends on when only where syncs fail."""
    disk = Disk(trace, MODELS[name])
    point = data.draw(st.sampled_from(crash_points(disk)))
    pending = sorted(disk.pending(point))
    some = data.draw(st.frozensets(st.sampled_from(pending)) if pending else st.just(frozenset[int]()))
    assert disk.close(disk.durable(point) | some) == disk.close(disk.durable(point) | some, point)


@pytest.mark.parametrize("name", ["ext4", "xfs"])
@SOME
@given(trace=traces(failing=False))
def test_a_journal_keeps_the_order(name: str, trace: Trace) -> None:
    """Of the changes of names and sizes a beginning is kept, and of what makes one file larger too."""
    disk = Disk(trace, MODELS[name])
    for state in disk.states(0, None):
        mine = [atom for atom in disk.atoms if atom.operation < state.point]
        in_journal = [atom.index in state.kept for atom in mine if atom.kind != "data"]
        assert in_journal == sorted(in_journal, reverse=True)
        for node in {atom.node for atom in mine}:
            cut = max((atom.index for atom in mine if atom.node == node and atom.kind == "size"), default=-1)
            growing = [a.index in state.kept for a in mine if a.node == node and a.kind == "data" and a.extends]
            since = [a.index for a in mine if a.node == node and a.kind == "data" and a.extends and a.index > cut]
            assert growing[len(growing) - len(since) :] == sorted([one in state.kept for one in since], reverse=True)


@pytest.mark.parametrize(("less", "more"), [("ext4", "xfs"), ("xfs", "posix"), ("posix", "paranoid")])
@SOME
@given(trace=st.one_of(SMALL, PAGES))
def test_models_are_in_order(less: str, more: str, trace: Trace) -> None:
    """What a model allows, the next one allows as well, at every point: as files, because their atoms differ."""
    one, two = Disk(trace, MODELS[less]), Disk(trace, MODELS[more])
    points = [point for point in crash_points(one) if len(two.pending(point)) <= PENDING_MAX]
    assume(points)
    for point in points:
        assert found_after(one, point) <= found_after(two, point)


@pytest.mark.parametrize("name", POWER_LOSS)
@SOME
@given(trace=st.one_of(SMALL, PAGES))
def test_a_killed_process_leaves_what_power_loss_may(name: str, trace: Trace) -> None:
    """What a killed process leaves between operations, losing power may leave; inside one, as after the whole of it."""
    killed, disk = Disk(trace, MODELS["kill"]), Disk(trace, MODELS[name])
    end = len(trace.operations)
    for state in killed.states(0, None):
        point = min(state.point + (state.kept != killed.durable(state.point)), end)
        if len(disk.pending(point)) <= PENDING_MAX:
            assert frozenset(killed.tree(state.kept).items()) in found_after(disk, point)


@EACH_MODEL
@SOME
@given(trace=SMALL)
def test_states_are_among_all_legal_ones(name: str, trace: Trace) -> None:
    """Going through all subsets finds every state; and none else, if there are three operations of one atom each."""
    disk = Disk(trace, MODELS[name])
    end = len(trace.operations)
    small = [point for point in crash_points(disk) if len(disk.pending(point)) <= PENDING_MAX]
    legal = {point: set(legal_sets(disk, point)) for point in small}
    states = list(disk.states(0, None))
    for state in states:
        assert state.point not in legal or state.kept in legal[state.point]
    pending = disk.pending(end)
    if name != "kill" and len(pending) <= 3 and len({disk.atoms[atom].operation for atom in pending}) == len(pending):
        assert {state.kept for state in states if state.point == end} == legal[end]


@EACH_MODEL
@SOME
@given(trace=traces())
def test_what_is_durable_stays_so(name: str, trace: Trace) -> None:
    """No atom stops being durable, and each of them waits for durable ones or for what a failed sync passed over."""
    disk = Disk(trace, MODELS[name])
    for point in crash_points(disk)[1:]:
        assert disk.durable(point - 1) <= disk.durable(point)
        assert not disk.durable(point) & disk.pending(point)
        assert disk.close(disk.durable(point), point) == disk.durable(point)


def test_the_end_is_after_everything() -> None:
    """A trace without operations has one state: what was there before."""
    disk = Disk(Trace((), ()), MODELS["posix"])
    assert [(state.point, state.kept) for state in disk.states(0)] == [(0, frozenset())]
    assert disk.tree(frozenset()) == {}
