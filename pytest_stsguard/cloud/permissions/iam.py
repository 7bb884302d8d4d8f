"""IAM's operations.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .generic import Table, generic
from .passing import pass_role
from .permission import Context, Permission, UnmappedOperationError
from .tags import request_tags, tag_context

if TYPE_CHECKING:
    from .reference import Action, Use
    from .scope import Scope

__all__ = ["TABLE", "permissions"]

_NAMED = ("user", "role", "group", "instance-profile", "server-certificate")
_SERVICE_LINKED = "aws-service-role/"

_PATHS = {
    "user": "UserName",
    "group": "GroupName",
    "role": "RoleName",
    "policy": "PolicyArn",
    "instance-profile": "InstanceProfileName",
    "server-certificate": "ServerCertificateName",
    "saml-provider": "SAMLProviderArn",
    "oidc-provider": "OpenIDConnectProviderArn",
    "mfa": "SerialNumber",
    "delegation-request": "DelegationRequestId",
    "access-report": "EntityPath",
}
_OPERATIONS = {
    "CreateDelegationRequest": {"delegation-request": "+"},
    "CreateOpenIDConnectProvider": {"oidc-provider": "Url"},
    "CreatePolicy": {"policy": "PolicyName"},
    "CreateSAMLProvider": {"saml-provider": "Name"},
    "CreateServiceLinkedRole": {"role": "AWSServiceName"},
    "CreateVirtualMFADevice": {"mfa": "VirtualMFADeviceName"},
    "DeleteVirtualMFADevice": {"sms-mfa": "-"},
    "GetAccessKeyLastUsed": {"user": "?"},
    "ListMFADevices": {"user": "UserName ?"},
    "GetServiceLinkedRoleDeletionStatus": {"role": "DeletionTaskId"},
    "GetHumanReadableSummary": {"delegation-request": "EntityArn"},
}
# These name one principal or policy of any kind by its ARN.
_BY_ARN = {
    "GenerateServiceLastAccessedDetails": "Arn",
    "GetContextKeysForPrincipalPolicy": "PolicySourceArn",
    "ListPoliciesGrantingServiceAccess": "Arn",
    "SimulatePrincipalPolicy": "PolicySourceArn",
}
# Creation takes the path with the name; everything else must ask what path the name has.
_CREATE = {
    "CreateUser",
    "CreateRole",
    "CreateGroup",
    "CreatePolicy",
    "CreateInstanceProfile",
    "CreateVirtualMFADevice",
    "UploadServerCertificate",
}
# Tags given at creation need the tagging action as well:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_permissions
_TAGGED = {
    "CreateInstanceProfile": "TagInstanceProfile",
    "CreateOpenIDConnectProvider": "TagOpenIDConnectProvider",
    "CreatePolicy": "TagPolicy",
    "CreateRole": "TagRole",
    "CreateSAMLProvider": "TagSAMLProvider",
    "CreateUser": "TagUser",
    "CreateVirtualMFADevice": "TagMFADevice",
    "UploadServerCertificate": "TagServerCertificate",
}
# Renaming is checked on the old name and on the new one.
_RENAMED = {
    "UpdateUser": ("user", "UserName", "NewUserName"),
    "UpdateGroup": ("group", "GroupName", "NewGroupName"),
    "UpdateServerCertificate": ("server-certificate", "ServerCertificateName", "NewServerCertificateName"),
}
_KEYS = {
    "iam:PolicyARN": "PolicyArn",
    "iam:AWSServiceName": "AWSServiceName",
    "iam:OrganizationsPolicyId": "OrganizationsPolicyId",
    "iam:ServiceSpecificCredentialServiceName": "ServiceName",
    "iam:ServiceSpecificCredentialAgeDays": "CredentialAgeDays",
    "iam:NotificationChannel": "NotificationChannel",
    "iam:DelegationDuration": "SessionDuration",
    "iam:TemplateArn": "Permissions.PolicyTemplateArn",
}


def permissions(scope: Scope) -> list[Permission]:
    """Give the checks of one IAM call."""
    operation = scope.call.operation
    if operation in _BY_ARN:
        return _by_arn(scope, _BY_ARN[operation])
    found = generic(scope, TABLE)
    if operation in _RENAMED:
        found += _renamed(scope, *_RENAMED[operation])
    if operation in _TAGGED and (tags := tag_context(request_tags(scope.call.parameters))):
        found.append(Permission(f"iam:{_TAGGED[operation]}", found[0].resource, tags))
    if operation == "AddRoleToInstanceProfile" and (role := scope.text("RoleName")):
        found += pass_role(scope, _existing(scope, "role", role), "ec2.amazonaws.com")
    return found


def _by_arn(scope: Scope, path: str) -> list[Permission]:
    arn = scope.text(path)
    if arn is None or not arn.startswith("arn:"):
        raise UnmappedOperationError("iam", scope.call.operation, hint=f"`{path}` is no ARN")
    return [Permission(f"iam:{scope.call.operation}", arn)]


def _renamed(scope: Scope, kind: str, old: str, new: str) -> list[Permission]:
    name, path = scope.text(new, old), scope.text("NewPath")
    if name is None or (scope.text(new) is None and path is None):
        return []
    if path is None:
        before = _existing(scope, kind, scope.text(old) or name)
        path = "/" + before.partition(f":{kind}/")[2].rpartition("/")[0]
    return [Permission(f"iam:{scope.call.operation}", _global(scope, kind, _joined(path, name)))]


def _global(scope: Scope, kind: str, name: str) -> str:
    return f"arn:{scope.partition}:iam::{scope.account}:{kind}/{name}"


def _joined(path: str | None, name: str) -> str:
    return f"{(path or '/').strip('/')}/{name}".lstrip("/")


def _existing(scope: Scope, kind: str, name: str) -> str:
    """Give the ARN that a name has; of a name that is not there, the one without a path."""
    return scope.state.iam_arn(kind, name) or _global(scope, kind, name)


def _arn(scope: Scope, use: Use, identifier: str | None) -> str:
    if identifier is None:
        # Without a user name an operation acts on the caller's own user.
        if use.name == "user" and scope.caller_name and scope.call.operation != "GetAccessKeyLastUsed":
            return _existing(scope, "user", scope.caller_name)
        return scope.arn(use.template)
    if identifier.startswith("arn:"):
        return identifier
    if scope.call.operation in _CREATE:
        return _global(scope, use.name, _joined(scope.text("Path"), identifier))
    if scope.call.operation in _PECULIAR:
        return _peculiar(scope, identifier)
    return _existing(scope, use.name, identifier) if use.name in _NAMED else scope.arn(use.template, identifier)


_PECULIAR = (
    "CreateOpenIDConnectProvider",
    "CreateServiceLinkedRole",
    "DeleteServiceLinkedRole",
    "GetServiceLinkedRoleDeletionStatus",
)


def _peculiar(scope: Scope, identifier: str) -> str:
    """Write the ARN where the parameter is neither a name nor an ARN: a URL, a service, a deletion task."""
    operation = scope.call.operation
    if operation == "CreateOpenIDConnectProvider":
        return _global(scope, "oidc-provider", identifier.partition("://")[2] or identifier)
    if operation == "CreateServiceLinkedRole":
        return _global(scope, "role", f"{_SERVICE_LINKED}{identifier}/*")
    if operation == "DeleteServiceLinkedRole":
        return scope.state.iam_arn("role", identifier) or _global(scope, "role", f"{_SERVICE_LINKED}*/{identifier}")
    return _global(scope, "role", identifier.removeprefix("task/").rpartition("/")[0] or "*")


def _keys(scope: Scope, action: Action, use: Use | None, arn: str, new: bool) -> Context:  # noqa: FBT001 - a callback
    context: Context = {}
    for key, path in _KEYS.items():
        if key in action.keys and (value := scope.text(path)) is not None:
            context[key] = value
    if "iam:PermissionsBoundary" in action.keys and use is not None:
        # Where the request sets a boundary the key is that one, elsewhere the one that the user or role already has.
        boundary = scope.text("PermissionsBoundary") if "PermissionsBoundary" in scope.call.parameters else None
        if boundary is None and not new and not action.name.startswith("Create"):
            boundary = scope.state.permissions_boundary(arn)
        if boundary is not None:
            context["iam:PermissionsBoundary"] = boundary
    return context


TABLE = Table("iam", _PATHS, _OPERATIONS, arn=_arn, keys=_keys)
