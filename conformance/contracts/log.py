"""The `log` contract: an append-only sequence of events with consecutive positions.

A log store has `append(event) -> int`, `read(start=1, stop=None)`, `head` and `close()`. An async store has the same
verbs as `async def`; its `read` may be an async iterator, and its `head` an `async def` method or a property that
gives an awaitable.

Positions
    The first event has position 1 and every next one the position after; `append` returns it. A position, once given,
    always names the same event. `head` is the position of the last event, 0 when there never was one. Positions are
    never given twice: not after a reopen, not after everything was compacted away.

Events
    An event is a `Value` as in the `state` contract, long ones included, and the same law holds: it comes back equal in
    type and content or it was refused loudly, without taking a position. What is read is a copy.

Reading
    `read(start, stop)` gives `(position, event)` in order, from `start` on, `stop` excluded, to the head where `stop`
    is None. An empty window (`stop <= start`, or `start` beyond the head) gives nothing. It may be lazy.

Replay
    What is read depends on what was appended, and on nothing else: neither on the process, its settings and its clock,
    nor on how often it was read. So every fold of the events gives the same state, everywhere and for ever. Reading
    changes no file of the log.

Lifetime
    As in the `state` contract: acknowledged events are there after close and reopening, and at once for other handles.

Capabilities, each declared by its methods:

`batch`
    `append_batch(events)` appends all of them at consecutive positions or none, and returns the list of positions. An
    empty batch does nothing.

`expected`
    `append(event, expected=n)` appends only if the head is `n`. A refusal is an exception (`errors["conflict"]` names
    it) or the return value False; it changes nothing.

`compaction`
    `checkpoint(state, upto)` keeps the state that the events up to and including `upto` fold to; `latest_checkpoint()`
    gives `(state, upto)` of the newest, or None. `compact(upto)` drops the events up to and including `upto`; `first`
    is the position of the first event left, or head + 1. Compaction is invisible to folds: checkpoint plus the events
    after it give what all events gave. So these are refused loudly: a checkpoint ahead of the head; a checkpoint below
    `first - 1`, behind which events are missing; compacting beyond the latest checkpoint. A read that starts below
    `first` raises, or gives the events that are left, at their own positions.

`verify`
    `verify()` returns a report with `healthy` (a count) and `damaged` (a sequence, empty for a sound log), as
    attributes or keys.

`repair`
    `repair()` gives up what is damaged and keeps all else, so that the log can be read and written again. It returns a
    report with `dropped` (a sequence, empty where nothing was), as attribute or key.

`flush`
    `flush()` acknowledges all appends so far.

Sources: the property checklist LOG-01 to LOG-64.
"""

from __future__ import annotations

from conformance.contracts import Capability, Contract

CONTRACT = Contract(
    name="log",
    verbs=("append", "read", "head"),
    capabilities=(
        Capability("batch", ("append_batch",)),
        Capability("expected", parameter="append:expected"),
        Capability("compaction", ("checkpoint", "latest_checkpoint", "compact", "first")),
        Capability("verify", ("verify",)),
        Capability("flush", ("flush",)),
    ),
)
