"""Workloads of runs, jobs and layers: the same at the same seed, fit for every store, and none is like another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.crash.subjects import SUBJECTS, Step
from conformance.crash.subjects.jobs import JOB_IDS, LATER, NOW
from conformance.crash.subjects.layers import LAYER_KEYS, SCOPES
from conformance.crash.subjects.runs import RUN_IDS
from conformance.crash.workloads import workload
from conformance.crash.workloads.jobs import JOB_WORKLOADS
from conformance.crash.workloads.layers import LAYER_WORKLOADS
from conformance.crash.workloads.runs import RUN_WORKLOADS

NAMES = [
    *(("runs", name) for name in RUN_WORKLOADS),
    *(("jobs", name) for name in JOB_WORKLOADS),
    *(("layers", name) for name in LAYER_WORKLOADS),
]
EACH = pytest.mark.parametrize(("contract", "name"), NAMES)
ALL = ("delete_run", "delete_job", "precedence", "scopes")


def steps_of(contract: str, name: str, seed: int = 0, offers: tuple[str, ...] = ALL) -> tuple[Step, ...]:
    """Return the steps of a workload."""
    return workload(contract, name, domain="json", seed=seed, offers=offers).steps


@EACH
def test_the_seed_decides(contract: str, name: str) -> None:
    """The same seed gives the same steps; over some seeds they differ."""
    assert steps_of(contract, name) == steps_of(contract, name)
    assert len({repr(steps_of(contract, name, seed)) for seed in range(5)}) > 1


@EACH
@pytest.mark.parametrize("offers", [ALL, ()], ids=["all", "nothing"])
def test_every_step_counts(contract: str, name: str, offers: tuple[str, ...]) -> None:
    """Each step but a reopening, and but a clear of what is empty, makes another content."""
    subject = SUBJECTS[contract]
    for seed in range(5):
        content = subject.empty
        for step in steps_of(contract, name, seed, offers):
            after = subject.apply(content, step)
            assert (after != content) == (step.verb != "reopen") or step.verb == "clear", step
            content = after


@EACH
def test_a_store_is_asked_for_nothing_that_it_has_not(contract: str, name: str) -> None:
    """Deletes, layers and scopes are used where they are offered."""
    plain, full = (repr(steps_of(contract, name, offers=offers)) for offers in ((), ALL))
    assert "delete_" not in plain
    assert "'ada'" not in plain
    if name in ("saves of growing runs", "saves of jobs that run"):
        assert "delete_" in full
    if contract == "layers":
        assert "'ada'" in full


def written(step: Step) -> list[Any]:
    """Return the records that a step writes."""
    return [arg for arg in step.args if isinstance(arg, dict)]


@EACH
def test_ids_and_keys_are_those_that_are_asked_for(contract: str, name: str) -> None:
    """What is read after a crash is looked for under its id, whether it is listed or not."""
    for step in steps_of(contract, name):
        for record in written(step):
            assert record.get("id", "r0") in (*RUN_IDS, *JOB_IDS)
        if step.verb == "fork_run":
            assert step.args[1] in RUN_IDS
        if contract == "layers" and step.verb in ("set", "delete"):
            assert step.args[0] in LAYER_KEYS
            assert (step.args[-1] or "") in SCOPES


@EACH
def test_records_are_json(contract: str, name: str) -> None:
    """What is saved comes back from JSON as it was."""
    for step in steps_of(contract, name):
        assert json.loads(json.dumps(written(step))) == written(step)


def test_counts_of_jobs_never_go_back() -> None:
    """A good store refuses a save that would."""
    for name in ("saves of jobs that run", "closing and reopening"):
        counts: dict[str, int] = {}
        for step in steps_of("jobs", name):
            if step.verb == "delete_job":
                counts.pop(step.args[0])
            for job in written(step):
                assert job["runCount"] >= counts.get(job["id"], 0)
                assert job["runCount"] == len(job["history"])
                counts[job["id"]] = job["runCount"]


def test_claims_are_made_before_the_store_is_asked_again() -> None:
    """Some leases still last then, some have ended, and at the last time all have."""
    subject = SUBJECTS["jobs"]
    content = subject.empty
    lasting, ended = 0, 0
    for step in steps_of("jobs", "claims"):
        times = [arg for arg in step.args if isinstance(arg, int)]
        assert all(time < NOW for time in times[:1])
        content = subject.apply(content, step)
        leases = content["until"].values()
        assert all(until <= LATER for until in leases)
        lasting += sum(until > NOW for until in leases)
        ended += sum(until <= NOW for until in leases)
    assert lasting
    assert ended


def test_layers_hold_values_of_the_domain() -> None:
    """A store of bytes gets bytes."""
    for domain, kind in (("json", str), ("bytes", bytes)):
        steps = workload("layers", "sets and deletes", domain=domain, seed=0).steps
        assert {type(step.args[1]) for step in steps if step.verb == "set"} == {kind}
