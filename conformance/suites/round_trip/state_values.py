"""Values of the `state` contract: each comes back equal in type and content, or was refused loudly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.check import catalogue, check
from conformance.result import NotApplicable
from conformance.session import Handle
from conformance.trial import Trial
from conformance.values import domain
from conformance.values.cases import EXACT_OR_REFUSED_VALUES, FOREIGN_VALUES
from conformance.values.equality import same

BASIC = ("STATE-BASIC-01",)


@check("STATE-BASIC-01", sources="KV-01, KV-03; collections.abc.MutableMapping")
def test_value_is_read_back(trial: Trial) -> None:
    """A value that was stored is read back; a key that was not stored raises KeyError.

    Why: it is the least that a store does. Whatever else is checked rests on it.

    Breaks it:

        def __getitem__(self, key):
            return self._data.get(key)     # a missing key reads as None
    """
    value, other = domain.numbered(trial.backend.values, 1), domain.numbered(trial.backend.values, 2)
    with trial.fresh() as session:
        store = session.open()
        trial.raises(lambda: store["a"], "missing", "reading a key from an empty store")
        store["a"] = value
        trial.equal(store["a"], value, "reading the key just stored")
        store["b"] = other
        trial.equal(store["a"], value, "reading the key again, another key having been stored")
        trial.equal(store["b"], other, "reading the other key")
        trial.raises(lambda: store["c"], "missing", "reading a key that was never stored")


@check(
    "STATE-VALUE-01", sources="KV-01; mutants newline_translation, float_repr_rounding", needs=BASIC, promise="values"
)
def test_every_value_of_the_domain_comes_back_equal(trial: Trial) -> None:
    """Every value of the promised domain comes back equal, in type and content.

    Why: a state that comes back almost equal sends an agent down another branch, and nobody sees why: `1` became `1.0`,
    a line end was translated, an int beyond 64 bits was rounded.

    Breaks it:

        with open(path, "w") as file:      # text mode: "a\\r\\nb" comes back as "a\\nb" on some systems
            file.write(value)
    """

    @trial.cases(domain.accepted(trial.backend.values))
    def _(store: Handle, value: Any) -> None:
        store["k"] = value
        trial.equal(store["k"], value, "reading a value back")


@check("STATE-VALUE-02", sources="KV-01; RFC 8259", needs=BASIC, promise="values")
def test_random_values_come_back_equal(trial: Trial) -> None:
    """Any value of the promised domain, nested as it may be, comes back equal.

    Why: the cases that nobody thought of are found by trying; the smallest one is shown.

    Breaks it:

        json.dumps(value, default=str)     # whatever is unknown becomes a text
    """
    from conformance.values import strategies

    @trial.examples(strategies.values(trial.backend.values))
    def _(value: Any) -> None:
        with trial.fresh() as session:
            store = session.open()
            store["k"] = value
            trial.equal(store["k"], value, "reading a value back")


@check("STATE-VALUE-03", sources="KV-01; KV-40", needs=BASIC, promise="durability:clean-close")
def test_values_are_equal_after_reopening(trial: Trial) -> None:
    """Every value of the promised domain is equal after the store was closed and opened again.

    Why: a store that hands out what it kept in memory looks exact until the next start.

    Breaks it:

        def __setitem__(self, key, value):
            self._cache[key] = value                   # exact
            self._write(key, json.dumps(str(value)))   # not exact, read only after a restart
    """
    table = domain.accepted(trial.backend.values)
    with trial.fresh() as session:
        store = session.open()
        keys = {name: f"k{number}" for number, name in enumerate(table)}  # the names are no keys that all stores take
        kept = {name: value for name, value in table.items() if _is_exact(trial, store, keys[name], value)}
        store = session.reopen(store)
        for name, value in kept.items():
            trial.equal(store[keys[name]], value, f"reading {name!r} after reopening")


def _is_exact(trial: Trial, store: Handle, key: str, value: Any) -> bool:
    """Store a value and tell whether it is read back equal; that each one must be is the rule of another check."""
    if trial.refused(lambda: store.__setitem__(key, value)):
        return False
    try:
        return same(store[key], value)
    except Exception:  # noqa: BLE001 - a value that can't be read back was not stored either
        return False


def _exact_or_refused(trial: Trial, table: Mapping[str, Any]) -> None:
    """Require that each value is accepted exactly or refused, an older value of the key staying as it was."""
    before = domain.numbered(trial.backend.values, 0)
    allowed = domain.exact_or_refused(trial.backend.values)
    table = {name: value for name, value in table.items() if name in allowed}
    if not table:
        raise NotApplicable(f"these values belong to the promised domain, values={trial.backend.values!r}")

    # Where refusals do damage, one check says so; here it would hide which values are exact or refused.
    harmless = passes(trial, "STATE-FAIL-01")

    @trial.cases(table)
    def _(store: Handle, value: Any) -> None:
        store["k"] = before
        if trial.refused(lambda: store.__setitem__("k", value)):
            trial.count("comparisons")
            if harmless:
                trial.equal(store["k"], before, "reading the old value after another one was refused")
        else:
            trial.equal(store["k"], value, "reading a value that was accepted")

    if trial.backend.durability == "volatile":
        return
    for name, value in table.items():
        with trial.fresh() as session:
            store = session.open()
            if _is_exact(trial, store, "k", value):
                store = session.reopen(store)
                trial.equal(store["k"], value, f"reading a value ({name}) that was accepted, after reopening")


def passes(trial: Trial, *codes: str) -> bool:
    """Tell whether the store passes other checks, so that their failures are not reported once more."""
    return all(trial.bench.judge(catalogue()[code]).outcome == "pass" for code in codes)


def _only(table: Mapping[str, Any], *words: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if any(word in name for word in words)}


@check("STATE-VALUE-04", sources="RFC 8259 section 6; mutant nan_to_null", needs=BASIC)
def test_non_finite_numbers_are_exact_or_refused(trial: Trial) -> None:
    """NaN and infinities come back as they are, or are refused loudly; they are never turned into something else.

    Why: a loss that was NaN and comes back as None looks like a metric that was never computed.

    Breaks it:

        INSERT INTO state VALUES ('loss', NaN)     -- SQLite stores NaN as NULL
    """
    _exact_or_refused(trial, _only(EXACT_OR_REFUSED_VALUES, "NaN", "infinity"))


@check("STATE-VALUE-05", sources="RFC 8259 section 8.2; mutant surrogate_replaced", needs=BASIC)
def test_lone_surrogates_are_exact_or_refused(trial: Trial) -> None:
    """Text with lone surrogates comes back as it is, or is refused loudly.

    Why: a model's output cut in the middle of a character has them. Replaced by `?` the text is another text.

    Breaks it:

        value.encode("utf-8", errors="replace")
    """
    _exact_or_refused(trial, _only(EXACT_OR_REFUSED_VALUES, "surrogate"))


@check("STATE-VALUE-06", sources="KV-12; CPython int_max_str_digits", needs=BASIC)
def test_extreme_values_are_exact_or_refused(trial: Trial) -> None:
    """Ints of thousands of digits and values nested hundreds deep come back as they are, or are refused loudly.

    Why: what was accepted but can't be decoded again makes the key, or the whole store, unreadable.

    Breaks it:

        json.dumps(10 ** 5000)     # refused by Python; a C encoder may accept it, and loads() then raises for ever
    """
    _exact_or_refused(trial, _only(EXACT_OR_REFUSED_VALUES, "digits", "deep"))


@check("STATE-VALUE-07", sources="mutants tuple_to_list, subclass_downcast", needs=BASIC)
def test_sequences_keep_their_type_or_are_refused(trial: Trial) -> None:
    """A tuple, a set or another sequence that is not a list comes back with its type, or is refused loudly.

    Why: code that unpacks, hashes or compares what it stored works until the first restart.

    Breaks it:

        json.dumps({"shape": (3, 4)})      # comes back as [3, 4]
    """
    _exact_or_refused(trial, _only(FOREIGN_VALUES, "tuple", "set", "range"))


@check("STATE-VALUE-08", sources="mutant int_key_to_str", needs=BASIC)
def test_dict_keys_keep_their_type_or_are_refused(trial: Trial) -> None:
    """A dict whose keys are not texts comes back with its keys, or is refused loudly.

    Why: `{1: "a", "1": "b"}` becomes one entry: data is lost without an error.

    Breaks it:

        json.dumps({1: "a", "1": "b"})     # {"1": "a", "1": "b"}: one of the two is gone
    """
    _exact_or_refused(trial, _only(FOREIGN_VALUES, "dict key"))


@check("STATE-VALUE-09", sources="mutants datetime_to_str, subclass_downcast", needs=BASIC)
def test_other_types_are_exact_or_refused(trial: Trial) -> None:
    """Bytes, dates, decimals, enum members and subclasses come back with their type, or are refused loudly.

    Why: a time that comes back as a text sorts, compares and subtracts differently, or not at all.

    Breaks it:

        json.dumps(record, default=str)
    """
    taken = _only(FOREIGN_VALUES, "tuple", "set", "range", "dict key")
    if trial.backend.values == "bytes":
        # What takes bytes takes any buffer, as files and databases do, and gives its content back as bytes.
        taken |= _only(FOREIGN_VALUES, "byte array")
    _exact_or_refused(trial, {name: value for name, value in FOREIGN_VALUES.items() if name not in taken})


@check("STATE-VALUE-10", sources="KV-12; the cut at 64 KiB of other kits' planted bugs", needs=BASIC, promise="values")
def test_long_values_are_whole(trial: Trial) -> None:
    """Values around every power of two up to 1 MiB come back whole; of 8 MiB, whole or refused.

    Why: a conversation grows. A column, a buffer or a packet that ends at 64 KiB cuts it, and the store says nothing.

    Breaks it:

        value TEXT(65535)     -- MySQL outside strict mode cuts silently
    """
    lengths = [1 << power for power in range(10, 21, 2)]
    table = {f"{n}": n for length in lengths for n in (length - 1, length, length + 1)}

    @trial.cases(table)
    def _(store: Handle, length: int) -> None:
        value = domain.sized(trial.backend.values, length)
        store["k"] = value
        trial.equal(store["k"], value, f"reading a value of {length:,} characters back")

    long = domain.sized(trial.backend.values, 8 << 20)
    with trial.fresh() as session:
        store = session.open()
        if not trial.refused(lambda: store.__setitem__("k", long)):
            trial.equal(store["k"], long, "reading a value of 8 MiB back")


@check("STATE-VALUE-11", sources="KV-02", needs=BASIC, promise="values")
def test_empty_values_are_values(trial: Trial) -> None:
    """An empty or false value is a value: its key is present, it is read back, and it survives its neighbours.

    Why: an empty list of messages is a conversation that has just begun, not one that does not exist.

    Breaks it:

        if not value:
            del self._data[key]
    """
    wanted = ("null", "false", "zero", "zero as a float", "empty text", "empty list", "empty dict", "empty bytes")
    table = {name: value for name, value in domain.accepted(trial.backend.values).items() if name in wanted}
    full = domain.numbered(trial.backend.values, 1)

    @trial.cases(table)
    def _(store: Handle, value: Any) -> None:
        store["k"] = full
        store["k"] = value
        trial.true("k" in store, "asking for a key with an empty value", expected="True", got="False")
        trial.equal(store["k"], value, "reading an empty value back")
        trial.equal(store.keys().count("k"), 1, "counting the key in the listing")
        trial.equal(len(store), 1, "the length of a store with one key, whose value is empty")
