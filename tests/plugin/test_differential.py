"""Two backends in one run are compared, call by call."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from conformance.check import DIFFERENTIAL

ALTERED = '''
from mystore import Store


class Folding(Store):
    """Keys that differ in case are one."""

    def __setitem__(self, key, value):
        super().__setitem__(key.lower(), value)

    def __getitem__(self, key):
        return super().__getitem__(key.lower())

    def __delitem__(self, key):
        super().__delitem__(key.lower())

    def __contains__(self, key):
        return super().__contains__(key.lower())


class Sorting(Store):
    """Lists in another order, and names missing keys in another way: both are its own business."""

    def __iter__(self):
        return iter(sorted(super().__iter__(), reverse=True))

    def __missing__(self, key):
        raise KeyError(f"no {key}")
'''
TWO = ("--suite=differential", "--effort=quick", "--conformance-contract=state")


@pytest.fixture
def two(project: pytest.Pytester) -> pytest.Pytester:
    """Return a project with stores that answer otherwise, or list otherwise."""
    project.makepyfile(altered=ALTERED)
    return project


def test_stores_that_answer_the_same_are_told_so(two: pytest.Pytester) -> None:
    """Each of two honest backends is compared with the other, and passes; order and texts are not compared."""
    result = two.runpytest("--backend=mystore:Store", "--backend=altered:Sorting", "--conformance-json=r.json", *TWO)
    assert result.ret == 0
    record = json.loads((two.path / "r.json").read_text())
    for backend, other in zip(record["backends"], ("altered:Sorting", "mystore:Store"), strict=True):
        (suite,) = (suite for one in backend["contracts"] for suite in one["suites"] if suite["name"] == DIFFERENTIAL)
        (check,) = suite["checks"]
        assert (check["code"], check["outcome"]) == ("DIFF-STATE-01", "pass")
        assert check["conditions"] == {"compared with": other}
        assert check["evidence"]["comparisons"] > 20


def test_the_first_call_at_which_two_stores_part_is_shown(two: pytest.Pytester) -> None:
    """A planted difference is shown by the few calls that lead to it; every form of the record says so alike."""
    result = two.runpytest(
        "--backend=mystore:Store",
        "--backend=altered:Folding",
        "--conformance-json=r.json",
        "--junit-xml=r.xml",
        "-rA",
        *TWO,
    )
    record = json.loads((two.path / "r.json").read_text())
    for backend, other in zip(record["backends"], ("altered:Folding", "mystore:Store"), strict=True):
        (suite,) = (suite for one in backend["contracts"] for suite in one["suites"] if suite["name"] == DIFFERENTIAL)
        (check,) = suite["checks"]
        assert (check["outcome"], check["level"]) == ("fail", "should")
        assert check["counterexample"]["expected"].startswith(f"what {other} answers after the same calls: ")
        assert re.search(r", at call \d+$", check["counterexample"]["what"])
        # Opened, written, perhaps opened again, and asked; a sequence of this effort has up to eighty calls.
        assert len(check["counterexample"]["calls"]) <= 8
        assert backend["verdict"] == "CONFORMANT"
    assert result.ret == 0  # each store is judged by its own checks
    cases = ElementTree.parse(two.path / "r.xml").iter("testcase")
    outcomes = [
        {one.get("name"): one.get("value") for one in case.iter("property")}.get("conformance_outcome")
        for case in cases
        if "differential" in (case.get("classname") or "")
    ]
    assert outcomes == ["fail", "fail"]
    result.stdout.fnmatch_lines(
        [
            "  parts from   altered:Folding: *, at call *",
            "    what altered:Folding answers after the same calls: *",
            "    mystore:Store answers: *",
            "    1. store = session.open()  -> Store",
            "  parts from   mystore:Store: *, at call *",
            "    altered:Folding answers: *",
        ]
    )


def test_a_backend_alone_is_compared_with_nothing(two: pytest.Pytester) -> None:
    """With one backend the suite is neither named nor carried out."""
    result = two.runpytest("--backend=mystore:Store", "--conformance-contract=state", "--collect-only", "-q")
    assert "differential" not in result.stdout.str()
    result = two.runpytest(
        "--backend=mystore:Store", "--backend=altered:Sorting", "--conformance-contract=state", "--collect-only", "-q"
    )
    assert result.stdout.str().count("differential/state.py::test_two_states_answer_the_same") == 2
