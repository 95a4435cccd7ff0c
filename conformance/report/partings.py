"""Where two backends part: shown in the summary, because it is nobody's failure alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.check import DIFFERENTIAL
from conformance.recording import Call
from conformance.report.failure import call_lines
from conformance.report.rows import checks_of


def parting_lines(backend: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the smallest sequences of calls that another backend answers otherwise, with both answers.

    Args:
        backend: Its part of the record.
    """
    for check in checks_of(backend, DIFFERENTIAL):
        example = check["counterexample"]
        if check["outcome"] != "fail" or example is None:
            continue
        yield f"  parts from   {check['conditions'].get('compared with', 'another')}: {example['what']}", "yellow"
        yield f"    {example['expected']}", ""
        yield f"    {backend['name']} answers: {example['got']}", ""
        for line in call_lines([Call(**call) for call in example["calls"]]):
            yield line, ""
