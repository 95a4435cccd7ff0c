"""A history as a picture: one line for each operation, by worker, on an axis that only knows before and after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from conformance.histories.operation import NEVER, History, Operation, told

#: Columns of a line at most, and of the words in it.
COLUMNS_MAX = 100
WORDS_MAX = 44
#: Columns between two ranks of the axis, where there is room.
STEP = 4


def lanes(
    history: History, witness: Collection[Operation] = (), named: Callable[[int], str] | None = None
) -> list[str]:
    """Return a line for each operation: its worker, when it ran, what it was, and whether it is a witness.

    Args:
        history: Few operations; the axis is squeezed where there are many.
        witness: Those that are marked.
        named: Gives workers their names; None numbers those that there are.
    """
    data = lane_data(history, witness, named)
    drawn: list[dict[str, Any]] = data["operations"]
    if not drawn:
        return []
    name = max(len(worker) for worker in data["workers"]) + 2
    words = min(WORDS_MAX, max(len(one["label"]) for one in drawn))
    room = COLUMNS_MAX - name - words - 5
    width = min(room, STEP * data["ranks"] + 1)
    lines: list[str] = []
    for one in drawn:
        bar = _bar(one["start"], one["end"], data["ranks"], width)
        label = one["label"] if len(one["label"]) <= words else f"{one['label'][: words - 1]}…"
        mark = " ◀" if one["witness"] else ""
        lines.append(f"{one['worker']:{name}}{bar:{width}}   {label:{words}}{mark}".rstrip())
    return lines


def lane_data(
    history: History,
    witness: Collection[Operation] = (),
    named: Callable[[int], str] | None = None,
    stops: Operation | None = None,
) -> dict[str, Any]:
    """Return what a drawing of a history needs, as JSON knows it.

    `workers` are the lanes' names and `ranks` is the length of the axis; `stops` is the rank of the return of the call
    `stops`, at which the history was broken first, None where nobody knows. Each of `operations`, in the order of the
    lanes and of the calls, has its `worker`, `lane`, `start` and `end` (None: open), `label`, `verb`, `key`, `value`
    (of a read, what it read), `outcome`, and `witness`.
    """
    ranks = _ranks(history)
    workers = {worker: lane for lane, worker in enumerate(sorted({operation.worker for operation in history}))}
    names = [named(worker) if named else f"w{lane + 1}" for worker, lane in workers.items()]
    return {
        "workers": names,
        "ranks": len(ranks),
        "stops": None if stops is None else ranks.get((stops.end, 1)),
        "operations": [
            {
                "worker": names[workers[one.worker]],
                "lane": workers[one.worker],
                "start": ranks[one.call, 0],
                "end": None if _is_open(one) else ranks[one.end, 1],
                "label": told(one),
                "verb": one.verb,
                "key": None if one.key is None else repr(one.key),
                "value": repr(one.answer if one.verb in ("get", "read", "transaction") else one.value),
                "outcome": one.outcome,
                "witness": one in witness,
            }
            for one in sorted(history, key=lambda one: (one.worker, one.call))
        ],
    }


def _ranks(history: Sequence[Operation]) -> dict[tuple[int, int], int]:
    """Return the place of each call and each end on the axis; of the same time calls come first: bars overlap."""
    moments = {(one.call, 0) for one in history} | {(one.end, 1) for one in history if not _is_open(one)}
    return {moment: rank for rank, moment in enumerate(sorted(moments))}


def _is_open(operation: Operation) -> bool:
    return operation.end >= NEVER or operation.outcome == "info"


def _bar(start: int, end: int | None, ranks: int, width: int) -> str:
    first = _column(start, ranks, width)
    if end is None:
        return " " * first + "├" + "─" * (width - first - 2) + "…"
    last = _column(end, ranks, width)
    return " " * first + ("│" if last == first else "├" + "─" * (last - first - 1) + "┤")


def _column(rank: int, ranks: int, width: int) -> int:
    return rank * (width - 2) // max(1, ranks - 1)
