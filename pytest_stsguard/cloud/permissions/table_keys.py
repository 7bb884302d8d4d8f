"""The KMS keys of DynamoDB's tables: every reader and writer of a table needs its key, and who puts a table under one.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html and "How Amazon DynamoDB uses AWS
KMS". DynamoDB keeps a table's key for each caller until it has not called for five minutes; here every call asks for it anew.
What the table needs in the background it does with a grant, which is the service's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .behalf import on_behalf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .permission import Context, Permission
    from .scope import Scope

__all__ = ["item_keys", "table_key"]

_GRANTING: Final = frozenset({"CreateTable", "UpdateTable", "RestoreTableFromBackup", "RestoreTableToPointInTime"})
_GRANTED: Final = [
    "DescribeKey",
    "GenerateDataKey",
    "Decrypt",
    "Encrypt",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
]


def item_keys(scope: Scope, tables: Iterable[str]) -> list[Permission]:
    """Give the checks on the keys of the tables, named by their ARNs, whose items are read or written."""
    checks: list[Permission] = []
    for table in dict.fromkeys(arn.partition("/index/")[0].partition("/stream/")[0] for arn in tables):
        found = scope.state.encryption(table)
        if found is not None:
            checks += on_behalf(scope, "dynamodb", found[0], "Decrypt", pairs=_pairs(table), owner=table)
    return checks


def table_key(scope: Scope, table: str) -> list[Permission]:
    """Give the checks on the key that a table is put under."""
    key = scope.text("SSESpecification.KMSMasterKeyId", "SSESpecificationOverride.KMSMasterKeyId")
    if scope.call.operation not in _GRANTING or key is None:
        return []
    describing = on_behalf(scope, "dynamodb", key, "DescribeKey", owner=table)
    grant: Context = {
        "kms:GrantOperations": _GRANTED,
        "kms:GranteePrincipal": f"dynamodb.{scope.call.region}.amazonaws.com",
    }
    return describing + on_behalf(scope, "dynamodb", key, "CreateGrant", pairs=_pairs(table), owner=table, more=grant)


def _pairs(table: str) -> dict[str, str]:
    return {
        "aws:dynamodb:tableName": table.partition(":table/")[2],
        "aws:dynamodb:subscriberId": table.split(":")[4],
    }
