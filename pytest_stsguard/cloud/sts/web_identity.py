"""AssumeRoleWithWebIdentity: with the signed token of an OIDC provider, and no signature of AWS's own.

See "AssumeRoleWithWebIdentity" in the AWS STS API Reference and "OIDC federation" in the IAM User Guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.identity import Caller
from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.identity_token import IdentityToken
from pytest_stsguard.cloud.sts.refusals import refuse
from pytest_stsguard.cloud.sts.roles import Wish, account_in, answer_of, assumed, enter, find_role, first_denial
from pytest_stsguard.cloud.sts.tags import SessionTags, checked, session_tags

if TYPE_CHECKING:
    from pytest_stsguard.cloud.sts.service import Context, Keys

__all__ = ["assume_role_with_web_identity"]

_OPERATION: Final = "AssumeRoleWithWebIdentity"
_TAGS: Final = "https://aws.amazon.com/tags"
_SOURCE_IDENTITY: Final = "https://aws.amazon.com/source_identity"
_BUILT_IN: Final = frozenset({"accounts.google.com", "cognito-identity.amazonaws.com"})
"""Issuers of signed tokens that STS knows by itself: no account has a provider for them, and policies name them so.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
"""


def assume_role_with_web_identity(context: Context) -> dict[str, Any]:
    """Answer AssumeRoleWithWebIdentity."""
    given = context.parameters
    read.refuse_parameters(given, _OPERATION, "ProviderId")
    role_arn = read.required(given, "RoleArn")
    session_name = read.required(given, "RoleSessionName")
    text = read.required(given, "WebIdentityToken")
    seconds = read.duration(given, limits.SESSION_BY_KIND["web-identity"].seconds)
    read.token_size(given)
    account = account_in(role_arn)
    token = _verified(context, text, account)
    context.record.caller = _caller(token)
    wish = Wish(
        session_name,
        seconds,
        "web-identity",
        _tags(token),
        _source_identity(token),
        {**token.session_context(), "aws:FederatedProvider": _principal(token, account)},
    )
    session, policies = _entered(context, token, role_arn, wish)
    provider = wish.context["aws:FederatedProvider"]
    return (
        answer_of(session, policies)
        | assumed(session)
        | {"SubjectFromWebIdentityToken": token.subject, "Audience": token.audience(), "Provider": provider}
    )


def _principal(token: IdentityToken, account: str) -> str:
    """Name the provider as trust policies do."""
    return token.provider if token.provider in _BUILT_IN else f"arn:aws:iam::{account}:oidc-provider/{token.provider}"


def _verified(context: Context, text: str, account: str) -> IdentityToken:
    """Check the token against the provider of the role's account, and against what the provider publishes."""
    token = IdentityToken.read(text)
    if token.provider in _BUILT_IN:
        # The audience is the trust policy's to ask for.
        token.verify(context.tokens.issuers, context.clock.now())
        return token
    audiences = context.state.oidc_audiences(account, token.provider) if token.issuer.startswith("https://") else None
    if audiences is None:
        raise refuse("jwt-provider", issuer=token.issuer[:200])
    if token.audience() not in audiences:
        raise refuse("jwt-audience")
    token.verify(context.tokens.issuers, context.clock.now())
    return token


def _entered(context: Context, token: IdentityToken, role_arn: str, wish: Wish) -> tuple[Any, Any]:
    role = find_role(context, role_arn)
    if role is None:
        raise refuse("provider-role", operation=_OPERATION)
    actions = [f"sts:{_OPERATION}"]
    actions += ["sts:TagSession"] if wish.tags else []
    actions += ["sts:SetSourceIdentity"] if wish.source_identity else []
    keys: Keys = {**context.surroundings, **token.trust_context(), **wish.tags.context()}
    keys |= {"sts:RoleSessionName": wish.session_name, "aws:FederatedProvider": wish.context["aws:FederatedProvider"]}
    if wish.source_identity:
        keys["sts:SourceIdentity"] = wish.source_identity
    provider = str(wish.context["aws:FederatedProvider"])
    if first_denial(context, role, actions, principal=provider, keys=keys, caller=None) is not None:
        raise refuse("provider-role", operation=_OPERATION)
    return enter(context, role, wish)


def _tags(token: IdentityToken) -> SessionTags:
    """Read the session tags that the provider put into the token."""
    found = token.claims.get(_TAGS, {})
    principal, transitive = (
        (found.get("principal_tags", {}), found.get("transitive_tag_keys", ())) if _is(found) else ({}, ())
    )
    if not _is(principal) or not isinstance(transitive, (list, tuple)):
        raise refuse("jwt-shape")
    pairs = [
        (str(key), str(value[0] if isinstance(value, list) and value else value)) for key, value in principal.items()
    ]
    return session_tags(checked(pairs), (str(key) for key in transitive), None)


def _source_identity(token: IdentityToken) -> str | None:
    value = token.claims.get(_SOURCE_IDENTITY)
    return None if value is None else read.text({"SourceIdentity": str(value)}, "SourceIdentity")


def _is(value: object) -> bool:
    return isinstance(value, dict)


def _caller(token: IdentityToken) -> Caller:
    user_id = f"{token.provider}:{token.audience()}:{token.subject}"
    return Caller("web-identity", "", user_id, "", "", token.subject, identity_provider=token.provider)
