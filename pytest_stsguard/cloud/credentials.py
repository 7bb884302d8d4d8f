"""The credentials that a test holds: three values, two moments, and the way back to where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import boto3

__all__ = ["Credentials", "Origin", "masked"]


def masked(access_key_id: str) -> str:
    """Show only the last four characters of a key id, as every report does."""
    return f"****{access_key_id[-4:]}"


class Origin(Protocol):
    """Where credentials came from: a simulated cloud, or AWS."""

    def session(self, credentials: Credentials) -> boto3.Session:
        """Make a boto3 session whose calls go back to the origin."""

    def environment(self) -> Mapping[str, str]:
        """Name the settings, beside the credentials, by which a subprocess finds the origin."""

    def explain(self, request_id: str) -> str | None:
        """Tell why the call with this request id was allowed or denied, when the origin knows."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Access key, secret and, when temporary, session token; `issued_at` and `expiration` are aware, in UTC."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expiration: datetime | None = None
    issued_at: datetime | None = None
    arn: str | None = None
    origin: Origin | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        """Show who and until when, never a secret."""
        whose = f" of {self.arn}" if self.arn else ""
        until = f", until {self.expiration:%Y-%m-%dT%H:%M:%SZ}" if self.expiration else ""
        return f"<Credentials {masked(self.access_key_id)}{whose}{until}>"

    def session(self) -> boto3.Session:
        """Make a boto3 session with these credentials, bound to where they came from."""
        if self.origin is not None:
            return self.origin.session(self)
        import boto3  # noqa: PLC0415 - only a caller that makes a session pays for boto3

        return boto3.Session(self.access_key_id, self.secret_access_key, self.session_token)

    @property
    def environ(self) -> dict[str, str]:
        """The AWS_* variables that hand these credentials to a subprocess."""
        values = dict(self.origin.environment()) if self.origin else {}
        values |= {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        if self.session_token:
            values["AWS_SESSION_TOKEN"] = self.session_token
        return values
