"""Session tags: passed, inherited through role chaining, or brought by an identity provider.

See "Pass session tags in AWS STS" in the IAM User Guide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts.parameters import check_text
from pytest_stsguard.cloud.sts.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_stsguard.cloud.ledger import Session

__all__ = ["SessionTags", "merged", "read_tags", "session_tags"]


@dataclass(frozen=True, slots=True)
class SessionTags:
    """The tags of a new session: those passed with the request, those inherited, and the keys that go on."""

    passed: Mapping[str, str] = field(default_factory=dict)
    inherited: Mapping[str, str] = field(default_factory=dict)
    transitive: frozenset[str] = frozenset()

    @property
    def all(self) -> dict[str, str]:
        """Every tag of the session."""
        return {**self.inherited, **self.passed}

    def __bool__(self) -> bool:
        return bool(self.passed or self.inherited)

    def context(self) -> dict[str, str | list[str]]:
        """The condition keys with which the tags are authorized."""
        keys: dict[str, str | list[str]] = {f"aws:RequestTag/{key}": value for key, value in self.all.items()}
        if self:
            keys["aws:TagKeys"] = list(self.all)
        if self.transitive:
            keys["sts:TransitiveTagKeys"] = sorted(self.transitive)
        return keys


def read_tags(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Read the parameter Tags."""
    entries = parameters.get("Tags") or ()
    if len(entries) > limits.TAGS:
        rule = f"Member must have length less than or equal to {limits.TAGS}"
        raise refuse("constraint", value=f"{len(entries)} tags", name="tags", rule=rule)
    return checked((str(entry.get("Key", "")), str(entry.get("Value", ""))) for entry in entries)


def checked(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Check the keys and values of tags; keys differ without regard to case."""
    tags: dict[str, str] = {}
    seen: set[str] = set()
    for number, (key, value) in enumerate(pairs, start=1):
        check_text(key, f"tags.{number}.member.key", limits.TAG_KEY)
        check_text(value, f"tags.{number}.member.value", limits.TAG_VALUE)
        if key.lower().startswith("aws:"):
            raise refuse("tag-reserved")
        if key.lower() in seen:
            raise refuse("tag-duplicate")
        seen.add(key.lower())
        tags[key] = value
    if len(tags) > limits.TAGS:
        rule = f"Member must have length less than or equal to {limits.TAGS}"
        raise refuse("constraint", value=f"{len(tags)} tags", name="tags", rule=rule)
    return tags


def session_tags(passed: Mapping[str, str], transitive: Iterable[str], calling: Session | None) -> SessionTags:
    """Put together what a request passes and what the calling session hands down.

    Raises:
        Fault: a transitive key that is no tag, or a tag that would replace an inherited one.
    """
    by_folded = {key.lower(): key for key in passed}
    keys = [str(key) for key in transitive]
    if len(keys) > limits.TAGS:
        rule = f"Member must have length less than or equal to {limits.TAGS}"
        raise refuse("constraint", value=f"{len(keys)} keys", name="transitiveTagKeys", rule=rule)
    if any(key.lower() not in by_folded for key in keys):
        raise refuse("tag-transitive")
    handed = {} if calling is None else {key: calling.tags[key] for key in calling.transitive if key in calling.tags}
    if any(key.lower() in by_folded for key in handed):
        raise refuse("tag-inherited")
    if len(passed) + len(handed) > limits.TAGS:
        rule = f"Member must have length less than or equal to {limits.TAGS}"
        raise refuse("constraint", value=f"{len(passed) + len(handed)} tags", name="tags", rule=rule)
    return SessionTags(dict(passed), handed, frozenset(by_folded[key.lower()] for key in keys) | frozenset(handed))


def merged(own: Mapping[str, str], session: Mapping[str, str]) -> dict[str, str]:
    """The tags of a session's principal: a session tag takes the place of the role's or user's own."""
    taken = {key.lower() for key in session}
    return {**{key: value for key, value in own.items() if key.lower() not in taken}, **session}
