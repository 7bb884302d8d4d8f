from __future__ import annotations

from pytest_stsguard.findings import Reasons


def test_a_reason_is_told_once_with_the_accounts_that_it_holds_for() -> None:
    reasons = Reasons()
    reasons.add("STSG-101", "no roles")
    reasons.add("STSG-101", "no roles")
    for number in range(7):
        reasons.add("STSG-401", "AccessDenied", account=f"{number}" * 12)
    reasons.add("STSG-401", "AccessDenied", account="0" * 12)
    reasons.add("STSG-402", "AccessDenied", account="1" * 12)
    assert reasons.texts() == {
        "STSG-101": "no roles",
        "STSG-401": "accounts 000000000000, 111111111111, 222222222222, 333333333333, 444444444444 and 2 more: AccessDenied",
        "STSG-402": "account 111111111111: AccessDenied",
    }


def test_what_several_processes_noted_is_put_together() -> None:
    here, there = Reasons(), Reasons()
    here.add("STSG-101", "no roles", account="1" * 12)
    there.add("STSG-101", "no roles", account="2" * 12)
    there.add("STSG-101", "it broke")
    here.take(there.as_json())
    assert here.texts() == {"STSG-101": "accounts 111111111111, 222222222222: no roles; it broke"}
    assert Reasons().texts() == {}
