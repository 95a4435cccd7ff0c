"""What a record must have, as far as all reports need it, so that none of them meets what it can't show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from conformance.backend import CONTRACTS, PROMISES
from conformance.report.record import is_verdict
from conformance.result import Level, Outcome
from conformance.shard import shard_of


class _Fact:
    """A text, or a number."""


class _If(NamedTuple):
    """A dict of named fields, which has one shape where a field is there, and another where it is not."""

    field: str
    then: Mapping[str, Any]
    otherwise: Mapping[str, Any]


class _Of(NamedTuple):
    """A dict of named fields, whose shape follows from the text that a field of it has."""

    field: str
    shapes: Mapping[str, Mapping[str, Any]]


class _Words(tuple[str, ...]):
    """The texts that a field may have."""


#: A whole number from here on is none of a time or a ratio, and at some size no float can be made of it.
_LARGEST = 10**18


class _Form(NamedTuple):
    """What fits a form, and that form in words."""

    fits: Callable[[Any], bool]
    told: str


def _names_shards(value: Any) -> bool:
    try:
        return isinstance(value, str) and all(map(shard_of, value.split()))
    except ValueError:
        return False


def _is_too_large(value: Any) -> bool:
    return isinstance(value, int) and abs(value) >= _LARGEST


def _is_ratio(value: Any) -> bool:
    # Infinity is one too: how much slower than nothing something is.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 and not _is_too_large(value)


_VERDICT = _Form(
    lambda value: isinstance(value, str) and is_verdict(value),
    "a verdict: CONFORMANT, perhaps with known gaps and a shard, NOT CONFORMANT, INCONCLUSIVE or NOT JUDGED",
)
#: What a record has, as far as all reports need it: a type, the texts that there are, a list of any length or of so
#: many, a dict of named fields or of any, or None or something. A record may have more, and where the name has a
#: question mark it may have less.
_CALL = {"number": int, "source": str, "outcome": str, "depth": int}
_SIZE = (None, int)
_CRASH = {
    "rows": [
        {
            "row": str,
            **dict.fromkeys(("text?", "verb?", "fate?"), str),
            **dict.fromkeys(("count?", "kept?", "of?"), int),
        }
    ],
    "compared": bool,
    "kill?": bool,
    "files": [{"path": str, "before": _SIZE, "after": _SIZE, "changed": bool}],
    "files_hidden": int,
    "unsynced": [str],
}
_DAMAGE = {
    **dict.fromkeys(("title", "specimen", "path"), str),
    **dict.fromkeys(("before", "after"), _SIZE),
    "rows": [{"offset": int, "before": str, "after": str, "changed": [int]}],
    "files": [{"path": str, "size": int}],
    **dict.fromkeys(("hidden", "files_hidden"), int),
}
_BAR = {
    **dict.fromkeys(("worker", "label", "value"), str),
    **dict.fromkeys(("lane", "start"), int),
    "end": (None, int),
    "witness": bool,
}
_EXAMPLE = {
    **dict.fromkeys(("what", "expected", "got", "frame", "note"), str),
    "calls": [_CALL],
    "story": [str],
    **dict.fromkeys(("rerun?", "script?"), str),
    "picture?": (None, _If("compared", _CRASH, _DAMAGE)),
    "history?": (None, {"ranks": int, "stops?": (None, int), "operations": [_BAR]}),
}
_GAP = {"reason": str, "expires": (None, str), "days_left": (None, int), "source": str}
_CHECK = {
    **dict.fromkeys(("code", "sentence", "reason"), str),
    "level": _Words(get_args(Level)),
    "outcome": _Words(get_args(Outcome)),
    "evidence": {str: int},
    "duration_s": float,
    "counterexample": (None, _EXAMPLE),
    "conditions": {str: str},
    "gap?": (None, _GAP),
    **dict.fromkeys(("provisional?", "gates?"), bool),
}
_SUITE = {"name": str, "checks": [_CHECK]}
_PROMISE = {
    "name": _Words(PROMISES),
    **dict.fromkeys(("claimed", "observed"), str),
    "broken": [str],
    "not_measured": [str],
}
_ABOUT = [{"level": str, "codes": [str]}]
#: Of a record that can be merged, promises are worked out again.
_PROMISE_TO_MERGE = _Of(
    "name", {name: {**_PROMISE, "claimed": _Words(levels), "about": _ABOUT} for name, levels in PROMISES.items()}
)
_BACKEND = {
    **dict.fromkeys(("name", "address", "version", "server", "case", "why"), str),
    "verdict": _VERDICT,
    "lacks": {str: str},
    "contradictions": [str],
    "contracts": [{"name": _Words(("backend", *CONTRACTS)), "capabilities": [str], "suites": [_SUITE]}],
    "promises": [_PROMISE],
    "selected": int,
    "of": int,
    **dict.fromkeys(("edition?", "round?"), str),
    "required?": [{"name": str, "level": str, "met": (None, bool), "why": str}],
}
_BACKEND_TO_MERGE = {**_BACKEND, "expected": [str], "promises": [_PROMISE_TO_MERGE]}
_ENTRIES = [{"backend": str, "check": str}]
_BASELINE = {"source": str, "updated": bool, **dict.fromkeys(("added", "removed", "kept"), _ENTRIES)}
#: Drawn on a scale of powers of ten.
_RATIO = (None, _Form(_is_ratio, "a number from 0 on"))
_ENDS = [_RATIO, _RATIO]
_GROWTH = {"lengths": [int], "slope": float, "slope_interval": [float, float], "word": str}
_NOT_MEASURED = {
    **dict.fromkeys(("backend", "operation"), str),
    "contract": _Words(CONTRACTS),
    **dict.fromkeys(("error?", "not_measured?"), str),
}
_MEASURED = {
    **_NOT_MEASURED,
    **dict.fromkeys(("unit", "limit", "reference", "durability_claimed", "durability", "not_the_same"), str),
    **dict.fromkeys(("median", "q1", "q3"), float),
    **dict.fromkeys(("rounds", "payload_bytes", "workers"), int),
    **dict.fromkeys(("ratio_to_limit", "ratio_to_reference"), _RATIO),
    "interval": {str: _ENDS},
    "limits": [{"name": str, "median": float, "q1": float, "q3": float}],
    "growth?": _GROWTH,
    "conditions?": {str: str},
}
RECORD = {
    "kit": {"name": str, "version": str},
    "effort": str,
    "seed": int,
    "machine": {str: _Fact},
    "backends": [_If("expected", _BACKEND_TO_MERGE, _BACKEND)],
    "verdict": _VERDICT,
    **dict.fromkeys(("date?", "edition?"), str),
    "shard?": _Form(_names_shards, "empty, or parts such as 2/5"),
    "baseline?": (None, _BASELINE),
    **dict.fromkeys(("interrupted?", "strict?"), bool),
    "suites?": [str],
    "require?": [str],
    "benchmarks?": [_If("median", _MEASURED, _NOT_MEASURED)],
}
_TYPES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", _Fact: "a text or a number"}
_PYTHON = {float: (int, float), _Fact: (str, int, float)}


def wrong(value: Any, shape: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Give where in a record something is not as it must be, and how it must be."""
    match shape:
        case _Words():
            if value not in shape:
                yield path, f"one of {', '.join(shape)}"
        case _Form(fits, told):
            if not fits(value):
                yield path, told
        case _Of(field, shapes):
            named = value.get(field) if isinstance(value, Mapping) else None
            if isinstance(named, str) and named in shapes:
                yield from _wrong_fields(value, shapes[named], path)
            else:
                yield from _wrong_fields(value, {field: _Words(shapes)}, path)
        case _If(field, then, otherwise):
            has = isinstance(value, Mapping) and field in value
            yield from _wrong_fields(value, then if has else otherwise, path)
        case (None, one):
            if value is not None:
                yield from wrong(value, one, path)
        case [one]:
            if not isinstance(value, list):
                yield path, "a list"
                return
            for place, item in enumerate(value):
                yield from wrong(item, one, f"{path}[{place}]")
        case [*several]:
            if not isinstance(value, list) or len(value) != len(several):
                yield path, f"a list of {len(several)}"
                return
            for place, (item, one) in enumerate(zip(value, several, strict=True)):
                yield from wrong(item, one, f"{path}[{place}]")
        case Mapping():
            yield from _wrong_fields(value, shape, path)
        case _:
            if not isinstance(value, _PYTHON.get(shape, shape)) or isinstance(value, bool) != (shape is bool):
                yield path, _TYPES[shape]
            elif shape is float and _is_too_large(value):
                yield path, f"a number below {_LARGEST:.0e}"


def _wrong_fields(value: Any, shape: Mapping[Any, Any], path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        yield path or "it", "an object"
        return
    fields = dict.fromkeys(value, shape[str]) if str in shape else shape
    for field, one in fields.items():
        name = field if str in shape else field.removesuffix("?")
        inner = f"{path}.{name}".removeprefix(".")
        if name in value:
            yield from wrong(value[name], one, inner)
        elif name == field:
            yield inner, "there"
