"""The calls to a store whose network fails: what is asked, what is answered, and what an answer says of the content."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.crash.subjects import SUBJECTS, Content, Step, canonical
from conformance.crash.workloads import SIZES, value_of

if TYPE_CHECKING:
    from conformance.session import Handle

#: Steps that change nothing.
READS = ("get", "read", "head")
#: Steps of several parts, which take effect together or not at all.
COMPOSED = ("transaction", "append_batch")
#: The answer of a store to a question about a key that it has not.
MISSING = "(missing)"
#: Steps whose answer tells nothing that must be so.
_SILENT = ("set", "transaction")


@dataclass(frozen=True)
class Call:
    """One try of one step.

    Args:
        step: The place of the step in the workload.
        raised: The exception that it ended in, which leaves open whether it had its effect; empty when it returned.
        answer: What it returned, as JSON-like data; `MISSING` when the store said that the key is not there.
        seconds: How long it took.
        requests: How many requests the client had made before it.
        hung: It did not end.
        cut_off: Nothing of it can have reached the server.
    """

    step: int
    raised: str = ""
    answer: Any = None
    seconds: float = 0.0
    requests: int = 0
    hung: bool = False
    cut_off: bool = False

    @property
    def ambiguous(self) -> bool:
        """Whether it is open if it had its effect."""
        return bool(self.raised) or self.hung


def steps_of(contract: str, *, domain: str, seed: int, verbs: frozenset[str]) -> tuple[Step, ...]:
    """Return a workload of writes with questions in between, whose answers tell whose they are.

    Args:
        contract: `state` or `log`.
        domain: The promised domain of values, e.g. `json`.
        seed: Sizes are drawn from it.
        verbs: The methods that the store has.
    """
    draw = random.Random(seed)
    sizes = iter(draw.choices(SIZES, k=20))
    return _MAKERS[contract](lambda key, number: value_of(key, number, next(sizes), domain), verbs)


def _state_steps(value: Any, verbs: frozenset[str]) -> tuple[Step, ...]:
    def put(key: str, number: int) -> Step:
        return Step("set", (key, value(key, number)))

    together = (put("k0", 5), put("k3", 5))
    return (
        put("k0", 0),
        put("k1", 1),
        Step("get", ("k0",)),
        Step("delete", ("k1",)),
        put("k2", 3),
        Step("get", ("k2",)),
        *([Step("transaction", together)] if "transaction" in verbs else together),
        Step("delete", ("k2",)),
        Step("get", ("k0",)),
        put("k1", 7),
        Step("delete", ("k0",)),
        Step("get", ("k1",)),
        put("k0", 9),
        Step("get", ("k3",)),
    )


def _log_steps(value: Any, verbs: frozenset[str]) -> tuple[Step, ...]:
    def append(number: int) -> Step:
        return Step("append", (value("e", number),))

    batch = tuple(value("e", number) for number in (3, 4, 5))
    return (
        append(0),
        append(1),
        Step("read"),
        append(2),
        *([Step("append_batch", (batch,))] if "append_batch" in verbs else ()),
        Step("head"),
        append(6),
        Step("read"),
        append(7),
        append(8),
        Step("head"),
    )


_MAKERS = {"state": _state_steps, "log": _log_steps}


def ask(contract: str, store: Handle, step: Step) -> Any:
    """Carry out a step, and return what the store answered."""
    match step.verb, step.args:
        case "get", (key,):
            return store[key]
        case "append", (event,):
            return store.append(event)
        case "append_batch", (events,):
            return list(store.append_batch(list(events)))
        case "read", _:
            return [list(entry) for entry in store.read()]
        case "head", _:
            return store.head
        case _:
            SUBJECTS[contract].perform(store, step)
            return None


def due(content: Content, step: Step) -> Any:
    """Return what a store with some content must answer to a step; None where any answer will do."""
    match step.verb, step.args:
        case ("get", (key,)) | ("delete", (key,)):
            entries = dict(content["entries"])
            return entries.get(key, MISSING) if step.verb == "get" or key not in entries else None
        case "append", _:
            return content["head"] + 1
        case "append_batch", (events,):
            return list(range(content["head"] + 1, content["head"] + len(events) + 1))
        case "read", _:
            return content["events"]
        case "head", _:
            return content["head"]
        case _:
            return None


def fits(content: Content, step: Step, answer: Any) -> bool:
    """Tell whether a store with some content may have given an answer to a step."""
    if step.verb == "delete" and answer is None:
        return True  # of a key that is missing, too: a store may do nothing then, in place of a KeyError
    return step.verb in _SILENT or canonical(due(content, step)) == canonical(answer)


def source(contract: str, step: Step) -> str:
    """Return a step as Python source."""
    match step.verb, step.args:
        case "get", (key,):
            return f"store[{key!r}]"
        case "append_batch", (events,):
            return SUBJECTS[contract].source(Step("append_batch", (list(events),)))
        case "read", _:
            return "list(store.read())"
        case "head", _:
            return "store.head"
        case _:
            return SUBJECTS[contract].source(step)
