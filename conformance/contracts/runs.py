"""The `runs` contract: the records of what agents did, each a JSON document under its id.

A run store has `save_run(run)`, `get_run(run_id)`, `list_runs()` and `close()`. An async store has the same verbs as
`async def`.

A run
    A dict with a non-empty text `id` and whatever else a runtime keeps: `status`, `input`, `output`, `state`,
    `messages`, `steps`, `toolCalls`, `toolResults`, `checkpoints`, `errors`, `events`, `timestamps`,
    `pendingApproval`, `pendingPause`, `metrics` (token usage, cost, timings, child runs), `metadata` with `lineage`. A
    store has no say in the fields: none is dropped, reordered, renamed or retyped, those that it does not know least
    of all. What is not JSON is refused with TypeError or ValueError, and so is a run without a text `id`; what was
    there before is left intact.

Saving and getting
    `save_run` replaces the whole record of that id, and returns nothing of interest. `get_run` returns a copy of the
    record that was saved last. A run that is not there is answered with None, or with the store's `missing` exception
    (KeyError unless named); never with another run. Ids are compared exactly, and are data: `a/b`, `..` and `%` are
    ids.

Listing
    `list_runs()` gives every run once: its whole record, or a summary that has its `id` and repeats fields of the
    record. The order is the store's own, and always the same: two listings with no write between them are equal, also
    through another handle and after a reopen.

Lineage
    `metadata.lineage` tells where a run comes from: `rootRunId`, `parentRunId`, `childRunIds`, `branchOriginRunId`,
    `branchCheckpointId`. It comes back as it was saved.

Durability
    A run survives a kill of the process and a loss of power with its last acknowledged save, whole: the old record or
    the new one, never a mix and never half a document.

Capabilities
------------
`delete_run`
    `delete_run(run_id)` removes the run from `get_run` and from the listing, and nothing else. Deleting a run that is
    not there changes nothing, and may raise the `missing` exception. The id can be saved again.

`append_event`
    `append_event(run_id, event)` adds one event at the end of the run's `events`, and changes nothing else. Of
    concurrent appends none is lost. Appending to a run that is not there is refused.

`fork`
    `fork_run(run_id, new_id, checkpoint_id)` makes the run `new_id` from another one up to a checkpoint (an entry of
    `checkpoints` with that `id`): its `checkpoints` are those up to and with that one, its `state` is that
    checkpoint's `state`, and its lineage names the source (`branchOriginRunId`), the checkpoint (`branchCheckpointId`)
    and the source's root (`rootRunId`, or the source itself where it names none). It returns the new run. The source
    is left untouched, in every field. A source or a checkpoint that is not there, and a `new_id` that is taken, are
    refused, and nothing changes. What is done to the source later, a delete included, does not change the branch.

`lineage`
    `lineage(run_id)` returns the ids from the root to the run, by `parentRunId`. A store that offers it keeps lineage
    closed and acyclic: a save that names an unknown parent, or makes a run its own ancestor, is refused and changes
    nothing, and so is the delete of a run that has children. It may refuse every other change of a run's parent, too.

`fencing`
    `acquire_run(run_id, owner)` makes the caller the writer of a run, which may not exist yet, and returns a token: an
    int, higher than every token of that run before. `save_run(run, token=...)` with a token that was superseded is
    refused with the `conflict` exception and changes nothing, in every handle and process, and after a reopen.

Sources: the property checklist RUN-01 to RUN-35; LangGraph's checkpoint conformance suite; Temporal's history
branches; Kleppmann, How to do distributed locking (fencing tokens).
"""

from __future__ import annotations

from conformance.contracts import Capability, Contract

CONTRACT = Contract(
    name="runs",
    verbs=("save_run", "get_run", "list_runs"),
    capabilities=(
        Capability("delete_run", ("delete_run",)),
        Capability("append_event", ("append_event",)),
        Capability("fork", ("fork_run",)),
        Capability("lineage", ("lineage",)),
        Capability("fencing", ("acquire_run",), parameter="save_run:token"),
    ),
)
