"""Which KMS keys moto's services keep with what they encrypt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.live import service_backend

if TYPE_CHECKING:
    from pytest_stsguard.cloud.backend import Backend

__all__ = ["encryption_key", "object_key"]

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
    if found is None or not str(getattr(found, "encryption", "")).startswith(_KMS) or not found.kms_key_id:
        return None
    return str(found.kms_key_id), str(found.bucket_key_enabled).lower() == "true"


def encryption_key(backend: Backend, arn: str, *, account: str) -> tuple[str, bool] | None:
    """Give the key of a secret or a secure parameter; None where it is AWS's own or there is none."""
    parts = arn.split(":", 5)
    if len(parts) < _ARN_PARTS or parts[4] != account:
        return None
    if parts[2] == "secretsmanager":
        service = service_backend(backend, "secretsmanager", account=account, region=parts[3])
        key = getattr(service.secrets.get(arn), "kms_key_id", None)
        return (str(key), False) if key else None
    if parts[2] == "ssm" and parts[5].startswith("parameter/"):
        service = service_backend(backend, "ssm", account=account, region=parts[3])
        name = parts[5].removeprefix("parameter/")
        versions = next((found for each in (name, f"/{name}") if (found := dict.get(service._parameters, each))), None)  # noqa: SLF001 - moto's read resolves public parameters
        key = versions[-1].keyid if versions and versions[-1].parameter_type == "SecureString" else None
        return (str(key), False) if key else None
    return None
