"""`stsguard serve` and the command line itself: ready line, exit codes, one clear line for what is wrong."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

STSGUARD = str(Path(sys.executable).with_name("stsguard"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([STSGUARD, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_ready_line_is_the_contracts() -> None:
    process = subprocess.Popen(
        [STSGUARD, "serve", "--port", "0", "--imds-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    rest, complaints = process.communicate(timeout=20)
    assert process.returncode == 130
    assert (rest, complaints.strip()) == ("", "")
    assert ready["endpoint"].startswith("http://127.0.0.1:")
    assert ready["region"] == "us-east-1"
    assert ready["account"] == "111122223333"
    assert ready["role"] == "A4L-InstanceRole"
    assert set(ready["admin"]) == {"AccessKeyId", "SecretAccessKey"}
    assert [entry["imds"].startswith("http://127.0.0.1:") for entry in ready["instances"]] == [True, True]
    assert all(entry["InstanceId"].startswith("i-") for entry in ready["instances"])


@pytest.mark.parametrize("option", ["--port", "--imds-port"])
def test_busy_port_is_one_clear_line(option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = "--imds-port" if option == "--port" else "--port"
        done = run("serve", option, str(port), other, "0")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"stsguard: cannot listen on port `{port}` of `127.0.0.1`: address already in use"
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("serve", "--port", "70000"), "70000"),
        (("serve", "--port", "-1"), "-1"),
        (("serve", "--port", "many"), "many"),
        (("serve", "--host", "no such host"), "`no such host` is no address"),
        (("serve", "--host", "192.0.2.1"), "insist by --allow-non-loopback"),
        (("serve", "--world", "no-such-world"), "unknown world `no-such-world`"),
        (("serve", "--world", "no-such.yaml"), "cannot read `no-such.yaml`"),
        (("serve", "--parameter", "A=b"), "only a template's world takes parameters"),
        (("serve", "--parameter", "A"), "`A` is no parameter"),
        (("serve", "--state", "/dev/null/state.json"), "cannot write"),
        (("fly",), "fly"),
    ],
)
def test_bad_usage_exits_with_2(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_listening_beyond_loopback_warns() -> None:
    process = subprocess.Popen(
        [STSGUARD, "serve", "--host", "0.0.0.0", "--allow-non-loopback", "--port", "0", "--imds-port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    json.loads(process.stdout.readline())
    process.terminate()
    _, complaints = process.communicate(timeout=20)
    assert complaints.startswith("warning: listening at 0.0.0.0")


def test_help_shows_an_example() -> None:
    shown = run("--help")
    assert shown.returncode == 0
    assert "serve" in shown.stdout
    helped = run("serve", "--help")
    assert helped.returncode == 0
    assert "  Example:\n    stsguard serve --port 4599" in helped.stdout


def test_a_state_outlives_the_server(tmp_path: Path) -> None:
    import boto3

    file = tmp_path / "state.json"
    command = [STSGUARD, "serve", "--port", "0", "--imds-port", "0", "--world", "empty", "--state", str(file)]
    keys = []
    for users in ([], ["kept"]):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        keys.append(ready["admin"])
        iam = boto3.client(
            "iam",
            endpoint_url=ready["endpoint"],
            region_name="us-east-1",
            aws_access_key_id=ready["admin"]["AccessKeyId"],
            aws_secret_access_key=ready["admin"]["SecretAccessKey"],
        )
        names = {user["UserName"] for user in iam.list_users()["Users"]}
        assert names == {"stsguard-administrator", *users}
        if not users:
            iam.create_user(UserName="kept")
        process.terminate()
        process.communicate(timeout=20)
        assert process.returncode == 0
    assert keys[0] == keys[1]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_state_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text("{}")
    done = run("serve", "--port", "0", "--state", str(file))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "state.json" in done.stderr
