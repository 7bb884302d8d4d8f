"""How long sessions of a role live, whether anybody misses the role, and what shares it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat
from pytest_stsguard.reach.fault import Fault
from pytest_stsguard.trust.named import Named, read_principal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account import Account, Role
    from pytest_stsguard.policy import Principal, Statement
    from pytest_stsguard.reach.proofs import Proofs

__all__ = ["long_sessions", "old_metadata", "shared_roles", "unused_roles", "without_options"]

_GONE = frozenset({"terminated", "shutting-down"})


def long_sessions(proofs: Proofs, *, hours: int) -> Iterator[Fault]:
    """Find roles that people or outsiders assume for longer than the limit (STSG-301).

    What services assume is renewed by them, and a session of a role that assumes another lasts one hour whatever that
    one says. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
    """
    for role in proofs.roles:
        longest = role.max_session_duration
        if longest is None or longest <= hours * 3600 or not _can_be_assumed(proofs, role):
            continue
        who = next((who for who in _callers(proofs, role) if who), None)
        if who:
            yield Fault(
                role.arn,
                f"sessions of up to {longest / 3600:g} hours for {who}; the limit is {hours}",
                place="MaxSessionDuration",
                location=role.location,
                evidence={"max_session_duration": longest, "limit": hours * 3600},
            )


def _callers(proofs: Proofs, role: Role) -> Iterator[str | None]:
    for statement in role.trust.policy.statements:
        if statement.effect != "Allow" or _asks_for_roles(statement):
            continue
        if statement.not_principals is not None:
            yield "everyone but a few"
        for principal in statement.principals or ():
            yield _exposed_to(proofs, principal)


def _asks_for_roles(statement: Statement) -> bool:
    """Tell whether a statement is for roles alone, so that the sessions are chained ones."""
    return any(
        condition.key.lower() == "aws:principalarn"
        and condition.name in {"ArnEquals", "ArnLike", "StringEquals", "StringLike"}
        and not condition.if_exists
        and condition.qualifier != "ForAllValues"
        and all(":role/" in value for value in condition.values)
        for condition in statement.conditions
    )


def _exposed_to(proofs: Proofs, principal: Principal) -> str | None:
    """Name callers who hold the credentials outside AWS's services, or outside the account; None for others."""
    found = read_principal(principal, account=proofs.account.id, partition=proofs.account.partition)
    if not isinstance(found, Named) or found.kind in {"service", "gone", "role", "session"}:
        return None
    if found.kind in {"oidc", "saml"}:
        return f"identities of {found.name}"
    if found.kind == "everyone":
        return "everyone"
    return f"{found.arn}" if found.account == proofs.account.id else f"account {found.account}"


def unused_roles(proofs: Proofs, *, days: int) -> Iterator[Fault]:
    """Find roles that were last used, or made, longer ago than the limit, and can still be assumed (STSG-303)."""
    silent = "RoleLastUsed" in proofs.account.gaps
    for role in proofs.roles:
        last = role.last_used or (None if silent else role.created)
        if last is None or proofs.now - last <= timedelta(days=days) or not _can_be_assumed(proofs, role):
            continue
        if role.created is not None and proofs.now - role.created <= timedelta(days=days):
            continue
        since = f"was last used on {isoformat(last)}" if role.last_used else "was never used"
        yield Fault(
            role.arn,
            f"{since} and can still be assumed; the limit is {days} days",
            place="last used",
            location=role.location,
            evidence={"last_used": isoformat(role.last_used) if role.last_used else None},
        )


def _can_be_assumed(proofs: Proofs, role: Role) -> bool:
    allows = any(statement.effect == "Allow" for statement in role.trust.policy.statements)
    return allows and not proofs.of(role).dead


def old_metadata(account: Account) -> Iterator[Fault]:
    """Find instances whose metadata service answers without a token, or further than the instance itself (STSG-401)."""
    for instance in account.instances:
        if instance.state in _GONE or instance.http_endpoint == "disabled":
            continue
        faults = []
        if instance.http_tokens == "optional":
            faults.append("answers IMDSv1, without a token")
        if instance.hop_limit is not None and instance.hop_limit > 1:
            faults.append(f"lets answers travel {instance.hop_limit} hops")
        if faults:
            yield Fault(
                instance.arn,
                f"the metadata service {' and '.join(faults)}",
                place="metadata options",
                location=instance.location,
                evidence={"http_tokens": instance.http_tokens, "hop_limit": instance.hop_limit},
            )


def without_options(account: Account) -> int:
    """Count the instances of which the source does not say how their metadata service answers."""
    return sum(
        instance.http_tokens is None and instance.http_endpoint != "disabled" and instance.state not in _GONE
        for instance in account.instances
    )


def shared_roles(account: Account, roles: tuple[Role, ...], *, most: int) -> Iterator[Fault]:
    """Find instance roles that more instances share than the limit (STSG-402)."""
    by_profile: dict[str, list[str]] = {}
    for instance in account.instances:
        if instance.profile is not None and instance.state not in _GONE:
            by_profile.setdefault(instance.profile, []).append(instance.id)
    for role in roles:
        sharing = sorted({one for profile in role.instance_profiles for one in by_profile.get(profile, ())})
        if len(sharing) > most:
            yield Fault(
                role.arn,
                f"{len(sharing)} instances share this role, and a revocation stops all of them; the limit is {most}",
                place="instances",
                location=role.location,
                evidence={"instances": sharing[:50], "count": len(sharing)},
            )
