"""The account that a command works on: any that the ordinary AWS settings reach (profile, endpoint, region)."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError

if TYPE_CHECKING:
    import boto3

    from pytest_stsguard.findings import Configuration

__all__ = ["Connection", "check_consent", "configuration_of", "connect", "reason_of"]

_REGION = "us-east-1"
_ATTEMPTS = 8


@dataclass(frozen=True)
class Connection:
    """A boto3 session and whose account it is; clients are made once and shared by threads."""

    session: boto3.Session
    account: str
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def client(self, service: str) -> Any:
        """Give the client of a service."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = _client(self.session, service)
            return self._clients[service]


def connect(profile: str | None) -> Connection:
    """Reach AWS with a profile, or with what the environment holds.

    Raises:
        ConfigurationError: no such profile.
        AwsUnavailableError: no credentials, no network, or they are refused.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

    try:
        session = boto3.Session(profile_name=profile)
        account = str(_client(session, "sts").get_caller_identity()["Account"])
    except ProfileNotFound:
        raise ConfigurationError(f"AWS profile `{profile}` does not exist") from None
    except (BotoCoreError, ClientError) as error:
        raise AwsUnavailableError(f"no way to AWS: {reason_of(error)}") from error
    return Connection(session, account)


def configuration_of(path: str | None) -> Configuration:
    """Load stsguard.toml, from `path` or from this folder."""
    from pytest_stsguard.findings import Configuration

    return Configuration.load(path, Path.cwd())


def check_consent(connection: Connection, configuration: Configuration, account: str | None) -> None:
    """Change nothing in an account that nobody named: on the command line, or in the allow-list of the configuration.

    Raises:
        ConfigurationError: it was not named, or another one was.
    """
    if account is not None and account != connection.account:
        raise ConfigurationError(f"these credentials are of account `{connection.account}`, not of `{account}`")
    if account is None and connection.account not in configuration.live_accounts:
        raise ConfigurationError(
            f"account `{connection.account}` is not to be changed without being named",
            hint=f"give --account {connection.account}, or list it in the table [live] of stsguard.toml",
        )


def _client(session: Any, service: str) -> Any:
    from botocore.config import Config

    # AWS's own setting wins; botocore reads it where nothing else is said.
    attempts: dict[str, int] = {} if "AWS_MAX_ATTEMPTS" in os.environ else {"total_max_attempts": _ATTEMPTS}
    retries: Any = {"mode": "adaptive", **attempts}
    config = Config(retries=retries, max_pool_connections=32)
    return session.client(service, region_name=session.region_name or _REGION, config=config)


def reason_of(error: Exception) -> str:
    """Give what botocore says as the end of a line of ours."""
    text = " ".join(str(error).split()).rstrip(".")
    return text[:1].lower() + text[1:]
