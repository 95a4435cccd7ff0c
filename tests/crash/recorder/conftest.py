"""What the tests of the recorders share."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.crash.recorder.choice import trial
from tests.crash.recorder.server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A process that records."""
    if not hasattr(os, "fork"):
        pytest.skip("this platform can't fork")
    found = Server()
    yield found
    found.close()


@pytest.fixture(scope="session")
def seccomp(server: Server) -> str:
    """The recorder of that name, or a skip where it doesn't work."""
    return _working(server, "seccomp")


@pytest.fixture(scope="session")
def strace(server: Server) -> str:
    """The recorder of that name, or a skip where it doesn't work."""
    return _working(server, "strace")


def _working(server: Server, name: str) -> str:
    reason = server.call(trial, name)
    if reason:
        pytest.skip(reason)
    return name


@pytest.fixture(params=["disk", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A directory, on each kind of file system that is there: some calls differ."""
    if request.param == "disk":
        (tmp_path / "root").mkdir()
        yield tmp_path / "root"
        return
    if sys.platform != "linux" or not os.access("/dev/shm", os.W_OK):
        pytest.skip("there is no /dev/shm")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        place = Path(folder, "root")
        place.mkdir()
        yield place
