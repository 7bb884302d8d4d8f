"""Every refusal of the token service: code, status and message, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pytest_stsguard.cloud.faults import Fault

__all__ = ["REFUSALS", "Refusal", "refuse"]

_MFA: Final = "MultiFactorAuthentication failed"
_VERIFY: Final = "Please verify your MFA serial number is valid and associated with this user."


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal; `message` is a template, `inferred` says that AWS's own wording is not published."""

    code: str
    status: int
    message: str
    inferred: bool = False


def _denied(message: str, *, inferred: bool = False) -> Refusal:
    return Refusal("AccessDenied", 403, message, inferred)


def _invalid(message: str, *, inferred: bool = False) -> Refusal:
    return Refusal("ValidationError", 400, message, inferred)


def _identity(message: str, *, inferred: bool = False) -> Refusal:
    return Refusal("InvalidIdentityToken", 400, message, inferred)


def _value(message: str, *, inferred: bool = False) -> Refusal:
    return Refusal("InvalidParameterValue", 400, message, inferred)


REFUSALS: Final = {
    "constraint": _invalid(
        "1 validation error detected: Value {value} at '{name}' failed to satisfy constraint: {rule}"
    ),
    "invalid-arn": _invalid("{arn} is invalid"),
    "role-denied": _denied("User: {caller} is not authorized to perform: {action} on resource: {resource}{reason}"),
    "root-assumes": _denied("Roles may not be assumed by root accounts."),
    "chained-duration": _invalid(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    ),
    "role-duration": _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
    "session-calls": _denied("Cannot call {operation} with session credentials"),
    "federation-calls": _denied("Cannot call {operation} with federation credentials", inferred=True),
    "source-identity": _denied("SourceIdentity is already set for this session and cannot be changed", inferred=True),
    "packed": Refusal(
        "PackedPolicyTooLarge", 400, "Packed policy consumes {percent}% of allotted space, please use smaller policy."
    ),
    "policy-arns": _invalid("The number of managed session policies exceeds {most}", inferred=True),
    "malformed-policy": Refusal("MalformedPolicyDocument", 400, "{problem}"),
    "no-such-policy": _invalid("{arn} does not exist or is not attachable", inferred=True),
    "tag-duplicate": _value("Duplicate tag keys found. Please note that Tag keys are case insensitive."),
    "tag-transitive": _value("The specified transitive tag key must be included in the requested tags."),
    "tag-inherited": _value(
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the "
        "calling session."
    ),
    "tag-reserved": _value("Tag keys that begin with aws: are reserved for AWS", inferred=True),
    "mfa-both": _denied(f"{_MFA}, must provide both MFA serial number and one time pass code."),
    "mfa-code": _denied(f"{_MFA} with invalid MFA one time pass code."),
    "mfa-device": _denied(f"{_MFA}, unable to validate MFA code.  {_VERIFY}"),
    "mfa-enable": Refusal("InvalidAuthenticationCode", 403, "Authentication code for device is not valid."),
    "region": Refusal(
        "RegionDisabledException",
        403,
        "STS is not activated in this region for account:{account}. Your account administrator can activate STS in this "
        "region using the IAM Console.",
    ),
    "global-endpoint": _denied("{operation} is not available on the STS global endpoint", inferred=True),
    "provider-role": _denied("Not authorized to perform sts:{operation}"),
    "jwt-shape": _identity(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
    ),
    "jwt-claim": _identity("Missing a required claim: {claim}"),
    "jwt-provider": _identity("No OpenIDConnect provider found in your account for {issuer}"),
    "jwt-audience": _identity("Incorrect token audience"),
    "jwt-keys": _identity(
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
        "documentation for requirements"
    ),
    "jwt-signature": _identity("The signature of the token is not valid", inferred=True),
    "jwt-early": _identity("The token is not yet valid", inferred=True),
    "jwt-expired": Refusal(
        "ExpiredTokenException",
        400,
        "Token expired: current date/time {now} must be before the expiration date/time {expires}",
    ),
    "jwt-unreachable": Refusal(
        "IDPCommunicationError", 400, "An error occurred when communicating with the identity provider", inferred=True
    ),
    "saml-shape": _identity("Invalid base64 SAMLResponse or XML", inferred=True),
    "saml-account": _denied("Principal exists outside the account of the Role being assumed"),
    "saml-provider": _identity("Specified provider doesn't exist"),
    "saml-metadata": _identity("Could not parse metadata"),
    "saml-issuer": _identity("Issuer not present in specified provider"),
    "saml-signature": _identity("Response signature invalid"),
    "saml-status": Refusal("IDPRejectedClaim", 403, "The identity provider reported that authentication failed"),
    "saml-audience": _identity("Response does not contain the required audience."),
    "saml-recipient": _identity("Response does not contain the required recipient.", inferred=True),
    "saml-early": _identity("Response is not yet valid", inferred=True),
    "saml-late": Refusal("ExpiredTokenException", 400, "Token must be redeemed within 5 minutes of issuance"),
    "saml-replay": _identity("Response has already been redeemed", inferred=True),
    "saml-subject": _identity("NameID is required in AuthnResponse", inferred=True),
    "saml-name": _identity("RoleSessionName is required in AuthnResponse"),
    "saml-name-pattern": _identity("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{{2,64}}"),
    "saml-source": _identity('Source Identity must match [a-zA-Z_0-9+=,.@-]{{2,64}} and not begin with "aws:"'),
    "decode": Refusal("InvalidAuthorizationMessageException", 400, "Message is not valid"),
    "root-task-policy": _invalid("{arn} is not a policy that AssumeRoot accepts", inferred=True),
    "key-id": _invalid("The access key id is not valid", inferred=True),
    "outbound-disabled": Refusal(
        "OutboundWebIdentityFederationDisabledException",
        403,
        "The outbound web identity federation feature is not enabled for this account.",
    ),
    "outbound-duration": Refusal(
        "SessionDurationEscalationException",
        403,
        "The requested token duration would extend the session beyond its original expiration time.",
    ),
}
"""The refusals by the names that this package gives them."""


def refuse(name: str, /, **facts: object) -> Fault:
    """Make the fault of that name, its message filled with `facts`."""
    refusal = REFUSALS[name]
    return Fault(None, refusal.message.format(**facts), code=refusal.code, status=refusal.status)
