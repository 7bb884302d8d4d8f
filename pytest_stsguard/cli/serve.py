"""``stsguard serve``: the demo world over HTTP, for the AWS CLI, curl and any SDK."""

from __future__ import annotations

import ipaddress
import json
import signal
import threading
from typing import TYPE_CHECKING

import click

from pytest_stsguard.cli.conventions import epilog
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_stsguard.cloud import Cloud, Server

__all__ = ["serve"]

_PORT = 4599
_IMDS_PORT = 4600
_PORTS = click.IntRange(0, 65_535)


@click.command(
    epilog=epilog(
        "stsguard serve --port 4599",
        "Then, elsewhere: AWS_ENDPOINT_URL=http://127.0.0.1:4599 aws sts get-caller-identity",
        "Exit code: 0 stopped, 2 bad usage or a port that cannot be had, 130 interrupted.",
    ),
)
@click.option(
    "--port", type=_PORTS, default=_PORT, show_default=True, help="Port of the AWS endpoint; 0: any free one."
)
@click.option(
    "--imds-port",
    type=_PORTS,
    default=_IMDS_PORT,
    show_default=True,
    help="Port of the first instance's metadata service, the next instance takes the next one; 0: any free ones.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen at; loopback, unless you insist."
)
def serve(port: int, imds_port: int, host: str) -> None:
    """Serve the demo world until stopped, and print one JSON line when it is ready."""
    from pytest_stsguard.cloud import Cloud

    _warn_beyond_loopback(host)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with Cloud() as cloud:
        server = cloud.serve(host=host, port=port)
        for number, instance in enumerate(cloud.instances):
            instance.serve_metadata(host=host, port=imds_port + number if imds_port else 0)
        click.echo(json.dumps(_ready(cloud, server)))
        while not stop.wait(timeout=1):
            # A wait without an end would keep the interrupt key from being heard on some platforms.
            pass


def _ready(cloud: Cloud, server: Server) -> dict[str, object]:
    from pytest_stsguard.cloud import DEMO

    return {
        "endpoint": server.url,
        "region": cloud.region,
        "account": cloud.account,
        "admin": {
            "AccessKeyId": cloud.admin.access_key_id,
            "SecretAccessKey": cloud.admin.secret_access_key,
        },
        "role": DEMO.instance_role,
        "instances": [
            {"InstanceId": instance.instance_id, "Name": instance.name, "imds": instance.metadata_url}
            for instance in cloud.instances
        ],
    }


def _warn_beyond_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise ConfigurationError(f"`{host}` is no address", hint="give an IP address, as 127.0.0.1") from None
    if not loopback:
        click.echo(f"warning: listening at {host}: whoever reaches it can use the simulated cloud", err=True)
