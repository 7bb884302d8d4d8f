"""Who lies inside the zones, said a second time: by looking at one request, without any of the prover's code."""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.policy import Policy, Request, authorize

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.trust import Witness

EVERYTHING = Policy.parse({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
CORPUS = Path(__file__).parent.parent / "corpus"
BUILT_IN = {"accounts.google.com", "cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com"}
DEFAULT_SERVICES = {
    "ec2.amazonaws.com": "any",
    "lambda.amazonaws.com": "any",
    "ecs-tasks.amazonaws.com": "any",
    "*": "source-in-zone",
}
OWN_NAMES = {"aws-cn": {"ec2.amazonaws.com.cn": "any"}}


def like(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def arn_like(pattern: str, text: str) -> bool:
    parts, others = pattern.split(":", 5), text.split(":", 5)
    return len(parts) == len(others) == 6 and all(map(like, parts, others))


class Membership:
    """The zones' table and one question: is this request inside?"""

    def __init__(self, table: dict[str, Any]) -> None:
        self.table = table
        self.trust = table.get("trust", {})
        self.own = table["account"]
        self.org = table.get("org_id") if self.trust.get("organization", True) else None

    def inside(self, principal: str, action: str, context: dict[str, str | list[str]]) -> bool:
        keys = {key.lower(): value for key, value in context.items()}
        address = keys.get("aws:sourceip")
        if address and any(
            ipaddress.ip_address(address) in ipaddress.ip_network(net) for net in self.trust.get("networks", [])
        ):
            return True
        if action == "sts:AssumeRoleWithSAML":
            return principal.partition("saml-provider/")[2] in self.trust.get("saml", [])
        if action == "sts:AssumeRoleWithWebIdentity":
            issuer = principal if principal in BUILT_IN else principal.partition("oidc-provider/")[2]
            return any(self.token(zone, issuer, keys) for zone in self.trust.get("oidc", []))
        if principal.startswith("arn:"):
            return self.identity(principal, keys)
        return self.service(principal, keys)

    def token(self, zone: dict[str, Any], issuer: str, keys: dict[str, Any]) -> bool:
        if zone["issuer"].removeprefix("https://").rstrip("/") != issuer.rstrip("/"):
            return False
        wanted = {"sub": zone.get("sub"), "aud": zone.get("aud"), "amr": zone.get("amr"), **zone.get("claims", {})}
        for claim, globs in wanted.items():
            value = keys.get(f"{issuer.lower()}:{claim}", [])
            values = [value] if isinstance(value, str) else value
            if globs is not None and not any(like(glob, one) for glob in globs for one in values):
                return False
        return True

    def identity(self, principal: str, keys: dict[str, Any]) -> bool:
        account = principal.split(":")[4]
        paths = keys.get("aws:principalorgpaths", [])
        orgs = {
            keys.get("aws:principalorgid"),
            *(path.partition("/")[0] for path in ([paths] if isinstance(paths, str) else paths)),
        }
        if self.org and (self.org in orgs or account == self.own):
            return True
        if account == self.own and self.trust.get("own_account", True):
            declared = self.trust.get("own_principals")
            arn = keys.get("aws:principalarn", principal)
            if declared is None or any(arn_like(one, name) for one in declared for name in (arn, principal)):
                return True
        return any(
            not external.get("external_id") or keys.get("sts:externalid") in external["external_id"]
            for external in self.trust.get("accounts", [])
            if external["id"] == account
        )

    def service(self, name: str, keys: dict[str, Any]) -> bool:
        by_default = DEFAULT_SERVICES | OWN_NAMES.get(self.table.get("partition", "aws"), {})
        services = self.trust.get("services", by_default)
        declared = services.get(name, services.get("*"))
        if declared != "source-in-zone":
            return declared == "any"
        accounts = {one["id"] for one in self.trust.get("accounts", []) if not one.get("external_id")}
        if self.trust.get("own_account", True) or self.org:
            accounts.add(self.own)
        arn = keys.get("aws:sourcearn", "").split(":")
        paths = keys.get("aws:sourceorgpaths", [])
        orgs = {
            keys.get("aws:sourceorgid"),
            *(path.partition("/")[0] for path in ([paths] if isinstance(paths, str) else paths)),
        }
        return (
            keys.get("aws:sourceaccount") in accounts
            or (len(arn) > 4 and arn[4] in accounts)
            or bool(self.org and self.org in orgs)
        )


@pytest.fixture(scope="session")
def is_inside() -> Callable[[dict[str, Any], str, str, dict[str, str | list[str]]], bool]:
    """Tell whether a request lies inside the zones of a table."""
    return lambda table, principal, action, context: Membership(table).inside(principal, action, context)


@pytest.fixture(scope="session")
def is_way_in(is_inside: Callable[..., bool]) -> Callable[[Policy, dict[str, Any], Witness, str], bool]:
    """Tell whether a witness is one: the policy of the role lets it in, and it lies outside the zones of the table."""

    def check(policy: Policy, table: dict[str, Any], witness: Witness, role: str) -> bool:
        request = Request(witness.action, role, witness.principal, witness.context)
        allowed = authorize(request, identity=[EVERYTHING], resource=policy).outcome == "allowed"
        return allowed and not is_inside(table, witness.principal, witness.action, witness.context)

    return check


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker of the nightly tests known."""
    config.addinivalue_line("markers", "nightly: too long, or with too much to install, for every run")


def corpus(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((CORPUS / name).read_text(encoding="utf-8"))
    return cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `example` every case of the two corpora."""
    if "example" in metafunc.fixturenames:
        cases = corpus("trust-examples.json") + corpus("trust-cases.json")
        metafunc.parametrize("example", cases, ids=[case["id"] for case in cases])
