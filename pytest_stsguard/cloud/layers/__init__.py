"""WHAT ELSE BEARS ON A CALL besides the caller's own policies: organisation, resource policies, grants, public access."""

from __future__ import annotations

from .bucket_regions import check_region
from .bucket_rules import BucketRules
from .endpoints import EndpointPolicies
from .grants import encryption_keys
from .kept_policies import KeptPolicies
from .organization import Organization
from .resource_policies import READERS, ResourcePolicies
from .user_boundaries import UserBoundaries
from .watch import Watch

__all__ = [
    "READERS",
    "BucketRules",
    "EndpointPolicies",
    "KeptPolicies",
    "Organization",
    "ResourcePolicies",
    "UserBoundaries",
    "Watch",
    "check_region",
    "encryption_keys",
]
