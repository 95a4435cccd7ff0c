"""Showing damage: what was done, where, and the bytes before and after."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from conformance.crash.tree import Tree
from conformance.damage.damage import Damage, Splice
from conformance.damage.examine import Case, Shown
from conformance.damage.judge import Judged, Truth
from conformance.damage.show import picture, story, title
from conformance.damage.specimen import Specimen
from conformance.damage.sweep import Broken, Finding

TREE: Tree = {"d/": None, "d/data": bytes(range(64, 104)), "lock": b""}
SPECIMEN = Specimen("closed", TREE, Truth("state", {"entries": [], "length": 0}), (), {})
WRONG = Judged("silent wrong")
FILES = "files of the closed store, in bytes: d/data 40, lock 0"


def lines(damage: Damage) -> tuple[str, ...]:
    """Return the story of a damage."""
    return story(Finding(SPECIMEN, Case(damage), Shown(WRONG), Broken("wrong", WRONG)))


def test_a_flip_is_shown_in_its_lines() -> None:
    """The byte is in brackets, before and after."""
    assert lines(Damage("bit flipped", "d/data", (Splice(17, 1, b"\xff"),), "bit 3")) == (
        FILES,
        "bit flipped: d/data at 17 (bit 3)",
        "  before        0  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f   @ABCDEFGHIJKLMNO",
        "  before       10  50 [51] 52 53 54 55 56 57 58 59 5a 5b 5c 5d 5e 5f PQRSTUVWXYZ[\\]^_",
        "  before       20  60 61 62 63 64 65 66 67                           `abcdefg",
        "  after         0  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f   @ABCDEFGHIJKLMNO",
        "  after        10  50 [ff] 52 53 54 55 56 57 58 59 5a 5b 5c 5d 5e 5f P.RSTUVWXYZ[\\]^_",
        "  after        20  60 61 62 63 64 65 66 67                           `abcdefg",
    )


def test_an_end_is_shown() -> None:
    """Where a file was cut, and where it was emptied."""
    cut = lines(Damage("cut short", "d/data", (Splice(16, 24, b""),), "40 -> 16 bytes"))
    assert cut[1] == "cut short: d/data at 16, 24 bytes (40 -> 16 bytes)"
    assert cut[-1] == "  after         0  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f   @ABCDEFGHIJKLMNO"
    assert lines(Damage("emptied", "d/data", (Splice(0, 40, b""),)))[-1] == "  after         0  ends here"


def test_a_file_that_is_gone_is_shown_as_it_was() -> None:
    """And one that came as it is."""
    gone = lines(Damage("file missing", "d/data", None))
    assert gone[1] == "file missing: d/data"
    assert {line.split()[0] for line in gone[2:]} == {"before"}
    came = lines(Damage("foreign file", "d/notes", (Splice(0, 0, b"milk"),)))
    assert came[1:] == (
        "foreign file: d/notes",
        f"  after         0  [6d] 69 6c 6b{' ' * 37}milk",
    )


def test_both_places_of_a_swap_are_named() -> None:
    """In one line."""
    swap = Damage("blocks swapped", "d/data", (Splice(0, 512, b""), Splice(2_048, 512, b"")))
    assert title(swap) == "blocks swapped: d/data at 0 and 2,048, 1,024 bytes"


def drawn(damage: Damage, tree: Tree = TREE) -> dict[str, Any]:
    """Return the picture of a damage."""
    specimen = replace(SPECIMEN, tree=tree)
    found = picture(Finding(specimen, Case(damage), Shown(WRONG), Broken("wrong", WRONG)))
    assert json.loads(json.dumps(found)) == found
    return found


def test_a_picture_has_the_lines_that_differ() -> None:
    """And those beside them, with the places of the bytes that are not what they were."""
    found = drawn(Damage("bit flipped", "d/data", (Splice(17, 1, b"\xff"),), "bit 3"))
    assert (found["kind"], found["title"]) == ("damage", "bit flipped: d/data at 17 (bit 3)")
    assert (found["path"], found["before"], found["after"], found["hidden"]) == ("d/data", 40, 40, 0)
    assert [row["offset"] for row in found["rows"]] == [0, 16, 32]
    assert [row["changed"] for row in found["rows"]] == [[], [1], []]
    assert found["rows"][1]["before"].startswith("5051")
    assert found["rows"][1]["after"].startswith("50ff")
    assert found["files"] == [{"path": "d/data", "size": 40}, {"path": "lock", "size": 0}]


def test_a_picture_of_what_is_gone_or_came() -> None:
    """Bytes that are gone are changed, and so are those that came."""
    cut = drawn(Damage("cut short", "d/data", (Splice(38, 2, b""),)))
    assert (cut["rows"][-1]["before"], cut["rows"][-1]["after"]) == (bytes(range(96, 104)).hex(), "606162636465")
    assert cut["rows"][-1]["changed"] == [6, 7]
    gone = drawn(Damage("file missing", "d/data", None))
    assert (gone["after"], [row["after"] for row in gone["rows"]]) == (None, ["", "", ""])
    came = drawn(Damage("foreign file", "d/notes", (Splice(0, 0, b"milk"),)))
    assert (came["before"], came["rows"]) == (
        None,
        [{"offset": 0, "before": "", "after": b"milk".hex(), "changed": [0, 1, 2, 3]}],
    )


def test_a_picture_is_small() -> None:
    """Of a large file and of many the first lines are drawn; how many are left out is said."""
    tree: Tree = {"data": bytes(65_536), **{f"more{number:03}": b"x" for number in range(99)}}
    found = drawn(Damage("block zeroed", "data", (Splice(0, 65_536, b"\x01" * 65_536),)), tree)
    assert len(found["rows"]) + found["hidden"] == 4_096
    assert len(found["files"]) + found["files_hidden"] == 100
    assert len(json.dumps(found)) < 8_000
