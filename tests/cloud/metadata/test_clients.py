"""Clients of others, unchanged: botocore, boto3 and curl."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.metadata import ContainerServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from pytest_stsguard.clock import SimulatedClock
    from pytest_stsguard.cloud.metadata import MetadataServer


ROLE = "A4L-InstanceRole"
LEFT_OVER = ("AWS_", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "no_proxy", "NO_PROXY")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """An environment without any credentials; gives a function that sets variables."""
    import os

    for name in [name for name in os.environ if name.startswith(LEFT_OVER)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def environ(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return environ


@pytest.fixture
def imds(environ: Callable[..., None], server: MetadataServer) -> Callable[..., None]:
    environ(AWS_EC2_METADATA_SERVICE_ENDPOINT=server.url)
    return environ


def resolved() -> Any:
    import boto3

    return boto3.Session().get_credentials()


def test_botocores_fetcher_reads_the_role_and_its_credentials(
    server: MetadataServer, machine: Any, environ: Callable[..., None]
) -> None:
    from botocore.utils import InstanceMetadataFetcher

    got = InstanceMetadataFetcher(base_url=server.url + "/").retrieve_iam_role_credentials()
    [held] = machine.issued
    assert got == {
        "role_name": ROLE,
        "access_key": held.access_key_id,
        "secret_key": held.secret_access_key,
        "token": held.token,
        "expiry_time": isoformat(held.expiration),
    }


def test_boto3_finds_the_credentials_by_itself_with_v2(imds: Callable[..., None], machine: Any) -> None:
    credentials = resolved()
    assert credentials.method == "iam-role"
    assert "/2.0/" in credentials.get_frozen_credentials().secret_key
    assert len(machine.issued) == 1


def test_boto3_works_where_tokens_are_required(imds: Callable[..., None], machine: Any) -> None:
    machine.metadata = replace(machine.metadata, http_tokens="required")
    imds(AWS_EC2_METADATA_V1_DISABLED="true")
    assert "/2.0/" in resolved().secret_key


def test_boto3_falls_back_to_v1_when_the_put_gets_no_answer(
    imds: Callable[..., None], machine: Any, server: MetadataServer
) -> None:
    server.service.hops = 2
    assert "/1.0/" in resolved().secret_key


def test_a_hop_limit_keeps_boto3_out_where_tokens_are_required(
    imds: Callable[..., None], machine: Any, server: MetadataServer
) -> None:
    server.service.hops = 2
    machine.metadata = replace(machine.metadata, http_tokens="required")
    assert resolved() is None
    assert machine.issued == []


def test_with_v1_disabled_boto3_gives_up_when_the_put_gets_no_answer(
    imds: Callable[..., None], machine: Any, server: MetadataServer
) -> None:
    from botocore.exceptions import MetadataRetrievalError

    server.service.hops = 2
    imds(AWS_EC2_METADATA_V1_DISABLED="true")
    with pytest.raises(MetadataRetrievalError, match="IMDSv1 has been disabled"):
        resolved()
    assert machine.issued == []


def test_boto3_finds_nothing_on_a_disabled_a_stopped_or_an_untrusted_instance(
    imds: Callable[..., None], machine: Any
) -> None:
    machine.metadata = replace(machine.metadata, http_endpoint="disabled")
    assert resolved() is None
    machine.metadata = replace(machine.metadata, http_endpoint="enabled")
    machine.is_running = False
    assert resolved() is None
    machine.is_running = True
    machine.trusted = False
    assert resolved() is None
    machine.has_profile = False
    assert resolved() is None
    machine.has_profile = machine.trusted = True
    assert resolved() is not None


def test_a_live_session_goes_on_with_its_credentials_after_stop_and_start(
    imds: Callable[..., None], machine: Any
) -> None:
    session = resolved()
    stolen = session.get_frozen_credentials()
    machine.stop_and_start()
    assert session.get_frozen_credentials() == stolen
    assert resolved().get_frozen_credentials() != stolen


def test_botocore_reads_the_region_of_the_instance(imds: Callable[..., None], server: MetadataServer) -> None:
    from botocore.session import Session
    from botocore.utils import InstanceMetadataRegionFetcher

    config = {"ec2_metadata_service_endpoint": server.url, "ec2_metadata_v1_disabled": True}
    assert InstanceMetadataRegionFetcher(config=config).retrieve_region() == "us-east-1"
    assert Session().get_component("credential_provider") is not None


@pytest.mark.parametrize("kind", ["ecs", "eks"])
@pytest.mark.parametrize("in_file", [False, True])
def test_boto3_finds_the_credentials_of_a_container(
    environ: Callable[..., None], pod: Any, tmp_path: Path, kind: Any, *, in_file: bool
) -> None:
    with ContainerServer(pod, kind=kind) as server:
        variables = server.environ
        if in_file:
            path = tmp_path / "token"
            path.write_text(variables.pop("AWS_CONTAINER_AUTHORIZATION_TOKEN"))
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(path)
        environ(**variables)
        credentials = resolved()
        assert credentials.method == "container-role"
        assert tuple(credentials.get_frozen_credentials())[:3] == ("ASIAPOD0000000000001", "pod-secret", "pod-token")


def test_botocores_container_fetcher_reports_a_refusal(environ: Callable[..., None], pod: Any) -> None:
    from botocore.exceptions import MetadataRetrievalError
    from botocore.utils import ContainerMetadataFetcher

    waits = []
    with (
        ContainerServer(pod, kind="eks") as server,
        pytest.raises(MetadataRetrievalError, match=r"Received non 200 response 400 .*InvalidTokenException"),
    ):
        ContainerMetadataFetcher(sleep=waits.append).retrieve_full_uri(server.uri, headers={"Authorization": "stolen"})
    assert len(waits) == 3


def curl(*arguments: str) -> tuple[int, bytes]:
    tool = shutil.which("curl")
    if tool is None:
        pytest.skip("curl is not installed")
    done = subprocess.run(
        [tool, "-sS", "--noproxy", "*", "--max-time", "10", *arguments], capture_output=True, check=False
    )
    return done.returncode, done.stdout


def test_the_thief_of_the_source_material_uses_curl(server: MetadataServer, machine: Any) -> None:
    base = f"{server.url}/latest/meta-data/iam/security-credentials/"
    assert curl(base) == (0, ROLE.encode())
    code, text = curl(base + ROLE)
    assert (code, json.loads(text)["AccessKeyId"]) == (0, machine.issued[0].access_key_id)


def test_the_two_steps_of_v2_with_curl(server: MetadataServer, machine: Any, tmp_path: Path) -> None:
    machine.metadata = replace(machine.metadata, http_tokens="required")
    base = f"{server.url}/latest/"
    body = tmp_path / "body"
    body.write_bytes(b"x" * 100_000)
    assert curl("-o", "/dev/null", "-w", "%{http_code}", base + "meta-data/") == (0, b"401")
    code, token = curl("-X", "PUT", base + "api/token", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 21600")
    assert (code, len(token)) == (0, 56)
    header = f"X-aws-ec2-metadata-token: {token.decode()}"
    assert curl("-H", header, base + "meta-data/instance-id") == (0, machine.instance_id.encode())
    assert curl("-I", "-H", header, base + "meta-data/instance-id")[1].startswith(b"HTTP/1.1 200 OK\r\n")
    assert (
        curl("-X", "PUT", "-T", str(body), base + "api/token", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60")[0] == 0
    )


def test_curl_gets_an_empty_reply_from_beyond_the_hop_limit(server: MetadataServer) -> None:
    server.service.hops = 2
    put = ("-X", "PUT", f"{server.url}/latest/api/token", "-H", "X-aws-ec2-metadata-token-ttl-seconds: 60")
    assert curl(*put) == (52, b"")


def test_a_session_of_hours_is_renewed_by_boto3_itself(
    imds: Callable[..., None], machine: Any, clock: SimulatedClock
) -> None:
    session = resolved()
    first = session.get_frozen_credentials()
    clock.wait_until(machine.issued[0].expiration - timedelta(minutes=4))
    # botocore goes by the wall clock, which stands still here: it asks again only when it thinks that it must.
    session._expiry_time -= timedelta(hours=5, minutes=55)  # noqa: SLF001 - botocore has no public way to make it ask
    second = session.get_frozen_credentials()
    assert second.access_key != first.access_key
