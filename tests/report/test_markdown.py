"""The Markdown of a record: the verdict first, everything that is no plain pass, and never too large."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from conformance.recording import Call
from conformance.report.markdown import SIZE_MOST, code_block, escaped, markdown
from tests.report.records import EVERY_OUTCOME, EXAMPLE, every_outcome, record, together

HOSTILE = (
    "| cell ||\n# heading\n<script>alert(1)</script> </details> <!-- `tick` ``` ~~~ **bold** _low_ "
    "[link](http://x) ![i](x) $x$ :tada: \\ & &lt; \x1b[31m \u202e \ud800 \x00"
)


def test_the_verdict_comes_first() -> None:
    """Then why, how many checks came to what, and how it was run."""
    lines = [line for line in markdown(every_outcome()).splitlines() if line]
    assert lines[0] == "## NOT CONFORMANT: mystore"
    assert lines[1].startswith("<sub>edition ")
    assert lines[2] == (
        "2 new failures, 1 stale gap. 209 checks: 2 new failures, 1 stale gap, 1 inconclusive, 1 blocked, "
        "1 broken should, 2 known gaps, 3 not applicable, 198 passed."
    )


def test_a_conformant_store_is_said_to_be_so_where_it_was_tested() -> None:
    """The scope stands beside the verdict: a part is never passed off as the whole."""
    assert "In concurrency, corruption, crash-recovery, replay, round-trip. 209 checks" in markdown(record())
    part = markdown(record(only=["STATE-VALUE-01", "STATE-VALUE-02"]))
    assert "In the 2 of 209 checks that were selected. 2 checks: 2 passed." in part
    assert "- 207 of 209 checks of these suites, which were not carried out" in part
    assert "- durability power-loss" in part.partition("### Not measured")[2]


def test_everything_that_is_no_pass_is_told() -> None:
    """Each failure with rule, expected, got, calls and frame; each other outcome with its reason."""
    text = markdown(every_outcome())
    failure = text.partition("**STATE-LIST-01** ")[2].partition("**STATE")[0]
    for part in (
        "  expected  KeyError to be raised",
        "  got       None",
        "<details><summary>2 calls</summary>",
        "    2. store['a']  -> None    <-- here",
        "1 of 2 cases fails: a.",
        "in the store: mystore.py:9 in __getitem__: return self.get(key)",
        "explain: conformance explain STATE-LIST-01",
    ):
        assert part in failure
    assert "### Broken shoulds, which do not change the verdict (1)" in text
    assert "- **STATE-ALIAS-02** listed in known-gaps (issue 13) but passes now: delete the entry" in text
    assert "- **STATE-CORR-01** the worker died" in text
    assert "- **STATE-CRASH-33** blocked by STATE-CRASH-01" in text
    assert "- **STATE-VALUE-01** issue 12" in text
    assert "- 2: cas is not offered <sub>STATE-CAS-01 STATE-CAS-02</sub>" in text
    assert "- lacks history: a cache keeps the last value only" in text
    assert "| durability | process-crash | clean-close | process-crash | \\- |" in text.replace("| - |", "| \\- |")


def test_the_matrix_has_the_marks_of_the_summary() -> None:
    """A broken rule has its mark, and the mark its meaning."""
    row = next(line for line in markdown(every_outcome()).splitlines() if line.startswith("| state |"))
    assert len(row.strip("| ").split(" | ")) == 6
    assert " | X " in row
    assert "(X a rule is broken, ? not judged)" in markdown(every_outcome())


def test_several_backends_stand_side_by_side() -> None:
    """First a table of verdicts, then a section for each."""
    text = markdown(together(every_outcome(), record(name="other"), record(name="down", error="no server")))
    assert text.startswith("## NOT CONFORMANT: mystore, other, down\n")
    assert "| other | CONFORMANT | in concurrency, corruption, crash-recovery, replay, round-trip |" in text
    assert "| down | INCONCLUSIVE | 1 check could not be carried out |" in text
    for title in ("mystore: NOT CONFORMANT", "other: CONFORMANT", "down: INCONCLUSIVE"):
        assert f"\n## {title}\n" in text


def without_blocks(text: str) -> str:
    """Return Markdown without its blocks of code, each of which must end with the fence that it began with."""
    left, fence = [], ""
    for line in text.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif found := re.fullmatch(r"(`{3,})text", line):
            fence = found[1]
        else:
            left.append(line)
    assert not fence
    return "\n".join(left)


def test_hostile_text_stays_text() -> None:
    """No reason, value or name of a store makes a cell, a heading, a tag or the end of a block."""
    example = replace(
        EXAMPLE,
        **dict.fromkeys(("what", "expected", "got", "note", "frame"), HOSTILE),
        calls=(Call(1, HOSTILE, HOSTILE),),
        story=(HOSTILE,),
    )
    plain = record(EVERY_OUTCOME, lacks={"ttl": "no"})
    hostile = record(
        EVERY_OUTCOME,
        lacks={"ttl": HOSTILE},
        examples=dict.fromkeys(EVERY_OUTCOME, example),
        reasons={code: HOSTILE for code, outcome in EVERY_OUTCOME.items() if outcome != "fail"},
    )
    hostile["backends"][0]["name"] = HOSTILE
    text = without_blocks(markdown(hostile))
    text.encode()
    assert set(re.findall(r"</?[a-z]+>", text)) == set(re.findall(r"</?[a-z]+>", without_blocks(markdown(plain))))
    assert "<!--" not in text
    assert text.count("|") == without_blocks(markdown(plain)).count("|")
    assert [line[:4] for line in text.splitlines() if line.startswith("#")] == [
        line[:4] for line in without_blocks(markdown(plain)).splitlines() if line.startswith("#")
    ]
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert "`" not in text.replace("\\`", "")


def test_names_of_suites_stay_text() -> None:
    """A record that was written by hand may have any; half a character can't be encoded."""
    report = record()
    report["backends"][0]["contracts"][0]["suites"][0]["name"] = "a|b\ud800"
    assert "| contract | a&#124;b\\\\ud800 |" in markdown(report)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b*c[d]`e`\\", r"a\_b\*c\[d\]\`e\`" + "\\\\"),
        ("a|b<c>&d$e :f: g", "a&#124;b&#60;c&#62;&#38;d&#36;e &#58;f: g"),
        ("# one", r"\# one"),
        ("12. one", r"12\. one"),
        ("- one", r"\- one"),
        ("two\nlines", "two lines"),
        ("x" * 500, "x" * 399 + "…"),
    ],
)
def test_what_markdown_would_take_is_escaped(text: str, shown: str) -> None:
    """Signs of Markdown and HTML stand for themselves, also at the beginning of a line."""
    assert escaped(text) == shown


def test_a_fence_is_longer_than_any_in_the_block() -> None:
    """So that no line of a value ends it."""
    assert code_block(["````", "a"]).splitlines() == ["`````text", "````", "a", "`````"]


def test_long_values_are_cut_and_say_so() -> None:
    """One huge value or story does not push the rest out."""
    lines = code_block(["x" * 10_000, *(f"line {n}" for n in range(1_000))]).splitlines()
    assert lines[1].endswith("… (10,000 characters)")
    assert "… 801 more lines …" in lines
    assert len(lines) == 203


def large(failures: int) -> str:
    """Return the Markdown of a record with so many failures, each with much to tell, within 30,000 bytes."""
    long = replace(EXAMPLE, got="ä" * 400, calls=tuple(Call(n, f"store['k'] = {'v' * 150!r}") for n in range(1, 21)))
    codes = [check["code"] for suite in record()["backends"][0]["contracts"][0]["suites"] for check in suite["checks"]]
    report = record(
        {**dict.fromkeys(codes[:failures], "fail"), "STATE-TTL-01": "not applicable", "STATE-TTL-02": "known gap"},
        examples=dict.fromkeys(codes, long),
    )
    return markdown(report, 30_000)


def test_what_is_left_out_is_said() -> None:
    """First the passes, then codes of what is not applicable, then calls from the last on; the end says how many."""
    whole = markdown(record({"STATE-LIST-01": "fail"}))
    assert "Left out" not in whole
    few = large(3)
    assert len(few.encode()) <= 30_000
    assert "**Left out, as there is no more room:** 204 passed checks. The record has them." in few
    assert "204 passed." in few
    assert few.count("<summary>20 calls</summary>") == 3
    more = large(20)
    assert len(more.encode()) <= 30_000
    told = re.search(r"the codes of 1 checks that are not applicable; the calls of (\d+) failures\. The", more)
    assert told
    assert 0 < more.count("<summary>20 calls</summary>") == 20 - int(told[1])
    assert more.count("  got       ä") == 20


def test_a_page_never_exceeds_its_size() -> None:
    """However little room there is, the verdict is there, and the counts of what is left out add up."""
    report = every_outcome()
    for size in (600, 1_000, 2_000, 5_000, 20_000):
        text = markdown(report, size)
        assert len(text.encode()) <= size
        assert text.startswith("## NOT CONFORMANT: mystore\n")
        assert "The record has them." in text
    assert len(markdown(report).encode()) < SIZE_MOST
