"""Moving what a store holds into another one, with proof that all of it arrived.

    from conformance.migrate import Side, migrate

    report = migrate(Side(old, Where(Path("old"))), Side(new, Where(Path("new"))), journal=Path("move.json"))
    assert report.equal

| module | what it holds |
|---|---|
| `side` | a backend and the place of its stores; a store that is open |
| `kinds`, `log` | what the records of each contract are, how they are read and written |
| `copying` | records from one store into another, in an order that the target can take |
| `comparing`, `views` | digests of every record and of the whole; what people see of runs |
| `journal`, `backup` | what a migration that was killed goes on from; what the target held before |
| `moving`, `report` | a whole migration, and what came of it |
| `proof` | whether a result of the kit speaks for the target |
| `command`, `progress` | `conformance migrate` |

Of the source only reading verbs are called.
"""

from __future__ import annotations

from conformance.migrate.errors import Stopped, Unfit
from conformance.migrate.moving import migrate
from conformance.migrate.report import Report
from conformance.migrate.side import Side

__all__ = ["Report", "Side", "Stopped", "Unfit", "migrate"]
