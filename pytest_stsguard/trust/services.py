"""What AWS services carry when they assume a role for somebody: the source that they act for, where they tell it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pytest_stsguard.trust.chars import DIGIT, NOT_COLON, ORG, PRINTABLE, WORD, Slot, Slots, literal, many, some, times
from pytest_stsguard.trust.identities import EVIL_ACCOUNT, org_paths, other_orgs
from pytest_stsguard.trust.option import ABSENT, FREE, Key, address, fixed, key, texts, values
from pytest_stsguard.trust.presence import EXTERNAL_ID, OF_SESSIONS, lookup
from pytest_stsguard.trust.text import Shape
from pytest_stsguard.trust.views import ORG_OF_PATH, account_of_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.trust.request_class import Scene

__all__ = ["ServiceKeys"]

SENDS_EXTERNAL_ID: Final = frozenset({"cognito-idp.amazonaws.com"})
"""Services documented to pass an ExternalId, which whoever configures them chooses.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-mfa-sms-text-message.html
"""
NOT_DOCUMENTED: Final = (
    "services are not documented to send what a condition asks for (pin `aws:SourceAccount` or `aws:SourceArn` instead)"
)

_NEVER: Final = frozenset(
    {"aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths"} | OF_SESSIONS
)
_HARDLY: Final = frozenset(
    {
        "aws:principaltype",
        "aws:username",
        "aws:userid",
        "aws:tokenissuetime",
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "aws:sourceidentity",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourcevpcarn",
    }
)
SENDS_TAGS: Final = frozenset({"rolesanywhere.amazonaws.com"})
"""Services documented to set principal tags that a trust policy may test, from a certificate that anybody issues.

https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
"""


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The presence table of one service acting for one kind of source.

    `service` is empty for services that nobody names. `org` is the source's: ``own``, ``other`` or ``none``.
    `source` tells of aws:SourceArn: ``none`` or an ARN without an account (``free``), or one with the account
    (``tied``); `told`: with a tied ARN, aws:SourceAccount comes too.
    """

    scene: Scene
    service: str
    org: str
    source: str
    told: bool = True

    def __call__(self, asked: str) -> Key:
        """Tell what a context key (lower case) can be."""
        return lookup(asked, self.scene, self._own)

    def _own(self, asked: str) -> Key | None:
        make = _OWN.get(asked)
        if make is not None:
            return make(self)
        if asked in {"aws:sourceip", "aws:vpcsourceip"}:
            return key(asked, ABSENT, address(doubt=NOT_DOCUMENTED))
        if asked in _NEVER or asked.startswith("saml:") or "." in asked.partition(":")[0]:
            return key(asked, ABSENT)
        if asked in _HARDLY or asked.startswith("aws:principaltag/"):
            doubt = None if self.service in SENDS_TAGS and "/" in asked else NOT_DOCUMENTED
            return key(asked, ABSENT, texts(FREE, doubt=doubt))
        return None

    def service_name(self) -> Key:
        """Give aws:PrincipalServiceName; any, when the class is of services that nobody names."""
        return key("aws:principalservicename", fixed(self.service) if self.service else texts(FREE))

    def service_names(self) -> Key:
        """Give aws:PrincipalServiceNamesList: the name, and those of its regions."""
        required = (self.service,) if self.service else ()
        return key("aws:principalservicenameslist", values(FREE, required=required), several=True)

    def external_id(self) -> Key:
        """Give sts:ExternalId."""
        doubt = None if self.service in SENDS_EXTERNAL_ID else NOT_DOCUMENTED
        plain, formal = EXTERNAL_ID
        return key("sts:externalid", ABSENT, replace(plain, doubt=doubt), replace(formal, doubt=doubt or formal.doubt))

    def source_arn(self) -> Key:
        """Give aws:SourceArn; the ARNs of buckets and of some global resources carry no account."""
        asked = "aws:sourcearn"
        start = f"arn:{self.scene.zones.partition}:"
        kind = (*literal(start), *some(ORG), *literal(":"))
        fills = (
            "",
            "us-east-1",
            "evil",
            EVIL_ACCOUNT,
            "x",
            f"evil:us-east-1:{EVIL_ACCOUNT}:evil",
            f"{start}evil:us-east-1:{EVIL_ACCOUNT}:",
        )
        if self.source == "free":
            bare = Shape((*kind, *many(NOT_COLON), *literal("::"), *some(PRINTABLE)), (f"{start}s3:::evil",), fills)
            odd = Shape(
                (*kind, *many(NOT_COLON), *literal(":"), Slot(WORD), *many(ORG), *literal(":"), *some(PRINTABLE))
            )
            return key(
                asked,
                ABSENT,
                texts(bare),
                texts(
                    odd,
                    doubt="no source's ARN has a word for an account (name the account, or pin `aws:SourceAccount`)",
                ),
            )
        account = times(DIGIT, 12)
        slots: Slots = (*kind, *some(NOT_COLON), *literal(":"), *account, *literal(":"), *some(PRINTABLE))
        globe: Slots = (*kind, *literal(":"), *account, *literal(":"), *some(PRINTABLE))
        sample = f"{start}evil:us-east-1:{EVIL_ACCOUNT}:evil"
        return key(asked, texts(Shape(slots, (sample,), fills), Shape(globe, (), fills)))

    def source_account(self) -> Key:
        """Give aws:SourceAccount: the account in the ARN, where the ARN has one."""
        asked = "aws:sourceaccount"
        if self.source == "tied" and not self.told:
            return key(asked, ABSENT)
        if self.source == "tied":
            return self.source_arn()._replace(view=account_of_source(self.scene.zones.partition))
        return key(asked, ABSENT, texts(Shape(times(DIGIT, 12), (EVIL_ACCOUNT,), (EVIL_ACCOUNT, ""))))

    def source_paths(self) -> Key:
        """Give aws:SourceOrgPaths: one path, in a key that can hold several."""
        asked, org_id = "aws:sourceorgpaths", self.scene.zones.org_id
        if self.org == "none":
            return key(asked, ABSENT, several=True)
        if self.org == "own" and org_id:
            return key(asked, texts(*org_paths(literal(org_id), org_id)), several=True)
        return key(asked, *other_orgs(self.scene), several=True)

    def source_org(self) -> Key:
        """Give aws:SourceOrgID: the first part of the path."""
        asked, org_id = "aws:sourceorgid", self.scene.zones.org_id
        if self.org == "none":
            return key(asked, ABSENT)
        if self.org == "own" and org_id:
            return key(asked, fixed(org_id))
        return self.source_paths()._replace(view=ORG_OF_PATH, several=False)


_OWN: Final[dict[str, Callable[[ServiceKeys], Key]]] = {
    "aws:sourcearn": ServiceKeys.source_arn,
    "aws:sourceaccount": ServiceKeys.source_account,
    "aws:sourceorgid": ServiceKeys.source_org,
    "aws:sourceorgpaths": ServiceKeys.source_paths,
    "aws:principalisawsservice": lambda _: key("aws:principalisawsservice", fixed("true")),
    "aws:principalservicename": ServiceKeys.service_name,
    "aws:principalservicenameslist": ServiceKeys.service_names,
    "sts:externalid": ServiceKeys.external_id,
}
