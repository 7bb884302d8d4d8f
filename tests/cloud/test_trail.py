"""Every call leaves a record as CloudTrail publishes it, and no record holds a secret."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud
from pytest_stsguard.cloud.trail import Trail
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    World = Any  # the class of conftest.py

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
ACCOUNT = r"\d{12}"
# "CloudTrail record contents": each field with what it holds; a name that ends in `?` need not be there.
RECORD: dict[str, Any] = {
    "eventVersion": r"1\.11",
    "userIdentity": {
        "type": r"Root|IAMUser|AssumedRole|FederatedUser|AWSAccount|WebIdentityUser|SAMLUser|Unknown",
        "principalId?": r".*",
        "arn?": r"arn:aws:(iam|sts)::\d{12}:.+",
        "accountId?": r"\d{12}|ANONYMOUS_PRINCIPAL",
        "accessKeyId?": r"A(KIA|SIA)[A-Z2-7]{16}|.*",
        "userName?": r".+",
        "identityProvider?": r".+",
        "sessionContext?": {
            "sessionIssuer?": {
                "type": r"Role|IAMUser|Root",
                "principalId": r".+",
                "arn": r"arn:aws:iam::\d{12}:.+",
                "accountId": ACCOUNT,
                "userName": r".+",
            },
            "webIdFederationData?": {"federatedProvider": r".+", "attributes": dict},
            "attributes": {"creationDate": MOMENT, "mfaAuthenticated": r"true|false"},
            "assumedRoot?": r"true",
            "sourceIdentity?": r"[\w+=,.@-]{2,64}",
            "ec2RoleDelivery?": r"1\.0|2\.0",
        },
        "inScopeOf?": {"issuerType": r"AWS::EC2::Instance", "credentialsIssuedTo": r"arn:aws:ec2:.+:instance/i-.+"},
    },
    "eventTime": MOMENT,
    "eventSource": r"[a-z0-9.-]+\.amazonaws\.com",
    "eventName": r"[A-Za-z0-9]+",
    "awsRegion": r"[a-z]{2}(-[a-z]+)+-\d",
    "sourceIPAddress": r"[0-9a-f.:]+",
    "userAgent": r".*",
    "errorCode?": r"[A-Za-z0-9.]+",
    "errorMessage?": r"(?s).*",
    "requestParameters": (dict, type(None)),
    "responseElements": (dict, type(None)),
    "additionalEventData?": {
        "SignatureVersion?": r"SigV[24]",
        "CipherSuite?": r"[A-Z0-9_-]+",
        "bytesTransferredIn": int,
        "AuthenticationMethod?": r"AuthHeader|QueryString",
        "x-amz-id-2": r"[A-Za-z0-9+/]{64}",
        "bytesTransferredOut": int,
    },
    "requestID": r".+",
    "eventID": UUID,
    "readOnly": bool,
    "resources?": [{"ARN": r"arn:aws:.+", "accountId?": ACCOUNT, "type": r"AWS::\w+::\w+"}],
    "eventType": r"AwsApiCall|AwsConsoleSignIn",
    "managementEvent": bool,
    "recipientAccountId": ACCOUNT,
    "sharedEventID?": UUID,
    "eventCategory": r"Management|Data",
    "tlsDetails?": {
        "tlsVersion": r"TLSv1\.[23]",
        "cipherSuite": r"[A-Z0-9_-]+",
        "clientProvidedHostHeader": r"[\w.-]+",
    },
    "sessionCredentialFromConsole?": r"true",
}


def faults(value: Any, wanted: Any, place: str = "record") -> list[str]:
    """Name the places where a record is not as the format has it."""
    if isinstance(wanted, str):
        fits = isinstance(value, str) and re.fullmatch(wanted, value) is not None
        return [] if fits else [f"{place} = {value!r}"]
    if isinstance(wanted, list):
        return [fault for number, each in enumerate(value) for fault in faults(each, wanted[0], f"{place}[{number}]")]
    if not isinstance(wanted, dict):
        return [] if isinstance(value, wanted) else [f"{place} = {value!r}"]
    found = [f"{place}.{name} is unknown" for name in value if not {name, f"{name}?"} & wanted.keys()]
    for name, inner in wanted.items():
        bare = name.rstrip("?")
        if bare in value:
            found += faults(value[bare], inner, f"{place}.{bare}")
        elif bare == name:
            found.append(f"{place}.{name} is missing")
    return found


def attempt(call: Any, **parameters: Any) -> None:
    with pytest.raises(ClientError):
        call(**parameters)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def told(cloud: Cloud) -> list[dict[str, Any]]:
    """The records of a day: each kind of caller, protocol and answer, and a secret in each place that takes one."""
    secret = "CANARY-8bd0"
    iam, sts, s3, ec2 = (cloud.client(name) for name in ("iam", "sts", "s3", "ec2"))
    bucket, role = f"a4l-secrets-{cloud.account}", cloud.role_arn("A4L-DataRole")
    iam.create_access_key(UserName="a4l-developer")
    iam.create_login_profile(UserName="a4l-developer", Password=f"{secret}-Aa1!")
    attempt(iam.get_user, UserName="nobody")
    assumed = cloud.credentials_of(
        sts.assume_role(RoleArn=role, RoleSessionName="day", SourceIdentity="alice", DurationSeconds=900)["Credentials"]
    )
    assumed.session().client("s3").get_object(Bucket=bucket, Key="secret.txt")
    attempt(assumed.session().client("iam").list_users)
    attempt(assumed.session().client("ec2").create_vpc, CidrBlock="10.0.0.0/16")
    attempt(assumed.session().client("dynamodb").scan, TableName="none")
    federated = cloud.credentials_of(sts.get_federation_token(Name="bob", Policy=_all())["Credentials"])
    federated.session().client("s3").list_buckets()
    cloud.credentials_of(sts.get_session_token()["Credentials"]).session().client("s3").list_buckets()
    cloud.client("s3", cloud.root()).list_buckets()
    s3.put_object(Bucket=bucket, Key="k", Body=secret.encode())
    attempt(s3.get_object, Bucket=bucket, Key="missing")
    ec2.run_instances(ImageId="ami-0c02fb55956c7d316", MinCount=1, MaxCount=1, UserData=secret)
    cloud.client("ssm").put_parameter(Name="/p", Value=secret, Type="SecureString")
    cloud.client("ssm").get_parameter(Name="/p", WithDecryption=True)
    secrets = cloud.client("secretsmanager")
    secrets.create_secret(Name="shh", SecretString=secret)
    secrets.get_secret_value(SecretId="shh")
    queue = cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody=secret)
    topic = cloud.client("sns").create_topic(Name="t")["TopicArn"]
    cloud.client("sns").publish(TopicArn=topic, Message=secret, Subject=secret)
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    cloud.client("kms").encrypt(KeyId=key, Plaintext=secret.encode())
    attempt(cloud.client("sts", _with_wrong_secret(cloud)).get_caller_identity)
    stranger = cloud.administrator("222233334444")
    attempt(cloud.client("s3", stranger).get_object, Bucket=bucket, Key="secret.txt")
    records = cloud.trail.records()
    text = json.dumps(records)
    assert secret not in text
    issued = [*cloud._ledger.sessions()]  # noqa: SLF001 - every secret that the cloud has given away
    for each in issued:
        assert each.secret_access_key not in text
        assert each.token not in text
    assert cloud.admin.secret_access_key not in text
    return records


def _all() -> str:
    return '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def _with_wrong_secret(cloud: Cloud) -> Any:
    from pytest_stsguard.cloud import Credentials

    return Credentials(cloud.admin.access_key_id, "wrong" * 8, origin=cloud)


def of(records: list[dict[str, Any]], name: str, **wanted: Any) -> dict[str, Any]:
    found = [each for each in records if each["eventName"] == name and all(each[k] == v for k, v in wanted.items())]
    assert found, f"no {name}"
    return found[0]


def test_every_record_is_in_the_published_format(told: list[dict[str, Any]]) -> None:
    assert [fault for record in told for fault in faults(record, RECORD)] == []
    assert len({record["eventID"] for record in told}) == len(told)
    kinds = {record["userIdentity"]["type"] for record in told}
    assert {"IAMUser", "AssumedRole", "FederatedUser", "Root", "Unknown"} <= kinds


def test_format_check_finds_what_is_wrong(told: list[dict[str, Any]]) -> None:
    record = {**told[0], "eventTime": "yesterday", "extra": 1}
    del record["awsRegion"]
    assert faults(record, RECORD) == [
        "record.extra is unknown",
        "record.eventTime = 'yesterday'",
        "record.awsRegion is missing",
    ]


def test_hidden_members_say_so_and_the_rest_is_told(told: list[dict[str, Any]]) -> None:
    hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert of(told, "CreateSecret")["requestParameters"]["secretString"] == hidden
    assert of(told, "GetSecretValue")["requestParameters"] == {"secretId": "shh"}
    parameter = of(told, "PutParameter")["requestParameters"]
    assert (parameter["name"], parameter["value"]) == ("/p", hidden)
    assert of(told, "CreateLoginProfile")["requestParameters"]["password"] == hidden
    key = of(told, "CreateAccessKey")["responseElements"]["accessKey"]
    assert (key["status"], key["userName"]) == ("Active", "a4l-developer")
    assert of(told, "SendMessage")["requestParameters"]["messageBody"] == hidden


def test_data_events_and_management_events(told: list[dict[str, Any]], cloud: Cloud) -> None:
    read = of(told, "GetObject")
    assert (read["managementEvent"], read["eventCategory"], read["readOnly"]) == (False, "Data", True)
    bucket = f"a4l-secrets-{cloud.account}"
    assert read["requestParameters"]["bucketName"] == bucket
    assert read["resources"] == [
        {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/secret.txt"},
        {"accountId": cloud.account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
    ]
    listed = of(told, "ListBuckets")
    assert (listed["managementEvent"], listed["eventCategory"], listed["responseElements"]) == (
        True,
        "Management",
        None,
    )
    written = of(told, "PutObject")
    assert (written["readOnly"], written["managementEvent"]) == (False, False)


def test_errors_of_services_and_of_the_gate(told: list[dict[str, Any]]) -> None:
    assert of(told, "GetUser")["errorCode"] == "NoSuchEntity"
    missing = [record["errorCode"] for record in told if record["eventName"] == "GetObject" and "errorCode" in record]
    assert missing == ["NoSuchKey", "AccessDenied"]
    assert of(told, "ListUsers")["errorCode"] == "AccessDenied"
    assert of(told, "CreateVpc")["errorCode"] == "Client.UnauthorizedOperation"
    assert of(told, "Scan")["errorCode"] == "AccessDeniedException"
    unknown = of(told, "GetCallerIdentity", userIdentity={**_unknown(told)})
    assert unknown["errorCode"] == "SignatureDoesNotMatch"


def test_requests_to_s3_tell_how_they_were_signed(cloud: Cloud) -> None:
    bucket = f"a4l-secrets-{cloud.account}"
    requests = pytest.importorskip("requests")
    for version in ("s3v4", "s3"):
        s3 = cloud.client("s3", config=Config(signature_version=version))
        url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "secret.txt"})
        size = len(requests.get(url, timeout=5).content)
        told = cloud.trail.records()[-1]["additionalEventData"]
        assert (told["AuthenticationMethod"], told["bytesTransferredOut"]) == ("QueryString", size)
        assert told["SignatureVersion"] == ("SigV4" if version == "s3v4" else "SigV2")
    answer = cloud.client("s3").put_object(Bucket=bucket, Key="sized", Body=b"12345")
    told = cloud.trail.records()[-1]["additionalEventData"]
    assert (told["AuthenticationMethod"], told["bytesTransferredIn"]) == ("AuthHeader", 5)
    assert told["x-amz-id-2"] == answer["ResponseMetadata"]["HostId"]


def test_a_form_that_is_sent_on_is_no_error(cloud: Cloud) -> None:
    requests = pytest.importorskip("requests")
    fields = {"success_action_redirect": "https://example.com/thanks"}
    post = cloud.client("s3").generate_presigned_post(
        f"a4l-secrets-{cloud.account}", "form", Fields=fields, Conditions=[fields]
    )
    answer = requests.post(post["url"], post["fields"], files={"file": b"x"}, allow_redirects=False, timeout=5)
    record = cloud.trail.records()[-1]
    assert (answer.status_code, record["eventName"], "errorCode" in record) == (303, "PutObject", False)


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("head_object", {"Bucket": "a4l-secrets-111122223333", "Key": "missing"}, "NoSuchKey"),
        ("head_bucket", {"Bucket": "there-is-no-such-bucket-here"}, "NoSuchBucket"),
    ],
)
def test_an_answer_to_head_is_named_as_its_error(
    cloud: Cloud, operation: str, parameters: dict[str, str], code: str
) -> None:
    attempt(getattr(cloud.client("s3"), operation), **parameters)
    assert cloud.trail.records()[-1]["errorCode"] == code


def _unknown(told: list[dict[str, Any]]) -> dict[str, Any]:
    return next(record["userIdentity"] for record in told if record["userIdentity"]["type"] == "Unknown")


def test_session_is_told_with_its_issuer(told: list[dict[str, Any]], cloud: Cloud) -> None:
    context = of(told, "GetObject")["userIdentity"]["sessionContext"]
    assert context["sourceIdentity"] == "alice"
    assert context["sessionIssuer"]["arn"] == cloud.role_arn("A4L-DataRole")
    assumed = of(told, "AssumeRole")
    assert assumed["resources"] == [
        {"accountId": cloud.account, "type": "AWS::IAM::Role", "ARN": cloud.role_arn("A4L-DataRole")}
    ]
    assert assumed["responseElements"]["credentials"].keys() == {"accessKeyId", "expiration"}


def test_instance_credentials_are_told_with_their_delivery(cloud: Cloud) -> None:
    cloud.credentials_of(_from_metadata(cloud)).session().client("s3").list_buckets()
    record = cloud.trail.records()[-1]
    identity = record["userIdentity"]
    assert identity["sessionContext"]["ec2RoleDelivery"] == "1.0"
    assert identity["inScopeOf"]["credentialsIssuedTo"].endswith(cloud.instance("A").instance_id)
    assert faults(record, RECORD) == []


def _from_metadata(cloud: Cloud) -> dict[str, Any]:
    import urllib.request

    url = cloud.instance("A").metadata_url + "/latest/meta-data/iam/security-credentials/A4L-InstanceRole"
    with urllib.request.urlopen(url, timeout=5) as response:
        found: dict[str, Any] = json.load(response)
    return found


def test_log_files_lie_where_cloudtrail_puts_them(told: list[dict[str, Any]], cloud: Cloud, tmp_path: Path) -> None:
    written = cloud.trail.write(tmp_path / "zipped")
    name = re.compile(
        r"AWSLogs/(\d{12})/CloudTrail/us-east-1/\d{4}/\d\d/\d\d/\1_CloudTrail_us-east-1_\d{8}T\d{2}[0-5][05]Z_\w{16}\.json\.gz"
    )
    for path in written:
        assert name.fullmatch(path.relative_to(tmp_path / "zipped").as_posix())
    held = [record for path in written for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]]
    assert sorted(record["eventID"] for record in held) == sorted(record["eventID"] for record in cloud.trail.records())
    plain = cloud.trail.write(str(tmp_path / "plain"), compress=False)
    assert {path.suffix for path in plain} == {".json"}
    assert sum(len(json.loads(path.read_text())["Records"]) for path in plain) >= len(told)


def test_what_is_too_much_to_keep_whole_is_kept_as_records(
    told: list[dict[str, Any]], cloud: Cloud, tmp_path: Path
) -> None:
    small = Trail(kept=5)
    for event in cloud.trail:
        small.add(event)
    assert len(small) == len(cloud.trail) > len(small.events) == 5
    assert small.records() == cloud.trail.records()
    assert small.find(cloud.trail.events[-1].request_id) is cloud.trail.events[-1]
    assert small.find(cloud.trail.events[0].request_id) is None
    told_by = [
        [path.read_bytes() for path in trail.write(tmp_path / str(n))] for n, trail in enumerate((small, cloud.trail))
    ]
    assert told_by[0] == told_by[1]
    assert told


def test_folder_that_cannot_be_written_is_one_line(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="the trail cannot be written to"):
        cloud.trail.write(tmp_path / "file")


def test_owner_of_a_shared_resource_gets_a_record_of_its_own(cloud: Cloud, tmp_path: Path) -> None:
    bucket, s3 = f"a4l-secrets-{cloud.account}", cloud.client("s3")
    allow = {"Effect": "Allow", "Principal": {"AWS": "222233334444"}, "Action": "s3:GetObject"}
    policy = {"Version": "2012-10-17", "Statement": [{**allow, "Resource": f"arn:aws:s3:::{bucket}/*"}]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    cloud.client("s3", cloud.administrator("222233334444")).get_object(Bucket=bucket, Key="secret.txt")
    shared = cloud.trail.records()[-1]["sharedEventID"]
    written = cloud.trail.write(tmp_path, compress=False)
    both = [
        record
        for path in written
        for record in json.loads(path.read_text())["Records"]
        if record.get("sharedEventID") == shared
    ]
    assert {record["recipientAccountId"] for record in both} == {cloud.account, "222233334444"}
    assert len({record["eventID"] for record in both}) == 2
    assert {record["userIdentity"]["accountId"] for record in both} == {"222233334444"}


CANARY = "CANARY-2f71"


def _filled(shape: Any, *, depth: int = 0) -> Any:
    """Fill every member of a shape, all texts and blobs with the canary."""
    if depth > 5 or shape is None:
        return None
    if shape.type_name == "structure":
        return {name: _filled(member, depth=depth + 1) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [_filled(shape.member, depth=depth + 1)]
    if shape.type_name == "map":
        return {"name": _filled(shape.value, depth=depth + 1)}
    plain = {"string": CANARY, "blob": CANARY.encode(), "boolean": True, "timestamp": "2026-01-01T00:00:00Z"}
    return plain.get(shape.type_name, 1)


def _told(shape: Any, value: Any, sensitive: bool = False) -> Iterator[str]:  # noqa: FBT001, FBT002 - a walk's state
    """Name the sensitive members of a shape whose canary is still there."""
    if shape is None or value is None:
        return
    sensitive = sensitive or bool(shape.metadata.get("sensitive")) or shape.type_name == "blob"
    if isinstance(value, str):
        if sensitive and CANARY in value:
            yield shape.name
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            camel = "arn" if name == "ARN" else f"{name[:1].lower()}{name[1:]}"
            yield from _told(member, value.get(camel), sensitive)
    elif shape.type_name == "list":
        for each in value:
            yield from _told(shape.member, each, sensitive)
    elif shape.type_name == "map" and isinstance(value, dict):
        for each in value.values():
            yield from _told(shape.value, each, sensitive)


@pytest.mark.parametrize(
    "service", ["cognito-idp", "iam", "kms", "lambda", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts"]
)
def test_whatever_the_model_calls_sensitive_is_hidden(service: str) -> None:
    from pytest_stsguard.cloud.calls.catalogue import model
    from pytest_stsguard.cloud.cloudtrail.redaction import redacted

    operations = [model(service).operation_model(name) for name in model(service).operation_names]
    shapes = [shape for each in operations for shape in (each.input_shape, each.output_shape) if shape is not None]
    assert [name for shape in shapes for name in _told(shape, redacted(_filled(shape), shape, service))] == []


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        *((name, True) for name in ("MasterUserPassword", "SecretAccessKey", "SessionToken", "PrivateKey", "ApiKey")),
        *((name, True) for name in ("SAMLAssertion", "AuthenticationCode1", "SSECustomerKey", "Otp", "authKey")),
        *((name, False) for name in ("SecretId", "SecretArn", "NextToken", "ClientToken", "UserName", "AccessKeyId")),
        *((name, False) for name in ("ClientRequestToken", "apiKey", "TokenEndpoint", "Key")),
    ],
)
def test_names_tell_where_the_model_does_not(name: str, *, hidden: bool) -> None:
    from pytest_stsguard.cloud.cloudtrail.redaction import redacted

    assert (CANARY not in json.dumps(redacted({name: CANARY}, None, "of-nobody"))) is hidden


def test_switches_and_numbers_are_no_secrets() -> None:
    from pytest_stsguard.cloud.cloudtrail.redaction import redacted

    given = {"HttpTokens": "required", "PasswordReusePrevention": 5, "AllowUsersToChangePassword": True, "Password": ""}
    told = redacted(given, None, "ec2")
    assert told == {
        "httpTokens": "required",
        "passwordReusePrevention": 5,
        "allowUsersToChangePassword": True,
        "password": "",
    }
