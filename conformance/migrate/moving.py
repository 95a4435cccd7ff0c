"""A whole migration: look, back up, copy, compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conformance.migrate.backup import copy_place, export, is_place_empty
from conformance.migrate.comparing import Compared, check_digests, compare
from conformance.migrate.copying import copy_records
from conformance.migrate.errors import Unfit
from conformance.migrate.journal import Journal
from conformance.migrate.kinds import KINDS, check_layers, told
from conformance.migrate.log import check_prefix, copy_log, first_of, head_of
from conformance.migrate.proof import check_proof
from conformance.migrate.report import Report
from conformance.migrate.side import Opened, Side, offered, opened

#: The contracts that are moved, in this order: what runs refer to is there before them.
ORDER = ("state", "log", "runs", "jobs", "layers")

#: Told about how far it has come: what is done, how many records, of how many.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Job:
    source: Side
    target: Side
    contracts: tuple[str, ...]
    scopes: tuple[str, ...]
    progress: Progress
    notes: list[str] = field(default_factory=list)


def migrate(
    source: Side,
    target: Side,
    *,
    journal: Path,
    contracts: Sequence[str] = (),
    scopes: Sequence[str] = (),
    backup: Path | None = None,
    proof: Path | None = None,
    unproven: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda _what, _done, _of: None,
) -> Report:
    """Move all that a store holds into another one, and compare what both hold then.

    What was killed or stopped goes on where it was, if it is called again with the same journal. The stores must be at
    rest meanwhile: what is written to the source behind the migration's back is found by the comparison at the latest.

    Args:
        source: From where; only read.
        target: To where. It may hold records under the same names, which are replaced; a log may be a beginning of the
            source's.
        journal: A file that is kept up to date on the way, and deleted when both sides are equal.
        contracts: What is moved; all that the source has unless given.
        scopes: Of layered stores, those that are moved; needed when the store can't list them.
        backup: Where the backup of the target goes: a directory, or a file for a target in a server; beside the target,
            or beside the journal, unless given. Nothing is backed up where the target holds nothing.
        proof: A result of the kit, as `--conformance-json=FILE` writes it, that speaks for the target.
        unproven: Go on without one.
        dry_run: Only look.
        progress: Told about how far it has come.

    Returns:
        What came of it. Where it is not `equal`, the next call copies everything again.

    Raises:
        Unfit: It can't be done as asked; nothing was written to the target.
        Stopped: A store failed, or refused a record; called again, it goes on.
    """
    begun = time.monotonic()
    _refuse_same_place(source, target)
    job = _Job(source, target, _wanted(source, contracts), tuple(scopes), progress)
    proven = "none: --unproven" if unproven else _proven(proof, job)
    if "vectors" in source.backend.contracts and not contracts:
        job.notes.append("vectors are not moved: add them to the target from where they came")
    kept = Journal.at(journal, {"source": str(source), "target": str(target), "contracts": list(job.contracts)})
    if dry_run:
        found, backup_path = _look(job), ""
    else:
        place = _backup_place(target, journal) if backup is None else backup
        found, backup_path = _moved(job, kept, place), kept.backup
    return Report(
        source=str(source),
        target=str(target),
        contracts=tuple(found),
        notes=tuple(job.notes),
        proof=proven,
        backup=backup_path,
        is_dry_run=dry_run,
        was_resumed=kept.resumed,
        duration_s=round(time.monotonic() - begun, 3),
    )


def _refuse_same_place(source: Side, target: Side) -> None:
    if source.backend.server is None and target.backend.server is None:
        places = source.where.path.resolve(), target.where.path.resolve()
        if places[0] == places[1] or places[0] in places[1].parents or places[1] in places[0].parents:
            raise Unfit(f"{places[0]} and {places[1]} are one place, or one is in the other: give places apart")
    elif source.backend == target.backend and source.where == target.where:
        raise Unfit(f"source and target are both {source}: give places apart")


def _wanted(source: Side, contracts: Sequence[str]) -> tuple[str, ...]:
    has = offered(source)
    if not contracts:
        found = tuple(name for name in ORDER if name in has)
        if not found:
            opens = f"{', '.join(has)} alone, which is not moved" if has else "no store that is whole"
            raise Unfit(
                f"{source.backend.name} opens {opens}: there would be nothing to compare. Give a source with one of "
                f"these: {', '.join(ORDER)}"
            )
        return found
    for name in contracts:
        if name not in ORDER:
            raise Unfit(f"{name!r} is not moved; these are: {', '.join(ORDER)}")
        if name not in has:
            raise Unfit(f"{source.backend.name} has no {name}; it has {', '.join(has) or 'no store'}")
    return tuple(name for name in ORDER if name in contracts)


def _proven(proof: Path | None, job: _Job) -> str:
    if proof is None:
        name = job.target.backend.name
        raise Unfit(
            f"nothing shows that {name} keeps what it is given. Make a result with `pytest --backend={name} "
            f"--conformance-json=FILE` and name it with --proof=FILE, or move the data all the same with --unproven"
        )
    return check_proof(proof, job.target, job.contracts)


def _backup_place(target: Side, journal: Path) -> Path:
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    if target.backend.server is not None:
        return journal.with_name(f"{target.where.namespace}.backup-{now}.jsonl")
    return target.where.path.with_name(f"{target.where.path.name}.backup-{now}")


def _moved(job: _Job, journal: Journal, place: Path) -> list[Compared]:
    if not journal.is_backed_up:
        if job.target.backend.server is None and not is_place_empty(job.target):
            # Before it is opened: opening may change it.
            _back_up(job, journal, place)
        job.target.where.path.mkdir(parents=True, exist_ok=True)
    try:
        contracts = _fitting(job, journal.done)
    except Unfit as unfit:
        if not journal.resumed:
            journal.remove()
        raise Unfit(f"{unfit}. A backup was made: {journal.backup}" if journal.backup else f"{unfit}") from None
    if not journal.is_backed_up:
        if job.target.backend.server is not None and any(_counts(job.target, contracts, job)):
            _back_up(job, journal, place)
        journal.is_backed_up = True
        journal.save()
    for contract in contracts:
        if contract not in journal.done:
            _copy(job, journal, contract)
            journal.done.append(contract)
            journal.save()
    found = [_compared(job, contract) for contract in contracts]
    if all(one.equal for one in found):
        journal.remove()
    else:
        journal.done, journal.cursors = [], {}
        journal.save()
    return found


def _back_up(job: _Job, journal: Journal, place: Path) -> None:
    if journal.backup:  # an earlier attempt was killed over it
        place = Path(journal.backup)
    elif place.exists():
        raise Unfit(f"{place} exists: name another place for the backup")
    journal.backup = str(place)
    journal.save()
    job.progress("backup", 0, 0)
    if job.target.backend.server is None:
        copy_place(job.target, place)
    else:
        export(job.target, [name for name in ORDER if name in offered(job.target)], job.scopes, place)
    journal.is_backed_up = True
    journal.save()


def _copy(job: _Job, journal: Journal, contract: str) -> None:
    def tell(done: int, of: int) -> None:
        job.progress(contract, done, of)

    with opened(job.source, contract) as source, opened(job.target, contract) as target:
        if contract not in KINDS:
            copy_log(source, target, tell)
            return
        kind = KINDS[contract]
        copy_records(kind, source, target, sorted(kind.names(source, source, job.scopes)), journal, tell)


def _compared(job: _Job, contract: str) -> Compared:
    with opened(job.source, contract) as source, opened(job.target, contract) as target:
        job.notes.extend(_left_behind(source))
        return compare(source, target, job.scopes, lambda done, of: job.progress(f"compare {contract}", done, of))


def _look(job: _Job) -> list[Compared]:
    """Return what there is to move; the target is opened only where it exists."""
    if job.target.backend.server is None and not job.target.where.path.is_dir():
        contracts = _movable(job, job.target.backend.contracts)
        for contract in contracts:
            with opened(job.source, contract) as source:
                _check_source(source, job)
    else:
        contracts = _fitting(job)
    for contract in contracts:
        with opened(job.source, contract) as source:
            job.notes.extend(_left_behind(source))
    return [Compared(name, count) for name, count in zip(contracts, _counts(job.source, contracts, job), strict=True)]


def _counts(side: Side, contracts: Sequence[str], job: _Job) -> Iterator[int]:
    for contract in contracts:
        with opened(side, contract) as store:
            yield _count(store, job.scopes)


def _count(store: Opened, scopes: tuple[str, ...]) -> int:
    if store.contract in KINDS:
        return sum(1 for _ in KINDS[store.contract].names(store, store, scopes))
    return head_of(store) - first_of(store) + 1


def _fitting(job: _Job, done: Sequence[str] = ()) -> list[str]:
    """Return the contracts that can be moved; those that were copied are not looked at again.

    Raises:
        Unfit: The target has no store for what the source holds, or holds what the source does not.
    """
    fitting = _movable(job, offered(job.target))
    for contract in fitting:
        if contract in done:
            continue
        job.progress(f"look at {contract}", 0, 0)
        with opened(job.source, contract) as source, opened(job.target, contract) as target:
            _check_fit(source, target, job.scopes)
            _check_source(source, job)
    return fitting


def _movable(job: _Job, has: Collection[str]) -> list[str]:
    """Return the contracts that the target has a store for; what it has none for must be empty.

    Raises:
        Unfit: It is not, or there is no contract left: what compares nothing shows nothing.
    """
    found = []
    for contract in job.contracts:
        if contract in has:
            found.append(contract)
        elif (count := next(_counts(job.source, (contract,), job))) > 0:
            raise Unfit(
                f"the {contract} of {job.source} holds {count:,}, and {job.target.backend.name} has no {contract}. "
                f"Name what is to be moved with --contract"
            )
    if not found:
        raise Unfit(
            f"{job.target.backend.name} has none of what {job.source} has: {', '.join(job.contracts)}. There is "
            f"nothing to move: give a target with one of them"
        )
    return found


def _check_source(source: Opened, job: _Job) -> None:
    # JSON values have a digest each; of others it takes a look at all, which those who move JSON need not wait for.
    if source.side.backend.values == "pickle":
        check_digests(source, job.scopes)


def _check_fit(source: Opened, target: Opened, scopes: tuple[str, ...]) -> None:
    if source.contract not in KINDS:
        check_prefix(source, target)
        return
    if source.contract == "layers":
        check_layers(source, target)
    kind = KINDS[source.contract]
    strangers = set(kind.names(target, source, scopes)) - set(kind.names(source, source, scopes))
    if strangers:
        raise Unfit(
            f"the {source.contract} of {target.side} has {len(strangers):,} that the source has not, such as "
            f"{told(min(strangers))}. Moving is not merging: give a place of its own"
        )


def _left_behind(source: Opened) -> Iterator[str]:
    """Give what the contract has no verbs to move, where the source has it."""
    match source.contract:
        case "state":
            if source.offers("history"):
                yield "earlier versions of values are not moved: the target's history begins with this migration"
            if source.offers("snapshots") and (named := source.each(str, "list_snapshots")):
                yield f"snapshots are not moved: {', '.join(sorted(named)[:3])}{', ...' if len(named) > 3 else ''}"
        case "runs" if source.offers("fencing"):
            yield "tokens of runs are not moved: who writes a run must acquire it again"
        case "jobs" if source.offers("claims"):
            yield "leases of jobs are not moved: a job that is `running` stays so until somebody moves it on"
