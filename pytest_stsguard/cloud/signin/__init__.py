"""Signing in to the console with temporary credentials: the federation endpoint, on loopback."""

from __future__ import annotations

from pytest_stsguard.cloud.signin.browser import console_credentials, sign_in_url
from pytest_stsguard.cloud.signin.federation import Federation
from pytest_stsguard.cloud.signin.server import SigninServer

__all__ = ["Federation", "SigninServer", "console_credentials", "sign_in_url"]
