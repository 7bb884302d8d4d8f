"""What a service fetches, writes or decrypts in the caller's name is asked of the caller.

The sources stand in `pytest_stsguard/cloud/permissions/onward.py` and `pytest_stsguard/cloud/screening.py`.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
USE_KEYS = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}


def code() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("f.py", "def handler(event, context): return 1")
    return held.getvalue()


FUNCTION: dict[str, Any] = {"Runtime": "python3.12", "Handler": "f.handler", "Role": ROLE}


class Estate:
    """A cloud with code in a bucket, functions, secrets, a table and a query."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        iam, s3 = cloud.client("iam"), cloud.client("s3")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName="worker", AssumeRolePolicyDocument=_document(trust))
        s3.create_bucket(Bucket="private")
        s3.put_object(Bucket="private", Key="code.zip", Body=code())
        self.key = str(cloud.client("kms").create_key()["KeyMetadata"]["Arn"])

    def user(self, name: str, *statements: dict[str, Any], without: str) -> Any:
        """Make a user who may do everything but one kind of action, which `statements` may give back in part."""
        iam = self.cloud.client("iam")
        iam.create_user(UserName=name)
        document = _document({"Effect": "Allow", "NotAction": without, "Resource": "*"}, *statements)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        return self.cloud.user_credentials(name).session()


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    with Cloud(world="empty") as cloud:
        yield Estate(cloud)


def refused(call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer: Any = caught.value.response
    return dict(answer["Error"])


def test_code_is_taken_from_a_bucket_by_who_may_read_it(estate: Estate) -> None:
    thief = estate.user("thief", without="s3:*").client("lambda")
    place = {"S3Bucket": "private", "S3Key": "code.zip"}
    error = refused(thief.create_function, FunctionName="stolen", Code=place, **FUNCTION)
    assert error["Code"] == "AccessDeniedException"
    assert "s3:GetObject" in error["Message"]
    assert refused(thief.publish_layer_version, LayerName="stolen", Content=place)["Code"] == "AccessDeniedException"
    thief.create_function(FunctionName="own", Code={"ZipFile": code()}, **FUNCTION)
    assert refused(thief.update_function_code, FunctionName="own", **place)["Code"] == "AccessDeniedException"
    via = {"ForAnyValue:StringEquals": {"aws:CalledVia": "lambda.amazonaws.com"}}
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::private/*", "Condition": via}
    deployer = estate.user("deployer", read, without="s3:*")
    assert deployer.client("lambda").create_function(FunctionName="built", Code=place, **FUNCTION)["FunctionArn"]
    assert refused(deployer.client("s3").get_object, Bucket="private", Key="code.zip")["Code"] == "AccessDenied"


def test_a_layer_is_used_by_who_may_get_it(estate: Estate) -> None:
    admin = estate.cloud.client("lambda")
    layer = admin.publish_layer_version(LayerName="shared", Content={"ZipFile": code()})["LayerVersionArn"]
    user = estate.user("no-layers", without="lambda:GetLayerVersion").client("lambda")
    given = {"FunctionName": "layered", "Code": {"ZipFile": code()}, "Layers": [layer], **FUNCTION}
    assert "lambda:GetLayerVersion" in refused(user.create_function, **given)["Message"]
    assert admin.create_function(**given)["Layers"]


def test_variables_are_shown_to_who_may_decrypt_them(estate: Estate) -> None:
    given = {"Code": {"ZipFile": code()}, "KMSKeyArn": estate.key, "Environment": {"Variables": {"PASSWORD": "p"}}}
    estate.cloud.client("lambda").create_function(FunctionName="secretive", **given, **FUNCTION)
    blind = estate.user("blind", without="kms:*").client("lambda")
    assert "kms:CreateGrant" in refused(blind.create_function, FunctionName="blind", **given, **FUNCTION)["Message"]
    seen = [
        blind.get_function_configuration(FunctionName="secretive"),
        blind.get_function(FunctionName="secretive")["Configuration"],
        *[each for each in blind.list_functions()["Functions"] if each["FunctionName"] == "secretive"],
        *blind.list_versions_by_function(FunctionName="secretive")["Versions"],
    ]
    assert len(seen) >= 4
    for each in seen:
        assert each["Environment"]["Error"]["ErrorCode"] == "AccessDeniedException"
        assert "Variables" not in each["Environment"]
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:secretive"
    fitting = {"StringEquals": {"kms:EncryptionContext:aws:lambda:FunctionArn": function}}
    reader = estate.user("reader", {**USE_KEYS, "Condition": fitting}, without="kms:*").client("lambda")
    shown = reader.get_function_configuration(FunctionName="secretive")
    assert shown["Environment"] == {"Variables": {"PASSWORD": "p"}}


def test_what_is_missing_in_a_bucket_is_told_to_who_may_list_it(estate: Estate) -> None:
    blind = estate.user("no-listing", without="s3:ListBucket").client("s3")
    assert blind.get_object(Bucket="private", Key="code.zip")["Body"].read()
    assert refused(blind.get_object, Bucket="private", Key="nothing")["Code"] == "AccessDenied"
    assert refused(blind.head_object, Bucket="private", Key="nothing")["Code"] == "403"
    seeing = estate.cloud.client("s3")
    assert refused(seeing.get_object, Bucket="private", Key="nothing")["Code"] == "NoSuchKey"
    assert refused(seeing.head_object, Bucket="private", Key="nothing")["Code"] == "404"
    assert refused(blind.get_object, Bucket="no-such-bucket", Key="nothing")["Code"] == "NoSuchBucket"


def test_a_key_is_known_by_its_aliases(estate: Estate) -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html, on kms:ResourceAliases."""
    estate.cloud.client("kms").create_alias(AliasName="alias/of-the-app", TargetKeyId=estate.key)
    by_alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/of-the-app"}}
    allow = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": by_alias}
    kms = estate.user("by-alias", allow, without="kms:*").client("kms")
    assert kms.encrypt(KeyId=estate.key, Plaintext=b"x")
    other = estate.cloud.client("kms").create_key()["KeyMetadata"]["KeyId"]
    assert refused(kms.encrypt, KeyId=other, Plaintext=b"x")["Code"] == "AccessDeniedException"


def test_secrets_in_a_batch_are_decided_one_by_one(estate: Estate) -> None:
    secrets = estate.cloud.client("secretsmanager")
    mine = secrets.create_secret(Name="mine", SecretString="1")["ARN"]
    theirs = secrets.create_secret(Name="theirs", SecretString="2")["ARN"]
    locked = secrets.create_secret(Name="locked", SecretString="3", KmsKeyId=estate.key)["ARN"]
    deny = {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": theirs}
    user = estate.user("batching", deny, without="kms:*").client("secretsmanager")
    names = {"SecretIdList": ["mine", "theirs", "locked"]}
    for given in (
        names,
        {"Filters": [{"Key": "name", "Values": ["mine", "theirs", "locked"]}]},
        {"SecretIdList": [theirs]},
    ):
        found = user.batch_get_secret_value(**given)
        assert [each["ARN"] for each in found["SecretValues"]] in ([mine], [])
        assert {each["ErrorCode"] for each in found["Errors"]} == {"AccessDeniedException"}
    found = user.batch_get_secret_value(**names)
    assert [each["SecretString"] for each in found["SecretValues"]] == ["1"]
    told = {each["SecretId"]: each["Message"] for each in found["Errors"]}
    assert "explicit deny" in told[theirs]
    assert told[locked] == "Access to KMS is not allowed"
    unlisted = estate.user("unlisted", without="secretsmanager:ListSecrets").client("secretsmanager")
    assert unlisted.batch_get_secret_value(**names)["SecretValues"]
    filters = [{"Key": "name", "Values": ["mine"]}]
    assert "ListSecrets" in refused(unlisted.batch_get_secret_value, Filters=filters)["Message"]


def test_a_secret_is_rotated_by_who_may_invoke_the_function_which_admits_the_service(estate: Estate) -> None:
    functions, secrets = estate.cloud.client("lambda"), estate.cloud.client("secretsmanager")
    function = functions.create_function(FunctionName="rotator", Code={"ZipFile": code()}, **FUNCTION)["FunctionArn"]
    secrets.create_secret(Name="rotated", SecretString="1")
    given = {"SecretId": "rotated", "RotationLambdaARN": function, "RotationRules": {"AutomaticallyAfterDays": 30}}
    error = refused(secrets.rotate_secret, **given)
    assert error["Code"] == "AccessDeniedException"
    assert "secretsmanager.amazonaws.com" in error["Message"]
    principal = {"Action": "lambda:InvokeFunction", "Principal": "secretsmanager.amazonaws.com"}
    functions.add_permission(FunctionName="rotator", StatementId="s", SourceAccount=ACCOUNT, **principal)
    user = estate.user("rotating", without="lambda:InvokeFunction").client("secretsmanager")
    assert "lambda:InvokeFunction" in refused(user.rotate_secret, **given)["Message"]


def test_a_table_goes_to_a_bucket_and_comes_from_one_with_the_callers_permissions(estate: Estate) -> None:
    dynamodb = estate.cloud.client("dynamodb")
    shape: dict[str, Any] = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    table = dynamodb.create_table(TableName="t", **shape)["TableDescription"]["TableArn"]
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName="t", PointInTimeRecoverySpecification=recovery)
    user = estate.user("no-s3", without="s3:*").client("dynamodb")
    export = {"TableArn": table, "S3Bucket": "private", "S3Prefix": "dump"}
    assert "s3:PutObject" in refused(user.export_table_to_point_in_time, **export)["Message"]
    source = {"S3BucketSource": {"S3Bucket": "private"}, "InputFormat": "CSV"}
    made = {"TableCreationParameters": {"TableName": "new", **shape}}
    assert "s3:ListBucket" in refused(user.import_table, **source, **made)["Message"]
    assert dynamodb.export_table_to_point_in_time(**export)["ExportDescription"]


def test_a_querys_results_are_written_and_read_with_the_callers_permissions(estate: Estate) -> None:
    place = {"ResultConfiguration": {"OutputLocation": "s3://private/results/"}, "QueryString": "SELECT 1"}
    user = estate.user("no-results", without="s3:*").client("athena")
    error = refused(user.start_query_execution, **place)
    assert error["Code"] == "InvalidRequestException"
    assert "s3:GetBucketLocation" in error["Message"]
    admin = estate.cloud.client("athena")
    query = admin.start_query_execution(**place)["QueryExecutionId"]
    states = (admin.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"] for _ in range(10))
    assert "SUCCEEDED" in states  # it gets on with each look
    assert admin.get_query_results(QueryExecutionId=query)["ResultSet"]
    error = refused(user.get_query_results, QueryExecutionId=query)
    assert f"s3:GetObject on resource: arn:aws:s3:::private/results/{query}.csv" in error["Message"]


def test_a_databases_password_is_kept_in_a_secret_that_the_caller_may_make(estate: Estate) -> None:
    given = {
        "DBInstanceIdentifier": "d",
        "DBInstanceClass": "db.t3.micro",
        "Engine": "postgres",
        "AllocatedStorage": 20,
    }
    user = estate.user("no-secrets", without="secretsmanager:*").client("rds")
    kept = {"MasterUsername": "u", "ManageMasterUserPassword": True}
    assert "secretsmanager:CreateSecret" in refused(user.create_db_instance, **given, **kept)["Message"]
    assert user.create_db_instance(**given, MasterUsername="u", MasterUserPassword="password")["DBInstance"]
