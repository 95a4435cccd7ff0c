"""The judge: from the name of a model to a verdict."""

from __future__ import annotations

import pytest

from conformance.histories.judge import MODELS, judge
from conformance.histories.operation import Operation

HISTORIES = {
    "register": (Operation(1, 2, 0, "put", "a", 1), Operation(3, 4, 0, "get", "a", answer=1)),
    "kv": (Operation(1, 2, 0, "append", "a", "x"), Operation(3, 4, 0, "get", "a", answer="x")),
    "log": (Operation(1, 2, 0, "append", value="x", answer=1), Operation(3, 4, 0, "read", answer=("x",))),
    "counter": (Operation(1, 2, 0, "increment", answer=1), Operation(3, 4, 0, "get", answer=1)),
    "transactions": (
        Operation(1, 2, 0, "transaction", answer=(("append", "a", 1),)),
        Operation(3, 4, 0, "transaction", answer=(("read", "a", (1,)),)),
    ),
}


@pytest.mark.parametrize("model", MODELS)
def test_each_model_has_a_checker(model: str) -> None:
    """A write that is read holds; a read of what nobody wrote does not."""
    write, read = HISTORIES[model]
    assert judge([write, read], model).holds
    assert judge([read], model).broken


def test_an_unknown_model_is_refused() -> None:
    """All that are known are told."""
    with pytest.raises(ValueError, match="unknown model 'stack'; known: register, kv, log, counter, transactions"):
        judge([], "stack")
