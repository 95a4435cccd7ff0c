"""What the checks of logs share: logs to be replayed, and telling whose fault it is when they are not as they were."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from conformance.frames import shown_path
from conformance.literal import literal
from conformance.replay.events import some_events
from conformance.replay.folds import FoldError, fold_of, folded
from conformance.replay.replay import Entry, Parting, Replay, parting, replayed
from conformance.result import Inconclusive, Violation

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

#: Lengths of logs that are tried, shortest first, once a long one was found to be replayed wrongly.
_SHORTER = (1, 2, 3, 4, 6, 9, 13, 20)
#: Who gives a state.
FOLD = "the fold"


def agree(
    trial: Trial,
    got: Replay,
    expected: Replay,
    what: str,
    names: tuple[str, str] = ("read", "appended"),
    story: tuple[str, ...] = (),
    state_of: str = FOLD,
) -> None:
    """Require that two replays agree, and tell whose fault it is where they do not.

    Args:
        trial: The trial.
        got: What was read, and what it folds to.
        expected: What it should be.
        what: What was being done.
        names: What the two are called where they are shown side by side.
        story: More lines for the failure.
        state_of: Who is to blame where the events are the same and the states are not.
    """
    trial.count("events", len(expected.entries))
    trial.count("comparisons")
    found = parting(got, expected, names)
    if found is not None:
        frame = _frame(trial.backend.fold) if found.whose == "fold" and state_of == FOLD else ""
        _blame(found, what, story, state_of, frame)


def _blame(found: Parting, what: str, story: tuple[str, ...], state_of: str, frame: str) -> NoReturn:
    where = f"first at position {found.position:,}: {found.path}"
    if found.whose == "log":
        told = "the same events at the same positions, in the same order"
        raise Violation(f"{what}: the log gives other events", expected=told, got=where, story=story)
    what = f"{what}: {state_of} gives another state; the events are the same"
    raise Violation(
        what, expected="the same state after each event", got=f"another one, {where}", story=story, frame=frame
    )


def _frame(fold: Callable[..., Any] | None) -> str:
    """Return where a fold stands."""
    try:
        lines = inspect.getsourcelines(fold)  # type: ignore[arg-type]
        return f"{shown_path(inspect.getsourcefile(fold) or '')}:{lines[1]}: {lines[0][0].strip()}"  # type: ignore[arg-type]
    except (TypeError, OSError):
        return ""


def events_for(trial: Trial, count: int = 0) -> list[Any]:
    """Return as many events as the effort asks for, or so many."""
    return some_events(trial.backend.values, count or trial.effort.steps + 10, trial.seed)


def replay_of(trial: Trial, entries: Sequence[Entry], state: Any = None) -> Replay:
    """Fold entries that were read, or that should be.

    Raises:
        Inconclusive: The fold can't be used.
    """
    try:
        return replayed(entries, fold_of(trial.backend), state)
    except FoldError as error:
        raise Inconclusive(str(error)) from error


def expected_replay(trial: Trial, events: Sequence[Any]) -> Replay:
    """Return the replay that a log of these events must have."""
    return replay_of(trial, list(enumerate(events, 1)))


def state_after(trial: Trial, events: Sequence[Any]) -> Any:
    """Return the state that events fold to, as the fold gives it.

    Raises:
        Inconclusive: The fold can't be used.
    """
    state = None
    for event in events:
        try:
            state = folded(fold_of(trial.backend), state, copy.deepcopy(event))
        except FoldError as error:
            raise Inconclusive(str(error)) from error
    return state


def append_all(trial: Trial, store: Handle, events: Sequence[Any]) -> None:
    """Append events and acknowledge them."""
    for event in events:
        store.append(event)
    store.acknowledge()
    trial.count("appends", len(events))


def entries_of(store: Handle, *window: Any) -> list[Entry]:
    """Read a window of a log; the pairs may be of any tuple type, or lists."""
    found = store.read(*window)
    for item in found:
        if not (isinstance(item, (tuple, list)) and len(item) == 2):
            raise Violation("reading the log", expected="pairs of a position and an event", got=literal(item))
    return [(position, event) for position, event in found]


def is_durable(trial: Trial) -> bool:
    """Tell whether the store is still there after it was closed and opened again."""
    return trial.backend.durability != "volatile"


def with_few_events(trial: Trial, body: Callable[[list[Any]], None]) -> None:
    """Carry out the body of a check on many events; when that fails, on ever more, so that few are shown."""
    events = events_for(trial)
    try:
        body(events)
    except Violation as first:
        for count in _SHORTER:
            try:
                body(events_for(trial, count))
            except Violation as smaller:
                if smaller.story[:1] == first.story[:1]:
                    smaller.story = first.story  # what is enough was tried on more events, where chance hides less
                    raise
        raise
