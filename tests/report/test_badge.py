"""The badge says the verdict and what it is about, and is green only for the whole."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from conformance.report.badge import GREEN, GREY, RED, YELLOW, badge, badge_text
from tests.report.records import every_outcome, record, together

GAPS: Any = {"STATE-VALUE-01": "known gap", "STATE-VALUE-02": "known gap"}
SHARD = {**record(only=["STATE-VALUE-01"]), "verdict": "CONFORMANT (shard 1/2)"}


@pytest.mark.parametrize(
    ("report", "text", "colour"),
    [
        (record(), "CONFORMANT", GREEN),
        (record(GAPS), "CONFORMANT, 2 known gaps", YELLOW),
        (every_outcome(), "NOT CONFORMANT", RED),
        (record({"STATE-CORR-01": "inconclusive"}), "INCONCLUSIVE", GREY),
        (record(error="no server"), "INCONCLUSIVE", GREY),
        (record(only=["STATE-VALUE-01"]), "CONFORMANT in the 1 of 209 checks", YELLOW),
        (record(suites=["round-trip"]), "CONFORMANT in round-trip", YELLOW),
        (record(GAPS, suites=["round-trip", "replay"]), "CONFORMANT, 2 known gaps in replay, round-trip", YELLOW),
        ({**record(), "verdict": "NOT JUDGED"}, "NOT JUDGED", GREY),
        (SHARD, "CONFORMANT (shard 1/2) in the 1 of 209 checks", YELLOW),
        (together(record(), record(name="other")), "CONFORMANT (2 backends)", GREEN),
        (together(record(), every_outcome()), "NOT CONFORMANT (2 backends)", RED),
        (
            together(record(), record(suites=["round-trip"], name="other")),
            "CONFORMANT (2 backends) in round-trip",
            YELLOW,
        ),
    ],
)
def test_text_and_colour(report: dict[str, Any], text: str, colour: str) -> None:
    """A part of the suites or of the checks is named, and is never green."""
    assert badge_text(report) == (text, colour)
    root = ET.fromstring(badge(report))
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == root.findtext("svg:title", "", space) == f"conformance: {text}"
    assert [one.text for one in root.findall(".//svg:text", space)] == ["conformance", text]
    assert (GREEN in badge(report)) == (colour == GREEN)


def test_a_suite_of_which_nothing_applies_is_left_out_of_the_text() -> None:
    """Where all suites ran, those that tested something are named; nothing was selected, so it may be green."""
    report = record()
    for suite in report["backends"][0]["contracts"][0]["suites"]:
        if suite["name"] == "replay":
            for check in suite["checks"]:
                check["outcome"] = "not applicable"
    assert badge_text(report) == ("CONFORMANT in concurrency, corruption, crash-recovery, round-trip", GREEN)


def test_one_met_case_is_no_whole_run() -> None:
    """The badge of a saved state that was met again names it."""
    report = record()
    report["backends"][0]["case"] = "STATE-CRASH-01"
    assert badge_text(report) == ("CONFORMANT in the one saved state of STATE-CRASH-01", YELLOW)


def test_the_width_comes_from_the_text() -> None:
    """A longer text makes a wider badge, and stands in the middle of its half."""
    widths = []
    for report in (record(), record(GAPS), record(only=["STATE-VALUE-01"])):
        root = ET.fromstring(badge(report))
        label, text = root.findall(".//{http://www.w3.org/2000/svg}text")
        width, left = int(root.attrib["width"]), 2 * float(label.attrib["x"])
        assert float(text.attrib["x"]) == (left + width) / 2
        assert int(text.attrib["textLength"]) == width - left - 14
        widths.append(width)
    assert widths == sorted(set(widths))


def test_whatever_a_record_says_is_text() -> None:
    """A verdict with signs of XML and control characters is shown, and cut where it is long."""
    report = {**record(), "verdict": "CONFORMANT <&>\x00\ud800 " + "x" * 200}
    root = ET.fromstring(badge(report).encode())
    shown = root.findall(".//{http://www.w3.org/2000/svg}text")[1].text or ""
    assert shown.startswith("CONFORMANT <&>\\x00\\ud800 x")
    assert len(shown) == 90
