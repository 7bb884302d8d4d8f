"""Any text is read as a template or refused in a line; any template is looked through without a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("moto.cloudformation")

from pytest_stsguard.cloud.calls.catalogue import model
from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.stacks.fit import parameters_of
from pytest_stsguard.cloud.stacks.halt import FailedError, NotSimulatedError
from pytest_stsguard.cloud.stacks.kinds import KINDS
from pytest_stsguard.cloud.stacks.steps import Sight, call_of
from pytest_stsguard.cloud.stacks.template import check_capabilities, check_references, load_template, unsimulated

NAMES = st.sampled_from(["A", "B", "Ref", "Fn::GetAtt", "Fn::Sub", "Fn::If", "Fn::Transform", "Type", "Properties"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "A", "B.C", "${A}", "${B.C}${!x}", "{{resolve:ssm:x}}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
RESOURCES = st.dictionaries(
    st.sampled_from(["A", "B"]),
    st.fixed_dictionaries(
        {"Type": st.sampled_from([*KINDS, "AWS::Nobody::Knows"])},
        optional={"Properties": VALUES, "DependsOn": VALUES, "Condition": VALUES, "DeletionPolicy": VALUES},
    )
    | VALUES,
    max_size=2,
)
TEMPLATES = st.fixed_dictionaries(
    {"Resources": RESOURCES},
    optional=dict.fromkeys(("Conditions", "Mappings", "Outputs", "Parameters", "Transform"), VALUES),
)


def looked_through(text: str) -> str:
    try:
        template = load_template(text)
        unsimulated(template)
        check_references(template)
        check_capabilities(template, ["CAPABILITY_IAM"])
    except (Fault, NotSimulatedError) as refused:
        return str(refused)
    return ""


@settings(max_examples=50)
@given(TEMPLATES)
def test_any_template_is_taken_or_refused_in_a_line(template: dict[str, Any]) -> None:
    assert "\n" not in looked_through(json.dumps(template))


@settings(max_examples=50)
@given(st.text(max_size=60) | st.text(alphabet="{}[]:!&*-?| \n\tRefSub\"'<", max_size=40))
def test_any_text_is_taken_or_refused_in_a_line(text: str) -> None:
    assert "\n" not in looked_through(text)
    assert looked_through(text)


@settings(max_examples=50)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_any_properties_fit_or_fail(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    if not kind.create:
        return
    properties = data.draw(st.dictionaries(st.sampled_from(sorted(kind.known)), VALUES, max_size=4))
    sight = Sight(properties, "name", "id", {}, "eu-west-1", "111122223333")
    try:
        service, operation, parameters = call_of(kind.create, sight)
    except (FailedError, NotSimulatedError):
        return
    shape: Any = model(service).operation_model(operation).input_shape
    assert set(parameters) <= set(shape.members)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"MaxItems": "5"}, {"MaxItems": 5}),
        ({"MaxItems": 5}, {"MaxItems": 5}),
        ({"UserName": 5}, {"UserName": "5"}),
        ({"UserName": True}, {"UserName": "true"}),
        ({"UserName": {"a": 1}}, {"UserName": '{"a": 1}'}),
        ({"username": "a", "Marker": None}, {"UserName": "a"}),
    ],
)
def test_values_are_written_as_the_api_takes_them(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert parameters_of("iam", "ListAccessKeys", given) == wanted


@pytest.mark.parametrize(
    ("operation", "given", "words"),
    [
        ("ListAccessKeys", {"MaxItems": "many"}, "MaxItems must be a number"),
        ("ListAccessKeys", {"MaxItems": []}, "MaxItems must be a single value"),
        ("TagRole", {"RoleName": "r", "Tags": 1}, "Tags must be a list"),
        ("TagRole", {"RoleName": "r", "Tags": [1]}, "Tags must be a mapping"),
        ("TagRole", {"RoleName": "r"}, "required key [Tags] not found"),
        ("CreateUser", {}, "required key [UserName] not found"),
        ("UpdateLoginProfile", {"UserName": "u", "PasswordResetRequired": "maybe"}, "PasswordResetRequired must be true or false"),
    ],
)  # fmt: skip
def test_what_does_not_fit_fails_with_its_place(operation: str, given: dict[str, Any], words: str) -> None:
    with pytest.raises(FailedError, match="Properties validation failed") as refused:
        parameters_of("iam", operation, given)
    assert words in str(refused.value)


def test_maps_and_lists_of_tags_are_written_as_each_api_wants_them() -> None:
    tags = [{"Key": "a", "Value": "b"}]
    assert parameters_of("sqs", "TagQueue", {"QueueUrl": "u", "Tags": tags})["Tags"] == {"a": "b"}
    assert parameters_of("iam", "TagRole", {"RoleName": "r", "Tags": {"a": "b"}})["Tags"] == tags
    for wrong in ([1], 1):
        with pytest.raises(FailedError):
            parameters_of("sqs", "TagQueue", {"QueueUrl": "u", "Tags": wrong})
    with pytest.raises(NotSimulatedError, match=r"the property `Tags\.Odd`"):
        parameters_of("iam", "TagRole", {"RoleName": "r", "Tags": [{"Odd": 1}]})
