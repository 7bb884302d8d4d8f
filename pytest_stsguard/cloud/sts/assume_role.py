"""AssumeRole: the trust policy is asked with all its conditions, and the session is entered in the ledger.

See "AssumeRole" in the AWS STS API Reference and "Requesting temporary security credentials" in the IAM User Guide.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.ledger import Issuer
from pytest_stsguard.cloud.sts import parameters as read
from pytest_stsguard.errors import PolicyError, UnsupportedError
from pytest_stsguard.policy import Policy
from pytest_stsguard.policy import Request as Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.state import Role
    from pytest_stsguard.cloud.sts.service import Context

__all__ = ["assume_role"]

_ROLE_ARN = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):role/(?:[\x21-\x7e]+/)?([\w+=,.@-]{1,64})")
_NAME = r"[\w+=,.@-]*"
_DEFAULT_SECONDS = 3600
_LONGEST_SECONDS = 43_200
_CHAINED_SECONDS = 3600
_NOT_YET = ("SerialNumber", "TokenCode", "Tags", "TransitiveTagKeys", "ProvidedContexts")
_POLICY_CHARACTERS = 2048
_POLICY_ARNS = 10


def assume_role(context: Context) -> dict[str, Any]:
    """Answer AssumeRole: credentials of a new session, or the refusal that AWS gives."""
    caller, given = context.caller, context.parameters
    for name in _NOT_YET:
        if given.get(name):
            raise Fault(Refusal.NOT_SIMULATED, f"stsguard does not simulate `{name}` of sts:AssumeRole yet")
    session_name = read.text(given, "RoleSessionName", shortest=2, longest=64, pattern=_NAME, required=True)
    source_identity = read.text(given, "SourceIdentity", shortest=2, longest=64, pattern=_NAME)
    read.text(given, "ExternalId", shortest=2, longest=1224, pattern=r"[\w+=,.@:\/-]*")
    role_arn = read.text(
        given, "RoleArn", shortest=20, longest=2048, pattern=r"[\x09\x0A\x0D\x20-\x7E\x85\xA0-\uD7FF]+", required=True
    )
    seconds = read.duration(given, default=_DEFAULT_SECONDS, longest=_LONGEST_SECONDS)
    if caller.kind == "root":
        raise Fault(Refusal.ACCESS_DENIED, "Roles may not be assumed by root accounts.")
    role = _admitted(context, str(role_arn))
    _check_duration(context, role, seconds)
    session = context.ledger.issue(
        arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{session_name}",
        user_id=f"{role.unique_id}:{session_name}",
        issuer=Issuer("role", role.arn, role.unique_id, role.account, role.name),
        duration=timedelta(seconds=seconds),
        session_policies=_session_policies(context, role.account),
        source_identity=source_identity or _inherited_identity(context),
    )
    answer: dict[str, Any] = {
        "Credentials": {
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.token,
            "Expiration": session.expires_at,
        },
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
    }
    if session.source_identity:
        answer["SourceIdentity"] = session.source_identity
    return answer


def _admitted(context: Context, role_arn: str) -> Role:
    """Find the role and ask its trust policy, for AssumeRole and for what is authorized beside it."""
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None:
        raise read.invalid(f"{role_arn} is invalid")
    role = context.state.role(match.group(1), name=match.group(2))
    actions = ["sts:AssumeRole"]
    if context.parameters.get("SourceIdentity"):
        actions.append("sts:SetSourceIdentity")
    for action in actions:
        denial = f"User: {context.caller.arn} is not authorized to perform: {action} on resource: {role_arn}"
        if role is None or role.arn != role_arn:
            raise Fault(Refusal.ACCESS_DENIED, denial)
        question = Question(action, role.arn, context.caller.arn, _keys(context))
        decision = context.authorizer.decide_trust(role.trust, question, caller=context.caller)
        context.decisions.append(decision)
        if not decision.allowed:
            why = f" {decision.reason()}" if decision.outcome == "explicitDeny" else ""
            raise Fault(Refusal.ACCESS_DENIED, denial + why)
    assert role is not None  # noqa: S101 - the loop has run at least once
    return role


def _keys(context: Context) -> Mapping[str, str | list[str]]:
    given = context.parameters
    keys: dict[str, str | list[str]] = {
        **context.surroundings,
        **context.caller.context,
        "sts:RoleSessionName": given["RoleSessionName"],
    }
    if "ExternalId" in given:
        keys["sts:ExternalId"] = given["ExternalId"]
    if "SourceIdentity" in given:
        keys["sts:SourceIdentity"] = given["SourceIdentity"]
    return keys


def _check_duration(context: Context, role: Role, seconds: int) -> None:
    """A session by a session lasts an hour; any other no longer than the role says."""
    if context.caller.session is not None and context.caller.session.issuer.kind == "role":
        if seconds > _CHAINED_SECONDS:
            raise read.invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
            )
    elif seconds > role.max_session_duration:
        raise read.invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _inherited_identity(context: Context) -> str | None:
    return context.caller.session.source_identity if context.caller.session else None


def _session_policies(context: Context, account: str) -> tuple[str, ...] | None:
    """Collect the inline and the managed session policies; None when neither was passed."""
    inline = context.parameters.get("Policy")
    arns = [entry.get("arn", "") for entry in context.parameters.get("PolicyArns") or ()]
    if inline is None and not arns:
        return None
    if inline is not None and len(inline) > _POLICY_CHARACTERS:
        raise read.invalid(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_POLICY_CHARACTERS}"
        )
    if len(arns) > _POLICY_ARNS:
        raise read.invalid(f"The number of managed session policies exceeds {_POLICY_ARNS}")
    texts = [] if inline is None else [str(inline)]
    texts += [context.state.managed_policy_text(account, arn) for arn in arns]
    for text in texts:
        try:
            Policy.parse(text, kind="session")
        except UnsupportedError as error:
            raise Fault(Refusal.NOT_SIMULATED, f"session policy: {error}") from error
        except PolicyError as error:
            raise Fault(None, str(error), code="MalformedPolicyDocument") from error
    return tuple(json.dumps(json.loads(text)) for text in texts)
