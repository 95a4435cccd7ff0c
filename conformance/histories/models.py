"""Sequential models of one key: what each operation may answer in a state, and the state after it.

Source: the checkers of Knossos and Porcupine take a model in the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.histories.operation import Operation


@dataclass(frozen=True)
class Model:
    """What one key does when it is used by one worker.

    Args:
        name: As the command takes it.
        verbs: What can be asked.
        initial: The state at the beginning.
        step: Whether an operation is legal in a state, and the state after it. Of an operation that crashed the answer
            is not known: it is legal, and the state is that after its effect.
        blind: Verbs after which the state does not depend on the one before.
        seen: The operations without the crashed ones whose effect nobody can have seen.
        values: The type of what is written.
    """

    name: str
    verbs: frozenset[str]
    initial: Hashable
    step: Callable[[Any, Operation], tuple[bool, Any]]
    blind: frozenset[str]
    seen: Callable[[Sequence[Operation]], list[Operation]]
    values: type = object

    def refuse_strangers(self, operations: Sequence[Operation]) -> None:
        """Raise unless the model knows every operation.

        Raises:
            ValueError: It has no such verb, or its values are of another type, or a cas that returned has no answer.
        """
        for operation in operations:
            verb = operation.verb
            if verb not in self.verbs:
                raise ValueError(f"the model {self.name} has no {verb!r}; it has {', '.join(sorted(self.verbs))}")
            if verb == "cas" and operation.outcome == "ok" and not isinstance(operation.answer, bool):
                raise ValueError(f"a cas that returned tells whether it swapped, not {operation.answer!r}")
            value = operation.answer if verb == "get" else operation.value
            if not isinstance(value, self.values) and not (verb == "get" and value is None):
                raise ValueError(f"the model {self.name} has values of type {self.values.__name__}, not {value!r}")


def only_observes(operation: Operation) -> bool:
    """Return whether an operation, where it is legal, leaves every state as it is."""
    return operation.verb == "get" or (operation.verb == "cas" and operation.answer is False)


def relevant(operations: Sequence[Operation], model: Model) -> list[Operation]:
    """Return the operations without those that tell nothing.

    These are the refused ones, gets that did not return, and crashed ones that nobody can have seen.
    """
    telling = [
        operation
        for operation in operations
        if operation.outcome == "ok" or (operation.outcome == "info" and operation.verb != "get")
    ]
    return model.seen(telling) if any(operation.outcome == "info" for operation in telling) else telling


def _step_register(state: Any, operation: Operation) -> tuple[bool, Any]:
    verb = operation.verb
    if verb == "get":
        return operation.answer == state, state
    if verb == "put":
        return True, operation.value
    if verb == "delete":
        return True, None
    swaps = state == operation.expected
    if operation.outcome == "ok" and swaps != operation.answer:
        return False, state
    return True, operation.value if swaps else state


def _seen_of_register(operations: Sequence[Operation]) -> list[Operation]:
    # A cas that did not swap saw some other value, and nobody knows which.
    if any(operation.verb == "cas" and operation.answer is False for operation in operations):
        return list(operations)
    kept = list(operations)
    while True:
        looked_for = {operation.answer for operation in kept if operation.verb == "get"}
        looked_for |= {operation.expected for operation in kept if operation.verb == "cas"}
        # The value of a delete is None: missing.
        fewer = [one for one in kept if one.outcome == "ok" or one.value in looked_for]
        if len(fewer) == len(kept):
            return kept
        kept = fewer  # a cas that is dropped looks for nothing any more


def _step_kv(state: Any, operation: Operation) -> tuple[bool, Any]:
    verb = operation.verb
    if verb == "get":
        return (operation.answer or "") == state, state
    return True, operation.value if verb == "put" else state + operation.value


def _seen_of_kv(operations: Sequence[Operation]) -> list[Operation]:
    # Until the next put, every get has in it what was put or appended.
    answers = {operation.answer or "" for operation in operations if operation.verb == "get"}
    return [
        operation
        for operation in operations
        if operation.outcome == "ok" or any(operation.value in answer for answer in answers)
    ]


REGISTER = Model(
    name="register",
    verbs=frozenset({"get", "put", "delete", "cas"}),
    initial=None,
    step=_step_register,
    blind=frozenset({"put", "delete"}),
    seen=_seen_of_register,
)
KV = Model(
    name="kv",
    verbs=frozenset({"get", "put", "append"}),
    initial="",
    step=_step_kv,
    blind=frozenset({"put"}),
    seen=_seen_of_kv,
    values=str,
)
MODELS = {model.name: model for model in (REGISTER, KV)}
