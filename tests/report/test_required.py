"""What is required of a backend, and the verdict that follows, worked out from records without a run."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.report.required import includes, required_records, unmet

PASSED = {"contract": "state", "level": "must", "outcome": "pass", "provisional": False}


def became(word: str, **promise: Any) -> tuple[bool | None, str]:
    """Return what becomes of a word, for a backend with one promise that was found so."""
    facts = {"contracts": [{"name": "backend"}, {"name": "state"}], "lacks": {"power-loss": "a cache"}}
    found = {"name": "durability", "claimed": "power-loss", "observed": "", "broken": []} | promise
    one = required_records([word], facts, [found], [PASSED])[0]
    return one["met"], one["why"]


@pytest.mark.parametrize(
    ("word", "promise", "expected"),
    [
        ("power-loss", {"observed": "power-loss"}, (True, "observed power-loss")),
        ("process-crash", {"observed": "power-loss"}, (True, "observed power-loss")),
        ("power-loss", {"observed": "clean-close", "broken": ["power-loss"]}, (False, "observed clean-close")),
        ("power-loss", {"observed": "", "broken": ["clean-close"]}, (False, "clean-close broken")),
        (
            "process-crash",
            {"observed": "clean-close", "broken": ["power-loss"]},
            (None, "not measured, observed clean-close"),
        ),
        ("power-loss", {}, (None, "not measured")),
        ("power-loss", {"claimed": "clean-close"}, (False, "claimed clean-close (lacks power-loss: a cache)")),
        ("prefix", {"claimed": "clean-close", "observed": "clean-close"}, (False, "claimed clean-close")),
        ("serializable", {}, (False, "the backend offers nothing that isolation is about")),
        ("bytes", {"name": "values", "claimed": "json", "observed": "json"}, (False, "claimed json")),
        ("bytes", {"name": "values", "claimed": "json+bytes", "observed": "json+bytes"}, (True, "observed json+bytes")),
        ("state", {}, (True, "1 must check passed")),
        ("log", {}, (False, "the backend opens state")),
    ],
)
def test_what_becomes_of_a_word(word: str, promise: dict[str, Any], expected: tuple[bool | None, str]) -> None:
    """Observed is met, claimed weaker or broken is refuted, and anything else was not measured."""
    assert became(word, **promise) == expected


def test_a_contract_without_a_passed_must_was_not_measured() -> None:
    """A `should` or a provisional check that passed shows nothing of a contract."""
    facts = {"contracts": [{"name": "state"}], "lacks": {}}
    for other in ({"level": "should"}, {"provisional": True}, {"outcome": "not applicable"}, {"contract": "log"}):
        assert required_records(["state"], facts, [], [PASSED | other])[0]["met"] is None


def test_a_store_that_does_not_open_refutes_nothing() -> None:
    """It was not measured, whatever it may promise."""
    facts = {"contracts": [{"name": "backend"}], "lacks": {}}
    records = required_records(["power-loss", "log"], facts, [], [])
    assert [one["met"] for one in records] == [None, None]
    assert unmet(records, met=None)[0] == "requires power-loss, not measured: no store was opened"


def test_json_includes_no_bytes() -> None:
    """The levels of values are no ladder: whoever takes JSON takes no bytes."""
    assert not includes("values", "json", "bytes")
    assert includes("values", "pickle", "bytes")
    assert not includes("values", "", "bytes")
