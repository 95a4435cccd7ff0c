"""Two results: what is new, fixed, lost, weaker, and slower by more than chance."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.commands import Refusal
from conformance.report.compare import KINDS, TIMES, compare, count
from conformance.report.compare_command import FAIL_ON
from tests.report.records import FIGURE, checks, every_outcome, record, together

CODE = "STATE-LIST-01"


def found(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the codes of each kind of difference, of the kinds that there are."""
    backend = compare(before, after)["backends"][0]
    return {kind: [one["code"] for one in backend[kind]] for kind in KINDS if backend[kind]}


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        ("pass", "fail", "new"),
        ("known gap", "fail", "new"),
        ("not applicable", "fail", "new"),
        ("blocked", "fail", "new"),
        ("pass", "inconclusive", "lost"),
        ("fail", "inconclusive", "lost"),
        ("known gap", "blocked", "lost"),
        ("pass", "not applicable", "absent"),
        ("fail", "not applicable", "absent"),
        ("fail", "pass", "fixed"),
        ("known gap", "pass", "fixed"),
        ("fail", "stale gap", "fixed"),
        ("pass", "known gap", "accepted"),
        ("blocked", "known gap", "accepted"),
        ("not applicable", "pass", "gained"),
        ("inconclusive", "pass", "gained"),
        ("pass", "pass", ""),
        ("fail", "fail", ""),
        ("fail", "known gap", ""),
        ("stale gap", "pass", ""),
        ("blocked", "inconclusive", ""),
        ("inconclusive", "blocked", ""),
        ("inconclusive", "inconclusive", ""),
        ("inconclusive", "not applicable", ""),
        ("not applicable", "inconclusive", "lost"),
        ("not applicable", "blocked", "lost"),
    ],
)
def test_what_becomes_of_a_check(was: Any, now: Any, kind: str) -> None:
    """Each way from one outcome to another is of one kind, or is no difference worth telling."""
    assert found(record({CODE: was}), record({CODE: now})) == ({kind: [CODE]} if kind else {})


def test_a_check_that_did_not_run_is_lost() -> None:
    """A result of fewer checks is not as good as the one before: what is gone is named, failures and passes alike."""
    some = record(only=["STATE-VALUE-01", CODE])
    assert found(record({CODE: "fail"}, only=["STATE-VALUE-01", CODE]), record(only=["STATE-VALUE-01"])) == {
        "lost": [CODE]
    }
    assert found(record(only=["STATE-VALUE-01"]), some) == {"gained": [CODE]}
    assert count(compare(record(), some), "lost") == 207


@pytest.mark.parametrize("outcome", ["inconclusive", "blocked"])
def test_a_new_check_that_can_not_be_judged_is_lost(outcome: Any) -> None:
    """It stood not in the first record, and the verdict falls to INCONCLUSIVE for it."""
    before, after = record(only=["STATE-VALUE-01"]), record({CODE: outcome}, only=["STATE-VALUE-01", CODE])
    assert after["verdict"] == "INCONCLUSIVE"
    assert found(before, after) == {"lost": [CODE]}
    (one,) = compare(before, after)["backends"][0]["lost"]
    assert (one["was"], one["now"]) == ("not in the record", outcome)


def test_what_a_known_gap_blocks_is_no_loss() -> None:
    """It leaves the verdict as it is, unless the check was judged before; so does what gates nothing yet."""
    after = record({CODE: "blocked"})
    for check in checks(after):
        if check["code"] == CODE:
            check["gap"] = {"reason": "issue 12", "expires": None, "days_left": None, "source": "pyproject.toml:1"}
    assert found(record({CODE: "not applicable"}), after) == {}
    assert found(record(), after) == {"lost": [CODE]}
    assert found(after, record({CODE: "blocked"})) == {"lost": [CODE]}
    provisional = record({CODE: "inconclusive"})
    for check in checks(provisional):
        check["provisional"] = check["code"] == CODE
    assert found(record({CODE: "not applicable"}), provisional) == {}
    assert found(provisional, record({CODE: "inconclusive"})) == {"lost": [CODE]}


def test_a_broken_should_is_a_kind_of_its_own() -> None:
    """It does not change the verdict, so it is no new failure."""
    assert found(record(), record({"STATE-FAIL-02": "fail"})) == {"broken-should": ["STATE-FAIL-02"]}
    assert found(record({"STATE-FAIL-02": "fail"}), record()) == {"fixed": ["STATE-FAIL-02"]}


def test_a_provisional_failure_is_accepted() -> None:
    """It gates nothing until its edition does; then it is new."""
    after = record({CODE: "fail"})
    for check in checks(after):
        check["provisional"] = check["code"] == CODE
    assert found(record(), after) == {"accepted": [CODE]}
    assert found(after, record({CODE: "fail"})) == {"new": [CODE]}


def test_a_difference_has_what_was_and_is() -> None:
    """With the rule and the reason, so that it is understood without the records."""
    one = compare(record(), record({CODE: "fail"}))["backends"][0]["new"][0]
    assert (one["was"], one["now"], one["level"]) == ("pass", "new failure", "must")
    assert one["reason"] == "reading a key: expected KeyError to be raised, got None"
    assert one["sentence"] == next(check["sentence"] for check in checks(record()) if check["code"] == CODE)


def test_promises_are_weaker_or_stronger() -> None:
    """In what is claimed, and in what was observed; what is not observed any more is weaker."""
    weak = record(lacks={"power-loss": "a cache"})
    backend = compare(record(), weak)["backends"][0]
    assert backend["weaker"] == [
        {"promise": "durability", "what": "claimed", "was": "power-loss", "now": "process-crash"},
        {"promise": "durability", "what": "observed", "was": "power-loss", "now": "process-crash"},
    ]
    assert [one["now"] for one in compare(weak, record())["backends"][0]["stronger"]] == ["power-loss", "power-loss"]
    lost = compare(record(), record({"STATE-CORR-01": "inconclusive"}))["backends"][0]["weaker"]
    assert lost == [{"promise": "corruption", "what": "observed", "was": "detects", "now": "nothing"}]


def test_evidence_that_shrank_to_a_tenth_is_told() -> None:
    """Where the check passed both times; small counts, and what a failing check did, are no measure."""
    before, after = record({CODE: "fail"}), record()
    for report, counts in ((before, {"calls": 400, "histories": 9}), (after, {"calls": 40})):
        for check in checks(report):
            if check["code"] in (CODE, "STATE-VALUE-01"):
                check["evidence"] = counts
    shrunk = compare(before, after)["backends"][0]["shrunk"]
    assert shrunk == [{"code": "STATE-VALUE-01", "evidence": "calls", "was": 400, "now": 40}]
    assert compare(after, before)["backends"][0]["shrunk"] == []


def test_one_backend_each_is_compared_whatever_the_names() -> None:
    """Of two results with one backend each, these two; else those of the same name, and the others are gone or new."""
    assert found(record(), record({CODE: "fail"}, name="renamed")) == {"new": [CODE]}
    both = together(record(), record(name="other"))
    backends = compare(both, together(record({CODE: "fail"}, name="other"), record(name="third")))["backends"]
    assert [(one["name"], one["verdicts"]) for one in backends] == [
        ("mystore", ["CONFORMANT", "not in the record"]),
        ("other", ["CONFORMANT", "NOT CONFORMANT"]),
        ("third", ["not in the record", "CONFORMANT"]),
    ]
    assert [len(one["lost"]) for one in backends] == [209, 0, 0]
    assert [len(one["new"]) for one in backends] == [0, 1, 0]


def test_differences_of_the_runs_are_noted() -> None:
    """Another effort, seed, kit or machine is said, so that nobody takes it for a difference of the store."""
    other = {**record(), "effort": "quick", "seed": 7, "shard": "1/2"}
    other["machine"] = {**other["machine"], "python": "3.99.0"}
    notes = compare(record(), other)["notes"]
    assert notes[:3] == ["effort: normal, now quick", "seed: 0, now 7", "shard: none, now 1/2"]
    assert notes[3].startswith("machine: python ")
    assert notes[3].endswith(", now 3.99.0")
    assert compare(record(), record())["notes"] == []
    other = {**record(), "machine": {**record()["machine"], "load": 9.9}}
    assert compare(record(), other)["notes"] == []


MACHINE = {
    "cpu_count": 2,
    "cpu": "one",
    "architecture": "x86_64",
    "system": "Linux",
    "release": "6.1",
    "implementation": "CPython",
    "python": "3.13.1",
    "filesystem": "ext4",
}


def timed(ratio: float = 2.0, spread: float = 0.1, **fields: Any) -> dict[str, Any]:
    """Return a record with one figure: so many times as long as the bare disk, give or take a spread."""
    interval = {"limit": [ratio - spread, ratio + spread]}
    figure = {**FIGURE, "ratio_to_limit": ratio, "interval": interval, **fields}
    return {**record(), "machine": MACHINE, "benchmarks": [figure]}


def times(before: Mapping[str, Any], after: Mapping[str, Any], slower: float = 1.3) -> tuple[dict[str, list[str]], str]:
    """Return what is told of each kind of difference between benchmarks, and the notes about them."""
    comparison = compare(before, after, slower=slower)
    told = {kind: [one["text"] for one in comparison["backends"][0][kind]] for kind in TIMES}
    notes = [note for note in comparison["notes"] if note.startswith("benchmarks")]
    return {kind: texts for kind, texts in told.items() if texts}, " ".join(notes)


def test_ratios_are_compared_when_they_are_apart() -> None:
    """An operation is slower where its ratio to the limit is, by more than asked for and more than chance."""
    text = "2 times write + fdatasync, now 4: 2.00 times (observed power-loss)"
    assert times(timed(), timed(4.0)) == ({"slower": [text]}, "")
    assert times(timed(4.0), timed()) == (
        {"faster": ["4 times write + fdatasync, now 2: 0.50 times (observed power-loss)"]},
        "",
    )
    assert times(timed(), timed(4.0, spread=2.0)) == ({}, "")  # as much may be chance
    assert times(timed(), timed(4.0), slower=2.5) == ({}, "")
    unseen = timed(4.0, durability="claims power-loss, not observed")
    assert times(timed(), unseen)[0]["slower"] == [
        "2 times write + fdatasync, now 4: 2.00 times (observed power-loss, now claims power-loss, not observed)"
    ]
    assert compare(timed(), timed(4.0, spread=2.0))["backends"][0]["operations"] == 1
    # The disk was slower, and the store with it.
    assert times(timed(), timed(median=1.0)) == ({}, "")


def test_the_reference_stands_in_for_a_limit() -> None:
    """Where both were measured beside the same one; beside different ones they are not comparable."""
    beside = {"limit": "", "ratio_to_limit": None, "reference": "memory", "interval": {"reference": [1.9, 2.1]}}
    after = {**beside, "ratio_to_reference": 4.0, "interval": {"reference": [3.9, 4.1]}}
    before = timed(**beside, ratio_to_reference=2.0)
    assert times(before, timed(**after))[0] == {"slower": ["2 times memory, now 4: 2.00 times (observed power-loss)"]}
    assert "not comparable: no limit and no reference" in times(before, timed(**{**after, "reference": "wal"}))[1]


def test_other_hardware_is_not_comparable() -> None:
    """That is said, and no time is compared; bytes are the same everywhere."""
    after = {**timed(4.0), "machine": {**MACHINE, "cpu": "other"}}
    found, notes = times(timed(), after)
    assert found == {}
    assert notes == "benchmarks: other hardware, not comparable: another processor (one and other)"
    space = {"operation": "space", "unit": "bytes", "ratio_to_limit": None, "limit": "", "interval": {}}
    after = {**timed(**space, median=80), "machine": {**MACHINE, "cpu": "other"}}
    text = "40 bytes more than the record itself, now 80: 2.00 times"
    assert times(timed(**space, median=40), after)[0] == {"slower": [text]}


def test_figures_of_other_things_are_not_comparable() -> None:
    """Another durability, size or number of writers is said in place of a ratio."""
    found, notes = times(timed(), timed(9.0, durability_claimed="process-crash"))
    assert found == {}
    assert notes == ("benchmarks: mystore, state put: not comparable: durability_claimed power-loss, now process-crash")


def test_what_is_not_measured_any_more_is_told() -> None:
    """An operation that raised, was left out, or is gone; a result without benchmarks is a notice."""
    before, gone = timed(), timed()
    for fields, why in (({"error": "OSError: full"}, "OSError: full"), ({"not_measured": "no batch"}, "no batch")):
        gone["benchmarks"] = [{"backend": "mystore", "contract": "state", "operation": "put", **fields}]
        assert times(before, gone)[0] == {"unmeasured": [f"was measured, and is not any more: {why}"]}
    other = timed(operation="get")
    assert times(before, other)[0] == {"unmeasured": ["was measured, and is not any more: not in the record"]}
    assert times(before, record()) == (
        {},
        "benchmarks: only in the first result, so there is nothing to compare",
    )


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Return the files of two results, the second of which has a difference of every kind of check."""
    before = record({"STATE-VALUE-01": "known gap", "STATE-TTL-01": "fail", "STATE-CRASH-33": "pass"})
    paths = tmp_path / "before.json", tmp_path / "after.json"
    for path, report in zip(paths, (before, every_outcome()), strict=True):
        path.write_text(json.dumps(report))
    return str(paths[0]), str(paths[1])


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Return the exit code of the command, and its output; require that it says nothing on standard error."""
    code = main(["compare", *words])
    out, err = capsys.readouterr()
    assert err == ""
    return code, out


def test_the_text_names_every_difference(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, what is the worst first; the last line counts them and says what fails."""
    code, out = said(capsys, *files)
    lines = out.splitlines()
    assert code == 1
    assert lines[0] == "mystore: NOT CONFORMANT"
    told = [line.split()[:2] for line in lines[1:-2]]
    assert told == [
        ["new", "STATE-CRASH-01"],
        ["new", "STATE-LIST-01"],
        ["lost", "STATE-CORR-01"],
        ["lost", "STATE-CRASH-33"],
        ["absent", "STATE-CAS-01"],
        ["absent", "STATE-CAS-02"],
        ["absent", "STATE-TTL-01"],
        ["broken-should", "STATE-FAIL-02"],
        ["accepted", "STATE-ALIAS-01"],
        *[["weaker", name] for name in ("durability", "durability", "corruption")],
    ]
    assert "  lost          STATE-CRASH-33     was pass, now blocked: blocked by STATE-CRASH-01" in lines
    assert lines[-1] == ("2 new, 2 lost, 3 absent, 1 broken-should, 1 accepted, 3 weaker | fails on new, lost, weaker")


@pytest.mark.parametrize(
    ("kinds", "code"),
    [("new", 1), ("fixed", 0), ("fixed, absent", 1), ("", 0), ("slower=1.2,shrunk", 0), ("accepted", 1)],
)
def test_the_exit_code_is_what_fail_on_asks_for(
    kinds: str, code: int, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what is named fails; an empty list never does."""
    assert said(capsys, *files, "--fail-on", kinds)[0] == code


def test_a_result_is_no_different_from_itself(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Also with every kind named."""
    code, out = said(capsys, files[1], files[1], f"--fail-on={','.join(FAIL_ON)}")
    assert (code, out) == (0, "mystore: NOT CONFORMANT\n  no difference in 209 checks\nno difference\n")


def test_json_is_the_comparison(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """With what it fails on; it agrees with the text."""
    code, out = said(capsys, *files, "--json")
    comparison = json.loads(out)
    assert code == 1
    assert comparison["failed_on"] == ["new", "lost", "weaker"]
    text = said(capsys, *files)[1].splitlines()[-1]
    for kind in FAIL_ON:
        number = count(comparison, kind)
        assert (f"{number} {kind}" in text.partition(" | ")[0].split(", ")) == (number > 0)


def test_markdown_has_a_row_for_each_difference(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Below the two verdicts and the sum; of a result and itself it says that there is none."""
    out = said(capsys, *files, "--md")[1]
    assert out.startswith("## NOT CONFORMANT, now NOT CONFORMANT\n\n2 new, 2 lost, ")
    assert out.count("\n| new | ") == 2
    assert "| lost | STATE-CORR-01 | was pass, now inconclusive: the worker died |" in out
    assert "No difference in 209 checks." in said(capsys, files[0], files[0], "--md")[1]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--fail-on=newer"], "--fail-on: unknown kind 'newer'. Did you mean 'new'? Known: new, lost, "),
        (["--fail-on=slower=1"], "--fail-on: slower=1 is no ratio above 1. Write slower=1.3"),
        (["--fail-on=slower=nan"], "--fail-on: slower=nan is no ratio above 1."),
        (["--fail-on=new=2"], "--fail-on: new=2 is no ratio above 1."),
    ],
)
def test_unusable_words_are_refused(
    words: list[str], text: str, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2, and a sentence that says what to write."""
    with pytest.raises(SystemExit) as stop:
        main(["compare", *files, *words])
    assert stop.value.code == 2
    assert f"conformance compare: {text}" in capsys.readouterr().err


def test_a_file_that_is_no_record_is_refused(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 2: nothing was compared, so nothing is the same."""
    Path(files[1]).write_text("{")
    with pytest.raises(SystemExit) as stop:
        main(["compare", *files])
    assert stop.value.code == 2
    assert f"conformance compare: {files[1]} ends in the midst of the record" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--json"], ["--md"], ["--fail-on="]])
def test_two_results_without_a_check_are_refused(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2: nothing was compared, so nothing is the same, whatever fails."""
    paths = [str(tmp_path / f"{name}.json") for name in "ab"]
    for path in paths:
        Path(path).write_text(json.dumps(record(only=[])))
    with pytest.raises(SystemExit) as stop:
        main(["compare", *paths, *more])
    assert stop.value.code == 2
    told = capsys.readouterr()
    assert "conformance compare: nothing was compared: neither result has a check of mystore, and no figure" in told.err
    assert told.out == ""


def test_one_backend_without_a_check_is_no_refusal() -> None:
    """Another one was compared."""
    both = together(record(), record(name="other", only=[]))
    backends = compare(both, both)["backends"]
    assert [one["unchanged"] for one in backends] == [209, 0]


def test_measured_results_are_compared_or_refused() -> None:
    """Figures alone are enough; those of other hardware are nothing to compare, and the note says why."""
    one, other = ({**timed(), "backends": record(only=[])["backends"]} for _ in range(2))
    assert compare(one, other)["backends"][0]["operations"] == 1
    with pytest.raises(Refusal, match=r"nothing was compared: .* benchmarks: other hardware, not comparable: another"):
        compare(one, {**other, "machine": {**MACHINE, "cpu": "other"}})


def space(median: float, within: str = "+-16") -> dict[str, Any]:
    """Return a record with one figure: so many bytes for each record, beside the record's own."""
    beside = {"ratio_to_limit": None, "limit": "", "interval": {}}
    return timed(operation="space", unit="bytes", median=median, conditions={"within": within}, **beside)


@pytest.mark.parametrize(
    ("was", "now", "kind", "text"),
    [
        (0, 5_000, "slower", "0 bytes more than the record itself, now 5,000: 5,000 more"),
        (-100.5, 12_345.6, "slower", "-100.5 bytes more than the record itself, now 12,346: 12,446 more"),
        (-100, -50, "slower", "-100 bytes more than the record itself, now -50: 50 more"),
        (-50, -100, "faster", "-50 bytes more than the record itself, now -100: 50 less"),
        (0, -100, "faster", "0 bytes more than the record itself, now -100: 100 less"),
        (100, -100, "faster", "100 bytes more than the record itself, now -100: 200 less"),
        (100, 0, "faster", "100 bytes more than the record itself, now 0: 100 less"),
        (40_000, 80_000, "slower", "40,000 bytes more than the record itself, now 80,000: 2.00 times"),
        (0, 16, "", ""),
        (-10, 20, "", ""),  # each may be 16 off
        (0, 0, "", ""),
    ],
)
def test_space_without_a_ratio_is_compared_in_bytes(was: float, now: float, kind: str, text: str) -> None:
    """From zero, or less than the record itself, there is no ratio: then it is bytes, less those of blocks not full."""
    assert times(space(was), space(now)) == ({kind: [text]} if kind else {}, "")
    assert compare(space(was), space(now))["backends"][0]["operations"] == 1


@pytest.mark.parametrize("within", ["", "+-16 or so", "+-1,600"])
def test_space_is_as_exact_as_it_says(within: str) -> None:
    """A record that does not say how much a block may be is taken at its word; else as much is no difference."""
    told = times(space(0, within), space(1_000, within))[0]
    assert bool(told) == (within != "+-1,600")


def test_comparing_changes_no_record() -> None:
    """The records are those that were given."""
    before, after = record(), every_outcome()
    copies = copy.deepcopy((before, after))
    compare(before, after)
    assert (before, after) == copies
