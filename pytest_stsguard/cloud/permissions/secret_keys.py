"""The KMS keys of secrets and secure parameters, and secrets that are reached by other ways than GetSecretValue.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html,
https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .behalf import called_via, on_behalf
from .permission import Permission, ServiceError
from .scope import find

if TYPE_CHECKING:
    from .permission import Context
    from .scope import Scope

__all__ = ["parameter_keys", "secret_keys"]

_SERVICE: Final = "secretsmanager.amazonaws.com"
_CANNOT_INVOKE: Final = ServiceError(
    "AccessDeniedException",
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the "
    f"principal {_SERVICE}",
)
_SECRET_DENIED: Final = ServiceError("AccessDeniedException", "Access to KMS is not allowed")
_ELSEWHERE: Final = ServiceError(
    "InvalidRequestException",
    "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.",
)
_READING: Final = ("Decrypt",)
_WRITING: Final = ("GenerateDataKey", "Decrypt")
_SECRETS: Final = {
    "CreateSecret": _WRITING,
    "GetSecretValue": _READING,
    "PutSecretValue": _WRITING,
    "UpdateSecret": _WRITING,
}
_REFERENCE: Final = "/aws/reference/secretsmanager/"
# Secrets Manager tries a key with this in the place of a version before it uses it.
_TRIED: Final = "RequestToValidateKeyAccess"


def secret_keys(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the checks on the key of a secret that is read or written, and on the function that rotates it."""
    operation = scope.call.operation
    if operation == "BatchGetSecretValue":
        # Each secret is decided when its value is there; to find them takes what listing them takes.
        return [Permission("secretsmanager:ListSecrets", "*")] if scope.call.parameters.get("Filters") else []
    if operation == "RotateSecret":
        return _rotating(scope, found)
    actions = _SECRETS.get(operation)
    if actions is None or not found:
        return []
    arn = found[0].resource
    written = scope.text("SecretString") is not None or scope.text("SecretBinary") is not None
    given, stored = scope.text("KmsKeyId"), scope.state.encryption(arn)
    key = given or (stored[0] if stored else None)
    checks = []
    if key is None and operation == "GetSecretValue" and arn.split(":")[4:5] != [scope.account]:
        own = on_behalf(scope, "secretsmanager", "alias/aws/secretsmanager", "Decrypt", owner=arn, error=_ELSEWHERE)
        return own if arn.startswith("arn:") else []
    if given is not None:
        checks += _on_secret(scope, arn, key, _TRIED, *actions)
    if operation == "GetSecretValue" or written:
        checks += _on_secret(scope, arn, key, _version(scope, arn), *actions)
    return checks


def _on_secret(scope: Scope, arn: str, key: str | None, version: str | None, *actions: str) -> list[Permission]:
    pairs = {"SecretARN": arn} | ({} if version is None else {"SecretVersionId": version})
    return on_behalf(scope, "secretsmanager", key, *actions, pairs=pairs, error=_SECRET_DENIED, owner=arn)


def _version(scope: Scope, arn: str) -> str | None:
    """Give the version that is written, as the caller names it, or that is read."""
    if scope.call.operation != "GetSecretValue":
        return scope.text("ClientRequestToken")
    version = scope.text("VersionId")
    stage = scope.text("VersionStage") or "AWSCURRENT"
    return version or scope.state.existing_arn("secretsmanager", "version", f"{stage}|{arn}", scope.call.region)


def _rotating(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the check on the function that rotates a secret: the caller needs to invoke it, and the service as well.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    """
    function = scope.text("RotationLambdaARN")
    if not function:
        return []
    if not function.startswith("arn:"):
        function = f"arn:{scope.partition}:lambda:{scope.call.region}:{scope.account}:function:{function}"
    own: Context = {
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": _SERVICE,
        "aws:SourceAccount": scope.account,
        "aws:SourceArn": found[0].resource,
    }
    return [
        Permission("lambda:InvokeFunction", function, called_via("secretsmanager")),
        Permission("lambda:InvokeFunction", function, own, error=_CANNOT_INVOKE, principal=_SERVICE),
    ]


def parameter_keys(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the checks on the keys of secure parameters that are read in the clear, or written."""
    if scope.call.operation == "PutParameter":
        arn = found[0].resource
        stored = scope.state.encryption(arn)
        secure = scope.text("Type") == "SecureString" or (scope.text("Type") is None and stored is not None)
        key = (scope.text("KeyId") or (stored[0] if stored else None)) if secure else None
        action = "GenerateDataKey" if scope.text("Tier") == "Advanced" else "Encrypt"
        return on_behalf(scope, "ssm", key, action, pairs={"PARAMETER_ARN": arn})
    if scope.call.operation == "SendCommand":
        return _commanded(scope, found)
    referred = [_referred(scope, name) for name in scope.texts("Name", "Names") if name.startswith(_REFERENCE)]
    checks = [check for each in referred for check in each]
    if scope.text("WithDecryption") != "true":
        return checks
    read = [each.resource for each in found]
    if scope.call.operation == "GetParametersByPath":
        recursive = scope.text("Recursive") == "true"
        path = scope.text("Path") or "/"
        read = list(scope.state.parameters_below(path, scope.call.region, recursive=recursive))
    keys = [(arn, scope.state.encryption(arn)) for arn in read]
    for arn, stored in keys:
        if stored is not None:
            checks += on_behalf(scope, "ssm", stored[0], "Decrypt", pairs={"PARAMETER_ARN": arn})
    return checks


def _commanded(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the checks on instances that a command reaches by targets: named ones, and any that bear a tag.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html
    """
    place = f"arn:{scope.partition}:ec2:{scope.call.region}:{scope.account}:instance"
    named: list[str] = []
    for target in find(scope.call.parameters, "Targets"):
        values = target.get("Values") or []
        named += [str(each) for each in values] if target.get("Key") == "InstanceIds" else ["*"]
    context = found[0].context if found else {}
    return [Permission("ssm:SendCommand", f"{place}/{each}", context) for each in dict.fromkeys(named)]


def _referred(scope: Scope, name: str) -> list[Permission]:
    """Give the checks for a secret that is read as if it were a parameter."""
    secret = name.removeprefix(_REFERENCE)
    place = f"arn:{scope.partition}:secretsmanager:{scope.call.region}:{scope.account}:secret:"
    arn = scope.state.existing_arn("secretsmanager", "Secret", secret, scope.call.region) or f"{place}{secret}-??????"
    key, _ = scope.state.encryption(arn) or (None, False)
    context = {**called_via("ssm"), "secretsmanager:SecretId": arn, "secretsmanager:VersionStage": "AWSCURRENT"}
    for tag, value in scope.state.resource_tags(arn).items():
        context |= {f"aws:ResourceTag/{tag}": value, f"secretsmanager:ResourceTag/{tag}": value}
    checks = [Permission("secretsmanager:GetSecretValue", arn, context)]
    pairs = {"SecretARN": arn}
    chain: Context = {"aws:CalledVia": ["ssm.amazonaws.com", _SERVICE], "aws:CalledViaFirst": "ssm.amazonaws.com"}
    return checks + on_behalf(scope, "secretsmanager", key, "Decrypt", pairs=pairs, owner=arn, more=chain)
