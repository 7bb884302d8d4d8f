"""IAM: who there is, and what they may do."""

from __future__ import annotations

from .kind import Kind, Part, Sweep

__all__ = ["KINDS"]


def _policies(noun: str) -> Part:
    return Part(
        "Policies",
        f"iam:Put{noun}Policy {noun}Name=@ PolicyName=.PolicyName PolicyDocument=.PolicyDocument",
        f"iam:Delete{noun}Policy {noun}Name=@ PolicyName=.PolicyName",
        key="PolicyName",
        bound=True,
    )


def _managed(noun: str) -> Part:
    return Part(
        "ManagedPolicyArns",
        f"iam:Attach{noun}Policy {noun}Name=@ PolicyArn=.",
        f"iam:Detach{noun}Policy {noun}Name=@ PolicyArn=.",
        bound=True,
    )


def _attached(noun: str) -> Part:
    """Give the part of a managed policy that lists whom it is attached to."""
    return Part(
        f"{noun}s",
        f"iam:Attach{noun}Policy {noun}Name=. PolicyArn=@",
        f"iam:Detach{noun}Policy {noun}Name=. PolicyArn=@",
        bound=True,
    )


def _inline(noun: str) -> Part:
    """Give the part of ``AWS::IAM::Policy`` that lists whom it lies in."""
    return Part(
        f"{noun}s",
        f"iam:Put{noun}Policy {noun}Name=. PolicyName=PolicyName PolicyDocument=PolicyDocument",
        f"iam:Delete{noun}Policy {noun}Name=. PolicyName=PolicyName",
        bound=True,
        also=("PolicyDocument",),
    )


def _own(noun: str) -> Kind:
    """Give the type of one inline policy of one principal."""
    put = f"iam:Put{noun}Policy {noun}Name PolicyName PolicyDocument"
    return Kind(
        create=put,
        changes={"PolicyDocument": (put, "")},
        fixed=frozenset({"PolicyName", f"{noun}Name"}),
        delete=f"iam:Delete{noun}Policy {noun}Name PolicyName",
    )


def _boundary(noun: str) -> tuple[str, str]:
    return (
        f"iam:Put{noun}PermissionsBoundary {noun}Name=@ PermissionsBoundary",
        f"iam:Delete{noun}PermissionsBoundary {noun}Name=@",
    )


_TAGS = {
    noun: (f"iam:Tag{noun} {noun}Name=@ Tags", f"iam:Untag{noun} {noun}Name=@ TagKeys=.")
    for noun in ("Role", "User", "InstanceProfile")
}
_UPDATE_ROLE = "iam:UpdateRole RoleName=@ Description MaxSessionDuration"

KINDS = {
    "AWS::IAM::Role": Kind(
        name="RoleName",
        create="iam:CreateRole RoleName=@name Path AssumeRolePolicyDocument Description MaxSessionDuration"
        " PermissionsBoundary Tags",
        attributes={"Arn": "Role.Arn", "RoleId": "Role.RoleId"},
        read=("iam:GetRole RoleName=@",),
        parts=(_policies("Role"), _managed("Role")),
        changes={
            "AssumeRolePolicyDocument": (
                "iam:UpdateAssumeRolePolicy RoleName=@ PolicyDocument=AssumeRolePolicyDocument",
                "",
            ),
            "Description": (_UPDATE_ROLE, _UPDATE_ROLE),
            "MaxSessionDuration": (_UPDATE_ROLE, "iam:UpdateRole RoleName=@ Description MaxSessionDuration='3600'"),
            "PermissionsBoundary": _boundary("Role"),
        },
        tags=_TAGS["Role"],
        fixed=frozenset({"Path"}),
        delete="iam:DeleteRole RoleName=@",
        longest=64,
    ),
    "AWS::IAM::User": Kind(
        name="UserName",
        create="iam:CreateUser UserName=@name Path PermissionsBoundary Tags",
        attributes={"Arn": "User.Arn"},
        read=("iam:GetUser UserName=@",),
        parts=(
            Part(
                "LoginProfile",
                "iam:CreateLoginProfile UserName=@ Password=.Password PasswordResetRequired=.PasswordResetRequired",
                "iam:DeleteLoginProfile UserName=@",
                whole=True,
                bound=True,
            ),
            _policies("User"),
            _managed("User"),
            Part(
                "Groups",
                "iam:AddUserToGroup UserName=@ GroupName=.",
                "iam:RemoveUserFromGroup UserName=@ GroupName=.",
                bound=True,
            ),
        ),
        changes={"PermissionsBoundary": _boundary("User")},
        tags=_TAGS["User"],
        fixed=frozenset({"Path"}),
        delete="iam:DeleteUser UserName=@",
        longest=64,
    ),
    "AWS::IAM::Group": Kind(
        name="GroupName",
        create="iam:CreateGroup GroupName=@name Path",
        attributes={"Arn": "Group.Arn"},
        read=("iam:GetGroup GroupName=@",),
        parts=(_policies("Group"), _managed("Group")),
        fixed=frozenset({"Path"}),
        delete="iam:DeleteGroup GroupName=@",
    ),
    "AWS::IAM::UserToGroupAddition": Kind(
        parts=(
            Part(
                "Users",
                "iam:AddUserToGroup GroupName UserName=.",
                "iam:RemoveUserFromGroup GroupName UserName=.",
                bound=True,
            ),
        ),
        fixed=frozenset({"GroupName"}),
    ),
    "AWS::IAM::ManagedPolicy": Kind(
        name="ManagedPolicyName",
        create="iam:CreatePolicy PolicyName=@name Path Description PolicyDocument",
        ref="Policy.Arn",
        attributes={"PolicyArn": "Policy.Arn", "PolicyId": "Policy.PolicyId"},
        read=("iam:GetPolicy PolicyArn=@",),
        parts=(_attached("Group"), _attached("Role"), _attached("User")),
        changes={
            "PolicyDocument": ("iam:CreatePolicyVersion PolicyArn=@ PolicyDocument SetAsDefault='true'", ""),
        },
        fixed=frozenset({"Description", "Path"}),
        delete="iam:DeletePolicy PolicyArn=@",
        sweeps=(
            Sweep(
                "iam:ListPolicyVersions PolicyArn=@",
                "Versions",
                "IsDefaultVersion",
                "iam:DeletePolicyVersion PolicyArn=@ VersionId=.VersionId",
            ),
        ),
    ),
    "AWS::IAM::Policy": Kind(
        parts=(_inline("Group"), _inline("Role"), _inline("User")),
        fixed=frozenset({"PolicyName"}),
    ),
    "AWS::IAM::RolePolicy": _own("Role"),
    "AWS::IAM::UserPolicy": _own("User"),
    "AWS::IAM::GroupPolicy": _own("Group"),
    "AWS::IAM::AccessKey": Kind(
        create="iam:CreateAccessKey UserName",
        ref="AccessKey.AccessKeyId",
        attributes={"SecretAccessKey": "AccessKey.SecretAccessKey"},
        parts=(Part("Status", "iam:UpdateAccessKey UserName AccessKeyId=@ Status=.", whole=True),),
        fixed=frozenset({"Serial", "UserName"}),
        delete="iam:DeleteAccessKey UserName AccessKeyId=@",
    ),
    "AWS::IAM::InstanceProfile": Kind(
        name="InstanceProfileName",
        create="iam:CreateInstanceProfile InstanceProfileName=@name Path",
        attributes={"Arn": "InstanceProfile.Arn"},
        read=("iam:GetInstanceProfile InstanceProfileName=@",),
        parts=(
            Part(
                "Roles",
                "iam:AddRoleToInstanceProfile InstanceProfileName=@ RoleName=.",
                "iam:RemoveRoleFromInstanceProfile InstanceProfileName=@ RoleName=.",
                bound=True,
            ),
        ),
        fixed=frozenset({"Path"}),
        delete="iam:DeleteInstanceProfile InstanceProfileName=@",
    ),
    "AWS::IAM::OIDCProvider": Kind(
        create="iam:CreateOpenIDConnectProvider Url ClientIDList=ClientIdList ThumbprintList Tags",
        ref="OpenIDConnectProviderArn",
        attributes={"Arn": "OpenIDConnectProviderArn"},
        changes={
            "ThumbprintList": (
                "iam:UpdateOpenIDConnectProviderThumbprint OpenIDConnectProviderArn=@ ThumbprintList",
                "",
            ),
        },
        tags=(
            "iam:TagOpenIDConnectProvider OpenIDConnectProviderArn=@ Tags",
            "iam:UntagOpenIDConnectProvider OpenIDConnectProviderArn=@ TagKeys=.",
        ),
        fixed=frozenset({"ClientIdList", "Url"}),
        delete="iam:DeleteOpenIDConnectProvider OpenIDConnectProviderArn=@",
    ),
    "AWS::IAM::SAMLProvider": Kind(
        name="Name",
        create="iam:CreateSAMLProvider Name=@name SAMLMetadataDocument=SamlMetadataDocument Tags",
        ref="SAMLProviderArn",
        attributes={"Arn": "SAMLProviderArn"},
        changes={
            "SamlMetadataDocument": (
                "iam:UpdateSAMLProvider SAMLProviderArn=@ SAMLMetadataDocument=SamlMetadataDocument",
                "",
            ),
        },
        tags=("iam:TagSAMLProvider SAMLProviderArn=@ Tags", "iam:UntagSAMLProvider SAMLProviderArn=@ TagKeys=."),
        delete="iam:DeleteSAMLProvider SAMLProviderArn=@",
    ),
}
