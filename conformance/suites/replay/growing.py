"""What the checks about growth share: the work is done once, and each check judges one thing that was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from conformance.hosting import embedded
from conformance.replay.growth import CONSTANT, FACTOR, FILES, Bound, Grown, Reading, grown, on_disk
from conformance.replay.growth import in_memory as memory_of
from conformance.replay.growth import open_files as files_of
from conformance.replay.lifetimes import FEW, Lifetimes, lived
from conformance.result import Inconclusive, NotApplicable, Violation
from conformance.workers import Crew, WorkerError

if TYPE_CHECKING:
    from conformance.trial import Trial

#: Readings that a failure shows.
_SHOWN = 8
#: Times that a store is opened and closed, at most and at least.
_CYCLES, _FEWEST = 500, 60
_MIB = 1 << 20


def called(trial: Trial, function: Callable[..., Any], argument: Any) -> Any:
    """Return `function(bay, argument)` of a worker process; the checks of a bench share it.

    Raises:
        Inconclusive: There is none.
    """
    contract, backend = trial.check.contract, embedded(trial.backend)
    try:
        crew = trial.bench.room(("growth", contract), lambda: closing(Crew(backend, contract, 1)))
        return crew.call(function, argument)
    except WorkerError as error:
        raise Inconclusive(str(error)) from error


def require_little_on_disk(trial: Trial) -> None:
    """Require that the files of a store that is compacted do not follow the number of operations."""
    _require(trial, "files", [("bytes on disk", lambda _, now: now.disk, on_disk)])


def require_little_in_memory(trial: Trial) -> None:
    """Require the same of the memory of the process and of its descriptors."""
    kinds: list[_Kind] = [
        ("bytes in memory", lambda _, now: now.memory or 0, memory_of),
        ("open files", lambda _, now: now.files or 0, files_of),
    ]
    _require(trial, "memory or open files", kinds)


_Kind = tuple[str, Callable[[Reading, Reading], int], Callable[[Reading, Reading], Bound | None]]


def _require(trial: Trial, what: str, kinds: Sequence[_Kind]) -> None:
    work = _grown(trial)
    first, measured = work.readings[0] if work.readings else None, 0
    for number, reading in enumerate(work.readings):
        assert first is not None
        for name, value, bounded in kinds:
            bound = bounded(first, reading)
            if bound is None:
                continue
            measured += 1
            if bound.now > bound.most:
                raise Violation(
                    f"{reading.operations:,} operations, compacted {number + 1:,} times: {name}",
                    expected=f"at most {_allowed(first, reading, name)}",
                    got=f"{value(first, reading):,}, of {reading.written:,} bytes written, {reading.live:,} still live",
                    story=_story(work.readings[: number + 1]),
                )
    if work.gone:
        raise Inconclusive(work.gone)
    if work.error:
        done = work.readings[-1].operations if work.readings else 0
        raise Violation(f"more than {done:,} operations", expected="no exception", got=work.error)
    if not measured:
        raise Inconclusive(f"nobody can tell here how much {what} a process has")
    trial.count("operations", work.readings[-1].operations)
    trial.count("compactions", len(work.readings))
    trial.count("comparisons", measured)


def _allowed(first: Reading, reading: Reading, name: str) -> str:
    if name == "open files":
        return f"{FILES} more than the {first.files} after the first compaction"
    before = first.disk if name == "bytes on disk" else first.memory
    limit = FACTOR * reading.live + CONSTANT
    return f"{limit:,} more than the {before:,} after the first compaction: {FACTOR} times the live data and a constant"


def _story(readings: Sequence[Reading]) -> tuple[str, ...]:
    each = max(1, len(readings) // _SHOWN)
    return tuple(map(_line, readings[each - 1 :: each]))


def _line(one: Reading) -> str:
    parts = [f"after {one.operations:,} operations, {one.written / _MIB:,.1f} MiB: {one.disk / _MIB:,.1f} MiB on disk"]
    if one.memory is not None:
        parts.append(f"{one.memory / _MIB:,.1f} MiB in memory")
    if one.files is not None:
        parts.append(f"{one.files} open files")
    return ", ".join(parts)


def _grown(trial: Trial) -> Grown:
    key = ("grown", trial.check.contract)
    if key not in trial.bench.rooms:
        trial.bench.progress(f"{trial.check.code}: {trial.effort.operations:,} operations")
        trial.bench.rooms[key] = called(trial, grown, trial.effort.operations)
    done: Grown = trial.bench.rooms[key]
    return done


def require_nothing_left_open(trial: Trial) -> None:
    """Require that a store leaves neither descriptors nor threads behind when it is closed."""
    cycles = min(_CYCLES, max(_FEWEST, trial.effort.operations // 4))
    done: Lifetimes = called(trial, lived, cycles)
    if done.gone:
        raise Inconclusive(done.gone)
    for count in done.counts:
        first = done.counts[0]
        for what, now, before in (("threads", count.threads, first.threads), ("descriptors", count.files, first.files)):
            if (now or 0) > (before or 0) + FEW:
                raise Violation(
                    f"the {what} of a process that opened and closed the store {count.cycles} times",
                    expected=f"at most {FEW} more than the {before} after {first.cycles} times",
                    got=str(now),
                )
    if done.error:
        raise Violation(f"opening and closing the store {cycles} times", expected="no exception", got=done.error)
    if len(done.counts) < 2 or done.counts[-1].files is None:
        raise Inconclusive("nobody can tell here how many descriptors a process has")
    trial.count("cycles", done.counts[-1].cycles)
    trial.count("comparisons", 2 * (len(done.counts) - 1))


def require_no_history(trial: Trial) -> None:
    """Make a check not applicable to a store that keeps every version for ever, as its contract wants."""
    if "history" in trial.bench.profile.offered("state"):
        raise NotApplicable("the store offers history: every version is kept for ever, so its size follows the writes")
