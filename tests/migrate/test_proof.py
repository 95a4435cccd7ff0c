"""What speaks for a target."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import Backend
from conformance.check import catalogue
from conformance.migrate import Side, Unfit
from conformance.migrate.proof import check_proof
from conformance.versions import backend_version, kit_version
from reference_backends import sqlite
from tests.migrate.sides import database, files, fill, move, side

ADDRESS = "reference_backends.sqlite:backend"
TARGET = replace(sqlite.backend, address=ADDRESS)


def result(**more: Any) -> dict[str, Any]:
    """Return a record as a whole run of the target writes it, as far as it matters here."""
    suites: dict[str, dict[str, None]] = {}
    for check in catalogue().values():
        suites.setdefault(check.contract, {}).setdefault(check.suite)
    backend = {
        "name": "sqlite",
        "address": ADDRESS,
        "version": backend_version(ADDRESS),
        "lacks": {},
        "contracts": [{"name": name, "suites": [{"name": suite} for suite in of]} for name, of in suites.items()],
        "promises": [{"name": name, "claimed": getattr(TARGET, name)} for name in ("durability", "values")],
        "selected": 9,
        "of": 9,
        "case": "",
        "round": "",
        "verdict": "CONFORMANT",
    }
    return {"kit": {"version": kit_version()}, "backends": [{**backend, **more}]}


def written(folder: Path, record: Any) -> Path:
    """Write a record to a file, and return its path."""
    path = folder / "result.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def test_the_result_of_a_whole_run_speaks_for_its_backend(tmp_path: Path) -> None:
    """The same version of both, the same promises, and all suites: the verdict is told."""
    target = side(TARGET, tmp_path / "b")
    told = check_proof(written(tmp_path, result(verdict="CONFORMANT, 2 known gaps")), target, ["state", "log"])
    assert told.startswith("CONFORMANT, 2 known gaps (")
    assert "kit " + kit_version() in told


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"verdict": "NOT CONFORMANT"}, "its verdict is NOT CONFORMANT"),
        ({"verdict": "INCONCLUSIVE"}, "its verdict is INCONCLUSIVE"),
        ({"version": "other 1.0"}, "it is about the version other 1.0, and this is"),
        ({"version": ""}, "it is about the version unknown"),
        ({"selected": 8}, "only 8 of 9 checks were selected"),
        ({"case": "STATE-CRASH-01"}, "only 9 of 9"),
        ({"promises": [{"name": "durability", "claimed": "prefix"}]}, "was held to is prefix, and power-loss is"),
        ({"lacks": {"ttl": "no"}}, "it lacked ttl, and lacks nothing now"),
        (
            {"contracts": [{"name": "state", "suites": [{"name": "replay", "checks": [{"outcome": "blocked"}]}]}]},
            "known gaps kept 1 of its checks from being carried out",
        ),
        ({"contracts": []}, "the state was not judged by the suites concurrency, corruption, crash-recovery"),
    ],
)
def test_another_result_does_not(tmp_path: Path, more: dict[str, Any], why: str) -> None:
    """Whatever differs is named, with what to do."""
    with pytest.raises(Unfit, match=f"does not speak for sqlite .*{why}.*--unproven"):
        check_proof(written(tmp_path, result(**more)), side(TARGET, tmp_path / "b"), ["state"])


def test_the_result_of_another_kit_does_not(tmp_path: Path) -> None:
    """Another version of the kit has other checks."""
    with pytest.raises(Unfit, match=r"made by version 0\.0 of the kit"):
        check_proof(written(tmp_path, {**result(), "kit": {"version": "0.0"}}), side(TARGET, tmp_path / "b"), [])


def test_the_result_of_another_backend_does_not(tmp_path: Path) -> None:
    """It is told whose result it is."""
    with pytest.raises(Unfit, match="is the result of sqlite, not of files"):
        check_proof(written(tmp_path, result()), side(replace(TARGET, name="files", address="a:b"), tmp_path / "b"), [])


@pytest.mark.parametrize("record", [[], {}, 1, {"kit": {}, "backends": []}, {"kit": {"version": "1"}, "backends": [1]}])
def test_what_is_no_result_does_not(tmp_path: Path, record: Any) -> None:
    """A file with something else is told as that."""
    with pytest.raises(Unfit, match="is no result of the kit"):
        check_proof(written(tmp_path, record), side(TARGET, tmp_path / "b"), [])


def test_promises_that_a_server_makes_are_asked_for(tmp_path: Path) -> None:
    """A backend that promises less where the target is than where it was judged is refused."""
    less: Callable[[Any], dict[str, Any]] = lambda _: {"durability": "prefix"}  # noqa: E731
    with pytest.raises(Unfit, match="held to is power-loss, and prefix is promised now"):
        check_proof(written(tmp_path, result()), side(replace(TARGET, declare=less), tmp_path / "b"), ["state"])


def test_a_migration_asks_for_proof(tmp_path: Path) -> None:
    """Nothing is written to a target that nothing speaks for; with a proof, or without being asked for one, it is."""
    source, target = fill(files(tmp_path / "a"), 2), database(tmp_path / "b")
    with pytest.raises(Unfit, match="nothing shows that sqlite keeps what it is given"):
        move(source, target, unproven=False)
    assert not list(target.where.path.iterdir())
    proven = Side(TARGET, target.where)
    report = move(source, proven, unproven=False, proof=written(tmp_path, result()), contracts=["state"])
    assert report.equal
    assert report.proof.startswith("CONFORMANT (")


def test_a_backend_has_the_version_of_its_code(tmp_path: Path) -> None:
    """A registered one that of its distribution, one in a file the digest of the file."""
    assert backend_version(ADDRESS) == f"pytest-backend-conformance {kit_version()}"
    assert backend_version("hypothesis:given").startswith("hypothesis ")
    adapter = tmp_path / "adapter.py"
    adapter.write_text("a = 1")
    first = backend_version(f"{adapter}:a")
    adapter.write_text("a = 2")
    assert first.startswith("sha256:")
    assert backend_version(f"{adapter}:a") not in ("", first)
    assert backend_version("json:loads").startswith("sha256:")
    assert backend_version("no.such.module:a") == backend_version("") == ""
    assert Backend("a", state=dict).address == ""
