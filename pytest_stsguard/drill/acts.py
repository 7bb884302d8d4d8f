"""What a scenario can do: each act is a function of the stage and of the parameters that the file gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pytest_stsguard.drill.observation import outcome_of
from pytest_stsguard.drill.stage import ACCESS, PATH, document
from pytest_stsguard.drill.theft import ci_session, console_session, container_session, instance_session
from pytest_stsguard.errors import ConfigurationError, DrillError
from pytest_stsguard.revocation import METHODS, revoke

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.drill.stage import Stage

__all__ = ["ACTS"]

_READ = ("s3:ListAllMyBuckets", "dynamodb:ListTables", "iam:ListAccountAliases")
_TRUSTED = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]


def _role(
    stage: Stage, *, name: str, trust: list[str] | None = None, service: str = "", allow: list[str] | None = None
) -> None:
    """Make a role; `trust` names other roles of the scenario or users, else the account is trusted."""
    account = stage.cloud.account
    who: dict[str, Any] = {"AWS": [stage.filled(_braced(one)) for one in trust] if trust else account}
    if service:
        who = {"Service": service}
    statement = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole" if service else _TRUSTED}
    iam = stage.client("iam")
    made = iam.create_role(RoleName=name, Path=PATH, AssumeRolePolicyDocument=document([statement]))
    stage.arns[name] = made["Role"]["Arn"]
    _allow(iam.put_role_policy, allow, RoleName=name)
    stage.note("made", f"role {name}")


def _trust(stage: Stage, *, role: str, principals: list[str]) -> None:
    """Let other roles of the scenario assume a role as well."""
    who = [stage.cloud.account, *(stage.filled(_braced(one)) for one in principals)]
    statement = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": _TRUSTED}
    stage.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=document([statement]))


def _user(stage: Stage, *, name: str, allow: list[str] | None = None) -> None:
    """Make a user."""
    iam = stage.client("iam")
    stage.arns[name] = iam.create_user(UserName=name, Path=PATH)["User"]["Arn"]
    _allow(iam.put_user_policy, allow, UserName=name)
    stage.note("made", f"user {name}")


def _allow(put: Callable[..., Any], allow: list[str] | None, **whom: str) -> None:
    statement = {"Effect": "Allow", "Action": list(_READ if allow is None else allow), "Resource": "*"}
    if statement["Action"]:
        put(**whom, PolicyName=ACCESS, PolicyDocument=document([statement]))


def _key(stage: Stage, *, user: str, session: str, side: str | None = None) -> None:
    """Make an access key of a user."""
    stage.hold(session, stage.cloud.user_credentials(user), side)


def _assume(
    stage: Stage,
    *,
    role: str,
    session: str,
    by: str = "",
    side: str | None = None,
    session_name: str = "",
    refused: bool = False,
    **parameters: Any,
) -> None:
    """Assume a role by the runner or by a session; `refused`: expect that AWS denies it."""
    sts = stage.cloud.client("sts", stage.session(by).credentials) if by else stage.client("sts")
    name = session_name or session
    try:
        answer = sts.assume_role(RoleArn=stage.arn(role), RoleSessionName=name, **parameters)
    except ClientError as error:
        what = f"{by or 'the runner'} assuming {role}"
        _judge_refusal(stage, error, what, expected=refused)
        if not refused:
            raise DrillError(f"without session `{session}` the drill cannot go on") from error
        return
    if refused:
        stage.fail(f"{by or 'the runner'} assuming {role} was allowed, and denied was expected")
    stage.hold(session, stage.cloud.credentials_of(answer["Credentials"]), side)


def _user_session(stage: Stage, *, by: str, session: str, side: str | None = None) -> None:
    """Take a session token with a user's key."""
    answer = stage.cloud.client("sts", stage.session(by).credentials).get_session_token()
    stage.hold(session, stage.cloud.credentials_of(answer["Credentials"]), side)


def _federate(stage: Stage, *, by: str, session: str, side: str | None = None, allow: list[str] | None = None) -> None:
    """Take a federation token with a user's key."""
    statement = {"Effect": "Allow", "Action": list(_READ if allow is None else allow), "Resource": "*"}
    sts = stage.cloud.client("sts", stage.session(by).credentials)
    answer = sts.get_federation_token(Name=session, Policy=document([statement]))
    stage.hold(session, stage.cloud.credentials_of(answer["Credentials"]), side)


def _revoke(stage: Stage, *, target: str, method: str = "older-sessions", **scope: Any) -> None:
    """End sessions of a role or user by a method, as the defender."""
    if method not in METHODS:
        raise ConfigurationError(f"unknown revocation method `{method}`", hint=f"there are: {', '.join(METHODS)}")
    if "instance" in scope:
        scope["instance"] = stage.cloud.instance(scope["instance"]).instance_id
    accepted = stage.cloud.clock.now()
    revocation = revoke(
        stage.client("iam"), target, method=method, clock=stage.cloud.clock, clients=stage.client, **scope
    )
    moments = stage.moments
    moments.revoked = moments.revoked or accepted
    moments.cleanup_due = max(filter(None, (moments.cleanup_due, revocation.safe_removal)))
    stage.revocations.append(revocation)
    stage.note("revoked", revocation.summary)


def _attempt(
    stage: Stage, *, session: str, call: str, outcome: str = "allowed", parameters: dict[str, Any] | None = None
) -> None:
    """Let a session make any call, and say what is expected of it."""
    service, _, method = call.partition(".")
    client = stage.cloud.client(service, stage.session(session).credentials)
    if not hasattr(client, method) or outcome not in {"allowed", "denied"}:
        raise ConfigurationError(f"`{call}` with outcome `{outcome}` is no call", hint='as "s3.list_buckets", allowed')
    try:
        getattr(client, method)(**stage.filled(parameters or {}))
    except ClientError as error:
        _judge_refusal(stage, error, f"{call} by {session}", expected=outcome == "denied")
        return
    if outcome == "denied":
        stage.fail(f"{call} by {session} was allowed, and denied was expected")
    stage.note("allowed", f"{call} by {session}")


def _judge_refusal(stage: Stage, error: ClientError, what: str, *, expected: bool) -> None:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if outcome_of(code, message) != "denied":
        raise DrillError(f"{what} was no authorization decision: {code}: {message}") from None
    stage.note("denied", what)
    if not expected:
        stage.fail(f"{what} was denied, and allowed was expected")


def _expect(stage: Stage, *, session: str, outcome: str, probes: list[str] | None = None) -> None:
    """Probe a session: every probe denied N times in a row, or every probe allowed."""
    held = stage.session(session)
    if outcome == "denied":
        stage.check_denied(held, tuple(probes or ()))
    elif outcome == "allowed":
        stage.check_allowed(held, tuple(probes or ()))
    else:
        raise ConfigurationError(f"`{outcome}` is no outcome", hint="allowed or denied")


def _delete_key(stage: Stage, *, session: str, user: str) -> None:
    """Delete the access key that a session is."""
    key = stage.session(session).credentials.access_key_id
    stage.client("iam").delete_access_key(UserName=user, AccessKeyId=key)
    stage.note("deleted", f"the key {session} of {user}")


def _restart(stage: Stage, *, instance: str, session: str, side: str | None = None) -> None:
    """Stop and start an instance and fetch its new credentials."""
    identity = stage.cloud.instance(instance).instance_id
    stage.client("ec2").stop_instances(InstanceIds=[identity])
    stage.client("ec2").start_instances(InstanceIds=[identity])
    stage.note("restart", f"{identity} stopped and started")
    instance_session(stage, instance=instance, session=session, side=side)


def _advance(stage: Stage, *, seconds: int) -> None:
    """Let time pass."""
    stage.cloud.clock.advance(seconds)
    stage.note("waited", f"{seconds} seconds")


def _take_back(stage: Stage) -> None:
    """Take the containment back now, however early that is."""
    stage.put_back()


def _clean_up(stage: Stage) -> None:
    """Wait until nothing that was revoked can be alive, and take the containment back."""
    if stage.moments.cleanup_due is not None:
        stage.cloud.clock.wait_until(stage.moments.cleanup_due)
    stage.put_back()


def _braced(name: str) -> str:
    return "{" + name + "}"


ACTS: dict[str, Callable[..., None]] = {
    "role": _role,
    "trust": _trust,
    "user": _user,
    "key": _key,
    "assume": _assume,
    "instance": instance_session,
    "container": container_session,
    "ci": ci_session,
    "console": console_session,
    "session-token": _user_session,
    "federate": _federate,
    "revoke": _revoke,
    "attempt": _attempt,
    "expect": _expect,
    "delete-key": _delete_key,
    "restart": _restart,
    "advance": _advance,
    "take-back": _take_back,
    "clean-up": _clean_up,
}
"""Every act by its name."""
