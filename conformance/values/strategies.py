"""Hypothesis strategies for keys and values, around the tables in `cases`."""

from __future__ import annotations

import html
import unicodedata
from typing import Any
from urllib.parse import quote, unquote

from hypothesis import strategies as st

from conformance.values.cases import ACCEPTED_BYTES, ACCEPTED_KEYS, ACCEPTED_VALUES, NEIGHBOURS


def texts() -> st.SearchStrategy[str]:
    """Return texts of any characters but surrogates."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def json_values() -> st.SearchStrategy[Any]:
    """Return JSON values: every type, at every depth, numbers beyond 64 bits; finite floats only."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | texts()
        | st.sampled_from(
            [v for v in ACCEPTED_VALUES.values() if not isinstance(v, (list, dict)) and len(str(v)) < 200]
        )
    )
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(), inner, max_size=4), max_leaves=12
    )


def values(domain: str) -> st.SearchStrategy[Any]:
    """Return values of a promised domain: `json`, `json+bytes`, `pickle` or `bytes`."""
    if domain == "bytes":
        return st.binary(max_size=200) | st.sampled_from([v for v in ACCEPTED_BYTES.values() if len(v) < 300])
    if domain == "json":
        return json_values()
    return st.recursive(json_values() | st.binary(max_size=50), lambda inner: st.lists(inner, max_size=3), max_leaves=6)


def keys() -> st.SearchStrategy[str]:
    """Return keys that every store accepts: not empty, no NUL, no surrogates, up to 200 bytes."""
    neighbours = [key for group in NEIGHBOURS.values() for key in group if "\x00" not in key and len(key) <= 200]
    odd = st.sampled_from([*ACCEPTED_KEYS.values(), *neighbours])
    plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
    return plain | odd


def families() -> st.SearchStrategy[list[str]]:
    """Return a few random keys together with what common escapes and foldings make of them, each key once."""
    return st.lists(keys(), min_size=1, max_size=4).map(
        lambda bases: list(dict.fromkeys(k for b in bases for k in _family(b)))
    )


def _family(key: str) -> list[str]:
    variants = (
        key,
        quote(key),
        quote(key, safe=""),
        unquote(key),
        html.escape(key),
        key.replace("/", "_"),
        key.replace("/", "\\"),
        key.replace(" ", "_"),
        key.lower(),
        key.upper(),
        key.strip(),
        unicodedata.normalize("NFKC", key),
        key.encode().hex(),
        key[:64],
    )
    return [one for one in variants if one and "\x00" not in one and len(one.encode()) <= 200]


def few_keys() -> st.SearchStrategy[str]:
    """Return keys from a handful, so that random calls meet each other."""
    return st.sampled_from(["a", "b", "aa", "a/b", "A"])


def sequences(call: st.SearchStrategy[Any], steps: int) -> st.SearchStrategy[list[Any]]:
    """Return lists of up to `steps` calls, most of them long, which still shrink to the shortest."""
    # By itself Hypothesis draws lists of about five, in which few calls meet each other.
    short, long = st.lists(call, max_size=steps), st.lists(call, min_size=steps // 2, max_size=steps)
    return short | long | long
