"""How fast the audit of a generated account is, what it needs, and what it finds; beside it, peers that are installed.

``python benchmarks/audit_account.py [--roles 2000 10000] [--peers FOLDER_OF_COMMANDS]``

A peer is run on the same export in the same run: ``cloudsplaining scan`` and ``parliament`` from PyPI, found on the path or
in the folder. For each, the planted faults whose role or user its output names at all are counted, which is generous.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_stsguard.account import load
from pytest_stsguard.findings import Configuration
from pytest_stsguard.reach import Proofs, zones_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from generate_account import AT, generate

Measured = tuple[subprocess.CompletedProcess[str], float, float, float]


def measure(command: list[str], *, cwd: Path) -> Measured:
    """Run a command; give it with wall seconds, processor seconds and peak megabytes."""
    program = (
        "import json,resource,subprocess,sys,time;t=time.perf_counter();"
        "d=subprocess.run(sys.argv[1:],capture_output=True,text=True);"
        "u=resource.getrusage(resource.RUSAGE_CHILDREN);"
        "json.dump([d.returncode,d.stdout,d.stderr,time.perf_counter()-t,u.ru_utime+u.ru_stime,u.ru_maxrss/1024],sys.stdout)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, check=True, cwd=cwd
    )
    code, out, err, wall, cpu, memory = json.loads(done.stdout)
    return subprocess.CompletedProcess(command, code, out, err), wall, cpu, memory


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


def peer(name: str, folders: list[str]) -> str | None:
    """Find a peer's command."""
    return shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))


def cloudsplaining(command: str, folder: Path, truth: dict[str, set[str]]) -> None:
    """Run cloudsplaining on the export."""
    with tempfile.TemporaryDirectory() as target:
        call = [command, "scan", "-t", "-s", "-i", str(folder / "account" / "details.json"), "-o", target]
        measured = measure(call, cwd=folder)
        text = "".join(file.read_text() for file in Path(target).glob("iam-results-*.json"))
        report: dict[str, Any] = json.loads(text) if text else {}
    named = {
        str(entry.get("arn"))
        for kind in ("roles", "users")
        for entry in (report.get(kind) or {}).values()
        if is_found(entry)
    }
    tell("cloudsplaining", measured, named, truth)


def is_found(entry: dict[str, Any]) -> bool:
    """Tell whether cloudsplaining says anything of an entity."""
    policies = [
        *(entry.get("inline_policies") or {}).values(),
        *(entry.get("customer_managed_policies") or {}).values(),
    ]
    trusts = ("AssumableByCrossAccountPrincipal", "AssumableByAnyPrincipal", "AssumableByAnyPrincipalWithConditions")
    return bool(policies) or any((entry.get(key) or {}).get("findings") for key in trusts)


def parliament(command: str, folder: Path, truth: dict[str, set[str]]) -> None:
    """Run parliament on the export."""
    call = [command, "--auth-details-file", str(folder / "account" / "details.json"), "--json"]
    measured = measure(call, cwd=folder)
    output = measured[0].stdout
    named = {arn for entries in truth.values() for arn in entries if f'{arn}"' in output or f"{arn} " in output}
    tell("parliament", measured, named, truth)


def tell(name: str, measured: Measured, named: set[str], truth: dict[str, set[str]]) -> None:
    """Print what a peer took and, by control, how many of the planted resources it names."""
    done, wall, cpu, memory = measured
    if done.returncode not in {0, 1} and not named:
        print(f"  {name}: failed: {done.stderr.strip().splitlines()[-1:] or done.returncode}")
        return
    print(f"  {name}: {wall:6.2f} s wall {cpu:6.2f} s cpu {memory:5.0f} MB")
    counts = [f"{control[5:]} {len(found & named)}/{len(found)}" for control, found in sorted(truth.items())]
    print(f"    names, of the planted: {', '.join(counts)}")


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--roles", type=int, nargs="*", default=[2000, 10_000])
    parser.add_argument("--peers", nargs="*", default=[])
    arguments = parser.parse_args()
    for roles in arguments.roles:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            truth = dict(generate(folder, roles=roles))
            size = (folder / "account" / "details.json").stat().st_size / 1e6
            print(f"{roles} roles, {size:.1f} MB of export")
            for jobs in (1, 2):
                audit(folder, truth, jobs)
            prove(folder, (1, 2))
            for peer_name, run in (("cloudsplaining", cloudsplaining), ("parliament", parliament)):
                command = peer(peer_name, arguments.peers)
                if command is None:
                    print(f"  {peer_name}: not installed")
                else:
                    run(command, folder, truth)
    print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
