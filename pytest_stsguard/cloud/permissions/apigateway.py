"""API Gateway's management operations, both versions: the action is the HTTP method, the resource the path.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html,
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_stsguard.cloud.calls.catalogue import model

from .generic import own_tags
from .passing import pass_role
from .permission import Context, Permission, UnmappedOperationError
from .tags import request_tags, tag_context

if TYPE_CHECKING:
    from .scope import Scope

__all__ = ["permissions"]

_PLACE = re.compile(r"\{(\w+)\+?\}")
_TAG_KEYS = frozenset({"aws:ResourceTag/${TagKey}"})
# Roles that API Gateway is handed: to call an integration or an authorizer with, and to write logs with.
_ROLES = ("credentials", "authorizerCredentials", "CredentialsArn", "AuthorizerCredentialsArn")
_ACCOUNT_ROLE = "/cloudwatchRoleArn"
# The key of each parameter that a request may set: a policy can pin what an API is made with.
_KEYS = {
    "apigateway:Request/EndpointType": ("endpointConfiguration.types",),
    "apigateway:Request/ApiName": ("name", "Name"),
    "apigateway:Request/StageName": ("stageName", "StageName"),
    "apigateway:Request/DisableExecuteApiEndpoint": ("disableExecuteApiEndpoint", "DisableExecuteApiEndpoint"),
    "apigateway:Request/SecurityPolicy": ("securityPolicy",),
    "apigateway:Request/AuthorizerType": ("type", "AuthorizerType"),
    "apigateway:Request/AuthorizerUri": ("authorizerUri", "AuthorizerUri"),
    "apigateway:Request/RouteAuthorizationType": ("authorizationType", "AuthorizationType"),
    "apigateway:Request/ApiKeyRequired": ("apiKeyRequired", "ApiKeyRequired"),
}
_ABOUT = {
    "ApiName": ("RestApi", "Api"),
    "AuthorizerType": ("Authorizer",),
    "RouteAuthorizationType": ("Method", "Route"),
}


def permissions(scope: Scope) -> list[Permission]:
    """Give the checks of one call: the method on the path, tags on theirs, and the roles that are handed over."""
    operation = scope.call.operation
    if operation not in model(scope.call.service).operation_names:
        raise UnmappedOperationError(scope.call.service, operation, hint="it is no operation of API Gateway")
    http = model(scope.call.service).operation_model(operation).http
    arn = _arn(scope, _filled(scope, str(http["requestUri"])))
    tags = tag_context(request_tags(scope.call.parameters))
    context: Context = {**own_tags(scope, _TAG_KEYS, arn), **tags, **_keys(scope)}
    found = [Permission(f"apigateway:{http['method']}", arn, context)]
    if tags and "/tags/" not in arn:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-iam-policy.html
        found.append(Permission("apigateway:PUT", _arn(scope, "/tags/*"), tags))
    for role in _passed(scope):
        found += pass_role(scope, role, "apigateway.amazonaws.com")
    return found


def _filled(scope: Scope, uri: str) -> str:
    """Fill the operation's path; version 2 leaves its version out of the ARN."""
    path = uri.partition("?")[0]
    shape = model(scope.call.service).operation_model(scope.call.operation).input_shape
    by_place = {member.serialization.get("name", name): name for name, member in shape.members.items()} if shape else {}

    def fill(match: re.Match[str]) -> str:
        value = scope.text(by_place.get(match[1], match[1]))
        if value is None:
            hint = f"no parameter fills `{match[1]}`"
            raise UnmappedOperationError(scope.call.service, scope.call.operation, hint=hint)
        return quote(value, safe="")

    return _PLACE.sub(fill, path).removeprefix("/v2")


def _arn(scope: Scope, path: str) -> str:
    return f"arn:{scope.partition}:apigateway:{scope.call.region}::{path}"


def _keys(scope: Scope) -> Context:
    """Give the condition keys of what a request sets, with the operations that set it."""
    operation = scope.call.operation
    context: Context = {}
    for key, paths in _KEYS.items():
        about = _ABOUT.get(key.rpartition("/")[2])
        if about is not None and not operation.endswith(about):
            continue
        if values := scope.texts(*paths):
            context[key] = values if key.endswith("EndpointType") else values[0]
    return context


def _passed(scope: Scope) -> list[str]:
    roles = [value for value in scope.texts(*_ROLES) if ":role/" in value]
    changes = scope.call.parameters.get("patchOperations") or ()
    roles += [str(each.get("value")) for each in changes if each.get("path") == _ACCOUNT_ROLE and each.get("value")]
    return roles
