"""The account that a command works on: any that the ordinary AWS settings reach (profile, endpoint, region)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import boto3

    from pytest_stsguard.findings import Configuration
    from pytest_stsguard.revocation import Journal
    from pytest_stsguard.revocation.retries import Retries, Retry
    from pytest_stsguard.revocation.service_time import ServiceClock

__all__ = ["Connection", "check_consent", "configuration_of", "connect", "reason_of"]

_REGION = "us-east-1"


@dataclass(frozen=True)
class Connection:
    """A boto3 session and whose account it is; clients are made once and shared by threads.

    Attributes:
        retries: what repeats the calls of the clients; whoever keeps a journal listens to it.
        clock: the time that AWS lives by.
        above: the way to the organisation, where it is another one: Organizations is called through it.
    """

    session: boto3.Session
    account: str
    retries: Retries
    clock: ServiceClock
    above: Connection | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def client(self, service: str) -> Any:
        """Give the client of a service."""
        if service == "organizations" and self.above is not None:
            return self.above.client(service)
        with self._lock:
            if service not in self._clients:
                self._clients[service] = _client(self.session, service)
            return self._clients[service]

    def lock(self, target: str) -> AbstractContextManager[None]:
        """Keep every other run on this machine off a role or user, by its name or the beginning of a cleanup's target."""
        from pytest_stsguard.revocation.lock import locked

        return locked(f"{self.account}/{target.split(' ', 1)[0].rpartition('/')[2]}")

    def tell_retries(self, journal: Journal) -> None:
        """Note each call that is made again in a journal, and say it on stderr."""

        def tell(retry: Retry) -> None:
            journal.write("retry", **retry.as_json())
            click.echo(f"again: {retry}", err=True)

        self.retries.listener = tell
        if self.above is not None:
            self.above.retries.listener = tell


def connect(profile: str | None) -> Connection:
    """Reach AWS with a profile, or with what the environment holds.

    Raises:
        ConfigurationError: no such profile.
        AwsUnavailableError: no credentials, no network, or they are refused.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

    from pytest_stsguard.revocation.retries import Retries
    from pytest_stsguard.revocation.service_time import ServiceClock, measured

    retries = Retries()
    try:
        session = boto3.Session(profile_name=profile)
        retries.install(session)
        answer, offset = measured(_client(session, "sts").get_caller_identity)
    except ProfileNotFound:
        raise ConfigurationError(f"AWS profile `{profile}` does not exist") from None
    except (BotoCoreError, ClientError) as error:
        raise AwsUnavailableError(f"no way to AWS: {reason_of(error)}") from error
    clock = ServiceClock(offset)
    if clock.told:
        click.echo(clock.told, err=True)
    return Connection(session, str(answer["Account"]), retries, clock)


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

    from pytest_stsguard.revocation.retries import ONE_ATTEMPT

    # Botocore keeps the pace down after a throttle; what is made again is not its to say.
    retries: Any = {"mode": "adaptive", "total_max_attempts": ONE_ATTEMPT}
    config = Config(retries=retries, max_pool_connections=32)
    return session.client(service, region_name=session.region_name or _REGION, config=config)


def reason_of(error: Exception) -> str:
    """Give what botocore says as the end of a line of ours."""
    text = " ".join(str(error).split()).rstrip(".")
    return text[:1].lower() + text[1:]
