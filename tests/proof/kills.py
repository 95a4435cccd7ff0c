"""What came of mutants and checks, as data: a letter for each trial, and a file of them that is easily compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: The outcome of a trial, as a letter; a trial that was not carried out has none.
KILLED, SPARED, FOREIGN, BLOCKED, UNDECIDED, LATE = "K", ".", "n", "b", "?", "t"
LETTERS: Mapping[str, str] = {
    "fail": KILLED,
    "pass": SPARED,
    "not applicable": FOREIGN,
    "blocked": BLOCKED,
    "inconclusive": UNDECIDED,
    "late": LATE,
}
#: Stands for a check without a trial, in a row of checks that are told by their numbers.
NOTHING = "_"
SCHEMA = 1


@dataclass
class Row:
    """One mutant.

    Args:
        digest: Of the module that has it, when it was judged.
        trials: For each check that must kill it a letter for each seed, from 0.
        others: For other checks the letter of one trial, at seed 0.
    """

    digest: str
    trials: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)

    def letters(self, code: str) -> str:
        """Return what came of a check, a letter for each trial; empty when there was none."""
        return self.trials.get(code) or self.others.get(code, "")

    def killers(self) -> tuple[str, ...]:
        """Return the checks that killed it in any trial."""
        return tuple(sorted(code for code in {*self.trials, *self.others} if KILLED in self.letters(code)))


@dataclass
class Kills:
    """All that was measured.

    Args:
        files: The digest of each file of checks, when they judged.
        drawing: The checks of which two seeds may come to two ends.
        rows: By the mutant's name.
    """

    files: dict[str, str] = field(default_factory=dict)
    drawing: set[str] = field(default_factory=set)
    rows: dict[str, Row] = field(default_factory=dict)


#: Of random sequences, which ask for every rule of their contract at once.
_MODEL = "MODEL"


def area(code: str) -> str:
    """Return what codes that differ in the number alone begin with: `STATE-KEY`, for `STATE-KEY-04`."""
    return code.rpartition("-")[0]


def are_neighbours(codes: Iterable[str]) -> bool:
    """Tell whether checks are of one area, of whatever contract; random sequences are near to all.

    The contract does not count: a store that keeps runs and jobs in one place has one bug for both.
    """
    return len({code.split("-")[1] for code in codes} - {_MODEL}) <= 1


def to_text(kills: Kills) -> str:
    """Return the text of the file: sorted, a line for each mutant."""
    head = {"schema": SCHEMA, "files": dict(sorted(kills.files.items())), "drawing": sorted(kills.drawing)}
    opening = json.dumps(head, indent=1).removesuffix("\n}")
    rows = [
        f"  {json.dumps(name)}: "
        + json.dumps(
            {"digest": row.digest, "trials": dict(sorted(row.trials.items())), "others": _packed(row.others)},
            separators=(",", ":"),
        )
        for name, row in sorted(kills.rows.items())
    ]
    return f'{opening},\n "mutants": {{\n' + ",\n".join(rows) + "\n }\n}\n"


def from_text(text: str) -> Kills:
    """Return what `to_text` made a text of.

    Raises:
        ValueError: The text is not of this form.
    """
    record = json.loads(text)
    if record.get("schema") != SCHEMA:
        raise ValueError(f"the schema of the kill matrix is {record.get('schema')!r}, and should be {SCHEMA}")
    rows = {
        name: Row(row["digest"], dict(row["trials"]), _unpacked(row["others"]))
        for name, row in record["mutants"].items()
    }
    return Kills(dict(record["files"]), set(record["drawing"]), rows)


def read(path: Path) -> Kills:
    """Return what the file has; nothing when there is no file."""
    return from_text(path.read_text(encoding="utf-8")) if path.exists() else Kills()


def write(path: Path, text: str) -> None:
    """Write a file that is whole at each moment."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _packed(letters: Mapping[str, str]) -> dict[str, str]:
    """Return a letter for each number of an area, as one text; numbers that nothing is known of have a sign."""
    found: dict[str, dict[int, str]] = {}
    for code, letter in letters.items():
        found.setdefault(area(code), {})[int(code.rpartition("-")[2])] = letter
    return {
        name: "".join(numbers.get(number, NOTHING) for number in range(1, max(numbers) + 1))
        for name, numbers in sorted(found.items())
    }


def _unpacked(packed: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{name}-{number:02}": letter
        for name, letters in packed.items()
        for number, letter in enumerate(letters, 1)
        if letter != NOTHING
    }
