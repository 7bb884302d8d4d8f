"""Outsiders whom an identity provider vouches for: a token or an assertion, signed by a provider in the issuer's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pytest_stsguard.replay.demonstration import Demonstration
from pytest_stsguard.replay.principal import SESSION_NAME, finish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.replay.stage import Stage

__all__ = ["with_assertion", "with_token"]

_OIDC = ":oidc-provider/"
_SAML = ":saml-provider/"
_BUILT_IN = frozenset({"accounts.google.com", "cognito-identity.amazonaws.com"})
"""Issuers that STS knows without a provider of the account, and whose tokens are signed."""

_STAND_IN = "the source does not list identity providers: one of that name stands in"
_ANY_AUDIENCE = "the source does not tell the provider's audiences: it is taken to accept this one"
_SAML_OPTIONS = {"saml:sub": "subject", "saml:aud": "recipient"}
_FORMATS = "urn:oasis:names:tc:SAML:2.0:nameid-format:"


def with_token(stage: Stage, role: str, *, principal: str, context: Mapping[str, str | list[str]]) -> Demonstration:
    """Call AssumeRoleWithWebIdentity with a token that the issuer signed."""
    if _OIDC not in principal and principal not in _BUILT_IN:
        return Demonstration(done=False, reason=f"the simulated cloud does not know the tokens of {principal}")
    issuer = principal.partition(_OIDC)[2] or principal
    claims = _claims(issuer, context)
    audience = claims.pop("aud", "sts.amazonaws.com")
    account = role.split(":")[4]
    known = stage.cloud.tokens.state.oidc_audiences(account, issuer)
    if principal not in _BUILT_IN:
        if known is None and "identity providers" not in stage.accounts[account].gaps:
            return Demonstration(done=False, reason=f"the account has no identity provider for {issuer}")
        if known is None or (audience not in known and (not known or principal in stage.stand_ins)):
            _stand_in(stage, principal, audience, new=known is None)
    assumed = stage.stand_ins.get(principal, "")
    provider = stage.issuers.get(issuer)
    if provider is None:
        provider = stage.cloud.oidc_provider("plain", issuer=f"https://{issuer}", audience=audience, register=False)
        stage.issuers[issuer] = provider
    call = f"sts:AssumeRoleWithWebIdentity on {role} with a token of {issuer}"
    for tried in dict.fromkeys((audience, *(known or ()))):
        sent = {**claims, "aud": tried}
        try:
            answer = stage.cloud.client("sts").assume_role_with_web_identity(
                RoleArn=role,
                RoleSessionName=str(context.get("sts:RoleSessionName", SESSION_NAME)),
                WebIdentityToken=provider.token(**sent),
            )
        except ClientError as error:
            refused = error
            continue
        told = ", ".join(f"{name}={value}" for name, value in sent.items())
        return finish(stage, answer, f"{call}: {told}", assumed=assumed)
    raise refused


def _stand_in(stage: Stage, principal: str, audience: str, *, new: bool) -> None:
    """Have IAM know a provider that takes an audience."""
    account = principal.split(":")[4]
    if new:
        url = f"https://{principal.partition(_OIDC)[2]}"
        stage.iam(account).create_open_id_connect_provider(Url=url, ClientIDList=[audience], ThumbprintList=["0" * 40])
        stage.stand_ins[principal] = _STAND_IN
        return
    from moto.iam.models import iam_backends  # noqa: PLC0415 - it has no AddClientIDToOpenIDConnectProvider

    iam_backends[account]["aws"].open_id_providers[principal].client_id_list.append(audience)
    stage.stand_ins.setdefault(principal, _ANY_AUDIENCE)


def _claims(issuer: str, context: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """Give the claims that become the condition keys: STS shows azp as aud, and then aud as oaud."""
    prefix = f"{issuer.lower()}:"
    claims: dict[str, Any] = {
        key[len(prefix) :]: value for key, value in context.items() if key.lower().startswith(prefix)
    }
    if "oaud" in claims:
        claims["azp"], claims["aud"] = claims.get("aud", claims["oaud"]), claims.pop("oaud")
    claims.setdefault("sub", "stsguard")
    return claims


def with_assertion(stage: Stage, role: str, *, principal: str, context: Mapping[str, str | list[str]]) -> Demonstration:
    """Call AssumeRoleWithSAML with a response that the provider signed."""
    account, name = role.split(":")[4], principal.partition(_SAML)[2]
    listed = [one.arn for one in stage.accounts[account].identity_providers]
    gap = "identity providers" in stage.accounts[account].gaps
    if principal not in listed and not gap:
        return Demonstration(done=False, reason=f"the account has no SAML provider {name}")
    keys = {key.lower(): value if isinstance(value, str) else value[0] for key, value in context.items()}
    known = f"{principal} {keys.get('saml:iss', '')}"
    provider = stage.saml.get(known)
    if provider is None:
        provider = stage.cloud.saml_provider(name=name, entity_id=keys.get("saml:iss"), register=False)
        _install(stage.iam(account), provider.metadata, principal)
        provider.arn = principal
        stage.saml[known] = provider
    options: dict[str, Any] = {option: keys[key] for key, option in _SAML_OPTIONS.items() if key in keys}
    if "saml:sub_type" in keys:
        kind = keys["saml:sub_type"]
        options["subject_format"] = f"{_FORMATS}{kind}" if kind in {"persistent", "transient"} else kind
    options["session_name"] = keys.get("sts:rolesessionname", SESSION_NAME)
    options["tags"] = {
        key.partition("/")[2]: value if isinstance(value, str) else value[0]
        for key, value in context.items()
        if key.lower().startswith("aws:requesttag/")
    }
    answer = stage.cloud.client("sts").assume_role_with_saml(
        RoleArn=role, PrincipalArn=principal, SAMLAssertion=provider.response(role, **options)
    )
    call = f"sts:AssumeRoleWithSAML on {role} with an assertion of {name}"
    return finish(
        stage, answer, call, assumed=_STAND_IN if gap else "a provider with a key of its own stands in for it"
    )


def _install(iam: Any, metadata: str, arn: str) -> None:
    """Make the provider known to IAM, in the place of the one whose metadata the source does not hold."""
    if arn in {one["Arn"] for one in iam.list_saml_providers()["SAMLProviderList"]}:
        iam.update_saml_provider(SAMLMetadataDocument=metadata, SAMLProviderArn=arn)
    else:
        iam.create_saml_provider(Name=arn.partition(_SAML)[2], SAMLMetadataDocument=metadata)
