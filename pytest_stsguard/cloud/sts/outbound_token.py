"""GetWebIdentityToken: a token that AWS signs about a caller, for services elsewhere.

See "GetWebIdentityToken" in the AWS STS API Reference.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.cloud.sts.refusals import refuse
from pytest_stsguard.cloud.sts.tags import read_tags

if TYPE_CHECKING:
    from pytest_stsguard.cloud.sts.service import Context

__all__ = ["get_web_identity_token"]

_CLAIM: Final = "https://sts.amazonaws.com/"
_ALGORITHMS: Final = frozenset({"RS256", "ES384"})
_MOST_AUDIENCES: Final = 10


def get_web_identity_token(context: Context) -> dict[str, Any]:
    """Answer GetWebIdentityToken."""
    caller, given = context.caller, context.parameters
    audiences = [str(one) for one in given.get("Audience") or ()]
    if not 1 <= len(audiences) <= _MOST_AUDIENCES or not all(1 <= len(one) <= 1000 for one in audiences):  # noqa: PLR2004 - AWS's
        rule = f"Member must have length between 1 and {_MOST_AUDIENCES}"
        raise refuse("constraint", value=f"{len(audiences)} audiences", name="audience", rule=rule)
    algorithm = read.required(given, "SigningAlgorithm")
    if algorithm not in _ALGORITHMS:
        rule = f"Member must satisfy enum value set: [{', '.join(sorted(_ALGORITHMS))}]"
        raise refuse("constraint", value=f"'{algorithm}'", name="signingAlgorithm", rule=rule)
    seconds = read.duration(given, limits.TOKEN_SECONDS)
    tags = read_tags(given)
    issuer = context.tokens.outbound.issuer(caller.account)
    keys: dict[str, str | list[str]] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    keys |= {
        "sts:IdentityTokenAudience": audiences,
        "sts:SigningAlgorithm": algorithm,
        "sts:DurationSeconds": str(seconds),
    }
    if tags:
        keys["aws:TagKeys"] = list(tags)
    context.require("sts:GetWebIdentityToken", "*", keys)
    now = int(context.clock.now().timestamp())
    if caller.session is not None and now + seconds > caller.session.expires_at.timestamp():
        raise refuse("outbound-duration")
    details: dict[str, Any] = {
        "aws_account": caller.account,
        "source_region": context.call.region,
        "principal_tags": _principal_tags(context),
        "request_tags": tags,
    }
    token = issuer.token(
        algorithm=algorithm,
        sub=_subject(context),
        aud=audiences[0] if len(audiences) == 1 else audiences,
        iat=now,
        nbf=now,
        exp=now + seconds,
        **{_CLAIM: {name: value for name, value in details.items() if value}},
    )
    return {"WebIdentityToken": token, "Expiration": datetime.fromtimestamp(now + seconds, UTC)}


def _subject(context: Context) -> str:
    """Whom the token is about: a session's role, or the user itself."""
    session = context.caller.session
    return session.issuer.arn if session is not None and session.issuer.kind == "role" else context.caller.arn


def _principal_tags(context: Context) -> dict[str, Any]:
    prefix = "aws:PrincipalTag/"
    found = context.caller.context.items()
    return {key.removeprefix(prefix): value for key, value in found if key.startswith(prefix)}
