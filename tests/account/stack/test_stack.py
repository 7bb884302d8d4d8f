from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.account import Account, load, load_all
from pytest_stsguard.errors import ConfigurationError, InputError
from pytest_stsguard.trust import Zones, prove

EXAMPLE = Path(__file__).parents[3] / "examples" / "stack.yaml"
OWN = "000000000000"


def statement(principal: Any, **fields: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | fields


def trust(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


LAMBDA = trust(statement({"Service": "lambda.amazonaws.com"}))
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def role(document: Any = LAMBDA, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document} | properties}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


@pytest.fixture(params=["json", "yaml"])
def read(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    def read(resources: Any, *, options: Any = None, **sections: Any) -> Account:
        template = {"Resources": resources} | sections
        path = tmp_path / f"stack.{request.param}"
        path.write_text(
            json.dumps(template, indent=1) if request.param == "json" else yaml.safe_dump(template, sort_keys=False)
        )
        return load(f"cfn:{path}", **(options or {}))

    return read


def verdict(account: Account, name: str) -> str:
    found = account.role(name)
    assert found is not None
    return prove(found.trust.policy, Zones.parse({"account": account.id})).verdict


def inline(account: Account, name: str) -> list[str]:
    found = account.role(name)
    assert found is not None
    return [document.name for document in account.identity_documents(found)]


def test_the_example_is_read_as_the_account_that_it_would_make() -> None:
    account = load(f"cfn:{EXAMPLE}")
    assert (account.id, account.source) == (OWN, f"cfn:{EXAMPLE}")
    verdicts = {one.name: verdict(account, one.name) for one in account.roles}
    assert verdicts == {
        "shop-production-deploy": "too_broad",
        "STACK-MonitoringRole-STANDIN": "undecided",
        "shop-production-debug": "too_broad",
        "STACK-WorkerRole-STANDIN": "narrow",
        "shop-web": "narrow",
    }
    assert account.problems == ()
    assert [instance.id for instance in account.instances_of(account.roles[4])] == ["WebTemplate"]
    assert [provider.url for provider in account.identity_providers] == ["token.actions.githubusercontent.com"]
    assert account.lacks("instances") == ("instances outside the template: a template shows what it makes itself",)
    assert account.lacks("roles", "MaxSessionDuration") == ()


def test_every_statement_of_the_example_has_its_line() -> None:
    account = load(f"cfn:{EXAMPLE}")
    lines = EXAMPLE.read_text().splitlines()
    for _, document in account.documents():
        for one in document.policy.statements:
            location = document.locate(one.place)
            assert location is not None
            assert location.line is not None
            first = lines[location.line - 1]
            assert f"Effect: {one.effect}" in first or f"Sid: {one.sid}" in first, location
    again = pickle.loads(pickle.dumps(account))
    assert again == account
    assert [str(one.location) for one in again.roles] == [str(one.location) for one in account.roles]


def test_the_parameters_of_a_deployment_take_the_place_of_defaults() -> None:
    account = load(
        f"cfn:{EXAMPLE}",
        account="111122223333",
        region="eu-central-1",
        parameters={"Environment": "staging", "MonitoringAccount": "444455556666"},
    )
    assert account.id == "111122223333"
    assert account.role("shop-staging-deploy") is not None
    assert account.roles[0].max_session_duration == 43200
    assert verdict(account, "STACK-MonitoringRole-STANDIN") == "too_broad"
    assert account.instances[0].arn == "arn:aws:ec2:eu-central-1:111122223333:launch-template/WebTemplate"
    assert load_all(f"cfn:{EXAMPLE}", account="111122223333")[0].id == "111122223333"
    with pytest.raises(ConfigurationError, match="`12` is no account id"):
        load(f"cfn:{EXAMPLE}", account="12")


def test_a_role_that_refers_to_another_trusts_the_own_account(read: Any) -> None:
    account = read({"A": role(), "B": role(trust(statement({"AWS": {"Fn::GetAtt": ["A", "Arn"]}})))})
    assert account.roles[1].trust.policy.statements[0].principals[0].value == account.roles[0].arn
    assert verdict(account, account.roles[1].name) == "narrow"


def test_a_role_is_looked_at_whether_or_not_its_condition_is_met(read: Any) -> None:
    conditions = {
        "Never": {"Fn::Equals": ["a", "b"]},
        "Always": {"Fn::Equals": ["a", "a"]},
        "Who": {"Fn::Equals": [{"Ref": "P"}, "a"]},
    }
    document = trust({"Fn::If": ["Never", statement("*"), {"Ref": "AWS::NoValue"}]}, *LAMBDA["Statement"])
    account = read(
        {"A": role(document, RoleName="a") | {"Condition": "Never"}, "B": role(document, RoleName="b")},
        Conditions=conditions,
        Parameters={"P": {"Type": "String"}},
    )
    assert (verdict(account, "a"), verdict(account, "b")) == ("too_broad", "narrow")
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    policy = {"Statement": [deny, *ALLOW["Statement"]]}
    for condition, known in (("Always", True), ("Never", False), ("Who", False), ("Gone", False)):
        attached = resource("IAM::Policy", PolicyName="p", Roles=[{"Ref": "A"}], PolicyDocument=policy)
        account = read(
            {"A": role(), "P": attached | {"Condition": condition}},
            Conditions=conditions,
            Parameters={"P": {"Type": "String"}},
        )
        (document,) = account.identity_documents(account.roles[0])
        assert [one.readable for one in document.policy.statements] == [known, True]
        assert bool(document.problems) is not known
    assert str(document.problems[0]) == (
        "Statement[0]: unknown value: whether this is denied: condition `Gone` is not in the template"
    )


def test_policies_find_their_holders_by_reference_and_by_name(read: Any) -> None:
    account = read(
        {
            "Role": role(RoleName={"Ref": "Name"}, ManagedPolicyArns=[{"Ref": "M"}, {"Ref": "Name"}, "arn:aws:iam::aws:policy/X"]),
            "User": resource("IAM::User", UserName="jane", Groups=[{"Ref": "Group"}, "gone"],
                             PermissionsBoundary={"Ref": "M"}, Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": {"Ref": "Name"}}]),
            "Group": resource("IAM::Group", GroupName="ops", Policies=[{"PolicyName": "g", "PolicyDocument": ALLOW}]),
            "Other": resource("IAM::User"),
            "Add": resource("IAM::UserToGroupAddition", GroupName="ops", Users=[{"Ref": "Other"}]),
            "M": resource("IAM::ManagedPolicy", PolicyDocument=ALLOW, Users=["jane"], Path="/p/"),
            "P": resource("IAM::Policy", PolicyName="p", PolicyDocument=ALLOW, Roles=[{"Ref": "Role"}], Users=["jane", "who"]),
            "R": resource("IAM::RolePolicy", PolicyName="r", PolicyDocument=ALLOW, RoleName={"Ref": "Role"}),
            "U": resource("IAM::UserPolicy", PolicyName={"Ref": "Name"}, PolicyDocument=ALLOW, UserName={"Ref": "User"}),
            "G": resource("IAM::GroupPolicy", PolicyName="gg", GroupName={"Ref": "Name"}),
            "Profile": resource("IAM::InstanceProfile", Roles=[{"Ref": "Role"}], InstanceProfileName="web"),
            "Okta": resource("IAM::SAMLProvider", Name="Okta", SamlMetadataDocument="<x/>"),
        },
        Parameters={"Name": {"Type": "String"}},
    )  # fmt: skip
    managed = f"arn:aws:iam::{OWN}:policy/p/STACK-M-STANDIN"
    assert inline(account, "STACK-Role-STANDIN") == ["p", "r", managed]
    assert account.missing_policies(account.roles[0]) == (
        "unknown value: parameter `Name`, which has no default",
        "arn:aws:iam::aws:policy/X",
    )
    jane, other = account.user("jane"), account.user("STACK-Other-STANDIN")
    assert jane is not None
    assert other is not None
    assert (jane.groups, other.groups, jane.tags, jane.boundary) == (("ops",), ("ops",), {"a": "b"}, managed)
    assert [one.name for one in account.identity_documents(jane)] == ["p", "U", managed, "g"]
    assert account.roles[0].instance_profiles == (f"arn:aws:iam::{OWN}:instance-profile/web",)
    assert account.identity_providers[0].arn == f"arn:aws:iam::{OWN}:saml-provider/Okta"
    assert [problem.message for problem in account.problems] == [
        "the membership is for the group `gone`, which is not made here: it was not looked at there",
        "the policy `P` is for the user `who`, which is not made here: it was not looked at there",
        "the policy `G` is for a group that is not known: parameter `Name`, which has no default",
    ]


def test_what_may_or_may_not_be_there_stays_unknown(read: Any) -> None:
    unknown = {"Fn::If": ["Who", {"PolicyName": "x", "PolicyDocument": ALLOW}, {"Ref": "AWS::NoValue"}]}
    gone = {"Fn::If": ["Never", unknown, {"Ref": "AWS::NoValue"}]}
    account = read(
        {
            "A": role(Policies=[unknown, gone, {"PolicyName": {"Ref": "P"}, "PolicyDocument": {"Ref": "P"}}, {"PolicyName": "n"}]),
            "B": role(
                {"Ref": "P"}, Policies=gone, ManagedPolicyArns=[gone], MaxSessionDuration={"Ref": "P"}, PermissionsBoundary=gone
            ),
            "C": {"Type": "AWS::IAM::Role"},
            "D": role({"Fn::If": ["Never", "x", {"Ref": "AWS::NoValue"}]}, Policies={"Ref": "P"}),
            "E": role(json.dumps(LAMBDA), MaxSessionDuration="7200", Path={"Ref": "P"}, Tags=[{"Key": "a", "Value": "b"}]),
            "F": resource("IAM::Policy", PolicyName="f", PolicyDocument=ALLOW, Roles=[gone, {"Ref": "A"}]),
        },
        Conditions={"Who": {"Fn::Equals": [{"Ref": "P"}, "a"]}, "Never": {"Fn::Equals": ["a", "b"]}},
        Parameters={"P": {"Type": "String"}},
    )  # fmt: skip
    a, b, c, d, e = account.roles
    problems = [[str(problem) for problem in document.problems] for document in a.inline]
    name = "parameter `P`, which has no default"
    assert problems == [
        [f"unknown value: condition `Who` hangs on {name}"],
        [f"unknown value: {name}"],
        ["the policy document is missing", "a policy is an object, not null"],
        [],
    ]
    assert [document.name for document in a.inline] == ["Policies[0]", "Policies[1]", "n", "f"]
    assert [str(problem) for problem in b.trust.problems] == [f"unknown value: {name}"]
    assert (b.inline, b.attached, b.max_session_duration, b.boundary) == ((), (), None, None)
    assert account.gaps["MaxSessionDuration"] == f"that of `B` is not known: {name}"
    assert [verdict(account, one.name) for one in account.roles] == ["narrow", *["undecided"] * 3, "narrow"]
    assert str(c.trust.problems[0]) == "the policy document is missing"
    assert (len(d.inline), d.inline[0].policy.whole) == (1, False)
    assert (e.max_session_duration, e.tags, e.path) == (7200, {"a": "b"}, "/")


def test_a_role_s_tags_are_never_all_known(read: Any) -> None:
    document = trust(
        statement({"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceTag/owner}"}})
    )
    account = read({"A": role(document, Tags=[{"Key": "owner", "Value": OWN}])})
    assert verdict(account, account.roles[0].name) == "undecided"
    assert "asks for the role's tags" in str(account.roles[0].trust.problems[0])


def test_machines_hold_profiles_and_metadata_options(read: Any) -> None:
    options = {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"}
    account = read(
        {
            "Role": role(),
            "Profile": resource("IAM::InstanceProfile", Roles=[{"Ref": "Role"}], Path="/x/"),
            "A": resource("EC2::Instance", IamInstanceProfile={"Ref": "Profile"}, MetadataOptions=options),
            "B": resource("EC2::LaunchTemplate", LaunchTemplateData={"IamInstanceProfile": {"Name": "other"}}),
            "C": resource("AutoScaling::LaunchConfiguration", IamInstanceProfile={"Fn::GetAtt": ["Profile", "Arn"]},
                          MetadataOptions={"HttpTokens": {"Ref": "P"}, "HttpPutResponseHopLimit": "far"}),
            "D": resource("EC2::Instance", IamInstanceProfile={"Ref": "P"}),
            "E": resource("EC2::Instance"),
        },
        Parameters={"P": {"Type": "String"}},
    )  # fmt: skip
    profile = f"arn:aws:iam::{OWN}:instance-profile/x/STACK-Profile-STANDIN"
    found = [(one.id, one.profile, one.http_tokens, one.hop_limit) for one in account.instances]
    assert found == [
        ("A", profile, "required", 1),
        ("B", f"arn:aws:iam::{OWN}:instance-profile/other", None, None),
        ("C", profile, None, None),
        ("D", None, None, None),
        ("E", None, None, None),
    ]
    assert account.instances[0].http_endpoint == "enabled"


def test_what_hides_roles_is_a_gap(read: Any) -> None:
    account = read(
        {
            "A": role(),
            "B": resource("Serverless::Function"),
            "C": resource("Serverless::Function", Role={"Fn::GetAtt": ["A", "Arn"]}),
            "D": resource("CloudFormation::Stack"),
            "Fn::ForEach::E": ["x", ["a"], {}],
            "F": resource("S3::Bucket"),
            "G": {"Type": "AWS::IAM::Role", "Properties": {"Fn::Transform": {"Name": "AWS::Include"}}},
        },
        Transform=["AWS::Serverless-2016-10-31", "Mine"],
    )
    assert set(account.lacks("roles")) == {
        "roles that SAM makes: a function without `Role` gets one that the template does not show",
        "roles of nested stacks: a nested stack's template is a file of its own",
        "roles of Fn::ForEach::E: loops and macros are not expanded here",
        "roles that macros make: `G` takes properties from a macro",
    }
    assert read({"A": role()}, Transform="Mine").lacks("roles") == (
        "roles that macros make: the macro `Mine` is not run here",
    )
    assert read({"A": role()}, Transform="AWS::LanguageExtensions").lacks("roles") == ()


def test_one_name_for_two_roles_is_a_problem(read: Any) -> None:
    account = read({"A": role(RoleName="x"), "B": role(RoleName="x")})
    assert len(account.roles) == 2
    assert [problem.message for problem in account.problems] == ["the role `x` is made twice: by `A` and `B`"]


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (None, "not a template: it has no `Resources`"),
        ([], "not a template: it has no `Resources`"),
        ({"A": None}, "Resources.A: the resource `A` has no `Type`"),
        ({"A": {"Type": {"Ref": "x"}}}, "Resources.A: the resource `A` has no `Type`"),
        ({"A": {"Type": "AWS::IAM::Role", "Properties": []}}, "Resources.A.Properties: `Properties` is no object"),
        ({"A": role() | {"Condition": ["x"]}}, "Resources.A.Condition: `Condition` is no name of a condition"),
        ({"A": role(RoleName="a b")}, "Resources.A: `a b` is no name of a role"),
        ({"A": role(RoleName="a\u0000b")}, r"Resources.A: `a\x00b` is no name of a role"),
        ({"A": role(RoleName="a", Path="x")}, "Resources.A: `x` is no path of a role"),
        ({"A-B": role()}, ""),
        ({"A B": role()}, "`STACK-A B-STANDIN` is no name of a role"),
        ({"A": role(ManagedPolicyArns=[["x"]])}, "Resources.A.Properties.ManagedPolicyArns[0]: expected a text"),
        ({"A": role(PermissionsBoundary={"x": "y"})}, "Resources.A.Properties.PermissionsBoundary: expected a text"),
        ({"A": resource("IAM::Policy", Roles=[["x"]])}, "Resources.A.Properties.Roles[0]: expected the name of a role"),
        ({"A": role(Policies=["x", None, 3])}, ""),
        ({"A": role(Tags="x", Policies=None, MaxSessionDuration="soon")}, ""),
        ({"A": resource("IAM::OIDCProvider", Url=["x"], ClientIdList="x")}, ""),
    ],
)
def test_a_template_of_the_wrong_shape_is_one_clear_line(read: Any, resources: Any, message: str) -> None:
    try:
        read(resources)
    except InputError as error:
        assert message in str(error)  # noqa: PT017 - for some, both outcomes are good
        assert "\n" not in str(error)  # noqa: PT017 - as above
        assert message
        assert "stack." in str(error)  # noqa: PT017 - as above
    else:
        assert message == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: " + b"x" * 5_000_000, "is larger than 1,048,576 bytes"),
        (b"Resources: " + b"[" * 1_000_000, "more than 64 lists and objects inside one another"),
        (b"Resources: " + b"- " * 500_000, "block sequence entries are not allowed"),
        (b"Resources: {" + b"a, " * 300_000, "comes twice in one object"),
        (b"{" + b'"a":{' * 200_000, "nested too deeply"),
        (b"\xff\xfe", "is no UTF-16 text|neither JSON nor YAML|holds no template"),
        (b"Resources: \xe9", "is no UTF-8 text"),
        (b"", "the file is empty"),
    ],
)
def test_a_hostile_file_is_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "stack.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load(f"cfn:{path}")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


@given(data=st.data())
def test_a_damaged_template_is_an_error_or_an_account(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = bytearray(EXAMPLE.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(text) - 1))
        text[position : position + data.draw(st.integers(0, 9))] = data.draw(
            st.one_of(
                st.binary(max_size=3), st.sampled_from([b"!Ref ", b"*x", b"&x ", b"[", b"{", b": ", b"\n- ", b"!If "])
            )
        )
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_bytes(text)
    try:
        account = load(f"cfn:{path}")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are good, a traceback is not
    else:
        for _, document in account.documents():
            assert isinstance(document.problems, tuple)
