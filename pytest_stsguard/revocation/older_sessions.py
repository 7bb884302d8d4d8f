"""Revoking the sessions that a role has handed out so far, through any boto3 IAM client.

Temporary credentials cannot be cancelled; they can only be denied, by a condition on their issue time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.revocation.document import POLICY_NAME, cutoff_of, older_sessions_document, rounded

if TYPE_CHECKING:
    from pytest_stsguard.clock import Clock

__all__ = ["LONGEST_ROLE_SESSION", "Revocation", "revoke_older_sessions"]

LONGEST_ROLE_SESSION = timedelta(hours=12)
"""The longest session that a role can have handed out, whatever its MaxSessionDuration is now."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revocation that is in force: sessions of `role` that were issued before `cutoff` are denied everything."""

    role: str
    cutoff: datetime
    document: dict[str, Any]
    previous: dict[str, Any] | None
    policy_name: str = POLICY_NAME
    method: str = "older-sessions"
    _iam: Any = field(default=None, repr=False, compare=False)

    @property
    def safe_removal(self) -> datetime:
        """The moment from which no revoked session can still be alive, so that the policy may go."""
        return self.cutoff + LONGEST_ROLE_SESSION

    def remove(self) -> None:
        """Delete the policy; a revoked session that has not expired comes back to life."""
        self._iam.delete_role_policy(RoleName=self.role, PolicyName=self.policy_name)


def revoke_older_sessions(
    iam: Any, role: str, *, clock: Clock, cutoff: datetime | None = None, wait: bool = True
) -> Revocation:
    """Deny everything to the sessions of `role` that were issued before `cutoff` (aware; default: now).

    A revocation that is already there is never moved backwards: of two cutoffs the later one stays. With `wait` the call
    returns when a session made from then on is later than the cutoff: issue times have whole seconds.

    Args:
        iam: a boto3 IAM client, of the simulated cloud or of AWS.
        role: the role's name, without its path.
        clock: what `iam` lives by.
        cutoff: sessions issued before it are denied.
        wait: whether to wait until fresh sessions are spared.

    Raises:
        InputError: no such role, a role that cannot carry the policy, or another policy under the same name.
        ConfigurationError: `cutoff` has no time zone.
    """
    if cutoff is not None and cutoff.tzinfo is None:
        raise ConfigurationError(f"the cutoff `{cutoff.isoformat()}` has no time zone", hint="give an aware datetime")
    _check_role(iam, role)
    wanted = rounded(cutoff or clock.now())
    previous = _existing(iam, role)
    if previous is not None:
        held = cutoff_of(previous)
        if held is None:
            raise InputError(
                f"role `{role}` has a policy `{POLICY_NAME}` that does something else than revoke older sessions",
                hint="rename or remove it first: writing over it would lose it",
            )
        wanted = max(wanted, held)
    document = older_sessions_document(wanted)
    if previous is None or cutoff_of(previous) != wanted:
        iam.put_role_policy(RoleName=role, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(document))
    if wait and cutoff is None:
        clock.wait_until(_next_whole_second(wanted))
    return Revocation(role, wanted, document, previous, _iam=iam)


def _check_role(iam: Any, role: str) -> None:
    try:
        found = iam.get_role(RoleName=role)["Role"]
    except iam.exceptions.NoSuchEntityException:
        raise InputError(f"there is no role `{role}`", hint="give the name of a role of this account") from None
    if found["Path"].startswith("/aws-service-role/"):
        raise InputError(
            f"`{role}` is a service-linked role, which nobody can change", hint="end its use in the service itself"
        )
    if role.startswith("AWSReservedSSO_"):
        raise InputError(
            f"`{role}` belongs to IAM Identity Center, which alone may change it",
            hint="put the deny into the permission set, or into a service control policy",
        )


def _existing(iam: Any, role: str) -> dict[str, Any] | None:
    try:
        document = iam.get_role_policy(RoleName=role, PolicyName=POLICY_NAME)["PolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        return None
    return dict(document) if isinstance(document, dict) else dict(json.loads(document))


def _next_whole_second(moment: datetime) -> datetime:
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)
