from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_stsguard.account.stack.intrinsic import Evaluator
from pytest_stsguard.account.stack.resolution import Budget
from pytest_stsguard.account.stack.template import read_template
from pytest_stsguard.account.standins import Standins
from pytest_stsguard.errors import ConfigurationError, InputError

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Env": {"Type": "String", "Default": "dev"},
        "Size": {"Type": "Number", "Default": 3},
        "Names": {"Type": "CommaDelimitedList", "Default": "a, b ,c"},
        "Vendor": {"Type": "String"},
        "Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/aws/service/x"},
        "Broken": {"Type": "String", "Default": ["x"]},
        "Subnets": {"Type": "List<String>", "Default": "s-1,s-2"},
    },
    "Mappings": {"Accounts": {"dev": {"Id": "111111111111"}, "prod": {"Id": "222222222222", "All": ["a", "b"]}}},
    "Conditions": {
        "IsDev": {"Fn::Equals": [{"Ref": "Env"}, "dev"]},
        "IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
        "NotProd": {"Fn::Not": [{"Condition": "IsProd"}]},
        "IsVendor": {"Fn::Equals": [{"Ref": "Vendor"}, "x"]},
        "InRegion": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
        "DevOrVendor": {"Fn::Or": [{"Condition": "IsVendor"}, {"Condition": "IsDev"}]},
        "ProdAndVendor": {"Fn::And": [{"Condition": "IsVendor"}, {"Condition": "IsProd"}]},
        "DevAndVendor": {"Fn::And": [{"Condition": "IsDev"}, {"Condition": "IsVendor"}]},
        "Both": {"Fn::And": [{"Condition": "IsDev"}, {"Condition": "NotProd"}]},
        "Neither": {"Fn::Or": [{"Condition": "IsProd"}, {"Fn::Not": [{"Condition": "IsDev"}]}]},
        "Loop": {"Fn::Not": [{"Condition": "Loop"}]},
        "Odd": {"Fn::Contains": [1, 2]},
        "Gone": {"Condition": "Nowhere"},
        "OfRole": {"Fn::Equals": [{"Ref": "Role"}, "x"]},
        "True": {"Fn::Equals": [True, "true"]},
    },
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"Path": "/ops/"}},
        "Named": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::Sub": "app-${Env}"}}},
        "Hidden": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "Vendor"}}},
        "Circle": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "Circle"}}},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
        "Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"ManagedPolicyName": "m"}},
        "Issuer": {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": "https://gitlab.com"}},
        "Vpc": {"Type": "AWS::EC2::VPC"},
    },
}


def resolve(node: Any, *, strict: bool = False, **settings: Any) -> Any:
    template = read_template(json.dumps(TEMPLATE | {"Outputs": {"x": node}}), "t.json")
    found = template.get("Outputs", "x")
    assert found is not None
    return Evaluator(template, Standins(**settings)).resolve(found, strict=strict).plain()


def unknown(name: str) -> list[dict[str, str]]:
    return [{"stsguard:unknown": name}]


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ("plain ${text}", "plain ${text}"),
        ({"Ref": "Env"}, "dev"),
        ({"Ref": "Size"}, "3"),
        ({"Ref": "Names"}, ["a", "b", "c"]),
        ({"Ref": "Subnets"}, ["s-1", "s-2"]),
        ({"Ref": "AWS::AccountId"}, "000000000000"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, "c"]}, {"b": ["c"]}),
        ({"Ref": "Role"}, "STACK-Role-STANDIN"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::000000000000:role/ops/STACK-Role-STANDIN"),
        ({"Fn::GetAtt": "Named.Arn"}, "arn:aws:iam::000000000000:role/app-dev"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::STACK-Bucket-STANDIN"),
        ({"Ref": "Topic"}, "arn:aws:sns:us-east-1:000000000000:t"),
        ({"Fn::GetAtt": ["Queue", "QueueName"]}, "q"),
        ({"Ref": "Managed"}, "arn:aws:iam::000000000000:policy/m"),
        ({"Ref": "Issuer"}, "arn:aws:iam::000000000000:oidc-provider/gitlab.com"),
        ({"Fn::Sub": "${Env}-${!aws:username}-${Role.Arn}"},
         "dev-${aws:username}-arn:aws:iam::000000000000:role/ops/STACK-Role-STANDIN"),
        ({"Fn::Sub": ["${Own}/${Env}/${ Size }", {"Own": {"Ref": "Size"}}]}, "3/dev/3"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Env"}, {"Ref": "Size"}]]}, "a-dev-3"),
        ({"Fn::Join": ["", {"Ref": "Names"}]}, "abc"),
        ({"Fn::Split": [":", "a:b"]}, ["a", "b"]),
        ({"Fn::Select": [1, {"Ref": "Names"}]}, "b"),
        ({"Fn::Select": ["0", {"Fn::Split": [":", "a:b"]}]}, "a"),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::FindInMap": ["Accounts", {"Ref": "Env"}, "Id"]}, "111111111111"),
        ({"Fn::FindInMap": ["Accounts", "prod", "All"]}, ["a", "b"]),
        ({"Fn::FindInMap": ["Accounts", "test", "Id", {"DefaultValue": {"Ref": "Env"}}]}, "dev"),
        ({"Fn::If": ["IsDev", "yes", {"Ref": "Vendor"}]}, "yes"),
        ({"Fn::If": ["IsProd", {"Ref": "Vendor"}, "no"]}, "no"),
        ({"Fn::If": ["NotProd", "yes", "no"]}, "yes"),
        ({"Fn::If": ["DevOrVendor", "yes", "no"]}, "yes"),
        ({"Fn::If": ["ProdAndVendor", "yes", "no"]}, "no"),
        ({"Fn::If": ["Both", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Neither", "yes", "no"]}, "no"),
        ({"Fn::If": ["True", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsVendor", "same", {"Fn::Join": ["", ["sa", "me"]]}]}, "same"),
        ({"x": {"Fn::If": ["IsProd", 1, {"Ref": "AWS::NoValue"}]}}, {}),
    ],
)  # fmt: skip
def test_a_value_is_what_a_deployment_would_use(node: Any, value: Any) -> None:
    assert resolve(node) == value


@pytest.mark.parametrize(
    ("node", "name"),
    [
        ({"Ref": "Vendor"}, "parameter `Vendor`, which has no default"),
        ({"Ref": "Image"}, "parameter `Image`, which is read from the Parameter Store"),
        ({"Ref": "Broken"}, "parameter `Broken`, which has no default"),
        ({"Ref": "Nowhere"}, "`Nowhere`, which is neither parameter nor resource"),
        ({"Ref": "AWS::StackId"}, "pseudo parameter `AWS::StackId`"),
        ({"Ref": ["x"]}, "a malformed `Ref`"),
        ({"Ref": "Vpc"}, "`Vpc` of type AWS::EC2::VPC"),
        ({"Ref": "Hidden"}, "parameter `Vendor`, which has no default"),
        ({"Ref": "Circle"}, "the name of `Circle`, which depends on itself"),
        ({"Fn::GetAtt": ["Role", "RoleId"]}, "`Role.RoleId` of type AWS::IAM::Role"),
        ({"Fn::GetAtt": ["Role"]}, "a malformed `Fn::GetAtt`"),
        ({"Fn::GetAtt": ["Role", {"Ref": "Env"}]}, "a malformed `Fn::GetAtt`"),
        ({"Fn::Sub": "x-${Vendor}"}, "parameter `Vendor`, which has no default"),
        ({"Fn::Sub": "x-${Names}"}, "a value that is no text"),
        ({"Fn::Sub": ["${A}"]}, "a malformed `Fn::Sub`"),
        ({"Fn::Sub": "{{resolve:ssm:x}}"}, "the dynamic reference `{{resolve:ssm:x}}`"),
        ("{{resolve:secretsmanager:x}}", "the dynamic reference `{{resolve:secretsmanager:x}}`"),
        ({"Fn::Join": [",", ["a", {"Ref": "Vendor"}]]}, "parameter `Vendor`, which has no default"),
        ({"Fn::Join": [",", {"Ref": "Env"}]}, "a value that is no list"),
        ({"Fn::Join": [{"Ref": "Env"}, ["a"]]}, "a malformed `Fn::Join`"),
        ({"Fn::Join": ["a"]}, "a malformed `Fn::Join`"),
        ({"Fn::Split": ["", "abc"]}, "a malformed `Fn::Split`"),
        ({"Fn::Select": [3, {"Ref": "Names"}]}, "`Fn::Select` of index `3` in 3 values"),
        ({"Fn::Select": ["-1", ["a"]]}, "`Fn::Select` of index `-1` in 1 values"),
        ({"Fn::Select": [0, "abc"]}, "`Fn::Select` of no list"),
        ({"Fn::Select": [0, [{"Ref": "Vendor"}]]}, "parameter `Vendor`, which has no default"),
        ({"Fn::ImportValue": "net-Role"}, "import `net-Role` of another stack"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Env}-Role"}}, "an import from another stack"),
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "`Fn::Transform`, which is not evaluated here"),
        ({"Fn::FindInMap": ["Accounts", "test", "Id"]}, "mapping `Accounts.test.Id`, which the template lacks"),
        ({"Fn::FindInMap": ["Accounts", {"Ref": "AWS::Region"}, "Id"]}, "pseudo parameter `AWS::Region`"),
        ({"Fn::FindInMap": ["Accounts"]}, "a malformed `Fn::FindInMap`"),
        ({"Fn::If": ["IsVendor", "a", "b"]},
         "condition `IsVendor` hangs on parameter `Vendor`, which has no default"),
        ({"Fn::If": ["IsVendor", "a", {"Ref": "AWS::NoValue"}]},
         "condition `IsVendor` hangs on parameter `Vendor`, which has no default"),
        ({"Fn::If": ["DevAndVendor", "a", "b"]},
         "condition `DevAndVendor` hangs on condition `IsVendor` hangs on parameter `Vendor`, which has no default"),
        ({"Fn::If": ["InRegion", "a", "b"]}, "condition `InRegion` hangs on pseudo parameter `AWS::Region`"),
        ({"Fn::If": ["OfRole", "a", "b"]}, "condition `OfRole` hangs on `Role`, which AWS makes"),
        ({"Fn::If": ["Loop", "a", "b"]}, "condition `Loop` hangs on condition `Loop`, which depends on itself"),
        ({"Fn::If": ["Odd", "a", "b"]}, "condition `Odd` hangs on a form that is not known here"),
        ({"Fn::If": ["Gone", "a", "b"]}, "condition `Gone` hangs on condition `Nowhere` is not in the template"),
        ({"Fn::If": [{"Ref": "Env"}, "a", "b"]}, "a malformed `Fn::If`"),
        ({"Fn::If": ["IsDev", {"Ref": "Vendor"}, "b"]}, "parameter `Vendor`, which has no default"),
    ],
)  # fmt: skip
def test_what_cannot_be_resolved_is_unknown_by_its_name(node: Any, name: str) -> None:
    assert resolve(node) == unknown(name)
    assert resolve({"in": ["side", node]}) == {"in": ["side", unknown(name)]}


def test_what_the_user_knows_is_no_stand_in() -> None:
    node = {"Fn::If": ["InRegion", "a", "b"]}
    assert resolve(node, region="eu-west-1") == "b"
    assert resolve({"Ref": "AWS::AccountId"}, account="111122223333", strict=True) == "111122223333"
    assert resolve({"Ref": "AWS::AccountId"}, strict=True) == unknown("pseudo parameter `AWS::AccountId`")
    assert resolve({"Ref": "Role"}, stack="web") == "web-Role-STANDIN"
    assert resolve({"Fn::If": ["IsVendor", "a", "b"]}, parameters={"Vendor": "x"}) == "a"
    assert resolve({"Ref": "AWS::Partition"}, region="us-gov-west-1") == "aws-us-gov"
    assert resolve({"Fn::Sub": "${AWS::Partition}.${AWS::URLSuffix}"}, region="cn-north-1") == "aws-cn.amazonaws.com.cn"
    for wrong in ({"account": "12"}, {"account": "11112222333\u0663"}, {"region": "Mars"}):
        with pytest.raises(ConfigurationError):
            resolve("x", **wrong)


class Case(NamedTuple):
    """An expression with the value that it must have; None: it hangs on something unknown."""

    node: Any
    value: str | None


TEXTS = st.text("ab:-", max_size=4)
LEAVES = st.one_of(
    TEXTS.map(lambda text: Case(text, text)),
    st.sampled_from(
        [
            Case({"Ref": "Env"}, "dev"),
            Case({"Ref": "Size"}, "3"),
            Case({"Ref": "Vendor"}, None),
            Case({"Ref": "AWS::AccountId"}, "000000000000"),
            Case({"Fn::FindInMap": ["Accounts", "dev", "Id"]}, "111111111111"),
            Case({"Fn::ImportValue": "x"}, None),
        ]
    ),
)


def join(delimiter: str, cases: list[Case]) -> Case:
    node = {"Fn::Join": [delimiter, [case.node for case in cases]]}
    values = [case.value for case in cases]
    return Case(node, None if None in values else delimiter.join(map(str, values)))


def sub(cases: list[Case]) -> Case:
    node = {
        "Fn::Sub": ["".join(f"<${{V{n}}}>" for n in range(len(cases))), {f"V{n}": c.node for n, c in enumerate(cases)}]
    }
    values = [case.value for case in cases]
    return Case(node, None if None in values else "".join(f"<{value}>" for value in values))


def choose(condition: tuple[str, bool | None], one: Case, other: Case) -> Case:
    name, holds = condition
    node = {"Fn::If": [name, one.node, other.node]}
    if holds is None:
        return Case(node, one.value if one.value == other.value else None)
    return Case(node, (one if holds else other).value)


def split(case: Case, index: int) -> Case:
    parts = [] if case.value is None else case.value.split(":")
    node = {"Fn::Select": [index, {"Fn::Split": [":", case.node]}]}
    return Case(node, parts[index] if index < len(parts) else None)


def encode(case: Case) -> Case:
    value = None if case.value is None else base64.b64encode(case.value.encode()).decode()
    return Case({"Fn::Base64": case.node}, value)


CONDITIONS = st.sampled_from([("IsDev", True), ("IsProd", False), ("IsVendor", None), ("Both", True), ("Loop", None)])
CASES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(join, TEXTS, st.lists(inner, max_size=3)),
        st.builds(sub, st.lists(inner, max_size=3)),
        st.builds(choose, CONDITIONS, inner, inner),
        st.builds(split, inner, st.integers(0, 2)),
        st.builds(encode, inner),
    ),
    max_leaves=10,
)


@settings(max_examples=300)
@given(CASES)
def test_an_independent_evaluator_agrees(case: Case) -> None:
    found = resolve(case.node)
    if case.value is None:
        assert isinstance(found, list)
        assert list(found[0]) == ["stsguard:unknown"]
    else:
        assert found == case.value


NAMES = st.sampled_from([*TEMPLATE["Parameters"], *TEMPLATE["Resources"], *TEMPLATE["Conditions"], "AWS::Region", "x"])
FUNCTIONS = st.sampled_from(
    ["Ref", "Condition", *(f"Fn::{n}" for n in ("GetAtt", "Sub", "Join", "Select", "Split", "If", "FindInMap", "Base64",
                                                "ImportValue", "GetAZs", "Equals", "Not", "And", "Or", "Cidr"))]
)  # fmt: skip
ANYTHING = st.recursive(
    st.one_of(NAMES, st.none(), st.booleans(), st.integers(), TEXTS, NAMES.map(lambda name: f"${{{name}}}")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.builds(lambda name, value: {name: value}, FUNCTIONS, inner)
    ),
    max_leaves=15,
)


@settings(max_examples=300)
@given(ANYTHING, ANYTHING)
def test_a_random_template_never_crashes(node: Any, condition: Any) -> None:
    template = read_template(
        json.dumps(TEMPLATE | {"Outputs": {"x": node}, "Conditions": TEMPLATE["Conditions"] | {"IsDev": condition}}),
        "t",
    )
    found = template.get("Outputs", "x")
    assert found is not None
    json.dumps(Evaluator(template, Standins()).resolve(found).plain())


def test_laughs_and_chains_end_in_one_clear_line() -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(12)
    )
    template = read_template(laughs, "t.yaml")
    with pytest.raises(InputError, match=r"t\.yaml:1: a\[\d\]: resolving takes more than 400,000 steps"):
        Evaluator(template, Standins()).resolve(template)
    chain = {f"C{n}": {"Condition": f"C{n + 1}"} for n in range(2000)}
    template = read_template(json.dumps({"Conditions": chain, "x": {"Fn::If": ["C0", "a", "b"]}}), "t.json")
    with pytest.raises(InputError, match="values refer to one another more than 80 deep"):
        Evaluator(template, Standins()).resolve(template.get("x") or template)
    names = {
        f"R{n}": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::Sub": f"${{R{n + 1}}}${{R{n + 1}}}"}}}
        for n in range(30)
    } | {"R30": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "x" * 1000}}}
    template = read_template(json.dumps({"Resources": names, "x": {"Ref": "R0"}}), "t.json")
    with pytest.raises(InputError, match="resolving takes more than 400,000 steps"):
        Evaluator(template, Standins()).resolve(template.get("x") or template)


def test_a_budget_is_shared_and_depth_is_given_back() -> None:
    template = read_template(json.dumps(TEMPLATE | {"x": [{"Ref": "Env"}] * 50}), "t.json")
    budget = Budget(80)
    node = template.get("x")
    assert node is not None
    Evaluator(template, Standins(), budget=budget).resolve(node)
    assert (budget.depth, budget.left < 80) == (0, True)
    with pytest.raises(InputError, match="resolving takes more than 80 steps"):
        Evaluator(template, Standins(), budget=budget).assuming("IsProd").resolve(node)
