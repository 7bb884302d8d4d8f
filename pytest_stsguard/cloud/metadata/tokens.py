"""The session tokens of IMDSv2."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_stsguard.clock import Clock

__all__ = ["SessionTokens"]

# A token of EC2 has 56 characters that begin with AQAEA: 40 bytes, of which these come first.
PREFIX = b"\x01\x00\x04\x00"
FIELDS = struct.Struct(">4sQH4s")
SIZE = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

LONGEST_TTL = 21600
TTL = re.compile("0*([1-9][0-9]{0,4})")


class SessionTokens:
    """Makes and reads the tokens of one instance; nothing is stored, so nothing grows.

    A token carries its moment of issue and its lifetime under a hash with a key that each instance has of its own: on
    another instance it is worthless. AWS documents no end of a token other than its lifetime, so it survives a reboot,
    a stop and start, and a change of the metadata options.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)

    @staticmethod
    def lifetime(header: str | None) -> int | None:
        """Read the TTL header: whole seconds from 1 to 21600, None for anything else."""
        match = TTL.fullmatch(header or "")
        return seconds if match and (seconds := int(match[1])) <= LONGEST_TTL else None

    def issue(self, ttl: int) -> str:
        """Give a new token that lives `ttl` seconds, 1 to 21600."""
        issued = (self._clock.now() - EPOCH) // MICROSECOND
        return self._seal(FIELDS.pack(PREFIX, issued, ttl, secrets.token_bytes(4)))

    def remaining(self, token: str) -> int | None:
        """Give the seconds that `token` has left, at least 1; None when it is expired, foreign or no token at all.

        A token is expired when its age reaches its lifetime.
        """
        try:
            plain = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            return None
        if len(plain) != SIZE or not hmac.compare_digest(self._seal(plain[: FIELDS.size]), token):
            return None
        _, issued, ttl, _ = FIELDS.unpack_from(plain)
        age = (self._clock.now() - EPOCH) // MICROSECOND - issued
        left: int = ttl - age // 1_000_000
        return left if left > 0 else None

    def _seal(self, fields: bytes) -> str:
        mac = hmac.new(self._key, fields, hashlib.sha256).digest()
        return base64.urlsafe_b64encode((fields + mac)[:SIZE]).decode()
