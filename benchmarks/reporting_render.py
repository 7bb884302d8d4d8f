"""How much processor time a report takes, and how large it is, at 1,000, 3,000 and 10,000 findings of as many roles.

Run: python benchmarks/reporting_render.py
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from pytest_stsguard.account import Account, Document, Role
from pytest_stsguard.findings import Finding, Report, Severity, controls
from pytest_stsguard.reporting import FORMATS, build, render

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = tuple(controls())


def trust(number: int) -> str:
    """Write a trust policy of usual size, different for each role."""
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{number:012d}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": f"team-{number % 50}"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def role(number: int) -> Role:
    """Make a role."""
    name = f"service-{number % 700}/workload-{number:05d}"
    return Role(
        name=name.rpartition("/")[2],
        arn=f"arn:aws:iam::111122223333:role/{name}",
        path=f"/service-{number % 700}/",
        id=f"AROA{number:017d}",
        created=AT,
        trust=Document("trust policy", "trust", trust(number)),
    )


def finding(number: int, arn: str) -> Finding:
    """Make a finding of usual length."""
    who = f"arn:aws:iam::{number:012d}:role/evil"
    return Finding(
        control=NAMES[number % len(NAMES)],
        severity=Severity(1 + number % 4),
        resource=arn,
        message=f"any AWS account, such as {who}, can assume this role: aws:PrincipalTag/team=team-{number % 50} (Statement[0])",
        evidence={
            "principal": who,
            "action": "sts:AssumeRole",
            "context": {"aws:PrincipalTag/team": f"team-{number % 50}"},
        },
        location=("export/roles.json", 12 + 40 * number),
        place="trust policy Statement[0] any-account",
    )


def main() -> None:
    """Print seconds of processor time and bytes for each size and format."""
    for size in (1_000, 3_000, 10_000):
        roles = tuple(role(number) for number in range(size))
        findings = tuple(finding(number, one.arn) for number, one in enumerate(roles))
        account = Account(id="111122223333", roles=roles, source="export:export")
        start = time.process_time()
        run = build(
            Report("export:export", account.id, AT, findings), fail_on=Severity.HIGH, account=account, evaluated=NAMES
        )
        print(f"{size:>6}  {'build':<9} {time.process_time() - start:6.2f} s")
        for name in FORMATS:
            start = time.process_time()
            text = render(run, name)
            print(f"{size:>6}  {name:<9} {time.process_time() - start:6.2f} s  {len(text.encode()):>12,} bytes")


if __name__ == "__main__":
    main()
