"""What the checks of damage say: of broken stores, of the shipped ones, and of a public one that believes its files."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.address import load
from conformance.bench import Bench
from conformance.check import catalogue
from conformance.crash.tree import write_tree
from conformance.damage.ask import ask
from conformance.damage.damage import COMPLETE, DETECTS, damaged
from conformance.damage.judge import SILENT, judge
from conformance.damage.operators import damages
from conformance.effort import EFFORTS
from conformance.result import Counterexample
from conformance.suites.corruption.laboratory import laboratory
from tests import test_stores
from tests.benches import LONG_ENOUGH, bench
from tests.mutants.registry import BACKENDS

#: Enough to see that honest stores notice; how many are tried is no part of it.
FEW = replace(EFFORTS["quick"], damages=36, crash_seconds=60.0)

#: A byte that was changed.
CHANGED = re.compile(r"\[[0-9a-f]{2}\]")


@pytest.fixture(scope="module")
def wal(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Return the bench of the write-ahead log, with the specimens that all tests share."""
    return bench(load("reference_backends.wal:backend"), tmp_path_factory.mktemp("wal"), effort=FEW)


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Return the bench of a store that promises nothing about damage."""
    return bench(load("tests.odd.corruption:ODD_DAMAGE_SILENT"), tmp_path_factory.mktemp("silent"), effort=FEW)


def failure(one: Bench, code: str) -> Counterexample:
    """Return what a check found, which must have failed."""
    result = one.judge(catalogue()[code])
    assert result.outcome == "fail", result
    assert result.counterexample is not None
    return result.counterexample


def test_a_failure_shows_the_damage(tmp_path: Path) -> None:
    """A finding has the operator, the file, the offset, the bytes before and after, the key, and what was read."""
    found = failure(bench(BACKENDS.checksum_not_verified, tmp_path, effort=LONG_ENOUGH), "STATE-CORR-01")
    title = re.fullmatch(r"(bit flipped|byte changed): store at ([\d,]+)(?: \(bit \d\))?: silent wrong", found.what)
    assert title is not None, found.what
    assert re.match(r"'k\d': '", found.got), found.got
    assert found.expected.startswith("'")
    assert found.got.partition(": ")[2] != found.expected
    files, damage, *lines = found.story
    assert files.startswith("files of the closed store, in bytes: store 6,")
    assert found.what.startswith(damage)
    changed = [line for line in lines if CHANGED.search(line)]
    assert [line.split()[0] for line in changed] == ["before", "after"]
    before, after = changed
    assert before.split()[1] == after.split()[1] == f"{int(title[2].replace(',', '')) // 16 * 16:x}"
    assert CHANGED.findall(before) != CHANGED.findall(after)


def test_a_lost_record_is_named(tmp_path: Path) -> None:
    """Where damage to one record takes another, it is the other that is shown, with what was acknowledged."""
    found = failure(bench(BACKENDS.log_truncate_good_data, tmp_path, effort=LONG_ENOUGH), "LOG-CORR-12")
    assert found.what.endswith("an undamaged record is lost")
    assert found.story[0].startswith("files of the killed store, in bytes: store ")
    position = re.match(r"(\d): nothing, and no error", found.got)
    assert position is not None, found.got
    assert found.expected.startswith(f"'ev.{position[1]}.")


def test_a_public_store_believes_a_flipped_bit(tmp_path: Path) -> None:
    """`diskcache:Cache` serves another value after one flipped bit in its database, and raises nothing."""
    test_stores.installed("diskcache")
    found = failure(test_stores.bench("diskcache:Cache", tmp_path), "STATE-CORR-01")
    assert re.fullmatch(
        r"(bit flipped|byte changed): store/cache\.db at [\d,]+(?: \(bit \d\))?: silent \w+", found.what
    )
    assert found.got.startswith("'k")


@pytest.mark.parametrize("contract", ["state", "log"])
def test_the_write_ahead_log_names_the_damaged_record(contract: str, wal: Bench) -> None:
    """A damaged value in the write-ahead log costs its own record only, and the errors say which that is."""
    check = catalogue()[f"{contract.upper()}-CORR-11"]
    result = wal.judge(check)
    assert result.outcome == "pass", result
    assert result.evidence["comparisons"] == result.evidence["damaged stores"] > 0
    specimen, _ = laboratory(wal.trial(check)).specimens["closed"]
    name, ((path, offset, length), *_) = next((name, places) for name, places in specimen.regions.items() if places)
    damage = next(
        one
        for one in damages(specimen.tree, DETECTS)
        if one.file == path and offset <= one.offset < offset + length and one.operator == "bit flipped"
    )
    place = wal.root / f"named-{contract}"
    write_tree(damaged(specimen.tree, damage), place)
    seen = ask(wal.profile.backend, contract, place, list(specimen.truth.records))
    assert judge(specimen.truth, seen).kind == "detected"
    assert [one for one, answer in seen.answers.items() if answer.kind != "value"] == [name]
    # The first record of the log, in the `state` the first key that was set.
    assert re.search(r"CorruptLog: .* position 1: ", seen.unreadable)
    assert seen.report is not None
    assert len(seen.report) == 1
    assert "position=1" in seen.report[0]


def test_sqlite_notices_every_flipped_bit(tmp_path: Path) -> None:
    """The SQLite store notices a flipped bit, or it does no harm; it never serves one."""
    one = bench(load("reference_backends.sqlite:backend"), tmp_path, effort=FEW)
    result = one.judge(catalogue()["STATE-CORR-01"])
    assert result.outcome == "pass", result
    assert result.evidence["detected"] > 0
    assert not set(SILENT) & result.evidence.keys()


@pytest.mark.parametrize("code", ["STATE-CORR-01", "STATE-CORR-31", "LOG-CORR-91"])
def test_memory_has_nothing_to_damage(code: str, tmp_path: Path) -> None:
    """The store in memory is not judged by damage, and the report says why."""
    result = bench(load("reference_backends.memory:backend"), tmp_path).judge(catalogue()[code])
    assert result.outcome == "not applicable"
    assert re.search(r"(corruption is promised at 'silent'|durability is promised at 'volatile') only", result.reason)


def test_what_is_promised_decides_what_is_asked(silent: Bench) -> None:
    """A store that promises nothing about damage is asked only not to die of it, and what it does is told."""
    checks = [check for check in catalogue().values() if (check.suite, check.contract) == ("corruption", "state")]
    outcomes = {check.code[-2:]: silent.judge(check).outcome for check in checks}
    assert {number for number, outcome in outcomes.items() if outcome != "not applicable"} == {"31", "91"}


def test_every_kind_of_damage_is_told(silent: Bench) -> None:
    """STATE-CORR-91 tells for each operator how often it ended in which class, and passes all the same."""
    result = silent.judge(catalogue()["STATE-CORR-91"])
    assert result.outcome == "pass", result
    operators = {name: text for name, text in result.conditions.items() if name in (*DETECTS, *COMPLETE)}
    assert {"bit flipped", "cut short", "emptied", "file missing", "junk appended"} <= operators.keys()
    told = [re.fullmatch(r"(\d+) ([a-z ]+)", part) for text in operators.values() for part in text.split(", ")]
    assert all(told)
    counts = [int(one[1]) for one in told if one]
    assert sum(counts) == result.evidence["damaged stores"] == result.evidence["comparisons"]
    assert {one[2] for one in told if one} & set(SILENT)
