"""What the checks of the `runs` contract share: asking for runs, comparing them, listing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.literal import literal
from conformance.result import NotApplicable
from conformance.values.equality import same
from conformance.values.runs import small_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from conformance.session import Handle
    from conformance.trial import Trial

Run = dict[str, Any]


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


_NOTHING = _Nothing()


def is_durable(trial: Trial) -> bool:
    """Tell whether the runs are still there after the store was closed and opened again."""
    return trial.backend.durability != "volatile"


def require_durable(trial: Trial) -> None:
    """Make the check not applicable to runs that live in one handle only; for checks that hold another promise."""
    if not is_durable(trial):
        raise NotApplicable("durability is promised at 'volatile' only; a second handle has other runs then")


def offers(trial: Trial, capability: str) -> bool:
    """Tell whether the store offers a capability, and the backend does not disclaim it."""
    return capability in trial.bench.profile.offered("runs")


def some_runs(count: int, after: int = 0) -> dict[str, Run]:
    """Return `count` small runs by id; `after` is the number of the last one that is taken already."""
    return {f"run-{number}": small_run(f"run-{number}", number) for number in range(after + 1, after + count + 1)}


def save_all(store: Handle, runs: Mapping[str, Run]) -> None:
    """Save runs one by one and acknowledge them."""
    for run in runs.values():
        store.save_run(run)
    store.acknowledge()


def fetched(trial: Trial, store: Handle, run_id: str) -> Any:
    """Return the run of an id, None where there is none, in whichever way the store says so."""
    try:
        return store.get_run(run_id)
    except trial.errors("missing"):
        return None


def agree(trial: Trial, got: Any, expected: Any, what: str) -> None:
    """Require that a document is the expected one; where both are of one type, the first difference is shown."""
    trial.count("comparisons")
    if same(got, expected):
        return
    path, expected, got = _parting(expected, got)
    trial.violated(f"{what}: {path}" if path else what, expected=literal(expected), got=literal(got))


def _parting(expected: Any, got: Any) -> tuple[str, Any, Any]:
    """Return the path to the first difference, and what is there."""
    path = ""
    while type(expected) is type(got) and isinstance(expected, (dict, list)):
        places = (
            dict.fromkeys([*expected, *got]) if isinstance(expected, dict) else range(max(map(len, (expected, got))))
        )
        pairs = ((place, _at(expected, place), _at(got, place)) for place in places)
        place, expected, got = next(pair for pair in pairs if not same(*pair[1:]))
        path += f"[{literal(place)}]"
    return path, expected, got


def _at(container: Any, place: Any) -> Any:
    try:
        return container[place]
    except LookupError:
        return _NOTHING


def holds(trial: Trial, store: Handle, run: Run, what: str) -> None:
    """Require that a run is read back as it is here."""
    agree(trial, fetched(trial, store, run["id"]), run, what)


def hold_all(trial: Trial, store: Handle, runs: Mapping[str, Run], what: str) -> None:
    """Require that these runs are read back, each by its id, and that the listing has these and no others."""
    for run_id, run in runs.items():
        agree(trial, fetched(trial, store, run_id), run, f"{what}: getting {run_id!r}")
    lists(trial, store, runs, f"{what}: listing")


def gone(trial: Trial, store: Handle, run_id: str, what: str) -> None:
    """Require that there is no run of an id."""
    trial.equal(fetched(trial, store, run_id), None, what)


def listing(trial: Trial, store: Handle) -> list[Run]:
    """Return what the store lists: records, or summaries with an `id`."""
    found = store.list_runs()
    for item in found:
        if not (isinstance(item, dict) and isinstance(item.get("id"), str)):
            trial.violated("listing the runs", expected="dicts with a text as 'id'", got=literal(item))
    return found


def ids(found: Iterable[Run]) -> list[str]:
    """Return the ids of a listing, in its order."""
    return [item["id"] for item in found]


def lists(trial: Trial, store: Handle, runs: Mapping[str, Run], what: str) -> None:
    """Require that the listing has each of these runs once and no others, and repeats fields of their records."""
    found = listing(trial, store)
    trial.equal(sorted(ids(found), key=repr), sorted(runs, key=repr), what)
    for item in found:
        run = runs[item["id"]]
        # A field that the record has not may be the store's own, such as a count of the messages.
        trial.count("comparisons")
        for field in item.keys() & run.keys():
            if not same(item[field], run[field]):
                agree(trial, item[field], run[field], f"{what}: the field {field!r} of {item['id']!r}")


def must_refuse(trial: Trial, call: Callable[[], Any], what: str) -> None:
    """Require that a call is refused loudly, with any exception."""
    trial.count("refusals")
    trial.true(trial.refused(call), what, expected="an exception", got="no exception")
