"""What is audited: one model, several sources."""

from pytest_stsguard.account.audit_role import AUDIT_ROLE
from pytest_stsguard.account.document import Document
from pytest_stsguard.account.location import Location
from pytest_stsguard.account.model import Account, Principal
from pytest_stsguard.account.principal import AttachedPolicy, Group, ManagedPolicy, PolicyVersion, Role, User
from pytest_stsguard.account.resource import IdentityProvider, Instance, InstanceProfile, Organization
from pytest_stsguard.account.target import from_session, load, load_all
from pytest_stsguard.account.union import together
from pytest_stsguard.account.unknown import is_unknown

__all__ = [
    "AUDIT_ROLE",
    "Account",
    "AttachedPolicy",
    "Document",
    "Group",
    "IdentityProvider",
    "Instance",
    "InstanceProfile",
    "Location",
    "ManagedPolicy",
    "Organization",
    "PolicyVersion",
    "Principal",
    "Role",
    "User",
    "from_session",
    "is_unknown",
    "load",
    "load_all",
    "together",
]
