"""A history as SVG: a bar for each call, one lane for each worker, on an axis that only knows before and after.

The picture needs nothing else: no script, no style sheet, no font but what every viewer has. Words have the colour of
the text around it, so that it can be read on dark pages; a page may set the colour `--witness`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

#: Pixels: of a rank of the axis at least and at most, of the axis if it fits, of a row, of a bar, of the names at the
#: left, and of a letter.
STEP_LEAST, STEP_MOST, AXIS = 28, 84, 760
ROW, BAR, LEFT, LETTER = 44, 16, 44, 8
#: Colours of bars; calls about the same value have the same.
_COLOURS = ("#9ecae1", "#a1d99b", "#fdae6b", "#bcbddc", "#fdd0a2", "#c7e9c0", "#d9d9d9", "#9edae5")
_WITNESS, _LINE, _TEXT = "#c00000", "#6b7680", "currentColor"
#: What is written at the moment at which a history is broken.
_STOPS = "from here on no order explains it"


def lanes_svg(data: Mapping[str, Any]) -> str:
    """Return a drawing of what `lane_data` gives.

    The witness is outlined, what never returned is dashed and open, and a line shows the return at which the history
    is broken, where that is known.

    Args:
        data: As in the record, under `counterexample.history`.
    """
    operations: Sequence[Mapping[str, Any]] = data["operations"]
    step = max(STEP_LEAST, min(STEP_MOST, AXIS // max(1, data["ranks"] + 1)))
    rows = list(_rows(operations, step))
    stops = data.get("stops")
    ends = [LEFT + data["ranks"] * step, *(_left(one, step) + len(one["label"]) * LETTER for one in operations)]
    if stops is not None:
        ends.append(LEFT + len(_STOPS) * LETTER)
    width, height = max(ends) + LETTER, len(rows) * ROW + (BAR + 6 if stops is not None else 0)
    values = {value: place for place, value in enumerate(dict.fromkeys(one["value"] for one in operations))}
    box = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="monospace" font-size="12" role="img">',
        "<title>Calls by worker, from left to right</title>",
    ]
    if stops is not None:
        lines += _stop(LEFT + int(stops) * step, len(rows) * ROW, width)
    for number, row in enumerate(rows):
        top = number * ROW + ROW // 2
        begins = number == 0 or rows[number - 1][0]["lane"] != row[0]["lane"]
        name = row[0]["worker"] if begins else ""
        if begins and number:
            y = top - BAR - 5
            lines.append(f'<line x1="0" x2="{width}" y1="{y}" y2="{y}" stroke="{_LINE}" stroke-opacity="0.35"/>')
        lines.append(f'<text x="8" y="{top + BAR - 4}" fill="{_TEXT}">{escape(name)}</text>')
        for one in row:
            colour = _COLOURS[values[one["value"]] % len(_COLOURS)]
            lines += _drawn(one, top, (_left(one, step), _right(one, data["ranks"], step)), colour)
    return "\n".join([*lines, "</svg>", ""])


def _stop(x: int, bottom: int, width: int) -> Iterator[str]:
    words = len(_STOPS) * LETTER
    at = min(max(LEFT, x - words // 2), width - words - 4)
    colour = f'stroke="{_WITNESS}" style="stroke:var(--witness,{_WITNESS})"'
    yield f'<line x1="{x}" x2="{x}" y1="2" y2="{bottom}" {colour} stroke-dasharray="3 3"/>'
    yield f'<text x="{at}" y="{bottom + 14}" fill="{_WITNESS}" style="fill:var(--witness,{_WITNESS})">{_STOPS}</text>'


def _rows(operations: Sequence[Mapping[str, Any]], step: int) -> Iterator[list[Mapping[str, Any]]]:
    """Give the calls of each row: those of a lane, in more rows where the words of one would cover the next."""
    for lane in dict.fromkeys(one["lane"] for one in operations):
        waiting = [one for one in operations if one["lane"] == lane]
        while waiting:
            row: list[Mapping[str, Any]] = []
            for one in waiting:
                if not row or _left(row[-1], step) + (len(row[-1]["label"]) + 1) * LETTER <= _left(one, step):
                    row.append(one)
            yield row
            waiting = [one for one in waiting if not any(one is other for other in row)]


def _left(one: Mapping[str, Any], step: int) -> int:
    return LEFT + int(one["start"]) * step


def _right(one: Mapping[str, Any], ranks: int, step: int) -> int:
    return LEFT + (ranks if one["end"] is None else int(one["end"])) * step


def _drawn(one: Mapping[str, Any], top: int, ends: tuple[int, int], colour: str) -> Iterator[str]:
    left, right = ends
    is_open = one["end"] is None
    outline = f'stroke="{_LINE}" stroke-width="1"'
    words = f'fill="{_TEXT}"'
    if one["witness"]:  # the attribute for viewers that know no variables
        outline = f'stroke="{_WITNESS}" stroke-width="3" style="stroke:var(--witness,{_WITNESS})"'
        words = f'fill="{_WITNESS}" font-weight="bold" style="fill:var(--witness,{_WITNESS})"'
    label = escape(one["label"])
    yield f"<g><title>{escape(one['worker'])}: {label}</title>"
    if is_open:  # no right edge: nobody knows when it ends
        corners = [(right, top), (left, top), (left, top + BAR), (right, top + BAR)]
        path = "M" + " L".join(f"{x} {y}" for x, y in corners)
        yield f'<path d="{path}" fill="{colour}" fill-opacity="0.5" {outline} stroke-dasharray="5 4"/>'
    else:
        width = max(right - left, 2)
        yield f'<rect x="{left}" y="{top}" width="{width}" height="{BAR}" rx="2" fill="{colour}" {outline}/>'
    yield f'<text x="{left}" y="{top - 4}" {words}>{label}</text></g>'
