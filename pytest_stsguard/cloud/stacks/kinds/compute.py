"""Functions, machines of steps, tasks: what runs with a role."""

from __future__ import annotations

from .kind import Kind, Part

__all__ = ["KINDS"]

_CODE = "S3Bucket=Code.S3Bucket S3Key=Code.S3Key S3ObjectVersion=Code.S3ObjectVersion ImageUri=Code.ImageUri"
_SETTINGS = (
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "ImageConfig",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
)
_CONFIGURE = f"lambda:UpdateFunctionConfiguration FunctionName=@ {' '.join(_SETTINGS)}"
_MAPPING = (
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
)
_MAP = f"lambda:UpdateEventSourceMapping UUID=@ FunctionName {' '.join(_MAPPING)}"
_MACHINE = "stepfunctions:UpdateStateMachine stateMachineArn=@ definition=DefinitionString roleArn"
_TASK = (
    "ContainerDefinitions",
    "Cpu",
    "EphemeralStorage",
    "ExecutionRoleArn",
    "IpcMode",
    "Memory",
    "NetworkMode",
    "PidMode",
    "PlacementConstraints",
    "RequiresCompatibilities",
    "RuntimePlatform",
    "TaskRoleArn",
    "Volumes",
)

_GROUP = (
    "AvailabilityZones",
    "CapacityRebalance",
    "DesiredCapacity",
    "HealthCheckGracePeriod",
    "HealthCheckType",
    "LaunchConfigurationName",
    "LaunchTemplate",
    "MaxSize",
    "MinSize",
    "TerminationPolicies",
)
_SCALE = f"autoscaling:UpdateAutoScalingGroup AutoScalingGroupName=@ DefaultCooldown=Cooldown VPCZoneIdentifier=comma(VPCZoneIdentifier) {' '.join(_GROUP)}"
_LAUNCH = (
    "AssociatePublicIpAddress",
    "BlockDeviceMappings",
    "EbsOptimized",
    "IamInstanceProfile",
    "ImageId",
    "InstanceType",
    "KeyName",
    "MetadataOptions",
    "SecurityGroups",
    "UserData",
)
_PROJECT = (
    "Artifacts",
    "Cache",
    "Description",
    "EncryptionKey",
    "Environment",
    "ServiceRole",
    "Source",
    "VpcConfig",
)
_NOTEBOOK = (
    "DirectInternetAccess",
    "InstanceType",
    "KmsKeyId",
    "RoleArn",
    "RootAccess",
    "SecurityGroupIds",
    "SubnetId",
    "VolumeSizeInGB",
)

KINDS = {
    "AWS::AutoScaling::AutoScalingGroup": Kind(
        name="AutoScalingGroupName",
        create="autoscaling:CreateAutoScalingGroup AutoScalingGroupName=@name DefaultCooldown=Cooldown VPCZoneIdentifier=comma(VPCZoneIdentifier)"
        f" {' '.join(_GROUP)} TargetGroupARNs Tags",
        changes=dict.fromkeys(("Cooldown", "VPCZoneIdentifier", *_GROUP), (_SCALE, "")),
        settled=frozenset({"Tags", "TargetGroupARNs"}),
        delete="autoscaling:DeleteAutoScalingGroup AutoScalingGroupName=@ ForceDelete='true'",
    ),
    "AWS::AutoScaling::LaunchConfiguration": Kind(
        name="LaunchConfigurationName",
        create=f"autoscaling:CreateLaunchConfiguration LaunchConfigurationName=@name {' '.join(_LAUNCH)}"
        " InstanceMonitoring.Enabled=InstanceMonitoring",
        fixed=frozenset({"InstanceMonitoring", *_LAUNCH}),
        delete="autoscaling:DeleteLaunchConfiguration LaunchConfigurationName=@",
    ),
    "AWS::CodeBuild::Project": Kind(
        name="Name",
        create=f"codebuild:CreateProject name=@name timeoutInMinutes=TimeoutInMinutes {' '.join(_PROJECT)} tags=Tags",
        attributes={"Arn": "project.arn"},
        settled=frozenset({"Tags", "TimeoutInMinutes", *_PROJECT}),
        delete="codebuild:DeleteProject name=@",
    ),
    "AWS::SageMaker::NotebookInstance": Kind(
        name="NotebookInstanceName",
        create=f"sagemaker:CreateNotebookInstance NotebookInstanceName=@name {' '.join(_NOTEBOOK)} Tags",
        attributes={"NotebookInstanceName": "={name}"},
        read=("sagemaker:DescribeNotebookInstance NotebookInstanceName=@",),
        settled=frozenset({"Tags", *_NOTEBOOK}),
        before=("sagemaker:StopNotebookInstance NotebookInstanceName=@",),
        delete="sagemaker:DeleteNotebookInstance NotebookInstanceName=@",
        longest=63,
    ),
    "AWS::Lambda::Function": Kind(
        name="FunctionName",
        create=f"lambda:CreateFunction FunctionName=@name Code.S3Bucket=Code.S3Bucket Code.S3Key=Code.S3Key"
        f" Code.S3ObjectVersion=Code.S3ObjectVersion Code.ImageUri=Code.ImageUri Code.ZipFile=zip(Code.ZipFile)"
        f" Architectures PackageType {' '.join(_SETTINGS)} Tags",
        attributes={"Arn": "FunctionArn"},
        read=("lambda:GetFunction FunctionName=@",),
        parts=(
            Part(
                "ReservedConcurrentExecutions",
                "lambda:PutFunctionConcurrency FunctionName=@ ReservedConcurrentExecutions=.",
                "lambda:DeleteFunctionConcurrency FunctionName=@",
                whole=True,
            ),
        ),
        changes={
            "Code": (f"lambda:UpdateFunctionCode FunctionName=@ {_CODE} ZipFile=zip(Code.ZipFile)", ""),
            **dict.fromkeys(_SETTINGS, (_CONFIGURE, "")),
        },
        tags=("lambda:TagResource Resource=%Arn Tags", "lambda:UntagResource Resource=%Arn TagKeys=."),
        fixed=frozenset({"Architectures", "PackageType"}),
        delete="lambda:DeleteFunction FunctionName=@",
        longest=64,
    ),
    "AWS::Lambda::Permission": Kind(
        create="lambda:AddPermission FunctionName StatementId=@name Action Principal SourceArn SourceAccount"
        " EventSourceToken PrincipalOrgID FunctionUrlAuthType InvokedViaFunctionUrl",
        attributes={"Id": "={name}"},
        fixed=frozenset(
            {
                "Action",
                "EventSourceToken",
                "FunctionName",
                "FunctionUrlAuthType",
                "InvokedViaFunctionUrl",
                "Principal",
                "PrincipalOrgID",
                "SourceAccount",
                "SourceArn",
            }
        ),
        delete="lambda:RemovePermission FunctionName StatementId=@",
        longest=100,
    ),
    "AWS::Lambda::Version": Kind(
        create="lambda:PublishVersion FunctionName Description CodeSha256",
        ref="FunctionArn",
        attributes={"FunctionArn": "FunctionArn", "Version": "Version"},
        fixed=frozenset({"CodeSha256", "Description", "FunctionName"}),
        delete="lambda:DeleteFunction FunctionName=@",
    ),
    "AWS::Lambda::Alias": Kind(
        create="lambda:CreateAlias FunctionName Name FunctionVersion Description RoutingConfig",
        ref="AliasArn",
        attributes={"AliasArn": "AliasArn"},
        changes=dict.fromkeys(
            ("Description", "FunctionVersion", "RoutingConfig"),
            ("lambda:UpdateAlias FunctionName Name FunctionVersion Description RoutingConfig", ""),
        ),
        fixed=frozenset({"FunctionName", "Name"}),
        delete="lambda:DeleteAlias FunctionName Name",
    ),
    "AWS::Lambda::Url": Kind(
        create="lambda:CreateFunctionUrlConfig FunctionName=TargetFunctionArn Qualifier AuthType Cors InvokeMode",
        ref="FunctionArn",
        attributes={"FunctionArn": "FunctionArn", "FunctionUrl": "FunctionUrl"},
        changes=dict.fromkeys(
            ("AuthType", "Cors", "InvokeMode"),
            ("lambda:UpdateFunctionUrlConfig FunctionName=TargetFunctionArn Qualifier AuthType Cors InvokeMode", ""),
        ),
        fixed=frozenset({"Qualifier", "TargetFunctionArn"}),
        delete="lambda:DeleteFunctionUrlConfig FunctionName=TargetFunctionArn Qualifier",
    ),
    "AWS::Lambda::EventSourceMapping": Kind(
        create=f"lambda:CreateEventSourceMapping FunctionName EventSourceArn StartingPosition Topics {' '.join(_MAPPING)}",
        ref="UUID",
        attributes={"Id": "UUID"},
        changes=dict.fromkeys(("FunctionName", *_MAPPING), (_MAP, "")),
        fixed=frozenset({"EventSourceArn", "StartingPosition", "Topics"}),
        delete="lambda:DeleteEventSourceMapping UUID=@",
    ),
    "AWS::Lambda::LayerVersion": Kind(
        create="lambda:PublishLayerVersion LayerName=name(LayerName) Description Content CompatibleRuntimes"
        " CompatibleArchitectures LicenseInfo",
        ref="LayerVersionArn",
        attributes={"LayerVersionArn": "LayerVersionArn"},
        fixed=frozenset(
            {"CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName", "LicenseInfo"}
        ),
    ),
    "AWS::StepFunctions::StateMachine": Kind(
        name="StateMachineName",
        create="stepfunctions:CreateStateMachine name=@name definition=DefinitionString roleArn"
        " type=StateMachineType loggingConfiguration tracingConfiguration tags=Tags",
        ref="stateMachineArn",
        attributes={"Arn": "stateMachineArn", "Name": "={name}"},
        changes={"DefinitionString": (_MACHINE, ""), "RoleArn": (_MACHINE, "")},
        tags=(
            "stepfunctions:TagResource resourceArn=@ tags=Tags",
            "stepfunctions:UntagResource resourceArn=@ tagKeys=.",
        ),
        fixed=frozenset({"LoggingConfiguration", "StateMachineType", "TracingConfiguration"}),
        delete="stepfunctions:DeleteStateMachine stateMachineArn=@",
        longest=80,
    ),
    "AWS::ECS::Cluster": Kind(
        name="ClusterName",
        create="ecs:CreateCluster clusterName=@name tags=Tags",
        attributes={"Arn": "cluster.clusterArn"},
        tags=("ecs:TagResource resourceArn=%Arn tags=Tags", "ecs:UntagResource resourceArn=%Arn tagKeys=."),
        delete="ecs:DeleteCluster cluster=@",
    ),
    "AWS::ECS::TaskDefinition": Kind(
        create=f"ecs:RegisterTaskDefinition family=name(Family) {' '.join(_TASK)} tags=Tags",
        ref="taskDefinition.taskDefinitionArn",
        attributes={"TaskDefinitionArn": "taskDefinition.taskDefinitionArn"},
        tags=("ecs:TagResource resourceArn=@ tags=Tags", "ecs:UntagResource resourceArn=@ tagKeys=."),
        fixed=frozenset({"Family", *_TASK}),
        delete="ecs:DeregisterTaskDefinition taskDefinition=@",
    ),
}
