"""iam:SimulateCustomPolicy and iam:SimulatePrincipalPolicy, answered by the engine that decides everything else here.

See the IAM API Reference. moto does not know the two operations.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.policy.simulation import simulate_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.layers import Organization
    from pytest_stsguard.cloud.state import State

__all__ = ["Simulator"]

_PAGE = 100
_LARGEST_PAGE = 1000
_SOURCE = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):(user|group|role)/(?:[\x21-\x7e]+/)?([\w+=,.@-]{1,128})")
_SHARED = (
    "ActionNames",
    "ResourceArns",
    "ResourcePolicy",
    "ResourceOwner",
    "CallerArn",
    "ContextEntries",
    "PermissionsBoundaryPolicyInputList",
)


class Simulator:
    """Answers IAM's policy simulator from the account's live policies, its organisation's among them."""

    def __init__(self, state: State, organization: Organization, clock: Clock) -> None:
        self._state = state
        self._organization = organization
        self._clock = clock

    def answer(self, call: Call) -> dict[str, Any] | None:
        """Give the result of a simulator's operation, None for any other; `Fault` for input that IAM refuses."""
        if call.service != "iam" or call.operation not in {"SimulateCustomPolicy", "SimulatePrincipalPolicy"}:
            return None
        record = {name: call.parameters[name] for name in _SHARED if name in call.parameters}
        names: tuple[str, ...] = ()
        if call.operation == "SimulatePrincipalPolicy":
            names = self._add_principal(record, str(call.parameters.get("PolicySourceArn")))
        stored = record.get("PolicyInputList", [])
        record["PolicyInputList"] = [*stored, *(call.parameters.get("PolicyInputList") or ())]
        return _page(call.parameters, self._results(record, names))

    def _results(self, record: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
        answered = simulate_record(record, clock=self._clock)
        if "Error" in answered:
            raise Fault(None, answered["Error"]["Message"], code="InvalidInput")
        results: list[dict[str, Any]] = answered["EvaluationResults"]
        for matched in (matched for result in results for matched in result["MatchedStatements"]):
            matched["SourcePolicyId"] = _named(matched["SourcePolicyId"], names)
        return results

    def _add_principal(self, record: dict[str, Any], arn: str) -> tuple[str, ...]:
        """Add the policies of the principal, and its boundary unless another is given; gives the policies' names."""
        match = _SOURCE.fullmatch(arn)
        if match is None:
            text = f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
            raise Fault(None, text, code="InvalidInput")
        account, kind, name = match.groups()
        texts, boundary = self._state.policy_texts(account, kind, name)
        if texts is None:
            raise Fault(None, f"The {kind} with name {name} cannot be found.", code="NoSuchEntity", status=404)
        record["PolicyInputList"] = list(texts.values())
        levels = self._organization.texts(account)
        if levels:
            record["ServiceControlPolicyInputList"] = levels
        if boundary:
            record.setdefault("PermissionsBoundaryPolicyInputList", [boundary])
        if kind == "user":
            record.setdefault("CallerArn", arn)
        return tuple(texts)


def _page(parameters: Mapping[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
    try:
        start = int(parameters.get("Marker") or 0)
    except ValueError:
        raise Fault(None, "Invalid Marker.", code="ValidationError") from None
    end = start + min(int(parameters.get("MaxItems") or _PAGE), _LARGEST_PAGE)
    answered: dict[str, Any] = {"EvaluationResults": results[start:end], "IsTruncated": end < len(results)}
    if answered["IsTruncated"]:
        answered["Marker"] = str(end)
    return answered


def _named(place: str, names: tuple[str, ...]) -> str:
    """Name a stored policy by its own name; one that the call brought keeps its place, counted from 1."""
    match = re.fullmatch(r"PolicyInputList\.(\d+)", place)
    if match is None:
        return place
    number = int(match.group(1))
    return names[number - 1] if number <= len(names) else f"PolicyInputList.{number - len(names)}"
