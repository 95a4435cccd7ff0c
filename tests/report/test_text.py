"""Text of any origin, made fit for files that other programs read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from conformance.report.annotations import workflow_commands
from conformance.report.badge import badge
from conformance.report.junit import junit
from conformance.report.markdown import code_block, escaped
from conformance.report.text import one_line, printable
from tests.report.records import EXAMPLE, record

#: Of all planes and categories, lone surrogates among them, and often of signs that mean something somewhere.
TEXTS = st.text(st.characters(exclude_categories=()) | st.sampled_from("|`<>&*_[]\\\n\r\t\x00\x1b\ud800\u202e%:,#-1."))


@given(TEXTS, st.sampled_from(["", "\n", "\n\t"]))
@example("\ud800\udc00", "")
def test_what_has_no_shape_is_shown_by_its_escape(text: str, keep: str) -> None:
    """The rest can be encoded, and is as it was; the escapes are those of Python, so nothing is lost."""
    shown = printable(text, keep)
    shown.encode()
    assert all(c.isprintable() or c in keep for c in shown)
    if text.isprintable():
        assert shown == text
    if "\\" not in text:
        assert re.sub(r"\\(x..|u....|U.{8}|[tnr])", lambda f: f[0].encode().decode("unicode_escape"), shown) == text


@given(TEXTS, st.integers(1, 50))
def test_a_line_is_one_and_not_too_long(text: str, most: int) -> None:
    """Runs of white space are one space; what is cut says so."""
    line = one_line(text, most)
    assert len(line) <= most
    assert line.isprintable()
    assert line == printable(" ".join(text.split())) or line.endswith("…")


@given(TEXTS)
@example("a_b_ **c** `d` [e](f) ~~g~~ \\")
@example("1. one")
@example("## two :three: &#124;")
def test_no_sign_of_markdown_is_left(text: str) -> None:
    """Each is behind a backslash or an entity; taking those away gives the line back."""
    shown = escaped(text)
    bare = re.sub(r"\\[\\`*_\[\]~#+=.)-]|&#\d+;", "", shown)
    assert not re.search(r"[\\`*_\[\]~|<>$&]", bare)
    assert not re.match(r"[#+=-]|\d+[.)]", shown)
    assert not re.search(r":[\w+-]+:", shown)
    back = re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), shown)
    assert re.sub(r"\\([\\`*_\[\]~#+=.)-])", r"\1", back) == one_line(text, 400)


@given(st.lists(TEXTS, max_size=4))
@example(["```", "````text"])
def test_a_block_ends_where_it_ends(lines: list[str]) -> None:
    """No line of it is a fence as long as its own, or longer."""
    first, *inner, last = code_block(lines).split("\n")
    assert first == f"{last}text"
    assert set(last) == {"`"}
    assert not any(last in line for line in inner)


@settings(deadline=None, max_examples=30)
@given(TEXTS)
@example("]]>\x00\ud800\ufffe")
def test_xml_is_well_formed(text: str) -> None:
    """Of JUnit and of the badge, whatever stands in the record."""
    wild = replace(EXAMPLE, what=text, expected=text, got=text, note=text, frame=text, story=(text,))
    report = record({"STATE-LIST-01": "fail"}, only=["STATE-LIST-01"], examples={"STATE-LIST-01": wild})
    report["backends"][0]["name"] = report["verdict"] = text
    failure = ET.fromstring(junit(report).encode()).find(".//failure")
    assert failure is not None
    ET.fromstring(badge(report).encode())


@settings(deadline=None, max_examples=30)
@given(TEXTS)
@example("%0A::error::x")
@example("a\r\n::warning title=x::y")
def test_a_command_is_one_line(text: str) -> None:
    """No text ends a command or begins another one."""
    wild = replace(EXAMPLE, what=text, expected=text, got=text, frame=text)
    report = record({"STATE-LIST-01": "fail"}, only=["STATE-LIST-01"], examples={"STATE-LIST-01": wild})
    (line,) = workflow_commands(report, Path())
    assert line.isprintable()
    assert line.startswith("::error title=STATE-LIST-01 new failure::mystore: ")
