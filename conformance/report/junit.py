"""The report as JUnit XML, for what reads the results of tests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.recording import Call
from conformance.report.failure import call_lines
from conformance.report.tally import word
from conformance.report.text import one_line, printable, reason_of
from conformance.report.verdict import CODE, FAILED, is_untold

_MESSAGE_MOST = 1_000
_KEPT = "\n\t"


def junit(report: Mapping[str, Any]) -> str:
    """Return the JUnit XML of a record: a suite for each backend, contract and suite, a case for each check.

    A backend that is red for another reason than a check has a suite with one case, which is its verdict and fails.
    What fails to JUnit is what fails a run; all else that is no pass is skipped, with its word as the type.

    It has no element that the schema of Jenkins (junit-10.xsd) does not know. So the properties of the run are those of
    each suite, and what a check did is its output.

    Args:
        report: The record, as `make_report` returns it.
    """
    root = ET.Element("testsuites", name="conformance")
    for backend in report["backends"]:
        facts = dict(_facts(report, backend))
        for contract in backend["contracts"]:
            for suite in contract["suites"]:
                name = f"{backend['name']}/{contract['name']}/{suite['name']}"
                _add_suite(root, name, suite["checks"], facts)
        if is_untold(backend):
            _add_verdict(root, backend, facts)
    for suite in root:
        suite.set("timestamp", printable(report["date"]))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in root):.3f}")
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _facts(report: Mapping[str, Any], backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "verdict", backend["verdict"]
    yield "why", backend["why"]
    for name in ("edition", "effort", "seed", "shard"):
        yield name, str(report[name])
    yield "kit", report["kit"]["version"]
    yield "version", backend["version"]
    yield "checks", f"{backend['selected']} of {backend['of']}"
    for name, reason in backend["lacks"].items():
        yield f"lacks.{name}", reason
    for one in backend["required"]:
        yield f"required.{one['level']}", one["why"]
    for promise in backend["promises"]:
        for fact in ("claimed", "observed"):
            yield f"promise.{promise['name']}.{fact}", promise[fact]
        for fact in ("broken", "not_measured"):
            yield f"promise.{promise['name']}.{fact}", " ".join(promise[fact])


def _add_suite(root: ET.Element, name: str, checks: Sequence[Mapping[str, Any]], facts: Mapping[str, str]) -> None:
    words = [word(check) for check in checks]
    failed = sum(one in FAILED for one in words)
    counts = {
        "tests": str(len(checks)),
        "failures": str(failed),
        "errors": "0",
        "skipped": str(len(checks) - failed - words.count("pass")),
        "time": f"{sum(check['duration_s'] for check in checks):.3f}",
    }
    suite = _suite(root, name, counts, facts)
    for check, one in zip(checks, words, strict=True):
        _add_case(suite, check, one)


def _add_verdict(root: ET.Element, backend: Mapping[str, Any], facts: Mapping[str, str]) -> None:
    counts = {"tests": "1", "failures": "1", "errors": "0", "skipped": "0", "time": "0.000"}
    suite = _suite(root, f"{backend['name']}/{CODE}", counts, facts)
    case = _case(suite, CODE, "0.000")
    message = one_line(f"{backend['verdict']}: {backend['why']}", _MESSAGE_MOST)
    ET.SubElement(case, "failure", type=printable(backend["verdict"]), message=message)


def _suite(root: ET.Element, name: str, counts: Mapping[str, str], facts: Mapping[str, str]) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", {"name": printable(name), **counts})
    properties = ET.SubElement(suite, "properties")
    for fact, value in facts.items():
        if value:
            ET.SubElement(properties, "property", name=printable(fact), value=printable(value))
    return suite


def _case(suite: ET.Element, name: str, time: str) -> ET.Element:
    classname = suite.get("name", "").replace("/", ".")
    return ET.SubElement(suite, "testcase", classname=classname, name=printable(name), time=time)


def _add_case(suite: ET.Element, check: Mapping[str, Any], what: str) -> None:
    case = _case(suite, check["code"], f"{check['duration_s']:.3f}")
    if what != "pass":
        message = one_line(reason_of(check), _MESSAGE_MOST)
        found = ET.SubElement(case, "failure" if what in FAILED else "skipped", type=what, message=message)
        if check["counterexample"] is not None:
            found.text = printable("\n".join(_told(check["counterexample"])), keep=_KEPT)
    did = [f"{count} {kind}" for kind, count in check["evidence"].items()]
    told = [str(check["sentence"]), f"{check['level']}, evidence: {', '.join(did) or 'none'}"]
    ET.SubElement(case, "system-out").text = printable("\n".join(told), keep=_KEPT)


def _told(example: Mapping[str, Any]) -> Iterator[str]:
    yield example["what"]
    yield f"  expected  {example['expected']}"
    yield f"  got       {example['got']}"
    if example["note"]:
        yield example["note"]
    yield from example["story"]
    yield from call_lines([Call(**call) for call in example["calls"]])
    if example["frame"]:
        yield f"in the store: {example['frame']}"
    if example.get("rerun"):
        yield f"rerun: {example['rerun']}"
