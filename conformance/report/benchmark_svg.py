"""Benchmarks as SVG: a bar for each operation and backend, by how many times longer it takes than the bare disk.

The axis is logarithmic, as times differ by orders of magnitude. The picture needs nothing else: no script, no style
sheet. Words have the colour of the text around it, so that it can be read on dark pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

#: Pixels: of a row, of a bar, of the space between operations, of the names at the left, of the axis, of a letter.
ROW, BAR, SPACE, LEFT, AXIS, LETTER = 18, 10, 12, 250, 420, 7
_COLOURS = ("#4e9fd1", "#e08a3c", "#57a773", "#a583c4", "#c9a227", "#d46a6a")
_LINE = "#6b7680"


def benchmark_svg(benchmarks: Sequence[Mapping[str, Any]]) -> str:
    """Return a drawing of the operations that were measured beside the bare disk; empty where there are none.

    A bar ends at the ratio to the limit that is named, and the line through its end is the ratio's interval. Bars of
    stores whose durability is not that of the first backend are dashed, and say so.

    Args:
        benchmarks: As in the record.
    """
    # What the clock of a machine is too coarse for has no ratio, or an infinite one.
    drawn = [one for one in benchmarks if one.get("ratio_to_limit") and math.isfinite(one["ratio_to_limit"])]
    if not drawn:
        return ""
    operations = list(dict.fromkeys((one["contract"], one["operation"]) for one in drawn))
    backends = list(dict.fromkeys(one["backend"] for one in drawn))
    low, high = _decades(drawn)
    height = ROW * (len(drawn) + 2) + SPACE * len(operations)
    width = LEFT + AXIS + 3 * LETTER + LETTER * max(len(_words(one)) for one in drawn)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="monospace" font-size="12" role="img">'
        ),
        "<title>Times of operations, as multiples of the time that the bare disk takes</title>",
        *_axis(low, high, height),
    ]
    top = ROW + SPACE
    for operation in operations:
        rows = [one for one in drawn if (one["contract"], one["operation"]) == operation]
        for number, one in enumerate(rows):
            name = " ".join(operation) if number == 0 else ""
            lines += _row(one, name, top, (low, high), _COLOURS[backends.index(one["backend"]) % len(_COLOURS)])
            top += ROW
        top += SPACE
    return "\n".join([*lines, "</svg>", ""])


def _decades(drawn: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Return the powers of ten at which the axis begins and ends; 1 is always between them."""
    ends = [1.0]
    for one in drawn:
        ends += [one["ratio_to_limit"], *_interval(one)]
    return math.floor(math.log10(min(ends))), max(1, math.ceil(math.log10(max(ends))))


def _interval(one: Mapping[str, Any]) -> tuple[float, float]:
    """Return the ends of the interval of a ratio; the ratio where an end is unknown, or is none that can be drawn."""
    ratio = float(one["ratio_to_limit"])
    low, high = (
        float(end) if end and math.isfinite(end) else ratio for end in one["interval"].get("limit", (ratio, ratio))
    )
    return low, high


def _x(ratio: float, axis: tuple[int, int]) -> float:
    low, high = axis
    return LEFT + (math.log10(ratio) - low) / (high - low) * AXIS


def _axis(low: int, high: int, height: int) -> Iterator[str]:
    for power in range(low, high + 1):
        x, strong = _x(10.0**power, (low, high)), power == 0
        label = f"{10**power:,}x" if power >= 0 else f"{10.0**power:g}x"
        shown = f'stroke="{_LINE}" stroke-opacity="{0.9 if strong else 0.3}" stroke-width="{2 if strong else 1}"'
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{ROW + 2}" y2="{height - 4}" {shown}/>'
        words = f"{label} = bare disk" if strong else label
        yield f'<text x="{x:.1f}" y="{ROW - 4}" fill="currentColor" text-anchor="middle">{words}</text>'


def _row(one: Mapping[str, Any], name: str, top: int, axis: tuple[int, int], colour: str) -> Iterator[str]:
    ratio = float(one["ratio_to_limit"])
    begin, end = sorted((_x(1.0, axis), _x(ratio, axis)))
    low, high = _interval(one)
    middle = top + BAR / 2
    other = one.get("not_the_same", "")
    outline = f'stroke="{_LINE}"' + (' stroke-dasharray="3 2"' if other else "")
    opacity = 0.45 if other else 1
    label = f"{one['backend']} {ratio:.3g}x"
    story = (
        f"{one['contract']} {one['operation']}: {label} {one['limit']}, {low:.3g} to {high:.3g}. {one['durability']}"
    )
    yield f"<g><title>{escape(story)}</title>"
    if name:
        yield f'<text x="8" y="{top + BAR}" fill="currentColor">{escape(name)}</text>'
    yield (
        f'<rect x="{begin:.1f}" y="{top}" width="{max(end - begin, 2):.1f}" height="{BAR}" '
        f'fill="{colour}" fill-opacity="{opacity}" {outline}/>'
    )
    left, right = _x(low, axis), _x(high, axis)
    shape = f"M{left:.1f} {middle} H{right:.1f} M{left:.1f} {top} v{BAR} M{right:.1f} {top} v{BAR}"
    yield f'<path d="{shape}" stroke="currentColor" fill="none"/>'
    yield f'<text x="{max(end, right) + 8:.1f}" y="{top + BAR}" fill="currentColor">{escape(_words(one))}</text></g>'


def _words(one: Mapping[str, Any]) -> str:
    other = f" ({one['not_the_same']})" if one.get("not_the_same") else ""
    return f"{one['backend']} {one['ratio_to_limit']:.3g}x{other}"
