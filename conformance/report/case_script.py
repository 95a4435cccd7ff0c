"""A standalone script that opens a store on what a crash left, and prints what it holds."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.backend import Backend
from conformance.crash.case import packed
from conformance.crash.perform import place_of
from conformance.crash.subjects import SUBJECTS
from conformance.report.files import file_for, written
from conformance.report.script import BESIDE
from conformance.result import Result

#: Lines that a script may have. Files that do not fit into it are read from the case beside it.
LINES_MOST = 30
_WIDTH = 100

_HEAD = '''"""{code}  {sentence}

It opens {backend} on what a crash left, and prints what the store holds. Run it with python.
expected {expected}
got      {got}
"""
import base64, json, zlib
from pathlib import Path
from conformance.session import Session

def unpacked(text):
    return zlib.decompress(base64.b85decode(text))

'''
_BODY = """session = Session.at({address!r}, {contract!r}, namespace={namespace!r})
for name, text in files.items():
    path = Path(session.where.path, name)
    (path if text is None else path.parent).mkdir(parents=True, exist_ok=True)
    text is None or path.write_bytes(unpacked(text))
print("the files", session.where.path)
print("expected ", {expected!r})
store = session.open()
"""
_BESIDE = f'files = json.loads({BESIDE}.read_text("utf-8"))["files"]'
#: What is printed of the store of each contract.
_SHOWN = {
    "state": 'print("it holds ", {key: store[key] for key in store})',
    "log": 'print("it holds ", store.read(), "head", store.head)',
    "runs": 'print("it holds ", [store.get_run(run["id"]) for run in store.list_runs()])',
    "jobs": 'print("it holds ", [store.get_job(job["id"]) for job in store.list_jobs()])',
    "layers": 'print("it holds ", store.entries())',
    "vectors": 'print("it holds ", len(store), "vectors")',
}


def case_script_text(result: Result, backend: Backend, most: int = LINES_MOST) -> str:
    """Return the script for a failure with a case; files for which `most` lines are too few are left beside it."""
    example = result.counterexample
    assert example is not None
    assert example.case is not None
    head = _HEAD.format(
        code=result.code,
        sentence=_quoted(result.sentence),
        backend=result.backend,
        expected=_quoted(example.expected),
        got=_quoted(example.got),
    ).splitlines()
    tail = _BODY.format(
        address=backend.address,
        contract=result.contract,
        namespace=place_of(Path()).namespace,
        expected=_line(example.expected),
    ).splitlines()
    tail += [*_looked_at(result.contract, example.case, backend), "session.close()"]
    files = ["files = json.loads(unpacked(", *_wrapped(packed(json.dumps(example.case["files"]).encode())), "))"]
    if len(head) + len(files) + len(tail) > most:
        files = [_BESIDE]
    return "\n".join((*head, *files, *tail, ""))


def write_case_script(folder: Path, result: Result, backend: Backend) -> Path | None:
    """Write the script into `folder` and return its path; None where there is no place for it, or no address."""
    if not backend.address:
        return None
    text = case_script_text(result, backend)
    return written(file_for(folder, result, ".py"), text)


def _looked_at(contract: str, case: Mapping[str, Any], backend: Backend) -> Iterator[str]:
    """Give the lines that show the store; one that breaks only after one more write is given that write."""
    yield _SHOWN[contract]
    if any(step.startswith("('checkpoint'") for step in case["steps"]):
        yield 'print("checkpoint", store.latest_checkpoint())'
    if case["verdict"] == "breaks after one more write":
        subject = SUBJECTS[contract]
        yield subject.source(subject.probe(backend.values))
        yield "store = session.reopen(store)"
        yield _SHOWN[contract]


def _wrapped(text: str) -> list[str]:
    # Base 85 as it is written here has no quote and no backslash.
    room = _WIDTH - 6
    return [f'    "{text[start : start + room]}"' for start in range(0, len(text), room)]


def _line(text: str) -> str:
    return textwrap.shorten(text, 240, placeholder=" ...")


def _quoted(text: str) -> str:
    """Return a text as one line of a docstring."""
    return _line(text).replace("\\", "\\\\").replace('"""', "'''")
