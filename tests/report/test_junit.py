"""JUnit XML that any reader takes: well-formed whatever a store says, and of the elements that Jenkins knows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest

from conformance.recording import Call
from conformance.report.junit import junit
from tests.report.records import EVERY_OUTCOME, EXAMPLE, every_outcome, record, together

#: What junit-10.xsd of Jenkins allows: for each element its attributes, those that it must have, and what is in it.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
        {"name", "tests", "failures", "errors"},
        {"properties", "testcase"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, {"name", "value"}, set()),
    "testcase": ({"name", "time", "classname"}, {"name"}, {"skipped", "failure", "system-out"}),
    "failure": ({"type", "message"}, set(), set()),
    "skipped": ({"type", "message"}, set(), set()),
    "system-out": (set(), set(), set()),
}
WILD = "\x00\x1b[31m\x0b\ud800\udfff\ufffe\uffff & < > \" ' ]]> \u2028 \u202e ä 𝄞"


def parsed(text: str) -> ET.Element:
    """Return the root of XML in UTF-8."""
    return ET.fromstring(text.encode("utf-8"))


def test_only_elements_and_attributes_that_jenkins_knows() -> None:
    """Every element is where it may be, has what it must have, and no more than it may."""
    waiting = [parsed(junit(together(every_outcome(), record(name="other"))))]
    assert waiting[0].tag == "testsuites"
    seen = set()
    while waiting:
        element = waiting.pop()
        seen.add(element.tag)
        may, must, inside = SCHEMA[element.tag]
        assert must <= set(element.attrib) <= may
        assert {child.tag for child in element} <= inside
        if "time" in element.attrib:
            assert element.attrib["time"].replace(".", "", 1).isdigit()
        waiting += element
    assert seen == SCHEMA.keys()


@pytest.mark.parametrize("name", ["mystore", "a/b: <c>", WILD])
def test_any_text_is_well_formed(name: str) -> None:
    """Control characters, lone surrogates and signs of XML are shown as they are, or by their escapes."""
    example = replace(EXAMPLE, what=WILD, expected=WILD, got=WILD, calls=(Call(1, WILD, WILD),), note=WILD, frame=WILD)
    report = record(
        EVERY_OUTCOME,
        lacks={"ttl": WILD},
        examples=dict.fromkeys(EVERY_OUTCOME, example),
        reasons=dict.fromkeys(EVERY_OUTCOME, WILD),
    )
    report["backends"][0]["name"] = name
    root = parsed(junit(report))
    assert len(root.findall(".//testcase")) == 209
    failure = root.find(".//failure[@type='new failure']")
    assert failure is not None
    assert failure.text is not None
    assert "\\x00\\x1b[31m\\x0b\\ud800\\udfff\\ufffe\\uffff & < > \" ' ]]> \\u2028 \\u202e ä 𝄞" in failure.text


def test_outcomes_are_failures_or_skipped_with_their_word() -> None:
    """What turns a run red is a failure; what JUnit has no word for is skipped, and its word is the type."""
    root = parsed(junit(every_outcome()))
    found = {
        case.attrib["name"]: (child.tag, child.attrib["type"], child.attrib["message"])
        for case in root.iter("testcase")
        for child in case
        if child.tag != "system-out"
    }
    assert found == {
        "STATE-LIST-01": ("failure", "new failure", "reading a key: expected KeyError to be raised, got None"),
        "STATE-CRASH-01": ("failure", "new failure", "reading a key: expected KeyError to be raised, got None"),
        "STATE-ALIAS-02": (
            "failure",
            "stale gap",
            "listed in known-gaps (issue 13) but passes now: delete the entry",
        ),
        "STATE-CORR-01": ("failure", "inconclusive", "the worker died"),
        "STATE-FAIL-02": ("skipped", "broken should", "reading a key: expected KeyError to be raised, got None"),
        "STATE-VALUE-01": ("skipped", "known gap", "issue 12"),
        "STATE-ALIAS-01": ("skipped", "known gap", "issue 12"),
        "STATE-CAS-01": ("skipped", "not applicable", "cas is not offered"),
        "STATE-CAS-02": ("skipped", "not applicable", "cas is not offered"),
        "STATE-TTL-01": ("skipped", "not applicable", "ttl is not offered"),
        "STATE-CRASH-33": ("skipped", "blocked", "blocked by STATE-CRASH-01"),
    }


def test_a_verdict_that_no_check_tells_is_a_case() -> None:
    """What is red for another reason than a check that failed has a failing case of its own, with the reason."""
    report = together(record(), record(name="other", only=[]))
    root = parsed(junit(report))
    (suite,) = [one for one in root if one.attrib["name"] == "other/verdict"]
    (case,) = suite.findall("testcase")
    assert (case.attrib["classname"], case.attrib["name"]) == ("other.verdict", "verdict")
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib == {"type": "INCONCLUSIVE", "message": "INCONCLUSIVE: nothing was tested"}
    counts = {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped", "time")}
    assert counts == {"tests": "1", "failures": "1", "errors": "0", "skipped": "0", "time": "0.000"}
    assert suite.attrib["timestamp"] == report["date"]
    assert (root.attrib["tests"], root.attrib["failures"]) == ("210", "1")
    facts = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert (facts["verdict"], facts["checks"]) == ("INCONCLUSIVE", "0 of 209")


@pytest.mark.parametrize(
    "report", [every_outcome(), record(error="no server"), record({"STATE-ALIAS-02": "stale gap"})]
)
def test_a_verdict_that_a_check_tells_is_no_case(report: dict[str, Any]) -> None:
    """One failure is enough: cases are checks."""
    assert not [one for one in parsed(junit(report)) if one.attrib["name"].endswith("/verdict")]


def test_the_case_of_a_verdict_is_what_jenkins_knows() -> None:
    """It has the elements and attributes of other cases, and any text is well-formed."""
    report = record(only=[])
    report["backends"][0]["why"] = WILD
    waiting = [parsed(junit(report))]
    while waiting:
        element = waiting.pop()
        may, must, inside = SCHEMA[element.tag]
        assert must <= set(element.attrib) <= may
        assert {child.tag for child in element} <= inside
        waiting += element


def test_every_suite_has_the_facts_of_the_run() -> None:
    """Verdict, edition, effort, seed and promises are properties of each suite, and each suite has its counts."""
    report = every_outcome()
    root = parsed(junit(report))
    suites = root.findall("testsuite")
    assert len(suites) == 6
    for suite in suites:
        facts = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
        assert facts["verdict"] == "NOT CONFORMANT"
        assert facts["edition"] == report["edition"]
        assert (facts["effort"], facts["seed"], facts["checks"]) == ("normal", "0", "209 of 209")
        assert facts["promise.durability.claimed"] == "process-crash"
        assert facts["promise.durability.broken"] == "process-crash"
        assert facts["lacks.history"] == "a cache keeps the last value only"
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    assert root.attrib["tests"] == str(sum(int(suite.attrib["tests"]) for suite in suites))


def test_a_case_tells_what_was_done() -> None:
    """The output of each case has the rule, its level and the evidence; zero evidence is said."""
    root = parsed(junit(every_outcome()))
    told = {case.attrib["name"]: case.findtext("system-out") for case in root.iter("testcase")}
    assert (told["STATE-VALUE-02"] or "").endswith("\nmust, evidence: 12 comparisons, 40 calls")
    assert (told["STATE-CAS-01"] or "").endswith("\nmust, evidence: none")
