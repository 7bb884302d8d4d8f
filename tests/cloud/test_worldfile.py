"""A world from a template: what is in the file is in the account, and what is wrong with the file is one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.cloud import Cloud
from pytest_stsguard.cloud.worldfile import WorldFile
from pytest_stsguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
Parameters:
  Prefix: {Type: String}
  Kind: {Type: String, Default: t3.micro}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "${Prefix}-role"
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: list
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: "s3:ListAllMyBuckets", Resource: "*"}]
  Profile: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref Role]}}
  Instance:
    Type: AWS::EC2::Instance
    Properties: {ImageId: ami-0c02fb55956c7d316, InstanceType: !Ref Kind, IamInstanceProfile: !Ref Profile}
  Odd: {Type: "AWS::Nobody::Knows", Properties: {}}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    file = tmp_path / "my world.yaml"
    file.write_text(TEMPLATE)
    return file


def test_a_template_becomes_an_account(template: Path) -> None:
    pytest.importorskip("openapi_spec_validator", reason="needs moto[cloudformation]")
    with Cloud(world=template, parameters={"Prefix": "my"}) as cloud:
        (instance,) = cloud.instances
        held = instance.credentials("2.0")
        credentials = cloud.credentials_of(
            {"AccessKeyId": held.access_key_id, "SecretAccessKey": held.secret_access_key, "Token": held.token}
        )
        assert ":assumed-role/my-role/" in str(credentials.arn)
        assert credentials.session().client("s3").list_buckets()["Buckets"] == []
        assert cloud.left_out == ("AWS::Nobody::Knows: moto's CloudFormation does not create it",)
        assert json.dumps(cloud.save())


def test_the_same_as_json(tmp_path: Path) -> None:
    pytest.importorskip("openapi_spec_validator", reason="needs moto[cloudformation]")
    file = tmp_path / "w.json"
    file.write_text(
        json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "in-json"}}}})
    )
    with Cloud(world=str(file)) as cloud:
        assert [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"]] == ["in-json"]


@pytest.mark.parametrize(
    ("text", "parameters", "words"),
    [
        ("Resources: [", {}, "is no YAML in line"),
        ("{", {}, "is no JSON"),
        ("", {}, "neither a CloudFormation template"),
        ("- 1", {}, "neither a CloudFormation template"),
        ("Resources: {}", {}, "neither a CloudFormation template"),
        ("Resources: {A: null}", {}, "the resource `A` has no `Type`"),
        ("Parameters: 1\nResources: {A: {Type: T}}", {}, "`Parameters` is no mapping"),
        (TEMPLATE, {}, "needs the parameter `Prefix`"),
        (TEMPLATE, {"Prefix": "a", "Suffix": "b"}, "has no parameter `Suffix`"),
        ("a: *unknown", {}, "is no YAML"),
        ("[" * 2_000, {}, "is no"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, text: str, parameters: dict[str, str], words: str) -> None:
    file = tmp_path / "world.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as refused:
        WorldFile.read(file, parameters)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    for name in ("bytes.yaml", "missing.yaml", "."):
        with pytest.raises(InputError, match="cannot read"):
            WorldFile.read(tmp_path / name)
    with pytest.raises(ConfigurationError, match="unknown world `paradise`"):
        Cloud(world="paradise")


def test_a_stack_that_fails_leaves_no_cloud(tmp_path: Path) -> None:
    pytest.importorskip("openapi_spec_validator", reason="needs moto[cloudformation]")
    file = tmp_path / "w.yaml"
    file.write_text("Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: r}}}")
    with pytest.raises(InputError, match="cannot be created"), Cloud(world=file):
        pytest.fail("the cloud has opened")
    with Cloud(world="empty") as cloud:
        assert cloud.client("iam").list_roles()["Roles"] == []


def test_a_marker_names_a_file(pytester: pytest.Pytester) -> None:
    with Cloud(world="empty") as cloud:
        cloud.client("s3").create_bucket(Bucket="of-the-file")
        (pytester.path / "state.json").write_text(json.dumps(cloud.save()))
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.stsguard_cloud(world="state.json")
        def test_it(sts_cloud):
            assert sts_cloud.client("s3").list_buckets()["Buckets"][0]["Name"] == "of-the-file"
        """
    )
    pytester.runpytest().assert_outcomes(passed=1)
