"""Records of shards merge into the record that the whole run would have given, in whatever order they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.check import catalogue
from conformance.report.merge import MergeError, merged
from conformance.result import Outcome
from conformance.shard import MOST, Shard, missing_from, numbers_of, shard_of
from tests.report.records import EVERY_OUTCOME, checks, record

#: What may become of a check, without what a run on plain records never comes to.
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@cache
def codes() -> tuple[str, ...]:
    """Return the codes of a whole run on a small contract."""
    return tuple(record(of=["layers"])["backends"][0]["expected"])


def shard(part: Shard, only: Sequence[str], **fields: Any) -> dict[str, Any]:
    """Return the record of a shard with these checks."""
    return record(only=only, **fields) | {"shard": str(part)}


def shards(numbers: Mapping[str, int], count: int, **fields: Any) -> list[dict[str, Any]]:
    """Return the records of all shards of a run, by the number of the shard of each check."""
    return [
        shard(Shard(number, count), [code for code in numbers if numbers[code] == number], **fields)
        for number in range(1, count + 1)
    ]


def halves(**fields: Any) -> list[dict[str, Any]]:
    """Return the records of a run in two shards."""
    return shards({code: 1 + place % 2 for place, code in enumerate(codes())}, 2, of=["layers"], **fields)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_split_in_any_order_is_the_whole(data: st.DataObject) -> None:
    """Whatever came of the checks, whoever judged which, and however often: the record is that of one run."""
    outcomes = data.draw(st.dictionaries(st.sampled_from(codes()), st.sampled_from(OUTCOMES), max_size=6))
    count = data.draw(st.integers(1, 5))
    numbers = {code: data.draw(st.integers(1, count)) for code in codes()}
    parts = shards(numbers, count, of=["layers"], outcomes=outcomes)
    again = data.draw(st.lists(st.sampled_from(parts), max_size=2))
    given_in = data.draw(st.permutations(parts + again))
    whole = record(outcomes, of=["layers"])
    assert merged(given_in) == whole
    some = data.draw(st.integers(1, len(given_in)))
    assert merged([merged(given_in[:some]), *given_in[some:], parts[0]]) == whole


def test_every_outcome_counts() -> None:
    """Verdict, promises and counts of a run in which everything happened are those of its shards."""
    whole = record(EVERY_OUTCOME)
    expected = [catalogue()[code] for code in whole["backends"][0]["expected"]]
    parts = shards(numbers_of(expected, 3), 3, outcomes=EVERY_OUTCOME)
    assert merged(parts[::-1]) == whole
    assert all(part["backends"][0]["promises"] != whole["backends"][0]["promises"] for part in parts)


@pytest.mark.parametrize("left_out", [1, 2, 3])
def test_a_missing_shard_is_told(left_out: int) -> None:
    """Without one of them nothing conforms: what was not judged is counted, and no promise is observed by the rest."""
    parts = shards({code: 1 + place % 3 for place, code in enumerate(codes())}, 3, of=["layers"])
    rest = [part for number, part in enumerate(parts, 1) if number != left_out]
    report = merged(rest)
    (backend,) = report["backends"]
    judged = sum(part["backends"][0]["selected"] for part in rest)
    assert report["verdict"] == backend["verdict"] == "INCONCLUSIVE"
    assert backend["why"] == f"{judged} of {len(codes())} checks were judged: 1 shard missing, {left_out}/3"
    assert (backend["selected"], backend["of"]) == (judged, len(codes()))
    assert report["shard"] == " ".join(part["shard"] for part in rest)
    assert merged([report, parts[left_out - 1]]) == record(of=["layers"])


def test_a_shard_alone_is_not_the_whole() -> None:
    """Merging asks about the whole, also with one record: a job that lost all others must not be green."""
    first, second = halves()
    assert merged([first])["verdict"] == "INCONCLUSIVE"
    assert merged([first, first]) == merged([first])
    assert merged([first, second])["verdict"] == "CONFORMANT"
    whole = record(of=["layers"])
    assert merged([whole]) == merged([whole, first]) == whole


def test_a_failure_is_a_failure_whatever_is_missing() -> None:
    """What is broken in one shard is broken."""
    broken = next(code for code in codes() if catalogue()[code].level == "must" and "OPEN" not in code)
    first, second = halves(outcomes={broken: "fail"})
    (bad,) = [part for part in (first, second) if part["verdict"] == "NOT CONFORMANT"]
    assert merged([bad])["verdict"] == merged([first, second])["verdict"] == "NOT CONFORMANT"


def test_a_selection_in_shards_is_that_selection() -> None:
    """With -k in every shard the merged record is that of the selection: partial, and no promise is observed."""
    some = codes()[1:9]
    parts = shards({code: 1 + place % 2 for place, code in enumerate(some)}, 2, of=["layers"])
    report = merged(parts)
    assert report == record(of=["layers"], only=some)
    assert report["backends"][0]["selected"] == len(some)
    assert not any(promise["observed"] for promise in report["backends"][0]["promises"])


def test_a_shard_that_was_stopped_makes_the_run_a_stopped_one() -> None:
    """What it left out was not left out on purpose."""
    first, second = halves()
    stopped = shard(Shard(2, 2), codes()[1:4:2], of=["layers"], interrupted=True)
    report = merged([stopped, first])
    assert report["interrupted"]
    assert report["backends"][0]["why"].startswith("the run was stopped after")
    assert not merged([first, second])["interrupted"]


def test_machines_are_all_told() -> None:
    """Where shards ran on different machines each field has all that differ, in one order."""
    first, second = halves()
    other = {**second, "machine": {**second["machine"], "python": "3.99.0"}}
    pythons = sorted([first["machine"]["python"], "3.99.0"])
    assert merged([first, other])["machine"]["python"] == ", ".join(pythons)
    assert merged([first, other]) == merged([other, first]) == merged([merged([other]), first])
    assert merged([first, second])["machine"] == first["machine"]


def test_a_run_began_when_its_first_shard_did() -> None:
    """The date is the earliest."""
    first, second = halves()
    days = "2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z"
    parts = [first | {"date": days[1]}, second | {"date": days[0]}]
    assert merged(parts)["date"] == merged(parts[::-1])["date"] == days[0]


def test_what_was_judged_twice_with_one_outcome_is_kept_once() -> None:
    """Evidence and durations of two runs of a check may differ: which is kept does not depend on the order."""
    first, second = halves()
    slower = deepcopy(first)
    for check in checks(slower):
        check["duration_s"] *= 3
    report = merged([slower, first, second])
    assert report == merged([first, second, slower])
    assert len(checks(report)) == len(codes())


def test_what_came_to_different_outcomes_is_an_error() -> None:
    """A check that passed in one record and failed in another is named, with both records."""
    first, second = halves()
    other = deepcopy(first)
    checks(other)[3]["outcome"] = "fail"
    code = checks(other)[3]["code"]
    with pytest.raises(MergeError, match=rf"{code} on mystore is 'pass' in a.json and 'fail' in c.json"):
        merged([first, second, other], ["a.json", "b.json", "c.json"])


CHANGES = {
    "seed": ("seed", 7),
    "effort": ("effort", "thorough"),
    "kit.version": ("kit", {"name": "pytest-backend-conformance", "version": "9.9"}),
}


@pytest.mark.parametrize("path", CHANGES)
def test_other_runs_are_refused(path: str) -> None:
    """Records of other seeds, efforts and versions of the kit are not of one run: what differs is named."""
    first, second = halves()
    field, value = CHANGES[path]
    with pytest.raises(MergeError, match=rf"record 1 and record 2 are not of one run: {path} is .* in the first and"):
        merged([first, {**second, field: value}])


BACKENDS = {
    "name": "another",
    "version": "mystore 2.0",
    "address": "elsewhere.py:backend",
    "server": "Redis 8",
    "lacks": {"ttl": "never needed"},
    "expected": ["STATE-BASIC-01"],
}


@pytest.mark.parametrize("field", BACKENDS)
def test_other_backends_are_refused(field: str) -> None:
    """So are records of another backend, or of another version of it."""
    first, second = halves()
    other = deepcopy(second)
    other["backends"][0][field] = BACKENDS[field]
    with pytest.raises(MergeError, match=rf"not of one run: backends\[0\].{field}"):
        merged([first, other])


def test_other_capabilities_and_another_number_of_backends_are_refused() -> None:
    """A store that offers less on one machine was not judged by the same checks."""
    first, second = halves()
    other = deepcopy(second)
    other["backends"][0]["contracts"][-1]["capabilities"] = ["flying"]
    with pytest.raises(MergeError, match=r"backends\[0\].contracts\[\d\].capabilities"):
        merged([first, other])
    with pytest.raises(MergeError, match="not of one run: backends is"):
        merged([first, {**second, "backends": second["backends"] * 2}])


def test_what_is_no_record_is_refused() -> None:
    """Nothing, another schema, and a record that lacks a field are refused in a sentence."""
    first, _ = halves()
    with pytest.raises(MergeError, match="there is no record to merge"):
        merged([])
    with pytest.raises(MergeError, match="record 1 has the schema 99; this version of the kit merges 1"):
        merged([{**first, "schema": 99}])
    short = {field: value for field, value in first.items() if field != "shard"}
    with pytest.raises(MergeError, match=r"old\.json has no shard: it is no whole record, or one of an older kit"):
        merged([short], ["old.json"])


def test_what_became_of_a_baseline_is_put_together() -> None:
    """Entries that the shards added are in the order of the checks; another file is another run."""
    first, second = halves()
    here, there = ({"source": "base.json", "updated": True, "added": [], "removed": [], "kept": []} for _ in range(2))
    entries = [{"backend": "mystore", "check": code} for code in codes()[1:3]]
    here["added"], there["added"] = [entries[1]], [entries[0]]
    assert merged([first | {"baseline": here}, second | {"baseline": there}])["baseline"] == {**here, "added": entries}
    with pytest.raises(MergeError, match=r"not of one run: baseline.source is"):
        merged([first | {"baseline": here}, second | {"baseline": {**there, "source": "other.json"}}])
    with pytest.raises(MergeError, match="not of one run: baseline is"):
        merged([first | {"baseline": here}, second])


@pytest.mark.parametrize(
    "text", ["", "0/2", "3/2", "1/0", "1", "1/", "a/b", "-1/2", "1/2/3", "01/2", "1 / 2", "\uff11/\uff12"]
)
def test_texts_that_name_no_shard(text: str) -> None:
    """Anything but i/n with 1 <= i <= n is refused."""
    with pytest.raises(ValueError, match="is not i/n with whole numbers and 1 <= i <= n, such as 2/5"):
        shard_of(text)


def test_a_shard_is_written_as_it_is_read() -> None:
    """`2/5` is the second of five."""
    assert shard_of("2/5") == Shard(2, 5)
    assert str(Shard(2, 5)) == "2/5"


@pytest.mark.parametrize("count", ["11", "99999999999", "9" * 5000])
def test_there_is_a_largest_number_of_shards(count: str) -> None:
    """Who knows the checks says how many that is; it is never more than any kit has checks."""
    assert shard_of("10/10", most=10) == Shard(10, 10)
    with pytest.raises(ValueError, match=r"'1/[19]+(\.\.\.)?' has more shards than there are checks: give at most 10$"):
        shard_of(f"1/{count}", most=10)
    assert len(catalogue()) < MOST
    with pytest.raises(ValueError, match=rf"give at most {MOST}$"):
        shard_of(f"1/{MOST + 1}")


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
def test_every_check_is_in_one_shard_and_files_stay_together(count: int) -> None:
    """All checks have a shard, those of a file the same, and no order and no neighbour decides."""
    expected = list(catalogue().values())
    numbers = numbers_of(expected, count)
    assert numbers.keys() == catalogue().keys()
    assert set(numbers.values()) <= set(range(1, count + 1))
    assert numbers == numbers_of(expected[::-1], count)
    shards_of: dict[str, set[int]] = {}
    for check in expected:
        shards_of.setdefault(check.file, set()).add(numbers[check.code])
    assert {len(some) for some in shards_of.values()} == {1}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_shards_of_all_checks_are_alike_in_size(count: int) -> None:
    """Of the checks of each suite no shard has more than one file more than another."""
    expected = list(catalogue().values())
    numbers = numbers_of(expected, count)
    for suite in {check.suite for check in expected}:
        files: dict[str, int] = {}
        sizes = dict.fromkeys(range(1, count + 1), 0)
        for check in expected:
            if check.suite == suite:
                files[check.file] = files.get(check.file, 0) + 1
                sizes[numbers[check.code]] += 1
        assert max(sizes.values()) - min(sizes.values()) <= max(files.values())


def test_missing_shards() -> None:
    """A whole run needs no other; of several counts the one that is nearest to its end is told."""
    assert missing_from(["1/2", "2/2"]) == missing_from([""]) == missing_from(["", "1/2"]) == []
    assert missing_from(["3/3", "1/3"]) == ["2/3"]
    assert missing_from(["1/2", "1/9"]) == ["2/2"]
