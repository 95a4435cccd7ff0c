"""Where a scenario is played: the open store, the proxy before its server, and a record of all that happens."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.backend import Where
from conformance.crash.subjects import SUBJECTS
from conformance.frames import store_frame
from conformance.network.calls import COMPOSED, MISSING, Call, ask
from conformance.network.fault import Fault
from conformance.network.proxy import Proxy
from conformance.network.scenario import Look, Played, Scenario
from conformance.network.watch import Watch, standing_frame
from conformance.recording import raised
from conformance.session import Handle, Session

if TYPE_CHECKING:
    from conformance.backend import Backend

#: Tries after the first that a call has until the store has to work again, and the seconds before each of them. A pool
#: may hold as many dead connections; a client that has just failed may wait a moment until it connects again.
PAUSES_S = (0.0, 0.0, 0.05, 0.2, 0.8)
#: Seconds in which the proxy notices what a client has closed, and those that a client has which closes connections in
#: a thread of its own.
_AT_ONCE_S, _CLOSE_S = 0.1, 1.0


class GaveUp(Exception):
    """The handle does not work again; the text says what was tried."""


class Stage:
    """One scenario, while it is played.

    Args:
        backend: The store's.
        contract: `state` or `log`.
        scenario: What is done.
        where: Where the store is when nothing is in between.
        proxy: What is in between.
        on_hang: Called with what has happened so far, by another thread, when a call does not end.
    """

    def __init__(
        self,
        backend: Backend,
        contract: str,
        scenario: Scenario,
        where: Where,
        proxy: Proxy,
        on_hang: Callable[[Played], None],
    ) -> None:
        self.backend = backend
        self.contract = contract
        self.scenario = scenario
        self.where = where
        self.proxy = proxy
        self.events: list[Call | str | Look] = []
        self.held: list[int] = []
        self._on_hang = on_hang
        #: Of calls; whoever has the stage enters it.
        self.watch: Watch[Call | str] = Watch(scenario.patience_s, self._hang)
        self._frame = ""
        self._struck = self._fired = 0
        self._expected: Fault | None = None
        self._session = Session(backend, contract, replace(where, url=proxy.url))
        self._store: Handle | None = None

    def open(self) -> None:
        """Open the store, through the proxy."""
        with self.watch.over("opening the store"):
            self._store = self._session.open()

    def note(self, text: str) -> None:
        """Write down what goes wrong."""
        self.events.append(text)

    def strike(self, text: str) -> None:
        """Write down a fault that meets more than one request."""
        self._struck += 1
        self.note(text)

    def arm(self, fault: Fault, hook: Callable[[], None] = lambda: None) -> None:
        """Have a fault meet a request, as the proxy's method does; it is written down before the call that it meets."""
        self._expected = fault
        self.proxy.arm(fault, hook)

    def call(self, number: int, *, cut_off: bool = False) -> Call:
        """Carry out a step, once, and write down what came of it.

        Args:
            number: Of the step.
            cut_off: Nothing can reach the server now.
        """
        assert self._store is not None
        step = self.scenario.steps[number]
        told = Call(number, requests=self.proxy.requests, cut_off=cut_off)
        self._fired, begun = self.proxy.fired, time.monotonic()
        with self.watch.over(replace(told, hung=True)):
            try:
                answer: Any = ask(self.contract, self._store, step)
                self._store.acknowledge()
                told = replace(told, answer=answer)
            except self._missing() as error:
                told = replace(told, answer=MISSING) if step.verb in ("get", "delete") else self._raised(told, error)
            except Exception as error:  # noqa: BLE001 - a store may raise anything
                told = self._raised(told, error)
        told = replace(told, seconds=time.monotonic() - begun)
        if self.proxy.fired > self._fired and self._expected is not None:
            self.note(self._expected.told("a request of the next call"))
        self.events.append(told)
        return told

    def until_done(self, number: int) -> None:
        """Carry out a step, and try again while it raises, as callers do.

        A second try would hide that the first was half done, so it is looked at what it left.

        Raises:
            GaveUp: It has raised too often, with the network in order.
        """
        for pause_s in (0.0, *PAUSES_S):
            time.sleep(pause_s)
            if not self.call(number).raised:
                return
            if self.scenario.steps[number].verb in COMPOSED and self.scenario.plot != "stopped":
                self.events.append(self.look())
        raise GaveUp(f"the same call raised {1 + len(PAUSES_S)} times, the last {len(PAUSES_S)} with nothing wrong")

    def count(self, most: int | None = None) -> None:
        """Write down how many connections are open.

        Args:
            most: As soon as there are no more, or else after a while; None for at once.
        """
        if most is None:
            self.held.append(self.proxy.open)
            return
        if self.proxy.settled(most, _AT_ONCE_S) > most:
            gc.collect()  # a client that forgets a connection has closed it when it is collected
        self.held.append(self.proxy.settled(most, _CLOSE_S))

    def close(self) -> None:
        """Close the store; what it raises now is of no interest."""
        with self.watch.over("closing the store"), suppress(Exception):
            self._session.close()
        self._session.abandon()
        self._store = None

    def told(self, **more: Any) -> Played:
        """Return what has happened so far."""
        proxy = self.proxy
        return Played(
            self.scenario,
            tuple(self.events),
            fired=proxy.fired + self._struck,
            requests=proxy.requests,
            held=tuple(self.held),
            frame=self._frame,
            **more,
        )

    def look(self) -> Look:
        """Return what a fresh handle finds that no proxy is before."""
        session = Session(self.backend, self.contract, self.where)
        try:
            with self.watch.over("reading the store anew, without the proxy"):
                store = session.open()
                content = SUBJECTS[self.contract].read(*store.reach())
                session.close()
        except Exception as error:  # noqa: BLE001 - as above
            session.abandon()
            return Look(unread=raised(error), frame=store_frame(error, self.backend))
        return Look(content)

    def _missing(self) -> tuple[type[BaseException], ...]:
        named = self.backend.errors.get("missing", ())
        return (KeyError, *(named if isinstance(named, tuple) else (named,)))

    def _raised(self, call: Call, error: BaseException) -> Call:
        self._frame = store_frame(error, self.backend)
        return replace(call, raised=raised(error))

    def _hang(self, doing: Call | str) -> None:
        if self.proxy.fired > self._fired and self._expected is not None:
            self.note(self._expected.told("a request of the next call"))
        self.events.append(doing)
        self._frame = standing_frame()
        what = doing if isinstance(doing, str) else "a call"
        self._on_hang(self.told(ended="hung", detail=f"{what} has not ended after {self.scenario.patience_s:g} s"))
