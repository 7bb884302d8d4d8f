"""What AWS identities carry: users and roles of the own account, of named ones, and of every other.

An account's organisation is the own, another, none, or unknown: the own account's, when its id was not supplied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pytest_stsguard.trust.chars import DIGIT, NAME, ORG, PATH, Chars, Slots, literal, some, times
from pytest_stsguard.trust.option import ABSENT, FREE, Key, Option, address, fixed, key, number, texts
from pytest_stsguard.trust.presence import EXTERNAL_ID, SESSION_NAME, SESSION_SOURCES, TAG, issue_time, lookup
from pytest_stsguard.trust.text import Shape
from pytest_stsguard.trust.views import ORG_OF_PATH, account_of_principal, name_of_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.trust.request_class import Scene

__all__ = ["EVIL_ACCOUNT", "EVIL_ORG", "IdentityKeys", "org_paths", "role_shapes"]

EVIL_ACCOUNT: Final = "666666666666"
EVIL_ORG: Final = "o-evilevil00"
UNIQUE: Final = Chars(frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))

PATH_UNKNOWN: Final = (
    "the path of the session's role is not known (trust the role by its ARN, or declare it in `own_principals` without "
    "wildcards)"
)
UNIQUE_ID: Final = "a unique id names one user or role, and does not tell whose (name the user or role by its ARN)"
ORG_UNKNOWN: Final = "it depends on what was not supplied: the organization's id (give `org_id` in the zones)"
NO_ROOT: Final = "only a root user fits, who cannot assume roles (name users or roles)"

PIN_CALLER: Final = "add a condition on `aws:PrincipalArn` or `aws:PrincipalOrgID`"

_FILLS: Final = (EVIL_ACCOUNT, "evil", f"{EVIL_ACCOUNT}:role/", "", "x", f"{EVIL_ACCOUNT}:role/evil")
_ORG_TAIL: Final = Chars(ORG.members | {"/"})
_OPTIONAL: Final = (ABSENT, texts(FREE))

_ANY_IDENTITY: Final[dict[str, tuple[Option, ...]]] = {
    "aws:principalisawsservice": (fixed("false"),),
    "aws:principalservicename": (ABSENT,),
    "aws:principalservicenameslist": (ABSENT,),
    "aws:sourceaccount": (ABSENT,),
    "aws:sourcearn": (ABSENT,),
    "aws:sourceorgid": (ABSENT,),
    "aws:sourceorgpaths": (ABSENT,),
    "aws:multifactorauthpresent": (fixed("true", "false"), ABSENT),
    "aws:multifactorauthage": (number(Decimal()), ABSENT),
    "aws:sourceidentity": (ABSENT, texts(SESSION_NAME)),
    "sts:externalid": (ABSENT, *EXTERNAL_ID),
    "aws:ec2instancesourcevpc": _OPTIONAL,
    "aws:ec2instancesourceprivateipv4": (ABSENT, address()),
    "ec2:roledelivery": (ABSENT, fixed("1.0", "2.0")),
    "ssm:sourceinstancearn": (
        ABSENT,
        texts(FREE, doubt=f"whose instance `ssm:SourceInstanceArn` names is not told ({PIN_CALLER})"),
    ),
    "glue:roleassumedby": (ABSENT, fixed("glue.amazonaws.com")),
    "glue:credentialissuingservice": (ABSENT, fixed("glue.amazonaws.com")),
    "identitystore:userid": (
        ABSENT,
        texts(FREE, doubt=f"an id of a user does not tell whose directory it is of ({PIN_CALLER})"),
    ),
    "aws:assumedroot": (ABSENT, fixed("true", doubt=f"a session of AssumeRoot is for its task only ({PIN_CALLER})")),
    "aws:federatedprovider": (ABSENT, texts(FREE)),
}
"""What every identity carries or lacks. IAM principals never carry a source; ExternalId comes only if it is passed."""


def role_shapes(head: Slots, prefix: str, name: Slots, sample: str) -> tuple[Shape, Shape]:
    """Describe ARNs of roles or users up to their name: without a path, and with one."""
    plain = Shape((*head, *name), (f"{prefix}{sample}",), _FILLS)
    with_path = Shape((*head, *some(PATH), *literal("/"), *name), (f"{prefix}evil/{sample}",), _FILLS)
    return plain, with_path


@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """The presence table of one class of identities.

    `account` is empty for any that nobody names. `org` is ``own``, ``other``, ``none`` or ``unknown``. `caller` is
    ``user``, ``role``, ``identity`` (either) or ``session``; `arn` names one user or role, or is empty. `name` is the
    name of a session's role. `doubtful_path`: a session's role may lie inside the zones, for all its name tells.
    """

    scene: Scene
    account: str
    org: str
    caller: str
    arn: str = ""
    name: str = ""
    doubtful_path: bool = False

    def __call__(self, asked: str) -> Key:
        """Tell what a context key (lower case) can be."""
        return lookup(asked, self.scene, self._own)

    def _own(self, asked: str) -> Key | None:
        found = _ANY_IDENTITY.get(asked)
        if found is not None:
            return key(asked, *found)
        make = _OWN.get(asked)
        if make is not None:
            return make(self)
        if asked in SESSION_SOURCES:
            return self.source_of_session(asked)
        if asked.startswith("aws:principaltag/"):
            return key(asked, *TAG)
        if asked.startswith("saml:") or (":" in asked and "." in asked.partition(":")[0]):
            return key(
                asked,
                ABSENT,
                texts(FREE, doubt=f"whether sessions carry `{asked[:80]}` on is not certain ({PIN_CALLER})"),
            )
        return None

    def _prefix(self, noun: str) -> tuple[Slots, str]:
        """Give what the ARNs of this class begin with, as places and as a sample."""
        start = f"arn:{self.scene.zones.partition}:iam::"
        account = literal(self.account) if self.account else times(DIGIT, 12)
        return (*literal(start), *account, *literal(f":{noun}/")), f"{start}{self.account or EVIL_ACCOUNT}:{noun}/"

    def principal_arn(self) -> Key:
        """Give aws:PrincipalArn: the role's for its sessions, never the session's."""
        asked = "aws:principalarn"
        if self.caller == "session":
            head, prefix = self._prefix("role")
            plain, with_path = role_shapes(head, prefix, literal(self.name), self.name)
            doubt = PATH_UNKNOWN if self.doubtful_path else None
            return key(asked, texts(plain, doubt=doubt), texts(with_path, doubt=PATH_UNKNOWN))
        if self.arn:
            return key(asked, fixed(self.arn))
        if self.caller != "identity":
            return key(asked, texts(*role_shapes(*self._prefix(self.caller), some(NAME), "evil")))
        shapes = [shape for noun in ("role", "user") for shape in role_shapes(*self._prefix(noun), some(NAME), "evil")]
        start = f"arn:{self.scene.zones.partition}:iam::"
        account = literal(self.account) if self.account else times(DIGIT, 12)
        root = Shape((*literal(start), *account, *literal(":root")), (f"{start}{self.account or EVIL_ACCOUNT}:root",))
        return key(asked, texts(*shapes), texts(root, doubt=NO_ROOT))

    def principal_account(self) -> Key:
        """Give aws:PrincipalAccount: the ARN's account."""
        if self.account:
            return key("aws:principalaccount", fixed(self.account))
        arn = self.principal_arn()
        return arn._replace(view=account_of_principal(self.scene.zones.partition))

    def principal_type(self) -> Key:
        """Give aws:PrincipalType."""
        return key("aws:principaltype", fixed("User" if self.caller == "user" else "AssumedRole"))

    def user_name(self) -> Key:
        """Give aws:username: the last part of a user's ARN; roles have none."""
        if self.caller != "user":
            return key("aws:username", ABSENT)
        if self.arn:
            return key("aws:username", fixed(self.arn.rpartition("/")[2]))
        return self.principal_arn()._replace(view=name_of_user(self._prefix("user")[1]))

    def user_id(self) -> Key:
        """Give aws:userid: the id is AWS's choice, a session's name the caller's."""
        prefix, tail = ("AIDA", ()) if self.caller == "user" else ("AROA", (*literal(":"), *SESSION_NAME.slots))
        evil = f"{prefix}6EVIL6666666666666"
        name = "" if self.caller == "user" else ":evil"
        free = Shape(
            (*literal(evil), *tail), (f"{evil}{name}",), ("", evil, f"{evil}:evil", "6EVIL6666666666666", "evil")
        )
        other = Shape((*literal(prefix), *some(UNIQUE), *tail), (f"{prefix}X{name}",))
        return key("aws:userid", texts(free), texts(other, doubt=UNIQUE_ID))

    def org_paths(self) -> Key:
        """Give aws:PrincipalOrgPaths: one path, in a key that can hold several."""
        asked, org_id = "aws:principalorgpaths", self.scene.zones.org_id
        if self.org == "none":
            return key(asked, ABSENT)
        if self.org == "own" and org_id:
            return key(asked, texts(*org_paths(literal(org_id), org_id)), several=True)
        options = other_orgs(self.scene)
        if self.org == "unknown":
            options = tuple(replace(option, doubt=ORG_UNKNOWN) for option in (ABSENT, *options))
        return key(asked, *options, several=True)

    def org_id(self) -> Key:
        """Give aws:PrincipalOrgID: the first part of the path; accounts without an organisation have neither."""
        asked, org_id = "aws:principalorgid", self.scene.zones.org_id
        if self.org == "none":
            return key(asked, ABSENT)
        if self.org == "own" and org_id:
            return key(asked, fixed(org_id))
        return self.org_paths()._replace(view=ORG_OF_PATH, several=False)

    def issued(self) -> Key:
        """Give aws:TokenIssueTime: roles always have temporary credentials, users may."""
        return issue_time(self.scene, absent=self.caller in {"user", "identity"})

    def source_of_session(self, asked: str) -> Key:
        """Give the ARN of what a session's credentials were made for: of the session's own account."""
        if self.caller == "user" and asked not in _OF_USERS:
            return key(asked, ABSENT)
        service, regional, noun = SESSION_SOURCES[asked]
        start = f"arn:{self.scene.zones.partition}:{service}:"
        account, region = self.account or EVIL_ACCOUNT, "us-east-1" if regional else ""
        part = (*literal(start), *(some(ORG) if regional else ()))
        fills = (region, "", "evil", account)
        head = (*part, *literal(f":{account}:{noun}"), *some(PATH))
        found = [ABSENT, texts(Shape(head, (f"{start}{region}:{account}:{noun}evil",), fills))]
        if not self.account:
            free = (*part, *literal(":"), *times(DIGIT, 12), *literal(f":{noun}"), *some(PATH))
            found.append(texts(Shape(free), doubt=f"`{asked}` tells the caller's account ({PIN_CALLER})"))
        return key(asked, *found)


_OF_USERS: Final = frozenset({"aws:signinsessionarn"})
"""Sources that an IAM user's credentials have as well."""


def other_orgs(scene: Scene) -> tuple[Option, ...]:
    """Describe the paths of accounts in an organisation that is not known to be the own one.

    When the own organisation is declared but its id was not supplied, any id that a policy names may be it; one that
    nobody names is another's.
    """
    others = org_paths((*literal("o-"), *some(ORG)), EVIL_ORG)
    if scene.zones.organization and scene.zones.org_id is None:
        return texts(*org_paths(literal(EVIL_ORG), EVIL_ORG)), texts(*others, doubt=ORG_UNKNOWN)
    return (texts(*others),)


def org_paths(org: Slots, sample: str) -> tuple[Shape, ...]:
    """Describe the paths of an organisation's accounts: in its root, or in a unit."""
    root = (*org, *literal("/r-"), *some(ORG), *literal("/"))
    fills = ("", EVIL_ORG, "r-evil/", "ou-evil/", f"{EVIL_ORG}/r-evil/")
    unit = (*root, *some(_ORG_TAIL), *literal("/"))
    return Shape(root, (f"{sample}/r-evil/",), fills), Shape(unit, (f"{sample}/r-evil/ou-evil/",), fills)


_OWN: Final[dict[str, Callable[[IdentityKeys], Key]]] = {
    "aws:principalarn": IdentityKeys.principal_arn,
    "aws:principalaccount": IdentityKeys.principal_account,
    "aws:principaltype": IdentityKeys.principal_type,
    "aws:username": IdentityKeys.user_name,
    "aws:userid": IdentityKeys.user_id,
    "aws:principalorgpaths": IdentityKeys.org_paths,
    "aws:principalorgid": IdentityKeys.org_id,
    "aws:tokenissuetime": IdentityKeys.issued,
}
