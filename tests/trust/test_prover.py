from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Condition, Policy
from pytest_stsguard.trust import Prover, Zones, prove
from pytest_stsguard.trust.budget import Budget
from pytest_stsguard.trust.chars import NOT_COLON, Chars, literal, many, restrict
from pytest_stsguard.trust.check import Check
from pytest_stsguard.trust.option import fixed, key
from pytest_stsguard.trust.request_class import Literal, RequestClass
from pytest_stsguard.trust.search import solve

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OWN, FOREIGN, GITHUB = "111122223333", "999988887777", "token.actions.githubusercontent.com"
ZONES = Zones.parse(
    {"account": OWN, "org_id": "o-a1b2c3d4e5", "trust": {"oidc": [{"issuer": GITHUB, "sub": ["repo:acme/*"]}]}}
)
STAR = {"AWS": "*"}


def allow(
    principal: Any, conditions: Any = None, action: str = "sts:AssumeRole", effect: str = "Allow"
) -> dict[str, Any]:
    found = {"Effect": effect, "Principal": principal, "Action": action}
    return {**found, "Condition": conditions} if conditions is not None else found


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def provider(issuer: str) -> dict[str, str]:
    return {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{issuer}"}


def test_a_witness_tells_who_sends_what_through_which_statement() -> None:
    claims = {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}, "StringLike": {f"{GITHUB}:sub": "repo:acme*"}}
    proof = prove(policy(allow(provider(GITHUB), claims, "sts:AssumeRoleWithWebIdentity")), ZONES, now=NOW)
    (witness,) = proof.witnesses
    assert witness.summary == (
        "any repository on GitHub can assume this role: aud=sts.amazonaws.com, "
        "sub=repo:acme-evil/evil-repo:ref:refs/heads/main (Statement[0])"
    )
    assert witness.principal == f"arn:aws:iam::{OWN}:oidc-provider/{GITHUB}"
    assert witness.action == "sts:AssumeRoleWithWebIdentity"
    assert witness.context == {
        f"{GITHUB}:aud": "sts.amazonaws.com",
        f"{GITHUB}:sub": "repo:acme-evil/evil-repo:ref:refs/heads/main",
    }
    assert (witness.statement, witness.kind, witness.declared) == ("Statement[0]", "oidc", True)


@pytest.mark.parametrize(
    ("statement", "kind", "declared", "words"),
    [
        (allow("*"), "any-account", False, "any AWS account, such as arn:aws:iam::666666666666:role/evil,"),
        (allow({"AWS": FOREIGN}), "external-account", False, "of an account that is not declared"),
        (allow({"AWS": "444455556666"}), "external-account", True, "of a declared account"),
        (
            allow(STAR, {"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}}),
            "organization",
            False,
            "an account of an organization that is not declared",
        ),
        (allow({"Service": "sns.amazonaws.com"}), "service", True, "sns.amazonaws.com for any customer of it"),
        (
            allow({"Service": "sns.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": FOREIGN}}),
            "service",
            True,
            "sns.amazonaws.com for a source outside the zones",
        ),
        (
            allow({"Federated": f"arn:aws:iam::{OWN}:saml-provider/Old"}, None, "sts:AssumeRoleWithSAML"),
            "saml",
            False,
            "any identity of the SAML provider Old",
        ),
        (
            allow({"Federated": "www.amazon.com"}, None, "sts:*"),
            "oidc",
            False,
            "any Amazon customer can assume this role (S",
        ),
    ],
)
def test_the_kinds_of_witnesses(statement: dict[str, Any], kind: str, words: str, *, declared: bool) -> None:
    zones = Zones.parse({"account": OWN, "trust": {"accounts": [{"id": "444455556666", "external_id": ["x"]}]}})
    (witness,) = prove(policy(statement), zones, now=NOW).witnesses
    assert (witness.kind, witness.declared) == (kind, declared)
    assert words in witness.summary


def test_a_service_that_nobody_declared_is_outside_whatever_its_source() -> None:
    zones = Zones.parse({"account": OWN, "trust": {"services": {"ec2.amazonaws.com": "any"}}})
    own = {"StringEquals": {"aws:SourceAccount": OWN}}
    (witness,) = prove(policy(allow({"Service": "sns.amazonaws.com"}, own)), zones, now=NOW).witnesses
    assert not witness.declared
    assert witness.summary.startswith(
        "sns.amazonaws.com, which is not declared, can assume this role: aws:SourceAccount"
    )


def test_a_long_or_odd_value_is_shown_on_one_line() -> None:
    odd = {"StringEquals": {"aws:UserAgent": "a\u2028" + "b" * 400}}
    (witness,) = prove(policy(allow(STAR, odd)), ZONES, now=NOW).witnesses
    assert "\\u2028bbb" in witness.summary
    assert witness.summary.endswith("bbb... (Statement[0])")


def test_several_values_are_shown_in_brackets() -> None:
    tags = {"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}
    (witness,) = prove(policy(allow(STAR, tags)), ZONES, now=NOW).witnesses
    assert "aws:TagKeys=[team]" in witness.summary
    assert witness.context["aws:TagKeys"] == ["team"]


def test_one_witness_a_class_and_none_that_adds_nothing() -> None:
    statements = [allow("*"), allow({"AWS": FOREIGN}), allow({"Service": "sns.amazonaws.com"})]
    proof = prove(policy(*statements), ZONES, now=NOW)
    assert [witness.kind for witness in proof.witnesses] == ["any-account", "external-account", "service"]


def test_the_closed_classes_are_listed() -> None:
    proof = prove(policy(allow({"AWS": OWN}), allow({"Service": "ec2.amazonaws.com"})), ZONES, now=NOW)
    assert proof.verdict == "narrow"
    assert proof.closed == (f"account {OWN} (own)", "ec2.amazonaws.com")


def test_zones_and_proofs_travel_between_processes() -> None:
    proof = prove(policy(allow("*")), ZONES, now=NOW)
    assert pickle.loads(pickle.dumps(proof)) == proof
    assert pickle.loads(pickle.dumps(ZONES)) == ZONES


def test_zones_may_be_any_mapping() -> None:
    assert Zones.parse(MappingProxyType({"account": OWN, "trust": MappingProxyType({"saml": ["Okta"]})})).saml == (
        "Okta",
    )


def test_equal_policies_are_proved_once() -> None:
    prover = Prover(ZONES, now=NOW)
    document = policy(allow("*"))
    assert prover.prove(document) is prover.prove(json.dumps(document))
    assert prover.prove(document) is not prover.prove(policy(allow({"AWS": "*"})))


def test_a_policy_that_iam_rejects_is_not_taken_for_the_one_without_the_fault() -> None:
    prover = Prover(ZONES, now=NOW)
    assert prover.prove(policy(allow({"AWS": OWN}))).verdict == "narrow"
    assert prover.prove({**policy(allow({"AWS": OWN})), "Statements": []}).verdict == "undecided"


def test_the_moment_counts() -> None:
    document = policy(allow(STAR, {"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}))
    assert prove(document, ZONES, now=NOW).verdict == "too_broad"
    later = prove(document, ZONES, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert (later.verdict, later.dead) == ("narrow", True)
    assert prove(policy(allow({"AWS": OWN})), ZONES).verdict == "narrow"


def test_a_deny_that_cannot_be_read_keeps_a_witness_from_replaying() -> None:
    unreadable = allow(STAR, {"StringMatches": {"aws:PrincipalOrgID": "x"}}, effect="Deny")
    proof = prove(policy(allow(STAR), unreadable), ZONES, now=NOW)
    assert (proof.verdict, proof.witnesses) == ("undecided", ())
    assert any("the policy engine does not allow what was found" in reason for reason in proof.reasons)


def test_an_open_statement_beside_an_unreadable_one_still_gives_its_witness() -> None:
    unreadable = allow({"AWS": OWN}, {"StringMatches": {"aws:PrincipalOrgID": "x"}})
    proof = prove(policy(allow(STAR), unreadable), ZONES, now=NOW)
    assert proof.verdict == "undecided"
    assert [witness.kind for witness in proof.witnesses] == ["any-account"]


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"x"', "{", '{"Version": "2012-10-17"}', "[" * 100_000, "\ud800", "\x00"]
)
def test_what_is_no_policy_is_undecided(text: str) -> None:
    proof = prove(text, ZONES, now=NOW)
    assert (proof.verdict, proof.witnesses) == ("undecided", ())
    assert proof.reasons


def test_a_repeated_key_is_undecided() -> None:
    statement = '{"Effect": "Deny", "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}'
    proof = prove(f'{{"Version": "2012-10-17", "Statement": [{statement}]}}', ZONES, now=NOW)
    assert proof.verdict == "undecided"
    assert "duplicate key `Effect`" in proof.reasons[0]


@pytest.mark.parametrize(
    "principal",
    [
        {"Federated": f"arn:aws:iam::{OWN}:role/x"},
        {"Federated": "arn:aws:iam::111:oidc-provider/x"},
        {"AWS": f"arn:aws:sts::{OWN}:assumed-role/x"},
        {"AWS": f"arn:aws:iam:eu-west-1:{OWN}:role/x"},
        {"Service": "ec2.amazonaws.org"},
        {"CanonicalUser": "abc"},
        {"Service": "*"},
        {"Federated": "*"},
    ],
)
def test_principals_that_iam_rejects_or_nobody_explains_are_undecided(principal: dict[str, str]) -> None:
    proof = prove(policy(allow(principal, None, "sts:*")), ZONES, now=NOW)
    assert (proof.verdict, proof.witnesses) == ("undecided", ())


def test_a_service_star_beside_an_open_door_is_too_broad() -> None:
    assert prove(policy(allow({"Service": "*", "AWS": "*"})), ZONES, now=NOW).verdict == "too_broad"


def test_one_user_by_name() -> None:
    user = {"AWS": f"arn:aws:iam::{FOREIGN}:user/ops/bob"}
    assert prove(policy(allow(user, {"StringEquals": {"aws:username": "bob"}})), ZONES, now=NOW).verdict == "too_broad"
    assert prove(policy(allow(user, {"StringEquals": {"aws:username": "ops/bob"}})), ZONES, now=NOW).dead
    account = allow({"AWS": FOREIGN}, {"StringLike": {"aws:username": "ops/*b"}})
    assert prove(policy(account), ZONES, now=NOW).dead


def test_issuers_and_providers_that_a_star_may_admit_are_looked_at_once() -> None:
    saml = {"Federated": f"arn:aws:iam::{OWN}:saml-provider/Okta"}
    statements = [
        allow(provider(GITHUB), {"StringLike": {f"{GITHUB}:sub": "repo:acme/*"}}, "sts:AssumeRoleWithWebIdentity"),
        allow(saml, None, "sts:AssumeRoleWithSAML"),
        allow(STAR, {"StringLike": {f"{GITHUB}:sub": "repo:acme/*"}}, "sts:AssumeRoleWithWebIdentity"),
        allow(STAR, {"StringEquals": {"saml:aud": "x", "aws:PrincipalOrgID": "y"}}, "sts:AssumeRoleWithSAML"),
        allow({"Service": "ec2.amazonaws.com"}),
        allow(STAR, {"StringEquals": {"aws:PrincipalAccount": OWN}}),
    ]
    zones = Zones.parse(
        {"account": OWN, "trust": {"oidc": [{"issuer": GITHUB, "sub": ["repo:acme/*"]}], "saml": ["Okta"]}}
    )
    assert prove(policy(*statements), zones, now=NOW).verdict == "narrow"


def test_a_source_in_an_organisation_when_the_own_one_is_not_known() -> None:
    zones = Zones.parse({"account": OWN})
    service = {"Service": "config.amazonaws.com"}
    document = policy(allow(service, {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}}))
    assert prove(document, zones, now=NOW).verdict == "too_broad"


HOSTILE: dict[str, dict[str, Any]] = {
    "many accounts": policy(
        allow({"AWS": [f"{number:012d}" for number in range(10_000)]}),
        allow(STAR, {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, effect="Deny"),
    ),
    "many statements": policy(
        *(allow({"AWS": f"{number:012d}"}, {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}) for number in range(10_000))
    ),
    "many denies": policy(
        allow(STAR),
        *(
            allow(
                STAR,
                {
                    "StringNotEquals": {"aws:PrincipalOrgID": f"o-{one:010d}"},
                    "StringNotLike": {"sts:RoleSessionName": f"*{one}*", "sts:ExternalId": f"a{one}*"},
                },
                effect="Deny",
            )
            for one in range(60)
        ),
    ),
    "exploding automata": policy(
        allow(
            provider(GITHUB),
            {
                "StringLike": {f"{GITHUB}:sub": ["*a" + "?" * 20, "*b" + "?" * 21]},
                "StringNotLike": {f"{GITHUB}:sub": ["repo:?*", "*a" + "?" * 24 + "*"]},
            },
            "sts:AssumeRoleWithWebIdentity",
        )
    ),
    "huge numbers": policy(
        allow(
            STAR,
            {
                "NumericEquals": {"aws:MultiFactorAuthAge": [f"{one}e{one % 999}" for one in range(3_000)]},
                "NumericNotEquals": {"aws:MultiFactorAuthAge": [f"{one}e{one % 999}" for one in range(3_000)]},
            },
        )
    ),
    "many organisations": policy(
        *(
            allow(
                STAR, {"StringLike": {"aws:PrincipalOrgID": [f"o-{one:010d}*" for one in range(8_000)]}}, effect=effect
            )
            for effect in ("Allow", "Deny")
        )
    ),
    "five megabytes of stars": policy(allow(STAR, {"StringLike": {"sts:ExternalId": "x*" * 2_500_000}})),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_policy_is_undecided_when_its_budget_is_used_up(name: str) -> None:
    proof = prove(Policy.parse(HOSTILE[name], kind="trust", lenient=True), ZONES, now=NOW, budget=60_000)
    assert proof.verdict == "undecided"
    assert any("budget of 60000 steps" in reason or "that are looked at" in reason for reason in proof.reasons)


def test_a_budget_that_runs_out_after_a_witness_is_still_too_broad() -> None:
    statements = [
        allow(STAR),
        *(
            allow({"Service": f"s{one}.amazonaws.com"}, {"ArnLike": {"aws:SourceArn": f"arn:aws:*:*:{OWN}:*"}})
            for one in range(500)
        ),
    ]
    proof = prove(policy(*statements), ZONES, now=NOW, budget=5_000)
    assert proof.verdict == "too_broad"
    assert proof.reasons == ("the budget of 5000 steps is used up (shorten the lists of patterns, or split the role)",)


def test_no_more_than_fifty_witnesses() -> None:
    proof = prove(policy(allow({"AWS": [f"{number:012d}" for number in range(9_000)]})), ZONES, now=NOW)
    assert (proof.verdict, len(proof.witnesses)) == ("too_broad", 50)
    assert proof.reasons == ("only the first 50 witnesses were looked for (mend these and prove again)",)


def test_letters_that_a_set_does_not_hold_are_left_out_of_a_pattern() -> None:
    slots = (*many(NOT_COLON), *literal(":"))
    assert restrict(slots, Chars(frozenset(":"))) == literal(":")
    assert restrict(slots, Chars(frozenset("a"))) is None


def test_a_literal_that_is_already_chosen_costs_nothing_more() -> None:
    check = Check(Condition("StringEquals", "StringEquals", None, if_exists=False, key="k", values=("a",)))
    other = Check(Condition("StringEquals", "StringEquals", None, if_exists=False, key="l", values=("a",)))
    asker = RequestClass("service", "", "service", "sts:AssumeRole", lambda name: key(name, fixed("a", "b")))
    holds, fails = Literal(check, want=True), Literal(check, want=False)
    found = solve(asker, [(holds,), (holds, fails), (fails, Literal(other, want=False))], Budget(), sure=True)
    assert found is not None
    assert {name: value.value for name, value in found.values.items()} == {"k": "a", "l": "b"}
    assert solve(asker, [(holds,), (fails,)], Budget(), sure=True) is None
    assert solve(asker, [()], Budget(), sure=True) is None


def test_what_is_known_of_one_key_is_kept_when_the_search_steps_back() -> None:
    asker = RequestClass("service", "", "service", "sts:AssumeRole", lambda name: key(name, fixed("a", "b")))

    def literal_of(name: str, value: str) -> Literal:
        return Literal(
            Check(Condition("StringEquals", "StringEquals", None, if_exists=False, key=name, values=(value,))),
            want=True,
        )

    first = (literal_of("k", "a"), literal_of("k", "b"))
    second = (literal_of("l", "a"), literal_of("l", "b"))
    third = (literal_of("l", "y"), literal_of("l", "z"))
    budget = Budget()
    assert solve(asker, [first, second, third], budget, sure=True) is None
    assert budget.used < 40


def test_the_value_of_a_variable_meets_the_other_conditions_on_it() -> None:
    conditions = {"StringEquals": {"sts:RoleSessionName": "${aws:username}"}, "StringLike": {"aws:username": "ali?e"}}
    (witness,) = prove(policy(allow({"AWS": FOREIGN}, conditions)), ZONES, now=NOW).witnesses
    assert witness.context == {"aws:username": "alixe", "sts:RoleSessionName": "alixe"}


def test_an_unknown_kind_of_policy_is_refused() -> None:
    with pytest.raises(InputError):
        Policy.parse("{}", kind="trusty", lenient=True)
