"""What the tests of the crash engine share: crews, and workloads that were recorded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from conformance.address import load
from conformance.crash.explore import Explorer
from conformance.crash.recorded import recorded
from conformance.crash.recorder import choose
from conformance.crash.scratch import scratch_files
from conformance.crash.workloads import workload
from conformance.workers import Bay, Crew

#: Returns the crew of a backend, by its address and contract.
CrewOf = Callable[..., Crew]
#: Returns the explorer of a workload, by address, contract and the name of the workload.
ExplorerOf = Callable[..., Explorer]


def recorder_name(bay: Bay) -> str:
    """Return the name of the recorder that a worker uses."""
    return choose().name


@pytest.fixture(scope="session")
def crew_of() -> Iterator[CrewOf]:
    """Crews of one worker each, which is quicker to start than two; kept from test to test."""
    crews: dict[tuple[str, str], Crew] = {}
    with ExitStack() as stack:

        def crew(address: str, contract: str = "state") -> Crew:
            if (address, contract) not in crews:
                one = Crew(load(address), contract, 1)
                crews[address, contract] = stack.enter_context(closing(one))
            return crews[address, contract]

        yield crew


@pytest.fixture(scope="session")
def explorer_of(crew_of: CrewOf) -> ExplorerOf:
    """Explorers of workloads that are recorded when first asked for."""
    explorers: dict[tuple[str, str, str], Explorer] = {}

    def explorer(address: str, contract: str = "state", name: str = "puts and deletes") -> Explorer:
        if (address, contract, name) not in explorers:
            crew = crew_of(address, contract)
            steps = workload(contract, name, domain=crew.backend.values, seed=0, offers=("compact",)).steps
            one = Explorer(crew, recorded(crew, steps))
            one.scratch = scratch_files(one)
            explorers[address, contract, name] = one
        return explorers[address, contract, name]

    return explorer


@pytest.fixture(scope="session")
def sees_all(crew_of: CrewOf) -> str:
    """The name of a recorder that sees what C extensions do, or a skip where there is none."""
    from tests.crash.stores import TRAPPED

    name: str = crew_of(TRAPPED.address).call(recorder_name)
    if name not in ("seccomp", "strace"):
        pytest.skip("no recorder here sees what C extensions do")
    return name


@pytest.fixture(scope="session")
def puts_faults(sees_all: str) -> str:
    """The name of a recorder that can put faults on calls of C extensions too, or a skip."""
    if sees_all != "seccomp":
        pytest.skip("no recorder here can put a fault on every call")
    return sees_all
