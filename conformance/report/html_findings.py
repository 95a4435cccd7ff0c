"""A finding as the page shows it: each text of bearable length, and pictures made of what the record has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from conformance.check import catalogue
from conformance.report.failure import SHOWN_FIRST, SHOWN_LAST
from conformance.report.gate import gap_words
from conformance.report.html_checks import OUTCOMES, evidence_told
from conformance.report.lanes_svg import lanes_svg
from conformance.report.tally import word
from conformance.report.text import CUT, printable

#: Characters of all findings together. Those for which there is no room have their rule, expected and got.
SIZE_MOST = 170_000
#: Characters of a text, of a call or a line, of what stands in for a finding without room; lines of a story.
_TEXT, _LINE, _BRIEF, _LINES = 1_500, 400, 300, 60
#: Calls of a timeline, and characters of their words.
_BARS, _LABEL = 80, 80
#: Characters of markup around what is counted.
_MARKUP = 900

#: What became of a system call: the word beside its colour, and what it means.
FATES = {
    "durable": ("durable", "synced before the crash: it must survive"),
    "survived": ("on disk", "not synced: it may survive, and did here"),
    "torn": ("TORN", "not synced: only a part survived"),
    "lost": ("LOST", "not synced: it did not survive"),
}
#: The same where only the process was killed.
_KILLED = {
    "survived": ("on disk", "the system had it: a kill takes nothing away"),
    "torn": ("TORN", "a call in flight: the kill came in the midst of it"),
    "lost": ("LOST", "a call in flight: the kill came before it"),
}


def finding(
    check: Mapping[str, Any], backend: Mapping[str, Any], contract: str, suite: str, anchor: str, room: int
) -> dict[str, Any]:
    """Return a finding, and in `size` about how much it takes of the page.

    Args:
        check: Its part of the record.
        backend: That it is of.
        contract: That it stands under.
        suite: The same.
        anchor: Its id in the page.
        room: Characters that are left for findings.
    """
    known = catalogue().get(check["code"])
    told = word(check)
    sign, tone = OUTCOMES[told]
    found: dict[str, Any] = {
        "anchor": anchor,
        "backend": backend["name"],
        "code": check["code"],
        "sentence": cut(check["sentence"], _TEXT),
        # Of another version of the kit, where the rule reads differently, the reason may be another one too.
        "why": _sentence(known.why) if known is not None and known.sentence == check["sentence"] else "",
        "word": told,
        "sign": sign,
        "tone": tone,
        "level": check["level"],
        "contract": contract,
        "suite": suite,
        "reason": cut(str(check["reason"]) + gap_words(check), _TEXT),
        "evidence": evidence_told(check["evidence"]),
        "explain": f"conformance explain {check['code']}",
        "rerun": f"pytest --backend={backend['address'] or backend['name']} -k {check['code']}",
        "example": None,
        "brief": False,
    }
    example = check["counterexample"]
    if example is not None:
        found["rerun"] = example.get("rerun") or found["rerun"]
        found["example"] = _example(example)
    found["size"] = _size(found)
    if found["size"] > room and example is not None:
        found["brief"] = True
        found["example"] = {name: cut(example[name], _BRIEF) for name in ("what", "expected", "got")}
        found["size"] = _size(found)
    return found


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def cut(text: str, most: int) -> str:
    """Return a text; of a long one the beginning, and how much more there is."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def _example(example: Mapping[str, Any]) -> dict[str, Any]:
    picture: Mapping[str, Any] | None = example.get("picture")
    history = example.get("history")
    is_crash = picture is not None and "compared" in picture
    return {
        **{name: cut(example[name], _TEXT) for name in ("what", "expected", "got", "note", "frame")},
        "calls": _calls(example["calls"]),
        "crash": _crash(picture) if picture is not None and is_crash else None,
        "damage": _damage(picture) if picture is not None and not is_crash else None,
        "timeline": _timeline(history) if history and history["operations"] else None,
        "story": _story(example["story"]) if example["story"] and picture is None else [],
        "script": example.get("script") or "",
    }


def _calls(calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    hidden = len(calls) - SHOWN_FIRST - SHOWN_LAST
    shown = list(calls) if hidden <= 1 else [*calls[:SHOWN_FIRST], None, *calls[-SHOWN_LAST:]]
    return [
        {"hidden": hidden}
        if call is None
        else {
            "hidden": 0,
            "number": call["number"],
            "indent": min(8, call["depth"]),
            "source": cut(call["source"], _LINE),
            "outcome": cut(call["outcome"], _LINE),
            "here": call is calls[-1],
        }
        for call in shown
    ]


def _story(lines: Sequence[str]) -> list[str]:
    hidden = len(lines) - _LINES
    shown = lines if hidden <= 1 else [*lines[: _LINES // 2], f"… {hidden:,} more lines …", *lines[-_LINES // 2 :]]
    return [cut(line, _LINE) for line in shown]


def _crash(picture: Mapping[str, Any]) -> dict[str, Any]:
    fates = FATES | (_KILLED if picture.get("kill") else {})
    rows = []
    for row in picture["rows"]:
        one = {"row": row["row"], "text": cut(str(row.get("text", "")), _LINE), "count": row.get("count", 0)}
        if row["row"] == "call":
            fate = row.get("fate", "")
            told = fates.get(fate, ("", ""))[0]
            parts = f" {row.get('kept')}/{row.get('of')}" if fate == "torn" else ""
            one |= {"verb": row.get("verb", ""), "fate": fate, "told": told + parts}
        rows.append(one)
    seen = {row.get("fate") for row in rows}
    return {
        "rows": rows,
        "legend": [(fate, told, meaning) for fate, (told, meaning) in fates.items() if fate in seen],
        "kill": bool(picture.get("kill")),
        "of_disk": any(row["row"] == "call" for row in rows),
        "compared": picture["compared"],
        "files": [_file(one, compared=picture["compared"]) for one in picture["files"]],
        "files_hidden": picture["files_hidden"],
        "unsynced": [cut(text, _LINE) for text in picture["unsynced"]],
    }


def _file(one: Mapping[str, Any], *, compared: bool) -> dict[str, Any]:
    before, after = one["before"], one["after"]
    if not compared or not one["changed"]:
        change = "as it was" if compared else ""
    elif after is None:
        change = "GONE"
    elif before is None:
        change = "still there"
    elif before != after:
        change = "shorter" if after < before else "longer"
    else:
        change = "other bytes"
    return {
        "path": cut(one["path"], _LINE),
        "before": _size_told(one["path"], before),
        "after": _size_told(one["path"], after),
        "change": change,
        "changed": compared and one["changed"],
    }


def _size_told(path: str, size: int | None) -> str:
    if size is None:
        return "not there"
    return "directory" if path.endswith("/") else f"{size:,} byte{'' if size == 1 else 's'}"


def _damage(picture: Mapping[str, Any]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    last = None
    for row in picture["rows"]:
        if last is not None and row["offset"] != last + 16:
            rows.append({"side": "gap"})
        last = row["offset"]
        changed = set(row["changed"])
        sides = (("-", "before"), ("+", "after")) if changed else ((" ", "before"),)
        for sign, side in sides:
            data = _bytes(row[side])
            if not data and changed:
                continue
            rows.append(
                {
                    "side": side if changed else "same",
                    "sign": sign,
                    "offset": f"{row['offset']:08x}",
                    "bytes": _runs([f"{byte:02x}" for byte in data], changed, " "),
                    "text": _runs([chr(byte) if 32 <= byte < 127 else "·" for byte in data], changed, ""),
                }
            )
    sizes = ["not there" if size is None else f"{size:,} bytes" for size in (picture["before"], picture["after"])]
    return {
        "title": cut(picture["title"], _LINE),
        "path": cut(picture["path"], _LINE),
        "specimen": picture["specimen"],
        "sizes": f"{sizes[0]}" if sizes[0] == sizes[1] else f"{sizes[0]} → {sizes[1]}",
        "rows": rows,
        "hidden": picture["hidden"],
        "files": [(cut(one["path"], _LINE), f"{one['size']:,} bytes") for one in picture["files"]],
        "files_hidden": picture["files_hidden"],
    }


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:  # of a record that somebody has edited
        return b""


def _runs(cells: Sequence[str], changed: set[int], between: str) -> list[tuple[str, bool]]:
    """Return the cells of a line joined, as runs of those that are changed and of those that are not."""
    return [
        (between.join(cells[place] for place in places), is_changed)
        for is_changed, group in groupby(range(len(cells)), lambda place: place in changed)
        for places in [list(group)]
    ]


def _timeline(history: Mapping[str, Any]) -> dict[str, Any]:
    operations = history["operations"]
    shown = [{**one, "label": _label(one["label"])} for one in operations[:_BARS]]
    return {
        "svg": printable(lanes_svg({**history, "operations": shown}), keep="\n"),
        "hidden": len(operations) - len(shown),
        "stops": history.get("stops") is not None,
        "witness": any(one["witness"] for one in shown),
        "open": any(one["end"] is None for one in shown),
    }


def _label(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _LABEL else f"{shown[: _LABEL - 1]}{CUT}"


def _size(told: Any) -> int:
    """Return about how many characters something takes in the page."""
    if isinstance(told, Mapping):
        return _MARKUP // 10 + sum(map(_size, told.values()))
    if isinstance(told, (list, tuple)):
        return sum(map(_size, told)) + 10 * len(told)
    return len(str(told))
