"""What was seen of the findings by hand: why each is a true one, and the issue upstream where there is one."""

from __future__ import annotations

from tests.stores.note import Note, codes_of
from tests.stores.notes_mappings import MAPPINGS
from tests.stores.notes_others import OTHERS

__all__ = ["NOTES", "Note", "codes_of"]

#: By the name of the store.
NOTES: dict[str, tuple[Note, ...]] = {**MAPPINGS, **OTHERS}
