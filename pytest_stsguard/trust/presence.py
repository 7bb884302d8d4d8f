"""Which context keys come with which class of requests, and what they can be: the table that proofs rest on.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pytest_stsguard.trust.chars import NAME, ORG, PRINTABLE, Chars, some
from pytest_stsguard.trust.option import ABSENT, FREE, Key, Option, address, fixed, key, moment, number, texts, values
from pytest_stsguard.trust.points import epoch
from pytest_stsguard.trust.text import Shape
from pytest_stsguard.trust.views import AS_EPOCH, AS_MOMENT

if TYPE_CHECKING:
    from pytest_stsguard.trust.request_class import Scene

__all__ = ["Presence", "lookup", "unknown"]

Presence = Callable[[str], Key | None]
"""Gives what a key (lower case) can be; None when the table does not know it."""

SESSION_NAME: Final = Shape(some(NAME), ("evil",), ("", "evil", "x"))
_ID: Final = Chars(NAME.members | set(":/"))
EXTERNAL_ID: Final = (
    texts(Shape(some(_ID), ("evil",), ("", "evil", "x"))),
    texts(
        FREE,
        doubt="formal only: STS takes no such ExternalId (ask for an exact one, of letters, digits and `_+=,.@:/-`)",
    ),
)
"""What a caller may pass: letters, digits and ``_+=,.@:/-``. STS wants two of them; one is taken for granted here.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""
REGION: Final = Shape(some(ORG), ("us-east-1",), ("", "us-east-1", "1"))
SESSION_SOURCES: Final[dict[str, tuple[str, bool, str]]] = {
    "ec2:sourceinstancearn": ("ec2", True, "instance/"),
    "lambda:sourcefunctionarn": ("lambda", True, "function:"),
    "codebuild:projectarn": ("codebuild", True, "project/"),
    "codebuild:buildarn": ("codebuild", True, "build/"),
    "aws:chatbotsourcearn": ("chatbot", False, "chat-configuration/"),
    "aws:signinsessionarn": ("signin", True, "session/"),
}
"""Keys that tell what a session's credentials were made for, as an ARN of the session's own account: its service,
whether it names a region, and how its last part begins."""
OF_SESSIONS: Final = frozenset(SESSION_SOURCES) | {
    "ec2:roledelivery",
    "ssm:sourceinstancearn",
    "glue:roleassumedby",
    "glue:credentialissuingservice",
    "identitystore:userid",
    "aws:assumedroot",
    "aws:ec2instancesourcevpc",
    "aws:ec2instancesourceprivateipv4",
}
"""Keys that come with the credentials of a session, and so never with services or federated callers.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-role-properties
"""
LONGEST_SESSION: Final = timedelta(hours=36)
"""No temporary credentials live longer (GetSessionToken, GetFederationToken)."""

_OPTIONAL: Final = (ABSENT, texts(FREE))
_NO_TAG: Final = Chars(frozenset("!\"#$%&'()*,;<>?[\\]^`{|}~") | PRINTABLE.members, negated=True)
TAG: Final = (
    ABSENT,
    texts(Shape(some(_NO_TAG), ("evil",), ("", "evil", "x"))),
    fixed(""),
    texts(FREE, doubt="formal only: no tag's value holds such characters (correct the value that the condition names)"),
)
"""A tag's value may be empty, which ForAllValues lets pass; of ASCII it holds letters, digits, blanks and ``_.:/=+-@``.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
"""
_SEVERAL: Final = (ABSENT, values(FREE))

SET_CONTEXT: Final = "the key is documented for sts:SetContext only (put it into a statement of that action alone)"
BEARER: Final = (
    "`sts:DurationSeconds` is documented for bearer tokens only (let the role's MaxSessionDuration limit its sessions)"
)
VIA_SERVICE: Final = (
    "whether a service assumes roles on a caller's behalf is not documented (add a condition that tells who calls)"
)

_ALWAYS_THE_SAME: Final[dict[str, tuple[Option, ...]]] = {
    "aws:requestedregion": (texts(REGION),),
    "aws:securetransport": (
        fixed("true"),
        fixed("false", doubt="STS answers HTTPS only (add a condition that tells who calls)"),
    ),
    "aws:useragent": _OPTIONAL,
    "aws:referer": _OPTIONAL,
    "aws:sourcevpc": _OPTIONAL,
    "aws:sourcevpce": _OPTIONAL,
    "aws:sourcevpcarn": _OPTIONAL,
    "aws:vpceaccount": _OPTIONAL,
    "aws:vpceorgid": _OPTIONAL,
    "aws:vpceorgpaths": _SEVERAL,
    "aws:vpcsourceip": (ABSENT, address()),
    "aws:tagkeys": _SEVERAL,
    "sts:transitivetagkeys": _SEVERAL,
    "sts:rolesessionname": (texts(SESSION_NAME),),
    "sts:sourceidentity": (ABSENT, texts(SESSION_NAME)),
    "sts:requestcontextproviders": (ABSENT, values(FREE, doubt=SET_CONTEXT)),
    "sts:roleauthorizedbyidp": (ABSENT,),
    "sts:durationseconds": (ABSENT, number(Decimal(900), Decimal(43_200), doubt=BEARER)),
    "aws:sourceip": (address(), ABSENT),
    "aws:viaawsservice": (fixed("false"), fixed("true", doubt=VIA_SERVICE)),
    **{f"aws:calledvia{end}": (ABSENT, texts(FREE, doubt=VIA_SERVICE)) for end in ("first", "last")},
    "aws:calledvia": (ABSENT, values(FREE, doubt=VIA_SERVICE)),
}
"""Keys that are the same whoever calls; what a caller chooses is never an identity."""


def _time(name: str, scene: Scene) -> Key:
    """Give the request's time: from the moment of the proof on, however far."""
    view = AS_EPOCH if name == "aws:epochtime" else AS_MOMENT
    return Key("aws:currenttime", (moment(epoch(scene.now)),), view)


def issue_time(scene: Scene, *, absent: bool) -> Key:
    """Give the moment at which the caller's temporary credentials were issued."""
    oldest = epoch(scene.now - LONGEST_SESSION)
    options = (moment(oldest), moment(None, doubt="no session lives so long (correct the date)"))
    return Key("aws:tokenissuetime", (ABSENT, *options) if absent else options, AS_MOMENT)


def _resource(name: str, scene: Scene) -> Key | None:
    """Give the keys that tell of the role itself."""
    zones = scene.zones
    if name == "aws:resourceaccount":
        return key(name, fixed(zones.account))
    if name == "aws:resourceorgid":
        return (
            key(name, fixed(zones.org_id))
            if zones.org_id
            else _not_supplied(name, "the organization's id", "give `org_id` in the zones")
        )
    if name == "aws:resourceorgpaths":
        return _not_supplied(
            name, "the account's place in the organization", "compare with `aws:ResourceOrgID` instead"
        )
    prefix, _, tag = name.partition("/")
    if prefix in {"aws:resourcetag", "iam:resourcetag"} and tag:
        if zones.role_tags is None:
            return _not_supplied(name, "the role's tags", "give `role_tags` in the zones")
        found = [value for other, value in zones.role_tags if other.lower() == tag]
        return key(name, fixed(found[0]) if found else ABSENT)
    return None


def _not_supplied(name: str, what: str, remedy: str) -> Key:
    doubt = f"it depends on what was not supplied: {what} (`{name}`: {remedy})"
    return key(name, Option("absent", doubt=doubt), texts(FREE, doubt=doubt), several=name.endswith("paths"))


def unknown(name: str) -> Key:
    """Give a key that is not known here: it may be there or not, and nothing is certain."""
    doubt = f"the key `{name[:120]}` is not known here (check its spelling, or add a condition that tells who calls)"
    return key(name, Option("absent", doubt=doubt), texts(FREE, doubt=doubt))


def lookup(name: str, scene: Scene, own: Presence) -> Key:
    """Look a key up: in the class's own table, then in what all classes share."""
    found = own(name)
    if found is not None:
        return found
    if name in {"aws:currenttime", "aws:epochtime"}:
        return _time(name, scene)
    shared = _ALWAYS_THE_SAME.get(name)
    if shared is not None:
        return key(name, *shared, several=any(option.form == "set" for option in shared))
    if name.startswith("aws:requesttag/"):
        return key(name, *TAG)
    if name.startswith("sts:requestcontext/"):
        return key(name, ABSENT, texts(FREE, doubt=SET_CONTEXT))
    return _resource(name, scene) or unknown(name)
