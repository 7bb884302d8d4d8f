"""The live source: an account read through any boto3 Session, of AWS or of a simulation.

It needs ``iam:GetAccountAuthorizationDetails``; whatever else it may not read becomes a gap of the account. Calls run side
by side, each client slows down when it is throttled, and the number of calls grows by two for a thousand roles. Identity
providers are asked for one by one, and only those that a trust policy names.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from re import compile as regex
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.account.live.calls import HOME, Calls, Step, is_missing, reason_of
from pytest_stsguard.account.live.keep import Keep
from pytest_stsguard.errors import AwsUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import boto3

    from pytest_stsguard.account.model import Account

__all__ = ["JOBS", "read_session"]

JOBS: Final = 8
"""Calls under way at the same time; there are more steps than that only where many regions are read."""

_PAGE_SIZE: Final = 1000
_Pages = Future[list[str]]
_DETAILS = Step("details", "iam", "get_account_authorization_details", "Marker", "MaxItems")
_SAML: Final = Step("saml", "iam", "list_saml_providers")
_PROVIDER = regex(r"arn:[\w-]+:iam::(?P<account>\d{12}):(?P<kind>oidc|saml)-provider/[^\"\\\s]+")
_OPTIONAL: Final = {
    "MaxSessionDuration": (Step("roles", "iam", "list_roles", "Marker", "MaxItems"),),
    "organization": (Step("organization", "organizations", "describe_organization"),),
}


def read_session(
    session: boto3.Session,
    *,
    source: str = "aws",
    page_size: int = _PAGE_SIZE,
    regions: Iterable[str] | None = (),
    jobs: int = JOBS,
    keep: str | Path | None = None,
) -> Account:
    """Read the account that a session's credentials belong to.

    Args:
        session: anything that makes boto3 clients.
        source: what the account is called.
        page_size: entries a call, at most 1,000.
        regions: where to look for instances; empty: the session's region; None: every region that the account has enabled.
        jobs: calls under way at the same time.
        keep: a directory for the answers; a run that was interrupted goes on from them, a finished one begins anew.

    Raises:
        AwsUnavailableError: AWS is out of reach, or refuses to give the account's authorization details.
        InputError: the answer cannot be used, or `keep` is of another account.
    """
    calls = Calls(session, page_size=page_size)
    try:
        kept = None if keep is None else Keep(keep, calls.caller().account)
        return _Reading(calls, source, jobs, kept).read(regions)
    except (ClientError, BotoCoreError) as error:
        raise AwsUnavailableError(
            f"cannot read the account: {reason_of(error)}",
            location=source,
            hint="it needs working credentials that may call iam:GetAccountAuthorizationDetails",
        ) from error


class _Reading:
    """One account while it is being read."""

    def __init__(self, calls: Calls, source: str, jobs: int, kept: Keep | None) -> None:
        self.calls = calls
        self.kept = kept
        self.builder = AccountBuilder(source)
        self.pool = ThreadPoolExecutor(max(jobs, 1), thread_name_prefix="stsguard")

    def read(self, regions: Iterable[str] | None) -> Account:
        """Read everything; only the account's details must be readable."""
        try:
            details = self._start(_DETAILS)
            optional = {gap: [self._start(step) for step in steps] for gap, steps in _OPTIONAL.items()}
            instances = {region: self._start(_instances(region)) for region in self._regions(regions)}
            pages = details.result()
            self._add(pages)
            providers = self._ask_providers(pages)
            for gap, started in optional.items():
                self._collect(gap, started)
            self._collect_instances(instances)
            self._add_providers(providers)
        finally:
            self.pool.shutdown(cancel_futures=True)
        account = self.builder.build()
        if self.kept is not None:
            self.kept.finish()
        return account

    def _start(self, step: Step) -> _Pages:
        return self.pool.submit(self.calls.pages, step, self.kept)

    def _add(self, pages: list[str]) -> None:
        for page in pages:
            self.builder.add_text(page, None)

    def _collect(self, gap: str, started: list[_Pages]) -> str | None:
        """Take in the answers of some steps; gives why one of them has none."""
        for future in started:
            try:
                self._add(future.result())
            except (ClientError, BotoCoreError) as error:
                self.builder.gaps[gap] = reason_of(error)
                return self.builder.gaps[gap]
        return None

    def _regions(self, regions: Iterable[str] | None) -> list[str]:
        """List the regions to read, and note that the others are not."""
        own = self.calls.region
        if regions is not None:
            found = list(dict.fromkeys(regions)) or [own]
            told = "a session is read in one region" if found == [own] else "other regions were not asked for"
            self.builder.gaps[f"instances outside {', '.join(found)}"] = told
            return found
        try:
            return self.calls.regions()
        except (ClientError, BotoCoreError) as error:
            self.builder.gaps[f"instances outside {own}"] = reason_of(error)
            return [own]

    def _collect_instances(self, started: dict[str, _Pages]) -> None:
        """Take in the instances; a reason that holds in every region is told once."""
        failed = {
            region: reason
            for region, future in started.items()
            if (reason := self._collect(f"instances in {region}", [future])) is not None
        }
        if len(failed) == len(started) and len(set(failed.values())) == 1:
            for region in failed:
                del self.builder.gaps[f"instances in {region}"]
            self.builder.gaps["instances"] = next(iter(failed.values()))

    def _ask_providers(self, pages: list[str]) -> list[_Pages]:
        """Ask for the providers that the account's details name: each OIDC provider, and all SAML providers at once."""
        own = self.builder.owner()
        found = (match for page in pages for match in _PROVIDER.finditer(page))
        named = {match[0]: match["kind"] for match in found if match["account"] == own}
        steps = [_provider(arn) for arn, kind in sorted(named.items()) if kind == "oidc"]
        if "saml" in named.values():
            steps.append(_SAML)
        self.builder.looked_for("oidc providers", "saml providers")
        self.builder.gaps["unnamed identity providers"] = "no trust policy names them, and they were not asked for"
        return [self._start(step) for step in steps]

    def _add_providers(self, started: list[_Pages]) -> None:
        """Take in the providers; one that is only named does not exist."""
        for future in started:
            try:
                self._add(future.result())
            except (ClientError, BotoCoreError) as error:
                if not is_missing(error):
                    self.builder.gaps["identity providers"] = reason_of(error)


def _instances(region: str) -> Step:
    return Step(f"instances-{region}", "ec2", "describe_instances", "NextToken", "MaxResults", region=region)


def _provider(arn: str) -> Step:
    name = "".join(sign if sign.isalnum() else "-" for sign in arn.partition("/")[2])
    arguments = (("OpenIDConnectProviderArn", arn),)
    return Step(f"oidc-{name}", "iam", "get_open_id_connect_provider", region=HOME, arguments=arguments)
