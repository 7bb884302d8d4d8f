"""How fast the prover is, in time of one core: the corpora one by one, then synthetic mixed roles through one `Prover`.

python benchmarks/trust_prove.py [ROLES]
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from pytest_stsguard.policy import Policy
from pytest_stsguard.trust import Prover, Zones

CORPUS = Path(__file__).parent.parent / "tests" / "corpus"
OWN, EXTERNAL, GITHUB = "111122223333", "444455556666", "token.actions.githubusercontent.com"
EKS = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
ZONES: dict[str, Any] = {
    "account": OWN,
    "org_id": "o-a1b2c3d4e5",
    "trust": {
        "accounts": [{"id": EXTERNAL, "external_id": ["s3cr3t-ext"]}],
        "oidc": [
            {"issuer": GITHUB, "sub": ["repo:acme/*"]},
            {"issuer": EKS, "sub": ["system:serviceaccount:*:*"]},
        ],
        "saml": ["Okta"],
    },
}


def synthetic(number: int, source: random.Random) -> dict[str, Any]:
    """Make the trust policy of one role out of a mixed account; most differ from all others."""
    name = f"team{source.randrange(400)}-{number}"
    account = f"{source.randrange(10**12):012d}"
    kinds: list[tuple[int, dict[str, Any]]] = [
        (25, statement({"Service": source.choice(["ec2", "lambda", "ecs-tasks"]) + ".amazonaws.com"})),
        (15, statement({"AWS": f"arn:aws:iam::{OWN}:role/{name}"})),
        (
            8,
            statement(
                {"AWS": f"arn:aws:iam::{OWN}:root"}, ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/{name}*"}
            ),
        ),
        (6, statement({"AWS": account}, StringEquals={"sts:ExternalId": name})),
        (5, statement({"AWS": EXTERNAL}, StringEquals={"sts:ExternalId": "s3cr3t-ext"})),
        (12, token(GITHUB, f"repo:acme/{name}:*")),
        (4, token(GITHUB, f"repo:{name}/app:*")),
        (8, token(EKS, f"system:serviceaccount:{name}:api")),
        (6, statement({"Service": "config.amazonaws.com"}, StringEquals={"aws:SourceAccount": OWN})),
        (5, statement({"Service": "sns.amazonaws.com"}, ArnLike={"aws:SourceArn": f"arn:aws:sns:*:{OWN}:{name}"})),
        (3, statement({"AWS": "*"}, StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"})),
        (2, statement({"AWS": "*"}, StringLike={"aws:PrincipalArn": f"arn:aws:iam::*:role/{name}"})),
        (1, statement({"AWS": "*"}, StringEquals={"sts:ExternalId": name})),
    ]
    chosen = source.choices(
        [one for _, one in kinds], [weight for weight, _ in kinds], k=source.choice([1, 1, 1, 2, 3])
    )
    return {"Version": "2012-10-17", "Statement": chosen}


def statement(
    principal: dict[str, Any], action: str = "sts:AssumeRole", **conditions: dict[str, str]
) -> dict[str, Any]:
    """Make an Allow."""
    found: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {**found, "Condition": conditions} if conditions else found


def token(issuer: str, subject: str) -> dict[str, Any]:
    """Make an Allow for the tokens of an issuer."""
    provider = {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{issuer}"}
    audience = {f"{issuer}:aud": "sts.amazonaws.com"}
    return statement(
        provider, "sts:AssumeRoleWithWebIdentity", StringEquals=audience, StringLike={f"{issuer}:sub": subject}
    )


def main(roles: int) -> None:
    """Print one line for each corpus and one for the synthetic roles."""
    for name in ("trust-examples.json", "trust-cases.json"):
        times = []
        for case in json.loads((CORPUS / name).read_text(encoding="utf-8")):
            prover = Prover(Zones.parse(case["zones"]))
            policy = Policy.parse(case["trust_policy"], kind="trust", lenient=True)
            start = time.process_time()
            prover.prove(policy)
            times.append((time.process_time() - start) * 1000)
        times.sort()
        print(f"{name}: {len(times)} policies, median {times[len(times) // 2]:.2f} ms, worst {times[-1]:.1f} ms")
    source = random.Random(6)
    documents = [synthetic(number, source) for number in range(roles)]
    prover, times, verdicts = Prover(Zones.parse(ZONES)), [], Counter[str]()
    for document in documents:
        start = time.process_time()
        verdicts[prover.prove(document).verdict] += 1
        times.append((time.process_time() - start) * 1000)
    total = sum(times) / 1000
    times.sort()
    print(
        f"{roles} synthetic roles, parsing included: {total:.1f} s of one core, median {times[roles // 2]:.2f} ms, "
        f"worst {times[-1]:.1f} ms, {dict(verdicts)}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
