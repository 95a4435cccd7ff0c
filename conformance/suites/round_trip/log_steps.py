"""What the checks of the `log` contract share: reading, comparing, folding, and an event that no store can keep."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from conformance.literal import literal
from conformance.result import NotApplicable
from conformance.values import domain
from conformance.values.equality import same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from conformance.session import Handle
    from conformance.trial import Trial

Entries = list[tuple[int, Any]]
Case = TypeVar("Case")

#: Lists up to this length are shown whole in a failure; of longer ones the first difference.
_SHOWN_WHOLE = 6


class Unstorable:
    """An event that neither JSON nor pickle nor a deep copy can take."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("this event can't be written down")

    def __repr__(self) -> str:
        # A reproduction script has to be Python; there, a function of this form is refused for the same reasons.
        return "lambda: None"


UNSTORABLE = Unstorable()


def is_durable(trial: Trial) -> bool:
    """Tell whether the log is still there after it was closed and opened again."""
    return trial.backend.durability != "volatile"


def require_durable(trial: Trial) -> None:
    """Make the check not applicable to a log that lives in one handle only; for checks that hold another promise."""
    if not is_durable(trial):
        raise NotApplicable("durability is promised at 'volatile' only; a second handle is another log then")


def offers(trial: Trial, capability: str) -> bool:
    """Tell whether the log offers a capability, and the backend does not disclaim it."""
    return capability in trial.bench.profile.offered("log")


def some_events(trial: Trial, count: int, after: int = 0) -> list[Any]:
    """Return `count` small events that all differ; `after` is the number of the last one that is taken already."""
    return [domain.numbered(trial.backend.values, number) for number in range(after + 1, after + count + 1)]


def positioned(events: Iterable[Any], first: int = 1) -> Entries:
    """Return the entries of a log whose first event has the position `first`."""
    return list(enumerate(events, first))


def entries(trial: Trial, store: Handle, *window: Any) -> Entries:
    """Read a window of the log."""
    return pairs(trial, store.read(*window))


def pairs(trial: Trial, found: list[Any]) -> Entries:
    """Return what was read as plain tuples; a log may give its pairs as any tuple type, or as lists."""
    for item in found:
        if not (isinstance(item, (tuple, list)) and len(item) == 2):
            trial.violated("reading the log", expected="pairs of a position and an event", got=literal(item))
    return [(position, event) for position, event in found]


def agree(trial: Trial, got: Entries, expected: Entries, what: str) -> None:
    """Require that entries are the expected ones; of many, the first difference is shown."""
    trial.count("events", len(expected))
    if max(len(got), len(expected)) <= _SHOWN_WHOLE or same(got, expected):
        trial.equal(got, expected, what)
        return
    # Nothing is equal to an end of the list, so that the shorter one differs where it ends.
    pairs = zip([*got, None], [*expected, None], strict=False)
    index = next(i for i, (one, other) in enumerate(pairs) if not same(one, other))
    trial.true(
        condition=False,
        what=f"{what}: entry number {index + 1:,} of {len(expected):,}",
        expected=_shown(expected, index),
        got=_shown(got, index),
    )


def _shown(found: Entries, index: int) -> str:
    return literal(found[index]) if index < len(found) else f"the end, after {len(found):,} entries"


def holds(trial: Trial, store: Handle, events: Iterable[Any], what: str) -> None:
    """Require that a log that was never compacted holds exactly these events, from position 1 on."""
    agree(trial, entries(trial, store), positioned(events), what)


def append_all(trial: Trial, store: Handle, events: Iterable[Any]) -> None:
    """Append the events one by one and acknowledge them."""
    for event in events:
        store.append(event)
    store.acknowledge()
    trial.count("appends", len(list(events)))


def append_batch(trial: Trial, store: Handle, events: list[Any], head: int, what: str) -> None:
    """Append a batch to a log with a known head, and compare the positions; they may come in any kind of sequence."""
    got = store.append_batch(events)
    if not isinstance(got, (list, tuple, range)):
        trial.violated(what, expected="the list of positions", got=literal(got))
    trial.equal(list(got), list(range(head + 1, head + len(events) + 1)), what)


def smallest(cases: Sequence[Case], body: Callable[[Sequence[Case]], None]) -> None:
    """Run `body` on all cases at once; when that fails, on each case alone, so that a small failure is shown."""
    try:
        body(cases)
    except Exception:
        for case in cases:
            body([case])
        raise


def declined(trial: Trial, call: Callable[[], Any]) -> bool:
    """Tell whether a conditional call was refused: by an exception, or by the return value False."""
    answers: list[Any] = []
    trial.count("refusals")
    return trial.refused(lambda: answers.append(call())) or answers[0] is False


def must_decline(trial: Trial, call: Callable[[], Any], what: str) -> None:
    """Require that a conditional call is refused."""
    trial.true(declined(trial, call), what, expected="an exception, or the return value False", got="no refusal")


def must_refuse(trial: Trial, call: Callable[[], Any], what: str) -> None:
    """Require that a call is refused loudly, with any exception."""
    trial.count("refusals")
    trial.true(trial.refused(call), what, expected="an exception", got="no exception")


def fold(trial: Trial, events: Iterable[Any], state: Any = None) -> Any:
    """Fold events into a state of the domain that tells any change, loss, repetition or other order of them."""
    if trial.backend.values == "bytes":
        digest: bytes = state or b""
        for event in events:
            digest = hashlib.sha256(digest + b"%d:" % len(event) + event).digest()
        return digest
    return [*(state or []), *events]


def latest(trial: Trial, store: Handle) -> tuple[Any, int] | None:
    """Return the latest checkpoint, whose pair may be of any tuple type, or a list."""
    found = store.latest_checkpoint()
    if found is None:
        return None
    if not (isinstance(found, (tuple, list)) and len(found) == 2):
        what = "asking for the latest checkpoint"
        trial.violated(what, expected="None, or a pair of a state and a position", got=literal(found))
    state, upto = found
    return state, upto


def restored(trial: Trial, store: Handle) -> Any:
    """Return what a program that starts now comes to: the latest checkpoint, and the events after it folded in."""
    state, upto = latest(trial, store) or (None, 0)
    tail = entries(trial, store, upto + 1)
    events = [event for _, event in tail]
    agree(trial, tail, positioned(events, upto + 1), "the positions of the events after the latest checkpoint")
    return fold(trial, events, state)
