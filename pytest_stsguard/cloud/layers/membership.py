"""What moto leaves out of AWS Organizations: who belongs, which policies are on, and what may not be taken off.

moto starts an organisation without service control policies and takes any document for one. On AWS they are on from the
start, and the last one of a target cannot be detached.

See CreateOrganization, EnablePolicyType, DisablePolicyType and DetachPolicy in the AWS Organizations API Reference.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.request import unchanged
from pytest_stsguard.errors import PolicyError, UnsupportedError
from pytest_stsguard.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.request import Response

__all__ = ["Membership"]

_FAILED = 300
_MODELS = "moto.organizations.models"
_KINDS = {"SERVICE_CONTROL_POLICY": "scp", "RESOURCE_CONTROL_POLICY": "rcp"}
_DEFAULTS = {"SERVICE_CONTROL_POLICY": "p-FullAWSAccess", "RESOURCE_CONTROL_POLICY": "p-RCPFullAWSAccess"}
_ACCESS_ROLE = "OrganizationAccountAccessRole"
_ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
_LAST = "You cannot detach the last policy of the type {kind} from the target {target}."
_FIXED = "The policy p-RCPFullAWSAccess cannot be detached."


class Membership:
    """Keeps moto's organisation as AWS would have it, before and after each call to Organizations."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._opened: set[str] = set()

    def admit(self, account: str) -> None:
        """Take notice of an account that the cloud has opened: it belongs to the home account's organisation."""
        self._opened.add(account)
        if _MODELS in sys.modules:
            self._enrol_all()

    def _enrol_all(self) -> None:
        models = sys.modules[_MODELS]
        backend = self._backend.service("organizations")
        if backend.org is None:
            return
        members = {one.id for one in backend.accounts} | set(models.organizations_backends.master_accounts)
        for account in sorted(self._opened - members):
            self._enrol(models, backend, account)

    def _enrol(self, models: Any, backend: Any, account: str) -> None:
        with _Strangers(self._backend, backend):
            member = models.FakeAccount(backend.org, AccountName=account, Email=f"{account}@example.com")
            member.id, member.joined_method = account, "INVITED"
            backend.accounts.append(member)
        for policy in _DEFAULTS.values():
            backend.attach_policy(PolicyId=policy, TargetId=account)
        models.organizations_backends.master_accounts[account] = (backend.account_id, backend.partition)

    def attend(self, call: Call, account: str) -> Callable[[Response], Response]:
        """Look at a call before it is carried out; what is given back looks at its answer."""
        if call.service != "organizations":
            return unchanged
        backend = self._backend.service("organizations", account=account)
        if call.operation in {"CreatePolicy", "UpdatePolicy"}:
            _check_document(call, backend)
        if call.operation == "AttachPolicy":
            _check_attachment(call, backend)
        if call.operation == "DetachPolicy":
            _check_detachment(call, backend)
        if call.operation not in {"CreateOrganization", "CreateAccount", "EnablePolicyType", "DisablePolicyType"}:
            return unchanged
        strangers = _Strangers(self._backend, backend)
        return lambda response: self._settle(call, backend, strangers, response)

    def _settle(self, call: Call, backend: Any, strangers: _Strangers, response: Response) -> Response:
        strangers.leave()
        if response.status >= _FAILED:
            return response
        kind = str(call.parameters.get("PolicyType", ""))
        if call.operation == "CreateOrganization":
            if call.parameters.get("FeatureSet", "ALL") == "ALL":
                _root(backend).policy_types.append({"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"})
            if backend.account_id == self._backend.account:
                self._enrol_all()
        elif call.operation == "CreateAccount":
            self._equip(backend.accounts[-1].id, str(call.parameters.get("RoleName") or _ACCESS_ROLE))
        elif call.operation == "EnablePolicyType" and kind in _DEFAULTS:
            for target in (*backend.ou, *backend.accounts):
                backend.attach_policy(PolicyId=_DEFAULTS[kind], TargetId=target.id)
        elif call.operation == "DisablePolicyType":
            _strip(backend, kind)
        return response

    def _equip(self, account: str, role: str) -> None:
        """Give the role through which the management account enters a new account what it has on AWS: everything."""
        iam = self._backend.service("iam", account=account)
        self._backend.provide_managed_policy(_ADMINISTRATOR_ACCESS, account=account)
        iam.attach_role_policy(_ADMINISTRATOR_ACCESS, role)


class _Strangers:
    """moto makes an account of a random number, with a role in it, for each member: none of them may stay."""

    def __init__(self, held: Backend, backend: Any) -> None:
        self._backend = backend
        held.seed("iam")
        from moto.iam.models import iam_backends  # noqa: PLC0415 - moto is imported when a cloud opens

        self._iam = iam_backends
        self._before = set(iam_backends)

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End."""
        self.leave()

    def leave(self) -> None:
        """Drop the accounts that came since, save those that are members."""
        members = {one.id for one in self._backend.accounts}
        for account in set(self._iam) - self._before - members:
            del self._iam[account]


def _check_document(call: Call, backend: Any) -> None:
    """Refuse a document that Organizations refuses; tag and other policies are not read here."""
    text = call.parameters.get("Content")
    kind = call.parameters.get("Type")
    if call.operation == "UpdatePolicy":
        wanted = call.parameters.get("PolicyId")
        kind = next((each.type for each in list(backend.policies) if each.id == wanted), None)
    if not isinstance(text, str) or kind not in _KINDS:
        return
    try:
        policy = Policy.parse(text, kind=_KINDS[str(kind)])
    except UnsupportedError as error:
        raise Fault(Refusal.NOT_SIMULATED, f"policy document: {error}") from error
    except PolicyError as error:
        raise Fault(None, str(error), code="MalformedPolicyDocumentException") from error
    if kind == "RESOURCE_CONTROL_POLICY" and any(each.effect != "Deny" for each in policy.statements):
        told = "a resource control policy that customers write holds Deny statements only"
        raise Fault(None, told, code="MalformedPolicyDocumentException")


def _check_attachment(call: Call, backend: Any) -> None:
    """Refuse to attach a policy whose type the root has not enabled."""
    wanted = call.parameters.get("PolicyId")
    kind = next((each.type for each in list(backend.policies) if each.id == wanted), None)
    if kind in _KINDS and all(each["Type"] != kind for each in _root(backend).policy_types):
        raise Fault(None, f"The policy type {kind} is not enabled in this root.", code="PolicyTypeNotEnabledException")


def _check_detachment(call: Call, backend: Any) -> None:
    """Refuse to detach RCPFullAWSAccess, or the last policy of its type from a target."""
    wanted, target = call.parameters.get("PolicyId"), call.parameters.get("TargetId")
    node = next((one for one in (*list(backend.ou), *list(backend.accounts)) if one.id == target), None)
    attached = list(node.attached_policies) if node is not None else []
    found = next((each for each in attached if each.id == wanted), None)
    if found is None:
        return
    if found.id == _DEFAULTS["RESOURCE_CONTROL_POLICY"]:
        raise Fault(None, _FIXED, code="ConstraintViolationException")
    if found.type in _KINDS and [each.type for each in attached].count(found.type) == 1:
        raise Fault(None, _LAST.format(kind=found.type, target=target), code="ConstraintViolationException")


def _strip(backend: Any, kind: str) -> None:
    """Detach all policies of a type, as disabling it does."""
    for target in (*list(backend.ou), *list(backend.accounts)):
        for policy in [each for each in target.attached_policies if each.type == kind]:
            backend.detach_policy(PolicyId=policy.id, TargetId=target.id)


def _root(backend: Any) -> Any:
    return next(unit for unit in backend.ou if unit.id == backend.org.root_id)
