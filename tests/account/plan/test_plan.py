from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.account import Account, load
from pytest_stsguard.account.plan.resource import references
from pytest_stsguard.errors import InputError
from pytest_stsguard.trust import Zones, prove

ALL = {"assume_role_policy": "and everything else"}
EXAMPLE = Path(__file__).parents[3] / "examples" / "plan.json"
OWN = "000000000000"


def policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal: Any, **fields: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | fields


LAMBDA = policy(allow({"Service": "lambda.amazonaws.com"}))
S3 = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})


class Planner:
    """Writes plans as `terraform show -json` does."""

    def __init__(self) -> None:
        self.modules: dict[str, list[Any]] = {"": []}
        self.changes: list[Any] = []
        self.blocks: dict[str, dict[str, Any]] = {"": {}}
        self.prior: list[Any] = []
        self.calls: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}

    def add(
        self,
        address: str,
        unknown: Any = None,
        expressions: Any = None,
        *,
        index: Any = None,
        module: str = "",
        **values: Any,
    ) -> None:
        mode = "data" if address.startswith("data.") else "managed"
        kind, name = address.removeprefix("data.").split(".")
        full = f"{module}.{address}".lstrip(".") + (f"[{json.dumps(index)}]" if index is not None else "")
        one = {"address": full, "mode": mode, "type": kind, "name": name, "values": values}
        self.modules.setdefault(module, []).append(one | ({"index": index} if index is not None else {}))
        self.changes.append(
            {
                "address": full,
                "mode": mode,
                "type": kind,
                "change": {"actions": ["create"], "after_unknown": True if unknown == ALL else unknown or {}},
            }
        )
        block = (
            {name: {} for name in values} | {name: {} for name in unknown or {} if name != "arn"} | (expressions or {})
        )
        self.blocks.setdefault(module.partition("[")[0], {})[address] = block

    def plan(self, **parts: Any) -> dict[str, Any]:
        children = [{"address": name, "resources": one} for name, one in self.modules.items() if name]
        root = {"resources": self.modules[""], "child_modules": children}
        calls = {
            name.removeprefix("module."): {
                "expressions": self.calls,
                "module": {
                    "resources": [{"address": key, "expressions": one} for key, one in blocks.items()],
                    "outputs": self.outputs,
                },
            }
            for name, blocks in self.blocks.items()
            if name
        }
        own = [{"address": key, "expressions": one} for key, one in self.blocks[""].items()]
        return {
            "format_version": "1.2",
            "planned_values": {"root_module": root},
            "resource_changes": self.changes,
            "prior_state": {"values": {"root_module": {"resources": self.prior}}},
            "configuration": {"root_module": {"resources": own, "module_calls": calls}},
        } | parts


@pytest.fixture
def planner() -> Planner:
    return Planner()


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(plan: Any, **options: Any) -> Account:
        path = tmp_path / "plan.json"
        content = plan.plan() if isinstance(plan, Planner) else plan
        text = content if isinstance(content, (str, bytes)) else json.dumps(content, indent=1)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(f"tfplan:{path}", **options)

    return read


def verdict(account: Account, name: str) -> str:
    found = account.role(name)
    assert found is not None
    return prove(found.trust.policy, Zones.parse({"account": account.id})).verdict


def refers(*names: str) -> dict[str, Any]:
    return {"references": list(names)}


def names(account: Account, role: str) -> list[str]:
    found = account.role(role)
    assert found is not None
    return [document.name for document in account.identity_documents(found)]


def test_the_example_is_read_as_the_account_that_it_would_leave() -> None:
    account = load(f"tfplan:{EXAMPLE}")
    assert (account.id, account.partition, account.source) == ("111122223333", "aws", f"tfplan:{EXAMPLE}")
    assert {one.name: verdict(account, one.name) for one in account.roles} == {
        "shop-deploy": "too_broad",
        "vendor-monitoring": "too_broad",
        "shop-web": "narrow",
        "shop-pipeline": "undecided",
        "shop-worker-mail": "narrow",
        "shop-worker-orders": "too_broad",
    }
    assert account.problems == ()
    assert names(account, "shop-web") == ["aws_iam_role_policy.revoke: AWSRevokeOlderSessions"]
    assert names(account, "shop-worker-orders") == ['module.workers.aws_iam_role_policy.queue["orders"]: queue']
    assert names(account, "shop-deploy") == ["aws_iam_policy.deploy: shop-deploy"]
    assert account.missing_policies(account.roles[1]) == ("arn:aws:iam::aws:policy/ReadOnlyAccess",)
    assert [instance.region for instance in account.instances_of(account.roles[2])] == ["eu-west-1"]
    assert [provider.client_ids for provider in account.identity_providers] == [("sts.amazonaws.com",)]
    pipeline = account.role("shop-pipeline")
    assert pipeline is not None
    assert [str(problem) for problem in pipeline.trust.problems] == [
        (
            "Statement[1].Principal.AWS[0]: unknown value: `data.aws_iam_policy_document.pipeline_trust.statement`, "
            "known after apply (from `aws_iam_role.vendor.arn`)"
        )
    ]


def test_every_document_of_the_example_knows_its_line() -> None:
    account = load(f"tfplan:{EXAMPLE}")
    lines = EXAMPLE.read_text().splitlines()
    for _, document in account.documents():
        assert document.location is not None
        assert document.location.line is not None
        line = lines[document.location.line - 1]
        address = document.name.partition(":")[0]
        if address == "aws_iam_role.pipeline":
            assert '"address": "data.aws_iam_policy_document.pipeline_trust"' in lines[document.location.line]
        else:
            assert '"policy": "{' in line or '"assume_role_policy": "{' in line


def test_a_policy_that_is_known_after_apply_is_named_and_undecided(planner: Planner, read: Any) -> None:
    trust = {"assume_role_policy": refers("aws_iam_user.x.arn", "aws_iam_user.x", "var.y", "each.key")}
    planner.add("aws_iam_role.a", {"assume_role_policy": True, "arn": True}, trust, name="a")
    planner.add("aws_iam_role.b", {"assume_role_policy": True}, name="b")
    planner.add("aws_iam_role.c", name="c", assume_role_policy=None)
    planner.add("aws_iam_role.d", ALL, name="d")
    account = read(planner)
    assert [verdict(account, one.name) for one in account.roles] == ["undecided"] * 4
    assert [str(one.trust.problems[0]) for one in account.roles] == [
        "unknown value: `aws_iam_role.a.assume_role_policy`, known after apply (from `aws_iam_user.x.arn`, `var.y`, `each.key`)",
        "unknown value: `aws_iam_role.b.assume_role_policy`, known after apply",
        "the policy document is missing",
        "unknown value: `aws_iam_role.d.assume_role_policy`, known after apply",
    ]
    assert [one.name for one in account.roles] == ["a", "b", "c", "d"]


STATEMENT = {
    "sid": "One",
    "effect": "Allow",
    "actions": ["sts:AssumeRole"],
    "principals": [{"type": "AWS", "identifiers": [f"arn:aws:iam::{OWN}:root"]}, {"type": "AWS", "identifiers": [OWN]}],
    "condition": [
        {"test": "StringEquals", "variable": "aws:PrincipalAccount", "values": [OWN]},
        {"test": "StringEquals", "variable": "aws:PrincipalTag/a", "values": ["x", "y"]},
    ],
    "resources": None,
}


def waiting(planner: Planner, values: Any, unknown: Any, **sources: Any) -> None:
    document = "data.aws_iam_policy_document.t"
    planner.add(document, {"json": True, "statement": unknown}, sources, statement=values, **dict.fromkeys(sources))
    expressions = {"assume_role_policy": refers(f"{document}.json", document)}
    planner.add("aws_iam_role.a", {"assume_role_policy": True}, expressions, name="a")


def test_a_waiting_document_is_put_together_as_far_as_it_is_known(planner: Planner, read: Any) -> None:
    mask = {"principals": [{}, {"identifiers": [True]}], "condition": [{}, {"values": [False, True]}]}
    waiting(
        planner, [STATEMENT, {**STATEMENT, "principals": [{"type": "*", "identifiers": ["*"]}], "sid": None}], [mask]
    )
    trust = read(planner).roles[0].trust
    unknown = [{"stsguard:unknown": "`data.aws_iam_policy_document.t.statement`, known after apply"}]
    first = {
        "Sid": "One",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{OWN}:root", unknown]},
        "Action": ["sts:AssumeRole"],
        "Condition": {"StringEquals": {"aws:PrincipalAccount": [OWN], "aws:PrincipalTag/a": ["x", unknown]}},
    }
    assert trust.value["Version"] == "2012-10-17"
    assert trust.value["Statement"][0] == first
    assert trust.value["Statement"][1]["Principal"] == "*"
    assert len(trust.value["Statement"]) == 2


@pytest.mark.parametrize(
    ("values", "unknown"),
    [
        ([STATEMENT], True),
        ([STATEMENT], []),
        ([STATEMENT], [True]),
        (None, True),
        ([None], []),
        ([{**STATEMENT, "principals": None}], [{"principals": True}]),
        ([{**STATEMENT, "principals": [None]}], []),
        ([{**STATEMENT, "principals": [{"type": "AWS"}]}], []),
        ([STATEMENT], [{"principals": [True]}]),
        ([{**STATEMENT, "condition": "x"}], []),
        ([{**STATEMENT, "condition": [{"test": "Bool", "values": ["true"]}]}], []),
        ([STATEMENT], [{"condition": [True]}]),
        ([STATEMENT], [{"condition": True, "actions": True, "effect": True}]),
        ([{**STATEMENT, "actions": ["sts:AssumeRole"]}], [{"actions": [False, True]}]),
    ],
)
def test_a_waiting_document_is_never_narrow(planner: Planner, read: Any, values: Any, unknown: Any) -> None:
    waiting(planner, values, unknown)
    account = read(planner)
    assert verdict(account, "a") == "undecided"
    assert "known after apply" in str(account.roles[0].trust.problems[0])


def test_documents_that_a_document_takes_in_stay_unknown(planner: Planner, read: Any) -> None:
    waiting(planner, [STATEMENT], [{"actions": [True]}], source_policy_documents=refers("var.x"))
    planner.changes[0]["change"]["after_unknown"]["source_policy_documents"] = True
    trust = read(planner).roles[0].trust
    assert [str(problem) for problem in trust.problems] == [
        "Statement[0].Action[0]: unknown value: `data.aws_iam_policy_document.t.statement`, known after apply",
        (
            "Statement[1]: unknown value: `aws_iam_role.a.assume_role_policy`, known after apply "
            "(from `data.aws_iam_policy_document.t.json`)"
        ),
    ]


MASKS = st.recursive(
    st.booleans(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([*STATEMENT, "identifiers", "type", "test", "values", "variable"]), inner, max_size=4
        ),
    ),
    max_leaves=12,
)


@given(st.one_of(MASKS, MASKS.map(lambda mask: [mask])))
def test_whatever_the_mask_says_nothing_waiting_is_narrow(tmp_path_factory: pytest.TempPathFactory, mask: Any) -> None:
    planner = Planner()
    waiting(planner, [STATEMENT, STATEMENT], mask)
    path = tmp_path_factory.getbasetemp() / "masked.json"
    path.write_text(json.dumps(planner.plan()))
    account = load(f"tfplan:{path}")
    assert verdict(account, "a") == "undecided"


def test_policies_find_their_holders_through_references(planner: Planner, read: Any) -> None:
    for key in ("x", "y"):
        planner.add("aws_iam_role.each", {"id": True}, index=key, name=f"r-{key}", assume_role_policy=LAMBDA)
        planner.add(
            "aws_iam_role_policy.each", {"role": True}, {"role": refers("aws_iam_role.each", "each.key")},
            index=key, name="p", policy=S3,
        )  # fmt: skip
    planner.add("aws_iam_role_policy.one", {"role": True}, {"role": refers('aws_iam_role.each["y"].id', "aws_iam_role.each")},
                name="q", policy=S3)  # fmt: skip
    planner.add(
        "aws_iam_role_policy.unclear", {"role": True}, {"role": refers("aws_iam_role.each")}, name="u", policy=S3
    )
    planner.add("aws_iam_role_policy.named", name="", role="r-x", policy=S3)
    planner.add("aws_iam_role_policy.gone", name="g", role="elsewhere", policy=S3)
    planner.add(
        "aws_iam_role_policy.odd", {"role": True}, {"role": refers("local.x", "!", "aws_iam_role.none.id")}, policy=S3
    )
    account = read(planner)
    assert names(account, "r-x") == [
        'aws_iam_role_policy.each["x"]: p',
        "aws_iam_role_policy.named: aws_iam_role_policy.named",
    ]
    assert names(account, "r-y") == ['aws_iam_role_policy.each["y"]: p', "aws_iam_role_policy.one: q"]
    assert [problem.message for problem in account.problems] == [
        (
            "`aws_iam_role_policy.unclear` is for a role that is not known: `aws_iam_role_policy.unclear.role`, known after apply "
            "(from `aws_iam_role.each`)"
        ),
        "`aws_iam_role_policy.gone` is for the role `elsewhere`, which is not made here: it was not looked at there",
        (
            "`aws_iam_role_policy.odd` is for a role that is not known: `aws_iam_role_policy.odd.role`, known after apply "
            "(from `local.x`, `aws_iam_role.none.id`)"
        ),
    ]


def test_references_go_through_variables_and_outputs(planner: Planner, read: Any) -> None:
    planner.add("aws_iam_role.outer", {"id": True}, name="outer", assume_role_policy=LAMBDA)
    planner.add("aws_iam_role.inner", {"id": True}, module="module.m", name="inner", assume_role_policy=LAMBDA)
    planner.add(
        "aws_iam_role_policy.in", {"role": True}, {"role": refers("var.role")}, module="module.m", name="in", policy=S3
    )
    planner.add(
        "aws_iam_role_policy.out", {"role": True}, {"role": refers("module.m.role", "module.m")}, name="out", policy=S3
    )
    planner.add("aws_iam_role_policy.lost", {"role": True}, {"role": refers("module.n.role", "module.m.x", "var.z")},
                name="lost", policy=S3)  # fmt: skip
    planner.calls = {"role": refers("aws_iam_role.outer.id", "aws_iam_role.outer")}
    planner.outputs = {"role": {"expression": refers("aws_iam_role.inner.id", "aws_iam_role.inner")}}
    account = read(planner)
    assert names(account, "outer") == ["module.m.aws_iam_role_policy.in: in"]
    assert names(account, "inner") == ["aws_iam_role_policy.out: out"]
    assert len(account.problems) == 1


def test_modules_in_modules_and_by_key_are_followed(planner: Planner, read: Any) -> None:
    nested = {"address": 'module.a["k.1"].module.b', "resources": []}
    inner = {"address": 'module.a["k.1"].module.b.aws_iam_role.x', "type": "aws_iam_role", "name": "x"}
    nested["resources"] = [inner | {"values": {"name": "deep", "assume_role_policy": LAMBDA}}]
    policy_ = {"address": "aws_iam_role_policy.p", "type": "aws_iam_role_policy", "name": "p", "values": {"policy": S3}}
    loop = {"address": "aws_iam_role_policy.q", "type": "aws_iam_role_policy", "name": "q", "values": {"policy": S3}}
    output = {"role": {"expression": refers("module.b.role")}}
    child = {"resources": [], "outputs": {"role": {"expression": refers("aws_iam_role.x.id")}}}
    plan = {
        "planned_values": {
            "root_module": {
                "resources": [policy_, loop],
                "child_modules": [
                    {"address": 'module.a["k.1"]', "resources": [{"address": "module.a.null.x", "type": "null", "name": "x"}],
                     "child_modules": [nested]}
                ],
            }
        },
        "resource_changes": [
            {"address": one, "change": {"after_unknown": {"role": True}}} for one in ("aws_iam_role_policy.p", "aws_iam_role_policy.q")
        ],
        "configuration": {
            "root_module": {
                "resources": [
                    {"address": "aws_iam_role_policy.p", "expressions": {"role": refers("module.a.role")}},
                    {"address": "aws_iam_role_policy.q", "expressions": {"role": refers("module.c.role")}},
                ],
                "module_calls": {
                    "a": {"module": {"module_calls": {"b": {"module": child}}, "outputs": output}},
                    "c": {"module": {"outputs": {"role": {"expression": refers("var.v")}}}, "expressions": {"v": refers("module.c.role")}},
                },
            }
        },
    }  # fmt: skip
    account = read(plan)
    assert names(account, "deep") == ["aws_iam_role_policy.p: aws_iam_role_policy.p"]
    assert len(account.problems) == 1


def test_users_groups_attachments_and_boundaries(planner: Planner, read: Any) -> None:
    policies = {"policy_arn": refers("aws_iam_policy.p.arn", "aws_iam_policy.p")}
    planner.add("aws_iam_policy.p", {"arn": True}, name="p", path="/x/", policy=S3)
    planner.add(
        "aws_iam_user.u", {"permissions_boundary": True}, {"permissions_boundary": policies["policy_arn"]}, name="jane"
    )
    planner.add("aws_iam_user.v", {"name": True, "tags_all": True}, name=None, tags={"a": "b"})
    planner.add("aws_iam_group.g", name="ops")
    planner.add("aws_iam_user_policy_attachment.a", {"policy_arn": True}, policies, user="jane")
    planner.add("aws_iam_group_policy_attachment.b", {"policy_arn": True}, {"policy_arn": refers("var.x")}, group="ops")
    planner.add("aws_iam_policy_attachment.c", {"users": True}, {"users": refers("aws_iam_user.v.name", "aws_iam_user.u")},
                policy_arn="arn:aws:iam::aws:policy/X", groups=["ops"], roles=None)  # fmt: skip
    planner.add(
        "aws_iam_user_group_membership.d", {"groups": True}, {"groups": refers("aws_iam_group.g.name")}, user="jane"
    )
    planner.add("aws_iam_group_membership.e", group="ops", users=["jane", "who"])
    planner.add("aws_iam_group_policy.f", group="ops", name="inline", policy=S3)
    account = read(planner)
    own = f"arn:aws:iam::{OWN}:policy/x/p"
    jane, other = account.users
    assert (jane.boundary, jane.groups) == (own, ("ops", "ops"))
    assert [one.arn for one in jane.attached] == [own, "arn:aws:iam::aws:policy/X"]
    assert (other.name, other.tags) == ("aws_iam_user.v", {"a": "b"})
    assert [one.arn for one in account.groups[0].attached] == [
        "unknown value: `aws_iam_group_policy_attachment.b.policy_arn`, known after apply (from `var.x`)",
        "arn:aws:iam::aws:policy/X",
    ]
    assert [one.name for one in account.groups[0].inline] == ["aws_iam_group_policy.f: inline"]
    assert len(account.problems) == 1


def test_a_role_carries_its_own_policies(planner: Planner, read: Any) -> None:
    planner.add("aws_iam_policy.p", {"arn": True}, name="p", policy=S3)
    planner.add(
        "aws_iam_role.a", {"inline_policy": [{}, {"policy": True}, {}], "managed_policy_arns": True},
        {"managed_policy_arns": refers("aws_iam_policy.p.arn")}, name="a", assume_role_policy=LAMBDA,
        inline_policy=[{"name": "i", "policy": S3}, {"name": "j"}, {"name": "", "policy": ""}],
    )  # fmt: skip
    planner.add(
        "aws_iam_role.b", {"inline_policy": True, "max_session_duration": True}, name="b", assume_role_policy=LAMBDA
    )
    planner.add("aws_iam_role.c", name="c", assume_role_policy=LAMBDA, managed_policy_arns=["arn:aws:iam::aws:policy/X"],
                arn="arn:aws:iam::111122223333:role/c", inline_policy=[{"policy": S3}])  # fmt: skip
    planner.changes[1]["change"]["after_unknown"]["inline_policy"].append({})
    account = read(planner)
    assert names(account, "a") == ["aws_iam_role.a: i", "aws_iam_role.a: j", "aws_iam_policy.p: p"]
    assert [bool(document.problems) for document in account.roles[0].inline] == [False, True]
    assert names(account, "b") == ["aws_iam_role.b: inline_policy"]
    assert names(account, "c") == ["aws_iam_role.c: inline_policy[0]"]
    assert [one.max_session_duration for one in account.roles] == [3600, None, 3600]
    assert account.gaps["MaxSessionDuration"].startswith("that of `aws_iam_role.b` is not known: ")
    assert account.id == "111122223333"


def test_without_a_configuration_whatever_waits_counts(read: Any) -> None:
    planned = {
        "address": "aws_iam_role.a",
        "type": "aws_iam_role",
        "name": "a",
        "values": {"name": "a", "assume_role_policy": LAMBDA},
    }
    change = {"address": "aws_iam_role.a", "change": {"after_unknown": {"managed_policy_arns": True}}}
    account = read({"planned_values": {"root_module": {"resources": [planned]}}, "resource_changes": [change]})
    assert [one.arn for one in account.roles[0].attached] == [
        "unknown value: `aws_iam_role.a.managed_policy_arns`, known after apply"
    ]


def test_tags_that_are_known_after_apply_make_a_condition_on_them_undecided(planner: Planner, read: Any) -> None:
    condition = {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceTag/owner}"}}
    trust = policy(allow({"AWS": f"arn:aws:iam::{OWN}:root"}, Condition=condition))
    planner.add("aws_iam_role.a", name="a", assume_role_policy=trust, tags_all={"owner": OWN})
    planner.add("aws_iam_role.b", {"tags_all": True}, name="b", assume_role_policy=trust)
    account = read(planner)
    assert "tags" not in "".join(map(str, account.roles[0].trust.problems))
    assert "asks for the role's tags" in str(account.roles[1].trust.problems[0])
    assert verdict(account, "b") == "undecided"


def test_the_account_is_that_of_the_user_the_identity_or_the_arns(planner: Planner, read: Any) -> None:
    planner.add("aws_iam_role.a", name="a", assume_role_policy=LAMBDA)
    assert read(planner).id == OWN
    planner.prior.append(
        {"address": "data.aws_caller_identity.c", "mode": "data", "type": "aws_caller_identity", "name": "c",
         "values": {"account_id": "111122223333"}}
    )  # fmt: skip
    assert read(planner).roles[0].arn == "arn:aws:iam::111122223333:role/a"
    planner.add("aws_iam_role.b", name="b", assume_role_policy=LAMBDA, arn="arn:aws-us-gov:iam::444455556666:role/b")
    account = read(planner, account="444455556666")
    assert (account.id, account.partition) == ("444455556666", "aws")
    assert [problem.message for problem in account.problems] == [
        "the plan is for the account `444455556666` and for `111122223333` too"
    ]


def test_policies_that_data_sources_read_are_there(planner: Planner, read: Any) -> None:
    arn = "arn:aws:iam::aws:policy/X"
    planner.add("aws_iam_role.a", name="a", assume_role_policy=LAMBDA, managed_policy_arns=[arn])
    planner.prior.append(
        {"address": "data.aws_iam_policy.x", "mode": "data", "type": "aws_iam_policy", "name": "x",
         "values": {"arn": arn, "policy": S3}}
    )  # fmt: skip
    planner.prior.append(
        {"address": "aws_iam_role.old", "type": "aws_iam_role", "name": "old", "values": {"name": "old"}}
    )
    account = read(planner)
    assert account.missing_policies(account.roles[0]) == ()
    assert len(account.roles) == 1


def test_machines_hold_profiles_and_metadata_options(planner: Planner, read: Any) -> None:
    reference = {"iam_instance_profile": refers("aws_iam_instance_profile.p.name", "aws_iam_instance_profile.p")}
    planner.add("aws_iam_role.r", {"id": True}, name="r", assume_role_policy=LAMBDA)
    planner.add(
        "aws_iam_instance_profile.p", {"name": True, "role": True}, {"role": refers("aws_iam_role.r.name")}, path="/p/"
    )
    planner.add("aws_instance.a", {"iam_instance_profile": True, "metadata_options": True}, reference)
    planner.add("aws_instance.b", iam_instance_profile="other", id="i-1", instance_state="running",
                metadata_options=[{"http_tokens": "required", "http_put_response_hop_limit": 1}])  # fmt: skip
    planner.add(
        "aws_launch_template.c", iam_instance_profile=[{"arn": "arn:aws:iam::1:instance-profile/x", "name": ""}]
    )
    planner.add("aws_launch_configuration.d", metadata_options="x")
    planner.add("aws_iam_saml_provider.s", name="Okta")
    planner.add("aws_iam_openid_connect_provider.o", {"url": True})
    plan = planner.plan()
    plan["configuration"]["provider_config"] = {"aws": {"expressions": {"region": {"constant_value": "Mars"}}}}
    account = read(plan)
    profile = f"arn:aws:iam::{OWN}:instance-profile/p/aws_iam_instance_profile.p"
    assert [(one.id, one.profile, one.http_tokens, one.hop_limit) for one in account.instances] == [
        ("aws_instance.a", profile, None, None),
        ("i-1", f"arn:aws:iam::{OWN}:instance-profile/other", "required", 1),
        ("aws_launch_template.c", "arn:aws:iam::1:instance-profile/x", None, None),
        ("aws_launch_configuration.d", None, None, None),
    ]
    assert account.instances[0].region == "us-east-1"
    assert account.roles[0].instance_profiles == (profile,)
    assert [one.type for one in account.identity_providers] == ["oidc", "saml"]
    assert read(plan, region="eu-north-1").instances[0].region == "eu-north-1"


def test_one_name_for_two_roles_is_a_problem(planner: Planner, read: Any) -> None:
    planner.add("aws_iam_role.a", name="x", assume_role_policy=LAMBDA)
    planner.add("aws_iam_role.b", name="x", assume_role_policy=LAMBDA)
    assert read(planner).problems[0].message == "the role `x` is made twice: by `aws_iam_role.a` and `aws_iam_role.b`"


def test_a_plan_that_is_not_whole_says_so(planner: Planner, read: Any) -> None:
    planner.add("aws_iam_role.a", name="x", assume_role_policy=LAMBDA)
    account = read(planner.plan(errored=True, deferred_changes=[{"reason": "provider_config_unknown"}]))
    assert [problem.message for problem in account.problems] == ["planning failed: the plan is not whole"]
    assert account.lacks("roles") == ("roles that are deferred: 1 resources wait for a later plan",)


def test_what_makes_roles_out_of_sight_is_a_gap(planner: Planner, read: Any) -> None:
    planner.add("aws_iam_role.a", name="x", assume_role_policy=LAMBDA)
    planner.add("awscc_iam_role.b", role_name="y")
    planner.add("aws_cloudformation_stack.c", name="z")
    assert read(planner.plan()).lacks("roles") == (
        "roles of the provider awscc: its resources are not read here",
        "roles of CloudFormation stacks: a stack's template is a file of its own",
    )


def test_references_are_found_in_blocks_inside_blocks() -> None:
    expression = {"a": [{"b": refers("x.y", 3)}, {"references": "no"}], "references": ["z"]}  # type: ignore[list-item]
    assert set(references(expression)) == {"x.y", "z"}
    assert references(None) == []


HEAD = '{"planned_values": {"root_module": {"resources": [\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "plan.json: the file is empty"),
        ("hello", "plan.json:1:1: not JSON: expecting value, found `h`"),
        ("[]", "plan.json:1: expected `object`, got `array`"),
        ("{}", "plan.json:1: an object lacks `planned_values` (make one with `terraform plan"),
        ('{"planned_values": null}', "plan.json:1: planned_values: expected `object`, got `null`"),
        (HEAD + "null]}}}", "plan.json:2: planned_values.root_module.resources[0]: expected `object`, got `null`"),
        (HEAD + '{"address": 3}]}}}', "plan.json:2: planned_values.root_module.resources[0].address: expected `str`"),
        (HEAD, "plan.json:2: the JSON ends in the middle: the file is cut off (make it again: "),
        ('{"@level": "info"}\n{"@level": "info"}', "plan.json:1"),
        (HEAD + '{"a": "\\ud800"}', "plan.json:2: a text holds half a surrogate pair, `\\ud800`"),
        ('{"a": ' + "[" * 100_000, "more than 200 arrays and objects inside one another"),
        ('{"planned_values": {"root_module": {}}, "x": NaN}', "not JSON"),
        (b"\xff", "is no UTF-8 text"),
    ],
)
def test_what_is_no_plan_is_one_clear_line(read: Any, content: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(content)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_that_is_none_is_one_clear_line(planner: Planner, read: Any) -> None:
    planner.add("aws_iam_role.a", name="a\0b", assume_role_policy=LAMBDA)
    with pytest.raises(InputError, match=r"resources\[0\]: `a\\x00b` is no name of a role"):
        read(planner)


def test_modules_without_end_are_one_clear_line(read: Any) -> None:
    depth = 5_000
    with pytest.raises(InputError, match=r"inside one another|nested too deeply"):
        read('{"planned_values": {"root_module": ' + '{"child_modules": [' * depth + "{}" + "]}" * depth + "}}")
    for depth in (95, 400, 470, 490):
        text = '{"planned_values": {"root_module": ' + '{"child_modules": [' * depth + "{}" + "]}" * depth + "}}"
        try:
            assert read(text).roles == ()
        except InputError as error:
            assert "nested too deeply" in str(error) or "inside one another" in str(error)  # noqa: PT017 - both are good
    text = '{"planned_values": {"root_module": ' + '{"child_modules": [' * 90 + "{}" + "]}" * 90 + "}}"
    assert read(text).roles == ()


@given(data=st.data())
def test_a_damaged_plan_is_an_error_or_an_account(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = bytearray(EXAMPLE.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(text) - 1))
        text[position : position + data.draw(st.integers(0, 4))] = data.draw(
            st.one_of(st.binary(max_size=3), st.sampled_from([b"null", b"{}", b"[]", b"3", b'""', b"true"]))
        )
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    path.write_bytes(text)
    try:
        account = load(f"tfplan:{path}")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are good, a traceback is not
    else:
        for _, document in account.documents():
            assert isinstance(document.problems, tuple)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["", "x", "arn:aws:iam::1:role/x", S3])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["name", "policy", "arn"]), inner)
    ),
    max_leaves=4,
)
ATTRIBUTES = (
    "name", "path", "arn", "assume_role_policy", "inline_policy", "managed_policy_arns", "max_session_duration", "tags_all",
    "role", "policy", "policy_arn", "user", "users", "group", "groups", "permissions_boundary", "iam_instance_profile",
    "metadata_options", "url", "client_id_list", "statement",
)  # fmt: skip
TYPES = (
    "aws_iam_role", "aws_iam_user", "aws_iam_group", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_policy_attachment",
    "aws_iam_role_policy_attachment", "aws_iam_instance_profile", "aws_iam_user_group_membership", "aws_iam_saml_provider",
    "aws_iam_openid_connect_provider", "aws_instance", "aws_launch_template",
)  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(TYPES),
            st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=6),
            st.one_of(st.booleans(), st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=4)),
        ),
        max_size=5,
    )
)
def test_values_of_any_shape_are_an_error_or_an_account(tmp_path_factory: pytest.TempPathFactory, made: Any) -> None:
    resources = [
        {"address": f"{kind}.r{n}", "type": kind, "name": f"r{n}", "values": values}
        for n, (kind, values, _) in enumerate(made)
    ]
    changes = [{"address": f"{kind}.r{n}", "change": {"after_unknown": mask}} for n, (kind, _, mask) in enumerate(made)]
    path = tmp_path_factory.getbasetemp() / "shaped.json"
    path.write_text(
        json.dumps({"planned_values": {"root_module": {"resources": resources}}, "resource_changes": changes})
    )
    try:
        account = load(f"tfplan:{path}")
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are good, a traceback is not
    else:
        for _, document in account.documents():
            assert isinstance(document.problems, tuple)
