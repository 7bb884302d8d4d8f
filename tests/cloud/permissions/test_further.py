"""Operations that name their resources in ways of their own: `pytest_stsguard/cloud/permissions/services/further.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.permissions import UnmappedOperationError

if TYPE_CHECKING:
    from collections.abc import Callable

    Needs = Callable[..., Any]

PLACE = "us-east-1:111122223333"
CLASSIFIER = f"arn:aws:comprehend:{PLACE}:document-classifier/c"
RECOGNIZER = f"arn:aws:comprehend:{PLACE}:entity-recognizer/r"


def resources(found: Any, action: str) -> list[str]:
    return [each.resource for each in found if each.action == action]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("comprehend", "CreateEndpoint", {"EndpointName": "e", "ModelArn": CLASSIFIER}, [CLASSIFIER, f"arn:aws:comprehend:{PLACE}:document-classifier-endpoint/e"]),
        ("comprehend", "CreateEndpoint", {"EndpointName": "e", "ModelArn": RECOGNIZER}, [RECOGNIZER, f"arn:aws:comprehend:{PLACE}:entity-recognizer-endpoint/e"]),
        ("comprehend", "PutResourcePolicy", {"ResourceArn": RECOGNIZER, "ResourcePolicy": "{}"}, [RECOGNIZER]),
        ("comprehend", "StartPiiEntitiesDetectionJob", {"JobName": "j"}, [f"arn:aws:comprehend:{PLACE}:pii-entities-detection-job/*"]),
        ("bedrock-runtime", "InvokeModel", {"modelId": "anthropic.claude-v2"}, ["arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2"]),
        ("bedrock-runtime", "InvokeModel", {"modelId": f"arn:aws:bedrock:{PLACE}:provisioned-model/p"}, [f"arn:aws:bedrock:{PLACE}:provisioned-model/p"]),
        ("vpc-lattice", "GetAuthPolicy", {"resourceIdentifier": "sn-1"}, [f"arn:aws:vpc-lattice:{PLACE}:servicenetwork/sn-1"]),
        ("vpc-lattice", "GetAuthPolicy", {"resourceIdentifier": "svc-1"}, [f"arn:aws:vpc-lattice:{PLACE}:service/svc-1"]),
        ("ebs", "ListChangedBlocks", {"FirstSnapshotId": "snap-1", "SecondSnapshotId": "snap-2"}, ["arn:aws:ec2:us-east-1::snapshot/snap-1", "arn:aws:ec2:us-east-1::snapshot/snap-2"]),
        ("identitystore", "GetGroupMembershipId", {"IdentityStoreId": "d-1", "GroupId": "g", "MemberId": {"UserId": "u"}}, ["arn:aws:identitystore:::group/g", "arn:aws:identitystore:::membership/*", "arn:aws:identitystore::111122223333:identitystore/d-1", "arn:aws:identitystore:::user/u"]),
        ("cloudhsmv2", "CreateCluster", {"HsmType": "hsm1.medium", "SubnetIds": ["s"]}, ["*"]),
        ("cloudhsmv2", "CreateCluster", {"HsmType": "hsm1.medium", "SourceBackupId": "b"}, [f"arn:aws:cloudhsm:{PLACE}:backup/b"]),
        ("osis", "TagResource", {"Arn": f"arn:aws:osis:{PLACE}:pipeline/p", "Tags": []}, [f"arn:aws:osis:{PLACE}:pipeline/p"]),
        ("resource-groups", "Tag", {"Arn": f"arn:aws:resource-groups:{PLACE}:group/g", "Tags": {}}, [f"arn:aws:resource-groups:{PLACE}:group/g"]),
        ("events", "StartReplay", {"ReplayName": "r", "EventSourceArn": f"arn:aws:events:{PLACE}:archive/a", "Destination": {"Arn": f"arn:aws:events:{PLACE}:event-bus/b"}}, [f"arn:aws:events:{PLACE}:archive/a", f"arn:aws:events:{PLACE}:event-bus/b", f"arn:aws:events:{PLACE}:replay/r"]),
    ],
)  # fmt: skip
def test_what_is_checked(
    service: str, operation: str, parameters: dict[str, Any], expected: list[str], needs: Needs
) -> None:
    found = needs(service, operation, parameters)
    assert resources(found, found[0].action) == expected


def test_the_models_behind_a_profile_are_not_guessed(needs: Needs) -> None:
    with pytest.raises(UnmappedOperationError):
        needs("bedrock-runtime", "InvokeModel", {"modelId": "us.anthropic.claude-3-haiku-20240307-v1:0"})


def test_a_model_is_looked_up_by_its_name(needs: Needs, world: Any) -> None:
    arn = f"arn:aws:bedrock:{PLACE}:custom-model/m"
    world.existing = {("bedrock", "custom-model", "m"): arn}
    assert resources(needs("bedrock", "GetCustomModel", {"modelIdentifier": "m"}), "bedrock:GetCustomModel") == [arn]
