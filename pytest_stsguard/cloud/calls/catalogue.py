"""Which services there are, by what a request shows of them: signing name, host prefix, target prefix, API version.

All of it is the metadata that heads each of botocore's service models. A model runs to megabytes and its metadata
stands in its first kilobytes, so that all 400 services are known in a tenth of a second without loading one model.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Catalogue", "Metadata", "catalogue", "model"]

_HEAD = 8192
_EXTRA_SIGNING_NAMES = {
    "s3": ("s3express", "s3-object-lambda", "s3-outposts"),
    "s3control": ("s3express", "s3-outposts"),
}


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a model says of its service: `signing_names` the ones that a credential scope may carry for it."""

    service: str
    signing_names: tuple[str, ...]
    endpoint_prefix: str
    protocol: str
    protocols: tuple[str, ...]
    target_prefix: str | None
    api_version: str
    query_compatible: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The services by each of their marks; the values are in the order in which they are to be tried."""

    by_name: Mapping[str, Metadata]
    by_signing_name: Mapping[str, tuple[Metadata, ...]]
    by_endpoint_prefix: Mapping[str, tuple[Metadata, ...]]
    by_target_prefix: Mapping[str, tuple[Metadata, ...]]
    by_api_version: Mapping[str, tuple[Metadata, ...]]


@cache
def _loader() -> Loader:
    # Our own: clients change the models of the loader that they share (S3's URI templates lose their bucket).
    loader: Loader = Loader()
    return loader


@cache
def model(service: str) -> ServiceModel:
    """Load the newest model of `service`, once."""
    return ServiceModel(_loader().load_service_model(service, "service-2"), service)


@cache
def catalogue() -> Catalogue:
    """Read the metadata of every service that botocore has a model of, once."""
    services = [_metadata(name) for name in _loader().list_available_services("service-2")]
    signing: defaultdict[str, list[Metadata]] = defaultdict(list)
    endpoint: defaultdict[str, list[Metadata]] = defaultdict(list)
    target: defaultdict[str, list[Metadata]] = defaultdict(list)
    version: defaultdict[str, list[Metadata]] = defaultdict(list)
    for service in services:
        for name in service.signing_names:
            signing[name].append(service)
        endpoint[service.endpoint_prefix].append(service)
        if service.target_prefix:
            target[service.target_prefix].append(service)
        version[service.api_version].append(service)
    return Catalogue(
        {service.service: service for service in services},
        _ordered(signing),
        _ordered(endpoint),
        _ordered(target),
        _ordered(version),
    )


def _ordered(groups: Mapping[str, list[Metadata]]) -> dict[str, tuple[Metadata, ...]]:
    """Put a service that is named like its mark first: `rds` before the clones that share its name in signatures."""
    return {
        mark: tuple(sorted(group, key=lambda each: (each.service != mark, each.service)))
        for mark, group in groups.items()
    }


def _metadata(name: str) -> Metadata:
    head = _head(name)
    prefix = head["endpointPrefix"]
    protocol = head["protocol"]
    return Metadata(
        service=name,
        signing_names=(head.get("signingName", prefix), *_EXTRA_SIGNING_NAMES.get(name, ())),
        endpoint_prefix=prefix,
        protocol=protocol,
        protocols=tuple(head.get("protocols") or (protocol,)),
        target_prefix=head.get("targetPrefix"),
        api_version=head["apiVersion"],
        query_compatible="awsQueryCompatible" in head,
    )


def _head(name: str) -> dict[str, Any]:
    """Read the metadata at the start of a model's file; the whole model when it is not there."""
    version = _loader().determine_latest_version(name, "service-2")
    for folder in _loader().search_paths:
        path = Path(folder, name, version, "service-2.json.gz")
        if path.is_file():
            with gzip.open(path) as file:
                text = file.read(_HEAD).decode("utf-8", "replace")
            place = text.find('"metadata":')
            try:
                found: dict[str, Any] = (
                    json.JSONDecoder().raw_decode(text, text.index("{", place))[0] if place > 0 else {}
                )
            except ValueError:
                break
            if "endpointPrefix" in found:
                return found
    return dict(model(name).metadata)
