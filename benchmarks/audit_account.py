"""How fast the audit of a generated account is, what it needs, and what it finds; beside it, peers that are installed.

``python benchmarks/audit_account.py [--roles 2000 10000] [--peers [NAME ...]]``

Peers (cloudsplaining, parliament, cloud-audit; prowler when it is named, since it brings two gigabytes) run on the same
export in the same run, each installed into a throw-away environment: see `peers`.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from pytest_stsguard.account import load
from pytest_stsguard.findings import Configuration
from pytest_stsguard.reach import Proofs, zones_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from generate_account import AT, generate
from peers import PEERS, measure, run_peers


def audit(folder: Path, truth: dict[str, set[str]], jobs: int) -> None:
    """Audit the account, and hold the findings against the truth."""
    command = [
        str(Path(sys.executable).with_name("stsguard")), "audit", f"export:{folder / 'account'}",
        "--config", str(folder / "stsguard.toml"), "--at", AT, "--output", "json", "--jobs", str(jobs),
    ]  # fmt: skip
    done, wall, cpu, memory = measure(command, cwd=folder)
    found: dict[str, set[str]] = defaultdict(set)
    for finding in json.loads(done.stdout)["findings"]:
        found[finding["control"]].add(finding["resource"])
    planted = sum(len(entries) for entries in truth.values())
    right = sum(len(entries & found[control]) for control, entries in truth.items())
    reported = sum(len(entries) for entries in found.values())
    print(
        f"  stsguard, {jobs} process{'es' if jobs > 1 else ''}: {wall:6.2f} s wall {cpu:6.2f} s cpu {memory:5.0f} MB"
        f"   recall {right / planted:.4f}  precision {right / reported:.4f}  ({planted} planted)"
    )


def prove(folder: Path, processes: tuple[int, ...]) -> None:
    """Time the prover's share alone."""
    account = load(f"export:{folder / 'account'}")
    zones = zones_of(account, Configuration.load(folder / "stsguard.toml", folder).zones)
    now, times = datetime.fromisoformat(AT), {}
    for jobs in processes:
        start = time.perf_counter()
        proofs = Proofs(account, zones, now=now, jobs=jobs)
        for role in proofs.roles:
            proofs.of(role)
        times[jobs] = time.perf_counter() - start
    told = ", ".join(f"{jobs}: {seconds:.2f} s" for jobs, seconds in times.items())
    print(f"  the proofs alone, by processes: {told}")


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--roles", type=int, nargs="*", default=[2000, 10_000])
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=None, metavar="NAME")
    arguments = parser.parse_args()
    # Bare `--peers` is an empty list: the usual ones; without it, none.
    peers = [] if arguments.peers is None else arguments.peers or [name for name in PEERS if name != "prowler"]
    for roles in arguments.roles:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            truth = dict(generate(folder, roles=roles))
            size = (folder / "account" / "details.json").stat().st_size / 1e6
            print(f"{roles} roles, {size:.1f} MB of export")
            for jobs in (1, 2):
                audit(folder, truth, jobs)
            prove(folder, (1, 2))
            run_peers(peers, folder, truth)
    print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
