"""Fetching a role's credentials from a metadata service over HTTP with IMDSv2, as a thief on the instance would."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from pytest_stsguard.errors import DrillError

__all__ = ["fetch_credentials", "fetch_instance_credentials"]

_SECONDS = 5
_ROLES = "/latest/meta-data/iam/security-credentials/"


def fetch_instance_credentials(endpoint: str) -> dict[str, Any]:
    """Take a token, ask for the role's name, and fetch its credentials as the service answers them.

    Raises:
        DrillError: the service does not answer, or has no credentials to give.
    """
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
    token = _ask(f"{endpoint}/latest/api/token", method="PUT", headers=lifetime)
    headers = {"X-aws-ec2-metadata-token": token}
    role = _ask(f"{endpoint}{_ROLES}", headers=headers)
    answer: dict[str, Any] = json.loads(_ask(f"{endpoint}{_ROLES}{role}", headers=headers))
    if answer.get("Code") != "Success":
        raise DrillError(f"the metadata service has no credentials for `{role}`: {answer.get('Code')}")
    return answer


def fetch_credentials(endpoint: str, token: str) -> dict[str, Any]:
    """Fetch a container's credentials as its SDK does.

    Args:
        endpoint: ``AWS_CONTAINER_CREDENTIALS_FULL_URI``.
        token: ``AWS_CONTAINER_AUTHORIZATION_TOKEN``.

    Raises:
        DrillError: the endpoint does not answer, or has no credentials to give.
    """
    answer: dict[str, Any] = json.loads(_ask(endpoint, headers={"Authorization": token}))
    return answer


def _ask(url: str, *, headers: dict[str, str], method: str = "GET") -> str:
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 - the endpoint is on loopback
    # A proxy of the environment is for the world outside, not for the metadata service.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_SECONDS) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        raise DrillError(f"the metadata service answered {error.code} to `{method} {url}`") from None
    except (urllib.error.URLError, OSError) as error:
        raise DrillError(f"the metadata service does not answer at `{url}`: {error}") from None
