"""The page: true to the record, whole, safe whatever stores say, and small enough to be sent."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import pytest

from conformance.check import catalogue
from conformance.report.html import html_report
from conformance.report.html_checks import evidence_told
from conformance.report.load import LoadError, record_of
from conformance.report.matrix import matrix_cells
from conformance.report.tally import by_word, word
from conformance.result import Outcome
from tests.report.findings import CRASH, DAMAGE, HOSTILE, RACE, hostile
from tests.report.records import EVERY_OUTCOME, checks, every_outcome, record, together
from tests.report.tree import Node, columns, tree_of

EXAMPLES = {"STATE-CRASH-01": CRASH, "STATE-LIST-01": RACE}


def page(report: dict[str, Any]) -> Node:
    """Return the page of a record as a tree."""
    return tree_of(html_report(report))


def two_backends() -> dict[str, Any]:
    """Return the record of two backends that differ."""
    return together(
        record({"STATE-LIST-01": "fail", "STATE-CAS-01": "not applicable"}, name="one", address="one:open"),
        record({"STATE-LIST-01": "known gap", "STATE-CRASH-01": "fail"}, name="two", address="two:open"),
    )


REPORTS = {
    "every outcome": every_outcome,
    "two backends": two_backends,
    "hostile": lambda: record(
        dict.fromkeys(("STATE-LIST-01", "STATE-CRASH-01"), "fail"),
        examples=dict.fromkeys(("STATE-LIST-01", "STATE-CRASH-01"), hostile(500)),
        name=HOSTILE,
        address=HOSTILE,
        lacks={"ttl": HOSTILE},
    ),
    "pictures": lambda: record(dict.fromkeys(EXAMPLES, "fail"), examples=EXAMPLES),
    "nothing": lambda: record(only=()),
    "unopened": lambda: record(error="ModuleNotFoundError: no"),
}


@cache
def known(name: str) -> tuple[dict[str, Any], str, Node]:
    """Return one of REPORTS, its page, and that as a tree; tests change none of them."""
    report = REPORTS[name]()
    text = html_report(report)
    return report, text, tree_of(text)


@pytest.mark.parametrize("name", REPORTS)
def test_counts_agree_with_the_record(name: str) -> None:
    """Findings, passed checks, groups of others, the matrix and the last line have what the record has."""
    report, _, tree = known(name)
    found = by_word(checks(report))
    told = [node.attributes["id"] for node in tree.all("article")]
    grouped = ("blocked", "not applicable", "pass")
    assert len(told) == sum(len(some) for key, some in found.items() if key not in grouped)
    for key, some in found.items():
        if key not in grouped:
            section = tree.one("section", id=key.replace(" ", "-"))
            assert len(list(section.all("article"))) == len(some)
            assert section.one("h2").text.endswith(f" {len(some)}")
    for key in ("blocked", "not applicable"):
        table = [node for node in tree.all("section") if node.attributes.get("id") == key.replace(" ", "-")]
        counted = [int(row[len(row) - 3]) for section in table for row in columns(section.one("table"))]
        assert sum(counted) == len(found.get(key, ()))
    passed = tree.one("section", id="passed")
    signs = [node.text for node in passed.all("td") if len(report["backends"]) > 1 and node.text.startswith("✓")]
    rows = [row for table in passed.all("table") for row in columns(table)]
    assert len(signs or rows) == len(found.get("pass", ()))
    assert passed.one("h2").text == f"Passed checks {len(found.get('pass', ()))}"
    assert f"of {len(checks(report))} checks" in tree.one("footer").text


def test_the_matrix_is_that_of_the_terminal() -> None:
    """The same counts in each cell, with the evidence."""
    report = record(EVERY_OUTCOME, of=("state", "log"))
    suites, cells = matrix_cells(report["backends"][0])
    table = page(report).one("table", "matrix")
    assert [node.text for node in table.one("thead").all("th")] == ["Contract", *suites]
    for row, (contract, expected) in zip(columns(table), cells.items(), strict=True):
        assert row[0] == contract
        for shown, (text, _) in zip(row[1:], expected, strict=True):
            counts = re.search(r"\d+/\d+", text)
            assert counts is None or counts[0] in shown
            assert (counts is None) == (shown in ("-", "n/a"))


def test_sections_come_in_order() -> None:
    """The verdict first, what passed last."""
    tree = known("every outcome")[2]
    assert [node.attributes["id"] for node in tree.one("main").all("section")] == [
        "matrix",
        "promises",
        "new-failure",
        "stale-gap",
        "known-gap",
        "broken-should",
        "inconclusive",
        "blocked",
        "not-applicable",
        "capabilities",
        "left-out",
        "passed",
    ]
    band = tree.one("section", "band")
    assert band.one("h1").text == "mystore ✗ NOT CONFORMANT"
    assert "2 new failures, 1 stale gap" in band.text
    head = tree.one("header").text
    assert "date 2026-01-02 03:04:05 UTC" in head
    for label in ("kit", "effort normal", "seed 0", "machine", "address mystore.py:backend"):
        assert label in head


@pytest.mark.parametrize("name", REPORTS)
def test_anchors_are_unique_and_lead_somewhere(name: str) -> None:
    """Each id is there once, and each link within the page has one."""
    tree = known(name)[2]
    ids = [node.attributes["id"] for node in tree.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    links = [node.attributes["href"] for node in tree.all("a")]
    assert links
    assert {link for link in links if not link.startswith("#")} == set()
    assert {link[1:] for link in links} <= set(ids)


def test_a_finding_has_its_code_as_anchor() -> None:
    """With several backends, the name too, so that each has its own."""
    assert known("every outcome")[2].one("article", id="STATE-LIST-01")
    told = [node.attributes["id"] for node in known("two backends")[2].all("article")]
    assert sorted(told) == ["STATE-CRASH-01.two", "STATE-LIST-01.one", "STATE-LIST-01.two"]
    alike = together(
        record({"STATE-LIST-01": "fail"}, name="a b"),
        record({"STATE-LIST-01": "fail"}, name="a-b"),
    )
    assert len({node.attributes["id"] for node in page(alike).all("article")}) == 2


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_loaded(name: str) -> None:
    """The page asks for nothing, and forbids itself to; only its own script may run."""
    _, text, tree = known(name)
    assert [node.attributes["href"] for node in tree.all("link")] == ["data:,"]
    assert not any({"src", "srcset", "poster", "data", "action"} & node.attributes.keys() for node in tree.all())
    assert not any(key.startswith("on") for node in tree.all() for key in node.attributes)
    assert "url(" not in text
    assert "@import" not in text
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    policy = next(node.attributes["content"] for node in tree.all("meta") if "http-equiv" in node.attributes)
    assert len(script) == 1
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}'" in policy


def test_hostile_texts_are_only_texts() -> None:
    """No element, no control character and no surrogate comes of what a store says."""
    _, text, tree = known("hostile")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e]", text)
    text.encode("utf-8")
    assert len(list(tree.all("script"))) == len(list(tree.all("style"))) == 1
    shown = tree.one("article", id="STATE-LIST-01").text
    assert r"""<script>alert(1)</script>"'>&amp;\x00\x1b[31m\ud800\u202e{{ 7 * 7 }}</pre></style>""" in shown
    assert "49" not in tree.one("title").text


def test_long_texts_are_cut_and_say_so() -> None:
    """However much stores say, in however many findings; those without room keep rule, expected and got."""
    codes = [code for code, check in catalogue().items() if check.contract == "state"][:100]
    report = record(dict.fromkeys(codes, "fail"), examples=dict.fromkeys(codes, hostile()))
    text = html_report(report)
    assert len(text.encode()) < 600_000
    tree = tree_of(text)
    assert f"({len(HOSTILE) + 100_000 - 1_500:,} more characters)" in tree.one("article", id=codes[0]).text
    brief = [node for node in tree.all("article") if "There is no room in this page" in node.text]
    assert 0 < len(brief) < 100
    assert all(len(list(node.one("dl", "pair").all("dd"))) == 2 for node in brief)


def test_a_usual_report_is_small() -> None:
    """Of five contracts, with some failures, it can be attached to a mail."""
    contracts = ("state", "log", "runs", "jobs", "layers")
    outcomes: dict[str, Outcome] = {
        **EVERY_OUTCOME,
        **dict.fromkeys(("LOG-CRASH-01", "RUNS-FIELD-01", "JOBS-CLAIM-01"), "fail"),
    }
    report = record(outcomes, of=contracts, examples={"STATE-CRASH-01": CRASH, "STATE-LIST-01": RACE})
    assert len(checks(report)) > 600
    assert len(html_report(report).encode()) < 300_000


def test_a_crash_is_drawn() -> None:
    """Each call has what became of it as a word, the crash its place, and the files what they were and are."""
    article = known("pictures")[2].one("article", id="STATE-CRASH-01")
    rows = columns(article.one("table", "crash"))
    assert [row for row in rows if row[0] not in ("", "store")] == [
        ["durable", "create data"],
        ["on disk", "mkdir folder"],
        ["TORN 1/2", "write data [0..600)"],
        ["LOST", "rename data.tmp -> other"],
        ["⚡", "POWER LOSS HERE (acknowledged 1 of 1 begun)"],
    ]
    assert ["store", "store['a'] = 1"] in rows
    assert ["", "✓ ACKNOWLEDGED"] in rows
    assert ["", "sync data FAILED"] in rows
    assert columns(article.one("table", "files")) == [
        ["data", "600 bytes", "512 bytes", "shorter"],
        ["other", "9 bytes", "not there", "GONE"],
        ["data.tmp", "not there", "9 bytes", "still there"],
        ["same", "5 bytes", "5 bytes", "as it was"],
    ]
    for words in ("Not synced by then: the content of data", "3 more files", "not synced: it did not survive"):
        assert words in article.text
    assert article.one("pre").text == "print('again')"  # and not the story, which is drawn
    assert "pytest --backend=mystore -k STATE-CRASH-11 --effort=quick" in article.one("dl", "commands").text
    assert "conformance explain STATE-CRASH-01" in article.text


def test_a_kill_takes_nothing_from_the_system() -> None:
    """What was not synced is on the disk all the same, and not by chance."""
    assert CRASH.picture is not None
    killed = {**CRASH.picture, "kill": True}
    report = record({"STATE-CRASH-01": "fail"})
    example = next(check["counterexample"] for check in checks(report) if check["counterexample"])
    example["picture"] = killed
    article = page(report).one("article")
    assert "a kill takes nothing away" in article.text
    assert "it may survive" not in article.text


def test_a_timeline_is_drawn() -> None:
    """With a bar for each call, the moment it is broken, and the same as text."""
    article = known("pictures")[2].one("article", id="STATE-LIST-01")
    drawing = article.one("svg")
    assert len(list(drawing.all("rect"))) == 2
    assert "from here on no order explains it" in drawing.text
    assert "get('a') -> missing" in article.one("pre").text


def test_damage_is_drawn() -> None:
    """Lines as they were and as they are, with the bytes that changed."""
    report = record({"STATE-CORR-01": "fail"}, examples={"STATE-CORR-01": DAMAGE})
    article = page(report).one("article")
    rows = columns(article.one("table", "hex"))
    assert [row[1:3] for row in rows] == [
        ["00000000", "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f"],
        ["00000010", "41 42 43 44 45 46 47 48"],
        ["00000010", "41 4a 43 44 45 46 47 48"],
    ]
    assert [row[0] for row in rows] == ["same", "- before", "+ after"]
    assert [node.text for node in article.all("mark")] == ["42", "B", "4a", "J"]
    assert "7 more lines differ" in article.text


def test_calls_are_numbered() -> None:
    """With their outcomes, the last one marked; of many the middle is left out."""
    article = known("every outcome")[2].one("article", id="STATE-LIST-01")
    assert columns(article.one("table", "calls")) == [
        ["1", "store = session.open()", "-> Store"],
        ["2", "store['a']", "-> None ← here"],
    ]
    many = page(record({"STATE-LIST-01": "fail"}, examples={"STATE-LIST-01": hostile(10)}))
    assert "… 69 more calls …" in many.one("table", "calls").text


def test_a_rule_has_its_reason() -> None:
    """From the catalogue, where its rule is the same; of a rule that reads otherwise nothing is said."""
    report = record({"STATE-LIST-01": "fail"})
    why = catalogue()["STATE-LIST-01"].why
    assert why[1:] in page(report).one("article").text
    for check in checks(report):
        check["sentence"] += " Or not."
    assert why[1:] not in page(report).one("article").text


def test_known_gaps_have_their_reason_and_last_day() -> None:
    """As the record has them."""
    report = record({"STATE-VALUE-01": "known gap"})
    gap = {"reason": "issue 12", "expires": "2026-03-01", "days_left": 58, "source": "pyproject.toml"}
    for check in checks(report):
        if check["outcome"] == "known gap":
            check["gap"] = gap
    shown = page(report).one("article").text
    assert "known gap: issue 12 (expires in 58 days, the last day is 2026-03-01)" in shown


def test_what_was_left_out_is_said() -> None:
    """States beyond a budget, levels that were not measured, checks that were not selected, kinds of damage."""
    report = record({"STATE-CORR-01": "pass"}, only=["STATE-CRASH-01", "STATE-CORR-01"])
    for check in checks(report):
        if check["code"] == "STATE-CRASH-01":
            check["evidence"]["states left out"] = 1_234
            check["conditions"] = {"recorder": "seccomp"}
        else:
            check["conditions"] = {"bit flipped": "3 detected, 1 silent wrong"}
    tree = page(report)
    told = tree.one("section", id="left-out")
    assert "at least 1,234 in state/crash-recovery" in told.text
    assert "recorder seccomp (1 check)" in told.text
    assert f"of {report['backends'][0]['of']:,} checks were not carried out" in told.text
    assert "promise durability not measured: power-loss, prefix, process-crash" in told.text
    assert columns(told.one("table", "damages")) == [["bit flipped", "3", "1"]]
    assert "only a part of a full run" in tree.one("section", "band").text


def test_several_backends_stand_side_by_side() -> None:
    """A verdict for each, the matrix in one table, checks that differ, and what each did for a check."""
    report, _, tree = known("two backends")
    assert [node.text for band in tree.all("section", "band") for node in band.all("h2")] == [
        "one ✗ NOT CONFORMANT",
        "two ✗ NOT CONFORMANT",
    ]
    assert [row[-6] for row in columns(tree.one("table", "matrix"))] == ["one", "two"]
    judged, offered = tree.one("section", id="differences").all("table")
    assert [[row[0], *row[2:]] for row in columns(judged)] == [
        ["STATE-CRASH-01", "✓ passed", "✗ new failure"],
        ["STATE-LIST-01", "✗ new failure", "~ known gap"],
    ]
    assert [[row[0], *row[2:]] for row in columns(offered)] == [["STATE-CAS-01", "- not applicable", "✓ passed"]]
    passed = {row[0]: row[2:] for table in tree.one("section", id="passed").all("table") for row in columns(table)}
    assert passed["STATE-CRASH-01"] == ["✓ 12 comparisons, 40 calls", "✗ new failure"]
    differ = [code for code, one, two in zip(*_words(report), strict=True) if one != two]
    assert sorted(differ) == ["STATE-CAS-01", "STATE-CRASH-01", "STATE-LIST-01"]


def _words(report: dict[str, Any]) -> Iterator[list[str]]:
    """Give the codes, and what they came to on each backend."""
    by_backend = [checks({"backends": [backend]}) for backend in report["backends"]]
    yield [check["code"] for check in by_backend[0]]
    for some in by_backend:
        yield [word(check) for check in some]


def test_evidence_is_that_of_the_record() -> None:
    """Of each passed check, and added up for its suite."""
    report, _, tree = known("every outcome")
    passed = tree.one("section", id="passed")
    rows = {row[0]: row[2] for table in passed.all("table") for row in columns(table)}
    for check in checks(report):
        if check["outcome"] == "pass":
            assert rows[check["code"]] == evidence_told(check["evidence"])


@pytest.mark.parametrize("name", REPORTS)
def test_tables_can_be_read_aloud(name: str) -> None:
    """Each has a caption, each of its heads says what it is the head of, and what scrolls can be reached by keys."""
    tree = known(name)[2]
    for table in tree.all("table"):
        assert [node.tag for node in table.inside if isinstance(node, Node)][:2] == ["caption", "thead"]
        assert table.one("caption").text
        assert all(node.attributes.get("scope") in ("col", "row", "rowgroup") for node in table.all("th"))
    for scroll in tree.all(name="scroll"):
        assert scroll.attributes["tabindex"] == "0"
        assert scroll.tag == "pre" or scroll.attributes["aria-label"]
    assert tree.one("html").attributes["lang"] == "en"
    assert len(list(tree.all("h1"))) == 1


@pytest.mark.parametrize("name", REPORTS)
def test_colour_is_never_the_only_sign(name: str) -> None:
    """Whatever has a colour has a word too, or a sign."""
    for node in known(name)[2].all("span"):
        if {"good", "bad", "warn", "fate"} & set(node.attributes.get("class", "").split()):
            assert node.text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_told_from_their_ground(scheme: str) -> None:
    """Words have a contrast of 4.5 at least. Source: WCAG 2.2, 1.4.3 and its definition of relative luminance."""
    style = page(record(only=())).one("style").text
    light, dark = re.findall(r":root \{(.*?)\}", style)[:2]
    colours = {name: code for part in (light, *[dark] * (scheme == "dark")) for name, code in _colours(part)}
    for ground in ("page", "panel"):
        for ink in ("text", "soft", "link", "good", "warn", "bad", "witness"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for tone in ("good", "warn", "bad"):
        for ink in (tone, "text"):
            assert _contrast(colours[ink], colours[f"{tone}-back"]) >= 4.5, (ink, tone)
    assert _contrast(colours["bad"], colours["mark"]) >= 4.5
    assert _contrast(colours["good"], colours["mark-good"]) >= 4.5


def _colours(style: str) -> list[tuple[str, str]]:
    return re.findall(r"--([\w-]+): #([0-9a-f]{6})", style)


def _contrast(one: str, other: str) -> float:
    first, second = sorted((_luminance(one), _luminance(other)))
    return (second + 0.05) / (first + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_whatever_can_be_read_can_be_shown() -> None:
    """A record that somebody has edited is refused with a sentence, or has a page."""
    examples = {**EXAMPLES, "STATE-CORR-01": DAMAGE}
    report = record(dict.fromkeys(examples, "fail"), only=list(examples), examples=examples)
    text = json.dumps(report)
    tried = shown = 0
    for path in _paths(json.loads(text)["backends"][0]["contracts"], ()):
        for other in (None, -1, "zz"):
            edited = json.loads(text)
            _put(edited["backends"][0]["contracts"], path, other)
            tried += 1
            with suppress(LoadError):
                html_report(record_of(json.dumps(edited), "edited.json"))
                shown += 1
    assert 100 < shown < tried


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Give the way to each thing in the counterexamples."""
    if "counterexample" in path and path[-1] != "counterexample":
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def _put(value: Any, path: tuple[Any, ...], other: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = other
