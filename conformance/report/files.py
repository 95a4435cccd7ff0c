"""Files beside a failure, in a folder for each backend: scripts and cases. They are a service, not a result."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from conformance.result import Result


def file_for(folder: Path, result: Result, ending: str) -> Path:
    """Return the file of a result in the folder of its backend, below `folder`."""
    return folder / re.sub(r"\W+", "-", result.backend) / f"{result.code}{ending}"


def written(path: Path, text: str) -> Path | None:
    """Write `text` and return the path; None where it can't be written: that must not hide the failure itself.

    The file is there whole or not at all, as several runs may share a folder.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        return None
    return path
