"""``stsguard serve``: a simulated AWS over HTTP, for the AWS CLI, curl and any SDK."""

from __future__ import annotations

import ipaddress
import json
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_stsguard.cli.conventions import command, epilog
from pytest_stsguard.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.cloud import Cloud, Server

__all__ = ["serve"]

_PORT = 4599
_IMDS_PORT = 4600
_PORTS = click.IntRange(0, 65_535)


@command(
    short_help="Serve a simulated AWS over HTTP until stopped.",
    epilog=epilog(
        "stsguard serve --port 4599",
        "Then, elsewhere: AWS_ENDPOINT_URL=http://127.0.0.1:4599 aws sts get-caller-identity",
        "Exit code: 0 stopped, 2 bad usage or a port that cannot be had, 130 interrupted.",
    ),
)
@click.option(
    "--port",
    metavar="PORT",
    type=_PORTS,
    default=_PORT,
    show_default=True,
    help="Port of the AWS endpoint; 0: any free one.",
)
@click.option(
    "--imds-port",
    metavar="PORT",
    type=_PORTS,
    default=_IMDS_PORT,
    show_default=True,
    help="Port of the first instance's metadata service, the next instance takes the next one; 0: any free ones.",
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at; see --allow-non-loopback for others.",
)
@click.option("--allow-non-loopback", is_flag=True, help="Listen where others than this machine can come.")
@click.option(
    "--world",
    metavar="WORLD",
    default="demo",
    show_default=True,
    help="What there is: demo, empty, a CloudFormation template or a saved state (a file).",
)
@click.option("--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the template.")
@click.option(
    "--state",
    "state_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Restore from this file when it is there; save to it on SIGHUP and at the end.",
)
@click.option(
    "--consistency",
    metavar="SECONDS[:SEED]",
    help="Let changes of policies, principals and keys be seen as late as on AWS, within so many seconds.",
)
def serve(
    port: int,
    imds_port: int,
    *,
    host: str,
    allow_non_loopback: bool,
    world: str,
    parameters: tuple[str, ...],
    state_file: Path | None,
    consistency: str | None,
) -> None:
    """Serve a simulated AWS until stopped, and print one JSON line when it is ready."""
    from pytest_stsguard.cloud import Cloud

    _check_host(host, allowed=allow_non_loopback)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    source: str | Path = state_file if state_file is not None and state_file.exists() else world
    with Cloud(world=source, parameters=_given(parameters), consistency=consistency) as cloud, _kept(cloud, state_file):
        for each in cloud.left_out:
            click.echo(f"note: not in this world: {each}", err=True)
        server = cloud.serve(host=host, port=port)
        for number, instance in enumerate(cloud.instances):
            instance.serve_metadata(host=host, port=imds_port + number if imds_port else 0)
        click.echo(json.dumps(_ready(cloud, server)))
        while not stop.wait(timeout=1):
            # A wait without an end would keep the interrupt key from being heard on some platforms.
            pass
        server.close()


@contextmanager
def _kept(cloud: Cloud, file: Path | None) -> Iterator[None]:
    """Save the state to `file` when asked to by SIGHUP, and at a graceful end."""
    if file is None:
        yield
        return
    _write(cloud, file)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: _write(cloud, file))
    try:
        yield
    finally:
        _write(cloud, file)


def _write(cloud: Cloud, file: Path) -> None:
    """Write a file that is whole at any moment."""
    from pytest_stsguard.cloud.snapshot import text_of

    beside = file.with_name(f"{file.name}.new")
    try:
        # Keys and secrets are in it: it is its owner's alone.
        beside.unlink(missing_ok=True)
        beside.touch(mode=0o600)
        beside.write_text(text_of(cloud.save()), encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise InputError(f"cannot write `{file}`: {(error.strerror or str(error)).lower()}") from error


def _given(parameters: tuple[str, ...]) -> dict[str, str]:
    given = {}
    for each in parameters:
        name, separator, text = each.partition("=")
        if not separator or not name:
            raise ConfigurationError(f"`{each}` is no parameter", hint="give NAME=VALUE")
        given[name] = text
    return given


def _ready(cloud: Cloud, server: Server) -> dict[str, object]:
    roles = (instance.profile() for instance in cloud.instances)
    role = next((profile.role_name for profile in roles if profile is not None), None)
    return {
        "endpoint": server.url,
        "region": cloud.region,
        "account": cloud.account,
        "admin": {
            "AccessKeyId": cloud.admin.access_key_id,
            "SecretAccessKey": cloud.admin.secret_access_key,
        },
        "role": role,
        "instances": [
            {"InstanceId": instance.instance_id, "Name": instance.name, "imds": instance.metadata_url}
            for instance in cloud.instances
        ],
    }


def _check_host(host: str, *, allowed: bool) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise ConfigurationError(f"`{host}` is no address", hint="give an IP address, as 127.0.0.1") from None
    if loopback:
        return
    if not allowed:
        raise ConfigurationError(
            f"`{host}` is no loopback address: others could use the simulated cloud",
            hint="insist by --allow-non-loopback",
        )
    click.echo(f"warning: listening at {host}: whoever reaches it can use the simulated cloud", err=True)
