"""One request on its way through the gate: what becomes known of it, and what is told of it afterwards."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.cloudtrail import Event
from pytest_stsguard.cloud.cloudtrail.kinds import keeps_answer
from pytest_stsguard.cloud.faults import Fault, Refusal, host_id
from pytest_stsguard.cloud.request import Headers, Request, Response
from pytest_stsguard.cloud.request_ids import restamped
from pytest_stsguard.policy.arns import account_of, is_account_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import TypeAlias

    from pytest_stsguard.cloud.batches import Deletion
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.forwarded import Forwarded
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.permissions import Permission
    from pytest_stsguard.cloud.post_policy import FormUpload
    from pytest_stsguard.cloud.signature import Claim
    from pytest_stsguard.policy import Decision

    Keys: TypeAlias = Mapping[str, str | list[str]]

__all__ = ["Passage", "denial", "elements", "named_account", "refusal", "service_of"]

_REQUEST_IDS = frozenset({"x-amzn-requestid", "x-amz-request-id", "x-amz-id-2"})

# Headers of the request that moto keeps with an object and gives back; S3 does not.
_ASKED_ONLY = frozenset({"x-amz-content-sha256", "x-amz-sdk-checksum-algorithm", "x-amz-decoded-content-length"})


@dataclass(slots=True)
class Passage:
    """What becomes known of one request on its way through."""

    request: Request
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    claim: Claim | None = None
    form: FormUpload | None = None
    call: Call | None = None
    caller: Caller | None = None
    needed: tuple[Permission, ...] = ()
    batch: Deletion | None = None
    decisions: list[Decision] = field(default_factory=list)
    elements: Mapping[str, object] | None = None
    forwarded: Forwarded | None = None
    asked: str | None = None

    @property
    def service(self) -> str | None:
        """The service that is asked, as far as the call or else the signature tells, be it one that cannot be read."""
        if self.call is not None:
            return self.call.service
        return self.claim.service if self.claim else self.asked

    def event(self, response: Response, *, time: datetime, home: str, code: str | None, message: str | None) -> Event:
        """Tell the trail; `code` and `message` are those of a refusal, `home` the account of callers who have none."""
        caller, call = self.caller, self.call
        told = code is None and call is not None and self.elements is None and keeps_answer(call, response)
        return Event(
            request_id=self.request_id,
            time=time,
            request=self.request.head(),
            call=call,
            caller=caller,
            claimed_key=self.claim.access_key_id if self.claim else None,
            error_code=code,
            error_message=message,
            decisions=tuple(self.decisions),
            response_elements=self.elements,
            recipient=(caller.account if caller and caller.account else home),
            resources=self._resources(),
            response=response if told else None,
            invoked_by=self.forwarded.principal if self.forwarded else None,
            signed=self.claim.form if self.claim else None,
            received=self.request.size,
            sent=0 if self.request.method == "HEAD" else response.size,
        )

    def _resources(self) -> tuple[tuple[str, str], ...]:
        """Give the ARNs that were asked about, each with its owner."""
        arns = [(each.resource, each.resource_account) for each in self.needed]
        if self.call is not None and self.call.service == "sts":
            arns = [(str(self.call.parameters.get("RoleArn", "")), None)]
        return tuple((arn, owner or account_of(arn) or "") for arn, owner in arns if arn.startswith("arn:"))

    def stamped(self, response: Response) -> Response:
        """Put the request id, by which the trail finds the call, into the headers that SDKs read."""
        if self.call is not None:
            response = restamped(response, self.call.protocol, self.call.service, request_id=self.request_id)
        left_out = _REQUEST_IDS | _ASKED_ONLY if self.service == "s3" else _REQUEST_IDS
        headers = Headers((key, value) for key, value in response.headers.items() if key.lower() not in left_out)
        if self.service == "s3":
            headers |= {"x-amz-request-id": self.request_id, "x-amz-id-2": host_id(self.request_id)}
        else:
            headers["x-amzn-requestid"] = self.request_id
        return Response(response.status, headers, response.body, response.view)


def named_account(call: Call) -> str | None:
    """Give the account whose registry or catalogue a call names: their resources are named without their account."""
    named = call.parameters.get({"ecr": "registryId", "glue": "CatalogId"}.get(call.service, ""))
    return named if isinstance(named, str) and is_account_id(named) else None


def service_of(arn: str) -> str:
    """Read the service out of an ARN; empty for what is none."""
    parts = arn.split(":", 3)
    return parts[2] if len(parts) > 3 else ""  # noqa: PLR2004 - what an ARN has before its region


def denial(
    caller: Caller, permission: Permission, decision: Decision, call: Call, *, organizations: Keys | None = None
) -> str:
    """Word an authorization denial as AWS does; `organizations` are the condition keys of both accounts'.

    S3 explains a denial to callers of the bucket's own account and organisation only, see "Troubleshoot access denied (403
    Forbidden) errors in Amazon S3".
    """
    if permission.action.startswith("s3:") and _is_stranger(caller, permission, organizations or {}):
        return "Access Denied"
    resource = f'"{permission.resource}"' if call.service == "s3" else permission.resource
    text = f"User: {caller.arn} is not authorized to perform: {permission.action} on resource: {resource} {decision.reason()}"
    return f"You are not authorized to perform this operation. {text}" if call.protocol == "ec2" else text


def _is_stranger(caller: Caller, permission: Permission, organizations: Keys) -> bool:
    owner = permission.resource_account or account_of(permission.resource) or caller.account
    home = organizations.get("aws:PrincipalOrgID")
    kin = home is not None and home == organizations.get("aws:ResourceOrgID")
    return caller.is_anonymous or not (owner == caller.account or kin)


def refusal(permission: Permission, words: str) -> Fault:
    """Give the denial with these words; as the service answers that was denied a call on the caller's behalf."""
    error = permission.error
    if error is None:
        return Fault(Refusal.ACCESS_DENIED, words)
    return Fault(None, error.message(words), code=error.code, status=error.status)


def elements(result: Mapping[str, object]) -> Mapping[str, object] | None:
    """Give what CloudTrail shows of an STS answer, the secrets left out."""
    credentials = result.get("Credentials")
    if not isinstance(credentials, dict):
        return None
    shown = {"accessKeyId": credentials["AccessKeyId"], "expiration": isoformat(credentials["Expiration"])}
    told: dict[str, object] = {"credentials": shown}
    for name, value in result.items():
        if name != "Credentials":
            told[f"{name[0].lower()}{name[1:]}"] = _camel(value)
    return told


def _camel(value: object) -> object:
    return (
        {f"{name[0].lower()}{name[1:]}": inner for name, inner in value.items()} if isinstance(value, dict) else value
    )
