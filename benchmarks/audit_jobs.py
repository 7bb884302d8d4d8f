"""How much faster the proofs of an account are in two processes than in one: the ratio, and what stays in this process.

``python benchmarks/audit_jobs.py [--roles 2000] [--rounds 3]``

One round is the proofs in one process, then in two; the best wall time of each counts. The ratio means something on an idle
machine alone. What bounds it from above does not need one: the processor time that this process spends while the others
prove (it hands out documents and takes proofs in) against the processor time of all of it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_stsguard.account import load
from pytest_stsguard.findings import Configuration
from pytest_stsguard.reach import Proofs, zones_of

if TYPE_CHECKING:
    from pytest_stsguard.account import Account

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from generate_account import AT, generate


class Taken(NamedTuple):
    """What one run took, in seconds."""

    wall: float
    here: float
    elsewhere: float


def prove(folder: Path, account: Account, jobs: int) -> Taken:
    """Prove every role, from documents that nobody has parsed yet."""
    zones = zones_of(account, Configuration.load(folder / "stsguard.toml", folder).zones)
    proofs = Proofs(account, zones, now=datetime.fromisoformat(AT), jobs=jobs)
    before, wall, here = children(), time.perf_counter(), time.process_time()
    for role in proofs.roles:
        proofs.of(role)
    return Taken(time.perf_counter() - wall, time.process_time() - here, children() - before)


def children() -> float:
    """Give the processor time of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the times, the ratio and its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--roles", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, roles=arguments.roles)
        taken: dict[int, list[Taken]] = {1: [], 2: []}
        for _ in range(arguments.rounds):
            for jobs, runs in taken.items():
                runs.append(prove(folder, load(f"export:{folder / 'account'}"), jobs))
    best = {jobs: min(runs) for jobs, runs in taken.items()}
    print(f"{arguments.roles} roles, best of {arguments.rounds}")
    for jobs, one in best.items():
        told = f"{one.wall:.2f} s wall, {one.here:.2f} s of processor here, {one.elsewhere:.2f} s elsewhere"
        print(f"  {jobs} process{'es' if jobs > 1 else ''}: {told}")
    one, two = best[1], best[2]
    print(f"  ratio: {one.wall / two.wall:.2f} times as fast with 2")
    print(
        f"  serial: {two.here / one.here:.1%} of the work stays in this process, "
        f"{(two.here + two.elsewhere) / one.here - 1:.1%} is added; at best "
        f"{one.here / (two.here + two.elsewhere / 2):.2f} times as fast"
    )


if __name__ == "__main__":
    main()
