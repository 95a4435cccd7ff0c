"""A finding in words and lines: the file, the place, the bytes before and after, and what was read then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.damage.damage import Damage, spliced
from conformance.damage.sweep import Finding

#: Bytes in a line, lines around the first byte that differs, lines of a picture, and files that are named.
_WIDTH = 16
_LINES = 3
_DRAWN = 12
_FILES = 24


def story(finding: Finding) -> tuple[str, ...]:
    """Return the lines that show a damage: where it is, and the bytes before and after."""
    damage, tree = finding.case.damage, finding.specimen.tree
    before = tree.get(damage.file)
    files = ", ".join(f"{path} {len(content):,}" for path, content in sorted(tree.items()) if content is not None)
    lines = [f"files of the {finding.specimen.name} store, in bytes: {files}", title(damage)]
    if damage.splices is None:
        return (*lines, *_hex("before", before or b"", 0))
    after = spliced(before or b"", damage.splices)
    at = _first_difference(before or b"", after)
    if before is not None:
        lines += _hex("before", before, at)
    return (*lines, *_hex("after", after, at))


def picture(finding: Finding) -> dict[str, Any]:
    """Return a damage as plain data, to be drawn.

    `before` and `after` are the sizes of the damaged file, None where there is no such file. Each of `rows` has the
    bytes of one line at `offset` as hexadecimal digits, `before` and `after`, and the places in it that are `changed`:
    the first lines that differ, each with those beside it; so many more that differ are `hidden`.
    """
    damage, tree = finding.case.damage, finding.specimen.tree
    before = tree.get(damage.file)
    after = None if damage.splices is None else spliced(before or b"", damage.splices)
    was, now = before or b"", after or b""
    starts = range(0, max(len(was), len(now)), _WIDTH)
    differ = [start for start in starts if was[start : start + _WIDTH] != now[start : start + _WIDTH]]
    near = {place for start in differ[:_DRAWN] for place in (start - _WIDTH, start, start + _WIDTH)}
    shown = sorted(place for place in near if place in starts)[:_DRAWN]
    files = [(path, content) for path, content in sorted(tree.items()) if content is not None]
    return {
        "kind": "damage",
        "title": title(damage),
        "specimen": finding.specimen.name,
        "path": damage.file,
        "before": None if before is None else len(before),
        "after": None if after is None else len(after),
        "rows": [_row(start, was[start : start + _WIDTH], now[start : start + _WIDTH]) for start in shown],
        "hidden": len(set(differ) - set(shown)),
        "files": [{"path": path, "size": len(content)} for path, content in files[:_FILES]],
        "files_hidden": max(0, len(files) - _FILES),
    }


def _row(offset: int, before: bytes, after: bytes) -> dict[str, Any]:
    longer = max(len(before), len(after))
    changed = [place for place in range(longer) if before[place : place + 1] != after[place : place + 1]]
    return {"offset": offset, "before": before.hex(), "after": after.hex(), "changed": changed}


def title(damage: Damage) -> str:
    """Return what was done, in a line."""
    note = f" ({damage.note})" if damage.note else ""
    if damage.splices is None or damage.operator in ("foreign file", "copy of a file"):
        return f"{damage.operator}: {damage.file}{note}"
    where = " and ".join(f"{one.offset:,}" for one in damage.splices)
    many = f", {damage.length:,} bytes" if damage.length > 1 else ""
    return f"{damage.operator}: {damage.file} at {where}{many}{note}"


def _first_difference(before: bytes, after: bytes) -> int:
    for at, (one, other) in enumerate(zip(before, after, strict=False)):
        if one != other:
            return at
    return min(len(before), len(after))


def _hex(name: str, content: bytes, at: int) -> Iterator[str]:
    start = max(0, (at // _WIDTH - _LINES // 2) * _WIDTH)
    if start >= len(content):
        yield f"  {name:6} {len(content):8x}  ends here"
    for line in range(start, min(len(content), start + _LINES * _WIDTH), _WIDTH):
        data = content[line : line + _WIDTH]
        cells = [f"{byte:02x}" for byte in data]
        if line <= at < line + len(data):
            cells[at - line] = f"[{cells[at - line]}]"
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)
        yield f"  {name:6} {line:8x}  {' '.join(cells):{3 * _WIDTH + 1}} {text}"
