"""A history as SVG: a bar for each call, one lane for each worker, on an axis that only knows before and after.

The picture needs nothing else: no script, no style sheet, no font but what every viewer has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

#: Pixels: of a rank of the axis, of a row, of a bar, of the names at the left, and of a letter.
STEP, ROW, BAR, LEFT, LETTER = 28, 44, 16, 60, 7
#: Colours of bars; calls about the same value have the same.
_COLOURS = ("#9ecae1", "#a1d99b", "#fdae6b", "#bcbddc", "#fdd0a2", "#c7e9c0", "#d9d9d9", "#9edae5")
_WITNESS, _LINE, _TEXT = "#c00000", "#555555", "#222222"


def lanes_svg(data: Mapping[str, Any]) -> str:
    """Return a drawing of what `lane_data` gives: the witness is outlined, what never returned is dashed and open.

    Args:
        data: As in the record, under `counterexample.history`.
    """
    operations: Sequence[Mapping[str, Any]] = data["operations"]
    rows = list(_rows(operations))
    ends = [LEFT + (data["ranks"] + 1) * STEP, *(_left(one) + len(one["label"]) * LETTER for one in operations)]
    width, height = max(ends) + STEP, (len(rows) + 1) * ROW
    values = {value: place for place, value in enumerate(dict.fromkeys(one["value"] for one in operations))}
    box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="monospace" font-size="12" role="img">',
        "<title>Calls by worker, from left to right</title>",
    ]
    for number, row in enumerate(rows):
        top = number * ROW + ROW // 2
        name = row[0]["worker"] if number == 0 or rows[number - 1][0]["lane"] != row[0]["lane"] else ""
        lines.append(f'<text x="8" y="{top + BAR - 4}" fill="{_TEXT}">{escape(name)}</text>')
        for one in row:
            colour = _COLOURS[values[one["value"]] % len(_COLOURS)]
            lines += _drawn(one, top, _right(one, data["ranks"]), colour)
    return "\n".join([*lines, "</svg>", ""])


def _rows(operations: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Give the calls of each row: those of a lane, in more rows where the words of one would cover the next."""
    for lane in dict.fromkeys(one["lane"] for one in operations):
        waiting = [one for one in operations if one["lane"] == lane]
        while waiting:
            row: list[Mapping[str, Any]] = []
            for one in waiting:
                if not row or _left(row[-1]) + (len(row[-1]["label"]) + 1) * LETTER <= _left(one):
                    row.append(one)
            yield row
            waiting = [one for one in waiting if not any(one is other for other in row)]


def _left(one: Mapping[str, Any]) -> int:
    return LEFT + int(one["start"]) * STEP


def _right(one: Mapping[str, Any], ranks: int) -> int:
    return LEFT + (ranks if one["end"] is None else int(one["end"])) * STEP


def _drawn(one: Mapping[str, Any], top: int, right: int, colour: str) -> Iterator[str]:
    left = _left(one)
    is_open = one["end"] is None
    outline = _WITNESS if one["witness"] else _LINE
    style = f'stroke="{outline}" stroke-width="{3 if one["witness"] else 1}"'
    words = escape(one["label"])
    yield f"<g><title>{escape(one['worker'])}: {words}</title>"
    if is_open:  # no right edge: nobody knows when it ends
        corners = [(right, top), (left, top), (left, top + BAR), (right, top + BAR)]
        path = "M" + " L".join(f"{x} {y}" for x, y in corners)
        yield f'<path d="{path}" fill="{colour}" fill-opacity="0.5" {style} stroke-dasharray="5 4"/>'
    else:
        width = max(right - left, 2)
        yield f'<rect x="{left}" y="{top}" width="{width}" height="{BAR}" rx="2" fill="{colour}" {style}/>'
    yield f'<text x="{left}" y="{top - 4}" fill="{outline if one["witness"] else _TEXT}">{words}</text></g>'
