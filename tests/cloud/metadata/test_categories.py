from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


META = "/latest/meta-data/"
MAC = META + "network/interfaces/macs/02:29:96:8f:6a:2d/"
FOLDERS = ("public-keys/", "macs/")


def test_the_root_lists_the_versions_without_slashes(fetch: Callable[..., Any]) -> None:
    versions = fetch("/").text.split("\n")
    assert (versions[0], versions[1], versions[-2], versions[-1]) == ("1.0", "2007-01-19", "2024-04-11", "latest")
    assert versions[:-1] == sorted(versions[:-1])


def test_latest_lists_user_data_only_when_there_is_some(fetch: Callable[..., Any], machine: Any) -> None:
    assert fetch("/latest/").text == fetch("/latest").text == "dynamic\nmeta-data"
    machine.extra["user_data"] = b"#!/bin/sh\n"
    assert fetch("/latest/").text == "dynamic\nmeta-data\nuser-data"


def test_the_top_of_the_metadata_is_listed_as_on_ec2(fetch: Callable[..., Any], machine: Any) -> None:
    listed = [
        *("ami-id", "ami-launch-index", "ami-manifest-path", "block-device-mapping/", "events/", "hostname", "iam/"),
        *("identity-credentials/", "instance-action", "instance-id", "instance-life-cycle", "instance-type"),
        *("local-hostname", "local-ipv4", "mac", "metrics/", "network/", "placement/", "profile", "public-hostname"),
        *("public-ipv4", "public-keys/", "reservation-id", "security-groups", "services/", "system"),
    ]
    machine.extra |= {"key_name": "my-key", "public_key": "ssh-ed25519 AAAA my-key"}
    assert fetch(META).text == fetch(META.rstrip("/")).text == "\n".join(listed)
    machine.has_profile = machine.public = False
    gone = {"iam/", "public-hostname", "public-ipv4"}
    assert fetch(META).text.split("\n") == [name for name in listed if name not in gone]


def walk(fetch: Callable[..., Any], path: str) -> Iterator[str]:
    """Give every document under `path`, by the listings alone."""
    for line in fetch(path).text.split("\n"):
        name = line.replace("=my-key", "/")
        if path in {"/", "/latest/"}:
            name = f"{line}/" if line in {"latest", "dynamic", "meta-data"} else line
        if name.endswith("/"):
            yield from walk(fetch, path + name)
        else:
            yield path + name


def test_everything_that_is_listed_can_be_read(fetch: Callable[..., Any], machine: Any) -> None:
    machine.metadata = replace(machine.metadata, instance_metadata_tags="enabled")
    machine.extra |= {"key_name": "my-key", "public_key": "k", "user_data": b"u", "tags": {"Name": "A"}}
    documents = list(walk(fetch, "/latest/"))
    assert len(documents) > 45
    assert {path: fetch(path).status for path in documents} == dict.fromkeys(documents, 200)
    assert fetch("/1.0/").text == fetch("/latest/").text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("ami-launch-index", "0"),
        ("ami-manifest-path", "(unknown)"),
        ("block-device-mapping/", "ami\nroot"),
        ("block-device-mapping/root", "/dev/xvda"),
        ("events/maintenance/scheduled", "[]"),
        ("hostname", "ip-10-16-48-113.ec2.internal"),
        ("iam", "info\nsecurity-credentials/"),
        ("identity-credentials/ec2/", "info\nsecurity-credentials/"),
        ("identity-credentials/ec2/security-credentials/", "ec2-instance"),
        ("instance-action", "none"),
        ("instance-id", "i-0a1b2c3d4e5f60718"),
        ("instance-life-cycle", "on-demand"),
        ("instance-type", "t3.micro"),
        ("local-hostname", "ip-10-16-48-113.ec2.internal"),
        ("local-ipv4", "10.16.48.113"),
        ("mac", "02:29:96:8f:6a:2d"),
        ("network/interfaces/macs/", "02:29:96:8f:6a:2d/"),
        ("placement/", "availability-zone\navailability-zone-id\nregion"),
        ("placement/availability-zone", "us-east-1a"),
        ("placement/availability-zone-id", "use1-az6"),
        ("placement/region", "us-east-1"),
        ("profile", "default-hvm"),
        ("public-hostname", "ec2-54-221-7-9.compute-1.amazonaws.com"),
        ("public-ipv4", "54.221.7.9"),
        ("reservation-id", "r-046cb3eca3e201d2f"),
        ("security-groups", "web\nssh"),
        ("services/domain", "amazonaws.com"),
        ("services/partition", "aws"),
        ("system", "nitro"),
    ],
)
def test_a_category_answers_plain_text_without_a_newline(fetch: Callable[..., Any], path: str, text: str) -> None:
    reply = fetch(META + path)
    assert (reply.status, reply.text) == (200, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("device-number", "0"),
        ("interface-id", "eni-0123456789abcdef0"),
        ("ipv4-associations/54.221.7.9", "10.16.48.113"),
        ("local-ipv4s", "10.16.48.113"),
        ("owner-id", "111122223333"),
        ("public-ipv4s", "54.221.7.9"),
        ("security-group-ids", "sg-0a1\nsg-0b2"),
        ("subnet-id", "subnet-0be9c7a1"),
        ("subnet-ipv4-cidr-block", "10.16.48.0/20"),
        ("vpc-id", "vpc-0aa11bb22cc33dd44"),
        ("vpc-ipv4-cidr-blocks", "10.16.0.0/16"),
    ],
)
def test_an_interface_is_described_under_its_mac(fetch: Callable[..., Any], path: str, text: str) -> None:
    assert fetch(MAC + path).text == text
    assert fetch(MAC.replace(":", "%3A") + path).text == text


def test_what_an_instance_lacks_is_not_found(fetch: Callable[..., Any], machine: Any) -> None:
    machine.public = machine.has_profile = False
    missing = (
        "public-ipv4",
        "public-hostname",
        "iam/",
        "iam/info",
        "iam/security-credentials",
        "public-keys/",
        "spot/",
        "tags/",
    )
    for path in missing:
        assert fetch(META + path).status == 404, path
    assert fetch(MAC + "public-ipv4s").status == 404
    assert fetch(MAC + "ipv4-associations/").status == 404
    assert fetch("/latest/user-data").status == 404


def test_user_data_are_given_byte_for_byte(fetch: Callable[..., Any], machine: Any) -> None:
    machine.extra["user_data"] = bytes(range(256)) * 64
    for path in ("/latest/user-data", "/latest/user-data/", "/2009-04-04/user-data"):
        reply = fetch(path)
        assert (reply.body, reply.headers["Content-Type"]) == (bytes(range(256)) * 64, "application/octet-stream")
    machine.extra["user_data"] = b""
    assert (fetch("/latest/user-data").status, fetch("/latest/user-data").body) == (200, b"")


def test_tags_are_shown_only_when_the_options_say_so(fetch: Callable[..., Any], machine: Any) -> None:
    machine.extra["tags"] = {"Name": "web A", "team:cost": "4711"}
    assert fetch(META + "tags/instance/").status == 404
    machine.metadata = replace(machine.metadata, instance_metadata_tags="enabled")
    assert fetch(META + "tags/").text == "instance/"
    assert fetch(META + "tags/instance").text == "Name\nteam:cost"
    assert fetch(META + "tags/instance/Name").text == "web A"
    assert fetch(META + "tags/instance/team:cost").text == "4711"
    assert fetch(META + "tags/instance/other").status == 404
    machine.extra["tags"] = {}
    assert fetch(META + "tags/instance").status == 404


def test_a_public_key_is_listed_by_its_name_and_found_by_its_number(fetch: Callable[..., Any], machine: Any) -> None:
    machine.extra |= {"key_name": "my-key", "public_key": "ssh-ed25519 AAAA my-key"}
    assert fetch(META + "public-keys/").text == "0=my-key"
    assert fetch(META + "public-keys/0/").text == "openssh-key"
    assert fetch(META + "public-keys/0/openssh-key").text == "ssh-ed25519 AAAA my-key"


def test_the_identity_document_is_written_as_ec2_writes_it(fetch: Callable[..., Any]) -> None:
    reply = fetch("/latest/dynamic/instance-identity/document")
    assert reply.text == (
        '{\n  "accountId" : "111122223333",\n  "architecture" : "x86_64",\n  "availabilityZone" : "us-east-1a",\n'
        '  "billingProducts" : null,\n  "devpayProductCodes" : null,\n  "marketplaceProductCodes" : null,\n'
        '  "imageId" : "ami-0a887e401f7654935",\n  "instanceId" : "i-0a1b2c3d4e5f60718",\n'
        '  "instanceType" : "t3.micro",\n  "kernelId" : null,\n  "pendingTime" : "2026-05-04T03:02:01Z",\n'
        '  "privateIp" : "10.16.48.113",\n  "ramdiskId" : null,\n  "region" : "us-east-1",\n  "version" : "2017-09-30"\n}'
    )
    assert json.loads(reply.text)["instanceId"] == "i-0a1b2c3d4e5f60718"


@pytest.mark.parametrize("name", ["pkcs7", "signature", "rsa2048"])
def test_a_signature_that_only_aws_can_make_is_not_offered(fetch: Callable[..., Any], name: str) -> None:
    assert name not in fetch("/latest/dynamic/instance-identity/").text
    assert fetch(f"/latest/dynamic/instance-identity/{name}").status == 404
