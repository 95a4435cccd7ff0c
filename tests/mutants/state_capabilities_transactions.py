"""State stores whose transactions are applied in part, or not at all, or when they should not be."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.mutants.capable_base import CapableState, Draft, capable_mutant, marked


@capable_mutant("only the last operation is applied", "STATE-TXN-01")
class OnlyLastOperation(CapableState):
    def commit(self, draft: Draft) -> None:
        del draft.operations[:-1]
        super().commit(draft)


@capable_mutant("the deletes are not applied", "STATE-TXN-01")
class DeletesAreForgotten(CapableState):
    def commit(self, draft: Draft) -> None:
        draft.operations = [(key, text) for key, text in draft.operations if text is not None]
        super().commit(draft)


class _ReadsFromStore(Draft):
    def __getitem__(self, key: str) -> Any:
        return self.store[key] if key in self.store else super().__getitem__(key)


@capable_mutant("inside, the values are those of the store", "STATE-TXN-02")
class OwnWritesAreHidden(CapableState):
    def draft(self) -> Draft:
        return _ReadsFromStore(self)


class _ListsFromStore(_ReadsFromStore):
    def __getitem__(self, key: str) -> Any:
        return self.store.decode(self.texts[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self.store)


@capable_mutant("inside, the listing is that of the store", "STATE-TXN-02")
class OwnKeysAreNotListed(CapableState):
    def draft(self) -> Draft:
        return _ListsFromStore(self)


@capable_mutant("the deletes are applied after the writes", "STATE-TXN-03")
class DeletesComeLast(CapableState):
    def commit(self, draft: Draft) -> None:
        draft.operations.sort(key=lambda operation: operation[1] is None)
        super().commit(draft)


@capable_mutant("the writes are applied after the deletes", "STATE-TXN-03")
class WritesComeLast(CapableState):
    def commit(self, draft: Draft) -> None:
        draft.operations.sort(key=lambda operation: operation[1] is not None)
        super().commit(draft)


@capable_mutant("the transaction is committed whatever happens", "STATE-TXN-04")
class CommitsOnException(CapableState):
    @contextmanager
    def transaction(self) -> Iterator[Any]:
        draft = self.draft()
        try:
            yield draft
        finally:
            self.commit(draft)


@capable_mutant("what the block raises is swallowed", "STATE-TXN-04")
class SwallowsException(CapableState):
    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with suppress(Exception), super().transaction() as draft:
            yield draft


@capable_mutant("what the block raises comes out as another exception", "STATE-TXN-04")
class WrapsException(CapableState):
    @contextmanager
    def transaction(self) -> Iterator[Any]:
        try:
            with super().transaction() as draft:
                yield draft
        except Exception as error:
            raise OSError("transaction failed") from error


@capable_mutant("rolling back leaves the keys that were new", "STATE-TXN-04")
class NewKeysOutliveRollback(CapableState):
    @contextmanager
    def transaction(self) -> Iterator[Any]:
        draft = self.draft()
        try:
            yield draft
        except BaseException:
            draft.operations = [(key, text) for key, text in draft.operations if key not in self]
            self.commit(draft)
            raise
        self.commit(draft)


@capable_mutant("rolling back writes the old values, with new versions", "STATE-TXN-04")
class RollbackMovesVersions(CapableState):
    @contextmanager
    def transaction(self) -> Iterator[Any]:
        draft = self.draft()
        before = self.texts()
        try:
            yield draft
        except BaseException:
            for key in {key for key, _ in draft.operations} & set(before):
                self.write(key, before[key])
            raise
        self.commit(draft)


@capable_mutant("only an Exception rolls back", "STATE-TXN-05")
class CommitsWhenStopped(CapableState):
    @contextmanager
    def transaction(self) -> Iterator[Any]:
        draft = self.draft()
        try:
            yield draft
        except Exception:
            draft.operations.clear()
            raise
        finally:
            self.commit(draft)


class _Pending(Draft):
    def __setitem__(self, key: str, value: Any) -> None:
        self.operations.append((key, value))
        with suppress(TypeError, ValueError):
            super().__setitem__(key, value)
            self.operations.pop()


@capable_mutant("values are encoded at the commit, one after the other", "STATE-TXN-06")
class EncodesAtCommit(CapableState):
    def draft(self) -> Draft:
        return _Pending(self)

    def commit(self, draft: Draft) -> None:
        for key, text in draft.operations:
            self.remove(key) if text is None else self.put(key, text if isinstance(text, str) else self.encode(text))
        self.save()


@capable_mutant("the commit writes every key", "STATE-TXN-07")
class CommitWritesEverything(CapableState):
    def commit(self, draft: Draft) -> None:
        for key, text in draft.texts.items():
            self.put(key, text)
        super().commit(draft)


class _Unchecked(Draft):
    def __delitem__(self, key: str) -> None:
        self.texts.pop(key, None)
        self.operations.append((key, None))


@capable_mutant("a delete of a missing key fails at the commit", "STATE-TXN-08")
class DeleteFailsAtCommit(CapableState):
    def draft(self) -> Draft:
        return _Unchecked(self)

    def remove(self, key: str) -> None:
        del self.kept.entries[key]


class _Lasting(Draft):
    def __setitem__(self, key: str, value: Any) -> None:
        if self.ended:
            self.store[key] = value
        else:
            super().__setitem__(key, value)


@capable_mutant("the mapping writes into the store after the end", "STATE-TXN-09")
class MappingOutlivesTransaction(CapableState):
    def draft(self) -> Draft:
        return _Lasting(self)


@capable_mutant("operations of an aborted transaction wait for the next one", "STATE-TXN-10", "STATE-TXN-13")
class PendingIsNotCleared(CapableState):
    pending: list[tuple[str, str | None]] = []  # noqa: RUF012 - replaced in __init__

    def __init__(self, path: Any, clock: Any) -> None:
        super().__init__(path, clock)
        self.pending = []

    def draft(self) -> Draft:
        draft = super().draft()
        draft.operations = self.pending
        return draft

    def commit(self, draft: Draft) -> None:
        super().commit(draft)
        self.pending.clear()


@capable_mutant("after an aborted transaction every write is refused", "STATE-TXN-10")
class StuckAfterAbort(CapableState):
    stuck = False

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        self.stuck = True
        with super().transaction() as draft:
            yield draft

    def commit(self, draft: Draft) -> None:
        self.stuck = False
        super().commit(draft)

    def put(self, key: str, text: str, expires_at: float | None = None) -> Any:
        if self.stuck:
            raise RuntimeError("in a failed transaction")
        return super().put(key, text, expires_at)


@capable_mutant("a commit is not written to the file", "STATE-TXN-11")
class CommitIsNotSaved(CapableState):
    def commit(self, draft: Draft) -> None:
        text = self.path.read_bytes() if self.path.exists() else None
        super().commit(draft)
        if text is not None:
            self.path.write_bytes(text)


@capable_mutant("an aborted transaction is in the file", "STATE-TXN-11")
class AbortIsSaved(CapableState):
    @contextmanager
    def transaction(self) -> Iterator[Any]:
        draft = self.draft()
        try:
            yield draft
        except BaseException:
            before = self.kept
            self.kept = copy.deepcopy(before)
            self.commit(draft)
            self.kept = before
            raise
        self.commit(draft)


class _Sharing(Draft):
    def __init__(self, store: CapableState) -> None:
        super().__init__(store)
        self.values_: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        return self.values_.setdefault(key, super().__getitem__(key))

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.values_[key] = value

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.values_.pop(key, None)


@capable_mutant("inside, everybody gets the same object", "STATE-TXN-12")
class DraftSharesObjects(CapableState):
    def draft(self) -> Draft:
        return _Sharing(self)


MUTANTS = marked(globals())
