"""One record of `stsguard simulate` answered.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.clock import Clock, isoformat
from pytest_stsguard.errors import StsGuardError
from pytest_stsguard.policy.arns import account_of
from pytest_stsguard.policy.authorization import authorize
from pytest_stsguard.policy.combination import Layer
from pytest_stsguard.policy.mentions import missing_context_keys
from pytest_stsguard.policy.positions import statement_spans
from pytest_stsguard.policy.record import read_id, read_record
from pytest_stsguard.policy.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pytest_stsguard.policy.decision import Decision
    from pytest_stsguard.policy.inspection import Seen
    from pytest_stsguard.policy.record import Record

__all__ = ["error_record", "simulate_record"]

NOBODY: Final = "user/simulated"
"""Who calls where a record does not say, in the account of the resource: nothing is derived from it."""

SOMEWHERE: Final = "123456789012"
"""The account of a caller and a resource of which nothing is known."""

OF_CALLERS: Final = ("aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:username")
SOURCE_TYPES: Final = {
    Layer.IDENTITY: "IAM Policy",
    Layer.BOUNDARY: "IAM Permissions Boundary Policy",
    Layer.SESSION: "Session Policy",
    Layer.SCP: "Service Control Policy",
    Layer.RCP: "Resource Control Policy",
    Layer.RESOURCE: "Resource Policy",
}


def simulate_record(record: object, *, clock: Clock | None = None) -> dict[str, Any]:
    """Answer one record of `stsguard simulate`; never raises for what a record may hold.

    Args:
        record: The request, in the shape that docs/policy-engine.md describes.
        clock: Where aws:CurrentTime and aws:EpochTime come from; the wall clock by default.

    Returns:
        ``{"id", "EvaluationResults": [...]}``, a result for each action and resource, or
        ``{"id", "Error": {"Code", "Message"}}`` for a record or a policy that cannot be used.
    """
    label = None
    try:
        label = read_id(record)
        return {"id": label, "EvaluationResults": _evaluate(read_record(record), (clock or Clock()).now())}
    except StsGuardError as error:
        return error_record(label, error)


def error_record(label: object, error: StsGuardError) -> dict[str, Any]:
    """Give the answer to a record that cannot be used."""
    return {"id": label, "Error": {"Code": error.code, "Message": str(error)}}


def _evaluate(record: Record, now: datetime) -> list[dict[str, Any]]:
    context = _with_implied(record, now)
    results = []
    for resource in record.resources:
        caller = record.caller or f"arn:aws:iam::{record.owner or account_of(resource) or SOMEWHERE}:{NOBODY}"
        for action in record.actions:
            request = Request(action, resource, caller, context, resource_account=record.owner)
            decision = authorize(
                request,
                identity=record.identity,
                resource=record.resource_policies.get(resource),
                boundary=record.boundary,
                session=record.session,
                scps=record.scps,
                rcps=record.rcps,
            )
            results.append(_result(request, decision, record))
    return results


def _with_implied(record: Record, now: datetime) -> dict[str, str | list[str]]:
    """Add the time to the context unless it is given; without a caller, say that its keys are absent."""
    implied: dict[str, str | list[str]] = {
        "aws:CurrentTime": isoformat(now),
        "aws:EpochTime": str(int(now.timestamp())),
    }
    if record.caller is None:
        implied |= {key: [] for key in OF_CALLERS}
    given = {key.lower() for key in record.context}
    return record.context | {key: value for key, value in implied.items() if key.lower() not in given}


def _result(request: Request, decision: Decision, record: Record) -> dict[str, Any]:
    result: dict[str, Any] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": decision.outcome,
        "MatchedStatements": [_matched(seen, record.texts) for seen in decision.deciding],
        "MissingContextValues": list(missing_context_keys(record.policies_for(request.resource), request)),
    }
    verdicts = decision.verdicts()
    if record.scps or record.rcps:
        allowed = all(verdict == "allow" for layer, verdict in verdicts if layer in {Layer.SCP, Layer.RCP})
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
    if record.boundary:
        allowed = all(verdict == "allow" for layer, verdict in verdicts if layer is Layer.BOUNDARY)
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return result


def _matched(seen: Seen, texts: Mapping[str, str]) -> dict[str, Any]:
    """Name a statement; where its policy came as a text, say where in it the statement stands."""
    found: dict[str, Any] = {
        "SourcePolicyId": seen.policy,
        "SourcePolicyType": SOURCE_TYPES[seen.layer],
        "Statement": seen.place,
    }
    if seen.sid is not None:
        found["Sid"] = seen.sid
    if seen.policy in texts:
        start, end = statement_spans(texts[seen.policy])[seen.index]
        found["StartPosition"] = {"Line": start.line, "Column": start.column}
        found["EndPosition"] = {"Line": end.line, "Column": end.column}
    return found
