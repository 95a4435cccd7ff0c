"""The capability `cas` of the `state` contract: a write that happens only if nobody wrote in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.models.capabilities import VersionedModel
from conformance.models.observation import observed, refused_value, state_of, unchanged, unstorable
from conformance.recording import raised
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

APPLIES = ("STATE-CAS-01",)
REFUSES = ("STATE-CAS-01", "STATE-CAS-02")


def refused(
    trial: Trial, store: Handle, key: str, value: Any, expected: Any, what: str, *, missing: bool = False
) -> None:
    """Require that a compare-and-set is refused: by an exception, of the named type where one is named, or by False."""
    trial.count("comparisons")
    allowed = trial.errors("conflict")
    names = " or ".join(one.__name__ for one in allowed)
    if missing:  # that the key is missing is a good reason as well
        allowed = (*allowed, *trial.errors("missing"))
    try:
        got = store.compare_and_set(key, value, expected)
    except allowed:
        return
    except Exception as error:  # noqa: BLE001 - judged here
        trial.violated(what, expected=f"{names} to be raised, or False", got=raised(error))
    if got is not False:
        trial.violated(what, expected=f"{names} to be raised, or False", got=literal(got))


def applied(trial: Trial, store: Handle, key: str, value: Any, expected: Any, what: str) -> Any:
    """Require that a compare-and-set is applied, and return the version that it gave."""
    try:
        version = store.compare_and_set(key, value, expected)
    except Exception as error:  # noqa: BLE001 - judged here
        trial.violated(what, expected="the new version", got=raised(error))
    trial.true(version is not False and version is not None, what, expected="the new version", got=literal(version))
    trial.equal(store[key], value, f"reading the value after {what}")
    now = store.version(key)
    trial.true(
        now == version, f"the version after {what}", expected=f"{literal(version)}, as returned", got=literal(now)
    )
    return version


def new_version(trial: Trial, version: Any, seen: list[Any], what: str) -> None:
    """Require that a version is none of the versions seen so far, and remember it."""
    repeats = any(version == other for other in seen)
    trial.true(
        version is not None and not repeats,
        what,
        expected=f"a version that is none of {literal(seen)}",
        got=literal(version),
    )
    seen.append(version)


@check("STATE-CAS-01", sources="KV-28, KV-29", capability="cas", needs=("STATE-BASIC-01",))
def test_compare_and_set_is_applied_on_the_present_version(trial: Trial) -> None:
    """A compare-and-set on the present version writes the value and returns the new version of the key.

    Why: the returned version is what the next step compares with. One that is not the store's own makes it fail.

    Breaks it:

        def compare_and_set(self, key, value, expected):
            if self.version(key) == expected:
                self[key] = value
            return expected                # the old version, not the new one
    """
    one, two, three, other = (domain.numbered(trial.backend.values, number) for number in range(4))
    with trial.fresh() as session:
        store = session.open()
        store["other"] = other
        store["a"] = one
        first = store.version("a")
        trial.true(first is not None, "the version of a key just written", expected="a version", got="None")
        second = applied(trial, store, "a", two, first, "a compare-and-set on the version just read")
        trial.true(
            second != first, "the version that a compare-and-set returned", expected="a new one", got=literal(second)
        )
        applied(trial, store, "a", three, second, "a compare-and-set on the version that the one before returned")
        trial.equal(store["other"], other, "reading another key")
        trial.equal(len(store), 2, "the length")


@check(
    "STATE-CAS-02",
    sources="KV-29; mutant cas_check_then_set; DynamoDB DNS, October 2025",
    capability="cas",
    needs=APPLIES,
)
def test_wrong_version_is_refused(trial: Trial) -> None:
    """A compare-and-set on an older version is refused, and leaves value, version and every other key as they were.

    Why: it is the whole point. A stale plan that is written over a newer one took down a region of a cloud.

    Breaks it:

        UPDATE state SET value = ? WHERE key = ?     -- and where is the version?
    """
    one, two, three, stale = (domain.numbered(trial.backend.values, number) for number in range(4))
    with trial.fresh() as session:
        store = session.open()
        store["other"] = one
        store["a"] = one
        old = [store.version("a")]
        store["a"] = two
        old.append(store.version("a"))
        applied(trial, store, "a", three, old[-1], "a compare-and-set on the version just read")
        before = observed(trial, store)
        for version in (*old, *old):
            refused(trial, store, "a", stale, version, "a compare-and-set on an older version")
            unchanged(trial, store, before, "after a compare-and-set was refused")


@check("STATE-CAS-03", sources="KV-31", capability="cas", needs=REFUSES)
def test_expecting_none_creates_only(trial: Trial) -> None:
    """A compare-and-set that expects None writes a missing key, and is refused on a present one, whatever its value.

    Why: two agents that both create the record of a run must not both believe that it is theirs.

    Breaks it:

        if expected is None and not self.get(key):     # a stored None, 0 or "" counts as missing
    """
    kind = trial.backend.values
    values: list[Any] = [b"", b"0", b"a"] if kind == "bytes" else [None, False, 0, "", [], {}, {"n": 1}]
    intruder = domain.numbered(kind, 9)
    with trial.fresh() as session:
        store = session.open()
        for number, value in enumerate(values):
            created, written = f"created {number}", f"written {number}"
            version = applied(trial, store, created, value, None, "a compare-and-set that expects a missing key")
            refused(trial, store, created, intruder, None, "creating a key that is there")
            trial.equal(store[created], value, "reading a key that was created twice")
            now = store.version(created)
            trial.true(now == version, "its version", expected=literal(version), got=literal(now))
            store[written] = value
            refused(trial, store, written, intruder, None, "creating a key that was written before")
            trial.equal(store[written], value, "reading a key that was written, then created")
        trial.equal(len(store), 2 * len(values), "the length")


@check("STATE-CAS-05", sources="KV-32", capability="cas", needs=REFUSES)
def test_update_of_a_missing_key_is_refused(trial: Trial) -> None:
    """A compare-and-set on a missing key that expects a version is refused, and creates nothing.

    Why: the record was deleted while an agent worked on it. Writing it anew brings back what somebody removed.

    Breaks it:

        if self.version(key) in (None, expected):
            self[key] = value
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        store["other"] = value
        store["deleted"] = value
        versions = [store.version("other"), store.version("deleted")]
        del store["deleted"]
        before = observed(trial, store, "deleted", "never")
        for key in ("deleted", "never"):
            for version in versions:
                refused(trial, store, key, value, version, "updating a missing key with a version", missing=True)
                unchanged(trial, store, before, "after an update of a missing key was refused", "deleted", "never")


@check("STATE-CAS-10", sources="KV-27, KV-52; mutant dump_fail_destroys", capability="cas", needs=APPLIES)
def test_refused_value_changes_nothing(trial: Trial) -> None:
    """A compare-and-set whose value can't be stored changes neither value nor version, and creates nothing.

    Why: a version that moved on without a write makes the next, correct one fail.

    Breaks it:

        self._versions[key] += 1
        self._data[key] = json.dumps(value)     # raises
    """
    bad = unstorable(trial)
    with trial.fresh() as session:
        store = session.open()
        store["a"] = domain.numbered(trial.backend.values, 1)
        version = store.version("a")
        before = observed(trial, store, "new")
        for key, expected in (("a", version), ("new", None)):
            refused_value(trial, lambda: store.compare_and_set(key, bad, expected))  # noqa: B023 - called at once
            unchanged(trial, store, before, "after a compare-and-set to a value that can't be stored", "new")
        applied(trial, store, "a", domain.numbered(trial.backend.values, 2), version, "a compare-and-set after that")


@check("STATE-CAS-11", sources="KV-34; mutant whole_document_overwrite", capability="cas", needs=REFUSES)
def test_no_increment_is_lost(trial: Trial) -> None:
    """Two who read, add one and compare-and-set in turn, and try again when refused, count every increment.

    Why: it is what a compare-and-set is used for. A refusal that looks like a success loses an update.

    Breaks it:

        if self.version(key) != expected:
            return self.version(key)       # a caller takes this for the new version
    """
    kind = trial.backend.values
    with trial.fresh() as session:
        store = session.open()
        store["count"] = domain.numbered(kind, 0)
        done = 0
        for _ in range(10):
            # Both read, then both write: the second one meets the version of the first.
            count = _number_in(trial, store, kind, done)
            version = store.version("count")
            applied(trial, store, "count", domain.numbered(kind, count + 1), version, "the first of two increments")
            refused(trial, store, "count", domain.numbered(kind, count + 1), version, "the second of two increments")
            count = _number_in(trial, store, kind, done + 1)
            version = store.version("count")
            applied(
                trial, store, "count", domain.numbered(kind, count + 1), version, "the second increment, tried again"
            )
            done += 2
        trial.equal(store["count"], domain.numbered(kind, 20), "the count after 20 increments")


def _number_in(trial: Trial, store: Handle, kind: str, expected: int) -> int:
    trial.equal(store["count"], domain.numbered(kind, expected), "reading the counter")
    return expected


@check("STATE-CAS-12", sources="KV-28 to KV-33", capability="cas", needs=REFUSES)
def test_random_calls_agree_with_the_model(trial: Trial) -> None:
    """In any sequence of writes, deletes and compare-and-sets, exactly those on the present version are applied.

    Why: the rules above are about two or three calls; what breaks at the seventh is found by trying.

    Breaks it:

        self._versions[key] = (self._versions.get(key, 0) + 1) % 4
    """
    from hypothesis import strategies as st

    from conformance.values.strategies import sequences

    kind = trial.backend.values
    verbs = st.sampled_from(["write", "delete", "swap", "swap", "stale", "create", "reopen"])
    call = st.tuples(verbs, st.sampled_from(["a", "b"]), st.integers(0, 3))

    @trial.examples(sequences(call, trial.effort.steps))
    def _(calls: list[tuple[str, str, int]]) -> None:
        model = VersionedModel()
        tokens: dict[str, list[tuple[int, Any]]] = {}
        with trial.fresh() as session:
            store = session.open()
            for verb, key, number in calls:
                value = domain.numbered(kind, number)
                old = tokens.setdefault(key, [])
                if verb == "reopen":
                    if trial.backend.durability != "volatile":
                        store = session.reopen(store)
                elif verb == "write":
                    store[key] = value
                    model.write(key, value)
                elif verb == "delete":
                    if key in model.values:
                        del store[key]
                    model.delete(key)
                else:
                    present = (model.version(key), store.version(key))
                    chosen = (None, None) if verb == "create" else present
                    if verb == "stale" and old:
                        chosen = old[number % len(old)]
                        # A store may give a key a new version for writes of other keys too: the one just read counts.
                        chosen = present if chosen[0] == present[0] else chosen
                    if model.compare_and_set(key, value, chosen[0]):
                        applied(trial, store, key, value, chosen[1], "a compare-and-set on the present version")
                    else:
                        missing = model.version(key) is None
                        refused(
                            trial, store, key, value, chosen[1], "a compare-and-set on another version", missing=missing
                        )
                version = model.version(key)
                if version is not None and all(version != known for known, _ in old):
                    token = store.version(key)
                    new_version(trial, token, [known for _, known in old], f"the version of {key!r} after a write")
                    old.append((version, token))
            trial.equal(state_of(store), model.values, "the state at the end")
