"""A control's fix with a finding's own names in it: text to copy, in which no name is more than a name.

The catalogue keeps its general form, which ``stsguard explain`` shows. What is filled in has its place marked by a character
of Unicode's private use area, so that many findings of a control share one marked text.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Finding, Remediation

__all__ = ["FORMS", "MARKS", "Fitting", "fitted", "fitting", "own_forms"]

FORMS: Final = (("cli", "AWS CLI"), ("terraform", "Terraform"), ("cloudformation", "CloudFormation"))
"""The forms of a fix that hold names, and their titles."""

_EXAMPLE: Final = "111122223333"
"""The account that the catalogue's examples call their own."""
_STANDIN: Final = "000000000000"
"""The account of a template or plan that does not say which it is for."""
_REVOKING: Final = "AWSRevokeOlderSessions"
_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?P<service>iam|ec2):[a-z0-9-]*:(?P<account>\d{12}|):(?P<rest>.+)")
_WRITABLE = re.compile(r"(?!.*://)[ -~]{1,600}")
"""What may be copied: printable ASCII, which every name in IAM is, and nothing that the AWS CLI would read from a file."""
_OPTIONS: Final = {
    "role": ("--role-name", "ROLE"),
    "user": ("--user-name", "USER"),
    "instance": ("--instance-id", "INSTANCE"),
}

MARKS: Final = "".join(chr(0xE000 + number) for number in range(9))
_NAME, _POLICY, _HCL_NAME, _HCL_POLICY, _YAML_POLICY, _CLI_PATH, _SUB_PATH, _PARTITION, _ACCOUNT = list(MARKS)


@dataclass(frozen=True, slots=True)
class Fitting:
    """The forms of a fix that hold a finding's own names: each by its name in `FORMS`, with `MARKS` where the values go."""

    forms: tuple[tuple[str, str], ...]
    values: tuple[str, ...]

    def texts(self) -> dict[str, str]:
        """Give the forms with the values filled in."""
        places = dict(zip(map(ord, MARKS), self.values, strict=True))
        return {name: text.translate(places) for name, text in self.forms}


def fitted(fix: Remediation, finding: Finding) -> Remediation:
    """Fill a finding's role, user or instance, policy and account into the fix of its control.

    Names are quoted for the shell, and escaped for JSON, HCL and YAML; what is not known, or is no name that AWS could have
    given, keeps its placeholder.
    """
    found = fitting(fix, finding)
    return msgspec.structs.replace(fix, **found.texts()) if found else fix


def own_forms(fix: Remediation, finding: Finding) -> dict[str, str]:
    """Give the forms that differ from the control's own, by their names in `FORMS`."""
    found = fitting(fix, finding)
    return found.texts() if found else {}


def fitting(fix: Remediation, finding: Finding) -> Fitting | None:
    """Give what differs from the general fix, with the values apart; None: nothing does."""
    found = _ARN.fullmatch(finding.resource)
    if found is None or _WRITABLE.fullmatch(finding.resource) is None:
        return None
    kind, _, path = found["rest"].partition("/")
    name = path.rpartition("/")[2]
    if kind not in _OPTIONS or not name:
        return None
    policy = _policy(finding)
    inner = json.dumps(path)[1:-1]
    values = (
        _option(_OPTIONS[kind][0], name),
        _option("--policy-name", policy or _REVOKING),
        _hcl(name),
        _hcl(policy or ""),
        json.dumps(policy or ""),
        inner.replace("'", "'\"'\"'"),
        inner.replace("${", "${!"),
        found["partition"],
        found["account"].replace(_STANDIN, _EXAMPLE) or _EXAMPLE,
    )
    usual = {_PARTITION: "aws", _ACCOUNT: _EXAMPLE}
    kept = {mark for mark, value in zip(MARKS, values, strict=True) if usual.get(mark) != value}
    forms = tuple((form, text) for form, text, marks in _marked(fix, kind, policy is not None) if marks & kept)
    return Fitting(forms, values) if forms else None


def _policy(finding: Finding) -> str | None:
    """Give the policy that a finding names, unless it is the one that the catalogue names anyway."""
    policy = finding.evidence.get("policy")
    if not isinstance(policy, str) or policy == _REVOKING or policy.startswith("****"):
        return None
    return policy if _WRITABLE.fullmatch(policy) else None


@lru_cache(maxsize=1024)
def _marked(fix: Remediation, kind: str, has_policy: bool) -> tuple[tuple[str, str, frozenset[str]], ...]:  # noqa: FBT001 - lru_cache keys by position
    """Mark the places in a fix: gives each form that has some, its text, and its marks."""
    texts = {form: getattr(fix, form) for form, _ in FORMS}
    if any(mark in text for text in texts.values() for mark in MARKS):
        return ()
    if kind == "user":
        texts["cli"] = texts["cli"].replace("-role-policy --role-name ROLE ", "-user-policy --user-name USER ")
    if has_policy:
        texts["cli"] = texts["cli"].replace(f"--policy-name {_REVOKING}", _POLICY)
        texts["terraform"] = texts["terraform"].replace(f'"{_REVOKING}"', f'"{_HCL_POLICY}"')
        texts["cloudformation"] = texts["cloudformation"].replace(f": {_REVOKING}\n", f": {_YAML_POLICY}\n")
    for form, text in texts.items():
        texts[form] = text.replace("arn:aws:", f"arn:{_PARTITION}:").replace(_EXAMPLE, _ACCOUNT)
    if kind == "role":
        texts["cli"] = texts["cli"].replace('role/ROLE"', f'role/{_CLI_PATH}"')
        texts["terraform"] = texts["terraform"].replace('"ROLE"', f'"{_HCL_NAME}"')
        texts["cloudformation"] = texts["cloudformation"].replace('role/ROLE"', f'role/{_SUB_PATH}"')
    texts["cli"] = texts["cli"].replace(" ".join(_OPTIONS[kind]), _NAME)
    marked = ((form, text, frozenset(text).intersection(MARKS)) for form, text in texts.items())
    return tuple((form, text, marks) for form, text, marks in marked if marks)


def _option(option: str, value: str) -> str:
    """Write an option of the AWS CLI, which takes a value with a hyphen in front for another option."""
    return f"{option}{'=' if value.startswith('-') else ' '}{shlex.quote(value)}"


def _hcl(text: str) -> str:
    """Write the inside of a string of HCL, in which nothing is an expression."""
    return json.dumps(text)[1:-1].replace("${", "$${").replace("%{", "%%{")
