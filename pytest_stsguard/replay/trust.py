"""A witness of a too-broad trust policy, acted out: the AssumeRole* call of an outsider, as AWS would receive it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pytest_stsguard.errors import ConfigurationError, StsGuardError
from pytest_stsguard.replay.demonstration import Demonstration
from pytest_stsguard.replay.federation import with_assertion, with_token
from pytest_stsguard.replay.principal import as_principal, as_service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.replay.stage import Stage

__all__ = ["act_out"]

_WAYS: dict[str, Callable[..., Demonstration]] = {
    "sts:AssumeRoleWithWebIdentity": with_token,
    "sts:AssumeRoleWithSAML": with_assertion,
}


def act_out(
    stage: Stage, role: str, *, principal: str, action: str, context: Mapping[str, str | list[str]]
) -> Demonstration:
    """Make the request of a witness, for real.

    Args:
        stage: the cloud with the account in it.
        role: the ARN of the role that is to be assumed.
        principal: who makes the request: the ARN of a role, user or identity provider, or a service's name.
        action: the STS action.
        context: the condition keys that the request has to carry.
    """
    missing = stage.missing(role)
    if missing is not None:
        return Demonstration(done=False, reason=f"the role is not in the simulated cloud: {missing}")
    if action in _WAYS:
        way = _WAYS[action]
    elif action != "sts:AssumeRole":
        return Demonstration(done=False, reason=f"`{action}` opens no session by itself")
    else:
        way = as_principal if principal.startswith("arn:") else as_service
    try:
        return way(stage, role, principal=principal, context=context)
    except ClientError as error:
        return Demonstration(done=False, reason=_refusal(error, context))
    except (BotoCoreError, ConfigurationError) as error:
        return Demonstration(done=False, reason=f"the call cannot be made: {' '.join(str(error).split())}")
    except StsGuardError as error:
        return Demonstration(done=False, reason=str(error))


_SENT = ("sts:", "aws:principalarn", "aws:principalaccount", "aws:principaltag/", "aws:requesttag/", "aws:tagkeys")
_SENT_TOO = frozenset(
    {"aws:principaltype", "aws:sourceip", "aws:multifactorauthpresent", "aws:multifactorauthage", "aws:principalorgid"}
)


def _refusal(error: ClientError, context: Mapping[str, Any]) -> str:
    """Say why a call was refused; a key that the simulated cloud never sends is the likely cause, and is named."""
    code = error.response.get("Error", {}).get("Code", "")
    message = error.response.get("Error", {}).get("Message", "")
    unsent = [
        key
        for key in context
        if key.lower().startswith("aws:") and not key.lower().startswith(_SENT) and key.lower() not in _SENT_TOO
    ]
    if unsent:
        return f"the simulated cloud does not send {', '.join(f'`{key}`' for key in unsent)}; it answered {code}"
    return f"the simulated cloud refuses it: {code}: {message}"
