"""A full and a read-only disk that are faked in memory: for stores that write through Python's own functions."""

from __future__ import annotations

import sys
from typing import Any, cast

import pytest

from conformance.crash.fakedisk import NotOnFakes, full_disks, read_only_disks
from conformance.crash.recorded import Unmeasured
from conformance.crash.subjects import Step
from conformance.crash.workloads import workload
from conformance.workers import Bay, Crew
from tests.crash import stores as s
from tests.crash.conftest import CrewOf

pytest.importorskip("pyfakefs")

STEPS = workload("state", "some puts and deletes", domain="json", seed=0).steps
EVENTS = workload("log", "some appends", domain="json", seed=0).steps
EACH = pytest.mark.parametrize(
    ("address", "contract", "steps"), [(s.JOURNAL, "state", STEPS), (s.JOURNAL_LOG, "log", EVENTS)]
)


@EACH
def test_an_honest_store_survives_a_full_disk(
    address: str, contract: str, steps: tuple[Step, ...], crew_of: CrewOf
) -> None:
    """On disks of several sizes, none of which holds everything, nothing acknowledged is lost."""
    found = full_disks(crew_of(address, contract), steps, 4)
    assert [one.verdict for one in found] == ["fine"] * 4
    sizes = [int(one.how.split()[3].replace(",", "")) for one in found]
    assert sizes == sorted(set(sizes))
    assert all(any("Errno 28" in attempt.raised for attempt in one.attempts) for one in found if one.attempts)
    assert any(one.attempts for one in found)


@EACH
def test_an_honest_store_survives_a_read_only_disk(
    address: str, contract: str, steps: tuple[Step, ...], crew_of: CrewOf
) -> None:
    """What was written before is there; a store that can't be opened, or refuses to write, is loud enough."""
    (one,) = read_only_disks(crew_of(address, contract), steps)
    assert (one.how, one.verdict) == ("a read-only directory", "fine")
    half = 1 + [step.verb for step in steps].index("reopen")
    assert [attempt.step for attempt in one.attempts[:half]] == list(range(half))
    assert not any(attempt.raised for attempt in one.attempts[:half])
    assert all(attempt.raised for attempt in one.attempts[half:] if steps[attempt.step].verb in ("set", "append"))


@pytest.mark.parametrize(("name", "contract"), [("full_disk_ignored", "state"), ("log_full_disk_ignored", "log")])
def test_a_store_that_ignores_a_full_disk(name: str, contract: str, crew_of: CrewOf) -> None:
    """It acknowledges what is not there."""
    crew = crew_of(s.mutant(name), contract)
    found = full_disks(crew, STEPS if contract == "state" else EVENTS, 4)
    assert {one.verdict for one in found} - {"fine"}


@pytest.mark.parametrize(("name", "contract"), [("read_only_ignored", "state"), ("log_read_only_ignored", "log")])
def test_a_store_that_ignores_a_read_only_disk(name: str, contract: str, crew_of: CrewOf) -> None:
    """It keeps in memory what it acknowledges."""
    (one,) = read_only_disks(crew_of(s.mutant(name), contract), STEPS if contract == "state" else EVENTS)
    assert one.verdict != "fine"


def test_a_store_that_writes_past_python(crew_of: CrewOf) -> None:
    """SQLite knows nothing of the fake."""
    crew = crew_of(s.SQLITE_WAL)
    with pytest.raises(NotOnFakes, match="the store does not"):
        full_disks(crew, STEPS, 2)
    with pytest.raises(NotOnFakes, match="the store does not"):
        read_only_disks(crew, STEPS)


@pytest.mark.parametrize(
    ("address", "steps", "reason"),
    [
        (s.FORGETFUL.address, STEPS, "the store does not run on a fake disk: KeyError"),
        (s.FORGETFUL.address, STEPS[:1], "the store does not keep its data in files that Python itself writes"),
        (s.DIES_OPENING.address, STEPS, "the process died on a fake disk"),
    ],
)
def test_a_store_that_does_not_work_there(address: str, steps: tuple[Step, ...], reason: str, crew_of: CrewOf) -> None:
    """It is said why it is not judged."""
    with pytest.raises(NotOnFakes, match=reason):
        full_disks(crew_of(address), steps, 1)


def without_pyfakefs(bay: Bay, steps: tuple[Step, ...]) -> object:
    """Ask a worker where the package is not installed."""
    from conformance.crash.fakedisk import _fill, _in_child

    names = ("pyfakefs", "pyfakefs.fake_filesystem_unittest")
    before = {name: sys.modules.get(name) for name in names}
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]
    try:
        return _in_child(bay, _fill, steps, 1)
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def test_without_the_package(crew_of: CrewOf) -> None:
    """It is said how to get it."""
    answer = crew_of(s.JOURNAL).call(without_pyfakefs, STEPS)

    class Told:
        """Answers that."""

        contract = "state"

        def call(self, *question: Any) -> object:
            """Answer."""
            return answer

    with pytest.raises(Unmeasured, match=r"pyfakefs is not installed: pip install .*\[fakefs\]"):
        full_disks(cast("Crew", Told()), STEPS, 1)
