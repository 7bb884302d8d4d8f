"""Keys, secrets, certificates, organizations, directories and guards.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html,
https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access.html,
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_permissions_overview.html
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.permissions.permission import UnmappedOperationError
from pytest_stsguard.cloud.permissions.scope import find
from pytest_stsguard.cloud.permissions.secret_keys import secret_keys
from pytest_stsguard.cloud.permissions.table import Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.permissions.permission import Context
    from pytest_stsguard.cloud.permissions.reference import Action, Use
    from pytest_stsguard.cloud.permissions.scope import Scope

__all__ = ["TABLES"]

_KEY_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_KEY_ID_LENGTH = 36
_RANDOM = "-??????"


def _kms(scope: Scope, use: Use, value: str) -> str | None:
    """Write a key's ARN from its id, its ARN, an alias or what was encrypted with it.

    A call by alias is authorized on the key: https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html.
    """
    place = f"arn:{scope.partition}:kms:{scope.call.region}:{scope.account}"
    if use.name == "alias":
        return value if value.startswith("arn:") else f"{place}:{value}"
    if ":alias/" in value or value.startswith("alias/"):
        known = scope.state.existing_arn("kms", "alias", value, scope.call.region)
        return known or f"{place}:key/*"
    if value.startswith("arn:") or len(value) <= _KEY_ID_LENGTH:
        return None
    if scope.text("KeyId", "SourceKeyId") is not None:
        return ""
    # A ciphertext begins with the key's id in this simulation, as a real one holds it in a form of its own.
    try:
        identifier = base64.b64decode(value, validate=True)[:_KEY_ID_LENGTH].decode()
    except ValueError:
        identifier = ""
    if not _KEY_ID.fullmatch(identifier):
        raise UnmappedOperationError("kms", scope.call.operation, hint="the ciphertext does not tell its key")
    # It may be another account's key that made it.
    return scope.state.existing_arn("kms", "key", identifier, scope.call.region) or f"{place}:key/{identifier}"


def _kms_keys(scope: Scope, action: Action, arn: str) -> Context:
    """Give KMS's condition keys: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html."""
    side = {"ReEncryptFrom": "Source", "ReEncryptTo": "Destination"}.get(action.name, "")
    pairs = scope.call.parameters.get(f"{side}EncryptionContext") or {}
    context: Context = {}
    if isinstance(pairs, dict) and pairs and "kms:EncryptionContextKeys" in action.all_keys:
        context.update({f"kms:EncryptionContext:{key}": str(value) for key, value in pairs.items()})
        context["kms:EncryptionContextKeys"] = [str(key) for key in pairs]
    alias = scope.text("KeyId", "AliasName") or ""
    if "alias/" in alias and "kms:RequestAlias" in action.all_keys:
        context["kms:RequestAlias"] = alias[alias.index("alias/") :]
    # Every operation on a key knows it, though the reference's table does not say so.
    if aliases := scope.state.key_aliases(arn):
        context["kms:ResourceAliases"] = list(aliases)
    operations = scope.texts("Operations")
    found: dict[str, str | list[str] | None] = {
        "kms:CallerAccount": scope.account,
        "kms:GranteePrincipal": scope.text("GranteePrincipal"),
        "kms:RetiringPrincipal": scope.text("RetiringPrincipal"),
        "kms:GrantOperations": operations or None,
        "kms:GrantIsForAWSResource": "false" if action.name.endswith("Grant") else None,
        "kms:EncryptionAlgorithm": scope.text(f"{side}EncryptionAlgorithm"),
        "kms:SigningAlgorithm": scope.text("SigningAlgorithm"),
        "kms:MessageType": scope.text("MessageType"),
        "kms:MacAlgorithm": scope.text("MacAlgorithm"),
        "kms:KeySpec": scope.text("KeySpec", "CustomerMasterKeySpec"),
        "kms:KeyUsage": scope.text("KeyUsage"),
        "kms:KeyOrigin": scope.text("Origin"),
        "kms:MultiRegion": scope.text("MultiRegion"),
        "kms:BypassPolicyLockoutSafetyCheck": scope.text("BypassPolicyLockoutSafetyCheck"),
        "kms:ScheduleKeyDeletionPendingWindowInDays": scope.text("PendingWindowInDays"),
        "kms:DataKeyPairSpec": scope.text("KeyPairSpec"),
        "kms:ReplicaRegion": scope.text("ReplicaRegion"),
    }
    context.update({key: value for key, value in found.items() if value is not None and key in action.all_keys})
    return context


def _secret(scope: Scope, use: Use, value: str) -> str | None:
    """Write a secret's ARN, which ends with six characters that AWS gives it.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html#iam-resources
    """
    if use.name != "Secret":
        return None
    known = scope.state.existing_arn("secretsmanager", "Secret", value, scope.call.region)
    if known is not None or value.startswith("arn:"):
        return known or value
    return f"arn:{scope.partition}:secretsmanager:{scope.call.region}:{scope.account}:secret:{value}{_RANDOM}"


def _secret_keys(scope: Scope, action: Action, arn: str) -> Context:
    """Give a secret's condition keys: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html."""
    given = scope.call.parameters
    found: dict[str, str | list[str] | None] = {
        "secretsmanager:Name": scope.text("Name"),
        "secretsmanager:Description": scope.text("Description"),
        "secretsmanager:KmsKeyId": scope.text("KmsKeyId"),
        "secretsmanager:VersionId": scope.text("VersionId"),
        "secretsmanager:VersionStage": scope.text("VersionStage"),
        "secretsmanager:RecoveryWindowInDays": scope.text("RecoveryWindowInDays"),
        "secretsmanager:ForceDeleteWithoutRecovery": scope.text("ForceDeleteWithoutRecovery"),
        "secretsmanager:RotationLambdaARN": scope.text("RotationLambdaARN"),
        "secretsmanager:BlockPublicPolicy": scope.text("BlockPublicPolicy"),
        "secretsmanager:ForceOverwriteReplicaSecret": scope.text("ForceOverwriteReplicaSecret"),
        "secretsmanager:AddReplicaRegions": scope.texts("AddReplicaRegions.Region") or None,
        "secretsmanager:SecretId": arn if "SecretId" in given and arn != "*" else None,
    }
    if action.name == "GetSecretValue" and "VersionId" not in given:
        found["secretsmanager:VersionStage"] = scope.text("VersionStage") or "AWSCURRENT"
    return {key: value for key, value in found.items() if value is not None and key in action.all_keys}


_ORGANIZED = {
    "account": re.compile(r"\d{12}"),
    "organizationalunit": re.compile("ou-.+"),
    "root": re.compile("r-[a-z0-9]+"),
    "policy": re.compile("p-.+"),
    "handshake": re.compile("h-.+"),
    "resourcepolicy": re.compile("rp-.+"),
}


def _organized(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a part of the organization, which its id tells the type of."""
    form = _ORGANIZED.get(use.name)
    known = scope.state.existing_arn("organizations", use.name, value, scope.call.region)
    if known is not None or form is None:
        return known
    return scope.arn(use.template) if form.fullmatch(value) else ""


def _paths(names: str, kinds: str) -> Mapping[str, str]:
    return dict.fromkeys(kinds.split(), names)


_TARGETS = "account organizationalunit root"
_TAGGED = "account organizationalunit policy resourcepolicy root"


def _directory_tags(scope: Scope, action: Action, _: str) -> Context:
    given = find(scope.call.parameters, "ResourceId")
    return {"ds:ResourceId": str(given[0])} if given and "ds:ResourceId" in action.all_keys else {}


TABLES = {
    "kms": Service(
        actions={"ReEncrypt": "ReEncryptFrom ReEncryptTo"},
        paths={"key": "KeyId TargetKeyId"},
        operations={
            "CreateAlias": {"alias": "AliasName", "key": "TargetKeyId"},
            "UpdateAlias": {"alias": "AliasName", "key": "TargetKeyId"},
            "DeleteAlias": {"alias": "AliasName", "key": "AliasName"},
            "Decrypt": {"key": "KeyId CiphertextBlob"},
            "ReEncrypt:ReEncryptFrom": {"key": "SourceKeyId CiphertextBlob"},
            "ReEncrypt:ReEncryptTo": {"key": "DestinationKeyId"},
            "RetireGrant": {"key": "KeyId ?"},
            "CreateKey": {},
        },
        arn=_kms,
        context=_kms_keys,
        tagging="TagResource",
    ),
    "secretsmanager": Service(
        paths={"Secret": "SecretId"},
        operations={"CreateSecret": {"Secret": "Name"}, "BatchGetSecretValue": {"Secret": "-"}},
        arn=_secret,
        context=_secret_keys,
        besides=secret_keys,
        passes={"ExternalSecretRotationRoleArn": "secretsmanager.amazonaws.com"},
        tagging="TagResource",
    ),
    "acm": Service(tagging="AddTagsToCertificate"),
    "acm-pca": Service(),
    "cognito-identity": Service(passes={"CustomRoleArn": ""}),
    "guardduty": Service(tagging="TagResource"),
    "securityhub": Service(
        operations={"BatchImportFindings": {"product": "Findings.ProductArn"}},
        paths={"hub": "=default"},
        anywhere=frozenset({"EnableOrganizationAdminAccount"}),
        passes={"ResourceRole": ""},
    ),
    "organizations": Service(
        paths={
            "account": "AccountId",
            "organizationalunit": "OrganizationalUnitId",
            "root": "RootId",
            "policy": "PolicyId",
            "handshake": "HandshakeId",
            "awspolicy": "-",
        },
        operations={
            "AttachPolicy": {**_paths("TargetId", _TARGETS), "policy": "PolicyId", "awspolicy": "-"},
            "DetachPolicy": {**_paths("TargetId", _TARGETS), "policy": "PolicyId", "awspolicy": "-"},
            "CreateOrganizationalUnit": _paths("ParentId", _TARGETS),
            "CreatePolicy": {"policy": "+"},
            "ListAccountsForParent": _paths("ParentId", _TARGETS),
            "ListChildren": _paths("ParentId", _TARGETS),
            "ListOrganizationalUnitsForParent": _paths("ParentId", _TARGETS),
            "ListParents": _paths("ChildId", _TARGETS),
            "ListPoliciesForTarget": _paths("TargetId", _TARGETS),
            "ListTagsForResource": _paths("ResourceId", _TAGGED),
            "TagResource": _paths("ResourceId", _TAGGED),
            "UntagResource": _paths("ResourceId", _TAGGED),
            "MoveAccount": {
                "account": "AccountId",
                "organizationalunit": "SourceParentId DestinationParentId",
                "root": "SourceParentId DestinationParentId",
            },
        },
        anywhere=frozenset(
            {"CreateOrganization", "DescribeOrganization", "ListAccounts", "ListRoots", "ListPolicies"}
            | {"DescribeCreateAccountStatus", "ListCreateAccountStatus"}
        ),
        arn=_organized,
        keys={
            "organizations:ServicePrincipal": "ServicePrincipal",
            "organizations:PolicyType": "PolicyType Type Filter",
        },
        passes={"RoleName": ""},
        tagging="TagResource",
    ),
    "ds": Service(
        paths={"directory": "DirectoryId ResourceId"},
        operations={"DeleteTrust": {"directory": "?"}},
        context=_directory_tags,
    ),
    "sso-admin": Service(
        prefix="sso",
        variables={"AccountId": "TargetId AccountId"},
    ),
    "wafv2": Service(
        values={"CLOUDFRONT": "global", "REGIONAL": "regional"},
        operations={
            "GetWebACLForResource": {"webacl": "?"},
            "PutLoggingConfiguration": {"webacl": "LoggingConfiguration.ResourceArn"},
        },
        tagging="TagResource",
    ),
    "ram": Service(),
}
