"""The kit on public stores: installs them, judges each by all suites, and writes docs/stores.json and docs/stores.md.

python benchmarks/stores.py                 all stores; about 25 minutes on two cores
python benchmarks/stores.py --only LMDB     one of them again; repeatable
python benchmarks/stores.py --page          no run: the page anew, from the results that are there
python benchmarks/stores.py --check         writes nothing; exits 1 if the page is not that of the results

The environment is a fresh one, with the kit as it stands here, the versions that tests/stores/catalogue.py pins, and
those of the last run of what these depend on. One store is judged after the other, so that none disturbs the other.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the catalogue is part of the tests, which are not installed

from tests.stores.catalogue import STORES, Store  # noqa: E402 - needs the path
from tests.stores.page import page  # noqa: E402
from tests.stores.results import summary  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RESULTS, PAGE = ROOT / "docs" / "stores.json", ROOT / "docs" / "stores.md"
#: Seconds after which a check is ended, as its store may wait for ever, and after which a store counts as not measured.
HANGS, TOO_LONG = 120, 1800
#: What ends a check.
TIMEOUT = "pytest-timeout"
SCHEMA, SEED = 1, 0


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out what was asked, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [store.name for store in STORES]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument("--venv", type=Path, help="an environment to make here, or to use again (default: a new one)")
    parser.add_argument("--upgrade", action="store_true", help="don't keep the versions of what the stores depend on")
    parser.add_argument("--page", action="store_true", help="run nothing; write the page")
    parser.add_argument("--check", action="store_true", help="run and write nothing; exit 1 if the page is stale")
    given = parser.parse_args(argv)
    results: dict[str, Any] = {"schema": SCHEMA, "environment": {}, "stores": {}}
    if RESULTS.exists():
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
    if given.check:
        return is_stale(results)
    if not given.page:
        stores = [store for store in STORES if given.only is None or store.name in given.only]
        with environment(given.venv) as venv:
            python = install(venv, {} if given.upgrade else results["environment"])
            results["environment"] = installed(python)
            for store in stores:
                results["stores"][store.name] = judged(store, python)
                in_order = {name: results["stores"][name] for name in names if name in results["stores"]}
                written = json.dumps({**results, "stores": in_order}, indent=1, ensure_ascii=False)
                RESULTS.write_text(written + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    return 0


def is_stale(results: dict[str, Any]) -> int:
    """Tell, as an exit code, whether the page is not that of the results."""
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page(results):
        return 0
    print("docs/stores.md is stale: run python benchmarks/stores.py --page, and commit what it writes.")
    return 1


@contextmanager
def environment(given: Path | None) -> Iterator[Path]:
    """Give the directory of a virtual environment: the one that was asked for, or one that is removed again."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="stores-") as directory:
        yield Path(directory) / "venv"


def install(venv: Path, versions: dict[str, str]) -> Path:
    """Make the environment unless it is there, install the kit and the stores, and return its Python.

    Args:
        venv: Its directory.
        versions: Of all packages, as they were the last time; those that the catalogue pins differently are not kept.
    """
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pins = sorted({pin for store in STORES for pin in store.requires})
    pinned = {pin.partition("==")[0].lower() for pin in pins}
    kept = [f"{name}=={version}" for name, version in versions.items() if name.lower() not in pinned]
    constraints = venv / "constraints.txt"
    constraints.write_text("\n".join(kept), encoding="utf-8")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", str(constraints)]
    print(f"installing {len(pins)} stores in {venv}", flush=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", str(ROOT)], check=True)
    subprocess.run([*pip, str(ROOT), TIMEOUT, *pins], check=True)
    return python


def installed(python: Path) -> dict[str, str]:
    """Return the versions of all packages of an environment, but for the kit."""
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = {one["name"]: one["version"] for one in json.loads(listed.stdout)}
    return {name: version for name, version in found.items() if name not in ("pip", "pytest-backend-conformance")}


def judged(store: Store, python: Path) -> dict[str, Any]:
    """Judge one store by all suites, and return what is kept of it."""
    with tempfile.TemporaryDirectory(prefix="store-") as directory:
        place, record, log = Path(directory) / "places", Path(directory) / "record.json", Path(directory) / "log"
        command = [
            str(python),
            *("-m", "pytest", f"--backend={address(store)}", "--effort=quick", f"--conformance-seed={SEED}"),
            *("-q", "-p", "no:cacheprovider", f"--basetemp={place}", f"--conformance-json={record}"),
            f"--timeout={HANGS}",
        ]
        outside = ("CONFORMANCE_", "PYTEST_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
        begun = time.monotonic()
        date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        with log.open("w") as output:
            reason = run(command, directory, {**kept, "COLUMNS": "100"}, output)
        seconds = round(time.monotonic() - begun)
        if not reason and not record.exists():
            reason = f"the run ended without a record: {log.read_text(encoding='utf-8').strip()[-200:]}"
        if reason:
            print(f"{store.name}: not measured: {reason}", flush=True)
            return {"date": date, "not_measured": reason}
        found = summary(json.loads(record.read_text(encoding="utf-8")), str(place))
        print(f"{store.name}: {found['verdict']}, {len(found['findings'])} findings, {seconds} s", flush=True)
        return {"date": date, "seconds": seconds, **found}


def run(command: list[str], directory: str, variables: dict[str, str], output: Any) -> str:
    """Carry a command out, with all that it starts at low priority; return why it came to no end, if it did not."""
    nice = ["nice", "-n", "10"] if os.name == "posix" else []
    try:
        subprocess.run(
            [*nice, *command],
            cwd=directory,
            env=variables,
            stdout=output,
            stderr=output,
            check=False,
            timeout=TOO_LONG,
        )
    except subprocess.TimeoutExpired:
        return f"took over {TOO_LONG} s"
    return ""


def address(store: Store) -> str:
    """Return what `--backend=` is given: the file of an adapter, or the address of what needs none."""
    if not store.adapter.partition(":")[0].endswith(".py"):
        return store.adapter
    return str(ROOT / "tests" / "stores" / store.adapter)


if __name__ == "__main__":
    sys.exit(main())
