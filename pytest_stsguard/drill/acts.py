"""What a scenario can do: each act is a function of the stage and of the parameters that the file gives it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import SimulatedClock
from pytest_stsguard.cloud.stolen import stolen_session
from pytest_stsguard.drill.answer import expect_of, removed, when_known
from pytest_stsguard.drill.ground import Simulated, cloud_of
from pytest_stsguard.drill.stage import ACCESS, PATH, document
from pytest_stsguard.drill.step import told_as
from pytest_stsguard.drill.theft import ci_session, console_session, container_session, instance_session
from pytest_stsguard.errors import ConfigurationError, DrillError
from pytest_stsguard.revocation import METHODS, Revocation, revoke

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.drill.stage import Stage
    from pytest_stsguard.revocation import Plan

__all__ = ["ACTS", "READ"]

READ = ("s3:ListAllMyBuckets", "dynamodb:ListTables", "iam:ListAccountAliases")
"""What the roles and users of a scenario may do that names nothing: what `scenario.PROBES` ask."""

_READING = ("get_", "list_", "describe_", "head_")
_REMOVING = ("delete_", "detach_", "remove_")
_TRUSTED = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]


def _role(
    stage: Stage, *, name: str, trust: list[str] | None = None, service: str = "", allow: list[str] | None = None
) -> None:
    """Make a role; `trust` names other roles of the scenario or users, else the account is trusted."""
    if name in stage.given:
        stage.adopted[name] = stage.ground.role_arn(stage.given[name])
        stage.note("uses", f"role {stage.given[name]} in the place of {name}")
        return
    who: dict[str, Any] = {
        "AWS": [stage.filled(_braced(one)) for one in trust] if trust else _account(stage),
    }
    if service:
        who = {"Service": service}
    statement = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole" if service else _TRUSTED}
    own = _make(stage, "role", name, AssumeRolePolicyDocument=document([statement]))
    _allow(stage.client("iam").put_role_policy, allow, RoleName=own)


def _make(stage: Stage, kind: str, name: str, **more: Any) -> str:
    """Make a role or user; gives the name that it bears here."""
    own, iam = stage.ground.own_name(name), stage.client("iam")
    stage.ground.making(kind, own)
    label = kind.capitalize()
    parameters = {f"{label}Name": own, "Path": PATH, **stage.ground.creation, **more}
    try:
        made = when_known(stage, partial(getattr(iam, f"create_{kind}"), **parameters))
    except iam.exceptions.EntityAlreadyExistsException:
        # A retried call may have come through the first time; only the drill's own bears its mark.
        made = getattr(iam, f"get_{kind}")(**{f"{label}Name": own})
        marks = stage.ground.creation.get("Tags")
        if not marks or any(mark not in made[label].get("Tags", []) for mark in marks):
            raise
    stage.arns[name] = made[label]["Arn"]
    stage.note("made", f"{kind} {own}")
    return own


def _account(stage: Stage) -> str:
    return f"arn:aws:iam::{stage.ground.account}:root"


def _trust(stage: Stage, *, role: str, principals: list[str]) -> None:
    """Let other roles of the scenario assume a role as well."""
    if role in stage.adopted:
        raise DrillError(f"the trust policy of `{stage.named(role)}` is not the drill's to change")
    who = [_account(stage), *(stage.filled(_braced(one)) for one in principals)]
    statement = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": _TRUSTED}
    update = stage.client("iam").update_assume_role_policy
    when_known(stage, partial(update, RoleName=stage.named(role), PolicyDocument=document([statement])))


def _user(stage: Stage, *, name: str, allow: list[str] | None = None) -> None:
    """Make a user."""
    own = _make(stage, "user", name)
    _allow(stage.client("iam").put_user_policy, allow, UserName=own)


def _allow(put: Callable[..., Any], allow: list[str] | None, **whom: str) -> None:
    statement = {"Effect": "Allow", "Action": list(READ if allow is None else allow), "Resource": "*"}
    if statement["Action"]:
        put(**whom, PolicyName=ACCESS, PolicyDocument=document([statement]))


def _key(stage: Stage, *, user: str, session: str, side: str | None = None) -> None:
    """Make an access key of a user."""
    stage.hold(session, stage.ground.user_credentials(stage.named(user)), side)


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
    name = session_name or session
    if role in stage.adopted and isinstance(stage.ground, Simulated) and not by and not refused:
        # Whoever its trust policy admits has leaked it: that is not what is drilled.
        stolen = stolen_session(stage.ground.cloud, stage.arn(role), session_name=name)
        stage.hold(session, stolen, side)
        return
    sts = stage.client("sts", stage.session(by).credentials if by else None)
    call = partial(sts.assume_role, RoleArn=stage.arn(role), RoleSessionName=name, **parameters)
    closed = refused and by in stage.closed
    answer = expect_of(stage, call, f"{by or 'the runner'} assuming {role}", denied=refused, closed=closed)
    if answer is not None and not refused:
        credentials = stage.ground.credentials_of(answer["Credentials"], answer["AssumedRoleUser"]["Arn"])
        stage.hold(session, credentials, side)
    elif not refused:
        raise DrillError(f"without session `{session}` the drill cannot go on")


def _user_session(stage: Stage, *, by: str, session: str, side: str | None = None) -> None:
    """Take a session token with a user's key."""
    sts = stage.client("sts", stage.session(by).credentials)
    stage.hold(session, stage.ground.credentials_of(when_known(stage, sts.get_session_token)["Credentials"]), side)


def _federate(stage: Stage, *, by: str, session: str, side: str | None = None, allow: list[str] | None = None) -> None:
    """Take a federation token with a user's key."""
    statement = {"Effect": "Allow", "Action": list(READ if allow is None else allow), "Resource": "*"}
    sts = stage.client("sts", stage.session(by).credentials)
    call = partial(sts.get_federation_token, Name=session[:32], Policy=document([statement]))
    answer = expect_of(stage, call, f"{by} asking for a federation token", denied=False)
    if answer is None:
        raise DrillError(f"without session `{session}` the drill cannot go on")
    stage.hold(session, stage.ground.credentials_of(answer["Credentials"], answer["FederatedUser"]["Arn"]), side)


def _revoke(stage: Stage, *, target: str, method: str = "older-sessions", **scope: Any) -> None:
    """End sessions of a role or user by a method, as the defender."""
    if method not in METHODS:
        raise ConfigurationError(f"unknown revocation method `{method}`", hint=f"there are: {', '.join(METHODS)}")
    if "instance" in scope:
        scope["instance"] = cloud_of(stage.ground, "an instance").instance(scope["instance"]).instance_id
    moments = stage.moments

    def keep(revocation: Revocation) -> None:
        closed = {change.setting.where.get("key") for change in revocation.plan.changes}
        stage.closed |= {one.name for one in stage.sessions.values() if one.credentials.access_key_id in closed}
        moments.revoked = moments.revoked or stage.ground.clock.now()
        moments.cleanup_due = max(filter(None, (moments.cleanup_due, revocation.safe_removal)))
        stage.note(told_as(revocation), revocation.summary)

    def begun(planned: Plan) -> None:
        stage.ground.planned(planned)
        # Kept before it is done: what breaks off halfway is put back as well.
        stage.revocations.append(Revocation(planned, stage.client))

    revoke(
        stage.client("iam"),
        stage.named(target),
        method=method,
        clock=stage.ground.clock,
        clients=stage.client,
        planned=begun,
        accepted=keep,
        **scope,
    )


def _attempt(
    stage: Stage, *, session: str, call: str, outcome: str = "allowed", parameters: dict[str, Any] | None = None
) -> None:
    """Let a session make any call, and say what is expected of it."""
    service, _, method = call.partition(".")
    client = stage.client(service, stage.session(session).credentials)
    if not hasattr(client, method) or outcome not in {"allowed", "denied"}:
        raise ConfigurationError(f"`{call}` with outcome `{outcome}` is no call", hint='as "s3.list_buckets", allowed')
    attempt = partial(getattr(client, method), **stage.filled(parameters or {}))
    if method.startswith(_REMOVING):
        attempt = partial(removed, attempt)
    once = not method.startswith(_READING)
    expect_of(stage, attempt, f"{call} by {session}", denied=outcome == "denied", once=once)


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
    key, iam = stage.session(session).credentials.access_key_id, stage.client("iam")
    with suppress(iam.exceptions.NoSuchEntityException):  # a repeated call may have come through the first time
        iam.delete_access_key(UserName=stage.named(user), AccessKeyId=key)
    stage.closed.add(session)
    stage.note("deleted", f"the key {session} of {user}")


def _restart(stage: Stage, *, instance: str, session: str, side: str | None = None) -> None:
    """Stop and start an instance and fetch its new credentials."""
    identity = cloud_of(stage.ground, "an instance").instance(instance).instance_id
    stage.client("ec2").stop_instances(InstanceIds=[identity])
    stage.client("ec2").start_instances(InstanceIds=[identity])
    stage.note("restart", f"{identity} stopped and started")
    instance_session(stage, instance=instance, session=session, side=side)


def _advance(stage: Stage, *, seconds: int) -> None:
    """Let time pass."""
    clock = stage.ground.clock
    clock.wait_until(clock.now() + timedelta(seconds=seconds))
    stage.note("waited", f"{seconds} seconds")


def _take_back(stage: Stage) -> None:
    """Take the containment back now, however early that is."""
    stage.put_back()


def _clean_up(stage: Stage) -> None:
    """Wait until nothing that was revoked can be alive, and take the containment back.

    On an account nobody waits for hours: the stolen sessions are the drill's own, and forgotten when it ends.
    """
    if stage.moments.cleanup_due is not None and isinstance(stage.ground.clock, SimulatedClock):
        stage.ground.clock.wait_until(stage.moments.cleanup_due)
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
