"""Probes are real calls; only an authorization denial is a denial."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.asserts import assert_allowed, assert_contained, assert_denied
from pytest_stsguard.drill import READ_ONLY, Probe, fetch_instance_credentials, observe
from pytest_stsguard.errors import ConfigurationError, DrillError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.drill import Drill


@pytest.mark.parametrize("probe", READ_ONLY)
def test_each_shipped_probe_is_allowed_to_the_demo_role(
    sts_assume_role: Callable[..., Credentials], probe: str
) -> None:
    assert observe(sts_assume_role("A4L-DataRole"), probe).outcome == "allowed"


def test_shipped_probes_speak_several_protocols() -> None:
    assert len({probe.partition(".")[0] for probe in READ_ONLY}) >= 4


@pytest.mark.parametrize(
    "probe", ["", "list_buckets", "s3.list_buckets()", "S3.ListBuckets", 5, None, "sts.get_caller_identity"]
)
def test_what_is_no_probe_is_refused(probe: Any) -> None:
    with pytest.raises(ConfigurationError, match="no probe"):
        Probe.of(probe)


@pytest.mark.parametrize(("probe", "words"), [("moon.land", "no service `moon`"), ("s3.fly", "no method `fly`")])
def test_probe_that_names_no_call_is_refused(
    sts_assume_role: Callable[..., Credentials], probe: str, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        assert_denied(sts_assume_role("A4L-DataRole"), probe)


def test_probe_takes_parameters_that_are_texts(sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]) -> None:
    session, bucket = sts_assume_role("A4L-DataRole"), f"a4l-secrets-{sts_cloud.account}"
    assert_allowed(session, f"s3.get_object Bucket={bucket} Key=secret.txt")
    seen = observe(session, "s3.get_object Bucket=elsewhere Key=secret.txt")
    assert (seen.outcome, seen.code) != ("allowed", "")
    assert observe(session, "s3.get_object Colour=red").code == "ParamValidationError"


def test_bad_signature_is_no_denial(sts_assume_role: Callable[..., Credentials]) -> None:
    forged = replace(sts_assume_role("A4L-DataRole"), secret_access_key="forged")
    seen = observe(forged, "s3.list_buckets")
    assert (seen.outcome, seen.code) == ("inconclusive", "SignatureDoesNotMatch")
    with pytest.raises(AssertionError, match="no authorization decision"):
        assert_denied(forged, "s3.list_buckets")


def test_operation_that_is_not_simulated_is_no_denial(sts_assume_role: Callable[..., Credentials]) -> None:
    seen = observe(sts_assume_role("A4L-DataRole"), "mturk.list_hits")
    assert (seen.outcome, seen.code) == ("inconclusive", "NotImplemented")


def test_missing_parameter_is_no_denial(sts_assume_role: Callable[..., Credentials]) -> None:
    seen = observe(sts_assume_role("A4L-DataRole"), "s3.list_objects_v2")
    assert (seen.outcome, seen.code) == ("inconclusive", "ParamValidationError")


def test_dead_network_is_no_denial(sts_assume_role: Callable[..., Credentials]) -> None:
    def probe(session: Any) -> None:
        from botocore.config import Config
        from botocore.exceptions import EndpointConnectionError

        def unreachable(**_: Any) -> None:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

        client = session.client("s3", config=Config(retries={"total_max_attempts": 1}))
        client.meta.events.register_first("before-send", unreachable)
        client.list_buckets()

    seen = observe(sts_assume_role("A4L-DataRole"), probe)
    assert (seen.outcome, seen.code) == ("inconclusive", "EndpointConnectionError")


def test_denied_observation_says_whether_a_statement_denied(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    stolen = sts_assume_role("A4L-DataRole")
    assert not observe(stolen, "s3.create_bucket").explicit
    sts_revoke("A4L-DataRole")
    seen = observe(stolen, "s3.list_buckets")
    assert seen.explicit
    assert "AWSRevokeOlderSessions" in seen.why
    user = observe(sts_cloud.user_credentials("a4l-developer"), "s3.list_buckets")
    assert (user.outcome, user.explicit) == ("denied", False)


def test_assertion_names_call_session_and_deciding_statement(
    sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    stolen = sts_assume_role("A4L-DataRole", session_name="stolen")
    sts_revoke("A4L-DataRole")
    with pytest.raises(AssertionError) as raised:
        assert_allowed(stolen, "s3.list_buckets")
    text = str(raised.value)
    assert "expected s3.list_buckets to be allowed, but it was denied" in text
    assert "assumed-role/A4L-DataRole/stolen" in text
    assert "Statement[0] of AWSRevokeOlderSessions" in text
    assert str(stolen.session_token) not in text
    assert stolen.secret_access_key not in text


def test_containment_needs_calls_that_the_fresh_session_may_make(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any]
) -> None:
    stolen = sts_assume_role("A4L-DataRole")
    with pytest.raises(AssertionError, match="stolen session: expected"):
        assert_contained(stolen=stolen, fresh=sts_assume_role("A4L-DataRole"))
    sts_revoke("A4L-DataRole")
    fresh = sts_assume_role("A4L-DataRole")
    assert_contained(stolen=stolen, fresh=fresh)
    with pytest.raises(AssertionError, match="fresh session: expected"):
        assert_contained(stolen=stolen, fresh=fresh, probes=("dynamodb.list_backups",))
    sts_cloud.client("iam").delete_role_policy(RoleName="A4L-DataRole", PolicyName="A4L-DataRoleAccess")
    with pytest.raises(AssertionError, match="fresh session: expected"):
        assert_contained(stolen=stolen, fresh=sts_assume_role("A4L-DataRole"))


def test_default_probes_do_not_ask_for_every_permission(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]
) -> None:
    import json

    only_s3 = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    sts_cloud.client("iam").put_role_policy(
        RoleName="A4L-DataRole",
        PolicyName="A4L-DataRoleAccess",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [only_s3]}),
    )
    session = sts_assume_role("A4L-DataRole")
    assert_allowed(session)
    with pytest.raises(AssertionError, match=r"expected dynamodb\.list_tables to be allowed"):
        assert_allowed(session, "s3.list_buckets", "dynamodb.list_tables")


def test_drill_keeps_its_timeline(sts_cloud: Cloud, sts_drill: Drill) -> None:
    stolen = sts_drill.steal("A")
    sts_drill.probe(stolen, "s3.list_buckets")
    sts_drill.revoke("A4L-InstanceRole")
    sts_drill.denied(stolen, "s3.list_buckets")
    fresh = sts_drill.recover("A")
    sts_drill.allowed(fresh, "s3.list_buckets")
    sts_drill.clean_up()
    assert [step.action for step in sts_drill.timeline] == [
        "stolen",
        "allowed",
        "revoked",
        "denied",
        "restart",
        "issued",
        "allowed",
        "cleaned",
    ]
    assert [step.at for step in sts_drill.timeline] == sorted(step.at for step in sts_drill.timeline)
    assert sts_drill.lines == [str(step) for step in sts_drill.timeline]
    policies = sts_cloud.client("iam").list_role_policies(RoleName="A4L-InstanceRole")["PolicyNames"]
    assert policies == ["A4L-InstanceRoleAccess"]
    for secret in (stolen.secret_access_key, stolen.session_token, stolen.access_key_id):
        assert str(secret) not in "\n".join(sts_drill.lines)


def test_drill_probes_something(sts_cloud: Cloud, sts_drill: Drill) -> None:
    with pytest.raises(DrillError, match="at least one call"):
        sts_drill.probe(sts_cloud.admin)


def test_metadata_service_that_does_not_answer_is_an_error_of_the_drill(sts_cloud: Cloud) -> None:
    with pytest.raises(DrillError, match="does not answer"):
        fetch_instance_credentials("http://127.0.0.1:9")
    instance = sts_cloud.instance("A")
    sts_cloud.client("ec2").modify_instance_metadata_options(InstanceId=instance.instance_id, HttpEndpoint="disabled")
    with pytest.raises(DrillError, match="403"):
        fetch_instance_credentials(instance.metadata_url)


def test_credentials_show_four_characters_and_no_secret(sts_assume_role: Callable[..., Credentials]) -> None:
    credentials = sts_assume_role("A4L-DataRole")
    shown = repr(credentials)
    assert f"****{credentials.access_key_id[-4:]}" in shown
    for secret in (credentials.access_key_id, credentials.secret_access_key, credentials.session_token):
        assert str(secret) not in shown


def test_credentials_reach_a_subprocess_through_its_environment(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]
) -> None:
    import os
    import subprocess
    import sys

    sts_cloud.serve()
    credentials = sts_assume_role("A4L-DataRole")
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **credentials.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == credentials.arn
