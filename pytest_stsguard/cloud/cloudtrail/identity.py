"""The element userIdentity: who made a call.

See "CloudTrail userIdentity element" in the AWS CloudTrail User Guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat

if TYPE_CHECKING:
    from pytest_stsguard.cloud.identity import Caller

__all__ = ["user_identity"]

_TYPES = {
    "root": "Root",
    "user": "IAMUser",
    "assumed-role": "AssumedRole",
    "federated-user": "FederatedUser",
    "web-identity": "WebIdentityUser",
    "saml": "SAMLUser",
}


def user_identity(caller: Caller | None, claimed_key: str | None) -> dict[str, Any]:
    """Tell who called; None stands for a caller who was not recognised, with the key that was claimed."""
    if caller is None:
        return {"type": "Unknown", "principalId": "", **({"accessKeyId": claimed_key} if claimed_key else {})}
    if caller.is_anonymous:
        return {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}
    identity: dict[str, Any] = {
        "type": _TYPES[caller.kind],
        "principalId": caller.user_id,
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": caller.access_key_id,
    }
    if caller.identity_provider is not None:
        identity |= {"userName": caller.name, "identityProvider": caller.identity_provider}
        return {key: value for key, value in identity.items() if value}
    if caller.kind == "user":
        identity["userName"] = caller.name
    if caller.session is not None:
        identity["sessionContext"] = _session_context(caller)
        instance = caller.session.context.get("ec2:SourceInstanceARN")
        if instance:
            identity["inScopeOf"] = {"issuerType": "AWS::EC2::Instance", "credentialsIssuedTo": instance}
    return identity


def _session_context(caller: Caller) -> dict[str, Any]:
    session = caller.session
    assert session is not None  # noqa: S101 - the caller's branch; keeps the types honest
    context: dict[str, Any] = {}
    issuer = session.issuer
    # A session token stands for its user itself; every other session has an issuer.
    if session.kind != "session-token":
        context["sessionIssuer"] = {
            "type": {"role": "Role", "user": "IAMUser", "root": "Root"}[issuer.kind],
            "principalId": issuer.unique_id,
            "arn": issuer.arn,
            "accountId": issuer.account,
            "userName": issuer.name,
        }
    if session.kind == "web-identity":
        provider = session.context.get("aws:FederatedProvider")
        context["webIdFederationData"] = {"federatedProvider": provider, "attributes": {}}
    context["attributes"] = {
        "creationDate": isoformat(session.issued_at),
        "mfaAuthenticated": str(session.context.get("aws:MultiFactorAuthPresent", "false")),
    }
    if session.mfa_at is not None:
        context["attributes"]["mfaAuthenticated"] = "true"
    if session.kind == "root-task":
        context["assumedRoot"] = "true"
    if session.source_identity:
        context["sourceIdentity"] = session.source_identity
    delivery = session.context.get("ec2:RoleDelivery")
    if delivery:
        context["ec2RoleDelivery"] = delivery
    return context
