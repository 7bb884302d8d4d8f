from __future__ import annotations

import gzip
import json
import os
import pickle
import runpy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_stsguard.account import Account, Document, load
from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError, InputError, PolicyError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "account.json"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def role(name: str = "app", **fields: Any) -> dict[str, Any]:
    return {
        "RoleName": name,
        "Arn": f"arn:aws:iam::111122223333:role/{name}",
        "RoleId": "AROAEXAMPLE",
        "AssumeRolePolicyDocument": TRUST,
    } | fields


def page(*roles: Any, **fields: Any) -> dict[str, Any]:
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": list(roles), "Policies": []} | fields


def write(tmp_path: Path, content: Any, name: str = "account.json") -> Path:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def read(tmp_path: Path, content: Any) -> Account:
    return load(f"export:{write(tmp_path, content)}")


def test_the_example_is_what_its_generator_makes() -> None:
    made = runpy.run_path(str(ROOT / "tests" / "examples" / "make_account.py"))["write_account"]()
    assert made == EXAMPLE.read_text(encoding="utf-8")


def test_the_example_is_read_whole() -> None:
    account = load(f"export:{EXAMPLE}")
    assert (account.id, account.partition, len(account.roles)) == ("111122223333", "aws", 43)
    assert len(account.users) == 4
    assert len(account.groups) == 2
    assert len(account.policies) == 7
    assert len(account.instance_profiles) == 10
    assert account.problems == ()
    assert [str(one) for _, document in account.documents() for one in document.problems] == []
    assert set(account.gaps) == {"MaxSessionDuration", "instances", "identity providers", "organization"}
    assert account.source == f"export:{EXAMPLE}"


def test_a_role_has_all_that_the_export_tells() -> None:
    account = load(f"export:{EXAMPLE}")
    deployer = account.role("deployer")
    assert deployer is account.role("arn:aws:iam::111122223333:role/ops/deployer")
    assert deployer is not None
    assert (deployer.path, deployer.id[:4], deployer.max_session_duration) == ("/ops/", "AROA", None)
    assert deployer.boundary == "arn:aws:iam::111122223333:policy/WorkloadBoundary"
    assert [document.name for document in deployer.inline] == ["TrustAdmin"]
    assert deployer.trust.kind == "trust"
    assert deployer.trust.policy.statements[0].actions == ("sts:AssumeRole",)
    unused = account.role("migration-2019")
    assert unused is not None
    assert unused.last_used == datetime(2024, 2, 11, 10, 5, 41, tzinfo=UTC)
    assert unused.last_used_region == "us-east-1"
    never = account.role("break-glass")
    assert never is not None
    assert never.last_used is None
    assert [role.name for role in account.roles if role.service_linked] == ["AWSServiceRoleForSupport"]
    assert [role.name for role in account.roles if role.identity_center] == ["AWSReservedSSO_ReadOnly_0123456789abcdef"]
    vendor = account.role("vendor-billing")
    assert vendor is not None
    assert vendor.tags == {"vendor": "billing"}


def test_policies_in_force_are_found_through_groups_and_versions() -> None:
    account = load(f"export:{EXAMPLE}")
    user, operator = account.user("richard.roe"), account.role("operator")
    assert user is not None
    assert operator is not None
    assert [document.name for document in account.identity_documents(user)] == [
        "arn:aws:iam::111122223333:policy/DeployApplication"
    ]
    fleet = account.policy("arn:aws:iam::111122223333:policy/OperateFleet")
    assert fleet is not None
    assert [(version.id, version.default) for version in fleet.versions] == [("v3", False), ("v2", True), ("v1", False)]
    assert account.identity_documents(operator) == (fleet.versions[1].document,)
    boundary = account.boundary_document(user)
    assert boundary is not None
    assert boundary.policy.statements[1].actions == ("iam:*",)
    assert account.boundary_document(operator) is None
    group = account.group("developers")
    assert group is not None
    assert account.missing_policies(group) == account.missing_policies(user) == ()


def test_what_applies_and_is_not_in_the_source_is_named(tmp_path: Path) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    user = {
        "UserName": "u",
        "Arn": "arn:aws:iam::111122223333:user/u",
        "GroupList": ["gone"],
        "AttachedManagedPolicies": [{"PolicyName": "ReadOnlyAccess", "PolicyArn": arn}],
        "PermissionsBoundary": {"PermissionsBoundaryArn": f"{arn}2"},
    }
    account = read(tmp_path, page(UserDetailList=[user]))
    assert account.missing_policies(account.users[0]) == (arn, f"{arn}2", "group gone")
    assert account.boundary_document(account.users[0]) is None
    assert account.identity_documents(account.users[0]) == ()


def test_every_document_knows_its_line() -> None:
    account = load(f"export:{EXAMPLE}")
    lines = EXAMPLE.read_text().splitlines()
    data = json.loads(EXAMPLE.read_text())
    count = 0
    for _, document in account.documents():
        location = document.location
        assert location is not None
        assert location.line is not None
        key = f'"{location.path[-1]}": {{'
        assert key in lines[location.line - 1], location
        value = data
        for step in location.path:
            value = value[step]
        assert document.value == value
        count += 1
    inline = [one for key in ("User", "Group", "Role") for one in data[f"{key}DetailList"]]
    assert (
        count
        == 43 + sum(len(one.get(f"{key}PolicyList", [])) for one in inline for key in ("User", "Group", "Role")) + 10
    )
    for one in account.roles:
        assert one.location is not None
        assert one.location.line is not None
        assert lines[one.location.line - 1] == "    {"


def test_an_account_travels_between_processes_with_its_lines() -> None:
    account = load(f"export:{EXAMPLE}")
    again = pickle.loads(pickle.dumps(account))
    assert again == account
    for one, other in zip(account.roles, again.roles, strict=True):
        assert str(one.trust.location) == str(other.trust.location)
        assert other.location.pointer == one.location.pointer if one.location else False
    assert len(pickle.dumps(account)) < 2 * EXAMPLE.stat().st_size


ENCODED = quote(json.dumps(TRUST), safe="")


@pytest.mark.parametrize("document", [TRUST, json.dumps(TRUST), ENCODED, f" {ENCODED}", json.dumps(TRUST, indent=2)])
def test_a_document_is_read_as_object_string_or_url_encoded(tmp_path: Path, document: Any) -> None:
    trust = read(tmp_path, page(role(AssumeRolePolicyDocument=document))).roles[0].trust
    assert trust.value == TRUST
    assert trust.problems == ()
    assert trust.policy.name == "trust policy"


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.booleans(), st.none()), min_size=1))
def test_a_url_encoded_document_keeps_every_character(value: dict[str, Any]) -> None:
    for raw in (json.dumps(value), json.dumps(json.dumps(value)), json.dumps(quote(json.dumps(value)))):
        assert Document("d", "identity", raw).value == value


@pytest.mark.parametrize(
    "write_pages",
    [
        json.dumps,
        lambda pages: "\n".join(map(json.dumps, pages)) + "\n",
        lambda pages: "".join(json.dumps(one, indent=2) for one in pages),
        lambda pages: json.dumps(pages[:2]) + "\n\n" + json.dumps(pages[2]),
    ],
)
def test_pages_are_read_in_a_list_in_lines_or_one_after_the_other(tmp_path: Path, write_pages: Any) -> None:
    pages = [page(role("a"), IsTruncated=True), page(role("b"), IsTruncated=True), page(role("c"), IsTruncated=False)]
    text = write_pages(pages)
    account = read(tmp_path, text)
    assert [one.name for one in account.roles] == ["a", "b", "c"]
    assert account.problems == ()
    lines = text.splitlines()
    for one in account.roles:
        assert one.trust.location is not None
        assert one.trust.location.line is not None
        assert "AssumeRolePolicyDocument" in lines[one.trust.location.line - 1]


def test_an_export_without_its_last_page_is_a_problem(tmp_path: Path) -> None:
    for last in ({"IsTruncated": True}, {"NextToken": "abc"}):
        account = read(tmp_path, page(role(), **last))
        assert [problem.message for problem in account.problems] == ["the export stops at a page that says more follow"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_understood(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, json.dumps(page(role())).encode(encoding)).id == "111122223333"


def test_gzip_is_read_whatever_the_name(tmp_path: Path) -> None:
    assert read(tmp_path, gzip.compress(json.dumps(page(role())).encode())).id == "111122223333"


def test_a_pipe_is_read(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, json.dumps(page(role())).encode())
    os.close(writing)
    try:
        assert load(f"export:/dev/fd/{reading}").id == "111122223333"
    finally:
        os.close(reading)


def test_an_old_python_style_date_and_epoch_seconds_are_dates(tmp_path: Path) -> None:
    account = read(tmp_path, page(role("a", CreateDate="2020-01-02T03:04:05Z"), role("b", CreateDate=1577934245.5)))
    assert account.roles[0].created == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert account.roles[1].created == datetime(2020, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)
    assert read(tmp_path, page(role(CreateDate="2020-01-02"))).roles[0].created == datetime(2020, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "the policy document is missing"),
        (3, "a policy is an object, not a number"),
        ([], "a policy is an object, not a list"),
        ("", "the document is not JSON"),
        ("%7B", "the document is not JSON"),
        ("nonsense", "the document is not JSON"),
        ({}, "the element `Statement` is missing"),
        ({"Statement": [None]}, "a statement is an object, not null"),
        ('{"Statement": [], "Statement": []}', "duplicate key `Statement`"),
        ("[" * 20_000 + "]" * 20_000, "nested too deeply"),
        ('{"a": ' * 20_000, "nested too deeply"),
    ],
)
def test_one_unreadable_policy_never_hides_the_account(tmp_path: Path, document: Any, problem: str) -> None:
    account = read(tmp_path, page(role("bad", AssumeRolePolicyDocument=document), role("good")))
    bad, good = account.roles
    assert any(problem in str(one) for one in bad.trust.problems)
    assert all(isinstance(one, PolicyError) for one in bad.trust.problems)
    assert not bad.trust.policy.whole or bad.trust.policy.statements
    assert good.trust.problems == ()


def test_a_missing_trust_policy_is_a_problem_of_its_document(tmp_path: Path) -> None:
    detail = role()
    del detail["AssumeRolePolicyDocument"]
    account = read(tmp_path, page(detail))
    assert str(account.roles[0].trust.problems[0]) == "the policy document is missing"
    assert account.roles[0].trust.value is None


@pytest.mark.parametrize("lone", [r"\ud800", r"\uDFFF", r"\\\ud83d", r"\udc00\ud800"])
def test_half_a_surrogate_pair_spoils_its_policy_alone(tmp_path: Path, lone: str) -> None:
    text = json.dumps(page(role("bad"), role("good"))).replace("ec2.amazonaws.com", lone, 1)
    bad, good = read(tmp_path, text).roles
    assert "half a surrogate pair" in str(bad.trust.problems[0])
    assert not bad.trust.policy.whole
    assert good.trust.problems == ()


def test_whole_surrogate_pairs_and_escaped_backslashes_are_no_problem(tmp_path: Path) -> None:
    detail = role(Tags=[{"Key": "k", "Value": "\U0001f600 \\ud800"}])
    account = read(tmp_path, page(detail))
    assert account.roles[0].tags == {"k": "\U0001f600 \\ud800"}
    assert account.roles[0].trust.problems == ()


DEEP = '{"Unknown\\"[": ' + "[" * 100_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "account.json: the file is empty"),
        (b" \n\t", "account.json: the file is empty"),
        (b"hello", "account.json:1:1: not JSON: expecting value, found `h`"),
        (b'{"RoleDetailList":\n  [nope]}', "account.json:2:4: not JSON: expecting value, found `n`"),
        (b"\x00\x00", "account.json:1:1: not JSON: expecting value, found U+0000"),
        (b'{"RoleDetailList": []} x', "account.json:1:24: not JSON: expecting value, found `x`"),
        (b"{}\n{", "account.json:2:2: not JSON: expecting property name enclosed in double quotes"),
        (b'{"RoleDetailList": [{', "account.json:1: the JSON ends in the middle: the file is cut off"),
        ('{"\u00e9": NaN}'.encode(), "account.json:1:7: not JSON: invalid character, found `N`"),
        (b'{"a": [' + b"9" * 5000 + b", NaN]}", "account.json:1:5010: not JSON: invalid character, found `N`"),
        (b"{}\n{'a'}", "account.json:2:2: not JSON"),
        (b"\xff\xfe{\x00}", "account.json:1: the file is no UTF-16 text"),
        (b'{"\xe9": 1}', "account.json:1: the file is no UTF-8 text: byte 2 is `0xe9`"),
        ("{\0}".encode("utf-16-le"), "account.json:1:2: not JSON: "),
        (gzip.compress(b'{"RoleDetailList": []}', mtime=0)[:-12], "account.json: the gzip data is cut off or damaged"),
        (b"\x1f\x8bnot gzip", "account.json: the gzip data is cut off or damaged"),
        (b"[]", "holds no export of GetAccountAuthorizationDetails"),
        (b"{}", "account.json:1: not an export of GetAccountAuthorizationDetails: it has no `RoleDetailList`"),
        (b'{"Policies": []}', "account.json:1: not an export of GetAccountAuthorizationDetails"),
        (b"3", "account.json:1: expected `object`, got `int`"),
        (b"null", "account.json:1: expected `object`, got `null`"),
        (b"[null]", "account.json:1: [0]: expected `object`, got `null`"),
        (b'{"RoleDetailList": null}', "account.json:1: RoleDetailList: expected `array`, got `null`"),
        (b'{"RoleDetailList":\n[null]}', "account.json:2: RoleDetailList[0]: expected `object`, got `null`"),
        (b'{"RoleDetailList": [{}]}', "account.json:1: RoleDetailList[0]: an object lacks `RoleName`"),
        (page(), "no role, user, group or policy that names the account"),
        (page(role(RoleName=3)), "RoleDetailList[0].RoleName: expected `str`, got `int`"),
        (page(role(RolePolicyList=[None])), "RoleDetailList[0].RolePolicyList[0]: expected `object`, got `null`"),
        (page(role(Arn="nonsense")), "RoleDetailList[0].Arn: `nonsense` is no ARN of IAM"),
        (page(role(Arn="arn:aws:iam::1:role/a")), "`arn:aws:iam::1:role/a` is no ARN of IAM"),
        (page(role(Arn="arn:aws:iam::111122223333:role/\u0000")), r"`arn:aws:iam::111122223333:role/\x00` is no ARN"),
        (page(role(CreateDate="soon")), "RoleDetailList[0].CreateDate: `soon` is no date"),
        (page(role(CreateDate=1e300)), "RoleDetailList[0].CreateDate: `1e+300` is no date"),
        (
            page(role("a"), role("b", Arn="arn:aws:iam::444455556666:role/b")),
            "RoleDetailList[1]: holds two accounts, `111122223333` and `444455556666`",
        ),
        (DEEP.encode(), "account.json:1:215: more than 200 arrays and objects inside one another"),
        (
            b'{"RoleDetailList": [],\n"RoleDetailList": []}',
            "account.json:1: `RoleDetailList` comes twice in one object",
        ),
        (b'[{},\n{"Policies": [], "Policies": [], "Policies": []}]', "account.json:2: [1]: `Policies` comes twice"),
        (b"{} " + b"[" * 100_000, "more than 200 arrays and objects inside one another"),
        (b"{} " + b"9" * 5000, "account.json:1:4: not JSON: a number has too many digits"),
        (b'{"RoleDetailList": []}\n{"RoleDetailList": 3}', "account.json:2: RoleDetailList: expected `array`"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    assert str(tmp_path) in text
    assert caught.value.exit_code == 2


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_export_is_an_error_or_an_account(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = bytearray(json.dumps(page(role("a", CreateDate="2020-01-01"), role("b", Tags=[{"Key": "k"}]))).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(text) - 1))
        text[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    path.write_bytes(text)
    try:
        account = load(f"export:{path}")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are good, a traceback is not
    else:
        for _, document in account.documents():
            assert isinstance(document.problems, tuple)


def test_a_file_that_cannot_be_opened_is_one_clear_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", write(tmp_path, "{}") / "x", Path("a\0b")):
        with pytest.raises(InputError, match="cannot be read: ") as caught:
            load(f"export:{path}")
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_one_clear_line(tmp_path: Path) -> None:
    path = write(tmp_path, page(role()))
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read: permission denied"):
        load(f"export:{path}")


def test_a_small_archive_of_a_huge_file_is_refused(tmp_path: Path) -> None:
    from pytest_stsguard.account.text import read_text

    path = write(tmp_path, gzip.compress(b" " * 5_000_000, mtime=0))
    with pytest.raises(InputError, match="is larger than 1,000,000 bytes"):
        read_text(path, limit=1_000_000)
    with pytest.raises(InputError, match="is larger than 64 bytes"):
        read_text(EXAMPLE, limit=64)
    with pytest.raises(InputError, match="is a directory, not a file"):
        read_text(tmp_path)


def test_a_role_listed_twice_counts_once_unless_the_two_differ(tmp_path: Path) -> None:
    account = read(tmp_path, [page(role()), page(role())])
    assert (len(account.roles), account.problems) == (1, ())
    account = read(tmp_path, [page(role()), page(role(Path="/x/"))])
    assert len(account.roles) == 2
    assert account.role("app") is account.roles[0]
    assert [problem.message for problem in account.problems] == [
        "`arn:aws:iam::111122223333:role/app` is listed twice, with different content"
    ]


def test_a_lists_name_may_stand_elsewhere(tmp_path: Path) -> None:
    tags = [{"Key": "RoleDetailList", "Value": "Policies"}, {"Key": "UserDetailList", "Value": "Policies"}]
    assert len(read(tmp_path, [page(role(Tags=tags)), page()]).roles) == 1


def test_a_filtered_export_says_what_it_lacks(tmp_path: Path) -> None:
    account = read(tmp_path, {"UserDetailList": [{"UserName": "u", "Arn": "arn:aws:iam::111122223333:user/u"}]})
    assert {"roles", "groups", "policies"} <= set(account.gaps)
    assert "users" not in account.gaps


def test_other_partitions_are_read(tmp_path: Path) -> None:
    account = read(tmp_path, page(role(Arn="arn:aws-us-gov:iam::111122223333:role/app")))
    assert account.partition == "aws-us-gov"


@pytest.mark.parametrize("target", ["org", "org:audit"])
def test_an_organisation_is_no_single_account(target: str) -> None:
    with pytest.raises(ConfigurationError, match=f"target `{target}` names several accounts"):
        load(target)


@pytest.mark.parametrize("target", ["", "exprot:x", "x.json", "aws:", "org:", "demo"])
def test_unknown_targets_get_the_valid_ones(target: str) -> None:
    with pytest.raises(ConfigurationError, match=f"unknown target `{target}` \\(valid targets: `demo`, `export:FILE`"):
        load(target)


def test_an_export_a_template_and_a_plan_need_a_file() -> None:
    for target in ("export", "export:", "cfn", "cfn:", "tfplan", "tfplan:"):
        with pytest.raises(ConfigurationError, match="names no file"):
            load(target)


def test_a_profile_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="AWS profile `nobody` does not exist"):
        load("aws:nobody")
    broken = write(tmp_path, "[default\n", "config")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    with pytest.raises(AwsUnavailableError, match="no AWS session: "):
        load("aws:default")
