"""Exploring: each distinct tree is recovered once, judged for each moment it may be met at, within a budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pytest

from conformance.crash.disk import MODELS, Disk
from conformance.crash.explore import BATCH, Budget, Explorer, observed
from conformance.crash.history import History, Moment, Verdict, moments
from conformance.crash.observe import Observation
from conformance.crash.perform import Attempt
from conformance.crash.recorded import Recorded
from conformance.crash.recorder.recording import Recording
from conformance.crash.reopen import Batch
from conformance.crash.subjects import SUBJECTS, Step
from conformance.crash.trace import ROOT, Create, Trace, Write
from conformance.crash.tree import digest
from conformance.workers import Crew
from tests.crash import stores as s
from tests.crash.conftest import CrewOf, ExplorerOf

PLENTY = Budget(states=10_000, seconds=60.0)


def unused(explorer: Explorer, **changes: object) -> Explorer:
    """Return an explorer of the same workload that has seen nothing yet."""
    return replace(explorer, observations={}, **changes)  # type: ignore[arg-type]


def test_an_honest_store_passes_everywhere(explorer_of: ExplorerOf) -> None:
    """Under every model there are trees, and nothing is found."""
    explorer = unused(explorer_of(s.DOCUMENT))
    for model in MODELS:
        found = explorer.explore(model, PLENTY, 0)
        assert (found.model, found.findings, found.left) == (model, (), 0)
        assert found.trees > 10
        assert found.judged >= found.trees


def test_every_distinct_tree_is_recovered_once(explorer_of: ExplorerOf) -> None:
    """The trees are those of the disk's states; what another model has met already is not recovered again."""
    seen: list[int] = []
    explorer = unused(explorer_of(s.DOCUMENT), progress=seen.append)
    disk = Disk(explorer.recorded.recording.trace, MODELS["ext4"])
    trees = {digest(disk.tree(state.kept)) for state in disk.states(0)}
    found = explorer.explore("ext4", PLENTY, 0)
    assert found.trees == len(trees) == sum(seen)
    again = explorer.explore("ext4", PLENTY, 0)
    assert again == found
    assert sum(seen) == found.trees
    assert explorer.explore("xfs", PLENTY, 0).trees > 0
    assert sum(seen) == len(explorer.observations)


def test_a_tree_is_judged_at_each_moment_that_it_may_be_met_at(explorer_of: ExplorerOf) -> None:
    """A tree that is right before an acknowledgement may be wrong after it; each moment counts once."""

    class Spy(History):
        """Notes what is judged."""

        def judge_at(self, observation: Observation, moments: Sequence[Moment]) -> list[Verdict]:
            asked.extend((id(observation), moment) for moment in moments)
            return super().judge_at(observation, moments)

    asked: list[tuple[int, Moment]] = []
    explorer = unused(explorer_of(s.DOCUMENT))
    known = explorer.recorded.history
    spy = Spy(known.contract, known.steps, known.attempts, known.before)
    explorer.recorded = replace(explorer.recorded, history=spy)
    found = explorer.explore("ext4", PLENTY, 0)
    assert len(asked) == len(set(asked)) == found.judged > found.trees == len({tree for tree, _ in asked})


def test_findings_of_a_store_that_does_not_sync(explorer_of: ExplorerOf) -> None:
    """Power loss takes what was acknowledged; a kill does not."""
    explorer = explorer_of(s.mutant("no_fsync_at_all"))
    assert explorer.explore("kill", PLENTY, 0).findings == ()
    for model in ("ext4", "xfs"):
        findings = explorer.explore(model, PLENTY, 0).findings
        assert {one.verdict for one in findings} == {"lost"}
        assert {one.model for one in findings} == {model}
        assert not any(one.in_creation for one in findings)
        history = explorer.recorded.history
        disk = explorer.disk(model)
        for one in findings[:5]:
            assert explorer.observe(disk.tree(one.state.kept)) == one.observation
            assert history.judge(one.observation, one.moment) == "lost"


def test_findings_of_a_store_that_writes_in_place(explorer_of: ExplorerOf) -> None:
    """A kill in the middle of a write leaves what can't be opened, before and after the first acknowledgement."""
    findings = explorer_of(s.mutant("truncate_in_place")).explore("kill", PLENTY, 0).findings
    assert {one.verdict for one in findings} <= {"cannot open", "cannot read", "lost", "mixed", "torn"}
    assert any(one.verdict == "cannot open" and one.observation.frame for one in findings)
    assert all(one.in_creation == (one.moment.acknowledged == 0) for one in findings)


def test_a_budget_of_states(explorer_of: ExplorerOf) -> None:
    """No more trees are recovered, and of the states left out as many are counted as asked for."""
    explorer = explorer_of(s.DOCUMENT)
    whole = unused(explorer).explore("ext4", PLENTY, 0)
    short = unused(explorer).explore("ext4", Budget(states=5, seconds=60.0), 0)
    assert (short.trees, short.left) == (5, 0)
    counted = unused(explorer).explore("ext4", Budget(states=5, seconds=60.0, counted=3), 0)
    assert (counted.trees, counted.left) == (5, 3)
    assert whole.trees > 5


def test_a_budget_of_time(explorer_of: ExplorerOf) -> None:
    """When it is over no tree is begun: the one at hand is the last."""
    found = unused(explorer_of(s.DOCUMENT)).explore("ext4", Budget(states=1_000, seconds=0.0), 0)
    assert found.trees == 1


def test_a_slow_store_is_looked_at_all_the_same(explorer_of: ExplorerOf) -> None:
    """So many trees are begun however late it is."""
    budget = Budget(states=1_000, seconds=0.0, least=4)
    assert unused(explorer_of(s.DOCUMENT)).explore("ext4", budget, 0).trees == 4
    assert unused(explorer_of(s.DOCUMENT)).explore("ext4", replace(budget, states=3), 0).trees == 3


def test_representatives(explorer_of: ExplorerOf) -> None:
    """Fewer moments of each kind are fewer trees."""
    explorer = explorer_of(s.DOCUMENT)
    few, more, most = (
        unused(explorer).explore("ext4", replace(PLENTY, representatives=count), 0).trees for count in (1, 2, None)
    )
    assert 0 < few <= more <= most
    assert few < most


def test_several_models_are_explored_as_one_by_one(explorer_of: ExplorerOf) -> None:
    """What is found under each does not depend on the others; a tree of two models is recovered once."""
    explorer = unused(explorer_of(s.mutant("truncate_in_place")))
    counts: list[int] = []
    models = ("kill", "ext4", "xfs")
    together = replace(explorer, progress=counts.append).explore_all(models, PLENTY, 0)
    assert sum(counts) == len(explorer.observations) < sum(found.trees for found in together)
    assert together == [unused(explorer).explore(model, PLENTY, 0) for model in models]


def test_the_seed_decides(explorer_of: ExplorerOf) -> None:
    """The same seed finds the same, in the same order."""
    explorer = explorer_of(s.mutant("no_fsync_before_rename"))
    budget = Budget(states=25, seconds=60.0)
    first, second = (unused(explorer).explore("xfs", budget, 3) for _ in range(2))
    assert [one.state for one in first.findings] == [one.state for one in second.findings]
    assert (first.trees, first.judged) == (second.trees, second.judged)
    assert first.findings


def test_a_hang_ends_the_exploration() -> None:
    """What was not recovered any more is not judged, and no verdict is made up."""

    class Hanging:
        """A crew whose second tree hangs."""

        def __len__(self) -> int:
            return 1

        def spread(self, _function: object, batches: Iterable[Batch], *, ahead: int) -> Iterator[object]:
            assert ahead > 0
            for batch in batches:
                yield batch, {next(iter(batch.trees)): Observation("hung")}

    trace = Trace((), (Create(ROOT, "file", 1), *(Write(1, 512 * place, b"x" * 512) for place in range(40))))
    history = History("state", (Step("set", ("a", 1)),), (Attempt(0),), SUBJECTS["state"].empty)
    one = Recorded((), Recording(trace, {}, "returned"), history, moments(trace))
    for least in (1, 100):
        budget = Budget(states=100, seconds=60.0, least=least)
        found = Explorer(Hanging(), one).explore("posix", budget, 0)  # type: ignore[arg-type]
        assert 1 <= found.trees <= 3
        assert {finding.verdict for finding in found.findings} == {"hung"}


def test_trees_are_observed_in_batches(crew_of: CrewOf) -> None:
    """More trees than one process takes, each under its name."""
    crew: Crew = crew_of(s.TRAPPED.address)
    trees = {b"%d" % number: s.document(a=number) for number in range(2 * BATCH + 1)}
    found = observed(crew, trees)
    assert {name: one.content["entries"] for name, one in found.items()} == {
        b"%d" % number: [["a", number]] for number in range(2 * BATCH + 1)
    }


def test_known_trees_are_not_asked_for_again(explorer_of: ExplorerOf) -> None:
    """What was observed once is remembered."""
    explorer = explorer_of(s.DOCUMENT)
    tree = {"store": b'{"a": "1"}'}
    made_up = Observation("hung")
    other = replace(explorer, observations={digest(tree): made_up})
    other.observe_all([tree, {}])
    assert other.observe(tree) is made_up
    assert other.observe({}).usable == "usable"


@pytest.mark.parametrize("model", MODELS)
def test_scratch_files_count_only_after_power_loss(model: str, explorer_of: ExplorerOf) -> None:
    """A kill leaves them as they are; after power loss they are empty."""
    explorer = replace(explorer_of(s.DOCUMENT), scratch=frozenset({1}))
    assert explorer.disk(model).scratch == (frozenset() if model == "kill" else {1})
