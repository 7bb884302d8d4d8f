"""The help of every command: one real example, which works as it stands, and the conventions of AWS's own tools."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from pytest_stsguard.cli import cli, main

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud

STSGUARD = Path(sys.executable).with_name("stsguard")
COMMANDS = sorted(cli.list_commands(click.Context(cli)))
FAILING = {"audit", "blast", "diff", "prove"}
"""Their examples have something to find."""
ELSEWHERE = {"serve", "completion"}
"""Their examples are run by tests of their own: one never ends, one is for a shell."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def example_of(*command: str) -> str:
    shown = CliRunner().invoke(cli, [*command, "--help"], prog_name="stsguard")
    assert shown.exit_code == 0, shown.output
    (found,) = re.findall(r"^ *Example:\n +(\S.*)$", shown.output, re.MULTILINE)
    return str(found)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """Give a folder with what the examples name."""
    folder = tmp_path_factory.mktemp("inputs")
    for name in ("account.json", "stack.yaml", "plan.json"):
        shutil.copy(checkout / "examples" / name, folder)
    (folder / "trust.json").write_text(json.dumps(TRUST))
    request = {"id": 1, "PolicyInputList": [TRUST], "ActionNames": ["s3:ListBucket"], "CallerArn": "ec2.amazonaws.com"}
    (folder / "requests.jsonl").write_text(json.dumps(request) + "\n")
    for name, globs in (("old", ("--role", "audit*")), ("new", ())):
        command = [str(STSGUARD), "audit", "export:account.json", "--output", "json", *globs]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 1 or globs, done.stderr
        (folder / f"{name}.json").write_text(done.stdout)
    shutil.copy(folder / "new.json", folder / "report.json")
    return folder


@pytest.mark.parametrize("command", [*COMMANDS, None])
def test_help_shows_one_example_and_the_exit_codes(command: str | None) -> None:
    words = () if command is None else (command,)
    example = example_of(*words)
    assert example.startswith(f"stsguard {command or ''}".strip()) or command in ELSEWHERE
    assert len(example) < 80


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ELSEWHERE] + [None])
def test_example_works_as_it_stands(
    command: str | None,
    inputs: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if command in {"revoke", "cleanup"}:
        cloud: Cloud = request.getfixturevalue("sts_cloud")
        cloud.client("iam").create_role(RoleName="my-role", AssumeRolePolicyDocument=json.dumps(TRUST))
        for name, value in cloud.admin.environ.items():
            monkeypatch.setenv(name, value)
    folder = request.getfixturevalue("tmp_path") / "inputs"
    shutil.copytree(inputs, folder)
    monkeypatch.chdir(folder)
    program, *arguments = shlex.split(example_of(*([command] if command else [])))
    assert program == "stsguard"
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code in ({1} if command in FAILING else {0, 1} if command in {None, "blast"} else {0}), said
    assert said.out


def test_example_of_completion_completes_in_bash(tmp_path: Path) -> None:
    script = f"""
        export PATH={STSGUARD.parent}:$PATH
        {example_of("completion")}
        COMP_WORDS=(stsguard exp); COMP_CWORD=1; _stsguard_completion stsguard; echo "${{COMPREPLY[@]}}"
        COMPREPLY=(); COMP_WORDS=(stsguard audit --out); COMP_CWORD=2; _stsguard_completion stsguard; echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-2:] == ["explain", "--output"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_of_other_shells_is_theirs(shell: str) -> None:
    shown = CliRunner().invoke(cli, ["completion", shell])
    assert f"_STSGUARD_COMPLETE={shell}_complete" in shown.output


def test_example_of_serve_serves() -> None:
    command = shlex.split(example_of("serve"))
    process = subprocess.Popen(
        [str(STSGUARD), *command[1:], "--port", "0", "--imds-port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["endpoint"].startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.fixture
def audit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[object, str, str]]:
    def call(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["stsguard", "audit", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


def test_exit_zero_tells_and_does_not_fail(audit: Callable[..., tuple[object, str, str]], inputs: Path) -> None:
    code, out, _ = audit(f"export:{inputs / 'account.json'}", "--exit-zero", "--role", "github-*")
    assert code == 0
    assert "STSG-105" in out
    assert audit(f"export:{inputs / 'nothing.json'}", "--exit-zero")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("demo", "--profile", "mine"), "target `demo` is not read from AWS"),
        (("aws:one", "--profile", "two"), "name two profiles"),
        (("aws", "--external-id", "x"), "--external-id without a role to assume"),
        (("aws", "--mfa", "x"), "--mfa without a role to assume"),
        (("aws", "--region", "mars"), "`mars` is no region"),
        (("aws", "--role-arn", "audit"), "`audit` is no ARN of a role"),
        (("aws", "--profile", "absent"), "AWS profile `absent` does not exist"),
    ],
)
def test_settings_that_cannot_be_meant_are_one_line(
    audit: Callable[..., tuple[object, str, str]], arguments: tuple[str, ...], told: str
) -> None:
    code, out, err = audit(*arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_role_is_assumed_with_its_external_id(sts_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_stsguard.cli.connection import connect
    from pytest_stsguard.cli.conventions import AwsSettings
    from pytest_stsguard.errors import AwsUnavailableError

    user = sts_cloud.client("sts").get_caller_identity()["Arn"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": user},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "agreed"}},
            }
        ],
    }
    role = sts_cloud.client("iam").create_role(RoleName="audit", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    for name, value in sts_cloud.admin.environ.items():
        monkeypatch.setenv(name, value)
    with AwsSettings(role_arn=role["Arn"], external_id="agreed", region="eu-west-1").applied() as profile:
        assert profile is None
        session = connect(profile).session
        assert session.client("sts").get_caller_identity()["Arn"].endswith(":assumed-role/audit/stsguard")
        assert session.region_name == "eu-west-1"
    assert connect(None).session.client("sts").get_caller_identity()["Arn"] == user
    refused = AwsSettings(role_arn=role["Arn"], external_id="guessed").applied()
    with pytest.raises(AwsUnavailableError, match=r"cannot be assumed: an error occurred \(AccessDenied\)"):
        refused.__enter__()


def test_role_is_assumed_with_a_code_from_standard_input(sts_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_stsguard.cli.conventions import AwsSettings
    from pytest_stsguard.cloud.sts import totp
    from pytest_stsguard.errors import ConfigurationError

    iam, clock, step = sts_cloud.client("iam"), sts_cloud.clock, timedelta(seconds=30)
    user = sts_cloud.client("sts").get_caller_identity()["Arn"]
    trust = json.loads(json.dumps(TRUST).replace('"AWS": "*"', f'"AWS": "{user}"'))
    trust["Statement"][0]["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    role = iam.create_role(RoleName="careful", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="pocket")["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"]
    codes = {f"AuthenticationCode{2 - back}": totp(seed, clock.now() - back * step) for back in (0, 1)}
    iam.enable_mfa_device(UserName=user.rpartition("/")[2], SerialNumber=serial, **codes)
    clock.advance(30)
    for name, value in sts_cloud.admin.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{totp(seed, clock.now())}\n"))
    with AwsSettings(role_arn=role, mfa=serial).applied() as profile:
        assert profile is None
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    silent = AwsSettings(role_arn=role, mfa=serial).applied()
    with pytest.raises(ConfigurationError, match=r"no code of .* standard input"):
        silent.__enter__()


@pytest.mark.parametrize(("no_color", "codes"), [("", "\x1b["), ("1", "")])
def test_no_color_keeps_colours_out(
    audit: Callable[..., tuple[object, str, str]],
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_color: str,
    codes: str,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", no_color)
    out = audit(f"export:{inputs / 'account.json'}", "--role", "github-*")[1]
    assert "".join(set(re.findall(r"\x1b\[", out))) == codes


def test_a_line_each_holds_what_the_document_holds() -> None:
    one = CliRunner().invoke(cli, ["controls", "--output", "ndjson"])
    whole = CliRunner().invoke(cli, ["controls", "--output", "json"])
    assert [json.loads(line) for line in one.output.splitlines()] == json.loads(whole.output)


def test_mistyped_command_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stsguard", "aduit"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "no such command `aduit` (did you mean `audit`?)" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "kind"), [("stack.yaml", "cfn"), ("plan.json", "tfplan"), ("account.json", "export")])
def test_file_without_a_kind_names_the_kind(
    audit: Callable[..., tuple[object, str, str]], inputs: Path, name: str, kind: str
) -> None:
    code, out, err = audit(str(inputs / name))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"did you mean `{kind}:{inputs / name}`?" in err
    assert "it is no template, plan or export" in audit(str(inputs / "trust.json"))[2]


def test_folder_without_a_kind_names_the_kind(audit: Callable[..., tuple[object, str, str]], inputs: Path) -> None:
    code, out, err = audit(str(inputs))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"write `export:{inputs}`" in err


def test_name_of_a_file_is_no_second_line_and_no_colour(audit: Callable[..., tuple[object, str, str]]) -> None:
    code, out, err = audit("cfn:a\nb\x1b[31m")
    assert (code, out) == (2, "")
    assert err == "stsguard: a\\nb\\x1b[31m: cannot be read: no such file or directory\n"


SAME = {"--config", "--exit-zero", "--external-id", "--mfa", "--profile", "--region", "--role-arn"}
"""Options that mean the same everywhere; of others, such as --role, the command says what they mean."""


def test_options_of_one_name_are_told_in_the_same_words() -> None:
    from pytest_stsguard.cli.templates import templates

    context = click.Context(cli)
    told: dict[str, set[tuple[str, str]]] = {}
    for command in [templates, *(cli.get_command(context, name) for name in COMMANDS)]:
        assert command is not None
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{command.name} {option.opts}"
                assert option.help.endswith("."), f"{command.name} {option.opts}"
                names, _ = option.get_help_record(context) or ("", "")
                told.setdefault(option.opts[0], set()).add((names, option.help))
    assert {name: words for name, words in told.items() if name in SAME and len(words) > 1} == {}
    assert set(told) >= SAME
    assert {text for _, text in told["--output"]} == {
        "Form of what is printed.",
        "Where to write it (default: standard output).",
    }
    assert all(not names.endswith(("TEXT", "RANGE")) for words in told.values() for names, _ in words)


def test_help_tells_the_settings_of_aws_apart() -> None:
    shown = CliRunner().invoke(cli, ["audit", "--help"], prog_name="stsguard").output
    own, aws = shown.split("\nAWS:\n")
    assert "--exit-zero" in own
    assert re.findall(r"^  (--[a-z-]+)", aws, re.MULTILINE) == [
        "--profile",
        "--region",
        "--role-arn",
        "--external-id",
        "--mfa",
    ]


def test_list_of_commands_cuts_no_sentence() -> None:
    listed = CliRunner().invoke(cli, ["--help"], prog_name="stsguard", terminal_width=80).output
    assert "..." not in listed.partition("Commands:")[2]
