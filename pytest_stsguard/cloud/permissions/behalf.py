"""What a service does on the caller's behalf: the caller needs the permission, the service makes the call.

A forward access session carries the caller's permissions and session; in its requests aws:ViaAWSService is true, and
aws:CalledVia with its First and Last names the service that calls:
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html. It comes from the service's address and
through none of the caller's endpoints: "Using the IP address condition in policies with AWS KMS permissions",
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-aws.html. For keys of KMS see
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service. AWS's own keys (a
service's ``alias/aws/...``) admit every principal of their account through their service, so that nothing is asked for them,
and nobody of another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .permission import Context, Permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .permission import ServiceError
    from .scope import Scope

__all__ = ["called_via", "on_behalf"]

_OWN = "alias/aws/"
# Any of Amazon's would do; this one is in its published ranges for us-east-1.
_ADDRESS = "52.94.133.131"
_ARN_PARTS = 6


def called_via(service: str) -> Context:
    """Give the condition keys of a request that `service` (``s3``) makes with the caller's session."""
    principal = f"{service}.amazonaws.com"
    return {
        "aws:ViaAWSService": "true",
        "aws:CalledVia": [principal],
        "aws:CalledViaFirst": principal,
        "aws:CalledViaLast": principal,
        "aws:SourceIp": _ADDRESS,
    }


def on_behalf(
    scope: Scope,
    service: str,
    key: str | None,
    *actions: str,
    pairs: Mapping[str, str] | None = None,
    error: ServiceError | None = None,
    owner: str = "",
    more: Context | None = None,
) -> list[Permission]:
    """Give the checks for `actions` of KMS that `service` takes with a key, named as its API does: id, ARN or alias.

    `pairs` is the encryption context that the service uses, `error` what it answers when it is denied, `owner` the ARN of
    what is encrypted, or the account, in which a key without an ARN lies; without one it is the caller's. `more` are other
    condition keys of these checks.
    """
    if not key:
        return []
    account = owner.split(":")[4] if owner.count(":") >= _ARN_PARTS - 1 else owner or scope.account
    if _OWN in key and account == scope.account:
        return []
    context: Context = {
        "kms:ViaService": f"{service}.{scope.call.region}.amazonaws.com",
        "kms:CallerAccount": scope.account,
        **called_via(service),
    }
    if pairs:
        context.update({f"kms:EncryptionContext:{name}": value for name, value in pairs.items()})
        context["kms:EncryptionContextKeys"] = list(pairs)
    arn = _arn(scope, key, account)
    if aliases := scope.state.key_aliases(arn):
        context["kms:ResourceAliases"] = list(aliases)
    for name, value in scope.state.resource_tags(arn).items():
        context[f"aws:ResourceTag/{name}"] = value
    return [
        Permission(f"kms:{action}", arn, {**context, **_GRANTED.get(action, {}), **(more or {})}, error=error)
        for action in actions
    ]


# A service may ask for grants alone that are for itself.
_GRANTED: Mapping[str, Context] = {"CreateGrant": {"kms:GrantIsForAWSResource": "true"}}


def _arn(scope: Scope, key: str, account: str) -> str:
    place = f"arn:{scope.partition}:kms:{scope.call.region}:{account}"
    if _OWN in key:
        # As it is named: its policy is AWS's, and it admits nobody from elsewhere.
        return f"{place}:{key[key.index('alias/') :]}"
    if "alias/" in key:
        return scope.state.existing_arn("kms", "alias", key, scope.call.region) or f"{place}:key/*"
    if key.startswith("arn:"):
        return key
    # What is encrypted may be under a key of whoever wrote it.
    return scope.state.existing_arn("kms", "key", key, scope.call.region) or f"{place}:key/{key}"
