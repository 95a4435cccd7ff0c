"""The command `conformance check-history`: judge a recorded history."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from conformance.commands import Refusal
from conformance.histories.formats import read_jepsen, read_jsonl, read_porcupine_kv
from conformance.histories.judge import MODELS, judge
from conformance.histories.operation import NEVER, History, Operation, told
from conformance.histories.verdict import Answer, Verdict

if TYPE_CHECKING:
    import argparse

#: Exit codes; a history that can't be read or judged has another.
EXIT_CODES: Mapping[Answer, int] = {"linearizable": 0, "not linearizable": 1, "unknown": 2}
EXIT_UNUSABLE = 3
_EPILOG = f"Exit codes: 0 linearizable, 1 not linearizable, 2 unknown, {EXIT_UNUSABLE} no usable history."


class Format(NamedTuple):
    """How a history is written, and the model of such histories unless another is named."""

    read: Callable[[str], History]
    model: str


FORMATS: Mapping[str, Format] = {
    "jsonl": Format(read_jsonl, "register"),
    "jepsen": Format(read_jepsen, "register"),
    "porcupine-kv": Format(read_porcupine_kv, "kv"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    parser.add_argument("path", metavar="FILE", help="the history; - is standard input")
    parser.add_argument("--format", choices=FORMATS, default="jsonl", help="how it is written; else jsonl")
    parser.add_argument("--model", choices=MODELS, help="of what it is; kv for porcupine-kv and else register")
    parser.epilog = _EPILOG


def run(arguments: argparse.Namespace) -> tuple[int, list[str]]:
    """Return the exit code and the lines that tell the verdict on a recorded history.

    Raises:
        Refusal: There is no such file, it is not of the format, or the model does not know its operations.
    """
    return check_history(arguments.path, arguments.format, arguments.model)


def check_history(file: str, form: str, model: str | None) -> tuple[int, list[str]]:
    """Return the exit code and the lines that tell the verdict on a recorded history.

    Args:
        file: Its path; `-` is standard input.
        form: One of FORMATS.
        model: One of `conformance.histories.judge.MODELS`, or None for that of the format.

    Raises:
        Refusal: There is no such file, it is not of the format, or the model does not know its operations.
    """
    try:
        history = FORMATS[form].read(_text(file).removeprefix("\ufeff"))
        if not history:
            raise ValueError("it holds no operation")
        verdict = judge(history, model or FORMATS[form].model)
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}", EXIT_UNUSABLE) from None
    except ValueError as error:
        raise Refusal(f"{file}: {error}", EXIT_UNUSABLE) from None
    return EXIT_CODES[verdict.answer], list(_told(verdict, history))


def _text(file: str) -> str:
    return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")


def _told(verdict: Verdict, history: History) -> Iterator[str]:
    if verdict.holds:
        keys = len({operation.key for operation in history})
        yield f"linearizable: {_counted(len(history), 'operation')}, {_counted(keys, 'key')} ({verdict.checker})"
        return
    of_key = "" if verdict.key is None else f" (key {verdict.key!r})"
    yield f"{verdict.answer}{of_key}: {verdict.why}"
    yield from map(_line, verdict.witness)


def _line(operation: Operation) -> str:
    end = "never" if operation.end == NEVER else f"{operation.end}"
    return f"  worker {operation.worker}, {operation.call} to {end}: {told(operation)}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
