"""Calls that a service makes onward with the caller's session, to something that the caller names: code, results, tables.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-zip.html, https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html,
https://docs.aws.amazon.com/athena/latest/ug/querying.html, https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Requesting.html,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html. An import, an export and a query start on AWS
and fail afterwards; here the call that starts them is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.calls import Call

from .behalf import called_via, on_behalf
from .permission import Permission, ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .permission import Context
    from .scope import Scope

__all__ = ["function_code", "query_results", "table_data", "user_password"]

_NO_CODE: Final = ServiceError(
    "AccessDeniedException",
    "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for the "
    "code. S3 Error Code: AccessDenied. S3 Error Message: {}",
    403,
)
_NO_VARIABLES: Final = ServiceError(
    "AccessDeniedException",
    "Lambda was unable to configure access to your environment variables because the KMS key is invalid for the caller. "
    "Please check your KMS key settings. KMS Exception: AccessDeniedException KMS Message: {}",
    403,
)
_NO_OUTPUT: Final = ServiceError("InvalidRequestException", "Unable to verify/create output bucket: {}")
_CODE: Final = {"CreateFunction": "Code.", "PublishLayerVersion": "Content.", "UpdateFunctionCode": ""}
_SCHEME: Final = "s3://"


def through(
    scope: Scope, by: str, operation: str, parameters: Mapping[str, Any], *, error: ServiceError | None = None
) -> list[Permission]:
    """Give the checks of a call of S3 that the service `by` makes onward with the caller's session."""
    from . import s3  # noqa: PLC0415 - S3's own rules are further up

    signing = Call("s3", operation, "rest-xml", parameters, scope.call.region, "s3")
    return [_through(by, each, error) for each in s3.permissions(replace(scope, call=signing))]


def _through(by: str, permission: Permission, error: ServiceError | None) -> Permission:
    """Put the service in front of those that a check is already made through."""
    inner = permission.context.get("aws:CalledVia") or []
    via: Context = called_via(by)
    first = via["aws:CalledViaFirst"]
    chain = [str(first), *(inner if isinstance(inner, list) else [inner])]
    context = {**permission.context, **via, "aws:CalledVia": chain, "aws:CalledViaLast": chain[-1]}
    return replace(permission, context=context, error=error or permission.error)


def function_code(scope: Scope, found: list[Permission]) -> list[Permission]:
    """Give the checks on the object that holds a function's code, on its layers, and on the key of its variables."""
    operation = scope.call.operation
    checks = [
        Permission("lambda:GetLayerVersion", layer)
        for layer in (scope.texts("Layers") if operation in {"CreateFunction", "UpdateFunctionConfiguration"} else [])
        if layer.startswith("arn:")
    ]
    place = _CODE.get(operation)
    bucket = scope.text(f"{place}S3Bucket") if place is not None else None
    if bucket:
        given = {"Bucket": bucket, "Key": scope.text(f"{place}S3Key") or ""}
        version = scope.text(f"{place}S3ObjectVersion")
        checks += through(
            scope, "lambda", "GetObject", given | ({"VersionId": version} if version else {}), error=_NO_CODE
        )
    key = scope.text("KMSKeyArn") if operation in {"CreateFunction", "UpdateFunctionConfiguration"} else None
    pairs = {"aws:lambda:FunctionArn": found[0].resource}
    return checks + on_behalf(scope, "lambda", key, "CreateGrant", "Encrypt", pairs=pairs, error=_NO_VARIABLES)


def query_results(scope: Scope, _own: list[Permission]) -> list[Permission]:
    """Give the checks on the place in S3 that a query's results are written to, or read from."""
    if scope.call.operation == "StartQueryExecution":
        location = scope.text("ResultConfiguration.OutputLocation")
        if location is None or not location.startswith(_SCHEME):
            return []
        bucket, _, prefix = location.removeprefix(_SCHEME).partition("/")
        if not bucket:
            return []
        checks = through(scope, "athena", "GetBucketLocation", {"Bucket": bucket}, error=_NO_OUTPUT)
        # The result's name is the query's id, which Athena gives.
        given = {"Bucket": bucket, "Key": f"{prefix.rstrip('/')}/*.csv".lstrip("/")}
        return checks + through(scope, "athena", "PutObject", given, error=_NO_OUTPUT)
    if scope.call.operation == "GetQueryResults":
        place = scope.state.existing_arn("athena", "result", scope.text("QueryExecutionId") or "", scope.call.region)
        if place is not None:
            bucket, _, key = place.rpartition(":::")[2].partition("/")
            return through(scope, "athena", "GetObject", {"Bucket": bucket, "Key": key})
    return []


def table_data(scope: Scope) -> list[Permission]:
    """Give the checks on the objects that a table is exported to, or imported from."""
    if scope.call.operation == "ExportTableToPointInTime":
        bucket, prefix = scope.text("S3Bucket"), scope.text("S3Prefix") or ""
        if not bucket:
            return []
        given = {"Bucket": bucket, "Key": f"{prefix}/AWSDynamoDB/*".lstrip("/")}
        encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": scope.text("S3SseKmsKeyId")}
        return through(scope, "dynamodb", "PutObject", given | (encrypted if encrypted["SSEKMSKeyId"] else {}))
    if scope.call.operation == "ImportTable":
        bucket, prefix = scope.text("S3BucketSource.S3Bucket"), scope.text("S3BucketSource.S3KeyPrefix") or ""
        if not bucket:
            return []
        listing = through(scope, "dynamodb", "ListObjectsV2", {"Bucket": bucket, "Prefix": prefix})
        return listing + through(scope, "dynamodb", "GetObject", {"Bucket": bucket, "Key": f"{prefix}*"})
    return []


def user_password(scope: Scope, _: list[Permission]) -> list[Permission]:
    """Give the checks on the secret in which a database's password is kept, which RDS makes with the caller's session."""
    if scope.text("ManageMasterUserPassword") != "true" or not scope.call.operation.startswith(("Create", "Modify")):
        return []
    arn = f"arn:{scope.partition}:secretsmanager:{scope.call.region}:{scope.account}:secret:rds!*"
    made = [Permission(f"secretsmanager:{name}", arn, called_via("rds")) for name in ("CreateSecret", "TagResource")]
    key = scope.text("MasterUserSecretKmsKeyId")
    actions = ("DescribeKey", "GenerateDataKey", "Decrypt", "CreateGrant")
    return made + on_behalf(scope, "secretsmanager", key, *actions, more={"aws:CalledViaFirst": "rds.amazonaws.com"})
