"""Sessions that nobody here asked STS for: what a thief took from its owner, and what an AWS service holds for a customer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pytest_stsguard.cloud.ledger import Issuer
from pytest_stsguard.errors import CloudError
from pytest_stsguard.policy import Request as Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_stsguard.cloud.cloud import Cloud
    from pytest_stsguard.cloud.credentials import Credentials
    from pytest_stsguard.cloud.state import Role

__all__ = ["service_session", "stolen_session"]

_LIFETIME: Final = timedelta(hours=1)


def stolen_session(
    cloud: Cloud, role_arn: str, *, session_name: str = "stolen", session_policies: Sequence[str] | None = None
) -> Credentials:
    """Give a session of a role as a thief holds it, however its owner came by it: no trust policy is asked.

    Args:
        cloud: where.
        role_arn: the role.
        session_name: the session's name.
        session_policies: the documents that were passed when it was made; None: none were.

    Raises:
        CloudError: there is no such role.
    """
    policies = None if session_policies is None else tuple(session_policies)
    return _enter(cloud, _find(cloud, role_arn), session_name, policies=policies)


def service_session(
    cloud: Cloud, service: str, role_arn: str, *, keys: Mapping[str, str | list[str]] | None = None
) -> Credentials | None:
    """Let an AWS service assume a role for a customer of its, as the trust policy says; None when that refuses.

    Args:
        cloud: where.
        service: the service principal, as ``sns.amazonaws.com``.
        role_arn: the role that the customer names to the service.
        keys: what the service sends of the customer: aws:SourceAccount, aws:SourceArn ...

    Raises:
        CloudError: there is no such role.
    """
    role = _find(cloud, role_arn)
    question = Question("sts:AssumeRole", role.arn, service, {**(keys or {}), **role.tag_keys})
    if not cloud.tokens.authorizer.decide_trust(role.trust, question).allowed:
        return None
    return _enter(cloud, role, service.partition(".")[0])


def _find(cloud: Cloud, role_arn: str) -> Role:
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    role = cloud.tokens.state.role(account, name=name)
    if role is None or role.arn != role_arn:
        raise CloudError(f"there is no role `{role_arn}` in the simulated cloud")
    return role


def _enter(cloud: Cloud, role: Role, name: str, *, policies: tuple[str, ...] | None = None) -> Credentials:
    session = cloud.tokens.ledger.issue(
        arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{name}",
        user_id=f"{role.unique_id}:{name}",
        issuer=Issuer("role", role.arn, role.unique_id, role.account, role.name),
        duration=_LIFETIME,
        session_policies=policies,
    )
    return cloud.credentials_of(
        {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.token,
        }
    )
