"""The `log` contract for the crash engine: events are appended, alone or in batches, checkpointed and compacted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from conformance.crash.subjects.subject import Content, Step, Subject, brief, canonical
from conformance.literal import literal

if TYPE_CHECKING:
    from conformance.drive import Driver
    from conformance.session import Handle


def _perform(store: Handle, step: Step) -> None:
    if step.verb == "compact" and step.args[0] < store.first:
        return  # the log has compacted itself further, and may refuse what is done already
    getattr(store, step.verb)(*step.args)


def _read(driver: Driver, store: Any) -> Content:
    # A read that begins before the first event that is left may be refused.
    start = (driver.attribute(store, "first"),) if hasattr(type(store), "first") else ()
    events = [[position, event] for position, event in driver.items(store.read, *start)]
    content = {"events": events, "head": driver.attribute(store, "head"), "checkpoint": None}
    if hasattr(store, "latest_checkpoint"):
        found = driver.call(store.latest_checkpoint)
        content["checkpoint"] = None if found is None else list(found)
    return content


def _apply(content: Content, step: Step) -> Content:
    events, head, checkpoint = list(content["events"]), content["head"], content["checkpoint"]
    match step.verb, step.args:
        case "append", (event, *_):
            events.append([head + 1, event])
            head += 1
        case "append_batch", (batch,):
            events += [[head + place, event] for place, event in enumerate(batch, 1)]
            head += len(batch)
        case "checkpoint", (state, upto):
            checkpoint = [state, upto]
        case "compact", (upto,):
            events = [entry for entry in events if entry[0] > upto]
    return {"events": events, "head": head, "checkpoint": checkpoint}


def _agrees(observed: Content, expected: Content) -> bool:
    """Compare what every reader sees; what a checkpoint covers may have been dropped, in part, oldest first.

    The `log` contract allows a log to compact up to its latest checkpoint at any time, since no fold can tell.
    """
    if canonical(observed) == canonical(expected):
        return True
    if any(canonical(observed[name]) != canonical(expected[name]) for name in ("head", "checkpoint")):
        return False
    events, wanted = observed["events"], expected["events"]
    covered = expected["checkpoint"][1] if expected["checkpoint"] else 0
    left, due = ([entry for entry in entries if entry[0] > covered] for entries in (events, wanted))
    if canonical(left) != canonical(due):
        return False
    if not events:
        return True
    # What was expected to be compacted away may still be there: `wanted` can't tell, and `parts` has looked at it.
    known = dict(wanted)
    positions = [position for position, _ in events]
    unbroken = positions == list(range(positions[0], positions[0] + len(positions)))
    return unbroken and all(canonical(known.get(position, event)) == canonical(event) for position, event in events)


def _parts(content: Content) -> Iterable[Any]:
    return [entry[1] for entry in content["events"]]


def _probe(domain: str) -> Step:
    text = "written after recovery"
    return Step("append", (text.encode() if domain == "bytes" else text,))


def _source(step: Step) -> str:
    if step.verb == "reopen":
        return "store.close(); store = session.open()"
    return f"store.{step.verb}({', '.join(literal(arg) for arg in step.args)})"


LOG = Subject(
    contract="log",
    empty={"events": [], "head": 0, "checkpoint": None},
    perform=_perform,
    read=_read,
    apply=_apply,
    agrees=_agrees,
    parts=_parts,
    probe=_probe,
    source=_source,
    tell=brief,
)
