"""A test's own `mock_aws`, and the world's own template, are moto's business; a cloud that closes leaves moto as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

pytest.importorskip("moto.cloudformation")

from moto import mock_aws
from moto.cloudformation import models, parsing, responses

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from pathlib import Path

PROTOCOLS = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}
# moto makes it, and the table of kinds does not hold it.
GATEWAY = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "api"}}


def template(**resources: Any) -> str:
    return json.dumps({"Resources": resources})


def test_a_mock_beside_the_cloud_makes_its_own_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with Cloud(world="empty") as cloud:
        cloud.client("cloudformation").create_stack(StackName="ours", TemplateBody=template(Q=PROTOCOLS))
        with mock_aws():
            own = boto3.client("cloudformation", region_name="us-east-1")
            more = {"StackName": "theirs", "TemplateBody": template(Q=PROTOCOLS, G=GATEWAY)}
            own.create_stack(**more, Parameters=[])
            sqs = boto3.client("sqs", region_name="us-east-1")
            assert len(sqs.list_queues()["QueueUrls"]) == 1
            own.update_stack(StackName="theirs", TemplateBody=template(G=GATEWAY))
            assert "QueueUrls" not in sqs.list_queues()
            own.delete_stack(StackName="theirs")
        assert len(cloud.client("sqs").list_queues()["QueueUrls"]) == 1


def test_moto_is_left_as_it_was() -> None:
    def ways() -> list[Any]:
        return [
            parsing.parse_and_create_resource,
            parsing.resource_class_from_type,
            *(vars(parsing.ResourceMap)[name] for name in ("update", "delete", "parse_ssm_parameter")),
            models.yaml,
            responses.yaml,
            responses.get_stack_from_s3_url,
        ]

    before = ways()
    with Cloud(world="empty") as cloud:
        cloud.client("cloudformation").list_stacks()
        assert not [now for now, was in zip(ways(), before, strict=True) if now is was]
    assert ways() == before


def test_a_stack_of_the_world_with_what_only_moto_makes_is_left_whole(tmp_path: Path) -> None:
    file = tmp_path / "base.json"
    file.write_text(template(Q=PROTOCOLS, G=GATEWAY))
    with Cloud(world=file) as cloud:
        client = cloud.client("cloudformation")
        for call in (
            lambda: client.delete_stack(StackName="base"),
            lambda: client.update_stack(StackName="base", TemplateBody=template(G=GATEWAY)),
        ):
            with pytest.raises(ClientError, match="`AWS::ApiGateway::RestApi` in a stack"):
                call()
        assert client.describe_stacks(StackName="base")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        assert len(cloud.client("sqs").list_queues()["QueueUrls"]) == 1
        assert len(cloud.client("apigateway").get_rest_apis()["items"]) == 1


def test_a_stack_of_the_world_is_updated_as_far_as_it_stays(tmp_path: Path) -> None:
    file = tmp_path / "base.json"
    file.write_text(template(Q=PROTOCOLS, R={**PROTOCOLS, "Properties": {"QueueName": "r"}}))
    with Cloud(world=file) as cloud:
        client, sqs = cloud.client("cloudformation"), cloud.client("sqs")
        client.update_stack(StackName="base", TemplateBody=template(Q=PROTOCOLS))
        assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["q"]
        changed = {**PROTOCOLS, "Properties": {"QueueName": "q", "VisibilityTimeout": 60}}
        with pytest.raises(ClientError, match="which the world's own template made"):
            client.update_stack(StackName="base", TemplateBody=template(Q=changed))
        client.delete_stack(StackName="base")
        assert "QueueUrls" not in sqs.list_queues()
