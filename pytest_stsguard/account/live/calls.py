"""Calls to AWS: clients, pages, and why a call failed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from pytest_stsguard.account.live.keep import Keep

__all__ = ["HOME", "Caller", "Calls", "Step", "is_missing", "reason_of"]

HOME: Final = "us-east-1"
_ATTEMPTS: Final = 6  # with the pauses between them about a quarter of a minute
_STALE: Final = frozenset({"ValidationError", "InvalidInput", "InvalidNextToken", "InvalidParameterValue"})
_TRANSPORT: Final = ("ResponseMetadata", "Marker")


@dataclass(frozen=True, slots=True)
class Step:
    """One operation whose answers are read to the end.

    Attributes:
        name: what its pages are called where they are kept.
        token: the name of the token that asks for the next page and comes with each; None: there is one page.
        size: the name of the parameter for the size of a page.
        region: where to call; None: the session's region.
        arguments: what else is asked with.
    """

    name: str
    service: str
    operation: str
    token: str | None = None
    size: str | None = None
    region: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()


class Caller(NamedTuple):
    """Whose credentials a session has: the account, and the partition."""

    account: str
    partition: str


class Calls:
    """The clients of one session; they may be called from several threads.

    Args:
        session: anything that makes boto3 clients.
        page_size: entries a page.
    """

    def __init__(self, session: boto3.Session, *, page_size: int = 1000) -> None:
        self.session = session
        self.page_size = page_size
        self.region = session.region_name or HOME
        self._lock = Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        """Give the client of a service; made once, by one thread at a time, as sessions are not made for more."""
        key = service, region or self.region
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self.session.client(service, region_name=key[1], config=_config())  # type: ignore[call-overload]  # the service is a variable
            return self._clients[key]

    def pages(self, step: Step, kept: Keep | None = None) -> list[str]:
        """Read all pages of a step as JSON texts; with `kept`, go on where an earlier run was interrupted.

        Raises:
            ClientError, BotoCoreError: a call failed, retries included.
        """
        pages, token, done = ([], None, False) if kept is None else kept.state(step.name)
        if done:
            return pages
        try:
            pages += self._ask(step, token, kept)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if token is None or kept is None or code not in _STALE:
                raise
            kept.drop(step.name)  # AWS no longer knows where the earlier run stopped
            return self._ask(step, None, kept)
        return pages

    def _ask(self, step: Step, token: str | None, kept: Keep | None) -> list[str]:
        pages = []
        for answer in self.answers(step, token):
            page = _text(answer)
            if kept is not None:
                kept.add(step.name, page, answer.get(step.token) if step.token else None)
            pages.append(page)
        return pages

    def answers(self, step: Step, token: str | None = None) -> Iterator[dict[str, Any]]:
        """Go through the answers of a step, from a page on."""
        operation = getattr(self.client(step.service, step.region), step.operation)
        arguments: dict[str, Any] = dict(step.arguments)
        if step.size is not None:
            arguments[step.size] = self.page_size
        while True:
            if token is not None and step.token is not None:
                arguments[step.token] = token
            answer: dict[str, Any] = operation(**arguments)
            yield answer
            following = answer.get(step.token) if step.token is not None else None
            if not following or following == token:
                return
            token = following

    def caller(self) -> Caller:
        """Ask whose credentials these are."""
        answer = self.client("sts").get_caller_identity()
        return Caller(str(answer["Account"]), str(answer["Arn"]).split(":")[1])

    def regions(self) -> list[str]:
        """List the regions that the account has enabled."""
        answer = self.client("ec2").describe_regions()
        return sorted(str(region["RegionName"]) for region in answer["Regions"])


def is_missing(error: ClientError | BotoCoreError) -> bool:
    """Tell whether a call failed because what it asks for does not exist."""
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") == "NoSuchEntity"


def reason_of(error: ClientError | BotoCoreError) -> str:
    """Say in a few words why a call failed."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        return f"{details.get('Code', 'unknown error')} at {error.operation_name}"
    text = " ".join(str(error).split()).rstrip(".")
    return text[:1].lower() + text[1:]


def _config() -> Config:
    """Slow down when throttled, and try for longer than botocore does, unless the environment says how often."""
    if "AWS_MAX_ATTEMPTS" in os.environ:
        return Config(retries={"mode": "adaptive"})
    return Config(retries={"mode": "adaptive", "total_max_attempts": _ATTEMPTS})


def _text(answer: dict[str, Any]) -> str:
    """Write an answer as JSON, so that every source is decoded the same way; the transport's own part stays out."""
    return msgspec.json.encode({key: value for key, value in answer.items() if key not in _TRANSPORT}).decode()
