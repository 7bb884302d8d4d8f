"""What the commands have in common: settings of AWS's own tools, `--exit-zero`, and the form of an example in the help."""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["AwsSettings", "aws_settings", "command", "config_file", "epilog", "exit_zero", "output_form"]

_REGION: Final = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}")
_ROLE: Final = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)
_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_LIVE: Final = ("aws", "org")
_KNOWN: Final = ("", "demo", *_LIVE)
_AWS_OPTIONS: Final = ("profile", "region", "role_arn", "external_id", "mfa")


class _Command(click.Command):
    """A command whose help tells its own options first, then AWS's, which are the same everywhere."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in two sections."""
        parameters = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        for title, wanted in (("Options", False), ("AWS", True)):
            records = [
                record
                for one in parameters
                if (one.name in _AWS_OPTIONS) is wanted and (record := one.get_help_record(ctx))
            ]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def command(**settings: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function, as `click.command` does; every command of this package is made by this."""
    return click.command(cls=_Command, **settings)


def config_file(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config``."""
    text = "stsguard.toml (default: in this folder, else [tool.stsguard] of pyproject.toml)."
    return click.option("--config", metavar="FILE", help=text)(function)


def output_form(*forms: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--output``, the form of what is printed: the first is the default."""
    return click.option(
        "--output", type=click.Choice(forms), default=forms[0], show_default=True, help="Form of what is printed."
    )


def epilog(example: str, *notes: str) -> str:
    """Give the end of a command's help: one example, unwrapped, then notes. A test runs the example as it stands."""
    return "\n\n".join((f"\b\nExample:\n  {example}", *notes))


def exit_zero(function: Callable[..., int]) -> Callable[..., int]:
    """Add ``--exit-zero``: findings are told and do not fail. Bad input and an AWS out of reach still do."""

    @click.option("--exit-zero", "lenient", is_flag=True, help="Exit with 0 where it would be 1 (findings).")
    @wraps(function)
    def call(*args: Any, lenient: bool, **options: Any) -> int:
        code = function(*args, **options)
        return 0 if lenient and code == 1 else code

    return call


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """How to reach AWS, in the words of AWS's own tools; what is None is left to the environment."""

    profile: str | None = None
    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    mfa: str | None = None

    def check(self) -> None:
        """Refuse what cannot be meant, before anything is asked of AWS.

        Raises:
            ConfigurationError: no region, no role ARN, or an option without the one that it belongs to.
        """
        if self.region is not None and not _REGION.fullmatch(self.region):
            raise ConfigurationError(f"`{self.region}` is no region", hint="write it as us-east-1")
        if self.role_arn is not None and not _ROLE.fullmatch(self.role_arn):
            raise ConfigurationError(
                f"`{self.role_arn}` is no ARN of a role",
                hint="write it as arn:aws:iam::111122223333:role/stsguard-audit",
            )
        for option, value in (("--external-id", self.external_id), ("--mfa", self.mfa)):
            if value is not None and self.role_arn is None:
                raise ConfigurationError(f"{option} without a role to assume", hint="give --role-arn ARN")

    @contextmanager
    def applied(self) -> Iterator[str | None]:
        """Put the settings into the environment while a command runs; gives the profile that it still has to name.

        An assumed role is in the environment (its session lasts an hour), so no profile may be named any more: boto3
        would take the profile's credentials instead.

        Raises:
            ConfigurationError: as `check`, or no such profile.
            AwsUnavailableError: the role cannot be assumed.
        """
        self.check()
        values: dict[str, str] = {}
        if self.region is not None:
            values |= {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        with _environment(values):
            if self.role_arn is None:
                yield self.profile
                return
            assumed = self._assume()
            if self.profile is not None:
                assumed["AWS_PROFILE"] = self.profile  # its region and endpoints still count
            with _environment(assumed):
                yield None

    def _assume(self) -> dict[str, str]:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

        from pytest_stsguard.cli.connection import reason_of

        parameters = {"RoleArn": self.role_arn, "RoleSessionName": "stsguard"}
        if self.external_id is not None:
            parameters["ExternalId"] = self.external_id
        if self.mfa is not None:
            parameters |= {"SerialNumber": self.mfa, "TokenCode": _code_of(self.mfa)}
        try:
            session = boto3.Session(profile_name=self.profile)
            client = session.client("sts", region_name=session.region_name or "us-east-1")
            taken = client.assume_role(**parameters)["Credentials"]
        except ProfileNotFound:
            raise ConfigurationError(f"AWS profile `{self.profile}` does not exist") from None
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailableError(f"`{self.role_arn}` cannot be assumed: {reason_of(error)}") from error
        values = (taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])
        return dict(zip(_KEYS, values, strict=True))


def aws_settings(function: Callable[..., int]) -> Callable[..., int]:
    """Add ``--profile``, ``--region``, ``--role-arn``, ``--external-id`` and ``--mfa``, as AWS's own tools know them.

    Where the command takes a target, the profile becomes a part of it: ``aws`` with ``--profile NAME`` is ``aws:NAME``.
    """

    @click.option("--profile", metavar="NAME", help="AWS profile (default: what the environment says).")
    @click.option("--region", metavar="NAME", help="AWS region (default: of the profile or the environment).")
    @click.option("--role-arn", metavar="ARN", help="Assume this role first; its session lasts an hour.")
    @click.option("--external-id", metavar="ID", help="The external id that the role asks for.")
    @click.option("--mfa", metavar="SERIAL", help="The MFA device that the role asks for; its code is asked for.")
    @wraps(function)
    def call(
        *args: Any, region: str | None, role_arn: str | None, external_id: str | None, mfa: str | None, **options: Any
    ) -> int:
        settings = AwsSettings(options.get("profile"), region, role_arn, external_id, mfa)
        target = options.get("target")
        if not isinstance(target, str):
            with settings.applied() as profile:
                return function(*args, **{**options, "profile": profile})
        options.pop("profile", None)
        scheme, named = _target(target, settings)
        with AwsSettings(named, region, role_arn, external_id, mfa).applied() as profile:
            return function(*args, **{**options, "target": f"{scheme}:{profile}" if profile else scheme})

    return call


def _target(target: str, settings: AwsSettings) -> tuple[str, str | None]:
    """Give what is examined, and by which profile; the target as it stands where it is not live."""
    scheme, colon, named = target.partition(":")
    if scheme in _LIVE and (named or not colon):
        if named and settings.profile not in {None, named}:
            raise ConfigurationError(f"target `{target}` and --profile `{settings.profile}` name two profiles")
        return scheme, named or settings.profile
    if not colon and target not in _KNOWN and Path(target).is_file():
        from pytest_stsguard.cli.scheme import scheme_of

        kind = scheme_of(Path(target))
        hint = f"did you mean `{kind}:{target}`?" if kind else "it is no template, plan or export"
        raise ConfigurationError(f"target `{target}` is a file, and does not say of which kind", hint=hint)
    if not colon and target not in _KNOWN and Path(target).is_dir():
        raise ConfigurationError(f"target `{target}` is a folder", hint=f"of listings? write `export:{target}`")
    if settings != AwsSettings():
        raise ConfigurationError(
            f"target `{target}` is not read from AWS", hint="--profile, --region and --role-arn go with aws and org"
        )
    return target, None


def _code_of(device: str) -> str:
    """Ask for the code of an MFA device at the terminal, else take a line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(f"MFA code of {device}", hide_input=True, err=True))
    if code := sys.stdin.readline().strip():
        return code
    raise ConfigurationError(f"no code of `{device}`", hint="type it at a terminal, or hand it over on standard input")


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    kept = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
