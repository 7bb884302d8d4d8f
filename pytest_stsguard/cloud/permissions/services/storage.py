"""Databases, file systems, backups and archives.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.html,
https://docs.aws.amazon.com/redshift/latest/mgmt/redshift-iam-access-control-identity-based.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.cloud.permissions.onward import user_password
from pytest_stsguard.cloud.permissions.table import Service

if TYPE_CHECKING:
    from pytest_stsguard.cloud.permissions.permission import Context
    from pytest_stsguard.cloud.permissions.reference import Action, Use
    from pytest_stsguard.cloud.permissions.scope import Scope

__all__ = ["TABLES"]


def _rds_keys(scope: Scope, action: Action, _: str) -> Context:
    """Give a database's condition keys: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/security_iam_service-with-iam.html."""
    found = {
        "rds:DatabaseClass": scope.text("DBInstanceClass"),
        "rds:DatabaseEngine": scope.text("Engine"),
        "rds:DatabaseName": scope.text("DBName", "DatabaseName"),
        "rds:MultiAz": scope.text("MultiAZ"),
        "rds:Piops": scope.text("Iops"),
        "rds:StorageEncrypted": scope.text("StorageEncrypted"),
        "rds:StorageSize": scope.text("AllocatedStorage"),
        "rds:Vpc": None,
        "rds:ManageMasterUserPassword": scope.text("ManageMasterUserPassword"),
        "rds:PubliclyAccessible": scope.text("PubliclyAccessible"),
        "rds:CopyOptionGroup": scope.text("CopyOptionGroup"),
    }
    return {key: value for key, value in found.items() if value is not None and key in action.all_keys}


def _redshift(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a snapshot, whose cluster a call need not name."""
    if value.startswith("arn:"):
        return None
    place = f"arn:{scope.partition}:redshift:{scope.call.region}:{scope.account}"
    if use.name == "snapshot":
        return f"{place}:snapshot:{scope.text('SnapshotClusterIdentifier', 'ClusterIdentifier') or '*'}/{value}"
    return None


def _file_system(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of the file system that a mount target is of; an id tells a file system from an access point."""
    if use.name == "file-system" and value.startswith("fsmt-"):
        return scope.state.existing_arn("efs", "mount-target", value, scope.call.region) or scope.arn(use.template)
    other = {"file-system": "fsap-", "access-point": "fs-"}.get(use.name)
    return "" if other is not None and value.startswith(other) else None


_GROUPS = {
    "pg": "DBParameterGroupName =default.*",
    "og": "OptionGroupName =default:*",
    "subgrp": "DBSubnetGroupName =default",
    "secgrp": "DBSecurityGroups",
}
_CLUSTER_GROUPS = {
    "cluster-pg": "DBClusterParameterGroupName =default.*",
    "og": "OptionGroupName =default:*",
    "subgrp": "DBSubnetGroupName =default",
}

TABLES = {
    "rds": Service(
        typed=True,
        variables={
            "DbInstanceName": "DBInstanceIdentifier DBInstanceIdentifiers",
            "DbClusterInstanceName": "DBClusterIdentifier DbClusterIdentifier DBClusterIdentifiers",
            "ParameterGroupName": "DBParameterGroupName",
            "ClusterParameterGroupName": "DBClusterParameterGroupName",
            "SecurityGroupName": "DBSecurityGroupName",
            "SubnetGroupName": "DBSubnetGroupName",
            "SnapshotName": "DBSnapshotIdentifier FinalDBSnapshotIdentifier",
            "ClusterSnapshotName": "DBClusterSnapshotIdentifier",
            "OptionGroupName": "OptionGroupName",
            "GlobalCluster": "GlobalClusterIdentifier",
            "DbProxyId": "DBProxyName",
            "SubscriptionName": "SubscriptionName",
            "DbShardGroupResourceId": "DBShardGroupIdentifier",
        },
        existing=frozenset({"proxy", "shardgrp"}),
        operations={
            "CopyDBClusterParameterGroup": {
                "cluster-pg": "SourceDBClusterParameterGroupIdentifier TargetDBClusterParameterGroupIdentifier"
            },
            "CopyDBClusterSnapshot": {
                "cluster-snapshot": "SourceDBClusterSnapshotIdentifier TargetDBClusterSnapshotIdentifier"
            },
            "CopyDBParameterGroup": {"pg": "SourceDBParameterGroupIdentifier TargetDBParameterGroupIdentifier"},
            "CopyDBSnapshot": {"snapshot": "SourceDBSnapshotIdentifier TargetDBSnapshotIdentifier"},
            "CopyOptionGroup": {"og": "SourceOptionGroupIdentifier TargetOptionGroupIdentifier"},
            "CreateDBInstance": {**_GROUPS, "cluster": "DBClusterIdentifier"},
            "CreateDBInstanceReadReplica": {
                "db": "SourceDBInstanceIdentifier DBInstanceIdentifier",
                "cluster": "SourceDBClusterIdentifier",
                "og": "OptionGroupName",
                "pg": "DBParameterGroupName",
                "subgrp": "DBSubnetGroupName",
            },
            "CreateDBCluster": _CLUSTER_GROUPS,
            "CreateGlobalCluster": {"cluster": "SourceDBClusterIdentifier"},
            "CreateBlueGreenDeployment": {"deployment": "+"},
            "CreateDBProxy": {"proxy": "+"},
            "CreateDBShardGroup": {"shardgrp": "+"},
            "DeleteDBCluster": {"cluster-snapshot": "FinalDBSnapshotIdentifier"},
            "RestoreDBClusterFromSnapshot": {
                "cluster": "DBClusterIdentifier",
                "cluster-snapshot": "SnapshotIdentifier",
                "snapshot": "-",
                "og": "OptionGroupName",
                "subgrp": "DBSubnetGroupName",
                "cluster-pg": "DBClusterParameterGroupName",
            },
            "RestoreDBClusterToPointInTime": {"cluster": "SourceDBClusterIdentifier DBClusterIdentifier"},
            "RestoreDBInstanceFromDBSnapshot": {
                "db": "DBInstanceIdentifier",
                "snapshot": "DBSnapshotIdentifier",
                "cluster-snapshot": "DBClusterSnapshotIdentifier",
                "og": "OptionGroupName",
                "pg": "DBParameterGroupName",
                "subgrp": "DBSubnetGroupName",
            },
            "RestoreDBInstanceToPointInTime": {
                "db": "SourceDBInstanceIdentifier TargetDBInstanceIdentifier",
                "auto-backup": "-",
                "snapshot": "-",
                "og": "OptionGroupName",
                "pg": "DBParameterGroupName",
                "subgrp": "DBSubnetGroupName",
            },
            "DeregisterDBProxyTargets": {
                "target-group": "?",
                "db": "DBInstanceIdentifiers",
                "cluster": "DBClusterIdentifiers",
            },
            "DescribeDBProxyTargets": {"target-group": "?"},
            "ModifyDBProxyTargetGroup": {"target-group": "?"},
            "RegisterDBProxyTargets": {"target-group": "?"},
        },
        context=_rds_keys,
        besides=user_password,
        passes={"MonitoringRoleArn": "monitoring.rds.amazonaws.com", "IamRoleArn": "export.rds.amazonaws.com"},
        role_names=frozenset({"DomainIAMRoleName"}),
        tagging="AddTagsToResource",
    ),
    "redshift": Service(
        typed=True,
        variables={
            "ClusterName": "ClusterIdentifier",
            "SecurityGroupName": "ClusterSecurityGroupName",
            "SubnetGroupName": "ClusterSubnetGroupName",
            "ParameterGroupName": "ParameterGroupName ClusterParameterGroupName",
            "SnapshotCopyGrantName": "SnapshotCopyGrantName",
        },
        templates={
            "securitygroup": "arn:${Partition}:redshift:${Region}:${Account}:securitygroup:${SecurityGroupName}/ec2securitygroup/*/*"
        },
        paths={"snapshot": "SnapshotIdentifier"},
        operations={
            "AuthorizeClusterSecurityGroupIngress": {
                "securitygroupingress-ec2securitygroup": "-",
                "securitygroupingress-cidr": "-",
            },
            "DescribeTags": {},
        },
        arn=_redshift,
    ),
    "elasticache": Service(
        typed=True,
        variables={"CacheClusterId": "CacheClusterId", "ReplicationGroupId": "ReplicationGroupId"},
        tagging="AddTagsToResource",
    ),
    "efs": Service(
        prefix="elasticfilesystem",
        paths={"file-system": "FileSystemId ResourceId", "access-point": "AccessPointId ResourceId"},
        arn=_file_system,
        operations={
            "CreateFileSystem": {"file-system": "+"},
            "CreateAccessPoint": {"file-system": "FileSystemId"},
            "DeleteMountTarget": {"file-system": "MountTargetId"},
            "DescribeMountTargets": {"file-system": "FileSystemId MountTargetId", "access-point": "AccessPointId"},
            "DescribeMountTargetSecurityGroups": {"file-system": "MountTargetId"},
            "ModifyMountTargetSecurityGroups": {"file-system": "MountTargetId"},
        },
        tagging="TagResource",
    ),
    "dsql": Service(paths={"Cluster": "identifier"}),
    "memorydb": Service(
        operations={
            f"{verb}Cluster": {"multiregioncluster": "MultiRegionClusterName"}
            for verb in ("Create", "Delete", "Update")
        },
    ),
    "backup": Service(
        templates={"reportPlan": "arn:${Partition}:backup:${Region}:${Account}:report-plan:${ReportPlanName}-*"},
        tagging="TagResource",
    ),
    "opensearch": Service(prefix="es"),
    "es": Service(prefix="es"),
    "timestream-write": Service(prefix="timestream"),
    "timestream-query": Service(prefix="timestream"),
    "s3control": Service(
        prefix="s3",
        actions={
            "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
            "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
            "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
        },
        variables={"AccessPointName": "Name", "AccessPointAlias": "Name Details.Name"},
        templates={"multiregionaccesspoint": "arn:${Partition}:s3::${Account}:accesspoint/${AccessPointAlias}"},
        existing=frozenset({"multiregionaccesspoint"}),
    ),
}
