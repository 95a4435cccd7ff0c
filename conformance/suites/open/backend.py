"""Whether the backend opens at all: without that, nothing else means anything."""

from __future__ import annotations

from conformance.check import check
from conformance.result import Inconclusive
from conformance.trial import Trial


@check("BACKEND-OPEN-01", sources="KIT-17")
def test_backend_opens_and_closes(trial: Trial) -> None:
    """The backend opens a store in a fresh place, and the store has the verbs of its contracts.

    Why: a store that did not open was not tested; a run that skips it must not look like one that passed.

    Breaks it:

        def open_state(where):
            return connect(os.environ["STORE_URL"])   # not set: KeyError, and nothing below this line was tested
    """
    profile = trial.bench.profile
    trial.count("comparisons", len(profile.missing))
    if profile.error:
        raise Inconclusive(profile.error)
