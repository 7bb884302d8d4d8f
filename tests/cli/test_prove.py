from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[bytes]]

OWN = "111122223333"
CONFIG = f"""
[zones]
account = "{OWN}"
org_id = "o-a1b2c3d4e5"
[zones.trust]
accounts = [{{id = "444455556666", external_id = ["s3cr3t-ext"]}}]
"""
COMMAND = [sys.executable, "-c", "from pytest_stsguard.cli import main; main()", "prove"]


def policy(principal: Any = "*", **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "stsguard.toml").write_text(CONFIG)

    def call(*arguments: str, **files: str | bytes) -> subprocess.CompletedProcess[bytes]:
        standard_input = files.pop("stdin", b"")
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (tmp_path / name.replace("_", ".")).write_bytes(data)
        data = standard_input.encode() if isinstance(standard_input, str) else standard_input
        return subprocess.run([*COMMAND, *arguments], cwd=tmp_path, input=data, capture_output=True, check=False)

    return call


def test_a_narrow_policy(run: Run) -> None:
    done = run("trust.json", trust_json=policy({"AWS": OWN}))
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"narrow" in done.stdout
    assert b"account 111122223333 (own)" in done.stdout


def test_a_policy_that_is_too_broad(run: Run) -> None:
    done = run("trust.json", trust_json=policy())
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"too broad" in done.stdout
    assert b"any AWS account" in done.stdout


def test_a_policy_that_cannot_be_decided(run: Run) -> None:
    condition = {"StringMatches": {"aws:PrincipalOrgID": "x"}}
    done = run("trust.json", "--output", "json", trust_json=policy(Condition=condition))
    assert (done.returncode, done.stderr) == (1, b"")
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "undecided"
    assert "unknown condition operator `StringMatches`" in answer["reasons"][0]


def test_json_holds_the_contract_and_nothing_else(run: Run) -> None:
    answer = json.loads(run("-", "--output", "json", stdin=policy()).stdout)
    assert list(answer) == ["verdict", "witnesses", "reasons"]
    assert [list(witness) for witness in answer["witnesses"]] == [["summary", "principal", "action", "context"]]


@pytest.mark.parametrize(
    ("text", "headline", "row"),
    [
        (policy({"AWS": OWN}), "narrow: no request from outside the zones is allowed", "closed   account"),
        (policy(), "too broad: somebody outside the zones can assume the role", "any-account Statement[0]"),
        (
            policy(Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}}),
            "undecided, which is no pass: each reason says why, and what to do",
            "reason   Statement[0]: whether a grant to everyone admits services",
        ),
        (
            policy({"AWS": "AROAEXAMPLEIDEXAMPLE1"}),
            "narrow: no request from outside the zones is allowed",
            "note   dead: nothing inside the zones can use it either",
        ),
    ],
)
def test_the_terminal_says_what_a_verdict_means(run: Run, text: str, headline: str, row: str) -> None:
    lines = run(stdin=text).stdout.decode().splitlines()
    assert lines[0] == headline
    assert any(line.strip().startswith(row) for line in lines[1:])


def test_a_dead_policy_says_so(run: Run) -> None:
    answer = json.loads(run("--output", "json", stdin=policy({"AWS": "AROAEXAMPLEIDEXAMPLE1"})).stdout)
    assert answer == {
        "verdict": "narrow",
        "witnesses": [],
        "reasons": ["dead: nothing inside the zones can use it either"],
    }


def test_the_configuration_decides(run: Run) -> None:
    declared = CONFIG.replace(', external_id = ["s3cr3t-ext"]', "")
    done = run("trust.json", "--config", "other.toml", trust_json=policy({"AWS": "444455556666"}), other_toml=declared)
    assert (done.returncode, done.stderr) == (0, b"")
    assert run("trust.json").returncode == 1


def test_without_a_configuration_every_account_is_undeclared(run: Run, tmp_path: Path) -> None:
    (tmp_path / "stsguard.toml").unlink()
    done = run("trust.json", trust_json=policy({"AWS": OWN}))
    assert done.returncode == 1
    assert done.stderr == b"stsguard: no zones are configured: every account and provider counts as undeclared\n"
    assert run(stdin=policy({"Service": "ec2.amazonaws.com"})).returncode == 0
    token = {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/gitlab.com"}
    assert run(stdin=policy(token, Action="sts:AssumeRoleWithWebIdentity")).returncode == 1
    two = {"Federated": [token["Federated"], "arn:aws:iam::444455556666:oidc-provider/gitlab.com"]}
    done = run(stdin=policy(two, Action="sts:AssumeRoleWithWebIdentity"))
    assert done.returncode == 2
    assert b"zones.account: the role's own account is not known" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the document is not JSON"),
        (b"{", "the document is not JSON"),
        (b"\xff\xfe", "the document is not UTF-8"),
        (b"[]", "a policy is an object"),
        (b"null", "a policy is an object"),
        (b'{"Version": "2012-10-17"}', "the element `Statement` is missing"),
        (b'{"Statement": [null]}', "a statement is an object, not null"),
        (b'{"Statement": [{"Effect": "Allow", "Effect": "Deny"}]}', "duplicate key `Effect`"),
        (b'{"Statement": [{"Effect": "Allow", "Principal": null, "Action": "sts:AssumeRole"}]}', "not null"),
        (b'{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": [5]}]}', "found a number"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"Role": {"AssumeRolePolicyDocument": {}}}', "(a trust policy is a role's `AssumeRolePolicyDocument`"),
        (b'{"AssumeRolePolicyDocument": {}}', "(a trust policy is a role's `AssumeRolePolicyDocument`"),
        (b"%7B%22Version%22%3A%222012-10-17%22%7D", "(the text is URL-encoded: decode it first)"),
    ],
)
def test_what_is_no_policy_is_bad_input(run: Run, content: bytes, message: str) -> None:
    done = run("trust.json", trust_json=content)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"stsguard: trust.json")
    assert message in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "config", "message"),
    [
        (["missing.json"], CONFIG, "missing.json: cannot be read: no such file or directory"),
        (["."], CONFIG, ".: cannot be read: is a directory"),
        (["trust.json", "--config", "missing.toml"], CONFIG, "missing.toml"),
        (["trust.json"], CONFIG + "\nsaml_providers = []", "unknown key `saml_providers`"),
        (["trust.json"], "[zones]\norg_id = 'o-a1b2c3d4e5'", "zones.account: the role's own account is missing"),
        (["trust.json"], "[zoned]", "zoned"),
    ],
)
def test_bad_input_is_one_line(run: Run, tmp_path: Path, arguments: list[str], config: str, message: str) -> None:
    (tmp_path / "stsguard.toml").write_text(config)
    done = run(*arguments, trust_json=policy())
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
    assert message in done.stderr.decode()


def test_lines_are_answered_one_by_one(run: Run) -> None:
    zones = {"account": OWN, "trust": {"saml": ["Okta"]}}
    open_policy = json.loads(policy())
    lines = [
        {"id": "a", "trust_policy": open_policy, "zones": zones},
        {"id": 7, "trust_policy": policy({"AWS": OWN}), "zones": zones},
        {"id": 7.5, "trust_policy": policy({"AWS": OWN})},
        {"trust_policy": policy({"AWS": "444455556666"})},
    ]
    done = run("--jsonl", stdin="\n".join(map(json.dumps, lines)) + "\n\n")
    assert (done.returncode, done.stderr) == (1, b"")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(answer["id"], answer["verdict"]) for answer in answers] == [
        ("a", "too_broad"),
        (7, "narrow"),
        (7.5, "narrow"),
        (4, "too_broad"),
    ]
    assert all(list(answer) == ["id", "verdict", "witnesses", "reasons"] for answer in answers)
    narrow = run("lines.jsonl", "--jsonl", lines_jsonl=json.dumps(lines[1]))
    assert narrow.returncode == 0


def test_lines_that_cannot_be_used_are_undecided(run: Run) -> None:
    open_policy = policy()
    doubled = open_policy.replace('"Effect"', '"Effect": "Deny", "Effect"', 1)
    lines: list[bytes] = [
        b"no json",
        b"[]",
        b'{"id": "none"}',
        b'{"id": "null", "trust_policy": null}',
        b'{"id": "number", "trust_policy": 5}',
        json.dumps({"id": "text", "trust_policy": "{"}).encode(),
        b'{"id": "doubled", "trust_policy": ' + doubled.encode() + b"}",
        json.dumps({"id": "doubled text", "trust_policy": doubled}).encode(),
        json.dumps({"id": "zones", "trust_policy": open_policy, "zones": {"acount": OWN}}).encode(),
        json.dumps({"id": "zones null", "trust_policy": open_policy, "zones": None}).encode(),
        json.dumps({"id": "key", "trust_policy": open_policy, "zone": {}}).encode(),
        b"\xff",
        b'{"id": "deep", "trust_policy": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"id": "deep object", "trust_policy": {"Statement": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}}",
        b'{"id": "nul", "trust_policy": "\\u0000"}',
        b'{"id": "\\ud800", "trust_policy": {"Statement": "\\ud800"}}',
        b'{"id": 1e999, "trust_policy": {}}',
        b'{"id": ' + b"9" * 5_000 + b', "trust_policy": {}}',
        json.dumps({"id": "large", "trust_policy": open_policy + " " * 5_000_000 + "x"}).encode(),
    ]
    done = run("--jsonl", stdin=b"\n".join(lines))
    assert (done.returncode, done.stderr) == (1, b"")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    for answer in answers:
        assert (answer["verdict"], answer["witnesses"]) == ("undecided", [])
        assert answer["reasons"]


def test_a_hostile_value_in_an_open_policy_comes_back_as_json(run: Run) -> None:
    line = json.dumps(
        {"id": "odd", "trust_policy": policy(Condition={"StringEquals": {"sts:ExternalId": "\ud800\u0000x"}})}
    )
    (answer,) = [json.loads(text) for text in run("--jsonl", stdin=line).stdout.splitlines()]
    assert answer["verdict"] in {"narrow", "undecided"}
    table = run(stdin=policy(Condition={"StringEquals": {"sts:ExternalId": "\u2028\u001b[31m"}}))
    assert table.returncode in {0, 1}
    assert b"\x1b[31m" not in table.stdout


def test_more_zones_than_are_kept(run: Run) -> None:
    lines = [
        json.dumps({"id": number, "trust_policy": policy({"AWS": OWN}), "zones": {"account": f"{number:012d}"}})
        for number in range(1, 70)
    ]
    done = run("--jsonl", stdin="\n".join(lines))
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["too_broad"] * 69


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    line = json.dumps({"id": 1, "trust_policy": policy(), "zones": {"account": OWN}}) + "\n"
    (tmp_path / "lines.jsonl").write_text(line * 4_000)
    with subprocess.Popen(
        [*COMMAND, "lines.jsonl", "--jsonl"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() in {0, 1}
