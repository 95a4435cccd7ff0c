"""docs/stores.md: a pure function of the catalogue, the notes and the results."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from tests.stores.catalogue import STORES
from tests.stores.notes import NOTES, codes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.stores.catalogue import Store
    from tests.stores.notes import Note

SUITES = ("round-trip", "crash-recovery", "concurrency", "corruption", "replay")
NONE_FOUND = "No upstream issue found."
_WIDTH = 110

HEAD = """\
<!-- Written by benchmarks/stores.py. -->

# Public stores

The kit on {count} stores, from {distributions} distributions of the package index and Python itself, unchanged. Each is
opened as its documentation opens it, with the smallest adapter that gives it the verbs of a contract (`tests/stores/`),
which maps verbs and adds nothing. None says what it lacks, but for what its section tells, so that it is held to
[the strictest promises](guide/promises.md).

The results are those of these versions, on the date that stands with each, on {system}, Python {python}, at `{effort}`
effort with the seed {seed}; at more effort more is found. Every finding was looked at by hand and is a true one, in the
sense of its check. Below is its smallest case, with the issue upstream where one was found.

**A failure is not a verdict on a store.** Many of these promise less than is asked here and say so in their
documentation; an adapter of theirs would say it with `lacks={{"processes": "..."}}`, and the check would not apply.

A cell says how many of the rules (*must*) that apply hold; — where none applies. What is blocked, because a rule that
others rest on is broken, does not hold."""

REPEAT = """\
## Repeat it

    git clone <this repository>
    cd pytest-backend-conformance
    python benchmarks/stores.py              # a virtual environment, the pinned versions, all runs, this page
    python benchmarks/stores.py --only LMDB  # one store again; the others keep their results

It writes `docs/stores.json`, in which all of this stands, and the versions of all packages of the environment, and
makes this page of it. A check that has not ended after two minutes is ended (pytest-timeout), and told.

The next time it installs those; `--upgrade` takes newer ones of what the stores depend on.

One store by itself, with all that the kit says of a failure:

    pip install . tinydb
    pytest --backend=./tests/stores/tinydb_store.py:backend --effort=quick

## Left out

Stores that cannot list their keys are no mapping: cachelib 0.17.0 keeps hashes of them, and the stores of py-key-value
that write to a disk have no verb for it. Qdrant's ids are numbers and UUIDs: an adapter would have to keep the texts.
`shelve:open` needs no adapter; it takes whichever dbm is installed, and comes to what that one comes to."""


def page(results: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        results: What docs/stores.json holds.
    """
    measured = [one for one in results["stores"].values() if "verdict" in one]
    any_run = measured[0]
    distributions = {pin.partition("==")[0] for store in STORES for pin in store.requires[:1]}
    head = HEAD.format(
        count=len(STORES),
        distributions=len(distributions),
        system=any_run["system"],
        python=".".join(any_run["python"].split(".")[:2]),
        effort=any_run["effort"],
        seed=any_run["seed"],
    )
    blocks = [head, _matrix(results), _clean(results)]
    for store in STORES:
        blocks += _section(store, results["stores"].get(store.name))
    return "\n\n".join(block for block in (*blocks, REPEAT) if block) + "\n"


def _matrix(results: Mapping[str, Any]) -> str:
    lines = [f"| store | version | contract | {' | '.join(SUITES)} |", "|---" * (3 + len(SUITES)) + "|"]
    for store in STORES:
        found = results["stores"].get(store.name)
        name, version = f"[{store.name}](#{anchor(store.name)})", _version(store)
        if found is None or "verdict" not in found:
            reason = found["not_measured"] if found else "not run"
            lines.append(f"| {name} | {version} | — | {' | '.join([f'not measured: {reason}', *['—'] * 4])} |")
            continue
        for contract in dict.fromkeys(suite["contract"] for suite in found["suites"]):
            cells = [_cell(found, contract, suite) for suite in SUITES]
            lines.append(f"| {name} | {version} | `{contract}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(found: Mapping[str, Any], contract: str, suite: str) -> str:
    for one in found["suites"]:
        if (one["contract"], one["suite"]) == (contract, suite) and one["must"]:
            text = f"{one['must_passed']}/{one['must']}"
            return text if one["must_passed"] < one["must"] else f"**{text}**"
    return "—"


def _clean(results: Mapping[str, Any]) -> str:
    """Return who holds every rule that applies, if anybody does."""
    clean = [
        store.name
        for store in STORES
        if results["stores"].get(store.name, {}).get("verdict", "").startswith("CONFORMANT")
    ]
    return f"Every rule that applies is held by {', '.join(clean)}." if clean else "None of them holds every rule."


def _version(store: Store) -> str:
    return store.requires[0].partition("==")[2] if store.requires else "Python's"


def _section(store: Store, found: Mapping[str, Any] | None) -> list[str]:
    pins = ", ".join(f"`{pin}`" for pin in store.requires) or "of Python itself"
    lines = [f"## {store.name}", f"{pins} ([source]({store.upstream})), opened by {store.opened}."]
    if found is None or "verdict" not in found:
        earlier = [f"{', '.join(map(_link, codes_of(note)))}: {_told(note)}" for note in NOTES.get(store.name, ())]
        lines.append(f"Not measured: {found['not_measured'] if found else 'not run'}.")
        return [*lines, "What earlier runs of single suites have shown:", *earlier] if earlier else lines
    lines[-1] += f" Measured on {found['date']}, in {found['seconds']} s: {found['verdict']}."
    for level, reason in found["lacks"].items():
        where = store.disclaims.get(level)
        lines.append(f"It lacks `{level}`: {reason}{f' ([documented]({where}))' if where else ''}.")
    if found["server"]:
        lines.append(f"On {found['server'].split(',')[0]}.")
    blocked = [f"{count} by {_link(code)}" for code, count in found["blocked"].items()]
    if blocked:
        lines.append(f"Not measured, as a rule that they rest on is broken: {', '.join(blocked)}.")
    for code, reason in found["inconclusive"].items():
        lines.append(f"{_link(code)} came to no end: {reason}")
    lines += [block for group in _groups(store.name, found["findings"]) for block in _finding(*group)]
    return lines


def _groups(name: str, findings: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Note | None, list[Mapping[str, Any]]]]:
    """Give the findings that one note is about, note by note; then each that has none."""
    left = {finding["code"]: finding for finding in findings}
    for note in NOTES.get(name, ()):
        about = [left.pop(code) for code in codes_of(note) if code in left]
        if about:
            yield note, about
    for finding in left.values():
        yield None, [finding]


def _finding(note: Note | None, findings: Sequence[Mapping[str, Any]]) -> list[str]:
    codes = ", ".join(_link(one["code"]) + (" (should)" if one["level"] == "should" else "") for one in findings)
    if note is None:
        return [f"{codes}: not looked at yet, nor searched for upstream.", _case(findings[0])]
    return [f"{codes}: {_told(note)}", _case(min(findings, key=lambda one: len(_case(one))))]


def _told(note: Note) -> str:
    """Return what a note says, and where it is known upstream."""
    return f"{note.text} " + (f"Upstream: [{_short(note.upstream)}]({note.upstream})." if note.upstream else NONE_FOUND)


def _short(address: str) -> str:
    """Return an address as it is called: owner/name#12 for an issue, else without its protocol."""
    issue = re.fullmatch(r"https://github\.com/([^/]+/[^/]+)/(?:issues|pull|discussions)/(\d+)", address)
    return f"{issue[1]}#{issue[2]}" if issue else address.removeprefix("https://")


def _case(finding: Mapping[str, Any]) -> str:
    """Return the smallest case, indented, so that it is shown as it is."""
    lines = [part for line in (*finding.get("story", ()), *finding.get("calls", ())) for part in line.splitlines()]
    lines = [_cut(line) for line in lines]
    lines += textwrap.wrap(f"{finding['code']}, {finding.get('what', '')}:", _WIDTH)
    for word in ("expected", "got"):
        lines += textwrap.wrap(
            finding.get(word, ""), _WIDTH - 13, initial_indent=f"    {word:<9}", subsequent_indent=" " * 13
        )
    return "\n".join(f"    {line}".rstrip() for line in lines)


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"


def _link(code: str) -> str:
    return f"[{code}](checks/{code}.md)"


def anchor(heading: str) -> str:
    """Return the address that a heading has within its page."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
