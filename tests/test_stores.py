"""Public stores are judged as they are: each fails exactly the checks that it is known to fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from conformance.address import load
from conformance.bench import Bench
from conformance.check import catalogue
from conformance.effort import EFFORTS
from conformance.profile import probe
from conformance.result import Result

#: Checks that draw random examples, and so find a defect or not, which a table alone knows for sure.
RANDOM = ("STATE-KEY-04", "STATE-LIST-03", "STATE-MODEL-01", "STATE-VALUE-02")

PAGE = Path(__file__).parent.parent / "docs" / "stores.md"
#: The names on that page that differ from those of the modules.
NAMES = {"dbm.dumb": "shelve on dbm.dumb", "lmdb": "LMDB", "pickledb": "pickleDB", "tinydb": "TinyDB"}
#: What only some seeds find, and what has the same cause as another failure.
UNSEEN = {("pickleDB", "STATE-VALUE-02")}


@dataclass(frozen=True)
class Store:
    """A public store, and what it comes to.

    Args:
        address: As after `--backend=`.
        module: The module that must be installed.
        table: The outcome of each check of the round-trip suite that does not pass, or does not apply; docs/stores.md
            has the minimal cases.
    """

    address: str
    module: str
    table: dict[str, str]


STORES = (
    Store("diskcache:Cache", "diskcache", {"STATE-VALUE-04": "fail"}),
    Store("tests.stores.sqlitedict_store:backend", "sqlitedict", {"STATE-FAIL-03": "fail"}),
    Store(
        "tests.stores.tinydb_store:backend",
        "tinydb",
        dict.fromkeys(
            (
                "STATE-FAIL-03",
                "STATE-KEY-02",
                "STATE-SHARE-02",
                "STATE-VALUE-05",
                "STATE-VALUE-07",
                "STATE-VALUE-08",
                "STATE-VALUE-09",
            ),
            "fail",
        ),
    ),
    Store("tests.stores.dbm_dumb_store:backend", "dbm.dumb", {"STATE-SHARE-01": "fail", "STATE-SHARE-02": "blocked"}),
    Store("tests.stores.lmdb_store:backend", "lmdb", {"STATE-SHARE-02": "fail"}),
    Store(
        "tests.stores.peewee_store:backend",
        "peewee",
        dict.fromkeys(("STATE-FAIL-03", "STATE-VALUE-01", "STATE-VALUE-02", "STATE-VALUE-11"), "fail"),
    ),
    Store(
        "tests.stores.pickledb_store:backend",
        "pickledb",
        dict.fromkeys(
            (
                "STATE-ALIAS-01",
                "STATE-ALIAS-02",
                "STATE-FAIL-01",
                "STATE-FAIL-03",
                "STATE-KEY-02",
                "STATE-SHARE-02",
                "STATE-VALUE-01",
                "STATE-VALUE-02",
                "STATE-VALUE-04",
                "STATE-VALUE-07",
                "STATE-VALUE-09",
            ),
            "fail",
        ),
    ),
    Store(
        "tests.stores.rocksdict_store:backend",
        "rocksdict",
        {
            "STATE-CLOSE-01": "fail",
            "STATE-SHARE-01": "fail",
            "STATE-SHARE-02": "blocked",
            "STATE-VALUE-09": "fail",
        },
    ),
    Store(
        "tests.stores.zict_store:backend",
        "zict",
        dict.fromkeys(("STATE-FAIL-03", "STATE-KEY-04", "STATE-SHARE-02"), "fail"),
    ),
    Store(
        "tests.stores.zodb_store:backend",
        "ZODB",
        {
            "STATE-ALIAS-01": "fail",
            "STATE-ALIAS-02": "fail",
            "STATE-CLOSE-01": "fail",
            "STATE-SHARE-01": "fail",
            "STATE-SHARE-02": "blocked",
        },
    ),
)


def installed(module: str) -> None:
    """Skip the test unless a public store is installed."""
    pytest.importorskip(module, reason=f"{module} is not installed", exc_type=ImportError)


def bench(address: str, root: Path) -> Bench:
    """Return a bench at quick effort, but with few keys: some of these stores rewrite a file for each."""
    return Bench(probe(load(address)), replace(EFFORTS["quick"], many=250), 0, root)


def judged(address: str, root: Path, *codes: str) -> dict[str, Result]:
    """Carry out the round-trip checks of the state contract, or those with the codes."""
    one = bench(address, root)
    checks = [check for check in catalogue().values() if (check.contract, check.suite) == ("state", "round-trip")]
    return {check.code: one.judge(check) for check in checks if not codes or check.code in codes}


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.module)
def test_store_fails_exactly_what_it_is_known_to_fail(store: Store, tmp_path: Path) -> None:
    """Every outcome of a public store is the one in its table: nothing fails by mistake, and nothing is missed."""
    installed(store.module)
    found = {
        code: result.outcome
        for code, result in judged(store.address, tmp_path).items()
        if result.outcome not in ("pass", "not applicable")
    }
    certain = {code: outcome for code, outcome in store.table.items() if code not in RANDOM}
    assert {code: outcome for code, outcome in found.items() if code not in RANDOM} == certain
    assert found.items() <= store.table.items()


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
    address = next(store.address for store in STORES if store.module == module)
    example = judged(address, tmp_path, code)[code].counterexample
    assert example is not None
    assert (example.what, example.expected, example.got) == (what, expected, got)
    assert len(example.calls) <= 5


def test_page_has_every_failure() -> None:
    """docs/stores.md has a minimal case for each failure in the tables, and for no other."""
    rows = re.findall(r"^\| (.+?) \| (.*?checks/.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = {
        (store, code)
        for stores, codes in rows
        for store in stores.split(", ")
        for code in re.findall(r"checks/([A-Z0-9-]+)\.md", codes)
        # The others have tests of their own.
        if code.startswith("STATE-") and "-CRASH-" not in code and "-CONC-" not in code
    }
    failures = {
        (NAMES.get(store.module, store.module), code)
        for store in STORES
        for code, outcome in store.table.items()
        if outcome == "fail"
    }
    assert shown == failures - UNSEEN


def test_shelve_needs_no_adapter(tmp_path: Path) -> None:
    """`shelve:open`, on whichever dbm there is, is opened and judged as it is."""
    codes = ("STATE-BASIC-01", "STATE-VALUE-01", "STATE-REOPEN-01")
    assert [result.outcome for result in judged("shelve:open", tmp_path, *codes).values()] == ["pass"] * 3


def test_command_line_shows_the_failure(tmp_path: Path) -> None:
    """`pytest --backend=diskcache:Cache --suite=round-trip` exits with 1 and shows all that a failure must show."""
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
