"""The file of a crash state that a check failed on; `--conformance-case=FILE` meets that state again."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.report.files import file_for, written
from conformance.result import Result

ENDING = ".case.json"


def write_case(folder: Path, result: Result) -> Path | None:
    """Write the case of a failure into `folder` and return its path; None where there is none, or no place for it."""
    example = result.counterexample
    if example is None or example.case is None:
        return None
    return written(file_for(folder, result, ENDING), json.dumps(example.case, indent=1) + "\n")
