"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

#: What to do where the library is missing that the page is made with.
MISSING = "the HTML report needs jinja2, which is not installed: pip install 'pytest-backend-conformance[report]'"


def can_be_made() -> bool:
    """Tell whether what the page is made with is installed."""
    return find_spec("jinja2") is not None


def html_report(report: Mapping[str, Any]) -> str:
    """Return the page of a record.

    Args:
        report: As `make_report` returns it.

    Raises:
        ModuleNotFoundError: jinja2 is not installed; `can_be_made` tells so before.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("conformance.report", "templates"), autoescape=True)
    return environment.get_template("report.html").render(report=report)
