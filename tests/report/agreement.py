"""What each output says of how many checks came to what, read from its text as a reader would."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tests.report.records import checks

#: Words of the summary, as they begin a line, and those of the other outputs.
_LINES = {
    "new failure": "new failure",
    "stale gap": "stale gap",
    "inconclusive": "inconclusive",
    "known gap": "known gap",
    "should": "broken should",
    "provisional": "provisional",
}
_PLURALS = {
    "new failures": "new failure",
    "stale gaps": "stale gap",
    "known gaps": "known gap",
    "broken shoulds": "broken should",
    "passed": "pass",
}
_TALLY = re.compile(r"(\d+) ([a-z ]+)")


def in_record(report: Mapping[str, Any]) -> Counter[str]:
    """Return how many checks of a record came to what, from its outcomes and levels and what is newer than it."""
    return Counter(map(_word, checks(report)))


def _word(check: Mapping[str, Any]) -> str:
    if check["provisional"] and check["outcome"] not in ("pass", "not applicable"):
        return "provisional"
    broken = {"must": "new failure", "should": "broken should"}
    return broken[check["level"]] if check["outcome"] == "fail" else str(check["outcome"])


def in_terminal(lines: Iterable[str]) -> Counter[str]:
    """Return the counts of a summary in rows; passes are those of its columns."""
    found: Counter[str] = Counter()
    for line in lines:
        word = line[2:14].strip()
        if word in _LINES and re.match(r"[A-Z]+-", line[15:]):
            found[_LINES[word]] += 1
        elif told := re.match(r"  provisional  (\d+) checks? newer than edition \S+ passed", line):
            found["pass"] += int(told[1])
        elif told := re.match(r"  blocked by \S+ \(not run\): (.*)", line):
            codes, _, more = told[1].partition(" and ")
            found["blocked"] += len(codes.split()) + (int(more.split()[0]) if more else 0)
        elif told := re.match(r"  n/a (\d+): ", line):
            found["not applicable"] += int(told[1])
        elif told := re.match(r"  \S+/\S+ +(\d+/\d+|-) +(\d+/\d+|-) +(\d+|-) +(\d+|-)   ", line):
            found["pass"] += sum(int(cell.partition("/")[0]) for cell in told.groups()[:2] if cell != "-")
    return found


def tallied(text: str) -> Counter[str]:
    """Return the counts of `1 new failure, 2 passed`."""
    told = [(int(number), str(words).strip()) for number, words in _TALLY.findall(text)]
    return Counter({_PLURALS.get(words, words): number for number, words in told})


def in_markdown(text: str) -> Counter[str]:
    """Return the counts that its first lines say; require that the sections below have as many."""
    told = re.search(r"^.*?\d+ checks?: (.*)\.$", text, re.MULTILINE)
    assert told
    found = tallied(told[1])
    headings = {
        "New failures": "new failure",
        "Broken shoulds, which do not change the verdict": "broken should",
        "Stale gaps": "stale gap",
        "Inconclusive": "inconclusive",
        "Blocked": "blocked",
        "Provisional: newer than the edition, gates nothing yet": "provisional",
        "Known gaps": "known gap",
        "Not applicable": "not applicable",
    }
    for heading, word in headings.items():
        sections = re.findall(rf"^### {heading} \((\d+)\)$", text, re.MULTILINE)
        assert sum(map(int, sections)) == found[word]
    return found


def in_html(text: str) -> Counter[str]:
    """Return the counts of the page's last line."""
    told = re.search(r"<footer>\s*<p>(.*?) of (\d+) checks\.", text)
    assert told
    assert sum(tallied(told[1]).values()) == int(told[2])
    return tallied(told[1])


def in_junit(text: str) -> Counter[str]:
    """Return the counts of the cases of checks; require that those of the suites are of all their cases."""
    root = ET.fromstring(text.encode())
    found: Counter[str] = Counter()
    for suite in root.iter("testsuite"):
        cases = suite.findall("testcase")
        ends = [child for case in cases for child in case if child.tag in ("failure", "skipped")]
        if [case.attrib["name"] for case in cases] != ["verdict"]:  # which is no check
            found.update(child.attrib["type"] for child in ends)
            found["pass"] += len(cases) - len(ends)
        assert int(suite.attrib["tests"]) == len(cases)
        assert int(suite.attrib["failures"]) == sum(child.tag == "failure" for child in ends)
        assert int(suite.attrib["skipped"]) == sum(child.tag == "skipped" for child in ends)
    return found


def in_pytests_junit(text: str) -> Counter[str]:
    """Return the counts of the properties that pytest's own XML has, by outcome and level."""
    found: Counter[str] = Counter()
    for case in ET.fromstring(text).iter("testcase"):
        facts = {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
        broken = {"must": "new failure", "should": "broken should"}[facts["conformance_level"]]
        found[broken if facts["conformance_outcome"] == "fail" else facts["conformance_outcome"]] += 1
    return found


def evidence_in_pytests_junit(text: str) -> dict[str, dict[str, int]]:
    """Return the evidence of each check, of the properties that pytest's own XML has."""
    found: dict[str, dict[str, int]] = {}
    facts = ("conformance_code", "conformance_level", "conformance_outcome")
    for case in ET.fromstring(text).iter("testcase"):
        of = {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
        counts = {name: value for name, value in of.items() if name not in facts}
        found[of["conformance_code"]] = {name.removeprefix("conformance_"): int(n) for name, n in counts.items()}
    return found
