"""What the commands of `conformance` share. Each is a module with `add_arguments` and `run`; `cli.py` lists them."""

from __future__ import annotations

EXIT_UNUSABLE = 2


class Refusal(Exception):
    """What a command was given can't be used; the text says why, and is said on standard error.

    Args:
        text: The value, the rule it breaks, and what to write instead.
        exit_code: Of the command.
    """

    def __init__(self, text: str, exit_code: int = EXIT_UNUSABLE) -> None:
        super().__init__(text)
        self.exit_code = exit_code
