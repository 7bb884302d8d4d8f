"""Small identity providers for tests: real keys, real signatures, real HTTP on loopback."""

from __future__ import annotations

from pytest_stsguard.cloud.providers.oidc import OidcProvider
from pytest_stsguard.cloud.providers.saml import SamlProvider
from pytest_stsguard.cloud.providers.shapes import SHAPES, Shape

__all__ = ["SHAPES", "OidcProvider", "SamlProvider", "Shape"]
