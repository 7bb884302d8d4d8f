"""Other auditors of IAM on the same account in the same run: what they take, and which planted faults they name.

Each is installed from PyPI into a throw-away environment of its own; one that cannot be installed is said to be absent.
cloudsplaining and parliament read the export. cloud-audit and prowler read a live account, so they get the same export,
loaded into the simulated cloud and served over HTTP. A peer is credited with every planted resource that its output names
at all, which is generous.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PEERS", "Measured", "measure", "run_peers"]

MINUTES = 15
SERVER = """
import json, os, sys
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
from pytest_stsguard.account import load
from pytest_stsguard.cloud import Cloud

account = load(sys.argv[1])
with Cloud(world="empty", account=account.id) as cloud:
    cloud.load(account)
    server = cloud.serve()
    print(json.dumps([server.url, cloud.admin.access_key_id, cloud.admin.secret_access_key]), flush=True)
    sys.stdin.read()
"""
CLOUD_AUDIT = """
import json, sys
from cloud_audit.providers.aws.checks import iam
from cloud_audit.providers.aws.provider import AWSProvider

provider = AWSProvider(regions=["us-east-1"])
checks = (
    iam.check_oidc_trust_policy, iam.check_role_max_session_duration, iam.check_privilege_escalation,
    iam.check_overly_permissive_policy,
)
json.dump([finding.resource_id for check in checks for finding in check(provider).findings], sys.stdout)
"""
PROWLER_CHECKS = (
    "iam_role_cross_service_confused_deputy_prevention", "iam_role_cross_account_readonlyaccess_policy",
    "iam_role_administratoraccess_policy", "iam_inline_policy_allows_privilege_escalation",
    "iam_policy_allows_privilege_escalation", "iam_inline_policy_no_administrative_privileges",
    "iam_no_expired_server_certificates_stored",
)  # fmt: skip


class Measured(NamedTuple):
    """A finished command with wall seconds, processor seconds and peak megabytes."""

    done: subprocess.CompletedProcess[str]
    wall: float
    cpu: float
    memory: float


def measure(command: list[str], *, cwd: Path, environment: dict[str, str] | None = None) -> Measured:
    """Run a command."""
    program = (
        "import json,resource,subprocess,sys,time;t=time.perf_counter();"
        "d=subprocess.run(sys.argv[1:],capture_output=True,text=True);"
        "u=resource.getrusage(resource.RUSAGE_CHILDREN);"
        "json.dump([d.returncode,d.stdout,d.stderr,time.perf_counter()-t,u.ru_utime+u.ru_stime,u.ru_maxrss/1024],sys.stdout)"
    )
    environment = {**os.environ, **(environment or {})}
    call = [sys.executable, "-c", program, *command]
    done = subprocess.run(call, capture_output=True, text=True, check=True, cwd=cwd, env=environment)
    code, out, err, wall, cpu, memory = json.loads(done.stdout)
    return Measured(subprocess.CompletedProcess(command, code, out, err), wall, cpu, memory)


def run_peers(names: list[str], folder: Path, truth: dict[str, set[str]]) -> None:
    """Install the peers, run each, and print what it takes and finds."""
    for name in names:
        with tempfile.TemporaryDirectory() as home:
            programs, reason = install(name, Path(home))
            if programs is None:
                print(f"  {name}: absent: {reason}")
                continue
            measured, named = PEERS[name](programs, folder, truth)
            tell(name, measured, named, truth)


def install(name: str, home: Path) -> tuple[Path | None, str]:
    """Install a peer into an environment of its own; gives the folder of its commands, or why there is none."""
    venv.create(home, with_pip=True)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    call = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", name]
    try:
        done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        return None, f"it took more than {MINUTES} minutes to install"
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        return None, lines[-1] if lines else f"pip ended with {done.returncode}"
    return programs, ""


Result = tuple[Measured, set[str]]


def cloudsplaining(programs: Path, folder: Path, truth: dict[str, set[str]]) -> Result:
    """Run cloudsplaining on the export."""
    with tempfile.TemporaryDirectory() as target:
        export = str(folder / "account" / "details.json")
        measured = measure(
            [str(programs / "cloudsplaining"), "scan", "-t", "-s", "-i", export, "-o", target], cwd=folder
        )
        text = "".join(file.read_text() for file in Path(target).glob("iam-results-*.json"))
    report: dict[str, Any] = json.loads(text) if text else {}
    entries = [entry for kind in ("roles", "users") for entry in (report.get(kind) or {}).values()]
    return measured, {str(entry.get("arn")) for entry in entries if is_found(entry)} & everything(truth)


def is_found(entry: dict[str, Any]) -> bool:
    """Tell whether cloudsplaining says anything of an entity."""
    policies = [
        *(entry.get("inline_policies") or {}).values(),
        *(entry.get("customer_managed_policies") or {}).values(),
    ]
    trusts = ("AssumableByCrossAccountPrincipal", "AssumableByAnyPrincipal", "AssumableByAnyPrincipalWithConditions")
    return bool(policies) or any((entry.get(key) or {}).get("findings") for key in trusts)


def parliament(programs: Path, folder: Path, truth: dict[str, set[str]]) -> Result:
    """Run parliament on the export."""
    export = str(folder / "account" / "details.json")
    measured = measure([str(programs / "parliament"), "--auth-details-file", export, "--json"], cwd=folder)
    output = measured.done.stdout
    return measured, {arn for arn in everything(truth) if f'{arn}"' in output or f"{arn} " in output}


def cloud_audit(programs: Path, folder: Path, truth: dict[str, set[str]]) -> Result:
    """Run cloud-audit's checks of roles on the account, served."""
    with served(folder) as environment:
        measured = measure([str(programs / "python"), "-c", CLOUD_AUDIT], cwd=folder, environment=environment)
    named = set(json.loads(measured.done.stdout)) if measured.done.returncode == 0 else set()
    return measured, {arn for arn in everything(truth) if arn in named or arn.rpartition("/")[2] in named}


def prowler(programs: Path, folder: Path, truth: dict[str, set[str]]) -> Result:
    """Run prowler's checks of roles on the account, served."""
    with served(folder) as environment, tempfile.TemporaryDirectory() as target:
        call = [str(programs / "prowler"), "aws", "--checks", *PROWLER_CHECKS, "--output-formats", "json-ocsf"]
        call += ["--output-directory", target, "--output-filename", "found", "--region", "us-east-1", "--no-banner"]
        measured = measure(call, cwd=folder, environment=environment)
        text = "".join(file.read_text() for file in Path(target).glob("found*.json"))
    found = [one for one in (json.loads(text) if text else []) if one.get("status_code") == "FAIL"]
    named = {resource.get("uid") for one in found for resource in one.get("resources", [])}
    return measured, everything(truth) & named


@contextmanager
def served(folder: Path) -> Iterator[dict[str, str]]:
    """Serve the export as a live account; gives the environment of a client."""
    command = [sys.executable, "-c", SERVER, f"export:{folder / 'account'}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the server has no pipes")
        url, key, secret = json.loads(process.stdout.readline())
        yield {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_SESSION_TOKEN": "",
        }
        process.stdin.close()


def everything(truth: dict[str, set[str]]) -> set[str]:
    """Give every planted resource."""
    return set().union(*truth.values())


def tell(name: str, measured: Measured, named: set[str], truth: dict[str, set[str]]) -> None:
    """Print what a peer took and, by control, how many of the planted resources it names."""
    done, wall, cpu, memory = measured
    if not named and done.returncode:
        print(f"  {name}: failed: {(done.stderr.strip().splitlines() or [str(done.returncode)])[-1][:200]}")
        return
    print(f"  {name}: {wall:6.2f} s wall {cpu:6.2f} s cpu {memory:5.0f} MB")
    counts = [f"{control[5:]} {len(found & named)}/{len(found)}" for control, found in sorted(truth.items())]
    print(f"    names, of the planted: {', '.join(counts)}")


PEERS: dict[str, Callable[[Path, Path, dict[str, set[str]]], Result]] = {
    "cloudsplaining": cloudsplaining,
    "parliament": parliament,
    "cloud-audit": cloud_audit,
    "prowler": prowler,
}
