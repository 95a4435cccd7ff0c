"""The file of what was measured: small, sorted, and read back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.proof.kills import Kills, Row, are_neighbours, area, from_text, read, to_text, write

SOME = Kills(
    files={"round_trip/state_keys.py": "0a1b2c3d"},
    drawing={"STATE-KEY-04"},
    rows={
        "b": Row("00000000", {"STATE-KEY-04": "KK."}, {"STATE-KEY-01": ".", "STATE-KEY-03": "n", "STATE-TTL-02": "b"}),
        "a": Row("11111111"),
    },
)


def test_what_was_measured_is_read_back() -> None:
    """The text of the file has all that was measured."""
    assert from_text(to_text(SOME)) == SOME


def test_file_has_a_line_for_each_mutant_and_a_letter_for_each_check() -> None:
    """A mutant is a line, the mutants are sorted, and checks without a trial take one character."""
    lines = to_text(SOME).splitlines()
    assert [line.split('"')[1] for line in lines if "digest" in line] == ["a", "b"]
    assert '"others":{"STATE-KEY":"._n","STATE-TTL":"_b"}' in lines[-3]
    assert json.loads("\n".join(lines))["schema"] == 1


def test_another_schema_is_refused() -> None:
    """A file of another form is not taken for one without results."""
    with pytest.raises(ValueError, match="schema of the kill matrix is 2, and should be 1"):
        from_text('{"schema": 2}')


def test_nothing_was_measured_where_there_is_no_file(tmp_path: Path) -> None:
    """Without a file nothing is known, and what is written is read back."""
    path = tmp_path / "kills.json"
    assert read(path) == Kills()
    write(path, to_text(SOME))
    assert read(path) == SOME
    assert list(tmp_path.iterdir()) == [path]


def test_killers_are_those_that_killed_in_any_trial() -> None:
    """A check that killed once of three times is a killer; one that was blocked is none."""
    assert SOME.rows["b"].killers() == ("STATE-KEY-04",)
    assert Row("", {"A-B-01": "..K"}, {"A-B-02": "K", "A-C-01": "?"}).killers() == ("A-B-01", "A-B-02")


def test_neighbours_are_of_one_area() -> None:
    """The area is the middle of a code, whatever the contract; random sequences are near to all."""
    assert area("STATE-KEY-04") == "STATE-KEY"
    assert are_neighbours(["RUNS-CRASH-01", "JOBS-CRASH-22", "JOBS-MODEL-01"])
    assert not are_neighbours(["JOBS-LEASE-01", "JOBS-CLOCK-02"])
