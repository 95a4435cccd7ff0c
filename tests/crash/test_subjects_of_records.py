"""What the engine knows of runs, jobs and layers: contents, what steps make of them, and whom a job is handed to."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.crash.subjects import JOBS, LAYERS, RUNS, Content, Step
from conformance.crash.subjects.jobs import LATER, NOW
from conformance.crash.subjects.subject import brief
from conformance.drive import Driver


def records(*some: dict[str, Any], **more: Any) -> Content:
    """Return the content with these records."""
    return {"records": [[one["id"], one] for one in some], "otherwise": [], **more}


RUN = {"id": "r0", "events": [], "status": "running"}
CHECKPOINTS = [{"id": "a", "state": 1}, {"id": "b", "state": 2}, {"id": "c", "state": 3}]
SOURCE = {**RUN, "checkpoints": CHECKPOINTS, "state": 9, "metadata": {"lineage": {"rootRunId": "root"}, "tags": []}}
BRANCH = {
    "id": "branch-0",
    "checkpoints": CHECKPOINTS[:2],
    "state": 2,
    "metadata": {"lineage": {"rootRunId": "root", "branchOriginRunId": "r0", "branchCheckpointId": "b"}},
}

RUN_STEPS = [
    (Step("save_run", ({"id": "r1"},)), records(SOURCE, {"id": "r1"})),
    (Step("save_run", ({"id": "r0"},)), records({"id": "r0"})),
    (Step("append_event", ("r0", {"n": 1})), records({**SOURCE, "events": [{"n": 1}]})),
    (Step("append_event", ("missing", 1)), records(SOURCE)),
    (Step("delete_run", ("r0",)), records()),
    (Step("delete_run", ("missing",)), records(SOURCE)),
    (Step("fork_run", ("r0", "branch-0", "b")), records(BRANCH, SOURCE)),
    (Step("reopen"), records(SOURCE)),
]


@pytest.mark.parametrize(("step", "after"), RUN_STEPS, ids=[f"{one.verb} {one.args[:1]}" for one, _ in RUN_STEPS])
def test_what_steps_make_of_runs(step: Step, after: Content) -> None:
    """A save replaces, an event is added, a branch has what the contract settles; the content before stays."""
    assert RUNS.apply(records(SOURCE), step) == after


class Kept(dict[str, Any]):
    """A run store that lists what it is told to list."""

    def __init__(self, listed: list[Any], **runs: Any) -> None:
        super().__init__(runs)
        self.list_runs = lambda: listed
        self.get_run = self.__getitem__


DISAGREEMENTS: list[tuple[Kept, list[Any]]] = [
    (Kept([{"id": "r0"}], r0=RUN), []),
    (Kept([RUN], r0=RUN), []),
    (Kept([{"id": "r0", "count": 1}], r0=RUN), []),
    (Kept([{"id": "r0", "status": "queued"}], r0=RUN), [["listed otherwise", "r0"]]),
    (Kept([], r0=RUN), [["not listed", "r0"]]),
    (Kept([RUN, "r0"], r0=RUN), [["listed, and no run", "r0"]]),
    (Kept([RUN, None], r0=RUN), [["listed, and no run", None]]),
    (Kept([RUN, {"id": ["r0"]}], r0=RUN), [["listed, and no run", {"id": ["r0"]}]]),
    (Kept([RUN, {"status": "running"}], r0=RUN), [["listed, and no run", {"status": "running"}]]),
]


@pytest.mark.parametrize(("store", "otherwise"), DISAGREEMENTS)
def test_a_listing_that_disagrees_shows(store: Kept, otherwise: list[Any]) -> None:
    """A summary repeats fields of its run; what is got is listed. A disagreement is a part that nobody wrote."""
    content = RUNS.read(Driver(), store)
    assert content["otherwise"] == otherwise
    assert RUNS.agrees(content, records(RUN)) == (not otherwise)
    assert len(list(RUNS.parts(content))) == len(content["records"]) + len(otherwise)


def test_a_run_that_is_listed_twice_is_read_twice() -> None:
    """A dict of what was read would hide it."""
    assert RUNS.read(Driver(), Kept([RUN, RUN], r0=RUN)) == records(RUN, RUN)


def test_of_a_branch_only_what_the_contract_settles_is_read() -> None:
    """A store decides whether a branch takes the messages of its source."""
    branch = {**BRANCH, "status": "forked", "messages": [], "metadata": {**BRANCH["metadata"], "more": 1}}
    assert RUNS.read(Driver(), Kept([branch], **{"branch-0": branch})) == records(BRANCH)


def job(job_id: str, **fields: Any) -> dict[str, Any]:
    """Return a job that is due once a minute, from 1000 on."""
    return {"id": job_id, "runAt": 1_000, "intervalMs": 60_000, "runCount": 0, "status": "ready", "history": [],
            **fields}  # fmt: skip


LATE = {"at": 70_000, "status": "failed"}
DONE = {"runCount": 1, "lastRunAt": 70_000, "result": "r", "error": None}
HISTORY = [{"at": 70_000, "status": "completed"}]
CLAIMED = records(job("c0", status="running"), job("c1", runAt=2_000), until={"c0": 10_000})

JOB_STEPS = [
    (Step("claim_due", (9_999, "b", 5, 9)), {"c0": 10_000, "c1": 10_004}, [{}, {"status": "running"}]),
    (Step("claim_due", (10_000, "b", 5, 1)), {"c0": 10_005}, [{}, {}]),
    (Step("claim_due", (1_999, "b", 5, 9)), {"c0": 10_000}, [{}, {}]),
    (Step("renew", ("c0", 9_000, 5_000)), {"c0": 14_000}, [{}, {}]),
    (
        Step("complete", ("c0", 70_000, "r")),
        {},
        [{**DONE, "status": "ready", "runAt": 121_000, "history": HISTORY}, {}],
    ),
    (Step("fail", ("c0", 70_000, "e")), {}, [{"status": "ready", "error": "e", "history": [LATE]}, {}]),
    (Step("complete", ("c1", 70_000, "r")), {"c0": 10_000}, [{}, {}]),
    (Step("set_status", ("c1", "stopped")), {"c0": 10_000}, [{}, {"status": "stopped"}]),
    (Step("save_job", (job("c1", runCount=3),)), {"c0": 10_000}, [{}, {"runCount": 3, "runAt": 1_000}]),
    (Step("reopen"), {"c0": 10_000}, [{}, {}]),
]


@pytest.mark.parametrize(
    ("step", "until", "changes"), JOB_STEPS, ids=[f"{one.verb} {one.args}" for one, *_ in JOB_STEPS]
)
def test_what_steps_make_of_jobs(step: Step, until: dict[str, int], changes: list[dict[str, Any]]) -> None:
    """Who is claimed, what a completion and a failure make of a job, and when leases end."""
    after = [{**one, **change} for (_, one), change in zip(CLAIMED["records"], changes, strict=True)]
    assert JOBS.apply(CLAIMED, step) == records(*after, until=until)


def test_what_is_deleted_has_no_lease() -> None:
    """A job that is gone is nobody's."""
    assert JOBS.apply(CLAIMED, Step("delete_job", ("c0",))) == records(job("c1", runAt=2_000), until={})


def test_a_job_that_runs_once_is_stopped() -> None:
    """It has no next time."""
    before = records(job("c0", status="running", intervalMs=None), until={"c0": 10_000})
    after = JOBS.apply(before, Step("complete", ("c0", 70_000, "r")))
    assert after["records"][0][1]["status"] == "stopped"


class Handing:
    """A job store that hands out what it is told to hand out, at each time."""

    def __init__(self, **given: list[str]) -> None:
        self.given = given

    def claim_due(self, now: int, *_: Any) -> Any:
        """Give claims."""
        return ({"job": {"id": job_id}} for job_id in self.given["now" if now == NOW else "late"])


HELD = records(job("c0", status="running"), job("c1"), job("j0"), until={"c0": NOW + 1})


@pytest.mark.parametrize(
    ("now", "late", "agrees"),
    [
        (["c1"], ["c0", "c1"], True),
        (["c1", "j0"], ["c1", "c0", "j0"], True),  # jobs that are only saved may be anybody's
        (["c0", "c1"], ["c0", "c1"], False),  # somebody has it
        (["c1"], ["c1"], False),  # nobody gets it any more
        ([], ["c0", "c1"], False),
    ],
)
def test_whom_jobs_are_handed_to_is_part_of_the_content(now: list[str], late: list[str], *, agrees: bool) -> None:
    """A lease that still lasts keeps others out; one that has ended does not."""
    seen = {name: HELD[name] for name in ("records", "otherwise")}
    content = JOBS.last(Driver(), Handing(now=now, late=late), seen)
    assert JOBS.agrees(content, HELD) == agrees
    assert JOBS.agrees(seen, HELD)  # a process that went on was not asked
    assert NOW < LATER
    told = [JOBS.tell(part) for part in JOBS.parts(content)]
    assert (f"'handed out at {NOW}': 'c1'" in told) == ("c1" in now)


def test_a_store_without_claims_is_not_asked() -> None:
    """What it shows is its records alone."""
    assert JOBS.last(Driver(), object(), HELD) == HELD


def test_what_a_store_notes_in_its_jobs_is_its_own() -> None:
    """Of an entry of the history time and status are compared, of a job the fields that the contract names."""
    noted = job("c0", history=[{"at": 1, "status": "completed", "owner": "a"}], attempts=3)
    assert JOBS.apply(records(until={}), Step("save_job", (noted,)))["records"] == [
        ["c0", job("c0", history=[{"at": 1, "status": "completed"}])]
    ]


def layers(*entries: tuple[int, str, str, Any]) -> Content:
    """Return the content with these entries."""
    return {"entries": [list(entry) for entry in entries], "otherwise": []}


THREE = layers((0, "", "k0", 1), (0, "", "k1", 2), (1, "ada", "k0", 3))

LAYER_STEPS = [
    (Step("set", ("k0", 4, None, None)), layers((0, "", "k0", 4), (0, "", "k1", 2), (1, "ada", "k0", 3))),
    (Step("set", ("k0", None, 1, "ada")), layers((0, "", "k0", 1), (0, "", "k1", 2), (1, "ada", "k0", None))),
    (Step("delete", ("k0", 0, None)), layers((0, "", "k1", 2), (1, "ada", "k0", 3))),
    (Step("delete", ("k0", 0, "ada")), THREE),
    (Step("clear", (None, None)), layers((1, "ada", "k0", 3))),
    (Step("clear", (0, None)), layers((1, "ada", "k0", 3))),
    (Step("clear", (1, None)), THREE),
    (Step("clear", (None, "ada")), layers((0, "", "k0", 1), (0, "", "k1", 2))),
    (Step("reopen"), THREE),
]


@pytest.mark.parametrize(("step", "after"), LAYER_STEPS, ids=[f"{one.verb} {one.args}" for one, _ in LAYER_STEPS])
def test_what_steps_make_of_layers(step: Step, after: Content) -> None:
    """Each concerns its layer and its scope alone."""
    assert LAYERS.apply(THREE, step) == after


CLEAR = Step("clear", (0, None))


@pytest.mark.parametrize(
    ("observed", "step", "during"),
    [
        (layers((0, "", "k1", 2), (1, "ada", "k0", 3)), CLEAR, True),
        (layers((0, "", "k0", 1), (0, "", "k1", 2)), CLEAR, False),
        (layers((0, "", "k1", 9), (1, "ada", "k0", 3)), CLEAR, False),
        (layers((0, "", "k1", 2), (1, "ada", "k0", 3)), Step("set", ("k0", 4, None, None)), False),
    ],
)
def test_a_clear_goes_entry_by_entry(observed: Content, step: Step, *, during: bool) -> None:
    """Some of what it clears may be gone while it runs, and nothing else; every other step is whole."""
    assert LAYERS.during(observed, THREE, step) == during


class OneLayer(dict[str, Any]):
    """Memory of one layer and one scope."""

    def entries(self) -> Any:
        """Give all entries."""
        return iter(self.items())


class Layered:
    """Two layers, and scopes; what is listed and what is got can be set apart."""

    precedence = ("upper", "lower")

    def __init__(self, **hidden: Any) -> None:
        self.hidden = hidden

    def entries(self, *, layer: str, scope: str) -> Any:
        """Give one entry of one layer and scope."""
        return [("k0", 1)] if (layer, scope) == ("lower", "ada") else []

    def get(self, key: str, *, layer: str, scope: str) -> Any:
        """Return a value."""
        return {**dict(self.entries(layer=layer, scope=scope)), **self.hidden}.get(key)


def test_layers_are_read_with_what_they_offer() -> None:
    """A store without layers and scopes has one of each; listing and getting are compared in every place."""
    assert LAYERS.read(Driver(), OneLayer(k0=1)) == layers((0, "", "k0", 1))
    assert LAYERS.read(Driver(), Layered()) == layers((1, "ada", "k0", 1))
    assert LAYERS.read(Driver(), Layered(k0=2))["otherwise"][-1] == ["listed otherwise", 1, "ada", "k0"]
    assert ["not listed", 0, "", "k2"] in LAYERS.read(Driver(), Layered(k2=2))["otherwise"]


TOLD = [
    (RUNS, ["r0", {"id": "r0", "status": "done", "events": [1, 2]}], "'r0' (status 'done', 2 events)"),
    (RUNS, ["r0", None], "'r0': None"),
    (JOBS, ["j0", job("j0")], "'j0' (status 'ready', runAt 1000, runCount 0, 0 history)"),
    (LAYERS, [1, "ada", "k0", "v"], "'k0' in layer 1 of 'ada': 'v'"),
    (LAYERS, ["not listed", 1, "ada", "k0"], "not listed 1 ada k0"),
]


@pytest.mark.parametrize(("subject", "part", "told"), TOLD)
def test_parts_in_a_few_words(subject: Any, part: Any, told: str) -> None:
    """A record is told by its status and how much is in it."""
    assert subject.tell(part) == told


SOURCES = [
    (RUNS, Step("save_run", ({"id": "r0"},)), "store.save_run({'id': 'r0'})"),
    (JOBS, Step("reopen"), "store.close(); store = session.open()"),
    (LAYERS, Step("set", ("k0", 1, None, None)), "store.set('k0', 1)"),
    (LAYERS, Step("clear", (1, "ada")), "store.clear(layer=store.precedence[1], scope='ada')"),
    (LAYERS, Step("reopen"), "store.close(); store = session.open()"),
]


@pytest.mark.parametrize(("subject", "step", "source"), SOURCES, ids=[source for _, _, source in SOURCES])
def test_steps_as_source(subject: Any, step: Step, source: str) -> None:
    """A step is shown as the call that it stands for; a layer by its place, for its name is the store's."""
    assert subject.source(step) == source


class Remembered(dict[str, Any]):
    """A layered store, of one layer and one scope, that lists what it is told to list."""

    def __init__(self, listed: list[Any], **entries: Any) -> None:
        super().__init__(entries)
        self.entries = lambda: listed


@pytest.mark.parametrize("item", ["k", None, ("k",), ("k", 1, 2), (1, 2), [["k"], 1]])
def test_an_entry_that_is_no_pair_shows(item: Any) -> None:
    """It is a part that nobody wrote; it must not look as if the store had raised."""
    content = LAYERS.read(Driver(), Remembered([("k0", 1), item], k0=1))
    assert content == {"entries": [[0, "", "k0", 1]], "otherwise": [["listed, and no entry", 0, "", item]]}
    assert [LAYERS.tell(part) for part in LAYERS.parts(content)]


MISLISTED: list[tuple[list[Any], list[tuple[Any, ...]]]] = [
    ([RUN], []),
    ([{"id": "r0", "count": 1}], []),
    (
        [{"id": "r0", "status": "queued"}],
        [("r0", "{'id': 'r0', 'status': 'running'}", "{'id': 'r0', 'status': 'queued'}")],
    ),
    ([RUN, {"id": "r9"}], [("r9", "no such run", "{'id': 'r9'}")]),
    ([RUN, "r0"], [(None, "runs with their ids", "'r0'")]),
    ([], [("r0", brief(RUN), "nothing")]),
]


@pytest.mark.parametrize(("listed", "wrong"), MISLISTED)
def test_what_a_listing_says_otherwise(listed: list[Any], wrong: list[tuple[Any, ...]]) -> None:
    """A listing is judged by itself, where what is listed can't be got."""
    assert RUNS.listed is not None
    assert RUNS.listed(Driver(), Kept(listed)) == listed
    assert RUNS.mislisted(records(RUN), listed) == wrong


def test_what_the_entries_say_otherwise() -> None:
    """Each entry has the value that was set."""
    content = {"entries": [[0, "", "k0", 1], [0, "", "k1", 2]], "otherwise": []}
    assert LAYERS.listed is not None
    listed = LAYERS.listed(Driver(), Remembered([("k0", 1), ["k9", 3], "k"]))
    assert LAYERS.mislisted(content, listed) == [
        (None, "pairs of a key and a value", "'k'"),
        ("k9", "no such entry", "3"),
        ("k1", "2", "nothing"),
    ]
    assert LAYERS.mislisted(content, [[0, "", ("k0", 7)], [0, "", ("k1", 2)]]) == [("k0", "1", "7")]
