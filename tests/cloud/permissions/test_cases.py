"""What operations need, case by case, as the Service Authorization Reference and the operations' own pages say.

A case is an operation, its parameters and the permissions: action, resource, and the condition keys that the call fills.
Sources: https://docs.aws.amazon.com/service-authorization/latest/reference/ and, for S3,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Needs = Callable[..., Any]

_TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/users"
# Keys that every check of a service has.
_ALWAYS = {"ec2": {"ec2:Region": "us-east-1"}}


def _cases() -> list[Any]:
    found = []
    for path in sorted(Path(__file__).with_name("cases").glob("*.json")):
        cases = json.loads(path.read_text(encoding="utf-8"))
        found += [
            pytest.param((path.stem, *case), id=f"{path.stem}-{case[0]}-{number}") for number, case in enumerate(cases)
        ]
    return found


@pytest.mark.parametrize("case", _cases())
def test_what_an_operation_needs(case: tuple[str, str, dict[str, Any], list[Any]], needs: Needs, world: Any) -> None:
    service, operation, parameters, permissions = case
    world.tags = {
        "arn:aws:s3:::a/tagged": {"t": "1"},
        "arn:aws:ec2:us-east-1:111122223333:instance/i-tagged": {"team": "blue"},
    }
    world.keys = {_TABLE: "id", f"{_TABLE}/index/by-mail": "mail"}
    found = []
    for permission in needs(service, operation, parameters, caller_name="alice"):
        context = dict(permission.context)
        always = _ALWAYS.get(service, {}) if permission.action.startswith(f"{service}:") else {}
        assert always.items() <= context.items()
        owner = context.pop("s3:ResourceAccount", None)
        assert owner == permission.resource_account
        found.append(
            [permission.action, permission.resource, {key: context[key] for key in context.keys() - always.keys()}]
        )
    assert found == [[*each, {}][:3] for each in permissions]
