"""`ec2-metadata` from PyPI reads an instance without noticing where it is."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_stsguard.cloud.metadata import MetadataServer

library = pytest.importorskip("ec2_metadata", reason="needs ec2-metadata from PyPI")


@pytest.fixture
def reader(server: MetadataServer) -> Any:
    found = library.EC2Metadata()
    for name, text in list(vars(found).items()):
        # The address is the one thing that the library does not let anybody choose.
        if isinstance(text, str):
            setattr(found, name, text.replace("http://169.254.169.254", server.url))
    return found


def test_every_fact_is_read(reader: Any, machine: Any) -> None:
    machine.metadata = replace(machine.metadata, http_tokens="required", instance_metadata_tags="enabled")
    machine.extra |= {"user_data": b"#!/bin/sh", "tags": {"Name": "A"}}
    facts = machine.facts()
    assert reader.instance_id == facts.instance_id
    assert reader.account_id == facts.account_id
    assert reader.region == facts.region
    assert reader.availability_zone == facts.availability_zone
    assert reader.private_ipv4 == facts.primary.private_ip
    assert reader.mac == facts.primary.mac
    assert reader.user_data == b"#!/bin/sh"
    assert reader.iam_info["InstanceProfileArn"].startswith("arn:aws:iam::")
    assert next(iter(reader.network_interfaces.values())).vpc_id == facts.primary.vpc_id
    # It takes the profile's name for the role's, as the console makes them; these two differ.
    absent = {"elastic_gpus", "elastic_inference_accelerators", "iam_security_credentials"}
    read = {
        name: getattr(reader, name)
        for name, each in vars(library.EC2Metadata).items()
        if isinstance(each, cached_property | property) and name not in absent
    }
    assert len(read) > 20
    assert read["tags"]["Name"] == "A"
