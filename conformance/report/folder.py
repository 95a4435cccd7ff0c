"""The folder of a report: the record, and what people read of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.report.badge import badge
from conformance.report.html import html_report
from conformance.report.junit import junit
from conformance.report.markdown import markdown

RECORD, PAGE = "result.json", "report.html"
SUMMARY, BADGE, JUNIT = "summary.md", "badge.svg", "junit.xml"


def write_folder(folder: Path, report: Mapping[str, Any]) -> None:
    """Write all forms of a report into a folder, which is made when there is none.

    Args:
        folder: Where files of the same names are replaced.
        report: The record, as `make_report` returns it.

    Raises:
        OSError: The folder or a file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / RECORD, json.dumps(report, indent=2, ensure_ascii=True) + "\n")
    _write(folder / PAGE, html_report(report))
    _write(folder / SUMMARY, markdown(report))
    _write(folder / BADGE, badge(report))
    _write(folder / JUNIT, junit(report))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
