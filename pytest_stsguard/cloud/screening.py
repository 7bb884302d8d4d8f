"""Answers of which a caller sees a part: what it may not decrypt or read is told as an error in its place.

See "GetObject" in the Amazon S3 API Reference, "Securing environment variables" in the AWS Lambda Developer Guide and
"BatchGetSecretValue" in the AWS Secrets Manager API Reference.
"""

from __future__ import annotations

import json
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.lookup import Lookup
from pytest_stsguard.cloud.passage import denial
from pytest_stsguard.cloud.permissions import required
from pytest_stsguard.cloud.permissions.behalf import on_behalf
from pytest_stsguard.cloud.permissions.scope import Scope
from pytest_stsguard.cloud.request import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_stsguard.cloud.authorization import Authorizer
    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller
    from pytest_stsguard.cloud.permissions import Permission
    from pytest_stsguard.cloud.request import Response
    from pytest_stsguard.cloud.state import State

    Surroundings = Mapping[str, str | list[str]]

__all__ = ["Screening"]

_FAILED: Final = 300
_OF_AN_OBJECT: Final = frozenset({"GetObject", "GetObjectAttributes", "HeadObject"})
_NOT_DECRYPTED: Final = (
    "Lambda was unable to decrypt your environment variables because the KMS access was denied. Please check your KMS "
    "permissions. KMS Exception: AccessDeniedException KMS Message: "
)


class Screening:
    """Looks at answers that hold something of each of several resources."""

    def __init__(self, authorizer: Authorizer, backend: Backend, state: State) -> None:
        self._authorizer = authorizer
        self._backend = backend
        self._state = state

    def attend(self, call: Call, caller: Caller, surroundings: Surroundings) -> Callable[[Response], Response]:
        """Give what takes out of the answer to a call the parts that the caller may not see."""
        if call.service == "s3":
            return self._object(call, caller, surroundings)
        screen = {"lambda": self._functions, "secretsmanager": self._secrets}.get(call.service)
        if screen is None or (call.service == "secretsmanager" and call.operation != "BatchGetSecretValue"):
            return unchanged

        def settle(response: Response) -> Response:
            if response.status >= _FAILED or not response.body.startswith(b"{"):
                return response
            answer = json.loads(response.body)
            if not screen(answer, call, caller, surroundings):
                return response
            headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
            return replace(response, headers=headers, body=json.dumps(answer).encode())

        return settle

    def _object(self, call: Call, caller: Caller, surroundings: Surroundings) -> Callable[[Response], Response]:
        """Tell who may not list a bucket nothing of which objects there are: what is missing is denied.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, on permissions.
        """
        bucket = call.parameters.get("Bucket")
        if call.operation not in _OF_AN_OBJECT or not isinstance(bucket, str):
            return unchanged

        def settle(response: Response) -> Response:
            if response.status != HTTPStatus.NOT_FOUND or self._state.bucket_owner(bucket) is None:
                return response
            listing = replace(call, operation="ListObjectsV2", parameters={"Bucket": bucket})
            lookup = Lookup(self._backend, self._state, caller.account)
            words = self._refused(
                required(listing, account=caller.account, state=lookup), listing, caller, surroundings
            )
            if words:
                raise Fault(Refusal.ACCESS_DENIED, words)
            return response

        return settle

    def _refused(self, needed: Iterable[Permission], call: Call, caller: Caller, surroundings: Surroundings) -> str:
        """Give the words of the first permission that is missing; nothing when there is none."""
        for permission in needed:
            decision = self._authorizer.decide(caller, permission, surroundings)
            if not decision.allowed:
                asked = self._authorizer.question(caller, permission, surroundings)
                words = denial(caller, permission, decision, call, organizations=asked.context)
                return permission.error.message(words) if permission.error is not None else words
        return ""

    def _functions(self, answer: dict[str, Any], call: Call, caller: Caller, surroundings: Surroundings) -> bool:
        """Take out the variables of functions under a key that the caller may not decrypt with."""
        scope = Scope(call, caller.account, Lookup(self._backend, self._state, caller.account))
        hidden = False
        several = (*(answer.get("Functions") or ()), *(answer.get("Versions") or ()))
        for each in (answer, answer.get("Configuration") or {}, *several):
            key, variables = each.get("KMSKeyArn"), (each.get("Environment") or {}).get("Variables")
            if not key or not variables:
                continue
            arn = str(each.get("FunctionArn", ""))
            needed = on_behalf(scope, "lambda", key, "Decrypt", pairs={"aws:lambda:FunctionArn": arn}, owner=arn)
            words = self._refused(needed, call, caller, surroundings)
            if words:
                each["Environment"] = {
                    "Error": {"ErrorCode": "AccessDeniedException", "Message": _NOT_DECRYPTED + words}
                }
                hidden = True
        return hidden

    def _secrets(self, answer: dict[str, Any], call: Call, caller: Caller, surroundings: Surroundings) -> bool:
        """Tell the secrets whose values the caller may not get as errors."""
        kept, errors = [], list(answer.get("Errors") or ())
        lookup = Lookup(self._backend, self._state, caller.account)
        for each in answer.get("SecretValues") or ():
            single = replace(call, operation="GetSecretValue", parameters={"SecretId": each["ARN"]})
            needed = required(single, account=caller.account, state=lookup)
            words = self._refused(needed, single, caller, surroundings)
            if words:
                errors.append({"SecretId": each["ARN"], "ErrorCode": "AccessDeniedException", "Message": words})
            else:
                kept.append(each)
        hidden = len(kept) < len(answer.get("SecretValues") or ())
        answer |= {"SecretValues": kept, "Errors": errors}
        return hidden
