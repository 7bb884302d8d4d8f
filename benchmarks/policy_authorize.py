"""How fast `authorize` is, beside other evaluators: ratios, from interleaved runs in one process.

    python benchmarks/policy_authorize.py [--seconds N]

Every evaluator gets policies that it parsed beforehand and a new request each time, made inside the timed loop; none of
them keeps answers by request. Workloads:

(a) an instance role's session: Allow `s3:*`, and the Deny of a revocation whose cutoff lies before the session.
(b) twenty statements of mixed actions, resources and conditions, three of which apply.
(c) ten statements of which one applies, against the same with 990 statements of other services.

iam-simulate runs through node where `NODE_PATH` leads to `@cloud-copilot/iam-simulate`, in its own process.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ministack.core import iam_evaluator as ministack
from moto.iam.access_control import IAMPolicy

from pytest_stsguard.policy import Policy, Request, authorize

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "111122223333"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/A4L-InstanceRole/i-0abcdef1234567890"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/A4L-InstanceRole"
ALLOW_S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
REVOKE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Action": ["*"],
            "Resource": ["*"],
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2022-02-16T01:36:00.138Z"}},
        }
    ],
}
SESSION_CONTEXT = {"aws:TokenIssueTime": "2022-02-16T02:00:00Z"}

CONTEXT: dict[str, str | list[str]] = {
    "aws:TokenIssueTime": "2026-01-10T10:00:00Z",
    "aws:CurrentTime": "2026-01-10T10:30:00Z",
    "aws:SourceIp": "203.0.113.17",
    "aws:SecureTransport": "true",
    "aws:PrincipalTag/team": "blue",
    "aws:RequestedRegion": "eu-west-1",
    "aws:PrincipalArn": ROLE,
    "aws:TagKeys": ["team", "stage"],
    "s3:max-keys": "100",
    "aws:MultiFactorAuthPresent": "false",
}


def statement(effect: str, action: Any, resource: Any, condition: Any = None) -> dict[str, Any]:
    """Make a statement."""
    found = {"Effect": effect, "Action": action, "Resource": resource}
    return found if condition is None else {**found, "Condition": condition}


MIXED = {
    "Version": "2012-10-17",
    "Statement": [
        statement("Allow", ["ec2:Describe*", "ec2:Get*"], "*"),
        statement("Allow", "s3:ListBucket", "arn:aws:s3:::reports", {"NumericLessThan": {"s3:max-keys": "10"}}),
        statement(
            "Allow",
            ["s3:GetObject", "s3:GetObjectVersion"],
            "arn:aws:s3:::reports/${aws:PrincipalTag/team}/*",
            {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
        ),
        statement("Deny", "s3:*", "*", {"Bool": {"aws:SecureTransport": "false"}}),
        statement("Deny", "*", "*", {"DateLessThan": {"aws:TokenIssueTime": "2026-01-10T09:00:00Z"}}),
        statement("Allow", "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/app-*"),
        statement("Allow", "dynamodb:*", f"arn:aws:dynamodb:*:{ACCOUNT}:table/orders"),
        statement("Deny", "s3:Delete*", "*", {"Null": {"aws:MultiFactorAuthAge": "true"}}),
        statement(
            "Allow",
            "s3:Get*",
            "arn:aws:s3:::reports/*",
            {
                "StringLike": {"aws:PrincipalTag/team": "bl*"},
                "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/A4L-*"},
                "IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "203.0.113.0/24"]},
            },
        ),
        statement("Allow", ["sqs:SendMessage", "sqs:ReceiveMessage"], f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"),
        statement("Deny", "iam:*", "*"),
        statement("Allow", "kms:Decrypt", "*", {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}),
        statement("Deny", "s3:Get*", "arn:aws:s3:::secrets/*"),
        statement("Deny", "s3:GetObject", "*", {"ForAnyValue:StringEquals": {"aws:TagKeys": ["forbidden", "legacy"]}}),
        statement("Allow", "s3:GetObject", "arn:aws:s3:::public-*/*"),
        statement("Allow", "s3:*", "arn:aws:s3:::reports/blue/*", {"Null": {"aws:TokenIssueTime": "false"}}),
        statement("Deny", "s3:*", "*", {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        statement("Allow", ["logs:CreateLogStream", "logs:PutLogEvents"], "*"),
        statement("Deny", "s3:*", "*", {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}),
        statement("Allow", "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:blue/*"),
    ],
}
KEY = "arn:aws:s3:::reports/blue/2026/01.csv"


def ministack_context(action: str, resource: str, context: dict[str, Any]) -> ministack.EvalContext:
    """Make MiniStack's request from keys already in lower case, with the role's ARN, which its ArnLike can match."""
    return ministack.EvalContext(
        principal_arn=ROLE,
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region="eu-west-1",
        source_ip="203.0.113.17",
        secure_transport=True,
        principal_keys=context,
    )


def contenders(
    documents: list[dict[str, Any]], action: str, resource: str, context: dict[str, Any]
) -> dict[str, Callable[[], object]]:
    """Give one call per evaluator for a workload; each makes its request anew."""
    ours = [Policy.parse(document) for document in documents]
    theirs = [ministack.parse_policy_document(document) for document in documents]
    folded = {key.lower(): value for key, value in context.items()}
    moto = [IAMPolicy(json.dumps(document)) for document in documents]
    # moto knows no lists of values, and stops at the first condition that it cannot evaluate with a wrong denial.
    flat = {key: value for key, value in context.items() if isinstance(value, str)}

    def run_ours() -> str:
        return authorize(Request(action, resource, SESSION, context), identity=ours).outcome

    def run_ministack() -> str:
        return ministack.evaluate(ministack_context(action, resource, folded), theirs).decision

    def run_moto() -> object:
        return [policy.is_action_permitted(action, resource, None, flat) for policy in moto]

    return {"stsguard": run_ours, "ministack": run_ministack, "moto": run_moto}


def rate(call: Callable[[], object], seconds: float) -> float:
    """Measure calls a second for about so many seconds."""
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        for _ in range(200):
            call()
        count += 200
    return count / spent


def compare(title: str, calls: dict[str, Callable[[], object]], seconds: float, rounds: int = 7) -> dict[str, float]:
    """Run the calls in turn, several rounds, and print median rates and their ratio to the first."""
    rates: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            rates[name].append(rate(call, seconds / rounds))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    first = next(iter(medians))
    print(f"\n{title}")
    for name, median in medians.items():
        note = "" if name == first else f"   {first} is {medians[first] / median:.2f} times as fast"
        print(f"  {name:<28}{median:>12,.0f} /s{note}")
    return medians


def crowd(count: int) -> dict[str, Any]:
    """Make a policy of ten statements, the first of which applies, and `count - 10` of other services."""
    own = [statement("Allow", "s3:GetObject", "arn:aws:s3:::reports/*")]
    own += [statement("Allow", f"service{n}:Get*", "*", {"StringLike": {"aws:username": f"u{n}*"}}) for n in range(9)]
    others = [statement("Allow", f"other{n}:Get*", f"arn:aws:other{n}:::{n}") for n in range(count - 10)]
    return {"Version": "2012-10-17", "Statement": [*own, *others]}


def node_rates(workloads: dict[str, Any]) -> None:
    """Print iam-simulate's rates, where node finds it."""
    script = Path(__file__).with_name("policy_iam_simulate.mjs")
    if shutil.which("node") is None:
        return
    run = subprocess.run(
        ["node", str(script)], input=json.dumps(workloads), capture_output=True, text=True, check=False
    )
    print("\niam-simulate (node, its own process; it parses the policies in each call)")
    for line in run.stdout.splitlines() if run.returncode == 0 else ["not installed: skipped"]:
        print(f"  {line}")


def main() -> None:
    """Run all workloads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each evaluator and workload")
    seconds = parser.parse_args().seconds
    print(f"python {sys.version.split()[0]}, one core")
    workload_a = contenders([ALLOW_S3, REVOKE], "s3:GetObject", KEY, SESSION_CONTEXT)
    workload_b = contenders([MIXED], "s3:GetObject", KEY, CONTEXT)
    for name, calls in (("a", workload_a), ("b", workload_b)):
        print(f"answers ({name}):", {who: str(call()) for who, call in calls.items()})
    compare("(a) revoked role, session made later", workload_a, seconds)
    compare("(b) twenty statements, three apply", workload_b, seconds)
    small, large = (Policy.parse(crowd(count)) for count in (10, 1000))
    found = compare(
        "(c) statements of other services",
        {
            "10 statements": lambda: authorize(Request("s3:GetObject", KEY, SESSION), identity=[small]),
            "1,000 statements": lambda: authorize(Request("s3:GetObject", KEY, SESSION), identity=[large]),
        },
        seconds,
    )
    print(f"  1,000 statements cost {found['10 statements'] / found['1,000 statements']:.2f} times 10 (bound: 1.5)")
    node_rates(
        {
            "a": {"policies": [ALLOW_S3, REVOKE], "context": SESSION_CONTEXT, "principal": SESSION, "resource": KEY},
            "b": {"policies": [MIXED], "context": CONTEXT, "principal": SESSION, "resource": KEY},
        }
    )


if __name__ == "__main__":
    main()
