"""DynamoDB's operations, of tables and of their streams.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html; transactions are checked by
their parts (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html), PartiQL by what
each statement does (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dynamodb_items import Item, items
from .dynamodb_keys import item_context
from .generic import Table, generic, known_action, own_tags
from .onward import table_data
from .partiql import statements
from .permission import Permission, UnmappedOperationError
from .table_keys import item_keys, table_key
from .tags import request_tags, tag_context

if TYPE_CHECKING:
    from .reference import Use
    from .scope import Scope

__all__ = ["TABLE", "permissions"]

_BY_RESOURCE = {"table": "ResourceArn", "stream": "-"}
_PATHS = {
    "table": "TableName TableArn",
    "index": "IndexName",
    "stream": "StreamArn",
    "backup": "BackupArn",
    "export": "ExportArn",
    "import": "ImportArn",
    "global-table": "GlobalTableName",
}
# The operations on resource policies and tags name a table or a stream by one ARN.
_OPERATIONS = {
    "CreateGlobalTable": {"table": "GlobalTableName"},
    "DeleteResourcePolicy": _BY_RESOURCE,
    "DescribeTable": {"table": "TableName"},
    "GetRecords": {"stream": "ShardIterator"},
    "GetResourcePolicy": _BY_RESOURCE,
    "ImportTable": {"table": "TableCreationParameters.TableName"},
    "ListTagsOfResource": _BY_RESOURCE,
    "PutResourcePolicy": _BY_RESOURCE,
    "RestoreTableFromBackup": {"table": "TargetTableName"},
    "RestoreTableToPointInTime": {"table": "SourceTableName SourceTableArn TargetTableName"},
    "TagResource": _BY_RESOURCE,
    "UntagResource": _BY_RESOURCE,
    "UpdateGlobalTable": {"table": "GlobalTableName"},
    "UpdateGlobalTableSettings": {"table": "GlobalTableName"},
}
# Operations that read or write items, and those that are checked part by part.
_STATEMENTS = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")
# Restoring writes the new table's items under the caller's own permissions.
_RESTORES = ("RestoreTableFromBackup", "RestoreTableToPointInTime")
_RESTORED_WITH = ("BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem")


def permissions(scope: Scope) -> list[Permission]:
    """Give the checks of one call of DynamoDB or DynamoDB Streams."""
    operation = scope.call.operation
    if operation in _STATEMENTS:
        return _with_keys(scope, [_item_permission(scope, item) for item in statements(scope)])
    parts = items(scope)
    if parts:
        return _with_keys(scope, [_item_permission(scope, item) for item in parts])
    found = generic(scope, TABLE)
    if (scope.call.service, operation) == ("dynamodbstreams", "GetRecords"):
        return _with_keys(scope, found)
    if operation in _RESTORES and (target := scope.text("TargetTableName")) is not None:
        arn = table_arn(scope, target)
        found += [Permission(f"dynamodb:{name}", arn) for name in _RESTORED_WITH]
    if operation == "CreateTable" and (tags := tag_context(request_tags(scope.call.parameters))):
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.Operations.html
        found.append(Permission("dynamodb:TagResource", found[0].resource, tags))
    return found + table_key(scope, found[0].resource) + table_data(scope)


def _with_keys(scope: Scope, found: list[Permission]) -> list[Permission]:
    return found + item_keys(scope, [each.resource for each in found])


def table_arn(scope: Scope, table: str, index: str | None = None) -> str:
    """Write the ARN of a table, or of one of its indexes; `table` is a name or an ARN."""
    arn = _here(scope, table) or scope.arn("arn:${Partition}:dynamodb:${Region}:${Account}:table/${T}", table)
    return f"{arn}/index/{index}" if index else arn


def _here(scope: Scope, identifier: str | None) -> str | None:
    """Give an ARN that names a resource of the call's region; None for a name; a resource elsewhere is refused."""
    if identifier is None or not identifier.startswith("arn:"):
        return None
    if identifier.split(":")[3:4] != [scope.call.region] and scope.call.operation not in _RESTORES:
        raise UnmappedOperationError(
            scope.call.service, scope.call.operation, hint=f"`{identifier}` is not in the region that is called"
        )
    return identifier


def _item_permission(scope: Scope, item: Item) -> Permission:
    action = known_action(scope, "dynamodb", item.action)
    arn = table_arn(scope, item.table, item.index)
    context = item_context(scope, action, item, arn)
    context.update(own_tags(scope, action.all_keys, table_arn(scope, item.table)))
    return Permission(f"dynamodb:{item.action}", arn, context)


def _arn(scope: Scope, use: Use, identifier: str | None) -> str:
    if use.name == "index":
        return table_arn(scope, scope.text("TableName") or "*", identifier)
    if identifier is not None and scope.call.operation == "GetRecords":
        # A shard iterator is opaque but for its start, which is the stream's ARN.
        identifier = identifier.partition("|")[0] if identifier.startswith("arn:") else None
    return _here(scope, identifier) or scope.arn(use.template, identifier)


TABLE = Table("dynamodb", _PATHS, _OPERATIONS, arn=_arn)
