"""Reading a record from a file, so that a file that is none ends in a sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.report.benchmark import is_measured
from conformance.report.record import SCHEMA
from conformance.report.shape import RECORD, wrong

STDIN = "-"
_ADVICE = "Give what --conformance-json=FILE wrote."
#: What a record means that has not a field that came later.
_ADDED = {
    **dict.fromkeys(("date", "edition", "shard"), ""),
    **dict.fromkeys(("strict", "interrupted"), False),
    **dict.fromkeys(("suites", "require", "benchmarks"), ()),
    "baseline": None,
}
_ADDED_TO_BACKEND = {"edition": "", "required": (), "round": ""}
_ADDED_TO_CHECK = {"provisional": False, "gap": None}
_ADDED_TO_FIGURES: Mapping[str, Any] = {"conditions": {}}


class LoadError(Exception):
    """A file that is no record, or no whole one; the text says why, and what to give instead."""


def read_record(file: str) -> dict[str, Any]:
    """Return the record in a file.

    Args:
        file: Its path; `-` is standard input.

    Raises:
        LoadError: There is none in it that this version of the kit can read.
    """
    try:
        text = sys.stdin.read() if file == STDIN else Path(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LoadError(f"{file}: {error.strerror}.") from None
    except ValueError:  # of the path, or of its bytes
        raise LoadError(f"{file} is no text in UTF-8, so it is no record. {_ADVICE}") from None
    return record_of(text, file)


def record_of(text: str, file: str) -> dict[str, Any]:
    """Return the record that a text is.

    Args:
        text: JSON.
        file: Where it is from, for errors.

    Raises:
        LoadError: It is no record that this version of the kit can read.
    """
    if not text.strip():
        raise LoadError(f"{file} is empty: a run that was killed writes no record. {_ADVICE}")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or "Unterminated" in error.msg:
            raise LoadError(f"{file} ends in the midst of the record: it was cut off. Run it again.") from None
        raise LoadError(f"{file} is not JSON (line {error.lineno}: {error.msg}). {_ADVICE}") from None
    except ValueError as error:  # a number of more digits than Python takes for one
        raise LoadError(f"{file} is no JSON that can be read ({error}). {_ADVICE}") from None
    except RecursionError:
        raise LoadError(f"{file} is nested too deep to be a record. {_ADVICE}") from None
    if not isinstance(found, dict) or "schema" not in found or "backends" not in found:
        raise LoadError(f"{file} is JSON, but no record of the kit: it has no `schema` and `backends`. {_ADVICE}")
    if found["schema"] != SCHEMA:
        raise LoadError(
            f"{file} has the schema {found['schema']!r}; this version of the kit reads {SCHEMA}. "
            "Use the version that wrote it, or run it again with this one."
        )
    if not found["backends"]:
        raise LoadError(f"{file} is the record of no backend: nothing was tested. {_ADVICE}")
    for path, wanted in wrong(found, RECORD):
        raise LoadError(f"{file} is no whole record: {path} is not {wanted}. {_ADVICE}")
    return _completed(found)


def _completed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with the fields that a kit of the same schema, but an older one, did not write."""
    backends = []
    for backend in record["backends"]:
        contracts = [
            {
                **contract,
                "suites": [
                    {
                        **suite,
                        "checks": [
                            {**_ADDED_TO_CHECK, "gates": check["level"] == "must", **check} for check in suite["checks"]
                        ],
                    }
                    for suite in contract["suites"]
                ],
            }
            for contract in backend["contracts"]
        ]
        backends.append({**_ADDED_TO_BACKEND, **backend, "contracts": contracts})
    benchmarks = [{**_ADDED_TO_FIGURES, **one} if is_measured(one) else one for one in record.get("benchmarks", ())]
    return {**_ADDED, **record, "backends": backends, "benchmarks": benchmarks}
