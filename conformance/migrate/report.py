"""What came of a migration, as data and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from conformance.migrate.comparing import Compared

#: Raised when a field changes its meaning or goes away.
SCHEMA = 1
_DIGITS = 16


@dataclass(frozen=True)
class Report:
    """What came of a migration.

    Args:
        source: Where the data came from, for people.
        target: Where it went.
        contracts: What the comparison of each contract came to; of a dry run, how many records there are.
        notes: What was not moved, and what else a person should know.
        proof: What speaks for the target.
        backup: The path of the backup; empty when the target held nothing.
        is_dry_run: Nothing was written.
        was_resumed: It went on where an earlier attempt ended.
        duration_s: Seconds that this attempt took.
    """

    source: str
    target: str
    contracts: tuple[Compared, ...]
    notes: tuple[str, ...]
    proof: str
    backup: str
    is_dry_run: bool
    was_resumed: bool
    duration_s: float

    @property
    def equal(self) -> bool:
        """Whether both sides hold the same, of one contract at least; of a dry run always true."""
        return self.is_dry_run or (bool(self.contracts) and all(one.equal for one in self.contracts))

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and lists, for JSON."""
        contracts = [{**asdict(one), "equal": self.is_dry_run or one.equal} for one in self.contracts]
        return {"schema": SCHEMA, **asdict(self), "equal": self.equal, "contracts": contracts}

    def lines(self) -> Iterator[str]:
        """Give the report as lines for a terminal."""
        yield f"{'Would move' if self.is_dry_run else 'Moved'} {self.source} to {self.target}"
        yield f"  proof   {self.proof}"
        if self.backup:
            yield f"  backup  {self.backup}"
        for one in self.contracts:
            yield from self._lines_of(one)
        for note in self.notes:
            yield f"  note    {note}"
        if self.is_dry_run:
            yield "Dry run: nothing was written."
        elif self.equal:
            yield "Equal: every record and the whole have the same digests on both sides."
        else:
            yield "NOT EQUAL: do not use the target." + (f" Its backup is {self.backup}." if self.backup else "")

    def _lines_of(self, one: Compared) -> Iterator[str]:
        counted = f"  {one.contract:<7} {one.records:>9,} {'record' if one.records == 1 else 'records'}"
        if self.is_dry_run:
            yield counted
            return
        yield f"{counted}  sha256 {one.source[:_DIGITS]}  {'equal' if one.equal else 'NOT EQUAL'}"
        if one.views:
            yield f"          views of runs compared: {', '.join(f'{n:,} {name}' for name, n in one.views.items())}"
        if one.differences:
            yield f"          {one.differences:,} differ. {one.first}"
