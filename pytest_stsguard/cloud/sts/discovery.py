"""How STS fetches what an identity provider publishes: over HTTP, on loopback alone.

A provider announces its issuer (``https://token.actions.githubusercontent.com``) with the address at which it really
listens. An issuer that nobody announced is out of reach: nothing leaves this machine.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import threading
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_stsguard.cloud.sts.refusals import refuse

__all__ = ["Issuers"]

_LARGEST: Final = 128 * 1024
_SECONDS: Final = 5
_HTTP_OK: Final = 200
_WELL_KNOWN: Final = "/.well-known/openid-configuration"


class Issuers:
    """The issuers that can be reached, and the way to their keys; safe to share between threads."""

    def __init__(self) -> None:
        self._homes: dict[str, str] = {}
        self._lock = threading.Lock()

    def announce(self, issuer: str, home: str) -> None:
        """Say that what `issuer` publishes is found at `home`, a URL on loopback."""
        with self._lock:
            self._homes[issuer.rstrip("/")] = home.rstrip("/")

    def withdraw(self, issuer: str) -> None:
        """Forget an issuer; from now on it cannot be reached."""
        with self._lock:
            self._homes.pop(issuer.rstrip("/"), None)

    def keys(self, issuer: str) -> list[dict[str, Any]]:
        """Fetch the discovery document and the keys of an issuer.

        Raises:
            Fault: IDPCommunicationError when it cannot be reached, InvalidIdentityToken when it publishes no keys.
        """
        found = self._fetch(issuer.rstrip("/") + _WELL_KNOWN)
        if str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/") or not isinstance(found.get("jwks_uri"), str):
            raise refuse("jwt-keys")
        keys = self._fetch(found["jwks_uri"]).get("keys")
        if not isinstance(keys, list):
            raise refuse("jwt-keys")
        return [key for key in keys if isinstance(key, dict)]

    def _fetch(self, url: str) -> dict[str, Any]:
        target = self._home_of(url)
        if target is None:
            raise refuse("jwt-unreachable")
        parts = urlsplit(target)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
        try:
            connection.request("GET", parts.path or "/")
            with connection.getresponse() as answer:
                body = answer.read(_LARGEST + 1)
        except (OSError, http.client.HTTPException) as error:
            raise refuse("jwt-unreachable") from error
        finally:
            connection.close()
        if answer.status != _HTTP_OK or len(body) > _LARGEST:
            raise refuse("jwt-keys")
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise refuse("jwt-keys") from error
        if not isinstance(found, dict):
            raise refuse("jwt-keys")
        return found

    def _home_of(self, url: str) -> str | None:
        """Give the address on loopback at which `url` is found; None when it is nowhere."""
        with self._lock:
            homes = sorted(self._homes.items(), key=lambda entry: len(entry[0]), reverse=True)
        for issuer, home in homes:
            if url == issuer or url.startswith(f"{issuer}/"):
                return home + url[len(issuer) :] if _is_loopback(home) else None
        return None


def _is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
