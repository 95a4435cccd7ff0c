"""A finding is made smaller, and stays what it was."""

from __future__ import annotations

import pytest

from conformance.crash import smallest as module
from conformance.crash.explore import Budget, Explorer, Finding
from conformance.crash.smallest import smallest, with_more_on_disk
from tests.crash import stores as s
from tests.crash.conftest import ExplorerOf

PLENTY = Budget(states=400, seconds=60.0)


def worst(explorer: Explorer, model: str) -> Finding:
    """Return the finding of the latest moment that has lost the most."""
    findings = [one for one in explorer.explore(model, PLENTY, 0).findings if not one.in_creation]
    return max(findings, key=lambda one: (one.state.point, -len(one.state.kept)))


def lost(explorer: Explorer, finding: Finding) -> int:
    """Return how many atoms are lost."""
    disk, point = explorer.disk(finding.model), finding.state.point
    return len((disk.durable(point) | disk.pending(point)) - finding.state.kept)


@pytest.mark.parametrize(
    ("name", "model", "steps"), [("no_fsync_at_all", "ext4", 1), ("no_fsync_before_rename", "xfs", 3)]
)
def test_fewer_steps_and_fewer_lost_writes(
    name: str, model: str, steps: int, explorer_of: ExplorerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict is kept; what the store shows on the smaller case is what it is judged by."""
    monkeypatch.setattr(module, "STEPS_S", 30.0)
    explorer = explorer_of(s.mutant(name))
    finding = worst(explorer, model)
    small, least = smallest(explorer, finding, 0)
    assert (least.verdict, least.model, least.in_creation) == (finding.verdict, model, False)
    assert 1 <= len(small.recorded.steps) <= steps
    assert set(small.recorded.steps) <= set(explorer.recorded.steps)
    assert 1 <= lost(small, least) < lost(explorer, finding)
    disk = small.disk(model)
    assert disk.legal(least.state.point, least.state.kept)
    assert small.recorded.history.judge(small.observe(disk.tree(least.state.kept)), least.moment) == least.verdict


def test_every_lost_write_is_needed(explorer_of: ExplorerOf) -> None:
    """With any one of them back on the disk the finding is gone."""
    explorer = explorer_of(s.mutant("no_fsync_before_rename"))
    finding = worst(explorer, "xfs")
    least = with_more_on_disk(explorer, finding)
    disk, point = explorer.disk("xfs"), finding.state.point
    assert finding.state.kept <= least.state.kept
    for atom in (disk.durable(point) | disk.pending(point)) - least.state.kept:
        more = disk.close(least.state.kept | {atom}, point)
        if more != least.state.kept:
            observation = explorer.observe(disk.tree(more))
            assert explorer.recorded.history.judge(observation, finding.moment) != finding.verdict


def test_a_kill_has_nothing_to_put_back(explorer_of: ExplorerOf) -> None:
    """All but the last call is there."""
    explorer = explorer_of(s.mutant("truncate_in_place"))
    finding = worst(explorer, "kill")
    assert with_more_on_disk(explorer, finding) is finding


def test_without_time_the_finding_stays(explorer_of: ExplorerOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the crash is left out in any case."""
    monkeypatch.setattr(module, "STEPS_S", 0.0)
    explorer = explorer_of(s.mutant("truncate_in_place"))
    findings = explorer.explore("kill", PLENTY, 0).findings
    early = min((one for one in findings if one.moment.acknowledged), key=lambda one: one.state.point)
    small, least = smallest(explorer, early, 0)
    assert least.verdict == early.verdict
    assert len(small.recorded.steps) == early.moment.settled + early.moment.running < len(explorer.recorded.steps)


def test_a_slow_store_is_not_waited_for(explorer_of: ExplorerOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over the finding stays as it is."""
    monkeypatch.setattr(module, "STEPS_S", -1.0)
    monkeypatch.setattr(module, "MORE_S", -1.0)
    explorer = explorer_of(s.mutant("no_fsync_before_rename"))
    finding = worst(explorer, "xfs")
    assert with_more_on_disk(explorer, finding) == finding
    assert smallest(explorer, finding, 0)[1].verdict == finding.verdict
