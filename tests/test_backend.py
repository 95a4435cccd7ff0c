"""The Backend record: what it refuses, and what it promises when nothing is said."""

from __future__ import annotations

from typing import Any

import pytest

from conformance import Backend, Where, adapt
from conformance.backend import PROMISES


def test_undeclared_means_the_strictest() -> None:
    """A backend that declares nothing is held to the level in bold."""
    backend = Backend("mine", state=dict)
    assert {promise: getattr(backend, promise) for promise in PROMISES} == {
        "durability": "power-loss",
        "sharing": "processes",
        "corruption": "detects",
        "values": "json",
        "consistency": "linearizable",
        "isolation": "serializable",
    }
    assert backend.contracts == ("state",)


@pytest.mark.parametrize(
    ("lack", "promise", "left"),
    [
        ("power-loss", "durability", "process-crash"),
        ("clean-close", "durability", "volatile"),
        ("processes", "sharing", "threads"),
        ("threads", "sharing", "single"),
        ("detects", "corruption", "silent"),
        ("linearizable", "consistency", "sessions"),
        ("serializable", "isolation", "snapshot-isolation"),
        ("snapshot-isolation", "isolation", "read-committed"),
    ],
)
def test_a_lack_lowers_its_promise(lack: str, promise: str, left: str) -> None:
    """A disclaimed level leaves the next one that it does not include; a lower claim stays as it is."""
    assert getattr(Backend("mine", state=dict, lacks={lack: "r"}), promise) == left
    lowest = {name: levels[-1] for name, levels in PROMISES.items()}
    assert getattr(Backend("mine", state=dict, lacks={lack: "r"}, **lowest), promise) == lowest[promise]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({}, TypeError, "opens nothing: give at least one of state=, log="),
        ({"state": {}}, TypeError, "state={} is not callable"),
        ({"log": list, "fold": {}}, TypeError, "fold={} is not callable"),
        ({"state": dict, "durability": "high"}, ValueError, "durability='high' is unknown"),
        ({"state": dict, "lacks": {"tt": "r"}}, ValueError, "lacks={'tt': ...} names neither"),
        ({"state": dict, "lacks": {"ttl": " "}}, ValueError, "has no reason"),
        ({"state": dict, "errors": {"confict": OSError}}, ValueError, "errors={'confict': ...} is unknown"),
        ({"state": dict, "errors": {"conflict": "OSError"}}, ValueError, "is not an exception type"),
    ],
)
def test_bad_records_are_refused(fields: dict[str, Any], error: type[Exception], message: str) -> None:
    """A record that can't be used says which field, which value, and what to write."""
    with pytest.raises(error) as caught:
        Backend("mine", **fields)
    assert message in str(caught.value)
    assert "'mine'" in str(caught.value)


def test_a_place_has_a_clock_and_a_namespace(tmp_path: Any) -> None:
    """A place is a directory, a name and a clock; the kit's names are importable from the package."""
    where = Where(tmp_path)
    assert where.clock() > 1_700_000_000
    assert where.namespace == "conformance"
    assert callable(adapt)


def test_unknown_names_of_the_package_are_attribute_errors() -> None:
    """The package has no other public names."""
    import conformance

    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = conformance.nothing
