"""Buckets, tables, keys, secrets, parameters, images."""

from __future__ import annotations

from .kind import Kind, Part

__all__ = ["KINDS"]

_DDB_UPDATE = "dynamodb:UpdateTable TableName=@ AttributeDefinitions BillingMode ProvisionedThroughput"
_SECRET = "secretsmanager:UpdateSecret SecretId=@ Description KmsKeyId SecretString"  # noqa: S105 - a call
_PARAMETER = "ssm:PutParameter Name=@name Type Value Description Tier AllowedPattern Policies DataType"
_BUCKET = "=arn:{partition}:s3:::{name}"

KINDS = {
    "AWS::S3::Bucket": Kind(
        name="BucketName",
        create="s3:CreateBucket Bucket=@name ACL=canned(AccessControl) ObjectLockEnabledForBucket=ObjectLockEnabled"
        " ObjectOwnership=OwnershipControls.Rules.0.ObjectOwnership"
        " CreateBucketConfiguration.LocationConstraint=abroad()",
        attributes={
            "Arn": _BUCKET,
            "DomainName": "={name}.s3.amazonaws.com",
            "RegionalDomainName": "={name}.s3.{region}.amazonaws.com",
            "WebsiteURL": "=http://{name}.s3-website-{region}.amazonaws.com",
        },
        parts=(
            Part(
                "OwnershipControls",
                "s3:PutBucketOwnershipControls Bucket=@ OwnershipControls=.",
                "s3:DeleteBucketOwnershipControls Bucket=@",
                whole=True,
            ),
            Part(
                "PublicAccessBlockConfiguration",
                "s3:PutPublicAccessBlock Bucket=@ PublicAccessBlockConfiguration=.",
                "s3:DeletePublicAccessBlock Bucket=@",
                whole=True,
            ),
            Part(
                "BucketEncryption",
                "s3:PutBucketEncryption Bucket=@"
                " ServerSideEncryptionConfiguration.Rules=encryption(.ServerSideEncryptionConfiguration)",
                "s3:DeleteBucketEncryption Bucket=@",
                whole=True,
            ),
            Part(
                "VersioningConfiguration",
                "s3:PutBucketVersioning Bucket=@ VersioningConfiguration=.",
                "s3:PutBucketVersioning Bucket=@ VersioningConfiguration.Status='Suspended'",
                whole=True,
            ),
            Part(
                "LoggingConfiguration",
                "s3:PutBucketLogging Bucket=@ BucketLoggingStatus.LoggingEnabled=logging(.)",
                whole=True,
            ),
            Part(
                "CorsConfiguration",
                "s3:PutBucketCors Bucket=@ CORSConfiguration.CORSRules=cors(.CorsRules)",
                "s3:DeleteBucketCors Bucket=@",
                whole=True,
            ),
            Part(
                "LifecycleConfiguration",
                "s3:PutBucketLifecycleConfiguration Bucket=@ LifecycleConfiguration.Rules=lifecycle(.Rules)",
                "s3:DeleteBucketLifecycle Bucket=@",
                whole=True,
            ),
            Part(
                "NotificationConfiguration",
                "s3:PutBucketNotificationConfiguration Bucket=@ NotificationConfiguration=notification(.)",
                "s3:PutBucketNotificationConfiguration Bucket=@ NotificationConfiguration=nothing(.)",
                whole=True,
            ),
            Part(
                "Tags",
                "s3:PutBucketTagging Bucket=@ Tagging.TagSet=.",
                "s3:DeleteBucketTagging Bucket=@",
                whole=True,
            ),
        ),
        fixed=frozenset({"ObjectLockEnabled"}),
        changes={"AccessControl": ("s3:PutBucketAcl Bucket=@ ACL=canned(AccessControl)", "")},
        delete="s3:DeleteBucket Bucket=@",
        longest=63,
        lower=True,
    ),
    "AWS::S3::BucketPolicy": Kind(
        create="s3:PutBucketPolicy Bucket Policy=PolicyDocument",
        ref="={Bucket}",
        changes={"PolicyDocument": ("s3:PutBucketPolicy Bucket Policy=PolicyDocument", "")},
        fixed=frozenset({"Bucket"}),
        delete="s3:DeleteBucketPolicy Bucket",
    ),
    "AWS::DynamoDB::Table": Kind(
        name="TableName",
        create="dynamodb:CreateTable TableName=@name AttributeDefinitions KeySchema BillingMode ProvisionedThroughput"
        " GlobalSecondaryIndexes LocalSecondaryIndexes SSESpecification=sse(SSESpecification) TableClass"
        " DeletionProtectionEnabled StreamSpecification.StreamViewType=StreamSpecification.StreamViewType"
        " StreamSpecification.StreamEnabled=given(StreamSpecification) Tags",
        attributes={"Arn": "TableDescription.TableArn", "StreamArn": "TableDescription.LatestStreamArn"},
        read=("dynamodb:DescribeTable TableName=@",),
        parts=(
            Part(
                "PointInTimeRecoverySpecification",
                "dynamodb:UpdateContinuousBackups TableName=@ PointInTimeRecoverySpecification=.",
                "dynamodb:UpdateContinuousBackups TableName=@"
                " PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled='false'",
                whole=True,
            ),
            Part(
                "TimeToLiveSpecification",
                "dynamodb:UpdateTimeToLive TableName=@ TimeToLiveSpecification=.",
                whole=True,
            ),
            Part(
                "ResourcePolicy",
                "dynamodb:PutResourcePolicy ResourceArn=%Arn Policy=.PolicyDocument",
                "dynamodb:DeleteResourcePolicy ResourceArn=%Arn",
                whole=True,
            ),
        ),
        changes={
            "BillingMode": (_DDB_UPDATE, ""),
            "ProvisionedThroughput": (_DDB_UPDATE, _DDB_UPDATE),
            "DeletionProtectionEnabled": (
                "dynamodb:UpdateTable TableName=@ DeletionProtectionEnabled",
                "dynamodb:UpdateTable TableName=@ DeletionProtectionEnabled='false'",
            ),
        },
        tags=("dynamodb:TagResource ResourceArn=%Arn Tags", "dynamodb:UntagResource ResourceArn=%Arn TagKeys=."),
        fixed=frozenset(
            {
                "AttributeDefinitions",
                "GlobalSecondaryIndexes",
                "KeySchema",
                "LocalSecondaryIndexes",
                "SSESpecification",
                "StreamSpecification",
                "TableClass",
            }
        ),
        delete="dynamodb:DeleteTable TableName=@",
    ),
    "AWS::KMS::Key": Kind(
        create="kms:CreateKey Policy=KeyPolicy Description KeySpec KeyUsage MultiRegion Origin"
        " BypassPolicyLockoutSafetyCheck Tags=kms(Tags)",
        ref="KeyMetadata.KeyId",
        attributes={"Arn": "KeyMetadata.Arn", "KeyId": "KeyMetadata.KeyId"},
        read=("kms:DescribeKey KeyId=@",),
        parts=(
            Part(
                "EnableKeyRotation",
                "kms:switch(EnableKeyRotation,DisableKeyRotation) KeyId=@",
                whole=True,
            ),
            Part("Enabled", "kms:switch(EnableKey,DisableKey) KeyId=@", whole=True),
        ),
        changes={
            "KeyPolicy": ("kms:PutKeyPolicy KeyId=@ PolicyName='default' Policy=KeyPolicy", ""),
            "Description": ("kms:UpdateKeyDescription KeyId=@ Description", ""),
        },
        tags=("kms:TagResource KeyId=@ Tags=kms(Tags)", "kms:UntagResource KeyId=@ TagKeys=."),
        fixed=frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"}),
        passive=frozenset({"BypassPolicyLockoutSafetyCheck", "PendingWindowInDays"}),
        delete="kms:ScheduleKeyDeletion KeyId=@ PendingWindowInDays",
    ),
    "AWS::KMS::Alias": Kind(
        name="AliasName",
        create="kms:CreateAlias AliasName TargetKeyId",
        changes={"TargetKeyId": ("kms:UpdateAlias AliasName TargetKeyId", "")},
        delete="kms:DeleteAlias AliasName",
    ),
    "AWS::SSM::Document": Kind(
        name="Name",
        create="ssm:CreateDocument Name=@name Content DocumentFormat DocumentType TargetType VersionName Tags",
        settled=frozenset({"Content", "DocumentFormat", "DocumentType", "Tags", "TargetType", "VersionName"}),
        delete="ssm:DeleteDocument Name=@",
    ),
    "AWS::SecretsManager::Secret": Kind(
        name="Name",
        create="secretsmanager:CreateSecret Name=@name Description KmsKeyId SecretString Tags",
        ref="ARN",
        attributes={"Id": "ARN"},
        read=("secretsmanager:DescribeSecret SecretId=@",),
        changes={
            "Description": (_SECRET, ""),
            "KmsKeyId": (_SECRET, ""),
            "SecretString": (_SECRET, ""),
        },
        tags=("secretsmanager:TagResource SecretId=@ Tags", "secretsmanager:UntagResource SecretId=@ TagKeys=."),
        delete="secretsmanager:DeleteSecret SecretId=@ ForceDeleteWithoutRecovery='true'",
    ),
    "AWS::SecretsManager::ResourcePolicy": Kind(
        create="secretsmanager:PutResourcePolicy SecretId ResourcePolicy BlockPublicPolicy",
        ref="ARN",
        changes={
            "ResourcePolicy": ("secretsmanager:PutResourcePolicy SecretId ResourcePolicy BlockPublicPolicy", ""),
        },
        fixed=frozenset({"SecretId"}),
        settled=frozenset({"BlockPublicPolicy"}),
        delete="secretsmanager:DeleteResourcePolicy SecretId",
    ),
    "AWS::SSM::Parameter": Kind(
        name="Name",
        create=f"{_PARAMETER} Tags",
        attributes={"Type": "={Type}", "Value": "={Value}"},
        changes=dict.fromkeys(
            ("AllowedPattern", "DataType", "Description", "Policies", "Tier", "Type", "Value"),
            (f"{_PARAMETER} Overwrite='true'", ""),
        ),
        tags=(
            "ssm:AddTagsToResource ResourceType='Parameter' ResourceId=@ Tags",
            "ssm:RemoveTagsFromResource ResourceType='Parameter' ResourceId=@ TagKeys=.",
        ),
        delete="ssm:DeleteParameter Name=@",
    ),
    "AWS::ECR::Repository": Kind(
        name="RepositoryName",
        create="ecr:CreateRepository repositoryName=@name tags=Tags imageTagMutability imageScanningConfiguration"
        " encryptionConfiguration",
        attributes={"Arn": "repository.repositoryArn", "RepositoryUri": "repository.repositoryUri"},
        parts=(
            Part(
                "RepositoryPolicyText",
                "ecr:SetRepositoryPolicy repositoryName=@ policyText=.",
                "ecr:DeleteRepositoryPolicy repositoryName=@",
                whole=True,
            ),
        ),
        changes={
            "ImageTagMutability": ("ecr:PutImageTagMutability repositoryName=@ imageTagMutability", ""),
            "ImageScanningConfiguration": (
                "ecr:PutImageScanningConfiguration repositoryName=@ imageScanningConfiguration",
                "",
            ),
        },
        tags=("ecr:TagResource resourceArn=%Arn tags=Tags", "ecr:UntagResource resourceArn=%Arn tagKeys=."),
        fixed=frozenset({"EncryptionConfiguration"}),
        passive=frozenset({"EmptyOnDelete"}),
        delete="ecr:DeleteRepository repositoryName=@ force=EmptyOnDelete",
        lower=True,
    ),
}
