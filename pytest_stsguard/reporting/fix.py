"""A control's fix with a finding's own names in it: text to copy, in which no name is more than a name.

The catalogue keeps its general form, which ``stsguard explain`` shows.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Final

from pytest_stsguard.reporting.model import Remediation

if TYPE_CHECKING:
    from pytest_stsguard.reporting.model import Finding

__all__ = ["fitted"]

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


def fitted(fix: Remediation, finding: Finding) -> Remediation:
    """Fill a finding's role, user or instance, policy and account into the fix of its control.

    Names are quoted for the shell, and escaped for JSON, HCL and YAML; what is not known, or is no name that AWS could have
    given, keeps its placeholder.
    """
    found = _ARN.fullmatch(finding.resource)
    if found is None or _WRITABLE.fullmatch(finding.resource) is None:
        return fix
    kind, _, path = found["rest"].partition("/")
    name = path.rpartition("/")[2]
    if kind not in _OPTIONS or not name:
        return fix
    cli, terraform, cloudformation = fix.cli, fix.terraform, fix.cloudformation
    if kind == "user":
        cli = cli.replace("-role-policy --role-name ROLE ", "-user-policy --user-name USER ")
    option, placeholder = _OPTIONS[kind]
    policy = finding.evidence.get("policy")
    if (
        isinstance(policy, str)
        and policy != _REVOKING
        and _WRITABLE.fullmatch(policy)
        and not policy.startswith("****")
    ):
        cli = cli.replace(f"--policy-name {_REVOKING}", _option("--policy-name", policy))
        terraform = terraform.replace(f'"{_REVOKING}"', f'"{_hcl(policy)}"')
        cloudformation = cloudformation.replace(f": {_REVOKING}\n", f": {json.dumps(policy)}\n")
    account, partition = found["account"].replace(_STANDIN, _EXAMPLE) or _EXAMPLE, found["partition"]

    def own(text: str) -> str:
        return text.replace("arn:aws:", f"arn:{partition}:").replace(_EXAMPLE, account)

    cli, terraform, cloudformation = own(cli), own(terraform), own(cloudformation)
    if kind == "role":
        inner = json.dumps(path)[1:-1]
        cli = cli.replace('role/ROLE"', f'role/{inner}"'.replace("'", "'\"'\"'"))
        terraform = terraform.replace('"ROLE"', f'"{_hcl(name)}"')
        cloudformation = cloudformation.replace('role/ROLE"', f'role/{inner.replace("${", "${!")}"')
    cli = cli.replace(f"{option} {placeholder}", _option(option, name))
    return Remediation(fix.text, cli, terraform, cloudformation)


def _option(option: str, value: str) -> str:
    """Write an option of the AWS CLI, which takes a value with a hyphen in front for another option."""
    return f"{option}{'=' if value.startswith('-') else ' '}{shlex.quote(value)}"


def _hcl(text: str) -> str:
    """Write the inside of a string of HCL, in which nothing is an expression."""
    return json.dumps(text)[1:-1].replace("${", "$${").replace("%{", "%%{")
