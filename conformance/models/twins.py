"""Two stores of two backends that are asked the same, call by call."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.literal import literal
from conformance.place import place_of
from conformance.random_examples import PlacedMachine
from conformance.recording import raised
from conformance.result import NotApplicable
from conformance.session import Handle, Session
from conformance.values.equality import same
from conformance.values.strategies import values

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from conformance.profile import Profile
    from conformance.trial import Trial

Call = Callable[[Handle], Any]


class _Word:
    """An answer that is none of the values of a store."""

    def __init__(self, word: str) -> None:
        self._word = word

    def __repr__(self) -> str:
        return self._word


#: What is said in different ways by stores that agree.
NOTHING, REFUSED, DONE = _Word("nothing there"), _Word("refused"), _Word("done")


@dataclass(frozen=True)
class Answer:
    """What a store answered; which exception it raised is its own business.

    Args:
        value: What came, or a word.
        told: The same for people.
    """

    value: Any
    told: str

    def agrees(self, other: Answer) -> bool:
        """Tell whether another store answered the same."""
        words = isinstance(self.value, _Word) or isinstance(other.value, _Word)
        return self.value is other.value if words else same(self.value, other.value)


def against(trial: Trial) -> Profile:
    """Return the backend that this one is compared with.

    Raises:
        NotApplicable: There is none, or it has no store of this contract, or both have no values in common.
    """
    other: Profile | None = trial.bench.against
    if other is None or other.error or trial.check.contract not in other.missing:
        raise NotApplicable("there is no other backend to compare it with: give two, --backend=A --backend=B")
    trial.conditions["compared with"] = other.backend.name
    return other


def common_values(trial: Trial) -> SearchStrategy[Any]:
    """Return values that both backends promise to keep.

    Raises:
        NotApplicable: There are none.
    """
    promised = {trial.backend.values, against(trial).backend.values}
    if len(promised) == 1:
        return values(promised.pop())
    if "bytes" in promised:
        raise NotApplicable(f"one keeps bytes alone, the other {(promised - {'bytes'}).pop()}")
    return values("json")


def both_offer(trial: Trial, capability: str) -> bool:
    """Tell whether both backends offer a capability."""
    contract = trial.check.contract
    return all(capability in profile.offered(contract) for profile in (trial.bench.profile, against(trial)))


def both_last(trial: Trial) -> bool:
    """Tell whether both stores are the same after they were closed and opened again."""
    return all(backend.durability != "volatile" for backend in (trial.backend, against(trial).backend))


class Twins(PlacedMachine):
    """A state machine on two stores, each in a fresh place of its own."""

    def __init__(self, trial: Trial) -> None:
        super().__init__(trial)
        self.trial = trial
        backend = against(trial).backend
        self._folder = Path(trial.bench.root / f"{trial.check.code}-other-{trial.evidence['sequences']}")
        self._folder.mkdir(parents=True)
        where = place_of(backend, self._folder, namespace=self._folder.name.lower())
        self._twin_session = Session(backend, trial.check.contract, where)
        self._twin = self._twin_session.open()

    def teardown(self) -> None:
        """Leave both places."""
        self._twin_session.abandon()
        shutil.rmtree(self._folder, ignore_errors=True)
        super().teardown()

    def both(self, what: str, call: Call) -> Answer:
        """Ask both stores, and require that they answer the same; return what this one answered.

        Raises:
            Violation: They part here.
        """
        answer = _answer(self.session, self.store, call)
        other = _answer(self._twin_session, self._twin, call)
        name = self._twin_session.backend.name
        number = len(self.session.recorder.calls)
        self.trial.true(
            answer.agrees(other),
            f"{what}, at call {number}",
            expected=f"what {name} answers after the same calls: {other.told}",
            got=answer.told,
        )
        return answer

    def reopen_both(self) -> None:
        """Close both stores, and open them again."""
        self.store = self.session.reopen(self.store)
        self._twin = self._twin_session.reopen(self._twin)


def _answer(session: Session, store: Handle, call: Call) -> Answer:
    missing = session.backend.errors.get("missing", ())
    try:
        value = call(store)
    except Exception as error:
        if session.recorder.error is not error:
            raise  # a bug of the kit must not pass for an answer
        if isinstance(error, (KeyError, *(missing if isinstance(missing, tuple) else (missing,)))):
            return Answer(NOTHING, raised(error))
        return Answer(REFUSED, raised(error))
    return Answer(value, repr(value) if isinstance(value, _Word) else literal(value))


def or_nothing(value: Any) -> Any:
    """Return a value, or NOTHING for None: what is not there is answered so, or with an exception."""
    return NOTHING if value is None else value


def done(_value: Any) -> Any:
    """Return DONE, whatever a write returned."""
    return DONE


def swapped(value: Any) -> Any:
    """Return whether a conditional write was done or refused; a refusal is False, or an exception."""
    return REFUSED if value is False else DONE
