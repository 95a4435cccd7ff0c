"""A trial: one check on one backend. It hands out fresh places, counts what was really done, and judges the end."""

from __future__ import annotations

import shutil
import time
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from conformance.backend import PROMISES, SERVER
from conformance.check import Check, catalogue
from conformance.frames import store_frame
from conformance.literal import literal
from conformance.place import place_of
from conformance.recording import Call, raised
from conformance.result import RED, Blocked, Counterexample, Inconclusive, NotApplicable, Outcome, Result, Violation
from conformance.session import Handle, Session
from conformance.values.equality import same

if TYPE_CHECKING:
    from conformance.bench import Bench


class _Failed(NamedTuple):
    """A case of a table that failed, with the calls that were made and what the store raised."""

    name: str
    error: Exception
    calls: tuple[Call, ...]
    store_error: BaseException | None


class Trial:
    """One check on one backend; what check functions get as `trial`."""

    def __init__(self, bench: Bench, check: Check) -> None:
        self.bench = bench
        self.check = check
        self.backend = bench.profile.backend
        self.effort = bench.effort
        #: A seed of this check's own, so that checks don't depend on which others run.
        self.seed = zlib.crc32(f"{bench.seed}:{check.code}".encode())
        self.evidence: dict[str, int] = {}
        self.conditions: dict[str, str] = {}
        self._failed_calls: tuple[Call, ...] = ()
        self._store_error: BaseException | None = None
        self._note = ""
        self._places = 0
        self._sessions: list[Session] = []

    # -- for checks ---------------------------------------------------------------------------------------------------

    @contextmanager
    def fresh(self) -> Iterator[Session]:
        """Give a session on a fresh, empty place; what is still open at its end is closed."""
        self._places += 1
        place = self.bench.root / f"{self.check.code}-{self._places}"
        place.mkdir(parents=True)
        where = place_of(self.backend, place, namespace=place.name.lower())
        session = Session(self.backend, self.check.contract, where)
        self._sessions.append(session)
        try:
            yield session
            session.close()
        except BaseException as error:
            if isinstance(error, Violation) or error is session.recorder.error:
                self._failed_calls = tuple(session.recorder.calls)
                self._store_error = session.recorder.error
            session.abandon()
            raise
        finally:
            self._sessions.remove(session)
            self.count("calls", len(session.recorder.calls))
            shutil.rmtree(place, ignore_errors=True)

    def count(self, kind: str, number: int = 1) -> None:
        """Add to the evidence."""
        self.evidence[kind] = self.evidence.get(kind, 0) + number

    def equal(self, got: Any, expected: Any, what: str) -> None:
        """Require that a value is the expected one, in type and content."""
        self.count("comparisons")
        if not same(got, expected):
            self.violated(what, expected=literal(expected), got=_told(got))

    def true(self, condition: object, what: str, *, expected: str, got: str) -> None:
        """Require a condition."""
        self.count("comparisons")
        if not condition:
            self.violated(what, expected=expected, got=got)

    def violated(self, what: str, *, expected: str, got: str) -> NoReturn:
        """Report a broken rule."""
        raise Violation(what, expected=expected, got=got)

    def errors(self, kind: str) -> tuple[type[BaseException], ...]:
        """Return the exception types that mean a failure of a kind: those that the backend names, else the usual one.

        A KeyError always means `missing`; a kind without a named type is met by any exception.
        """
        named = self.backend.errors.get(kind, ())
        types = named if isinstance(named, tuple) else (named,)
        if kind == "missing":
            return (*types, KeyError)
        return types or (Exception,)

    def raises(self, call: Callable[[], Any], kind: str, what: str) -> None:
        """Require that a call raises the backend's exception of a kind, e.g. `missing`."""
        self.count("comparisons")
        types = self.errors(kind)
        names = " or ".join(one.__name__ for one in types)
        try:
            got = call()
        except types:
            return
        except Exception as error:  # noqa: BLE001 - judged here
            hint = f" (name it: Backend(errors={{{kind!r}: {type(error).__name__}}}))"
            self.violated(what, expected=f"{names} to be raised", got=raised(error) + hint)
        self.violated(what, expected=f"{names} to be raised", got=literal(got))

    def refused(self, call: Callable[[], Any]) -> bool:
        """Tell whether a call is refused loudly, with any exception; whether it is the right one is another check."""
        try:
            call()
        except Exception as error:
            if not self._from_store(error):
                raise  # a bug of the kit must not pass for a refusal
            return True
        return False

    def _from_store(self, error: BaseException) -> bool:
        return any(session.recorder.error is error for session in self._sessions)

    def cases(self, table: Mapping[str, Any]) -> Callable[[Callable[[Handle, Any], None]], None]:
        """Run the decorated function with an open store on each value of a table.

        All are tried, also after one failed; the first that fails is repeated alone in a fresh place, so that its
        calls are the smallest case, and the others that fail are named beside it.
        """

        def run(body: Callable[[Handle, Any], None]) -> None:
            failed = self._failing(table, body)
            if not failed:
                return
            name, first = failed[0].name, failed[0]
            names = ", ".join(one.name for one in failed)
            self._note = f"{len(failed)} of {len(table)} cases fail{'s' if len(failed) == 1 else ''}: {names}."
            with self.fresh() as session:
                body(session.open(), table[name])
            self._note = f"Fails only after other cases ran in the same store. {self._note}".strip()
            # Others that failed later have left theirs.
            self._failed_calls, self._store_error = first.calls, first.store_error
            raise first.error

        return run

    def _failing(self, table: Mapping[str, Any], body: Callable[[Handle, Any], None]) -> list[_Failed]:
        """Return the failing cases; after a failure the rest goes on in a fresh place."""
        failed: list[_Failed] = []
        waiting = list(table.items())
        while waiting:
            name = waiting[0][0]
            try:
                with self.fresh() as session:
                    store = session.open()
                    while waiting:
                        name, value = waiting.pop(0)
                        self.count("cases")
                        body(store, value)
            except Exception as error:
                if not isinstance(error, Violation) and error is not self._store_error:
                    raise
                failed.append(_Failed(name, error, self._failed_calls, self._store_error))
        return failed

    def examples(self, *strategies: Any) -> Callable[[Callable[..., None]], None]:
        """Run the decorated function on random examples, and shrink what fails; the effort says on how many."""

        def run(body: Callable[..., None]) -> None:
            from conformance.random_examples import run_examples  # here, because Hypothesis is slow to import

            run_examples(self, body, strategies)

        return run

    # -- for the kit --------------------------------------------------------------------------------------------------

    def judge(self) -> Result:
        """Carry out the check and return the result; nothing is raised but what stops the whole run."""
        start = time.perf_counter()
        outcome: Outcome = "pass"
        reason, example = "", None
        try:
            self._concern()
            if self.bench.replay is not None and self.check.code == self.bench.case.code:
                self.bench.replay(self)  # without the gates: one state is looked at, no rule is judged
            else:
                self._pass_gates()
                self.check.function(self)
            if not self.evidence.get("comparisons"):
                raise Inconclusive("the check compared nothing")
        except NotApplicable as why:
            outcome, reason = "not applicable", str(why)
        except Blocked as why:
            outcome, reason = "blocked", str(why)
        except Inconclusive as why:
            outcome, reason = "inconclusive", str(why)
        except Exception as error:  # noqa: BLE001 - a store may raise anything
            outcome, reason, example = self._failure(error)
        return Result(
            backend=self.backend.name,
            contract=self.check.contract,
            suite=self.check.suite,
            code=self.check.code,
            level=self.check.level,
            sentence=self.check.sentence,
            outcome=outcome,
            reason=reason,
            evidence=dict(self.evidence),
            conditions=dict(self.conditions),
            duration_s=time.perf_counter() - start,
            counterexample=example,
        )

    def _concern(self) -> None:
        """Raise NotApplicable unless the check concerns this backend."""
        if self.check.capability == SERVER and self.backend.server is None:
            raise NotApplicable("the store talks to no server")
        for promise, level in self.check.promises.items():
            claimed = getattr(self.backend, promise)
            levels = PROMISES[promise]
            if level and levels.index(claimed) > levels.index(level):
                raise NotApplicable(f"{promise} is promised at {claimed!r} only; the check is about {level!r}")
        capability = self.check.capability
        if capability in self.backend.lacks:
            raise NotApplicable(f"lacks {capability}: {self.backend.lacks[capability]}")
        missing = self.bench.profile.missing.get(self.check.contract, {}).get(capability, ())
        if missing:
            raise NotApplicable(f"{capability} is not offered: no {', '.join(missing)}")
        for method in self.check.methods:  # a method that is there for the sake of a base, and only raises
            name = self.bench.profile.disclaimed(self.check.contract).get(method, "")
            if name:
                raise NotApplicable(f"lacks {name}: {self.backend.lacks[name]}")
        have = self.bench.profile.methods.get(self.check.contract, frozenset())
        absent = [method for method in self.check.methods if method not in have]
        if absent:
            raise NotApplicable(f"the store has no {', '.join(absent)}()")

    def _pass_gates(self) -> None:
        """Raise Blocked, or NotApplicable, unless the checks without which this one is meaningless came out well."""
        for code in self.check.needs:
            gate = self.bench.judge(catalogue()[code])
            if gate.outcome in RED:
                raise Blocked(code)
            if gate.outcome == "blocked":
                raise Blocked(gate.reason.removeprefix("blocked by "))
            if gate.outcome == "not applicable":
                raise NotApplicable(gate.reason)

    def _failure(self, error: Exception) -> tuple[Outcome, str, Counterexample | None]:
        note = self._note
        found = _violation_in(error)
        if found is not error:
            note = "The same calls do not always give the same answer: this run is one of several."
        self.bench.errors[self.check.code] = found
        calls = self._failed_calls
        frame = store_frame(found, self.backend)
        if isinstance(found, Violation):
            frame = found.frame or frame
            example = Counterexample(
                found.what,
                found.expected,
                found.got,
                calls,
                frame,
                note,
                found.story,
                found.case,
                found.history,
                found.repeat,
                found.picture,
            )
            return "fail", "", example
        if found is self._store_error:
            what = f"call {calls[-1].number}, {calls[-1].source}" if calls else "the store"
            example = Counterexample(what, "no exception", raised(found), calls, frame, note)
            return "fail", "", example
        shown = "".join(traceback.format_exception(type(found), found, found.__traceback__))
        return "inconclusive", f"the kit itself failed, please report it:\n{shown}", None


def _violation_in(error: BaseException) -> BaseException:
    """Return the violation in Hypothesis's report of an example that fails only sometimes; else the error itself."""
    inner = getattr(error, "exceptions", ())
    if inner and type(error).__module__.startswith("hypothesis"):
        return _violation_in(inner[0])
    return error


def _told(value: Any) -> str:
    shown = literal(value)
    return (
        shown if type(value) in (str, int, float, bool, list, dict, type(None)) else f"{shown} ({type(value).__name__})"
    )
