"""A probe: one real API call, made with the credentials in question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pytest_stsguard.errors import ConfigurationError, DrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import boto3

__all__ = ["READ_ONLY", "WIDE", "Probe"]

READ_ONLY = ("s3.list_buckets", "ec2.describe_instances", "dynamodb.list_tables", "iam.list_account_aliases")
"""The shipped probes: read-only, over the rest-xml, ec2, json and query protocols."""

WIDE = (
    *READ_ONLY,
    "sqs.list_queues",
    "sns.list_topics",
    "lambda.list_functions",
    "kms.list_keys",
    "secretsmanager.list_secrets",
    "logs.describe_log_groups",
    "ssm.describe_parameters",
    "iam.list_roles",
)
"""More of them, for roles of which nothing is known but that they may do something."""

_TEXT = re.compile(r"([a-z0-9-]+)\.([a-z][a-z0-9_]*)((?: [A-Za-z]\w*=\S+)*)")
_IDENTITY = "GetCallerIdentity"


@dataclass(frozen=True, slots=True)
class Probe:
    """A named call; `call` takes a boto3 session and makes at least one AWS call with it."""

    name: str
    call: Callable[[boto3.Session], Any]

    @classmethod
    def of(cls, probe: str | Callable[[boto3.Session], Any]) -> Probe:
        """Make a probe of ``"service.method"`` or of a callable that takes a boto3 session.

        Parameters that are texts may follow: ``"s3.list_objects_v2 Bucket=acme-assets"``.

        Raises:
            ConfigurationError: the text names no call, or names GetCallerIdentity.
        """
        if not isinstance(probe, str):
            if not callable(probe):
                raise ConfigurationError(
                    f"`{probe!r}` is no probe", hint='give a callable, or text as "s3.list_buckets"'
                )
            return cls(getattr(probe, "__name__", repr(probe)), probe)
        match = _TEXT.fullmatch(probe)
        if match is None:
            raise ConfigurationError(f"`{probe}` is no probe", hint='write it as "service.method": "s3.list_buckets"')
        service, method, given = match.groups()
        if method == "get_caller_identity":
            raise ConfigurationError(
                "`sts.get_caller_identity` is no probe: AWS answers it whatever is denied",
                hint="probe with a call that the role is meant to make",
            )
        parameters = dict(one.split("=", 1) for one in given.split())
        return cls(probe, _Call(service, method, parameters))

    def check(self, operations: Sequence[str]) -> None:
        """Refuse what proves nothing; `operations` are those that the call has asked for so far.

        Raises:
            DrillError: there is none, or GetCallerIdentity among them.
        """
        if not operations:
            raise DrillError(f"probe `{self.name}` made no AWS call with the session that it was given")
        if _IDENTITY in operations:
            raise DrillError(
                f"probe `{self.name}` calls GetCallerIdentity, which AWS answers whatever is denied",
                hint="probe with a call that the role is meant to make",
            )


@dataclass(frozen=True, slots=True)
class _Call:
    """The call that a probe's text names."""

    service: str
    method: str
    parameters: dict[str, str]

    def __call__(self, session: boto3.Session) -> Any:
        from botocore.exceptions import UnknownServiceError  # noqa: PLC0415 - whoever holds a session has botocore

        try:
            client = cast("Any", session).client(self.service)
        except UnknownServiceError:
            raise ConfigurationError(f"boto3 knows no service `{self.service}`") from None
        method = getattr(client, self.method, None)
        if method is None:
            raise ConfigurationError(f"the boto3 client of `{self.service}` has no method `{self.method}`")
        return method(**self.parameters)
