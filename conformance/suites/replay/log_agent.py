"""An agent that runs for long, keeps all that it does in a log, and is killed again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.check import check
from conformance.replay.agent import Lived, Order, simulated
from conformance.result import Inconclusive, NotApplicable, Violation
from conformance.suites.replay.growing import called

if TYPE_CHECKING:
    from conformance.trial import Trial

#: Lives that a failure shows.
_SHOWN = 6


@check(
    "LOG-REPLAY-61",
    sources="VS-14, VS-15, LOG-39, LOG-44; RocksDB db_crashtest.py",
    capability="compaction",
    promise="durability:process-crash",
    needs=("LOG-BASIC-01", "LOG-CHECKPOINT-01", "LOG-COMPACT-01", "LOG-REOPEN-01"),
)
def test_an_agent_that_is_killed_goes_on_where_it_was(trial: Trial) -> None:
    """An agent that is killed again and again folds checkpoint and tail to what all acknowledged events fold to.

    It appends commands and outputs, keeps checkpoints and compacts, for a set time, at the effort `thorough` only.

    Why: each step works alone. What an agent depends on is all of them, for weeks, with a kill wherever one happens to
    come: between the checkpoint and the compaction, in the first append of a new segment, in the recovery.

    Breaks it:

        def checkpoint(self, state, upto):
            self._write_state(state, upto)
            self._begin_new_segment()         # events after `upto` that the old one has are not carried over
    """
    seconds = trial.effort.agent_seconds
    if not seconds:
        raise NotApplicable("an agent is simulated at the effort 'thorough' only: it takes a minute")
    lived: Lived = called(trial, simulated, Order(seconds, trial.seed))
    trial.count("lives", lived.lives)
    trial.count("kills inside a call", lived.inside)
    trial.count("appends", lived.acknowledged)
    trial.count("checkpoints", lived.checkpoints)
    trial.count("compactions", lived.compactions)
    trial.count("comparisons", lived.compared)
    if (wrong := lived.wrong) is not None:
        raise Violation(wrong.what, expected=wrong.expected, got=wrong.got, story=tuple(lived.story[-_SHOWN:]))
    if not lived.inside or not lived.checkpoints:
        raise Inconclusive(f"of {lived.lives} kills none landed inside a call, or there was no checkpoint")
