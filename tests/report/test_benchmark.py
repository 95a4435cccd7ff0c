"""Benchmarks in the record, on the terminal and as a picture."""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree

import pytest

from conformance.benchmarks.growth import growth
from conformance.benchmarks.measured import Measured, failed_record, left_out_record, space_record, tried_record
from conformance.report.benchmark import benchmark_lines, measured_of, time_text, with_durability
from conformance.report.benchmark_svg import benchmark_svg

MACHINE = {"cpu_count": 2, "cpu": "Z80", "filesystem": "ext4"}


def entry(
    backend: str, time: float, *, durability: str = "power-loss", reference: str = "", **more: Any
) -> dict[str, Any]:
    """Return the entry of a put."""
    rounds = [time * (1 + n / 100) for n in range(5)]
    limit = [1e-4 * (1 + n / 100) for n in range(5)]
    beside = (reference, [2e-4 * (1 + n / 100) for n in range(5)]) if reference else None
    limits = {"write + sync": limit, "appended": [2 * one for one in limit]}
    return Measured(backend, "state", "put", rounds, 10, 1, limits, beside, 225, durability, **more).record()


def backend(name: str, observed: str | None = None) -> dict[str, Any]:
    """Return a backend of a record; with an observed durability its crashes were looked at."""
    suite = {"name": "crash-recovery", "checks": [{}]} if observed is not None else {"name": "open", "checks": [{}]}
    promises = [{"name": "durability", "observed": observed or "", "claimed": "", "broken": []}]
    return {"name": name, "contracts": [{"name": "state", "suites": [suite]}], "promises": promises}


def lines(entries: list[dict[str, Any]], **machine: Any) -> list[str]:
    """Return the section on the terminal."""
    return [text for text, _ in benchmark_lines({"benchmarks": entries, "machine": MACHINE | machine})]


def test_figures_of_an_entry() -> None:
    """Median, quartiles and ratios are those of the samples, and a ratio lies in its interval; samples are left out."""
    one = entry("b", 4e-4, reference="a")
    assert (one["median"], one["q1"], one["q3"]) == (0.000408, 0.000404, 0.000412)
    assert (one["ratio_to_limit"], one["ratio_to_reference"]) == (4.0, 2.0)
    assert one["limits"][1]["ratio"] == 2.0
    assert one["interval"]["limit"][0] <= 4.0 <= one["interval"]["limit"][1]
    assert "samples" not in one


@pytest.mark.parametrize(
    ("first", "second", "words", "note"),
    [
        (("power-loss", None), ("power-loss", None), "claims power-loss, not observed", ""),
        (("power-loss", None), ("volatile", None), "claims volatile", "not the same durability as a"),
        (("power-loss", "power-loss"), ("power-loss", "power-loss"), "observed power-loss", ""),
        (
            ("power-loss", "power-loss"),
            ("power-loss", "process-crash"),
            "claims power-loss, observed process-crash",
            "not the same durability as a; the bare disk is that of power-loss",
        ),
        (
            ("power-loss", "power-loss"),
            ("power-loss", ""),
            "claims power-loss, observed none",
            "not the same durability as a; the bare disk is that of power-loss",
        ),
        (
            ("prefix", "prefix"),
            ("process-crash", "process-crash"),
            "observed process-crash",
            "not the same durability as a",
        ),
    ],
)
def test_durability_stands_on_the_line(
    first: tuple[str, str | None], second: tuple[str, str | None], words: str, note: str
) -> None:
    """What is claimed or observed stands beside every figure, and so does that a comparison is not one of equals."""
    entries = [entry("a", 2e-4, durability=first[0]), entry("b", 4e-4, durability=second[0], reference="a")]
    told = with_durability(entries, [backend("a", first[1]), backend("b", second[1])])
    assert (told[1]["durability"], told[1]["not_the_same"]) == (words, note)
    assert told[1]["durability_observed"] == (second[1] or "")
    (line,) = (line for line in lines(told) if " b " in line and "4.0x" in line)
    assert line.endswith(f"{words}: {note}" if note else words)
    assert told == with_durability(told, [backend("a", first[1]), backend("b", second[1])])


def test_another_disk_stands_on_the_line() -> None:
    """A store whose server lies elsewhere is not beside its own disk, and the line says so."""
    told = with_durability([entry("a", 2e-4, conditions={"disk": "its server is far away"})], [backend("a")])
    assert any(line.endswith("claims power-loss, not observed: its server is far away") for line in lines(told))
    told = with_durability([entry("a", 2e-4, conditions={"connects": "to a server that runs"})], [backend("a")])
    assert any(line.endswith("not observed: connects to a server that runs") for line in lines(told))


def test_the_table() -> None:
    """A line for each operation and backend, with the ratios and their intervals; below, what the bare disk took."""
    told = with_durability([entry("a", 2e-4), entry("b", 4e-4, reference="a")], [backend("a"), backend("b")])
    shown = lines(told)
    (head,) = (line for line in shown if "operation" in line)
    assert "x a" in head
    assert any(line.startswith("  state put  a        204 us  202..206 us  2.0x [") for line in shown), shown
    assert any("408 us  404..412 us  4.0x [" in line and "]  2.0x [2.0..2.0]" in line for line in shown), shown
    assert "bare disk: write + sync: 102 us; appended: 204 us" in "\n".join(shown)
    assert shown[0] == "  on 2 cores, Z80, ext4; medians of up to 5 rounds, in turns; q1..q3"
    assert "`conformance compare A.json B.json`" in shown[-1]
    assert not any("in memory" in line or "varied" in line for line in shown)


def test_who_is_alone_is_beside_nobody() -> None:
    """The column of the reference has a head where there is one: its name, or that it is the first of each contract."""
    alone = [entry("a", 2e-4)]
    several = [*alone, entry("b", 4e-4, reference="a"), {**entry("c", 4e-4, reference="b"), "operation": "get"}]
    for entries, head in ((alone, None), (several[:2], "x a"), (several, "x first")):
        told = with_durability(entries, [backend(name) for name in "abc"])
        (line,) = (line for line in lines(told) if line.startswith("  operation"))
        assert (f"  {head}  " in line) if head else line.count(" x ") == 1


def test_what_spoils_figures_is_said() -> None:
    """A file system in memory, and a bare disk that was uneven, are told before the figures."""
    limit = {"write": [1e-4, 1e-4, 1e-4, 3e-4, 9e-4]}
    uneven = Measured("a", "state", "put", [1e-4] * 5, 1, 1, limit, None, 1, "prefix").record()
    shown = "\n".join(lines(with_durability([uneven], [backend("a")]), filesystem="tmpfs", load=9.5))
    assert "tmpfs lies in memory: a sync costs nothing there" in shown
    assert "varied by more than 2x between quartiles in 1 of 1 rows: the load was 9.5 on 2 cores" in shown


@pytest.mark.parametrize(
    ("grows", "words"),
    [
        (lambda n: 1e-3 + n * 1e-6, "a: grows by 1 us a record [1..1 us] over 1,000 to 5,000 records: linear"),
        (lambda n: 1e-3, "a: does not grow over 1,000 to 5,000 records"),
        (lambda n: n * n * 1e-9, "faster than linear"),
        (lambda n: 1e-2 - n * 1e-6, "a: shrinks by 1 us a record [1..1 us] over 1,000 to 5,000 records"),
    ],
)
def test_growth_has_a_line(grows: Any, words: str) -> None:
    """The slope, its interval, and whether it is a line, stand below the figure."""
    found = growth({n: [grows(n)] * 5 for n in (1_000, 2_000, 3_000, 4_000, 5_000)}, 0)
    assert words in "\n".join(lines(with_durability([entry("a", 2e-4, growth=found)], [backend("a")])))


def test_what_was_not_measured_is_told() -> None:
    """Failures, what does not apply, and what was carried out once, have lines of their own; space has no ratio."""
    entries = [
        space_record("a", "log", 12.5, 225, "power-loss", {}),
        failed_record("a", "state", "put", "OSError: full"),
        left_out_record("a", "log", "recovery", "no"),
        left_out_record("a", "log", "open", "no"),
        tried_record("b", "log", "append", "--benchmark-disable"),
    ]
    assert measured_of(entries) == (1, 1, 1)
    shown = "\n".join(lines(with_durability(entries, [backend("a"), backend("b")])))
    assert "12.5 bytes" in shown
    assert "failed       a: state put: OSError: full" in shown
    assert "not measured a: log recovery, log open: no" in shown
    assert "not measured b: 1 operation carried out once (--benchmark-disable)" in shown


def test_the_picture_is_xml_without_a_script() -> None:
    """Every ratio is a bar with its words; words have the colour of their surroundings; nothing is fetched or run."""
    entries = [entry("a <b>", 2e-4), entry("b", 4e-1, durability="volatile", reference="a <b>")]
    picture = benchmark_svg(with_durability(entries, [backend("a <b>"), backend("b")]))
    root = ElementTree.fromstring(picture)
    texts = ["".join(one.itertext()) for one in root.iter() if one.tag.endswith("text")]
    assert "a <b> 2x" in texts
    assert "b 4e+03x (not the same durability as a <b>)" in texts
    assert "1x = bare disk" in texts
    assert sum(one.tag.endswith("rect") for one in root.iter()) == 2
    assert {one.get("fill") for one in root.iter() if one.tag.endswith("text")} == {"currentColor"}
    assert "script" not in picture
    assert "href" not in picture


def test_what_has_no_end_is_not_drawn() -> None:
    """A clock that is too coarse for the bare disk leaves ratios that are infinite, or their intervals."""
    one, coarse = with_durability([entry("a", 2e-4), entry("b", 4e-4)], [backend("a"), backend("b")])
    endless = {**one, "backend": "c", "ratio_to_limit": math.inf}
    half = {**coarse, "interval": {**coarse["interval"], "limit": [1.5, math.inf]}}
    texts = ["".join(found.itertext()) for found in ElementTree.fromstring(benchmark_svg([one, half, endless])).iter()]
    assert any(text.startswith("b ") for text in texts)
    assert not any(text.startswith("c ") or "inf" in text for text in texts)
    assert benchmark_svg([endless]) == ""


def test_no_picture_of_nothing() -> None:
    """Where nothing was measured beside the bare disk there is no picture."""
    assert benchmark_svg([]) == ""
    assert (
        benchmark_svg([failed_record("a", "state", "put", "no"), space_record("a", "log", 1.0, 1, "prefix", {})]) == ""
    )


@pytest.mark.parametrize(
    ("ratio", "ends", "text"),
    [
        (0.00004, (0.0000314, 0.00005), "0.00004x [0.000031..0.00005]"),
        (0.0123456, (0.01, 0.02), "0.0123x [0.01..0.02]"),
        (1.0, (0.96, 1.04), "1.0x [0.96..1.0]"),
        (99.96, (99.0, 101.0), "100.0x [99..101]"),
        (1_234_567.0, (1e6, None), "1,234,567x [1,000,000..?]"),
    ],
)
def test_ratios_are_no_powers_of_ten(ratio: float, ends: tuple[float, float | None], text: str) -> None:
    """However small or great: a reader counts zeros more easily than exponents."""
    one = {**entry("a", 2e-4), "ratio_to_limit": ratio, "interval": {"limit": list(ends)}}
    assert text in "\n".join(lines(with_durability([one], [backend("a")])))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.5, "2.5 s"),
        (0.0123, "12.3 ms"),
        (4.5e-5, "45 us"),
        (7e-8, "70 ns"),
        (0.0, "0 ns"),
        (0.9996, "1,000 ms"),
        (4321.5, "4,322 s"),
    ],
)
def test_times_are_easy_to_read(seconds: float, text: str) -> None:
    """Three digits, and the unit that leaves them before the point."""
    assert time_text(seconds) == text
