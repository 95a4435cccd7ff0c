"""100,000 records through four stores and back into files, while the migration is killed again and again.

Run it from the root of the repository, on a machine that does nothing else:

    python benchmarks/migration.py

Records of all five contracts are moved from files to SQLite, to PostgreSQL, and to files, with the command
`conformance migrate`. At 20 seeded moments its process is killed with SIGKILL, before or after a write to the target;
then the same command is given again. What is well: every hop ends equal, and the digests of the last target are those
of the first source. The stores lie in memory where there is enough of it, because no power is lost here.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

# What is run and killed is the tests'.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformance import Where
from conformance.serving import serving
from conformance.workers.crew import quick_folder
from reference_backends import file, postgres, wal
from tests.migrate import killed

#: Files of all five contracts; the log is that of another reference.
files = replace(file.backend, name="files", log=wal.backend.log)
#: The share of the records that each contract has.
SHARES = {"state": 0.6, "log": 0.2, "runs": 0.08, "jobs": 0.07, "layers": 0.05}


@dataclass(frozen=True)
class Place:
    """Where stores are, as the command is told.

    Args:
        address: Of the backend.
        path: The directory; empty for none.
        url: The address of the server; empty for none.
    """

    address: str
    path: str = ""
    url: str = ""

    def arguments(self, side: str) -> list[str]:
        """Return the arguments of the command; side is `from` or `to`."""
        named = [f"--{side}", self.address]
        for name, value in (("path", self.path), ("url", self.url)):
            named += [f"--{side}-{name}", value] if value else []
        return named


def fill(path: Path, count: int) -> None:
    """Write the records of the first source."""
    path.mkdir()
    where, chosen = Where(path), random.Random(0)
    state, log = files.state(where), files.log(where)  # type: ignore[misc]
    runs, jobs, layers = files.runs(where), files.jobs(where), files.layers(where)  # type: ignore[misc]
    number = {name: int(count * share) for name, share in SHARES.items()}
    for n in range(number["state"]):
        state[f"session/{n}"] = {"n": n, "score": chosen.random(), "text": "é" * (n % 50), "big": 2 ** (n % 80)}
    log.append_batch([{"n": n, "type": "step", "at": chosen.random()} for n in range(number["log"])])
    for n in range(number["runs"]):
        lineage = {"parentRunId": f"run-{n - 1}" if n % 5 else None, "rootRunId": f"run-{n - n % 5}"}
        checkpoints = [{"id": f"c{n}", "state": {"n": n}}]
        runs.save_run({"id": f"run-{n}", "checkpoints": checkpoints, "events": [n], "metadata": {"lineage": lineage}})
    for n in range(number["jobs"]):
        jobs.save_job({"id": f"job-{n}", "runAt": n, "runCount": 1, "history": [{"at": n, "status": "completed"}]})
    for n in range(number["layers"]):
        layers.set(f"key-{n}", n, layer=layers.precedence[n % 3], scope=f"user-{n % 2}")
    for store in (state, log, runs, jobs, layers):
        store.close()


def hop(folder: Path, source: Place, target: Place, moments: Sequence[int]) -> tuple[Mapping[str, object], int]:
    """Move everything, killed after each number of steps, and return the report and how often it was killed."""
    report, kills = folder / "report.json", 0
    journal = ["--journal", str(folder / "journal.json"), "--report", str(report)]
    given = ["migrate", *source.arguments("from"), *target.arguments("to"), *journal, "--unproven"]
    for moment in (*moments, 0):
        command = [sys.executable, killed.__file__, str(moment), str(folder / "steps"), *given]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if ended.returncode == 0:
            break
        if ended.returncode != -9:
            sys.exit(f"exit code {ended.returncode}: {ended.stdout}{ended.stderr}")
        kills += 1
    return json.loads(report.read_text(encoding="utf-8")), kills


def moments(kills: int, steps: int, seed: int) -> list[int]:
    """Return after how many steps each attempt is killed, so that the kills are spread over all of it."""
    ends = sorted(random.Random(seed).sample(range(1, steps), kills))
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def main() -> int:
    """Carry it out, print what came of it, and return 1 if it is not well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=quick_folder()) as name, serving(postgres.backend.server, print) as server:  # type: ignore[arg-type]
        folder = Path(name)
        begun = time.monotonic()
        fill(folder / "first", arguments.records)
        print(f"{arguments.records:,} records written in {time.monotonic() - begun:.0f} s; {server.how}", flush=True)
        own = f"{Path(__file__).resolve()}:files"
        places = [
            Place(own, str(folder / "first")),
            Place("sqlite", str(folder / "database")),
            Place("postgres", url=server.url),
            Place(own, str(folder / "last")),
        ]
        reports, killed_in_all = [], 0
        for number, (source, target) in enumerate(pairwise(places)):
            begun = time.monotonic()
            share = arguments.kills // 3 + (number < arguments.kills % 3)
            # A record is two steps: before its write and after it; those of a log are written in batches.
            steps = int(2 * arguments.records * (1 - SHARES["log"]))
            report, kills = hop(folder, source, target, moments(share, steps, arguments.seed + number))
            reports.append(report)
            killed_in_all += kills
            taken = time.monotonic() - begun
            print(f"{report['source']} -> {report['target']}: killed {kills} times, {taken:.0f} s, equal: "
                  f"{report['equal']}", flush=True)  # fmt: skip
        first = {one["contract"]: one["source"] for one in reports[0]["contracts"]}  # type: ignore[attr-defined]
        last = {one["contract"]: one["target"] for one in reports[-1]["contracts"]}  # type: ignore[attr-defined]
        for contract, digest in first.items():
            print(f"  {contract:<7} {digest}  {'the same in the end' if last[contract] == digest else last[contract]}")
        well = first == last and all(report["equal"] for report in reports) and killed_in_all == arguments.kills
        print(f"{'well' if well else 'NOT WELL'}: killed {killed_in_all} times")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
