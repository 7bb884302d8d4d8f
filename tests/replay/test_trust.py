"""Witnesses acted out: who is proved to get in does get in, and who does not is told why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_stsguard.findings import Finding, Severity
from pytest_stsguard.replay import Demonstration, Stage, act_out, demonstrate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.account import Account

HOME = "111122223333"
GITHUB = "token.actions.githubusercontent.com"
OUTSIDER = "arn:aws:iam::666666666666:role/evil"


def trust(principal: Any, *, action: str = "sts:AssumeRole", condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition is not None:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def arn(name: str) -> str:
    return f"arn:aws:iam::{HOME}:role/{name}"


def test_what_the_request_carries_is_sent(account_of: Callable[..., Account]) -> None:
    trusts = {
        "network": trust({"AWS": "*"}, condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        "tagged": trust({"AWS": "*"}, condition={"StringEquals": {"aws:PrincipalTag/team": "data"}}),
        "untagged": trust({"AWS": "*"}, condition={"Null": {"aws:PrincipalTag/team": "true"}}),
        "session": trust({"AWS": "*"}, condition={"StringEquals": {"sts:RoleSessionName": "deploy"}}),
        "organized": trust({"AWS": "*"}, condition={"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}}),
        "lonely": trust({"AWS": "*"}, condition={"Null": {"aws:PrincipalOrgID": "true"}}),
    }
    contexts: dict[str, dict[str, str | list[str]]] = {
        "network": {"aws:SourceIp": "203.0.113.9"},
        "tagged": {"aws:PrincipalTag/team": "data"},
        "untagged": {},
        "session": {"sts:RoleSessionName": "deploy"},
        "organized": {"aws:PrincipalOrgID": "o-abc1234567"},
        "lonely": {},
    }
    with Stage(account_of(trusts)) as stage:
        for name, context in contexts.items():
            shown = act_out(stage, arn(name), principal=OUTSIDER, action="sts:AssumeRole", context=context)
            assert shown.done, (name, shown.reason)
        # The same outsider, without what the trust policy asks for.
        for name in ("network", "tagged", "session", "organized"):
            refused = act_out(stage, arn(name), principal=OUTSIDER, action="sts:AssumeRole", context={})
            assert (refused.done, "AccessDenied" in refused.reason) == (False, True)


def test_a_key_that_the_cloud_does_not_send_is_named(account_of: Callable[..., Account]) -> None:
    asked = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    with Stage(account_of({"private": trust({"AWS": "*"}, condition=asked)})) as stage:
        shown = act_out(
            stage, arn("private"), principal=OUTSIDER, action="sts:AssumeRole", context={"aws:SourceVpc": "vpc-1"}
        )
    assert shown == Demonstration(
        done=False, reason="the simulated cloud does not send `aws:SourceVpc`; it answered AccessDenied"
    )


def test_an_account_that_lists_its_providers_has_no_others(account_of: Callable[..., Account]) -> None:
    listed = f"arn:aws:iam::{HOME}:oidc-provider/{GITHUB}"
    missing = f"arn:aws:iam::{HOME}:oidc-provider/gitlab.com"
    saml = f"arn:aws:iam::{HOME}:saml-provider/Old"
    web, assertion = "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"
    account = account_of(
        {
            "github": trust({"Federated": listed}, action=web),
            "gitlab": trust({"Federated": missing}, action=web),
            "saml": trust({"Federated": saml}, action=assertion),
        },
        {"OpenIDConnectProviderList": [{"Arn": listed}]},
        {"Arn": listed, "Url": GITHUB, "ClientIDList": ["own"], "ThumbprintList": []},
        {"SAMLProviderList": []},
    )
    with Stage(account) as stage:
        # The trust policy asks for no audience; the provider does, and one that it takes is sent.
        context: dict[str, str | list[str]] = {f"{GITHUB}:aud": "other", f"{GITHUB}:sub": "repo:evil/evil:ref:x"}
        shown = act_out(stage, arn("github"), principal=listed, action=web, context=context)
        assert shown.done
        assert shown.reason == ""
        assert "aud=own" in shown.calls[0]
        assert act_out(stage, arn("gitlab"), principal=missing, action=web, context={}) == Demonstration(
            done=False, reason="the account has no identity provider for gitlab.com"
        )
        assert act_out(stage, arn("saml"), principal=saml, action=assertion, context={}) == Demonstration(
            done=False, reason="the account has no SAML provider Old"
        )


def test_what_cannot_call_or_is_not_there_says_so(account_of: Callable[..., Account]) -> None:
    trusts = {"open": trust({"AWS": "*"}), "machine": trust({"Service": "ec2.amazonaws.com"})}
    with Stage(account_of(trusts)) as stage:
        federated = "arn:aws:sts::666666666666:federated-user/eve"
        shown = act_out(stage, arn("open"), principal=federated, action="sts:AssumeRole", context={})
        assert shown.reason == f"`{federated}` cannot call sts:AssumeRole"
        gone = act_out(stage, arn("gone"), principal=OUTSIDER, action="sts:AssumeRole", context={})
        assert "not in the simulated cloud" in gone.reason
        login = "www.amazon.com"
        opaque = act_out(stage, arn("open"), principal=login, action="sts:AssumeRoleWithWebIdentity", context={})
        assert opaque.reason == "the simulated cloud does not know the tokens of www.amazon.com"
        tag = act_out(stage, arn("open"), principal=OUTSIDER, action="sts:TagSession", context={})
        assert tag.reason == "`sts:TagSession` opens no session by itself"
        session = "arn:aws:sts::666666666666:assumed-role/evil/known"
        assert act_out(stage, arn("open"), principal=session, action="sts:AssumeRole", context={}).done
        service = act_out(stage, arn("machine"), principal="sns.amazonaws.com", action="sts:AssumeRole", context={})
        assert service.reason == "the trust policy refuses sns.amazonaws.com"


def test_findings_are_marked_where_they_have_a_witness_and_an_account(account_of: Callable[..., Account]) -> None:
    account = account_of({"open": trust({"AWS": "*"})})
    witness = {"principal": OUTSIDER, "action": "sts:AssumeRole", "context": {}}

    def finding(resource: str, evidence: dict[str, Any]) -> Finding:
        return Finding("STSG-101", Severity.CRITICAL, resource, "open", evidence)

    known = finding(arn("open"), witness)
    stranger = finding("arn:aws:iam::999988887777:role/open", witness)
    silent = finding(arn("open"), {})
    first, second, third = demonstrate([known, stranger, silent], [account])
    assert first.evidence["demonstrated"] is True
    assert (second, third) == (stranger, silent)
    assert demonstrate([first], [account]) == (first,)
    assert first.fingerprint == known.fingerprint
    (elsewhere,) = demonstrate([known], [replace(account, partition="aws-cn")])
    assert elsewhere.evidence["demonstrated"] is False
    assert "aws-cn" in elsewhere.evidence["demonstration"]


def test_a_provider_whose_audiences_are_not_told_takes_any(account_of: Callable[..., Account]) -> None:
    listed, web = f"arn:aws:iam::{HOME}:oidc-provider/{GITHUB}", "sts:AssumeRoleWithWebIdentity"
    account = account_of(
        {"github": trust({"Federated": listed}, action=web)},
        {"OpenIDConnectProviderList": [{"Arn": listed}]},
        {"SAMLProviderList": []},
    )
    with Stage(account) as stage:
        assert "does not tell its audiences" in stage.loaded[HOME].doubts(listed)[0]
        for audience in ("one", "two"):
            context: dict[str, str | list[str]] = {f"{GITHUB}:aud": audience, f"{GITHUB}:sub": "repo:evil/evil:ref:x"}
            shown = act_out(stage, arn("github"), principal=listed, action=web, context=context)
            assert shown.done
            assert "does not tell the provider's audiences" in shown.reason
