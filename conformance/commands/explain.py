"""The command `conformance explain`: rule, reason, and an example that breaks it."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

from conformance.address import nearest
from conformance.backend import DISK_ERRORS, PROMISES, SERVER
from conformance.check import DIFFERENTIAL, Check, catalogue
from conformance.commands import Refusal
from conformance.contracts import Capability, contracts

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_WIDTH_MOST, _ALIKE_MOST = 100, 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("code", metavar="CODE", help="as in a report, e.g. STATE-VALUE-01; upper or lower case")


def run(arguments: argparse.Namespace) -> tuple[int, Iterator[str]]:
    """Return the exit code and the lines that explain a check.

    Raises:
        Refusal: There is no such check.
    """
    code: str = arguments.code.upper()
    check = catalogue().get(code)
    if check is None:
        alike = [known for known in catalogue() if known.startswith(code)]
        shown = ", ".join(alike[:_ALIKE_MOST]) + (", ..." if len(alike) > _ALIKE_MOST else "")
        hint = f" {len(alike)} begin so: {shown}." if alike else nearest(code, catalogue())
        raise Refusal(f"unknown check {arguments.code!r}.{hint} `conformance list` lists all.")
    return 0, _lines(check)


def _lines(check: Check) -> Iterator[str]:
    yield from _wrapped(f"{check.code}  {check.sentence}")
    yield f"  level {check.level.upper()}   suite {check.contract}/{check.suite}"
    yield from ["", *_wrapped(f"Why: {check.why}")]
    yield from ["", "An example that breaks it:", "", textwrap.indent(check.breaks, "    "), ""]
    facts = {
        "applies to": "; ".join(applies_to(check)),
        "needs": ", ".join(check.needs) or "no other check",
        "sources": check.sources,
        "edition": f"{check.since} and later",
        "run it": f"pytest --backend=NAME{' --backend=OTHER' * (check.suite == DIFFERENTIAL)} -k {check.code}",
    }
    for label, text in facts.items():
        yield from _wrapped(f"{label:<12}{text}", indent=12)


def _wrapped(text: str, *, indent: int = 0) -> list[str]:
    width = min(shutil.get_terminal_size().columns, _WIDTH_MOST)
    # Codes, addresses and levels have hyphens; none is cut in two.
    return textwrap.wrap(text, width, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False)


def applies_to(check: Check) -> list[str]:
    """Return the conditions under which a check applies to a backend, each as a phrase."""
    contract = contracts().get(check.contract)
    if contract is None:
        return ["every backend"]
    phrases = [
        f"stores with the capability `{capability.name}` ({_methods(capability)})"
        for capability in contract.capabilities
        if capability.name == check.capability
    ]
    if check.suite == DIFFERENTIAL:
        phrases.append(f"two backends of one run that both have a `{contract.name}` store")
    if check.capability == SERVER:
        phrases.append("stores that talk to a `server` (`Backend(server=...)`)")
    if check.capability in DISK_ERRORS:
        phrases.append(f"backends that do not lack `{check.capability}`")
    if check.methods:
        phrases.append(f"stores that have {' and '.join(f'`{name}`' for name in check.methods)}")
    for promise, level in check.promises.items():
        if level:
            stricter = " or a stricter level" if PROMISES[promise].index(level) else ""
            phrases.append(f"backends that promise the {promise} `{level}`{stricter}")
    return phrases or [f"every `{contract.name}` store"]


def _methods(capability: Capability) -> str:
    parts = [f"`{name}`" for name in capability.methods]
    if capability.any_of:
        parts.append(" or ".join(f"`{name}`" for name in capability.any_of))
    if capability.parameter:
        parts.append("`{}(..., {}=)`".format(*capability.parameter.split(":")))
    return ", ".join(parts)
