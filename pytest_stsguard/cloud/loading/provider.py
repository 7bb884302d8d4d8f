"""Identity providers on their way into the cloud: IAM's side of them; nobody answers for the issuer until one is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.loading.blueprint import Provider
    from pytest_stsguard.cloud.loading.loaded import Loaded

__all__ = ["load_providers"]

_THUMBPRINT = "0" * 40


def load_providers(providers: Iterable[Provider], backend: Backend, loaded: Loaded) -> None:
    """Put OIDC providers in; a SAML provider lives by its metadata, which no source holds."""
    from moto.iam.models import OpenIDConnectProvider  # noqa: PLC0415 - moto is imported when a cloud opens

    iam = backend.service("iam", account=loaded.account)
    for provider in providers:
        if provider.type != "oidc" or not provider.url:
            loaded.note(
                provider.arn, "the source does not hold its metadata; `Cloud.saml_provider(name=...)` stands in for it"
            )
            continue
        if provider.arn in iam.open_id_providers:
            loaded.note(provider.arn, "a provider of that ARN is there already")
            continue
        made = OpenIDConnectProvider(
            loaded.account, backend.region, f"https://{provider.url}", [_THUMBPRINT], client_id_list=[], tags={}
        )
        made.client_id_list = list(provider.client_ids)
        iam.open_id_providers[provider.arn] = made
        loaded.arns.append(provider.arn)
        if not provider.client_ids:
            loaded.note(provider.arn, "the source does not tell its audiences: it takes none yet", whole=False)
