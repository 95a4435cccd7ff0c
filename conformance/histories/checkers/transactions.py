"""Transactions that append to lists and read them: which anomalies a history shows, and which isolation level holds.

What is read tells the order of the appends, so who depends on whom is known, and every level but the strictest forbids
some cycle of dependencies. With all lists read at the end the answer is nearly always exact; it is sound in any case.
Sources: Adya, Weak consistency, PhD thesis, MIT 1999; Kingsbury & Alvaro, Elle, VLDB 2020; Cerone & Gotsman, Analysing
snapshot isolation, JACM 2018.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.histories.checkers.cycles import on_cycles
from conformance.histories.checkers.dependencies import RT, RW, WR, WW, anomaly_of, dependency_cycles
from conformance.histories.operation import History, Operation
from conformance.histories.verdict import Verdict

#: The isolation levels, weakest first.
LEVELS = ("read uncommitted", "read committed", "snapshot isolation", "serializable", "strict serializable")
#: Each anomaly, worst first: the weakest level that forbids it, and what it is.
ANOMALIES = {
    "garbage read": ("read uncommitted", "a transaction read a value that nobody appended"),
    "duplicate": ("read uncommitted", "a value that was appended once is read twice in one list"),
    "G0": ("read uncommitted", "transactions overwrote each other's appends in a circle"),
    "incompatible order": (
        "read committed",
        "a list is in another order than before, or than one transaction appended it",
    ),
    "G1a": ("read committed", "a transaction read what an aborted one appended"),
    "G1b": ("read committed", "a transaction read what another one had appended on the way"),
    "G1c": ("read committed", "transactions saw each other's appends in a circle"),
    "internal": ("snapshot isolation", "a transaction contradicts what it read or appended itself"),
    "lost update": ("snapshot isolation", "two transactions read the same list and both appended to it"),
    "G-single": (
        "snapshot isolation",
        "a transaction saw one part of another one's effects and missed an earlier part",
    ),
    "G-nonadjacent": ("snapshot isolation", "transactions saw the same appends in different orders (long fork)"),
    "G2": ("serializable", "each of some transactions missed what the next one appended (write skew)"),
    "real-time": ("strict serializable", "a transaction missed or overtook one that had ended before it began"),
}
#: Transactions nobody saw that one reader is ordered before.
UNSEEN_MAX = 16


def check_transactions(history: History, level: str = "serializable") -> Verdict:
    """Return whether an isolation level holds.

    Args:
        history: Of `transaction`; a value is appended once to a key. Of a transaction that is not `ok`, the `value`
            are the steps that were asked for.
        level: One of LEVELS.
    """
    asked = LEVELS.index(level)
    try:
        found = anomalies(history)
    except ValueError as error:
        return Verdict("unknown", str(error), checker="transactions")
    broken = [name for name in found if LEVELS.index(ANOMALIES[name][0]) <= asked]
    if not broken:
        return Verdict("linearizable", checker="transactions")
    name = broken[0]
    return Verdict("not linearizable", f"{ANOMALIES[name][1]}: not {level}", found[name], checker="transactions")


def isolation(history: History) -> str:
    """Return the strongest level that holds, `none` if none does."""
    return level_left(anomalies(history))


def level_left(found: Collection[str]) -> str:
    """Return the strongest level that some anomalies leave, `none` if they leave none."""
    holds = min((LEVELS.index(ANOMALIES[name][0]) for name in found), default=len(LEVELS))
    return LEVELS[holds - 1] if holds else "none"


def anomalies(history: History, *, rewritten: bool = False) -> Mapping[str, tuple[Operation, ...]]:
    """Return the anomalies of ANOMALIES that a history shows, worst first, each with transactions that show it.

    Args:
        history: As in `check_transactions`.
        rewritten: Who appends reads the list and writes a longer one, so that a list may take the place of another.

    Raises:
        ValueError: Something is no transaction, or a value was appended twice to a key.
    """
    seen = _Seen(history, rewritten)
    seen.look()
    edges = seen.dependencies()
    if on_cycles(edges):
        for cycle in dependency_cycles(edges):
            witness = [history[node] for node in cycle if node < len(history)]
            seen.found.setdefault(anomaly_of(edges, cycle), tuple(dict.fromkeys(witness)))
    if rewritten and "lost update" in seen.found:  # what took whose place is not known, nor is such a circle then
        for name in ("G0", "G1c"):
            seen.found.pop(name, None)
    return {name: seen.found[name] for name in ANOMALIES if name in seen.found}


@dataclass
class _Seen:
    """What transactions showed of the lists.

    Args:
        history: Of transactions, by whose places in it they are called here.
        rewritten: Whether who appends writes the whole list.
        found: The anomalies that are no cycles.
        writer: Who appended what.
        final: What a transaction appended last to a key.
        reads: Who read what of a key, but for what it had appended itself.
        longest: The longest read of each key, and whose it was.
        committed: Who surely took effect: it was acknowledged or, crashed, was read.
        unseen: Who surely appended to a key what nobody read, and so behind all that was read.
    """

    history: History
    rewritten: bool
    found: dict[str, tuple[Operation, ...]] = field(default_factory=dict)
    writer: dict[tuple[Any, Any], int] = field(default_factory=dict)
    final: dict[tuple[int, Any], Any] = field(default_factory=dict)
    reads: list[tuple[int, Any, tuple[Any, ...]]] = field(default_factory=list)
    longest: dict[Any, tuple[tuple[Any, ...], int]] = field(default_factory=dict)
    committed: set[int] = field(default_factory=set)
    unseen: dict[Any, list[int]] = field(default_factory=dict)

    def look(self) -> None:
        """Read the history, and note anomalies of single transactions and pairs."""
        for number, operation in enumerate(self.history):
            if operation.verb != "transaction":
                raise ValueError(f"{operation.verb} is no transaction")
            if operation.outcome == "ok":
                self.committed.add(number)
                self._steps(number, operation.answer)
            else:
                self._steps(number, [step for step in operation.value or () if step[0] == "append"])
        read: set[tuple[Any, Any]] = set()
        for key, (shown, reader) in self.longest.items():
            places = [(key, value) for value in shown]
            read.update(places)
            if len(set(shown)) < len(shown):
                self._note("duplicate", reader)
            before: int | None = None
            for number, place in enumerate(places):
                writer = self.writer.get(place)
                if writer is not None and writer == before and not self._in_turn(writer, places[number - 1], place):
                    self._note("incompatible order", writer, reader)
                before = writer
                if writer is None:
                    self._note("garbage read", reader)
                elif self.history[writer].outcome == "fail":
                    self._note("G1a", writer, reader)
                else:
                    self.committed.add(writer)
        for place, writer in self.writer.items():
            if place not in read and writer in self.committed:
                self.unseen.setdefault(place[0], []).append(writer)
        for writers in self.unseen.values():
            writers.sort(key=lambda writer: self.history[writer].end)
        self._look_at_reads()

    def _steps(self, number: int, steps: Sequence[tuple[str, Any, Any]]) -> None:
        own: dict[Any, tuple[Any, ...]] = {}
        known: dict[Any, tuple[Any, ...]] = {}
        for verb, key, value in steps:
            if verb == "append":
                if self.writer.setdefault((key, value), number) != number or value in own.get(key, ()):
                    raise ValueError(f"{value!r} is appended twice to {key!r}")
                self.final[number, key] = value
                own[key] = (*own.get(key, ()), value)
                if key in known:
                    known[key] = (*known[key], value)
                continue
            mine = own.get(key, ())
            has_own = not mine or value[-len(mine) :] == mine
            if known.get(key, value) != value or not has_own:
                self._note("internal", number)
            known[key] = value
            if mine and has_own:
                value = value[: -len(mine)]
            self.reads.append((number, key, value))
            if key not in self.longest or len(value) > len(self.longest[key][0]):
                self.longest[key] = (value, number)

    def _in_turn(self, number: int, one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
        """Return whether a transaction appended one before the other."""
        operation = self.history[number]
        steps = [step[1:] for step in operation.answer or operation.value if step[0] == "append"]
        return steps.index(one) < steps.index(other)

    def _look_at_reads(self) -> None:
        updates: dict[tuple[Any, int], int] = {}
        for number, key, values in self.reads:
            shown, reader = self.longest[key]
            writer = self.writer.get((key, values[-1])) if values else None
            if writer is not None and writer != number:
                if self.history[writer].outcome == "fail":
                    self._note("G1a", writer, number)
                elif self.final[writer, key] != values[-1]:
                    self._note("G1b", writer, number)
            if values != shown[: len(values)]:
                fork = next(place for place, value in enumerate(values) if value != shown[place])
                self._note_fork(key, values[fork], shown[fork], number, reader)
                continue
            if writer == number:  # before it had appended that
                self._note("internal", number)
            if (number, key) in self.final:
                first = updates.setdefault((key, len(values)), number)
                if first != number:
                    self._note("lost update", first, number)
                elif self.rewritten and len(values) < len(shown):
                    next_one = self.writer.get((key, shown[len(values)]), number)
                    if next_one != number:
                        self._note("lost update", next_one, number)

    def _note(self, anomaly: str, *numbers: int) -> None:
        self.found.setdefault(anomaly, tuple(self.history[number] for number in numbers))

    def _note_fork(self, key: Any, one: Any, other: Any, *readers: int) -> None:
        """Note that two lists go on in different ways."""
        writers = [self.writer.get((key, value)) for value in (one, other)]
        known = [writer for writer in dict.fromkeys(writers) if writer is not None]
        if not self.rewritten or writers[0] == writers[1]:
            self._note("incompatible order", *readers)
        elif None in writers:
            self._note("garbage read", *readers)
        else:
            for writer in known:
                if self.history[writer].outcome == "fail":
                    self._note("G1a", writer, *readers)
            self._note("lost update", *dict.fromkeys([*known, *readers]))

    def dependencies(self) -> list[dict[int, int]]:
        """Return who must come before whom, and why; behind the transactions stand the nodes of real time."""
        edges: list[dict[int, int]] = [{} for _ in self.history]

        def link(one: int, other: int, kind: int) -> None:
            if one != other:
                edges[one][other] = edges[one].get(other, 0) | kind

        for key in {**self.longest, **self.unseen}:
            shown, _ = self.longest.get(key, ((), 0))
            before: int | None = None
            for value in shown:
                writer = self.writer.get((key, value))
                if writer in self.committed and writer is not None:
                    if before is not None:
                        link(before, writer, WW)
                    before = writer
            if before is not None:
                for writer in self.unseen.get(key, ()):
                    # Whether a crashed one took effect is known from who read it: it is no dependency of writes alone.
                    link(before, writer, WW if self.history[writer].outcome == "ok" else WR)
        for number, key, values in self.reads:
            shown, _ = self.longest[key]
            if values != shown[: len(values)]:
                continue
            if values and (key, values[-1]) in self.writer:
                link(self.writer[key, values[-1]], number, WR)
            if len(values) < len(shown):
                link(number, self.writer.get((key, shown[len(values)]), number), RW)
            elif key in self.unseen:
                for writer in self.unseen[key][:UNSEEN_MAX]:
                    link(number, writer, RW)
        self._add_real_time(edges)
        return edges

    def _add_real_time(self, edges: list[dict[int, int]]) -> None:
        """Add a node for each moment between ends and the next call: a few edges, however many run at the same time."""
        events = [(self.history[number].call, 0, number) for number in self.committed]
        answered = (number for number in self.committed if self.history[number].outcome == "ok")
        events += [(self.history[number].end, 1, number) for number in answered]
        events.sort()
        ended: list[int] = []
        moment: int | None = None
        for _, is_end, number in events:
            if is_end:
                ended.append(number)
                continue
            if ended:
                edges.append({})
                for one in ended if moment is None else [moment, *ended]:
                    edges[one][len(edges) - 1] = RT
                moment = len(edges) - 1
                ended = []
            if moment is not None:
                edges[moment][number] = RT
