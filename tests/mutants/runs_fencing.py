"""Run stores that mistake who the writer of a run is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.mutants.runs_base import ConflictError, PlainRuns, Run, runs_mutant


class OneForAnOwner(PlainRuns):
    """Gives an owner the token that it had."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows("CREATE TABLE IF NOT EXISTS owners (run TEXT, owner TEXT, token INTEGER)")

    def acquire_run(self, run_id: str, owner: str) -> int:
        rows = self.rows("SELECT token FROM owners WHERE run = ? AND owner = ?", run_id, owner)
        if rows:
            return int(rows[0][0])
        token = super().acquire_run(run_id, owner)
        self.rows("INSERT INTO owners VALUES (?, ?, ?)", run_id, owner, token)
        return token


class TextTokens(PlainRuns):
    def acquire_run(self, run_id: str, owner: str) -> Any:
        return str(super().acquire_run(run_id, owner))

    def check_token(self, run_id: str, token: int) -> None:
        super().check_token(run_id, int(token))


class NotesTheOwner(PlainRuns):
    def acquire_run(self, run_id: str, owner: str) -> int:
        if (run := self.find(run_id)) is not None:
            self.put(run_id, {**run, "owner": owner})
        return super().acquire_run(run_id, owner)


class IgnoresTokens(PlainRuns):
    def check_token(self, run_id: str, token: int) -> None:
        """Let all pass."""


class OtherError(PlainRuns):
    def check_token(self, run_id: str, token: int) -> None:
        if token != self.token(run_id):
            raise RuntimeError("not the owner")


class DropsInSilence(PlainRuns):
    def save_run(self, run: Run, token: int | None = None) -> None:
        if token is None or token == self.token(run["id"]):
            super().save_run(run)


class WritesThenLooks(PlainRuns):
    def save_run(self, run: Run, token: int | None = None) -> None:
        super().save_run(run)
        if token is not None:
            self.check_token(run["id"], token)


class LetsTheSameThrough(PlainRuns):
    """Takes a save that changes nothing from anybody."""

    def save_run(self, run: Run, token: int | None = None) -> None:
        if self.find(run["id"]) != run:
            super().save_run(run, token)


class OnceOnly(PlainRuns):
    """A token is good for one save."""

    def save_run(self, run: Run, token: int | None = None) -> None:
        super().save_run(run, token)
        if token is not None and self.find(run["id"]) is not None and run["status"] == "running":
            self.acquire_run(run["id"], "nobody")


class OneForAllRuns(PlainRuns):
    def token(self, run_id: str) -> int:
        return max((row[0] for row in self.rows("SELECT token FROM tokens")), default=0)


class MakesTheRun(PlainRuns):
    def acquire_run(self, run_id: str, owner: str) -> int:
        if self.find(run_id) is None:
            self.put(run_id, {"id": run_id})
        return super().acquire_run(run_id, owner)


class FirstSaveIsFree(PlainRuns):
    def check_token(self, run_id: str, token: int) -> None:
        if self.find(run_id) is not None:
            super().check_token(run_id, token)


class TokensInMemory(PlainRuns):
    """Keeps tokens in this handle, and begins with those of the saved runs at its opening."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.tokens: dict[str, int] = {}

    def acquire_run(self, run_id: str, owner: str) -> int:
        self.tokens[run_id] = self.token(run_id) + 1
        return self.tokens[run_id]

    def token(self, run_id: str) -> int:
        return self.tokens.get(run_id, 0)


class RemembersItsToken(PlainRuns):
    """Asks the file for a token, and then compares with what this handle remembers."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.mine: dict[str, int] = {}

    def acquire_run(self, run_id: str, owner: str) -> int:
        self.mine[run_id] = super().acquire_run(run_id, owner)
        return self.mine[run_id]

    def check_token(self, run_id: str, token: int) -> None:
        if token != self.mine.get(run_id, self.token(run_id)):
            raise ConflictError(f"the token {token} of {run_id} was superseded")


class TokensGoWithTheRun(PlainRuns):
    def drop(self, run_id: str) -> None:
        super().drop(run_id)
        self.rows("DELETE FROM tokens WHERE id = ?", self.key(run_id))


MUTANTS = [
    runs_mutant("one_token_for_an_owner", "an owner gets the token it had", "FENCE-01", OneForAnOwner),
    runs_mutant("text_tokens", "tokens are texts", "FENCE-01", TextTokens),
    runs_mutant("notes_the_owner", "the owner is written into the run", "FENCE-01", NotesTheOwner),
    runs_mutant("ignores_tokens", "any token is accepted", "FENCE-02", IgnoresTokens),
    runs_mutant("token_other_error", "a superseded save raises RuntimeError", "FENCE-02", OtherError),
    runs_mutant("drops_superseded", "a superseded save is dropped in silence", "FENCE-02", DropsInSilence),
    runs_mutant("writes_then_looks", "a superseded save is refused when it is done", "FENCE-02", WritesThenLooks),
    runs_mutant("equal_save_is_free", "a superseded save of what is there passes", "FENCE-02", LetsTheSameThrough),
    runs_mutant("token_once_only", "a token is used up by a save", "FENCE-03", OnceOnly),
    runs_mutant("one_token_for_all", "each acquire supersedes the owners of all runs", "FENCE-03", OneForAllRuns),
    runs_mutant("acquire_makes_the_run", "an acquire makes the run that is missing", "FENCE-04", MakesTheRun),
    runs_mutant("first_save_is_free", "the first save needs no token", "FENCE-04", FirstSaveIsFree),
    runs_mutant("tokens_in_memory", "tokens are forgotten at the close", "FENCE-05 FENCE-06", TokensInMemory),
    runs_mutant("remembers_its_token", "each handle asks itself", "FENCE-06", RemembersItsToken),
    runs_mutant("tokens_go_with_the_run", "a delete forgets the token", "FENCE-07", TokensGoWithTheRun),
]
