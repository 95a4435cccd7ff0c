"""The report as one HTML file that needs nothing else: no network, no script, no font but those of the system.

What stores and adapters say goes through `printable` and the escapes of the templates, and the page forbids itself to
load or run anything but its own: neither a text nor a mistake of ours can make it ask anybody for anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from conformance.report.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

#: What to do where the library is missing that the page is made with.
MISSING = "the HTML report needs jinja2, which is not installed: pip install 'pytest-backend-conformance[report]'"
#: Characters of any one text; what is cut earlier is cut by who knows what it is.
_LONGEST = 24_000


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
    from conformance.report.html_page import page

    environment = _environment()
    assert environment.loader is not None
    script = environment.loader.get_source(environment, "page.js")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment.get_template("report.html")
    return template.render(page=page(report), script=script, script_hash=f"sha256-{digest}") + "\n"


@cache
def _environment() -> Environment:
    """Return what the templates are read with; once, as it takes longer to compile them than to fill them in."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("conformance.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalized(value: Any) -> Any:
    """Return what the templates print of a value; what is HTML already stays as it is."""
    if value is None:
        return ""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    text = printable(value, keep="\n\t")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text) - _LONGEST:,} more characters)"
