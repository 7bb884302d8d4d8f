"""The files that ``stsguard init`` writes: a configuration, a first module of checks, a workflow."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Final

from pytest_stsguard.cli.output import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_stsguard.account import Account
    from pytest_stsguard.cli.encounter import Encounter, Encounters

__all__ = ["CHECKS", "configuration", "workflow"]

CHECKS: Final = '''\
"""Our own checks, beside the shipped ones. Run them:  pytest test_stsguard.py"""

import pytest

from pytest_stsguard.asserts import assert_allowed, assert_denied


@pytest.mark.stsguard_drill
def test_stolen_session_dies_and_a_fresh_one_lives(sts_assume_role, sts_revoke):
    stolen = sts_assume_role("A4L-DataRole", session_name="stolen")
    assert_allowed(stolen, "s3.list_buckets")

    sts_revoke("A4L-DataRole")

    assert_denied(stolen, "s3.list_buckets")
    assert_allowed(sts_assume_role("A4L-DataRole", session_name="fresh"), "s3.list_buckets")


@pytest.mark.stsguard("OWN-1", severity="low")
def test_every_role_has_an_owner(sts_account, sts_findings):
    for role in sts_account.roles:
        if "owner" not in {tag.lower() for tag in role.tags}:
            sts_findings.add(role.arn, "has no tag `owner`: whom to call when its session is stolen")
'''

_NOTES: Final = 40
"""The column in which comments begin."""

STAND_IN: Final = "000000000000"
"""The account of a template or plan that does not say for which account it is."""

_HEAD: Final = """\
# stsguard.toml: who may assume roles here, and what fails a run. Written by `stsguard init`{source}.
# A line with "confirm" is what init saw. What lets outsiders in is commented out: a finding until you take the `#` away.

fail_on = "high"                        # low, medium, high or critical: the lowest severity that fails
# baseline = "stsguard-baseline.json"   # findings in it do not fail: pytest --stsguard-write-baseline FILE makes it

[zones]
"""
_TAIL: Final = """\
# services = {"ec2.amazonaws.com" = "any", "*" = "source-in-zone"}   # replaces the default table whole

[sessions]                              # the longest session that could exist: when a revoke policy may go
role_hours = 12
user_hours = 36

[limits]
unused_days = 90                        # STSG-303
session_hours = 4                       # STSG-301
shared_instances = 10                   # STSG-402

[live]
# accounts = ["111122223333"]           # the only accounts that drills, revoke --apply and cleanup --apply may change
# audit_role = "stsguard-audit"         # what is assumed in each account of an organisation, to read it

# [[mute]]                              # a finding that is accepted, with a reason and an end
# control = "STSG-303"
# resource = "arn:aws:iam::*:role/break-glass"
# reason = "used in emergencies only"
# owner = "platform@example.com"
# expiry = 2027-06-30
"""


def configuration(account: Account | None, met: Encounters | None) -> str:
    """Write stsguard.toml for an account, or a form to fill in where none was read.

    Args:
        account: what was read.
        met: whom its trust policies name.
    """
    source = f" from {printable(account.source)}" if account and account.source else ""
    return _HEAD.format(source=source) + "".join(f"{line}\n" for line in _zones(account, met)) + _TAIL


def _zones(account: Account | None, met: Encounters | None) -> Iterator[str]:
    if account is None or account.id == STAND_IN:
        yield _noted('# account = "111122223333"', "confirm: the account that is audited")
    else:
        yield _noted(f"account = {_text(account.id)}", "confirm: the account that was read")
        if account.partition != "aws":
            yield f"partition = {_text(account.partition)}"
    organizations = list(met.organizations.values()) if met else []
    for one in organizations:
        yield _noted(f"# org_id = {_text(one.name)}", f"confirm{_by(one)}")
    if not organizations:
        yield _noted('# org_id = "o-a1b2c3d4e5"', "confirm: the organisation, if its accounts are yours")
    yield from ("", "[zones.trust]", "own_account = true")
    yield from _table("accounts", "whose account it is, and that the ids are yours", _accounts(met))
    yield from _table("oidc", "that these subjects are yours; no sub means every tenant of the issuer", _issuers(met))
    yield from _table("saml", "that these are your identity providers", _providers(met))


def _table(key: str, question: str, rows: Iterable[str]) -> Iterator[str]:
    seen = list(rows)
    if not seen:
        yield f"{key} = []"
        return
    yield _noted(f"{key} = [", f"confirm {question}")
    yield from (f"    # {row}" for row in seen)
    yield "]"


def _noted(setting: str, note: str) -> str:
    return f"{setting:<{_NOTES}}# {note}"


def _accounts(met: Encounters | None) -> Iterator[str]:
    for one in met.accounts.values() if met else ():
        ids = f", external_id = {_texts(one.external_ids)}" if one.external_ids else ""
        yield f"{{id = {_text(one.name)}{ids}}},  # confirm{_by(one)}"


def _issuers(met: Encounters | None) -> Iterator[str]:
    from pytest_stsguard.trust.issuers import is_github

    for one in met.oidc.values() if met else ():
        more = f", sub = {_texts(one.subjects)}" if one.subjects else ""
        more += f", aud = {_texts(one.audiences)}" if one.audiences else ""
        if one.subjects or not (one.strangers or is_github(one.name)):
            yield f"{{issuer = {_text(one.name)}{more}}},  # confirm{_by(one)}"
        if one.strangers:
            yield f"# left out, since strangers could match it: {_texts(one.strangers)} of {printable(one.name)}"
        elif not one.subjects and is_github(one.name):
            yield f'# left out: no role says which repositories of {printable(one.name)}; write sub = ["repo:OWNER/*"]'


def _providers(met: Encounters | None) -> Iterator[str]:
    for one in met.saml.values() if met else ():
        yield f"{_text(one.name)},  # confirm{_by(one)}"


def _by(one: Encounter) -> str:
    return f": trusted by {printable(one.told_by())}" if one.roles else ": in the account, trusted by no role"


def _text(value: str) -> str:
    """Write a TOML basic string; it differs from JSON's in DEL alone, and JSON's pairs of surrogates are avoided."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(values: Iterable[str]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"


_GITHUB: Final = """\
name: stsguard
on:
  pull_request:
  schedule:
    - cron: "17 4 * * *"
permissions:
  contents: read
  security-events: write{permissions}
jobs:
  audit:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-python@v6
        with:
          python-version: "3.13"{credentials}
      - run: python -m pip install pytest-stsguard
      - run: |
          stsguard audit {target} --report sarif:stsguard.sarif --report html:stsguard.html
      - run: |
          pytest test_stsguard.py --stsguard-target {target}
        if: always()
      - uses: actions/upload-artifact@v5
        if: always()
        with:
          name: stsguard
          path: stsguard.html
      - uses: github/codeql-action/upload-sarif@v4
        if: always() && hashFiles('stsguard.sarif') != ''
        with:
          sarif_file: stsguard.sarif
"""
_GITHUB_LOGIN: Final = """
      - uses: aws-actions/configure-aws-credentials@v5
        with:
          role-to-assume: arn:aws:iam::{account}:role/stsguard-audit   # stsguard policy audit: what it needs
          aws-region: us-east-1"""
_GITLAB: Final = """\
stsguard:
  image: python:3.13-slim
  script:
    - python -m pip install pytest-stsguard
    - |
      stsguard audit {target} --report html:stsguard.html --report sarif:stsguard.sarif
    - |
      pytest test_stsguard.py --stsguard-target {target} --junitxml=stsguard.xml
  artifacts:
    when: always
    paths: [stsguard.html, stsguard.sarif]
    reports:
      junit: stsguard.xml
"""


def workflow(kind: str, target: str, account: Account | None) -> tuple[str, str]:
    """Give the path and the text of a workflow that audits a target.

    Args:
        kind: ``github`` or ``gitlab``.
        target: as for ``stsguard audit``; a profile is left out, since CI has none.
        account: whose role the workflow assumes for a live target.
    """
    live = target.partition(":")[0] in {"aws", "org"}
    shown = target.partition(":")[0] if live else target
    quoted = shlex.quote(shown)
    if kind == "gitlab":
        return ".gitlab-ci.yml", _GITLAB.format(target=quoted)
    login = _GITHUB_LOGIN.format(account=account.id if account else "111122223333") if live else ""
    permissions = "\n  id-token: write" if live else ""
    text = _GITHUB.format(target=quoted, credentials=login, permissions=permissions)
    return ".github/workflows/stsguard.yml", text
