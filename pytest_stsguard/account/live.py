"""The live source: an account read through any boto3 Session, of AWS or of a simulation.

It needs ``iam:GetAccountAuthorizationDetails``; whatever else it may not read becomes a gap of the account.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.errors import AwsUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3

    from pytest_stsguard.account.model import Account

__all__ = ["read_session"]

_CONFIG = Config(retries={"mode": "adaptive"})  # slows down when throttled; AWS_MAX_ATTEMPTS still counts
_PAGE_SIZE = 1000
_HOME = "us-east-1"


def read_session(session: boto3.Session, *, source: str = "aws", page_size: int = _PAGE_SIZE) -> Account:
    """Read the account that a session's credentials belong to.

    Args:
        session: anything that makes boto3 clients.
        source: what the account is called.
        page_size: entries a call, at most 1,000.

    Raises:
        AwsUnavailableError: AWS is out of reach, or refuses to give the account's authorization details.
        InputError: the answer cannot be used.
    """
    builder = AccountBuilder(source)
    try:
        for page in _paginate(session, "iam", "get_account_authorization_details", page_size=page_size):
            builder.add_text(_text(page), None)
    except (ClientError, BotoCoreError) as error:
        raise AwsUnavailableError(
            f"cannot read the account: {_reason(error)}",
            location=source,
            hint="it needs working credentials that may call iam:GetAccountAuthorizationDetails",
        ) from error
    for gap, read in _OPTIONAL.items():
        try:
            for page in read(session):
                builder.add_text(_text(page), None)
        except (ClientError, BotoCoreError) as error:
            builder.gaps[gap] = _reason(error)
    region = session.region_name or _HOME
    builder.gaps.setdefault(f"instances outside {region}", "a session is read in one region")
    return builder.build()


def _paginate(
    session: boto3.Session, service: str, operation: str, *, page_size: int = _PAGE_SIZE
) -> Iterator[dict[str, Any]]:
    client: Any = session.client(service, region_name=session.region_name or _HOME, config=_CONFIG)  # type: ignore[call-overload]  # the service is a variable
    yield from client.get_paginator(operation).paginate(PaginationConfig={"PageSize": page_size})


def _call(session: boto3.Session, service: str, operation: str) -> Iterator[dict[str, Any]]:
    client: Any = session.client(service, region_name=session.region_name or _HOME, config=_CONFIG)  # type: ignore[call-overload]  # the service is a variable
    yield getattr(client, operation)()


def _roles(session: boto3.Session) -> Iterator[dict[str, Any]]:
    return _paginate(session, "iam", "list_roles")


def _instances(session: boto3.Session) -> Iterator[dict[str, Any]]:
    return _paginate(session, "ec2", "describe_instances")


def _providers(session: boto3.Session) -> Iterator[dict[str, Any]]:
    yield from _call(session, "iam", "list_open_id_connect_providers")
    yield from _call(session, "iam", "list_saml_providers")


def _organization(session: boto3.Session) -> Iterator[dict[str, Any]]:
    return _call(session, "organizations", "describe_organization")


_OPTIONAL: dict[str, Callable[[boto3.Session], Iterator[dict[str, Any]]]] = {
    "MaxSessionDuration": _roles,
    "instances": _instances,
    "identity providers": _providers,
    "organization": _organization,
}


def _text(page: dict[str, Any]) -> str:
    """Write an answer as JSON, so that every source is decoded the same way; the transport's own part stays out."""
    body = {key: value for key, value in page.items() if key not in ("ResponseMetadata", "Marker")}
    return msgspec.json.encode(body).decode()


def _reason(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        return f"{details.get('Code', 'unknown error')} at {error.operation_name}"
    text = " ".join(str(error).split()).rstrip(".")
    return text[:1].lower() + text[1:]
