"""What the checks of state histories share: one life of the store, and the judgement of one part of what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.literal import literal
from conformance.models.observation import works
from conformance.replay.errands import Errand
from conformance.replay.files import kept
from conformance.replay.histories import NOTHING, Life, Look, Offered, Sight, alike, live, look_again
from conformance.replay.worlds import WORLDS
from conformance.result import Violation
from conformance.suites.replay.elsewhere import blamed, sent, worlds_of
from conformance.suites.replay.laboratory import is_durable
from conformance.values.equality import same

if TYPE_CHECKING:
    from conformance.backend import Where
    from conformance.trial import Trial

#: Calls that a failure shows, of those before the look at which it was found.
_SHOWN = 40


def life_of(trial: Trial) -> Life:
    """Return the life of the trial's store; it is lived when it is first asked for.

    Raises:
        Inconclusive: The store lasts, and no process can be started that reads it later.
    """
    if is_durable(trial):
        worlds_of(trial)
    if "life" not in trial.bench.rooms:
        have = trial.bench.profile.methods["state"]
        offered = Offered(
            cas=works(trial, "cas"),
            history=works(trial, "history"),
            snapshots=works(trial, "snapshots"),
            compact="compact" in have and "maintenance" not in trial.backend.lacks,
            lasting=is_durable(trial),
        )
        with trial.fresh() as session:
            life = live(session, offered, trial.errors("missing"), trial.effort.steps, trial.bench.seed)
            if offered.lasting:
                life = replace(life, sights=(*life.sights, *_sights_elsewhere(trial, session.where, offered, life)))
        trial.bench.rooms["life"] = life
    found: Life = trial.bench.rooms["life"]
    return found


def _sights_elsewhere(trial: Trial, where: Where, offered: Offered, life: Life) -> Iterator[Sight]:
    """Look at the store, which nobody has open, from one world after the other."""
    crew, last = worlds_of(trial), life.sights[-1]
    for number, world in enumerate(WORLDS):
        errand = Errand(look_again, world, where, (offered, trial.errors("missing")))
        story: tuple[str, ...] = ()
        with kept(where.path) as restore:
            outcome = sent(trial, crew, number, errand)
            look = NOTHING if outcome.error else outcome.value
            if outcome.error or _differ(look, last.look):
                # Now, because the place is gone when the looks are judged.
                story = blamed(trial, errand, _differ, restore)
                restore()
        when = f"in another process ({world.name})"
        yield Sight(when, look, last.known, len(life.calls), outcome.error, story)


def _differ(one: Look, other: Look) -> bool:
    return not alike(one, other)


def require_each(trial: Trial, judge: Callable[[Trial, Sight], None]) -> None:
    """Judge every look at the store; a failure shows the calls that came before it."""
    life = life_of(trial)
    for sight in life.sights:
        trial.count("looks")
        story = (*_calls(life, sight.calls), *sight.story)
        if sight.error:
            told = "what this process reads"
            raise Violation(f"reading the store {sight.when}", expected=told, got=sight.error, story=story)
        try:
            judge(trial, sight)
        except Violation as found:
            raise Violation(found.what, expected=found.expected, got=found.got, story=story) from None


def _calls(life: Life, upto: int) -> tuple[str, ...]:
    # Reads and what was asked beside the script are left out: they change nothing.
    changing = [call for call in life.calls[:upto] if _changes(call)]
    left_out = len(changing) - _SHOWN
    return (*((f"({left_out} calls before)",) if left_out > 0 else ()), *changing[-_SHOWN:])


def _changes(call: str) -> bool:
    return (
        "] = " in call
        or call.startswith("del ")
        or any(word in call for word in ("save_snapshot", "compact", "open()", "close()"))
    )


def judge_entries(trial: Trial, sight: Sight) -> None:
    """Require the keys, each once, their values and the length."""
    known, look = sight.known.entries, sight.look
    keys = [key for key, _ in look.entries]
    trial.equal(sorted(keys), sorted(known), f"the keys {sight.when}")
    for key, value in look.entries:
        trial.equal(value, known[key], f"the value of {key!r} {sight.when}")
    trial.equal(look.length, len(known), f"the length {sight.when}")


def judge_versions(trial: Trial, sight: Sight) -> None:
    """Require that every version is listed in its place and has the value that was written."""
    for key, listed in sight.look.versions.items():
        written = sight.known.versions.get(key, [])[::-1]
        # A store may list the delete itself too; of the others none may be missing, nor in another place.
        found = [(one, value) for one, value in listed if any(one == known for known, _ in written)]
        ids, expected = [one for one, _ in found], [one for one, _ in written]
        what = f"the versions of {key!r}, newest first, {sight.when}"
        trial.true(ids == expected, what, expected=literal(expected), got=literal(ids))
        for (one, value), (_, due) in zip(found, written, strict=True):
            trial.equal(value, due, f"the value of version {literal(one)} of {key!r} {sight.when}")


def judge_snapshots(trial: Trial, sight: Sight) -> None:
    """Require that each snapshot is listed once and is the state of its time."""
    names = [name for name, _ in sight.look.snapshots]
    trial.equal(sorted(names), sorted(sight.known.snapshots), f"the names of the snapshots {sight.when}")
    for name, state in sight.look.snapshots:
        trial.equal(state, sight.known.snapshots[name], f"{name!r} {sight.when}")


def judge_tokens(trial: Trial, sight: Sight) -> None:
    """Require that each key has the version that it had after its latest write, and a missing one None."""
    for key, token in sight.look.tokens.items():
        due = sight.known.tokens.get(key)
        trial.true(token == due, f"the version of {key!r} {sight.when}", expected=literal(due), got=literal(token))


def require_no_token_twice(trial: Trial) -> None:
    """Require that no two writes of a key got one version token."""
    life = life_of(trial)
    for key, tokens in life.tokens.items():
        for number, token in enumerate(tokens):
            earlier = [place for place, one in enumerate(tokens[:number], 1) if same(one, token) or one == token]
            if earlier:
                raise Violation(
                    f"the version of {key!r} after write {number + 1} of it",
                    expected="a token that none of its writes ever had",
                    got=f"{literal(token)}, which write {earlier[0]} had",
                    story=_calls(life, len(life.calls)),
                )
            trial.count("comparisons")
