"""The badge: the verdict as a small picture, which never says more than was tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from conformance.backend import CONTRACTS
from conformance.report.record import NOT_CONFORMANT
from conformance.report.scope import scope, tested_suites
from conformance.report.text import one_line, plural

LABEL = "conformance"
GREEN, YELLOW, RED, GREY = "#2e7d32", "#e3b341", "#c62828", "#5f6368"
_TEXT_MOST = 90
#: Suites that are no part of the question whether a store conforms: what is about all, several, or speed.
_BESIDE = ("open", "differential", "benchmark")
#: Widths of characters in the font that is named first, in tenths of a pixel; others have that of a wide one.
_WIDTHS = {
    **dict.fromkeys("ijl|", 32),
    **dict.fromkeys(" ,.:;!'()[]/ft-rI\"", 44),
    **dict.fromkeys("kscxyzvJ", 59),
    **dict.fromkeys("mW%@", 107),
    **dict.fromkeys("wM", 92),
    **dict.fromkeys("EFLPSTXYZ", 68),
    **dict.fromkeys("ABCDGHKNOQRUV", 80),
}
_OTHER, _WIDE = 67, 110
_PADDING = 7
#: Nothing in it has a name, so that a page may hold several.
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{label}: {text}">
<title>{label}: {text}</title>
<rect width="{width}" height="20" rx="3" fill="{colour}"/>
<path d="M3 0H{left}V20H3A3 3 0 0 1 0 17V3A3 3 0 0 1 3 0" fill="#3c4043"/>
<g text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
<text x="{label_x}" y="14" textLength="{label_length}" fill="#fff">{label}</text>
<text x="{text_x}" y="14" textLength="{text_length}" fill="{ink}">{text}</text>
</g>
</svg>
"""


def badge(report: Mapping[str, Any]) -> str:
    """Return the badge of a record as SVG.

    Args:
        report: The record, as `make_report` returns it.
    """
    text, colour = badge_text(report)
    label_length, text_length = _length(LABEL), _length(text)
    left, right = label_length + 2 * _PADDING, text_length + 2 * _PADDING
    return _SVG.format(
        width=left + right,
        left=left,
        colour=colour,
        ink="#202124" if colour == YELLOW else "#fff",
        label=LABEL,
        text=escape(text),
        label_x=left / 2,
        text_x=left + right / 2,
        label_length=label_length,
        text_length=text_length,
    )


def badge_text(report: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the badge says, and its colour: green only for all suites, without gaps.

    Args:
        report: The record.
    """
    verdict, backends = report["verdict"], report["backends"]
    of_several = f" ({plural(len(backends), 'backend')})" if len(backends) > 1 else ""
    if not verdict.startswith("CONFORMANT"):
        return one_line(verdict + of_several, _TEXT_MOST), RED if verdict == NOT_CONFORMANT else GREY
    told = dict.fromkeys(part for backend in backends for part in _parts(backend))
    text = f"{verdict}{of_several}{' ' if told else ''}{'; '.join(told)}"
    partial = any(_is_partial(backend) for backend in backends)
    return one_line(text, _TEXT_MOST), YELLOW if partial or verdict != "CONFORMANT" else GREEN


def _parts(backend: Mapping[str, Any]) -> list[str]:
    """Return what the verdict is about, where that is not everything."""
    where, partly = scope(backend)
    if partly:
        return [where.removesuffix(", and nothing else was tried").replace(" that were selected", "")]
    return [where] if set(tested_suites(backend)) - set(_BESIDE) < set(_suites(backend)) else []


def _is_partial(backend: Mapping[str, Any]) -> bool:
    # A suite of which nothing applied was asked all the same: that is said, and is no selection.
    ran = {suite["name"] for contract in backend["contracts"] for suite in contract["suites"]}
    return scope(backend)[1] or not ran >= set(_suites(backend))


def _suites(backend: Mapping[str, Any]) -> Sequence[str]:
    """Return the suites that there are for the contracts of a backend."""
    from conformance.check import catalogue

    contracts = {contract["name"] for contract in backend["contracts"]} & set(CONTRACTS)
    found = dict.fromkeys(check.suite for check in catalogue().values() if check.contract in contracts)
    return [name for name in found if name not in _BESIDE]


def _length(text: str) -> int:
    """Return about how long a text is in pixels; the reader's font is fitted to it."""
    return round(sum(_WIDTHS.get(c, _OTHER if c.isascii() else _WIDE) for c in text) / 10)
