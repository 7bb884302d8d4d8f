"""Who gets in: the lessons that other tools teach, each a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.reach import entrance, federation, trustees
from pytest_stsguard.reach.deputies import deputies, sends_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.reach import Survey

GITHUB = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::111122223333:oidc-provider/{GITHUB}"
ROOT = "arn:aws:iam::111122223333:root"
OUTSIDE = "arn:aws:iam::444455556666:root"


def allow(principal: Any, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return statement | ({"Condition": condition} if condition else {})


def github(**condition: Any) -> dict[str, Any]:
    return allow({"Federated": PROVIDER}, **condition) | {"Action": "sts:AssumeRoleWithWebIdentity"}


def claims(**values: Any) -> dict[str, Any]:
    return {f"{GITHUB}:{name}": value for name, value in values.items()}


def found(survey: Survey) -> set[str]:
    """Give the controls from 101 to 111 that find something."""
    proofs = survey.proofs
    controls = {
        "101": entrance.any_account(proofs),
        "102": entrance.outside_zones(proofs),
        "103": entrance.chosen_external_id(proofs),
        "104": entrance.confused_deputies(proofs),
        "105": [*entrance.wide_claims(proofs, audience=False), *federation.open_subjects(proofs)],
        "106": [*entrance.wide_claims(proofs, audience=True), *federation.open_audiences(proofs)],
        "107": federation.open_assertions(proofs),
        "108": trustees.excluded(proofs),
        "109": trustees.gone(proofs),
        "110": trustees.whole_accounts(proofs),
        "111": entrance.undecided(proofs),
    }
    return {name for name, faults in controls.items() if list(faults)}


AUD = claims(aud="sts.amazonaws.com")
ACME = {"zones": {"trust": {"oidc": [{"issuer": GITHUB, "sub": ["repo:acme/*", "repo:acme@123/*"]}]}}}
IDS = {"zones": {"trust": {"oidc": [{"issuer": GITHUB, "sub": ["repo:acme/*"], "aud": ["sts.amazonaws.com"]}]}}}


@pytest.mark.parametrize(
    ("trust", "settings", "expected"),
    [
        pytest.param(allow("*"), {}, {"101"}, id="a bare star is as open"),
        pytest.param(allow({"AWS": "*"}), {}, {"101"}, id="as a star in AWS"),
        pytest.param([allow({"Service": "ec2.amazonaws.com"}), allow("*")], {}, {"101"}, id="every statement counts"),
        pytest.param(allow({"AWS": ["arn:aws:iam::111122223333:role/x", "*"]}), {}, {"101"}, id="every value counts"),
        pytest.param(allow({"Service": ["ec2.amazonaws.com", "ses.amazonaws.com"]}), {}, {"104"}, id="of services too"),
        pytest.param(allow({"Service": "ec2.amazonaws.com"}), {}, set(), id="EC2 sends no source"),
        pytest.param(allow({"Service": "lambda.amazonaws.com"}), {}, set(), id="nor does Lambda"),
        pytest.param(allow({"Service": "unheard-of.amazonaws.com"}), {}, set(), id="nobody knows whether this one does"),
        pytest.param(
            allow({"Service": "sns.amazonaws.com"}, StringEquals={"aws:SourceAccount": "111122223333"}), {}, set()
        ),
        pytest.param(allow({"AWS": ROOT}), {}, {"110"}, id="root is the whole account"),
        pytest.param(allow({"AWS": "111122223333"}), {}, {"110"}, id="and so is its id"),
        pytest.param(
            allow({"AWS": ROOT}, ArnLike={"aws:PrincipalArn": "arn:aws:iam::111122223333:role/ci/*"}), {}, set(),
            id="root with own roles is narrow",
        ),
        pytest.param(allow({"AWS": ROOT}, StringEquals={"aws:PrincipalTag/team": "x"}), {}, set(), id="tags tell who"),
        pytest.param(
            allow({"AWS": ROOT}, Bool={"aws:MultiFactorAuthPresent": "true"}), {}, {"110"}, id="MFA does not tell who"
        ),
        pytest.param(allow({"AWS": OUTSIDE}), {}, {"102", "103", "110"}, id="an outside account"),
        pytest.param(allow({"AWS": OUTSIDE}, StringEquals={"sts:ExternalId": "x"}), {}, {"102"}, id="with ExternalId"),
        pytest.param(
            allow({"AWS": "arn:aws:iam::444455556666:role/x"}, StringLike={"sts:ExternalId": "*"}), {}, {"102", "103"},
            id="an ExternalId that it chooses",
        ),
        pytest.param(
            allow({"AWS": "arn:aws:iam::444455556666:role/x"}),
            {"zones": {"trust": {"accounts": [{"id": "444455556666", "external_id": ["x"]}]}}}, {"103"},
            id="declared with an ExternalId that the policy does not ask for",
        ),
        pytest.param(
            allow({"AWS": "arn:aws:iam::444455556666:role/x"}),
            {"zones": {"trust": {"accounts": [{"id": "444455556666"}]}}}, set(), id="declared without one",
        ),
        pytest.param(github(StringEquals=AUD), ACME, {"105"}, id="no subject"),
        pytest.param(github(StringEquals=AUD), {}, {"102", "105"}, id="no subject, issuer not declared"),
        pytest.param(github(StringEquals=AUD, StringLike=claims(sub="repo:acme*")), ACME, {"105"}, id="no slash"),
        pytest.param(github(StringEquals=AUD, StringLike=claims(sub="repo:acme*")), {}, {"102", "105"}, id="nor here"),
        pytest.param(
            github(StringEquals=AUD | claims(sub="repo:acme@123/app@456:ref:refs/heads/main")), ACME, set(),
            id="ids pinned",
        ),
        pytest.param(github(StringEquals=AUD, StringLike=claims(sub="repo:acme@*/*")), ACME, {"105"}, id="ids open"),
        pytest.param(
            github(StringEquals=AUD, **{"ForAllValues:StringLike": claims(sub="repo:acme/*")}), ACME, {"105"},
            id="ForAllValues is a weak form",
        ),
        pytest.param(github(StringLike=claims(sub="repo:acme/*")), ACME, {"106"}, id="no audience"),
        pytest.param(github(StringLike=claims(sub="repo:acme/*", aud="*")), ACME, {"106"}, id="any audience"),
        pytest.param(
            github(StringEquals=claims(aud="other"), StringLike=claims(sub="repo:acme/*")), IDS, {"106"},
            id="another audience than the declared one",
        ),
        pytest.param(
            github(StringEquals=AUD, StringLike=claims(sub="repo:acme/*"), StringEqualsIfExists=claims(subjct="x")), ACME,
            {"105"}, id="a misspelt claim is vacuous",
        ),
        pytest.param(
            {"Effect": "Allow", "NotPrincipal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}, {}, {"101", "108"},
            id="NotPrincipal",
        ),
        pytest.param(
            [allow({"Service": "ec2.amazonaws.com"}), allow({"AWS": "AROAEXAMPLEEXAMPLE123"})], {}, {"109"},
            id="a unique id is gone",
        ),
        pytest.param(allow({"AWS": ROOT}, StringEquals={"acme:Key": "x"}), {}, set(), id="unknown keys of insiders"),
    ],
)  # fmt: skip
def test_controls_of_a_trust_policy(
    survey_of: Callable[..., Survey], trust: Any, settings: dict[str, Any], expected: set[str]
) -> None:
    assert found(survey_of({"role": trust}, **settings)) == expected


@pytest.mark.parametrize(
    ("issuer", "claim", "value"),
    [
        (GITHUB, "repository_owner_id", "123456"),
        ("gitlab.com", "namespace_id", "72"),
        ("gitlab.com", "project_id", "7200"),
        ("agent.buildkite.com", "organization_id", "0184990a-477b-4fa8-9968-496074483cee"),
        ("agent.buildkite.com", "organization_slug", "acme"),
    ],
)
def test_a_tenant_may_be_pinned_by_its_id(
    issuer: str, claim: str, value: str, survey_of: Callable[..., Survey]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif"""
    provider = {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{issuer}"}
    pinned = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:{claim}": value}
    trust = allow(provider, StringEquals=pinned) | {"Action": "sts:AssumeRoleWithWebIdentity"}
    assert found(survey_of({"role": trust})) == {"102"}  # nobody declared the tenant
    wide = allow(provider, StringLike=pinned | {f"{issuer}:{claim}": "*"}) | {"Action": "sts:AssumeRoleWithWebIdentity"}
    assert "105" in found(survey_of({"role": wide}))


def test_an_issuer_may_end_in_a_slash(survey_of: Callable[..., Survey]) -> None:
    """Auth0's do: https://auth0.com/docs/secure/tokens/json-web-tokens/json-web-token-claims"""
    issuer = "acme.eu.auth0.com/"
    trust = allow(
        {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{issuer}"},
        StringEquals={f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": "job"},
    ) | {"Action": "sts:AssumeRoleWithWebIdentity"}
    zones = {
        "zones": {"trust": {"oidc": [{"issuer": f"https://{issuer}", "sub": ["job"], "aud": ["sts.amazonaws.com"]}]}}
    }
    assert found(survey_of({"role": trust}, **zones)) == set()
    leaky = trust | {"Condition": {"StringEquals": {f"{issuer}:sub": "job"}}}
    assert found(survey_of({"role": leaky}, **zones)) == {"106"}


def test_weak_form_of_a_subject_is_medium(survey_of: Callable[..., Survey]) -> None:
    trust = github(StringEquals=AUD, **{"ForAllValues:StringLike": claims(sub="repo:acme/*")})
    (fault,) = federation.open_subjects(survey_of({"role": trust}, **ACME).proofs)
    assert fault.severity == "medium"


def test_open_subject_comes_with_a_witness(survey_of: Callable[..., Survey]) -> None:
    (fault,) = federation.open_subjects(survey_of({"role": github(StringEquals=AUD)}).proofs)
    assert fault.severity is None
    assert fault.evidence["context"][f"{GITHUB}:sub"].startswith("repo:evil")


def test_service_linked_roles_are_not_the_accounts_to_change(survey_of: Callable[..., Survey]) -> None:
    details = {
        "AWSServiceRoleForSNS": {
            "Path": "/aws-service-role/sns.amazonaws.com/",
            "Arn": "arn:aws:iam::111122223333:role/aws-service-role/sns.amazonaws.com/AWSServiceRoleForSNS",
        }
    }
    survey = survey_of({"AWSServiceRoleForSNS": allow({"Service": "sns.amazonaws.com"})}, details=details)
    assert found(survey) == set()


def test_saml_needs_an_audience_and_a_declared_provider(survey_of: Callable[..., Survey]) -> None:
    provider = {"Federated": "arn:aws:iam::111122223333:saml-provider/Okta"}
    action = {"Action": "sts:AssumeRoleWithSAML"}
    pinned = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    trusts = {"open": allow(provider) | action, "pinned": allow(provider, **pinned) | action}
    declared = survey_of(trusts, zones={"trust": {"saml": ["Okta"]}})
    faults = [*federation.open_assertions(declared.proofs)]
    assert [fault.resource.rpartition("/")[2] for fault in faults] == ["open"]
    undeclared = {fault.resource for fault in federation.open_assertions(survey_of(trusts).proofs)}
    assert len(undeclared) == 2


def test_roles_with_tags_are_proved_with_their_own(survey_of: Callable[..., Survey]) -> None:
    asked = {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceTag/partner}"}}
    details = {"role": {"Tags": [{"Key": "partner", "Value": "111122223333"}]}}
    assert found(survey_of({"role": allow({"AWS": "*"}, **asked)}, details=details)) <= {"110"}
    details = {"role": {"Tags": [{"Key": "partner", "Value": "999988887777"}]}}
    assert found(survey_of({"role": allow({"AWS": "*"}, **asked)}, details=details)) & {"101", "102"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ses.amazonaws.com", True),
        ("sns.amazonaws.com", None),
        ("Glue.eu-west-1.amazonaws.com", None),
        ("states.eu-west-1.amazonaws.com", True),
        ("monitoring.rds.amazonaws.com", True),
        ("vpc-flow-logs.amazonaws.com", True),
        ("events.amazonaws.com.cn", True),
        ("ec2.amazonaws.com", False),
        ("lambda.amazonaws.com", False),
        ("ecs-tasks.amazonaws.com", False),
        ("nothing.amazonaws.com", False),
        ("sns.amazonaws.com.evil.example", False),
    ],
)
def test_services_that_send_a_source(name: str, expected: bool | None) -> None:  # noqa: FBT001 - a parameter of the table
    assert sends_source(name) is expected


def test_list_of_services_never_holds_those_that_pass_role_keeps() -> None:
    assert not deputies().keys() & {"ec2", "lambda", "ecs-tasks", "edgelambda"}


def test_list_of_services_says_where_it_is_from() -> None:
    pages = set(deputies().values())
    assert len(pages) >= 50
    assert all(page.startswith("https://docs.aws.amazon.com/") and page.endswith(".html") for page in pages)
    for name in ("cloudtrail", "codebuild", "config", "events", "scheduler", "states"):
        assert deputies()[name] in pages


def test_service_of_which_it_is_not_settled_is_neither_a_finding_nor_a_pass(survey_of: Callable[..., Survey]) -> None:
    mine = {"Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}
    trust = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
    proofs = survey_of({"a": trust, "b": trust, "c": trust | mine}).proofs
    assert list(entrance.confused_deputies(proofs)) == []
    (reason,) = entrance.unsettled_deputies(proofs)
    assert reason.startswith("2 roles let `s3.amazonaws.com` in for anybody")


def test_fault_of_the_prover_is_told_and_hides_no_other_role(
    survey_of: Callable[..., Survey], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_stsguard.trust import Prover

    prove = Prover.prove

    def broken(self: Prover, policy: Any) -> Any:
        if any("broken" in principal.value for s in policy.statements for principal in s.principals or ()):
            raise RuntimeError("no idea")
        return prove(self, policy)

    monkeypatch.setattr(Prover, "prove", broken)
    proofs = survey_of({"bad": allow({"AWS": "arn:aws:iam::111122223333:role/broken"}), "wide": allow("*")}).proofs
    assert [fault.resource for fault in entrance.any_account(proofs)] == ["arn:aws:iam::111122223333:role/wide"]
    assert list(entrance.undecided(proofs)) == []
    assert proofs.faults == {"arn:aws:iam::111122223333:role/bad": "the prover failed: RuntimeError: no idea"}


def test_more_grants_than_iam_takes_are_said_to_be_too_many(survey_of: Callable[..., Survey]) -> None:
    pinned = [github(StringEquals=AUD | claims(sub=f"repo:acme/app-{n}:ref:refs/heads/main")) for n in range(100)]
    proofs = survey_of({"role": pinned}, **ACME).proofs
    for faults in (federation.open_subjects(proofs), federation.open_audiences(proofs)):
        assert ["100 grants to OIDC" in fault.message for fault in faults] == [True]
    accounts = [allow({"AWS": f"{n:012d}"}, StringEquals={"sts:ExternalId": "x"}) for n in range(200)]
    faults = list(trustees.whole_accounts(survey_of({"role": accounts}).proofs))
    assert [fault.message for fault in faults] == ["trusts 200 accounts: only 128 were looked at"]


def test_witnesses_of_one_kind_are_told_once_a_statement(survey_of: Callable[..., Survey]) -> None:
    outside = [f"arn:aws:iam::444455556666:role/r{n}" for n in range(5)]
    faults = list(entrance.outside_zones(survey_of({"role": allow({"AWS": outside})}).proofs))
    assert len(faults) == 1
    places = {
        fault.place
        for fault in entrance.outside_zones(survey_of({"role": [allow({"AWS": one}) for one in outside]}).proofs)
    }
    assert len(places) == 5


def test_issuer_that_is_not_declared_is_named(survey_of: Callable[..., Survey]) -> None:
    trust = github(StringEquals=AUD | claims(sub="repo:acme/app:ref:refs/heads/main"))
    (fault,) = entrance.outside_zones(survey_of({"role": trust}).proofs)
    assert fault.message.startswith(f"the issuer {GITHUB} is not declared")
    assert "sub=repo:acme/app:ref:refs/heads/main" in fault.message


def test_what_a_proof_left_out_is_told_beside_its_witnesses(survey_of: Callable[..., Survey]) -> None:
    trust = [allow({"AWS": "arn:aws:iam::444455556666:role/x"}), {"Effect": "Allow", "Principal": 5, "Action": "sts:*"}]
    proofs = survey_of({"role": trust}).proofs
    assert list(entrance.outside_zones(proofs))
    assert list(entrance.undecided(proofs))
