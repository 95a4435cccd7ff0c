"""Operators: which damages there are, that each changes something, and that a seed gives them again."""

from __future__ import annotations

import random
from itertools import islice, pairwise

import pytest

from conformance.crash.tree import Tree
from conformance.damage.damage import COMPLETE, DETECTS, Damage, Operator, Splice, damaged, spliced
from conformance.damage.operators import EVERY, damages, places

DRAW = random.Random(7)
SEGMENT = DRAW.randbytes(6_000)
OLD: Tree = {"a/": None, "a/7.seg": SEGMENT, "index": b"old\n" * 40}
TREE: Tree = {
    "a/": None,
    "a/7.seg": SEGMENT[:5_000] + DRAW.randbytes(4_000),
    "a/8.seg": DRAW.randbytes(700),
    "index": b"new\n" * 40,
    "lock": b"",
}
OLDER = (("after call 1", OLD),)


def made(*operators: Operator, seed: int = 3, tree: Tree = TREE) -> list[Damage]:
    """Return all damages by some operators."""
    return list(damages(tree, operators, older=OLDER, seed=seed))


@pytest.mark.parametrize("operator", [*DETECTS, *COMPLETE])
def test_each_damage_changes_something(operator: Operator) -> None:
    """A damage that changes nothing would be counted as harmless."""
    found = made(operator)
    assert found
    assert len(set(found)) == len(found)
    for one in found:
        assert one.operator == operator
        assert damaged(TREE, one) != TREE
        assert {path for path in {*TREE, *damaged(TREE, one)} if TREE.get(path) != damaged(TREE, one).get(path)} == {
            one.file
        }


@pytest.mark.parametrize("operator", [*DETECTS, *COMPLETE])
def test_a_seed_gives_the_same_again(operator: Operator) -> None:
    """So that a run can be repeated."""
    assert made(operator) == made(operator)


def test_empty_files_are_left_alone() -> None:
    """There is nothing in a lock file that could be damaged."""
    assert "lock" not in {one.file for one in made(*DETECTS, *COMPLETE)}


def test_every_byte_below_a_page_is_a_place() -> None:
    """And some of each part above, the first and last always; the telling ones are not left to the end."""
    found = places(100_000, random.Random(1))
    assert len(found) == len(set(found))
    assert set(range(EVERY)) <= set(found)
    assert set(range(100_000 - 64, 100_000)) <= set(found)
    above = sorted(one for one in found if one >= EVERY)
    assert max(later - one for one, later in pairwise(above)) < 2 * (100_000 - EVERY) / 500
    assert {0, 99_999} <= set(found[:20])
    assert len({one // 10_000 for one in found[:200]}) == 10
    assert sorted(places(5, random.Random(1))) == [0, 1, 2, 3, 4]
    assert places(0, random.Random(1)) == []


def test_operators_and_files_take_turns() -> None:
    """A budget that is soon used up has seen each of them."""
    first = list(islice(damages(TREE, ("bit flipped", "cut short"), seed=1), 6))
    assert {(one.operator, one.file) for one in first} == {
        (operator, file) for operator in ("bit flipped", "cut short") for file in ("a/7.seg", "a/8.seg", "index")
    }


def test_a_flip_changes_one_bit() -> None:
    """Of one byte."""
    for one in made("bit flipped")[:50]:
        before, after = TREE[one.file] or b"", damaged(TREE, one)[one.file] or b""
        assert len(before) == len(after)
        assert sum((a ^ b).bit_count() for a, b in zip(before, after, strict=True)) == 1


def test_swapped_blocks_are_all_there() -> None:
    """They are only in each other's place."""
    for one in made("blocks swapped"):
        assert sorted(damaged(TREE, one)[one.file] or b"") == sorted(TREE[one.file] or b"")


def test_old_blocks_are_those_that_were_written_over() -> None:
    """What did not change is not old."""
    found = made("block of an older version")
    assert found
    for one in found:
        (splice,) = one.splices or ()
        before = OLD[one.file] or b""
        assert before[splice.offset : splice.offset + splice.length] == splice.data
        assert one.note == "as after call 1"


def test_a_copy_has_a_name_like_those_of_the_store() -> None:
    """The next number, where there is one, that is not taken."""
    names = {one.file for one in made("copy of a file")}
    assert "a/9.seg" in names
    assert "a/8.seg" not in names
    assert {"copy-index", "index.1"} <= names


def test_splices_replace_what_stands_there() -> None:
    """In order, longer, shorter, and behind the end."""
    assert spliced(b"abcdef", (Splice(1, 2, b"XYZ"), Splice(4, 1, b""))) == b"aXYZdf"
    assert spliced(b"abc", (Splice(3, 0, b"!"),)) == b"abc!"
    assert damaged({"a": b"x"}, Damage("file missing", "a", None)) == {}
    assert damaged({}, Damage("foreign file", "b", (Splice(0, 0, b"y"),))) == {"b": b"y"}
