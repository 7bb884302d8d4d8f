"""What the mapping asks of the live cloud: ARNs that an API's name for a resource does not tell, and tags."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud
from pytest_stsguard.cloud.live import as_mapping, is_findable
from pytest_stsguard.cloud.lookup import Lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = "111122223333"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/A4L-DataRole"
PAIRS = [{"Key": "team", "Value": "blue"}]
LOWER = [{"key": "team", "value": "blue"}]
PLAIN = {"team": "blue"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def lookup(cloud: Cloud) -> Lookup:
    return Lookup(cloud._backend, cloud._state, ACCOUNT)  # noqa: SLF001 - the gate makes one for each call


def _key(kms: Any) -> str:
    key = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    return str(key["Arn"])


def _queue(sqs: Any) -> str:
    sqs.create_queue(QueueName="q", tags=PLAIN)
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"


def _parameter(ssm: Any) -> str:
    ssm.put_parameter(Name="/app/key", Value="x", Type="String", Tags=PAIRS)
    return f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/app/key"


def _stream(kinesis: Any) -> str:
    kinesis.create_stream(StreamName="s", ShardCount=1)
    kinesis.add_tags_to_stream(StreamName="s", Tags=PLAIN)
    return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"


def _log_group(logs: Any) -> str:
    logs.create_log_group(logGroupName="/app", tags=PLAIN)
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app:log-stream:"


def _zone(route53: Any) -> str:
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"].rpartition("/")[2]
    route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone, AddTags=PAIRS)
    return f"arn:aws:route53:::hostedzone/{zone}"


def _table(dynamodb: Any) -> str:
    made = dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=PAIRS,
    )
    return str(made["TableDescription"]["TableArn"])


def _state_machine(states: Any) -> str:
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    made = states.create_state_machine(name="machine", roleArn=ROLE, definition=definition, tags=LOWER)
    return str(made["stateMachineArn"])


def _function(client: Any) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("f.py", "def handler(event, context): return event")
    made = client.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Role=ROLE,
        Handler="f.handler",
        Code={"ZipFile": code.getvalue()},
        Tags=PLAIN,
    )
    return str(made["FunctionArn"])


TAGGED: dict[str, Callable[[Any], str]] = {
    "acm": lambda client: client.request_certificate(DomainName="example.com", Tags=PAIRS)["CertificateArn"],
    "dynamodb": _table,
    "ecr": lambda client: client.create_repository(repositoryName="repo", tags=PAIRS)["repository"]["repositoryArn"],
    "ecs": lambda client: client.create_cluster(clusterName="c", tags=LOWER)["cluster"]["clusterArn"],
    "efs": lambda client: client.create_file_system(CreationToken="token", Tags=PAIRS)["FileSystemArn"],
    "events": lambda client: client.put_rule(Name="r", ScheduleExpression="rate(5 minutes)", Tags=PAIRS)["RuleArn"],
    "kinesis": _stream,
    "kms": _key,
    "lambda": _function,
    "logs": _log_group,
    "route53": _zone,
    "secretsmanager": lambda client: client.create_secret(Name="app/db", SecretString="x", Tags=PAIRS)["ARN"],
    "sns": lambda client: client.create_topic(Name="t", Tags=PAIRS)["TopicArn"],
    "sqs": _queue,
    "ssm": _parameter,
    "stepfunctions": _state_machine,
}


@pytest.mark.parametrize("service", TAGGED)
def test_tags_are_read_from_the_live_state(service: str, cloud: Cloud, lookup: Lookup) -> None:
    arn = TAGGED[service](cloud.client(service))
    assert lookup.resource_tags(arn) == PLAIN


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:kms",
        "arn:aws:kms:us-east-1:444455556666:key/k",
        "arn:aws:sqs:us-east-1:111122223333:none",
        "arn:aws:acm:us-east-1:111122223333:certificate/none",
        "arn:aws:ssm:us-east-1:111122223333:parameter/none",
        "arn:aws:rds:us-east-1:111122223333:db:none",
        "arn:aws:apigateway:us-east-1::/restapis/a",
        "arn:aws:nosuchservice:us-east-1:111122223333:thing/t",
    ],
)
def test_what_does_not_exist_has_no_tags(arn: str, lookup: Lookup) -> None:
    assert lookup.resource_tags(arn) == {}


def test_names_are_found(cloud: Cloud, lookup: Lookup) -> None:
    kms, secrets = cloud.client("kms"), cloud.client("secretsmanager")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/found", TargetKeyId=key["KeyId"])
    secret = secrets.create_secret(Name="found", SecretString="x")["ARN"]
    assert lookup.existing_arn("kms", "alias", "alias/found", REGION) == key["Arn"]
    assert lookup.existing_arn("kms", "alias", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/found", REGION) == key["Arn"]
    assert lookup.existing_arn("kms", "alias", "alias/none", REGION) is None
    for name in ("found", secret, secret.rpartition("-")[0]):
        assert lookup.existing_arn("secretsmanager", "Secret", name, REGION) == secret
    assert lookup.existing_arn("secretsmanager", "Secret", "none", REGION) is None
    assert lookup.existing_arn("sqs", "queue", "q", REGION) is None
    assert not is_findable("sqs", "queue")
    assert is_findable("organizations", "root")


def test_a_query_belongs_to_its_workgroup(cloud: Cloud, lookup: Lookup) -> None:
    athena = cloud.client("athena")
    athena.create_work_group(Name="w")
    query = athena.create_named_query(Name="q", Database="d", QueryString="SELECT 1", WorkGroup="w")["NamedQueryId"]
    workgroup = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/w"
    assert lookup.existing_arn("athena", "query", query, REGION) == workgroup
    assert lookup.existing_arn("athena", "query", "none", REGION) is None


def test_a_mount_target_belongs_to_its_file_system_and_others_to_theirs(cloud: Cloud, lookup: Lookup) -> None:
    servicediscovery, codedeploy = cloud.client("servicediscovery"), cloud.client("codedeploy")
    servicediscovery.create_http_namespace(Name="n")
    namespace = servicediscovery.list_namespaces()["Namespaces"][0]["Arn"]
    assert lookup.existing_arn("servicediscovery", "namespace", "n", REGION) == namespace
    codedeploy.create_application(applicationName="a")
    codedeploy.create_deployment_group(applicationName="a", deploymentGroupName="g", serviceRoleArn=ROLE)
    deployment = codedeploy.create_deployment(
        applicationName="a",
        deploymentGroupName="g",
        revision={"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": "zip"}},
    )["deploymentId"]
    group = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:a/g"
    assert lookup.existing_arn("codedeploy", "deployment", deployment, REGION) == group
    for service, kind in (("efs", "mount-target"), ("codedeploy", "deployment"), ("logs", "query"), ("mq", "brokers")):
        assert lookup.existing_arn(service, kind, "none", REGION) is None


def test_a_task_definition_has_its_roles(cloud: Cloud, lookup: Lookup) -> None:
    ecs = cloud.client("ecs")
    containers = [{"name": "n", "image": "i", "memory": 128}]
    ecs.register_task_definition(family="task", containerDefinitions=containers, taskRoleArn=ROLE)
    made = ecs.register_task_definition(family="task", containerDefinitions=containers, executionRoleArn=ROLE)
    arn = made["taskDefinition"]["taskDefinitionArn"]
    assert lookup.existing_arn("ecs", "task-role", "task:1", REGION) == ROLE
    assert lookup.existing_arn("ecs", "task-role", "task", REGION) is None
    for newest in ("task", "task:2", arn):
        assert lookup.existing_arn("ecs", "execution-role", newest, REGION) == ROLE
    assert lookup.existing_arn("ecs", "execution-role", "none", REGION) is None


def test_an_address_is_sent_from_its_identity_or_its_domains(cloud: Cloud, lookup: Lookup) -> None:
    ses = cloud.client("ses")
    ses.verify_domain_identity(Domain="example.com")
    ses.verify_email_identity(EmailAddress="ann@example.org")
    place = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity"
    assert lookup.existing_arn("ses", "identity", "bob@example.com", REGION) == f"{place}/example.com"
    assert lookup.existing_arn("ses", "identity", "ann@example.org", REGION) == f"{place}/ann@example.org"
    assert lookup.existing_arn("ses", "identity", "eve@example.net", REGION) is None


def test_an_organizations_ids_are_found(cloud: Cloud, lookup: Lookup) -> None:
    organizations = cloud.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]
    unit = organizations.create_organizational_unit(ParentId=root["Id"], Name="u")["OrganizationalUnit"]
    assert lookup.existing_arn("organizations", "root", root["Id"], REGION) == root["Arn"]
    assert lookup.existing_arn("organizations", "organizationalunit", unit["Id"], REGION) == unit["Arn"]


def test_tags_in_each_of_motos_forms() -> None:
    assert as_mapping(None) == {}
    assert as_mapping({"a": "1", "b": {"Key": "b", "Value": "2"}}) == {"a": "1", "b": "2"}
    for tags in (PAIRS, LOWER, [{"TagKey": "team", "TagValue": "blue"}]):
        assert as_mapping(tags) == PLAIN
    assert as_mapping([{"Key": "bare"}]) == {"bare": ""}


def test_a_grant_by_tag_reaches_what_has_the_tag(cloud: Cloud) -> None:
    kms, secrets, iam = cloud.client("kms"), cloud.client("secretsmanager"), cloud.client("iam")
    blue = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]["KeyId"]
    red = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "red"}])["KeyMetadata"]["KeyId"]
    secrets.create_secret(Name="blue", SecretString="x", Tags=PAIRS)
    secrets.create_secret(Name="red", SecretString="x", Tags=[{"Key": "team", "Value": "red"}])
    iam.create_user(UserName="by-tag")
    statement = {
        "Effect": "Allow",
        "Action": ["kms:Encrypt", "kms:Decrypt", "secretsmanager:GetSecretValue"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="by-tag", PolicyName="p", PolicyDocument=document)
    session = cloud.user_credentials("by-tag").session()
    ciphertext = session.client("kms").encrypt(KeyId=blue, Plaintext=b"x")["CiphertextBlob"]
    assert session.client("kms").decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"x"
    assert session.client("secretsmanager").get_secret_value(SecretId="blue")["SecretString"] == "x"
    for call in (
        lambda: session.client("kms").encrypt(KeyId=red, Plaintext=b"x"),
        lambda: session.client("secretsmanager").get_secret_value(SecretId="red"),
    ):
        with pytest.raises(ClientError, match="AccessDeniedException"):
            call()
