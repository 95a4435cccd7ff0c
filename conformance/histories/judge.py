"""The judge: a history and the name of a model, to a verdict."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from conformance.histories.checkers.register import check_register
from conformance.histories.models import MODELS as SEQUENTIAL
from conformance.histories.operation import History
from conformance.histories.verdict import Verdict

#: What a history may be judged as: keys with a sequential model, or what has a checker of its own.
MODELS = (*SEQUENTIAL, "log", "counter", "transactions")


def judge(history: History, model: str) -> Verdict:
    """Return what the checker of a model says of a history.

    Raises:
        ValueError: There is no such model, or it does not know an operation of the history.
    """
    if model not in MODELS:
        raise ValueError(f"unknown model {model!r}; known: {', '.join(MODELS)}")
    if model in SEQUENTIAL:
        return check_register(history, model=model)
    checker = import_module(f"conformance.histories.checkers.{model}")
    return cast(Verdict, getattr(checker, f"check_{model}")(history))
