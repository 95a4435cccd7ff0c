"""Under pytest-xdist nothing gets lost: what a worker leaves behind when it dies is told."""

from __future__ import annotations

import json

import pytest

#: Ends the process that writes to it, if that is the first worker of pytest-xdist.
DEADLY = """
import os
from mystore import Store

class Deadly(Store):
    def __setitem__(self, key, value):
        if os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
            os._exit(3)
        super().__setitem__(key, value)
"""


def test_a_worker_that_dies_is_no_pass(project: pytest.Pytester) -> None:
    """Its check is inconclusive, and says why; the others are judged by the worker that takes its place."""
    pytest.importorskip("xdist")
    project.makepyfile(deadly=DEADLY)
    result = project.runpytest(
        *("--backend=deadly:Deadly", "--suite=round-trip", "-k", "STATE-BASIC-01 or STATE-LIST-01"),
        *("--effort=quick", "--conformance-json=out.json", "-n", "1"),
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (backend,) = json.loads((project.path / "out.json").read_text())["backends"]
    found = {c["code"]: c for o in backend["contracts"] for s in o["suites"] for c in s["checks"]}
    assert sorted(check["outcome"] for check in found.values()) == ["inconclusive", "pass"]
    (reason,) = [check["reason"] for check in found.values() if check["reason"]]
    assert reason.startswith("worker 'gw0' crashed while running 'conformance/round_trip/state_")
    assert (backend["verdict"], backend["why"]) == ("INCONCLUSIVE", "1 check could not be carried out")
