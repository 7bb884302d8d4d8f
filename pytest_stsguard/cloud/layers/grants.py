"""KMS grants, told as statements of the key's policy: who may do what with the key, until the grant is retired or revoked.

See "Grants in AWS KMS" and CreateGrant, RetireGrant and RevokeGrant in the AWS KMS documentation. A grant never denies; in
another account the grantee's own policies must allow as well.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.calls import Call

__all__ = ["encryption_keys", "with_grants"]


def with_grants(key: Any) -> str:
    """Give the policy of one of moto's keys with its grants; without any, as it is stored."""
    grants = list(key.grants.values())
    if not grants:
        return str(key.policy)
    try:
        document = json.loads(key.policy)
        stated = document.get("Statement", [])
    except (ValueError, AttributeError):
        # It cannot be read, and the engine says so.
        return str(key.policy)
    statements = stated if isinstance(stated, list) else [stated]
    added = [each for grant in grants for each in _statements(grant)]
    # With variables of an old policy left as text, and the grants' values, which hold none, as they are.
    return json.dumps({**document, "Statement": [*statements, *added]})


def _statements(grant: Any) -> list[dict[str, Any]]:
    granted: dict[str, Any] = {
        "Sid": f"grant {grant.id}",
        "Effect": "Allow",
        "Principal": {"AWS": grant.grantee_principal},
        "Action": [f"kms:{operation}" for operation in grant.operations],
        "Resource": "*",
    }
    condition = _condition(grant)
    if condition:
        granted["Condition"] = condition
    retiring = {"Effect": "Allow", "Action": "kms:RetireGrant", "Resource": "*"}
    statements = [granted]
    if grant.retiring_principal:
        principal = {"AWS": grant.retiring_principal}
        statements.append({"Sid": f"retiring principal of grant {grant.id}", "Principal": principal, **retiring})
    return statements


def _condition(grant: Any) -> dict[str, Any]:
    """Tell a grant's constraint, and that whoever may grant on may grant no more than the grant gives."""
    constraints = grant.constraints or {}
    exact, subset = constraints.get("EncryptionContextEquals"), constraints.get("EncryptionContextSubset")
    condition: dict[str, Any] = {}
    pairs = {**(subset or {}), **(exact or {})}
    if pairs:
        condition["StringEquals"] = {f"kms:EncryptionContext:{name}": value for name, value in pairs.items()}
    every = {}
    if exact:
        every["kms:EncryptionContextKeys"] = sorted(exact)
    if "CreateGrant" in grant.operations:
        every["kms:GrantOperations"] = list(grant.operations)
    if every:
        condition["ForAllValues:StringEquals"] = every
    return condition


def encryption_keys(call: Call) -> Mapping[str, str | list[str]]:
    """Give the condition keys of a call's encryption context, by which grants and policies are constrained."""
    given = call.parameters.get("EncryptionContext") or call.parameters.get("SourceEncryptionContext")
    keys: dict[str, str | list[str]] = {}
    if isinstance(given, dict) and given:
        keys = {f"kms:EncryptionContext:{name}": str(value) for name, value in given.items()}
        keys["kms:EncryptionContextKeys"] = sorted(given)
    operations = call.parameters.get("Operations")
    if call.operation == "CreateGrant" and isinstance(operations, list):
        keys["kms:GrantOperations"] = [str(each) for each in operations]
    return keys
