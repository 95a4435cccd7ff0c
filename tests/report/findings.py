"""Findings of each kind, with all that a report can show of them."""

from __future__ import annotations

from dataclasses import replace

from conformance.histories.lanes import lane_data
from conformance.histories.operation import Operation
from conformance.recording import Call
from conformance.result import Counterexample
from tests.report.records import EXAMPLE

#: What must neither break a page nor act in it.
HOSTILE = "<script>alert(1)</script>\"'>&amp;\x00\x1b[31m\ud800\u202e{{ 7 * 7 }}</pre></style></textarea>"

CRASH = replace(
    EXAMPLE,
    what="puts and deletes: after a power loss that ext4 allows, an acknowledged write is lost",
    calls=(),
    story=("LOST      write    data [0..600)",),
    script="print('again')\n",
    rerun="pytest --backend=mystore -k STATE-CRASH-11 --effort=quick",
    picture={
        "kind": "crash",
        "kill": False,
        "rows": [
            {"row": "note", "text": "the store is open"},
            {"row": "step", "text": "store['a'] = 1"},
            {"row": "call", "verb": "create", "text": "data", "fate": "durable", "kept": 1, "of": 1},
            {"row": "call", "verb": "mkdir", "text": "folder", "fate": "survived", "kept": 1, "of": 1},
            {"row": "call", "verb": "write", "text": "data [0..600)", "fate": "torn", "kept": 1, "of": 2},
            {"row": "call", "verb": "rename", "text": "data.tmp -> other", "fate": "lost", "kept": 0, "of": 1},
            {"row": "call", "verb": "sync", "text": "data FAILED", "fate": "", "kept": 0, "of": 0},
            {"row": "end", "text": "ACKNOWLEDGED"},
            {"row": "crash", "text": "POWER LOSS HERE (acknowledged 1 of 1 begun)"},
        ],
        "compared": True,
        "files": [
            {"path": "data", "before": 600, "after": 512, "changed": True},
            {"path": "other", "before": 9, "after": None, "changed": True},
            {"path": "data.tmp", "before": None, "after": 9, "changed": True},
            {"path": "same", "before": 5, "after": 5, "changed": False},
        ],
        "files_hidden": 3,
        "unsynced": ["the content of data"],
    },
)
DAMAGE = replace(
    EXAMPLE,
    what="bit flipped: data at 17 (bit 3): silent wrong",
    calls=(),
    picture={
        "kind": "damage",
        "title": "bit flipped: data at 17 (bit 3)",
        "specimen": "closed",
        "path": "data",
        "before": 40,
        "after": 40,
        "rows": [
            {"offset": 0, "before": bytes(range(16)).hex(), "after": bytes(range(16)).hex(), "changed": []},
            {"offset": 16, "before": b"ABCDEFGH".hex(), "after": b"AJCDEFGH".hex(), "changed": [1]},
        ],
        "hidden": 7,
        "files": [{"path": "data", "size": 40}],
        "files_hidden": 0,
    },
)
_HISTORY = (Operation(0, 1, 0, "put", "a", 1), Operation(2, 3, 1, "get", "a", answer=None))
RACE = replace(
    EXAMPLE,
    what="registers, by 2 processes; the smallest part of round 5 that can't be",
    calls=(),
    story=("w1  ├───┤          put('a', 1)", "w2           ├───┤ get('a') -> missing"),
    history=lane_data(_HISTORY, _HISTORY, stops=_HISTORY[1]),
)


def hostile(length: int = 100_000) -> Counterexample:
    """Return a finding whose every text is hostile, and long."""
    text = HOSTILE + "x" * length
    return replace(
        CRASH,
        what=text,
        expected=text,
        got=text,
        note=text,
        frame=text,
        rerun=HOSTILE,
        script=text,
        story=(text,) * 200,
        calls=tuple(Call(number, text, text, depth=number % 12) for number in range(1, 100)),
    )
