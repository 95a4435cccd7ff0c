"""The same planted bugs through each conformance kit: writes `docs/comparison.json`, and from it `docs/comparison.md`.

    python benchmarks/comparison/run.py --py-key-value CHECKOUT    # an hour: all kits, all bugs
    python benchmarks/comparison/run.py --kit zarr --bug no_lock   # one again; the rest of the file stays
    python benchmarks/comparison/run.py --page                     # only the page, from the file

An environment for each kit is made in a temporary directory, with the versions of `KITS`. py-key-value keeps its tests
in its repository, so that a checkout of it is needed; without one that kit is not run.

A bug is caught where a test fails on the store with it and passes on the honest one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS, PAGE = ROOT / "docs" / "comparison.json", ROOT / "docs" / "comparison.md"
sys.path.insert(0, str(HERE))

from planted import BUGS

_PYTEST = ("pytest==9.2.0", "pytest-asyncio==1.5.0", "hypothesis==6.170.15")
_OURS = "pytest-backend-conformance"


@dataclass(frozen=True)
class Kit:
    """A kit that is compared.

    Args:
        name: As in the table.
        version: What is run.
        requires: What is installed.
        test: The file that wires it, or the folder; empty for the kit of this repository.
        wired: How, in a sentence.
        asks: What it asks of a store and how, in a few words, as read in its source.
        gives: How a store is brought to it.
        bugs: What can be planted there.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    test: str
    wired: str
    asks: str
    gives: str
    bugs: tuple[str, ...] = tuple(BUGS)


KITS = (
    Kit(
        "conformance",
        "this repository",
        (str(ROOT),),
        "",
        "`pytest --backend=./planted.py:BUG --effort=quick`, all suites, no adapter",
        "random sequences against a model; reopening; kills and power loss at system calls; errors of the disk; "
        "threads, processes and killed writers, their histories checked for linearizability; damaged files; replay",
        "an importable callable",
    ),
    Kit(
        "langchain-tests",
        "1.1.9",
        ("langchain-tests==1.1.9",),
        "test_langchain.py",
        "`BaseStoreSyncTests` on a `BaseStore[str, bytes]`",
        "examples of put, get, delete and list, one handle",
        "a class inherits its tests",
    ),
    Kit(
        "langgraph-checkpoint-conformance",
        "0.0.2",
        ("langgraph-checkpoint-conformance==0.0.2",),
        "test_langgraph.py",
        "`validate` on LangGraph's own checkpointer in memory, which loads and saves each thread",
        "examples of checkpoints, writes, lists and deletes of threads, one handle",
        "a decorated function gives the checkpointer",
    ),
    Kit(
        "zarr.testing",
        "3.1.6",
        ("zarr==3.1.6", *_PYTEST),
        "test_zarr.py",
        "`StoreTests`, and `ZarrStoreStateMachine` with 50 random sequences",
        "examples of get with ranges, set, delete and list; random sequences against a model; a second handle that is "
        "a pickled copy",
        "a class inherits its tests; a state machine is run",
    ),
    Kit(
        "fsspec",
        "2026.9.0",
        ("fsspec==2026.9.0",),
        "test_fsspec.py",
        "the abstract tests of copy, get, put, open and pipe, on fsspec's memory file system with its files kept in "
        "the store",
        "examples of copying trees of files, one handle",
        "classes inherit its tests",
    ),
    Kit(
        "SQLAlchemy",
        "2.1.9",
        ("sqlalchemy==2.1.9",),
        "sqlalchemy_suite",
        "the suite for dialects, on SQLite with the bugs between the dialect and SQLite; those of files can't be "
        "planted",
        "examples of statements, types and reflection, one connection",
        "a file imports its tests; a class says what the dialect has",
        bugs=(
            "delete_keeps",
            "overwrite_ignored",
            "empty_is_missing",
            "zeros_stripped",
            "listing_misses_last",
            "written_in_place",
            "no_sync",
        ),
    ),
    Kit(
        "py-key-value",
        "279e1ee",
        ("py-key-value-aio==0.5.0", "dirty-equals", "pydantic"),
        "test_py_key_value.py",
        "`BaseStoreTests` and `ContextManagerStoreTestMixin` of its repository, on a `BaseStore`",
        "examples of put, get, delete, lifetimes and many keys; three tasks of one loop at once",
        "a class inherits its tests",
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for, keep the results, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kit", action="append", choices=[kit.name for kit in KITS])
    parser.add_argument("--bug", action="append", choices=list(BUGS))
    parser.add_argument("--py-key-value", metavar="CHECKOUT", type=Path)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args(arguments)
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"kits": {}}
    if not options.page:
        found["machine"] = f"{platform.system()}, Python {platform.python_version()}"
        for kit in KITS:
            if options.kit and kit.name not in options.kit:
                continue
            if kit.name == "py-key-value" and options.py_key_value is None:
                print("py-key-value: not run, for want of --py-key-value CHECKOUT")
                continue
            of_kit = judged(kit, options.bug or kit.bugs, options.py_key_value)
            known = found["kits"].get(kit.name, {"bugs": {}})
            bugs = {bug: {**known["bugs"], **of_kit["bugs"]}.get(bug) for bug in kit.bugs}
            found["kits"][kit.name] = {**of_kit, "bugs": {bug: one for bug, one in bugs.items() if one is not None}}
            RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")
    return 0


def judged(kit: Kit, bugs: Sequence[str], checkout: Path | None) -> dict[str, Any]:
    """Return what a kit found: of the honest store, and of each bug the tests that fail only with it."""
    with tempfile.TemporaryDirectory(prefix="comparison-") as name:
        folder = Path(name)
        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", *_PYTEST, *kit.requires], check=True)
        honest = run(kit, python, folder / "honest", "", checkout)
        print(f"{kit.name}: {len(honest)} tests, {sum(honest.values())} of them fail on the honest store", flush=True)
        caught = {}
        for bug in bugs:
            if bug not in kit.bugs:
                continue
            ends = run(kit, python, folder / bug, bug, checkout)
            caught[bug] = sorted(test for test, failed in ends.items() if failed and not honest.get(test))
            print(f"  {bug:<22} {', '.join(caught[bug][:3]) or '-'}", flush=True)
    return {"tests": len(honest), "failing_on_honest": sum(honest.values()), "bugs": caught}


def run(kit: Kit, python: Path, folder: Path, bug: str, checkout: Path | None) -> dict[str, bool]:
    """Return for each test whether it failed; what was skipped is left out."""
    folder.mkdir()
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "CONFORMANCE_"))}
    path = os.pathsep.join([str(HERE), *([str(checkout.resolve())] if checkout and "py-key" in kit.name else [])])
    environment = outside | {"PLANTED_BUG": bug, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'files'}"]
    if not kit.test:
        record = folder / "record.json"
        command += [
            f"--backend={HERE / 'planted.py'}:{bug or 'honest'}",
            "--effort=quick",
            f"--conformance-json={record}",
        ]
        ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if not record.exists():
            raise RuntimeError(f"{kit.name} ended without a record:\n{ended.stdout}{ended.stderr}")
        return dict(outcomes(json.loads(record.read_text(encoding="utf-8"))))
    test, xml = HERE / kit.test, folder / "junit.xml"
    if test.is_dir():
        command += ["-c", str(test / "setup.cfg"), "--dburi=sqlite+planted://", str(test / "test_suite.py")]
        environment["PYTHONPATH"] = os.pathsep.join([path, str(test)])
    else:
        settings = ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function", "-W", "ignore"]
        command += ["-c", os.devnull, f"--rootdir={HERE}", *settings, str(test)]
    command += [f"--junitxml={xml}"]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if not xml.exists():
        raise RuntimeError(f"{kit.name} ended without a result:\n{ended.stdout}{ended.stderr}")
    return dict(cases(ET.parse(xml)))


def outcomes(record: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Give the checks of a record that were carried out, and whether a rule that gates is broken."""
    for contract in record["backends"][0]["contracts"]:
        for suite in contract["suites"]:
            for check in suite["checks"]:
                if check["outcome"] in ("pass", "fail"):
                    yield check["code"], check["outcome"] == "fail" and check["level"] == "must"


def cases(tree: Any) -> Iterator[tuple[str, bool]]:
    """Give the tests of JUnit's XML that were carried out, and whether they failed."""
    for case in tree.iter("testcase"):
        if case.find("skipped") is None:
            name = f"{case.get('classname').rpartition('.')[2]}.{case.get('name')}"
            yield name, case.find("failure") is not None or case.find("error") is not None


def page(found: Mapping[str, Any]) -> str:
    """Return the page: what each kit caught, what it asks, how it was wired."""
    kits = [kit for kit in KITS if kit.name in found["kits"]]
    head = " | ".join(kit.name for kit in kits)
    lines = [
        "# Beside other conformance kits",
        "",
        "The same planted bugs, through this kit and through the published ones nearest to it. Made by",
        "`python benchmarks/comparison/run.py`; the wiring of each kit is in `benchmarks/comparison/`.",
        "",
        "One honest store keeps bytes under text keys in one file: sealed by a checksum, replaced as a whole, synced,",
        "locked among threads and processes. Each bug changes one thing of it (`planted.py`). A kit catches a bug",
        "where a test fails with it and passes on the honest store; the number is how many do. `-`: none. `n/a`: the",
        "bug can't be planted where the kit looks.",
        "",
        "The other kits are not meant for most of this: they ask whether a class has the verbs of its framework",
        "right, and this table does not say how well they do that. It says what passing them means for data.",
        "",
        f"| planted bug | {head} |",
        f"|---|{'---|' * len(kits)}",
    ]
    for bug, meaning in BUGS.items():
        lines.append(f"| {meaning} | {' | '.join(cell(found['kits'][kit.name], kit, bug) for kit in kits)} |")
    caught = [_score(found["kits"][kit.name]) for kit in kits]
    lines += [f"| **caught** | {' | '.join(caught)} |", ""]
    lines += [f"{found['machine']}. Tests that were carried out on the honest store:", ""]
    for kit in kits:
        of_kit = found["kits"][kit.name]
        failing = of_kit["failing_on_honest"]
        but = f", of which {failing} fail there and do not count" if failing else ""
        lines.append(f"- {kit.name}, {kit.version}: {of_kit['tests']}{but}")
    lines += ["", "## What they ask", "", "| kit | asks | brought to it by | wired here as |", "|---|---|---|---|"]
    lines += [f"| {kit.name} | {kit.asks} | {kit.gives} | {kit.wired} |" for kit in kits]
    lines += [
        "",
        "## Which tests caught what",
        "",
        "Up to three of each.",
        "",
        "| bug | kit | tests |",
        "|---|---|---|",
    ]
    for bug in BUGS:
        for kit in kits:
            names = found["kits"][kit.name]["bugs"].get(bug) or []
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                lines.append(f"| {bug} | {kit.name} | {', '.join(_name(kit, one) for one in names[:3])}{more} |")
    return "\n".join(lines) + "\n"


def cell(of_kit: Mapping[str, Any], kit: Kit, bug: str) -> str:
    """Return what a kit made of a bug: how many tests caught it."""
    if bug not in kit.bugs:
        return "n/a"
    if bug not in of_kit["bugs"]:
        return "not run"
    return str(len(of_kit["bugs"][bug]) or "-")


def _score(of_kit: Mapping[str, Any]) -> str:
    return f"**{sum(map(bool, of_kit['bugs'].values()))} of {len(of_kit['bugs'])}**"


def _name(kit: Kit, test: str) -> str:
    return f"[{test}](checks/{test}.md)" if not kit.test else f"`{test.replace('|', ' ')}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
