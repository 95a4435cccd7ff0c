"""What the tests of the plugin share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from conformance.check import catalogue
from conformance.report import case_script
from conformance.running import collecting, judging, outputs, reporting
from conformance.suites.crash_recovery import meeting
from tests.benches import close_all

# Loaded once here: pytester takes modules out of sys.modules again that a run inside the process loaded first.
assert catalogue()
assert case_script
assert collecting
assert judging
assert meeting
assert outputs
assert reporting


def pytest_sessionfinish() -> None:
    """Save what coverage has measured: pytest-xdist kills a worker that takes ten seconds to end."""
    coverage = sys.modules.get("coverage")
    measuring = coverage.Coverage.current() if coverage else None
    if measuring:
        measuring.save()


GOOD = '''
from collections.abc import MutableMapping
from pathlib import Path
import pickle

class Store(dict):
    """A dict that is kept in a file."""

    def __init__(self, path):
        self.path = Path(path)
        super().__init__(pickle.loads(self.path.read_bytes()) if self.path.exists() else {})

    def close(self):
        self.path.write_bytes(pickle.dumps(dict(self)))

class Bare:
    """Has no verbs at all."""

    def __init__(self, path):
        pass

class NoneStore(Store):
    """Reads a missing key as None."""

    def __getitem__(self, key):
        return self.get(key)
'''


@pytest.fixture(autouse=True)
def _benches_end() -> Iterator[None]:
    """End what the benches of a test have kept."""
    yield
    close_all()


@pytest.fixture(autouse=True)
def _outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no run of a test write into the summary of the CI that runs the tests, nor annotate anything."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return a project with a module `mystore` that has a working `Store` and a broken `NoneStore`."""
    for name in (
        "CONFORMANCE_BACKEND",
        "CONFORMANCE_SUITE",
        "CONFORMANCE_EFFORT",
        "CONFORMANCE_SEED",
        "CONFORMANCE_JSON",
        "CONFORMANCE_REPORT",
        "CONFORMANCE_DISK",
        "CONFORMANCE_SHARD",
        "CONFORMANCE_EDITION",
        "CONFORMANCE_REQUIRE",
        "CONFORMANCE_STRICT",
        "CONFORMANCE_BASELINE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    # The order in which lines are expected is that of the suites, also where pytest-randomly is installed.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:randomly")
    pytester.makepyfile(mystore=GOOD)
    return pytester
