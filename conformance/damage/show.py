"""A finding in words and lines: the file, the place, the bytes before and after, and what was read then."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.damage.damage import Damage, spliced
from conformance.damage.sweep import Finding

#: Bytes in a line, and lines around the first byte that differs.
_WIDTH = 16
_LINES = 3


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
