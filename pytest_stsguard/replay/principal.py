"""Outsiders with an AWS identity: a role or a user of some account, or a service that acts for a customer."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.inprocess import calling_from
from pytest_stsguard.cloud.stolen import service_session, stolen_session
from pytest_stsguard.cloud.sts.devices import totp
from pytest_stsguard.cloud.sts.limits import MFA_STEP_SECONDS
from pytest_stsguard.replay.demonstration import Demonstration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud import Credentials
    from pytest_stsguard.replay.stage import Stage

__all__ = ["SESSION_NAME", "as_principal", "as_service", "finish"]

SESSION_NAME = "stsguard-replay"
_SESSION = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/([^/]+)")
_ENTITY = re.compile(r"arn:aws:iam::\d{12}:(role|user)/.+")
_TAG = "aws:principaltag/"
_REQUEST_TAG = "aws:requesttag/"


def as_principal(stage: Stage, role: str, *, principal: str, context: Mapping[str, str | list[str]]) -> Demonstration:
    """Call AssumeRole as a role or user of any account."""
    keys = {key.lower(): _text(value) for key, value in context.items()}
    named = {key[len(_TAG) :]: _text(value) for key, value in context.items() if key.lower().startswith(_TAG)}
    multi_factor = keys.get("aws:multifactorauthpresent") == "true"
    assumed = ""
    if multi_factor and ":role/" in principal:
        assumed = f"a user shows the MFA device: a session of {principal} has none"
        principal = principal.replace(":role/", ":user/", 1)
    match = _SESSION.fullmatch(principal)
    entity = f"arn:aws:iam::{match[1]}:role/{match[2]}" if match else principal
    if not _ENTITY.fullmatch(entity):
        return Demonstration(done=False, reason=f"`{principal}` cannot call sts:AssumeRole")
    stage.invite(entity, named)
    account = entity.split(":")[4]
    if account not in stage.accounts:
        stage.join(account, keys.get("aws:principalorgid"))
    parameters = _parameters(context, keys)
    if ":user/" in entity:
        caller = stage.key_of(entity)
        if multi_factor:
            parameters |= _device(stage, entity)
    else:
        caller = stolen_session(stage.cloud, entity, session_name=match[3] if match else SESSION_NAME)
    with ExitStack() as stack:
        if "aws:sourceip" in keys:
            stack.enter_context(calling_from(keys["aws:sourceip"]))
        answer = stage.cloud.client("sts", caller).assume_role(RoleArn=role, **parameters)
    return finish(stage, answer, f"sts:AssumeRole on {role} by {principal}", assumed=assumed)


def as_service(stage: Stage, role: str, *, principal: str, context: Mapping[str, str | list[str]]) -> Demonstration:
    """Let a service assume the role for a customer of its that is not the account."""
    credentials = service_session(stage.cloud, principal, role, keys=context)
    if credentials is None:
        return Demonstration(done=False, reason=f"the trust policy refuses {principal}")
    return _shown(stage, credentials, f"sts:AssumeRole on {role} by the service {principal}")


def finish(stage: Stage, answer: Mapping[str, Any], call: str, *, assumed: str = "") -> Demonstration:
    """Use the new session once, as its holder would, and tell of it."""
    return _shown(stage, stage.cloud.credentials_of(answer["Credentials"]), call, assumed=assumed)


def _shown(stage: Stage, credentials: Credentials, call: str, *, assumed: str = "") -> Demonstration:
    arn = stage.cloud.client("sts", credentials).get_caller_identity()["Arn"]
    return Demonstration(done=True, calls=(call, f"sts:GetCallerIdentity answered {arn}"), reason=assumed)


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else next(iter(value), "")


def _parameters(context: Mapping[str, str | list[str]], keys: Mapping[str, str]) -> dict[str, Any]:
    """Write the parameters of AssumeRole that bring the condition keys about."""
    found: dict[str, Any] = {"RoleSessionName": keys.get("sts:rolesessionname", SESSION_NAME)}
    for key, name in (("sts:externalid", "ExternalId"), ("sts:sourceidentity", "SourceIdentity")):
        if key in keys:
            found[name] = keys[key]
    tags = [
        {"Key": key[len(_REQUEST_TAG) :], "Value": _text(value)}
        for key, value in context.items()
        if key.lower().startswith(_REQUEST_TAG)
    ]
    if tags:
        found["Tags"] = tags
    for key, value in context.items():
        if key.lower() == "sts:transitivetagkeys":
            found["TransitiveTagKeys"] = [value] if isinstance(value, str) else list(value)
    return found


def _device(stage: Stage, user_arn: str) -> dict[str, str]:
    """Give a user a virtual MFA device; the parameters show its next code."""
    name = user_arn.rpartition("/")[2]
    iam, clock = stage.iam(user_arn.split(":")[4]), stage.cloud.clock
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{name}-{id(iam):x}")["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"]
    step = timedelta(seconds=MFA_STEP_SECONDS)
    iam.enable_mfa_device(
        UserName=name,
        SerialNumber=serial,
        AuthenticationCode1=totp(seed, clock.now() - step),
        AuthenticationCode2=totp(seed, clock.now()),
    )
    return {"SerialNumber": serial, "TokenCode": totp(seed, clock.now() + step)}
