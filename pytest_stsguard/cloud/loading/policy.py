"""Policies on their way into the cloud: managed ones with all their versions, inline ones by name."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.loading.blueprint import Attached, ManagedPolicy, Text, Version
    from pytest_stsguard.cloud.loading.loaded import Loaded

__all__ = ["MISSING", "Policies", "plain_time"]

MISSING = "null"
"""The text of a document that the source does not hold."""

_VERSION = re.compile(r"v([1-9]\d*)")
_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_AWS_OWNED = ":iam::aws:policy/"


class Policies:
    """The managed policies of one account.

    Args:
        backend: moto's state.
        loaded: where it is noted what was put in; its account is the one that is filled.
    """

    def __init__(self, backend: Backend, loaded: Loaded) -> None:
        self._backend = backend
        self._loaded = loaded
        self._account = loaded.account

    @property
    def known(self) -> dict[str, Any]:
        """The managed policies that moto has, by ARN, live."""
        known: dict[str, Any] = self._backend.service("iam", account=self._account).managed_policies
        return known

    def load(self, policies: Iterable[ManagedPolicy]) -> None:
        """Put managed policies in; AWS's own as the source has them, since they change over the years."""
        for policy in policies:
            reason = self._refusal(policy)
            if reason is not None:
                self._loaded.note(policy.arn, reason)
                continue
            self.known[policy.arn] = self._made(policy)
            if _AWS_OWNED not in policy.arn:
                self._loaded.arns.append(policy.arn)

    def attach(self, arn: str, attached: Iterable[Attached], holder: Any) -> None:
        """Attach managed policies to one of moto's holders, whose ARN is `arn`."""
        for one in attached:
            if self.find(one.arn) is None:
                self._loaded.note(
                    arn, f"the policy `{one.arn}` is not in the source: what it says is missing", whole=False
                )
            else:
                self.known[one.arn].attach_to(holder)

    def find(self, arn: str) -> Any:
        """Find a managed policy, AWS's own where moto knows it; None when there is none."""
        self._backend.provide_managed_policy(arn, account=self._account)
        return self.known.get(arn)

    def put_inline(self, arn: str, documents: Iterable[Text], holder: Any) -> None:
        """Put inline policies into one of moto's holders."""
        for document in documents:
            name = self._name(document.name, holder.policies)
            if document.text == MISSING:
                self._loaded.note(arn, f"the document of `{document.name}` is not in the source", whole=False)
                continue
            holder.policies[name] = document.text
            self.doubt(arn, document)

    def doubt(self, arn: str, document: Text) -> None:
        """Note what of a document cannot be read: whatever depends on it is refused by name, never decided."""
        if document.problems:
            told = str(document.problems[0])
            self._loaded.note(arn, f"`{document.name}` cannot be read in full: {told}", whole=False)

    def _refusal(self, policy: ManagedPolicy) -> str | None:
        if policy.arn in self.known and _AWS_OWNED not in policy.arn:
            return "a policy of that ARN is there already"
        version = next((version for version in policy.versions if version.default), None)
        if version is None or version.document.text == MISSING:
            return "the source does not hold the version that is in force"
        if self._class_of(policy).__name__ == "ManagedPolicy" and not policy.arn.endswith(
            f":iam::{self._account}:policy{policy.path}{policy.name}"
        ):
            return "its ARN does not go with its path and name"
        return None

    def _class_of(self, policy: ManagedPolicy) -> Any:
        from moto.iam.models import AWSManagedPolicy  # noqa: PLC0415 - moto is imported when a cloud opens
        from moto.iam.models import ManagedPolicy as OwnPolicy  # noqa: PLC0415

        return AWSManagedPolicy if _AWS_OWNED in policy.arn else OwnPolicy

    def _made(self, policy: ManagedPolicy) -> Any:
        default = next(version for version in policy.versions if version.default)
        made = self._class_of(policy)(
            policy.name, account_id=self._account, region=self._backend.region, path=policy.path
        )
        made.id = policy.id or made.id
        made.versions = [_version(policy.arn, version) for version in policy.versions]
        made.default_version_id = default.id
        made.create_date = min((version.create_date for version in made.versions), default=made.create_date)
        numbers = [int(match[1]) for version in policy.versions if (match := _VERSION.fullmatch(version.id))]
        made.next_version_num = max(numbers, default=1) + 1
        self.doubt(policy.arn, default.document)
        return made

    def _name(self, label: str, taken: dict[str, str]) -> str:
        """Give the name of an inline policy: a plan's has the resource's address before it, a template may name two alike."""
        name = label.rpartition(": ")[2] if not _NAME.fullmatch(label) else label
        name = re.sub(r"[^\w+=,.@-]", "_", name, flags=re.ASCII)[:128]
        number, found = 2, name
        while found in taken:
            found = f"{name[:120]}-{number}"
            number += 1
        return found


def _version(arn: str, version: Version) -> Any:
    from moto.iam.models import PolicyVersion  # noqa: PLC0415 - as above

    return PolicyVersion(arn, version.document.text, version.default, version.id, plain_time(version.created))


def plain_time(moment: datetime | None) -> datetime | None:
    """Give a moment as moto keeps it: UTC, without saying so."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
