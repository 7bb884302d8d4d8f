"""From typed pages to one `Account`: whatever source they came from, they go through here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from pytest_stsguard.account.decode import decode_pages
from pytest_stsguard.account.entity import Entities
from pytest_stsguard.account.listing import Listings
from pytest_stsguard.account.model import Account
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from pytest_stsguard.account.decode import LocatedPage
    from pytest_stsguard.account.principal import Role

__all__ = ["AccountBuilder"]

_EXPORTED = {
    "roles": "the export holds no RoleDetailList",
    "users": "the export holds no UserDetailList",
    "groups": "the export holds no GroupDetailList",
    "policies": "the export holds no Policies",
}
_LISTED = {
    "instances": "no listing of describe-instances",
    "oidc providers": "no listing of list-open-id-connect-providers",
    "saml providers": "no listing of list-saml-providers",
    "organization": "no answer of describe-organization",
}
_MAKE = "make one with `aws iam get-account-authorization-details > FILE`"


class AccountBuilder:
    """Collects pages and listings, then makes the account of them.

    Args:
        source: the target, as the user gave it.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.gaps: dict[str, str] = {}
        self._entities = Entities()
        self._listings = Listings()
        self._held: set[str] = set()
        self._silent: set[str] = set()
        self._last: LocatedPage | None = None
        self._complete = False

    def owner(self) -> str:
        """Give the id of the account that the pages so far are of.

        Raises:
            InputError: they name none, or two.
        """
        return self._entities.account(self.source)[1]

    def looked_for(self, *kinds: str) -> None:
        """Note that there is no more of a kind (``oidc providers``) than what was added."""
        self._listings.kinds.update(kinds)

    def add_text(self, text: str, file: str | None) -> None:
        """Add every page of a JSON text.

        Raises:
            InputError: the text is no JSON, of the wrong shape, or neither an export nor a listing that is known here.
        """
        for located in decode_pages(text, file):
            self.add(located)

    def add(self, located: LocatedPage) -> None:
        """Add one page."""
        page = located.page
        if not page.exported and not page.listed:
            raise InputError(
                "not an export of GetAccountAuthorizationDetails: it has no `RoleDetailList`",
                location=str(located.location),
                hint=_MAKE,
            )
        if page.exported:
            self._note(located)
            self._entities.add(located)
        if page.listed:
            self._listings.add(located)

    def build(self) -> Account:
        """Make the account.

        Raises:
            InputError: no page of the export, nothing in it that names the account, or two accounts in one.
        """
        if self._last is None:
            raise InputError("holds no export of GetAccountAuthorizationDetails", location=self.source, hint=_MAKE)
        partition, account = self._entities.account(self.source)
        roles = tuple(self._listings.complete(role) for role in self._entities.roles)
        listed = self._listings.resources(partition, account)
        return Account(
            id=account,
            partition=partition,
            roles=roles,
            users=tuple(self._entities.users),
            groups=tuple(self._entities.groups),
            policies=tuple(self._entities.policies),
            instance_profiles=tuple(self._entities.instance_profiles.values()),
            instances=listed.instances,
            identity_providers=listed.identity_providers,
            organization=listed.organization,
            problems=(*self._entities.problems, *self._truncation()),
            gaps=self._gaps(roles),
            source=self.source,
        )

    def _note(self, located: LocatedPage) -> None:
        """Remember what an export page holds, whether it is the last one, and which of its roles it is silent on."""
        page = located.page
        lists = (page.role_detail_list, page.user_detail_list, page.group_detail_list, page.policies)
        self._held.update(name for name, value in zip(_EXPORTED, lists, strict=True) if value is not UNSET)
        self._last = located
        self._complete = self._complete or not (page.is_truncated is True or page.next_token)
        self._silent.update(role.arn for role in page.role_detail_list or () if role.role_last_used is UNSET)

    def _truncation(self) -> tuple[InputError, ...]:
        if self._complete or self._last is None:
            return ()
        place = str(self._last.location)
        return (
            InputError("the export stops at a page that says more follow", location=place, hint="add the other pages"),
        )

    def _gaps(self, roles: tuple[Role, ...]) -> dict[str, str]:
        gaps = {name: reason for name, reason in _EXPORTED.items() if name not in self._held}
        own = [role for role in roles if not role.service_linked]
        if any(role.max_session_duration is None for role in own):
            gaps["MaxSessionDuration"] = (
                "GetAccountAuthorizationDetails does not tell it, and no listing of list-roles does"
            )
        if any(role.arn in self._silent and not self._listings.tells_last_use(role) for role in own):
            gaps["RoleLastUsed"] = "the export does not tell when roles were last used"
        for name, reason in _LISTED.items():
            if name not in self._listings.kinds:
                gaps["identity providers" if name.endswith("providers") else name] = reason
        return gaps | self.gaps
