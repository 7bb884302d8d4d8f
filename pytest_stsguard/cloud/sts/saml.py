"""AssumeRoleWithSAML: with the signed response of a SAML identity provider.

See "AssumeRoleWithSAML" in the AWS STS API Reference and "SAML 2.0 federation" in the IAM User Guide.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.identity import Caller
from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.refusals import refuse
from pytest_stsguard.cloud.sts.roles import Wish, account_in, answer_of, assumed, enter, find_role, first_denial
from pytest_stsguard.cloud.sts.saml_response import Assertion, Metadata
from pytest_stsguard.cloud.sts.tags import SessionTags, checked, session_tags

if TYPE_CHECKING:
    from pytest_stsguard.cloud.state import Role
    from pytest_stsguard.cloud.sts.service import Context, Keys

__all__ = ["assume_role_with_saml"]

_OPERATION: Final = "AssumeRoleWithSAML"
_PROVIDER: Final = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):saml-provider/([\w._-]{1,128})")
_ATTRIBUTES: Final = "https://aws.amazon.com/SAML/Attributes/"
_AUDIENCES: Final = frozenset({"https://signin.aws.amazon.com/saml", "urn:amazon:webservices"})
_RECIPIENT: Final = re.compile(r"https://([\w-]+\.)?signin\.aws\.amazon\.com/saml(/acs/\w+)?")
_NAME: Final = re.compile(r"[a-zA-Z_0-9+=,.@-]{2,64}")
_FORMATS: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
_PERSON: Final = "urn:oid:1.3.6.1.4.1.5923.1."

# Attributes of well-known schemas that are condition keys of the trust policy.
_KEYS: Final = {
    "urn:oid:2.5.4.3": "SAML:cn",
    **{
        f"{_PERSON}1.1.{number}": f"SAML:{name}"
        for number, name in enumerate(
            (
                *("eduPersonAffiliation", "eduPersonNickname", "eduPersonOrgDN", "eduPersonOrgUnitDN"),
                *("eduPersonPrimaryAffiliation", "eduPersonPrincipalName", "eduPersonEntitlement"),
                *("eduPersonPrimaryOrgUnitDN", "eduPersonScopedAffiliation", "eduPersonTargetedID"),
                "eduPersonAssurance",
            ),
            start=1,
        )
    },
}


def assume_role_with_saml(context: Context) -> dict[str, Any]:
    """Answer AssumeRoleWithSAML."""
    given = context.parameters
    role_arn = read.required(given, "RoleArn")
    principal = read.required(given, "PrincipalArn")
    text = read.required(given, "SAMLAssertion")
    seconds = read.duration(given, limits.SESSION_BY_KIND["saml"].seconds)
    read.token_size(given)
    match = _PROVIDER.fullmatch(principal)
    if match is None:
        raise refuse("invalid-arn", arn=principal[:200])
    if match.group(1) != account_in(role_arn):
        raise refuse("saml-account")
    document = context.state.saml_metadata(match.group(1), match.group(2))
    if document is None:
        raise refuse("saml-provider")
    assertion = Assertion.read(text, Metadata.read(document))
    qualifier = _name_qualifier(assertion, match.group(1), match.group(2))
    context.record.caller = _caller(assertion, qualifier)
    _check_time(context, assertion)
    recipient = _check_addressee(assertion)
    if [role_arn, principal] not in _role_pairs(assertion):
        raise refuse("provider-role", operation=_OPERATION)
    keys = _keys(assertion, recipient, qualifier, f"{match.group(1)}/{match.group(2)}")
    wish = _wish(context, assertion, seconds, keys, principal)
    role = _admitted(context, wish, keys, role_arn, principal)
    context.tokens.redeem(principal, assertion.identifier, assertion.issued_at)
    session, policies = enter(context, role, wish)
    return (
        answer_of(session, policies)
        | assumed(session)
        | {
            "Subject": assertion.subject,
            "SubjectType": keys["SAML:sub_type"],
            "Issuer": assertion.issuer,
            "Audience": recipient,
            "NameQualifier": qualifier,
        }
    )


def _check_time(context: Context, assertion: Assertion) -> None:
    now = context.clock.now()
    late = now >= assertion.issued_at + timedelta(seconds=limits.SAML_REDEEM_SECONDS)
    if late or (assertion.not_after is not None and now >= assertion.not_after):
        raise refuse("saml-late")
    if now < assertion.issued_at or (assertion.not_before is not None and now < assertion.not_before):
        raise refuse("saml-early")


def _check_addressee(assertion: Assertion) -> str:
    """Check for whom the assertion is; gives its recipient, which is SAML:aud."""
    if not _AUDIENCES & set(assertion.audiences):
        raise refuse("saml-audience")
    recipient = next((one for one in assertion.recipients if _RECIPIENT.fullmatch(one)), None)
    if recipient is None:
        raise refuse("saml-recipient")
    return recipient


def _role_pairs(assertion: Assertion) -> list[list[str]]:
    """Give the pairs of role and provider that the assertion offers, written in either order."""
    pairs = []
    for value in assertion.attributes.get(f"{_ATTRIBUTES}Role", ()):
        parts = [part.strip() for part in value.split(",")]
        pairs.append(sorted(parts, key=lambda part: ":saml-provider/" in part))
    return pairs


def _wish(context: Context, assertion: Assertion, seconds: int, keys: Keys, principal: str) -> Wish:
    names = assertion.attributes.get(f"{_ATTRIBUTES}RoleSessionName", ())
    if len(names) != 1:
        raise refuse("saml-name")
    if not _NAME.fullmatch(names[0]):
        raise refuse("saml-name-pattern")
    source = next(iter(assertion.attributes.get(f"{_ATTRIBUTES}SourceIdentity", ())), None)
    if source is not None and (not _NAME.fullmatch(source) or source.startswith("aws:")):
        raise refuse("saml-source")
    if assertion.session_ends is not None:
        left = int((assertion.session_ends - context.clock.now()).total_seconds())
        seconds = max(0, min(seconds, left))
    kept = {name: keys[name] for name in ("SAML:sub", "SAML:sub_type", "SAML:namequalifier")}
    carried = {**kept, "aws:FederatedProvider": principal}
    return Wish(names[0], seconds, "saml", _tags(assertion), source, carried)


def _tags(assertion: Assertion) -> SessionTags:
    prefix = f"{_ATTRIBUTES}PrincipalTag:"
    found = assertion.attributes.items()
    pairs = [
        (name.removeprefix(prefix), values[0] if values else "") for name, values in found if name.startswith(prefix)
    ]
    return session_tags(checked(pairs), assertion.attributes.get(f"{_ATTRIBUTES}TransitiveTagKeys", ()), None)


def _keys(assertion: Assertion, recipient: str, qualifier: str, provider: str) -> Keys:
    form = assertion.subject_format
    keys: Keys = {
        "SAML:aud": recipient,
        "SAML:iss": assertion.issuer,
        "SAML:sub": assertion.subject,
        "SAML:sub_type": form.removeprefix(_FORMATS) if form.startswith(_FORMATS) else form,
        "SAML:doc": provider,
        "SAML:namequalifier": qualifier,
    }
    for name, key in _KEYS.items():
        if name in assertion.attributes:
            keys[key] = list(assertion.attributes[name])
    return keys


def _admitted(context: Context, wish: Wish, saml: Keys, role_arn: str, principal: str) -> Role:
    role = find_role(context, role_arn)
    if role is None:
        raise refuse("provider-role", operation=_OPERATION)
    actions = [f"sts:{_OPERATION}"]
    actions += ["sts:TagSession"] if wish.tags else []
    actions += ["sts:SetSourceIdentity"] if wish.source_identity else []
    keys: Keys = {**context.surroundings, **saml, **wish.tags.context(), "aws:FederatedProvider": principal}
    keys["sts:RoleSessionName"] = wish.session_name
    if wish.source_identity:
        keys["sts:SourceIdentity"] = wish.source_identity
    if first_denial(context, role, actions, principal=principal, keys=keys, caller=None) is not None:
        raise refuse("provider-role", operation=_OPERATION)
    return role


def _name_qualifier(assertion: Assertion, account: str, provider: str) -> str:
    """Hash issuer, account and provider, as the API reference describes; SHA-1 is AWS's choice and guards nothing."""
    text = f"{assertion.issuer}{account}/{provider}"
    return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


def _caller(assertion: Assertion, qualifier: str) -> Caller:
    user_id = f"{qualifier}:{assertion.subject}"
    return Caller("saml", "", user_id, "", "", assertion.subject, identity_provider=qualifier)
