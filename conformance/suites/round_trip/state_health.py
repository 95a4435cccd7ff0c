"""The capability `health` of the `state` contract: what a store says about itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.check import check
from conformance.literal import literal
from conformance.models.observation import contents, observed, unchanged, works
from conformance.recording import raised
from conformance.result import NotApplicable
from conformance.values import domain

if TYPE_CHECKING:
    from conformance.session import Handle
    from conformance.trial import Trial

PINGS = ("STATE-HEALTH-01",)


def _stats(trial: Trial, store: Handle) -> dict[str, Any]:
    """Return the statistics of a store, which must be a mapping of JSON values."""
    found = contents(trial, store.stats(), "reading the statistics")
    try:
        json.dumps(found, allow_nan=False)
        names = [name for name in found if not isinstance(name, str)]
    except (TypeError, ValueError) as error:
        trial.violated("reading the statistics", expected="JSON values", got=f"{literal(found)}: {raised(error)}")
    trial.equal(names, [], "looking for names in the statistics that are no texts")
    return found


@check("STATE-HEALTH-01", sources="MEM-22", capability="health", needs=("STATE-BASIC-01",))
def test_ping_tells_whether_the_store_is_usable(trial: Trial) -> None:
    """`ping()` is truthy while the store is open, and falsy or an exception after it was closed.

    Why: a load balancer sends work to whoever says that it is well.

    Breaks it:

        def ping(self):
            return True                    # it does not look
    """
    with trial.fresh() as session:
        store = session.open()
        _well(trial, store, "on a new store")
        store["a"] = domain.numbered(trial.backend.values, 1)
        _well(trial, store, "after a write")
        trial.refused(lambda: store["missing"])
        _well(trial, store, "after a missing key was read")
        store.close()
        if not store.offers("close"):
            return  # it can't be closed, so it is well for ever
        try:
            answer = store.ping()
        except Exception:  # noqa: BLE001 - any exception says that the store is not usable
            answer = False
        trial.true(not answer, "asking for a sign of life after close", expected="a falsy answer", got=literal(answer))
        store = session.open()
        _well(trial, store, "on a store that was opened again")


def _well(trial: Trial, store: Handle, when: str) -> None:
    answer = store.ping()
    trial.true(answer, f"asking for a sign of life {when}", expected="a truthy answer", got=literal(answer))


@check("STATE-HEALTH-02", sources="MEM-22, KIT-05", capability="health", needs=PINGS)
def test_stats_count_the_keys(trial: Trial) -> None:
    """`stats()` is a mapping of JSON values; `keys`, where given, is the number of keys after each write and delete.

    Why: a number that is wrong by the deletes, or by the overwrites, is the one that the alarm is set on.

    Breaks it:

        self._keys += 1                    # in every write, new key or not
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()

        def counted(expected: int, when: str) -> None:
            found = _stats(trial, store)
            if "keys" in found:
                trial.equal(found["keys"], expected, f"the number of keys in the statistics {when}")

        counted(0, "of a new store")
        for number in range(10):
            store[f"k{number}"] = value
        counted(10, "after ten writes")
        for number in range(10):
            store[f"k{number % 3}"] = value
        counted(10, "after ten overwrites")
        for number in range(4):
            del store[f"k{number}"]
        trial.refused(lambda: store.__delitem__("k0"))
        counted(6, "after four deletes, and one of a missing key")
        store["k0"] = value
        counted(7, "after a deleted key was written again")
        trial.equal(len(store), 7, "the length")
        if works(trial, "transactions"):
            with store.transaction() as t:
                t["new"] = value
                t["k9"] = value
                del t["k8"]
            counted(7, "after a transaction that added a key, overwrote one and deleted one")


@check(
    "STATE-HEALTH-03",
    sources="KV-40, MEM-22",
    capability="health",
    needs=("STATE-HEALTH-02",),
    promise="durability:clean-close",
)
def test_stats_are_right_after_reopening(trial: Trial) -> None:
    """`stats()["keys"]`, where it is given, is the number of keys also after reopening.

    Why: a count that is kept beside the data, and not with it, starts at 0 with each process.

    Breaks it:

        self._keys = 0                     # when the store is opened
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        if "keys" not in _stats(trial, store):
            raise NotApplicable("the statistics give no 'keys'")
        for number in range(5):
            store[f"k{number}"] = value
        del store["k0"]
        store = session.reopen(store)
        trial.equal(_stats(trial, store)["keys"], 4, "the number of keys in the statistics after reopening")
        trial.equal(len(store), 4, "the length after reopening")
        store["k1"] = value
        store["k5"] = value
        trial.equal(_stats(trial, store)["keys"], 5, "the number of keys after an overwrite and a new key")


@check("STATE-HEALTH-04", sources="KIT-07", capability="health", needs=PINGS)
def test_asking_changes_nothing(trial: Trial) -> None:
    """`ping()` and `stats()` change nothing in the store.

    Why: a probe that writes a key to see whether it can be read leaves it there, in every listing and every snapshot.

    Breaks it:

        def ping(self):
            self["__ping__"] = True
            return self["__ping__"]
    """
    value = domain.numbered(trial.backend.values, 1)
    with trial.fresh() as session:
        store = session.open()
        for empty in (True, False):
            if not empty:
                for key in ("a", "b", "deleted"):
                    store[key] = value
                del store["deleted"]
            before = observed(trial, store, "deleted")
            for _ in range(3):
                store.ping()
                store.stats()
            unchanged(trial, store, before, "after ping() and stats()", "deleted")
