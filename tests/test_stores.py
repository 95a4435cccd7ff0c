"""Public stores are judged as they are: those that are here for the tests fail what docs/stores.json says they fail."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.address import load
from conformance.bench import Bench
from conformance.check import catalogue
from conformance.effort import EFFORTS
from conformance.profile import probe
from conformance.result import Result
from tests.benches import ends_with_the_test
from tests.stores.catalogue import STORES, Store

#: Checks that draw random examples, and so find a defect or not, which a table alone knows for sure.
RANDOM = ("STATE-KEY-04", "STATE-LIST-03", "STATE-MODEL-01", "STATE-VALUE-02")

ROOT = Path(__file__).parent.parent
BY_NAME = {store.name: store for store in STORES}
#: Those that the extra `dev` installs, and one of Python's own.
HERE = ("diskcache", "sqlitedict", "shelve on dbm.dumb", "TinyDB", "persist-queue")


def installed(module: str) -> None:
    """Skip the test unless a public store is installed."""
    pytest.importorskip(module, reason=f"{module} is not installed", exc_type=ImportError)


def bench(address: str, root: Path) -> Bench:
    """Return a bench at quick effort, but with few keys: some of these stores rewrite a file for each."""
    return ends_with_the_test(Bench(probe(load(address)), replace(EFFORTS["quick"], many=250), 0, root))


def address(store: Store) -> str:
    """Return the address of a store within the tests, whose bench doesn't run elsewhere."""
    file, _, name = store.adapter.partition(":")
    return f"tests.stores.{file.removesuffix('.py')}:{name}" if file.endswith(".py") else store.adapter


def judged(store: Store, root: Path, *codes: str) -> dict[str, Result]:
    """Carry out the round-trip checks of a store, or those with the codes."""
    one = bench(address(store), root)
    return {
        check.code: one.judge(check)
        for check in catalogue().values()
        if check.suite == "round-trip" and check.contract in one.profile.backend.contracts
        if not codes or check.code in codes
    }


@pytest.mark.parametrize("name", HERE)
def test_store_fails_exactly_what_it_was_measured_to_fail(name: str, tmp_path: Path) -> None:
    """The rules of the round-trip suite that a public store breaks are those that docs/stores.json has of it."""
    store = BY_NAME[name]
    for pin in store.requires:
        distribution, _, version = pin.partition("==")
        try:
            there = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{distribution} is not installed")
        if there != version:
            pytest.skip(f"{distribution} {there} is installed, and {version} was measured")
    results = json.loads((ROOT / "docs" / "stores.json").read_text(encoding="utf-8"))["stores"][name]
    known = {one["code"] for one in results["findings"] if catalogue()[one["code"]].suite == "round-trip"}
    found = {code for code, result in judged(store, tmp_path).items() if result.outcome == "fail"}
    assert found - set(RANDOM) == known - set(RANDOM)


ACCEPTED = "reading a value that was accepted"
FOLDED = "reading the key '1' after the key 1 was written"


@pytest.mark.parametrize(
    ("module", "code", "what", "expected", "got"),
    [
        ("diskcache", "STATE-VALUE-04", ACCEPTED, "float('nan')", "None"),
        ("tinydb", "STATE-VALUE-07", ACCEPTED, "(1, 2)", "[1, 2]"),
        ("tinydb", "STATE-VALUE-08", ACCEPTED, "{1: 'a'}", "{'1': 'a'}"),
        ("sqlitedict", "STATE-FAIL-03", FOLDED, "{'n': 1}", "{'n': 2}"),
    ],
)
def test_known_truth_is_shown(module: str, code: str, what: str, expected: str, got: str, tmp_path: Path) -> None:
    """What public stores are known to change silently is shown as what was expected and what came."""
    installed(module)
    store = next(one for one in STORES if one.name.lower() == module)
    example = judged(store, tmp_path, code)[code].counterexample
    assert example is not None
    assert (example.what, example.expected, example.got) == (what, expected, got)
    assert len(example.calls) <= 5


def test_shelve_needs_no_adapter(tmp_path: Path) -> None:
    """`shelve:open`, on whichever dbm there is, is opened and judged as it is."""
    one = bench("shelve:open", tmp_path)
    codes = ("STATE-BASIC-01", "STATE-VALUE-01", "STATE-REOPEN-01")
    assert [one.judge(catalogue()[code]).outcome for code in codes] == ["pass"] * 3


def test_command_line_shows_the_failure(tmp_path: Path) -> None:
    """`pytest --backend=diskcache:Cache --suite=round-trip` exits with 1 and shows all that a failure must show."""
    installed("diskcache")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CONFORMANCE_", "PYTEST_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--backend=diskcache:Cache", "--suite=round-trip", "--effort=quick"],
        cwd=tmp_path,
        env={**environment, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    shown = re.sub(r"\s+", " ", done.stdout)
    for part in (
        "STATE-VALUE-04 NaN and infinities come back as they are, or are refused loudly; they are never turned into",
        "reading a value that was accepted expected float('nan') got None",
        "1. store = session.open() -> Cache",
        "3. store['k'] = float('nan')",
        "4. store['k'] -> None <-- here",
        "rerun pytest --backend=diskcache:Cache -k STATE-VALUE-04",
        "NOT CONFORMANT",
    ):
        assert part in shown, done.stdout
