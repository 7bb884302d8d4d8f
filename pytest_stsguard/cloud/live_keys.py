"""Which KMS keys moto's services keep with what they encrypt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.live import service_backend

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.backend import Backend

__all__ = ["encryption_key", "key_aliases", "object_key", "parameters_below"]

_KMS = "aws:kms"
_ARN_PARTS = 6


def object_key(bucket: Any, key: str) -> tuple[str, bool] | None:
    """Give the key of an object, or without a name of it the bucket's default, and whether a bucket key is used."""
    if not key:
        rule = (bucket.encryption or {}).get("Rule") or {}
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        named = default.get("KMSMasterKeyID") if str(default.get("SSEAlgorithm", "")).startswith(_KMS) else None
        return (str(named), str(rule.get("BucketKeyEnabled", "")).lower() == "true") if named else None
    found = bucket.keys.get(key)
    if found is None or not str(getattr(found, "encryption", "")).startswith(_KMS):
        return None
    return str(found.kms_key_id or "alias/aws/s3"), str(found.bucket_key_enabled).lower() == "true"


def encryption_key(backend: Backend, arn: str) -> tuple[str, bool] | None:
    """Give the key that a resource is under; None where it is AWS's own or there is none."""
    parts = arn.split(":", 5)
    reader = _READERS.get(parts[2]) if len(parts) == _ARN_PARTS else None
    if reader is None:
        return None
    account, region = parts[4], parts[3]
    key = reader(service_backend(backend, parts[2], account=account, region=region), arn, parts[5])
    return (str(key), False) if key and not _is_aws_managed(backend, str(key), account, region) else None


def _is_aws_managed(backend: Backend, key: str, account: str, region: str) -> bool:
    """Tell whether a key is one that a service made for itself, which has an alias of AWS's."""
    if "alias/" in key:
        return "alias/aws/" in key
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{region}:{account}:key/{key}"
    return any(alias.startswith("alias/aws/") for alias in key_aliases(backend, arn))


def key_aliases(backend: Backend, arn: str) -> tuple[str, ...]:
    """Give the aliases of a key."""
    parts = arn.split(":", 5)
    if len(parts) < _ARN_PARTS or parts[2] != "kms":
        return ()
    known = service_backend(backend, "kms", account=parts[4], region=parts[3]).keys.get(arn.rpartition("/")[2])
    return () if known is None else tuple(known.aliases)


def parameters_below(backend: Backend, path: str, *, account: str, region: str, recursive: bool) -> tuple[str, ...]:
    """Give the ARNs of the parameters in a path, of those in the paths below it too with `recursive`."""
    ssm = service_backend(backend, "ssm", account=account, region=region)
    place = f"arn:aws:ssm:{region}:{account}:parameter/"
    start = f"{path.rstrip('/')}/"
    names = [name for name in list(dict.keys(ssm._parameters)) if name.startswith(start)]  # noqa: SLF001 - as below
    return tuple(f"{place}{name.lstrip('/')}" for name in names if recursive or "/" not in name.removeprefix(start))


def _secret(service: Any, arn: str, _: str) -> Any:
    return getattr(service.secrets.get(arn), "kms_key_id", None)


def _parameter(service: Any, _: str, tail: str) -> Any:
    name = tail.removeprefix("parameter/")
    versions = next((found for each in (name, f"/{name}") if (found := dict.get(service._parameters, each))), None)  # noqa: SLF001 - moto's read resolves public parameters
    return versions[-1].keyid if versions and versions[-1].parameter_type == "SecureString" else None


def _queue(service: Any, _: str, tail: str) -> Any:
    return getattr(service.queues.get(tail), "kms_master_key_id", None)


def _topic(service: Any, arn: str, _: str) -> Any:
    return getattr(service.topics.get(arn), "kms_master_key_id", None)


def _stream(service: Any, _: str, tail: str) -> Any:
    found = service.streams.get(tail.removeprefix("stream/"))
    return found.key_id if found is not None and found.encryption_type == "KMS" else None


def _table(service: Any, _: str, tail: str) -> Any:
    found = service.tables.get(tail.removeprefix("table/").partition("/")[0])
    return (getattr(found, "sse_specification", None) or {}).get("KMSMasterKeyId")


_READERS: dict[str, Callable[[Any, str, str], Any]] = {
    "dynamodb": _table,
    "kinesis": _stream,
    "secretsmanager": _secret,
    "sns": _topic,
    "sqs": _queue,
    "ssm": _parameter,
}
