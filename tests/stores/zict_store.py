"""zict: pickles in a file for each key, as its documentation puts them together."""

from __future__ import annotations

import pickle
from typing import Any

import zict

from conformance import Backend, Where


def open_state(where: Where) -> Any:
    """Open the directory."""
    return zict.Func(pickle.dumps, pickle.loads, zict.File(where.path / "store"))


backend = Backend("zict", state=open_state)
