"""Keys of KMS that a service uses on the caller's behalf: the caller needs the permission, the service makes the call.

https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service. AWS's own keys (a
service's ``alias/aws/...``) admit every principal of the account through their service, so that nothing is asked for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .permission import Context, Permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .scope import Scope

__all__ = ["on_behalf"]

_OWN = "alias/aws/"


def on_behalf(
    scope: Scope, service: str, key: str | None, *actions: str, pairs: Mapping[str, str] | None = None
) -> list[Permission]:
    """Give the checks for `actions` of KMS that `service` takes with a key, named as its API does: id, ARN or alias.

    `pairs` is the encryption context that the service uses.
    """
    if key is None or _OWN in key:
        return []
    context: Context = {
        "kms:ViaService": f"{service}.{scope.call.region}.amazonaws.com",
        "kms:CallerAccount": scope.account,
        "aws:ViaAWSService": "true",
    }
    if pairs:
        context.update({f"kms:EncryptionContext:{name}": value for name, value in pairs.items()})
        context["kms:EncryptionContextKeys"] = list(pairs)
    arn = _arn(scope, key)
    for name, value in scope.state.resource_tags(arn).items():
        context[f"aws:ResourceTag/{name}"] = value
    return [Permission(f"kms:{action}", arn, context) for action in actions]


def _arn(scope: Scope, key: str) -> str:
    place = f"arn:{scope.partition}:kms:{scope.call.region}:{scope.account}:key/"
    if "alias/" in key:
        return scope.state.existing_arn("kms", "alias", key, scope.call.region) or f"{place}*"
    return key if key.startswith("arn:") else f"{place}{key}"
