"""A request from outside the zones that a trust policy allows, in words and as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.trust.issuers import issuer_of
from pytest_stsguard.trust.value import find_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.trust.budget import Budget
    from pytest_stsguard.trust.request_class import RequestClass, Scene
    from pytest_stsguard.trust.rules import Rule
    from pytest_stsguard.trust.search import Solution

__all__ = ["Witness", "make_witness", "replays"]

LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that lies outside the zones and that the policy allows.

    Attributes:
        summary: Who can assume the role, what they send, and through which statement.
        principal: The caller: an ARN, or a service's name.
        action: The STS action.
        context: The context keys that matter, each with a text or a list of texts.
        statement: The place of the statement that allows it.
        kind: The class of the request: ``any-account``, ``external-account``, ``own-account``, ``organization``,
            ``service``, ``oidc`` or ``saml``.
        declared: The zones name the account, issuer, service or provider, and the request is none of those declared.
    """

    summary: str
    principal: str
    action: str
    context: dict[str, str | list[str]]
    statement: str
    kind: str
    declared: bool


def make_witness(
    asker: RequestClass, rule: Rule, *, solution: Solution, scene: Scene, names: Mapping[str, str], budget: Budget
) -> Witness:
    """Write a solution out as a request.

    Args:
        asker: The class of the request.
        rule: The statement that allows it.
        solution: The values found.
        scene: What the proof is about.
        names: The policy's own spelling of each key.
        budget: What a value for a key that nothing depends on may cost.
    """
    context: dict[str, str | list[str]] = {}
    for name in sorted(scene.keys):
        found = _value(asker, solution, name)
        if found is not None:
            context[names.get(name, name)] = found
    if asker.caller == "oidc":
        for claim in ("sub", "aud"):
            _add(asker, solution, f"{asker.name.lower()}:{claim}", context, budget)
    principal = asker.arn or _principal_arn(asker, solution, budget)
    kind = asker.kind
    if asker.foreign_org and _names_org(context, scene):
        kind = "organization"
    who = _who(asker, kind, principal, context)
    sent = ", ".join(f"{_short(name, asker)}={_shown(value)}" for name, value in context.items())
    summary = f"{who} can assume this role{': ' + sent if sent else ''} ({rule.place})"
    return Witness(summary, principal, asker.action, context, rule.place, kind, asker.declared)


def replays(witness: Witness, policy: Policy, scene: Scene) -> bool:
    """Tell whether the policy engine allows the request, for a caller whose own policies allow everything."""
    zones = scene.zones
    role = f"arn:{zones.partition}:iam::{zones.account}:role/role"
    request = Request(witness.action, role, witness.principal, dict(witness.context), resource_account=zones.account)
    try:
        return authorize(request, identity=[_everything()], resource=policy).outcome == "allowed"
    except InputError:
        return False


@cache
def _everything() -> Policy:
    return Policy.parse({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def _value(asker: RequestClass, solution: Solution, name: str) -> str | list[str] | None:
    """Give a key's value from the solution; None when it is absent, or when nothing depends on it."""
    key = asker.key(name)
    found = solution.values.get(key.variable)
    if found is None:
        only = key.options[0]
        certain = len(key.options) == 1 and only.form == "fixed" and only.doubt is None
        return only.values[0] if certain else None
    if found.value is None:
        return None
    if isinstance(found.value, tuple):
        return list(found.value)
    text = found.value if key.view is None else key.view.extract(found.value)
    return [text] if key.several else text


def _add(
    asker: RequestClass, solution: Solution, name: str, context: dict[str, str | list[str]], budget: Budget
) -> None:
    """Add a claim that every token carries, for the reader's sake, where nothing depends on it."""
    if any(other.lower() == name for other in context):
        return
    text = _value(asker, solution, name)
    if text is None:
        found = find_value(asker.key(name).options, (), budget, sure=True)
        text = None if found is None or isinstance(found.value, tuple) else found.value
    if text is not None:
        context[name] = text


def _principal_arn(asker: RequestClass, solution: Solution, budget: Budget) -> str:
    found = _value(asker, solution, "aws:principalarn")
    if isinstance(found, str):
        return found
    free = find_value(asker.key("aws:principalarn").options, (), budget, sure=True)
    return str(free.value if free is not None else "")


def _names_org(context: Mapping[str, str | list[str]], scene: Scene) -> bool:
    """Tell whether the caller's organisation is one that the policy names."""
    for name, value in context.items():
        if name.lower() in {"aws:principalorgid", "aws:principalorgpaths"}:
            texts = [value] if isinstance(value, str) else value
            if any(text.partition("/")[0] in scene.organizations for text in texts):
                return True
    return False


def _who(asker: RequestClass, kind: str, principal: str, context: Mapping[str, str | list[str]]) -> str:
    """Say who the caller is."""
    whose = "a declared account" if asker.declared else "an account that is not declared"
    told = any(name.lower().startswith("aws:source") for name in context)
    source = "for a source outside the zones" if told else "for any customer of it"
    return {
        "oidc": issuer_of(asker.name).subject if kind == "oidc" else "",
        "saml": f"any identity of the SAML provider {asker.name}",
        "service": f"{asker.name} {source}" if asker.declared else f"{asker.name}, which is not declared,",
        "any-account": f"any AWS account, such as {principal},",
        "organization": f"an account of an organization that is not declared, such as {principal},",
        "own-account": f"{principal}, which is not declared,",
        "external-account": f"{principal} of {whose}",
    }[kind]


def _short(name: str, asker: RequestClass) -> str:
    """Leave the issuer out of a claim's name."""
    prefix = f"{asker.name.lower()}:"
    return name[len(prefix) :] if asker.caller == "oidc" and name.lower().startswith(prefix) else name


def _shown(value: str | list[str]) -> str:
    text = value if isinstance(value, str) else f"[{', '.join(value)}]"
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
