"""Keys of the `state` contract: any text, compared exactly."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.check import check
from conformance.session import Handle
from conformance.trial import Trial
from conformance.values import domain
from conformance.values.cases import ACCEPTED_KEYS, EXACT_OR_REFUSED_KEYS, NEIGHBOURS

BASIC = ("STATE-BASIC-01",)


@check(
    "STATE-KEY-01",
    sources="KV-09, KV-60; go-cloud WeirdStrings; mutants key_path_traversal, special_key_bricks",
    needs=BASIC,
)
def test_every_ordinary_key_works(trial: Trial) -> None:
    """Every key of 1 to 200 characters without NUL and surrogates is written, read, listed as it is, and deleted.

    Why: keys come from users and from models: paths, addresses, SQL, emoji. One that the store stumbles over takes a
    run down.

    Breaks it:

        path = self._folder / key          # "a/b", "..", "/etc/passwd", "CON"
    """
    value = domain.numbered(trial.backend.values, 1)

    @trial.cases(ACCEPTED_KEYS)
    def _(store: Handle, key: str) -> None:
        store[key] = value
        _present(trial, store, key, value)
        del store[key]
        trial.raises(lambda: store[key], "missing", "reading the key after deleting it")
        trial.equal(store.keys(), [], "listing after deleting the only key")


def _present(trial: Trial, store: Handle, key: str, value: object, when: str = "") -> None:
    trial.equal(store[key], value, f"reading the key back{when}")
    trial.true(key in store, f"asking for the key{when}", expected="True", got="False")
    trial.equal(store.keys(), [key], f"listing the only key{when}")


@check("STATE-KEY-02", sources="KV-12, KV-13; mutants key_truncated_or_hashed_no_check", needs=BASIC)
def test_extreme_keys_are_exact_or_refused(trial: Trial) -> None:
    """The empty key, keys with NUL or lone surrogates, and very long keys work as they are, or are refused loudly.

    Why: a key that is cut, or stored under another name, answers for a key that it is not.

    Breaks it:

        key = key.split("\\0")[0][:255]
    """
    value = domain.numbered(trial.backend.values, 1)

    @trial.cases(EXACT_OR_REFUSED_KEYS)
    def _(store: Handle, key: str) -> None:
        if trial.refused(lambda: store.__setitem__(key, value)):
            trial.equal(store.keys(), [], "listing after the only key was refused")
        else:
            _present(trial, store, key, value)
            del store[key]
            trial.equal(store.keys(), [], "listing after deleting the only key")

    if trial.backend.durability == "volatile":
        return
    for key in EXACT_OR_REFUSED_KEYS.values():
        with trial.fresh() as session:
            store = session.open()
            if not trial.refused(lambda key=key, store=store: store.__setitem__(key, value)):  # type: ignore[misc]
                _present(trial, session.reopen(store), key, value, ", after reopening")


@check(
    "STATE-KEY-03",
    sources="KV-10, KV-11; mutants sanitiser_collision, hash_collision_wrong_value; planted bugs: folded, cut",
    needs=BASIC,
)
def test_similar_keys_are_different_keys(trial: Trial) -> None:
    """Keys that differ in case, normal form, space around, a separator, an escape or one late character are different.

    Why: two runs that share a key share their state: the second overwrites the first. Keys that share a
    checksum, such as a CRC-32, are tried too.

    Breaks it:

        name = re.sub(r"[^a-z0-9]", "_", key.lower())[:64]
    """

    @trial.cases(NEIGHBOURS)
    def _(store: Handle, group: tuple[str, ...]) -> None:
        stored = {}
        for number, key in enumerate(group):
            value = domain.numbered(trial.backend.values, number)
            if not trial.refused(lambda key=key, value=value: store.__setitem__(key, value)):  # type: ignore[misc]
                stored[key] = value
        for key, value in stored.items():
            trial.equal(store[key], value, f"reading {key!r}, keys like it having been written too")
        trial.equal(_sorted(store.keys()), _sorted(stored), "listing keys that are like each other")
        for key in list(stored)[:-1]:
            del store[key]
        for key in list(stored)[-1:]:
            trial.equal(store[key], stored[key], f"reading {key!r} after the keys like it were deleted")
            del store[key]
        trial.equal(store.keys(), [], "listing after all were deleted")


def _sorted(keys: Iterable[str]) -> list[str]:
    # By type first, so that a store that lists something else than texts fails the comparison and not the sorting.
    return sorted(keys, key=lambda key: (type(key).__name__, key))


@check("STATE-KEY-04", sources="KV-09", needs=BASIC)
def test_random_keys_are_kept_apart(trial: Trial) -> None:
    """Random keys and what escaping makes of them can be stored together: each reads its own value, and all are listed.

    Why: escapes collide in pairs that nobody lists; trying many finds one, and shows the two keys alone.

    Breaks it:

        name = quote(key, safe="%")        # "a/b" and "a%2Fb" have one name
    """
    from conformance.values.strategies import families

    @trial.examples(families())
    def _(keys: list[str]) -> None:
        with trial.fresh() as session:
            store = session.open()
            for number, key in enumerate(keys):
                store[key] = domain.numbered(trial.backend.values, number)
            for number, key in enumerate(keys):
                trial.equal(store[key], domain.numbered(trial.backend.values, number), f"reading {key!r}")
            trial.equal(_sorted(store.keys()), _sorted(keys), "listing the keys")


@check("STATE-KEY-05", sources="KV-09, KV-40; mutant special_key_bricks", needs=BASIC, promise="durability:clean-close")
def test_keys_are_the_same_after_reopening(trial: Trial) -> None:
    """Every ordinary key is listed, and reads its value, after the store was closed and opened again.

    Why: names are unescaped when a store is opened. One that can't be bricks the store, or comes back as another key.

    Breaks it:

        for name in os.listdir(folder):
            self._index[unquote(name)] = name      # "%2F" comes back as "/"
    """
    with trial.fresh() as session:
        store = session.open()
        for key in ACCEPTED_KEYS.values():
            store[key] = domain.numbered(trial.backend.values, len(key))
        store = session.reopen(store)
        trial.equal(_sorted(store.keys()), _sorted(ACCEPTED_KEYS.values()), "listing after reopening")
        for key in ACCEPTED_KEYS.values():
            trial.equal(store[key], domain.numbered(trial.backend.values, len(key)), f"reading {key!r} after reopening")


@check("STATE-KEY-06", sources="mutant key_path_traversal; langchain 36890", needs=BASIC)
def test_no_key_leads_out_of_the_place(trial: Trial) -> None:
    """No key makes the store write, or lets it read, outside the place that it was opened in.

    Why: keys come from outside. `../../.ssh/authorized_keys` is one.

    Breaks it:

        (self._folder / key).write_text(text)
    """
    value = domain.numbered(trial.backend.values, 1)
    # Sub-directories are made first, so that a store that joins paths has them to climb out of.
    with trial.fresh() as session:
        place = session.where.path
        canary = place.parent / f"{place.name}-canary.txt"
        canary.write_text("outside", encoding="utf-8")
        before = sorted(path.name for path in place.parent.iterdir())
        store = session.open()
        store["kept"] = value
        try:
            for up in ("..", "../..", "store/../..", str(place.parent)):
                key = f"{up}/{canary.name}"
                trial.true(not _reads(store, key), f"reading the key {key!r}", expected="KeyError", got="a value")
                trial.refused(lambda key=key: store.__setitem__(key, value))  # type: ignore[misc]
                trial.equal(canary.read_text(encoding="utf-8"), "outside", f"the file outside after writing {key!r}")
                after = sorted(path.name for path in place.parent.iterdir())
                trial.equal(after, before, f"the directory outside after writing {key!r}")
        finally:
            canary.unlink(missing_ok=True)


def _reads(store: Handle, key: str) -> bool:
    try:
        store[key]
    except Exception:  # noqa: BLE001 - any refusal will do
        return False
    return True
